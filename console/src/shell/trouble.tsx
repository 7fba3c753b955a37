/** What an admin must see to, said calmly while it lasts: a backup that failed, servers or a store out of reach. */
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { Trouble, TroubleKind } from "@switchboard/protocol";

import { Refused } from "../api/http.ts";
import { troublesQuery } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { Began } from "../part/time.tsx";
import { Slip } from "./slip.tsx";

/** A slip for each; nothing where all is well, and for those who cannot help. */
export function TroubleSlips() {
  const helps = useMay()("settings.write");
  const { data, error } = useQuery({ ...troublesQuery, enabled: helps });
  const is_store_away = error instanceof Refused && error.problem.code === "unavailable";
  const [put_away, setPutAway] = useState<readonly string[]>([]);
  // One that comes again is told again.
  const shown = (data ?? []).filter((trouble) => isKnown(trouble) && !put_away.includes(nameOf(trouble)));
  return (
    <div role="status" aria-live="polite">
      {helps && is_store_away && (
        <Slip lamp="risk" onPutAway={null}>
          {STORE_AWAY}
        </Slip>
      )}
      {helps &&
        !is_store_away &&
        shown.map((trouble) => (
          <Slip key={trouble.kind} lamp="risk" onPutAway={() => setPutAway([...put_away, nameOf(trouble)])}>
            {WORDS[trouble.kind](trouble)}
          </Slip>
        ))}
    </div>
  );
}

function nameOf({ kind, since_at_ms }: Trouble): string {
  return `${kind} ${since_at_ms}`;
}

/** A server that is newer than this page may tell of more. */
function isKnown(trouble: Trouble): boolean {
  return Object.hasOwn(WORDS, trouble.kind);
}

const STORE_AWAY =
  "The server's store does not answer. What you write is kept and goes out once it does. Look after the database; this goes by itself.";

const WORDS: Record<TroubleKind, (trouble: Trouble) => ReactNode> = {
  backup_failed: ({ since_at_ms, reason }) => (
    <>
      Backups have failed since <Began at_ms={since_at_ms} />: {reason}. Nothing is lost here, but the newest copy is older. Make room or mend the folder: a
      daily one is tried again each hour, and this goes once any is written.
    </>
  ),
  bus_unreachable: ({ since_at_ms, reason }) => (
    <>
      Servers have not heard each other since <Began at_ms={since_at_ms} />: {reason}. Nothing is lost; what happens on other servers shows a moment later.
      Look after Redis; this goes by itself.
    </>
  ),
  settings_differ: ({ since_at_ms, reason }) => (
    <>
      Servers have had different settings since <Began at_ms={since_at_ms} />: {reason}. Nothing is lost; what people find depends on the server they are at.
      Give all the same and restart them one by one; this goes by itself.
    </>
  ),
};
