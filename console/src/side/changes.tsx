/** Who of the team changed this contact, for those who may read the log. Read when it is opened. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { AuditEntry } from "@switchboard/protocol";

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
      {found.data && (found.data.items.length > 0 ? <Found contact_id={contact_id} lines={found.data.items} /> : <p className="faint">Nobody of the team yet.</p>)}
    </details>
  );
}

/** The last ones, and the way to all of them. */
function Found({ contact_id, lines }: { contact_id: string; lines: readonly AuditEntry[] }) {
  return (
    <>
      <ChangeLines lines={sittings(lines)} />
      <Link to="/settings/$page" params={{ page: "audit" }} search={{ target: contact_id }} className="small">
        In the audit log
      </Link>
    </>
  );
}
