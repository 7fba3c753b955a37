/** Says whether what was changed is stored. */
import type { Saving } from "./save.ts";

/** One quiet line. */
export function Saved({ saving }: { saving: Saving }) {
  return (
    <span className={saving.state === "failed" ? "field-error" : "saved faint small"} role={saving.state === "failed" ? "alert" : "status"}>
      {saving.text}
    </span>
  );
}
