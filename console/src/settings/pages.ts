/** The pages of the settings, and who may open them: the table of contents, the palette and the keys agree by it. */
import type { Permission, SettingsPage } from "@switchboard/protocol";

import type { IconName } from "../part/icon.tsx";

/** A page of the settings. */
export interface PageOfSettings {
  /** Its place in the address, and what colleagues are told of it. */
  place: SettingsPage;
  name: string;
  icon: IconName;
  needs: Permission | null;
  /** The shortcut that leads there. */
  keys?: string;
}

/** All pages, in their order. */
export const PAGES = [
  { place: "workspace", name: "Workspace", icon: "settings", needs: "settings.write" },
  { place: "sites", name: "Sites", icon: "globe", needs: "sites.write", keys: "g s" },
  { place: "team", name: "Team", icon: "team", needs: "team.write", keys: "g t" },
  { place: "canned", name: "Canned responses", icon: "canned", needs: null },
  { place: "keys", name: "API keys", icon: "key", needs: "keys.write" },
  { place: "audit", name: "Audit log", icon: "log", needs: "audit.read" },
  { place: "activity", name: "Activity", icon: "clock", needs: "audit.read" },
  { place: "system", name: "System", icon: "wave", needs: "settings.write" },
  { place: "security", name: "Security", icon: "shield", needs: null },
  { place: "notifications", name: "Notifications", icon: "bell", needs: null },
  { place: "profile", name: "Profile", icon: "person", needs: null },
] as const satisfies readonly PageOfSettings[];

/** The place of a page. */
export type PlaceOfSettings = (typeof PAGES)[number]["place"];
