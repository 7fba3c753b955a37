/** Who of the team changed this contact, for those who may read the log. Read when it is opened. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { errorText } from "../api/http.ts";
import { contactAuditQuery } from "../api/query.ts";
import { Ago } from "../part/time.tsx";
import { actorOf, changesOf } from "../settings/change.ts";

const DEEDS: Record<string, string> = {
  "contact.changed": "changed",
  "contact.erased": "erased it",
  "contact.merged": "merged it into another",
  "contact.unmerged": "took a merge back",
};

/** The lines, newest first. */
export function ContactChanges({ contact_id }: { contact_id: string }) {
  const [open, setOpen] = useState(false);
  const found = useQuery({ ...contactAuditQuery(contact_id), enabled: open });
  return (
    <details className="earlier-visits" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Who changed it</summary>
      {found.isError && <p className="faint small">{errorText(found.error)}</p>}
      {found.data && (
        <ul>
          {found.data.items.map((line) => (
            <li key={line.id}>
              <bdi>{actorOf(line).text}</bdi> <span className="faint">{DEEDS[line.action] ?? line.action}, <Ago at_ms={line.at_ms} words="ago" /></span>
              {changesOf(line).map((change) => (
                <div key={change} className="small">
                  <bdi>{change}</bdi>
                </div>
              ))}
            </li>
          ))}
          {found.data.items.length === 0 && <li className="faint">Nobody of the team yet.</li>}
        </ul>
      )}
    </details>
  );
}
