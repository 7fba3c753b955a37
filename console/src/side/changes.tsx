/** Who of the team changed this contact, for those who may read the log. Read when it is opened. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { errorText } from "../api/http.ts";
import { contactAuditQuery } from "../api/query.ts";
import { ChangeLines } from "../settings/changed.tsx";
import { sittings } from "../settings/sitting.ts";

/** The lines, newest first. */
export function ContactChanges({ contact_id }: { contact_id: string }) {
  const [open, setOpen] = useState(false);
  const found = useQuery({ ...contactAuditQuery(contact_id), enabled: open });
  return (
    <details className="earlier-visits" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Who changed it</summary>
      {found.isError && <p className="faint small">{errorText(found.error)}</p>}
      {found.data && (found.data.items.length > 0 ? <ChangeLines lines={sittings(found.data.items)} /> : <p className="faint">Nobody of the team yet.</p>)}
    </details>
  );
}
