/** What this member may do, for components: drawn again when that changes. */
import type { Permission } from "@switchboard/protocol";

import { useStore } from "../part/store.ts";
import { may, membership } from "./session.ts";

/** Asks whether this member may do something; the component is drawn anew with other rights. */
export function useMay(): (permission: Permission) => boolean {
  useStore(membership, (member) => member?.permissions.join(" ") ?? "");
  return may;
}
