/** A form over a record that somebody else may change meanwhile. */
import { useState } from "react";

import { call, problemIn } from "../api/http.ts";
import { meanwhile, taken, withTheirs, type Edited, type Facts } from "./edit.ts";

/** The form begins with what stood `before`; `stands` is how it stands now. */
export function useEdited(before: Facts, stands: Facts) {
  const [edited, setEdited] = useState<Edited>({ before, form: before });
  const now = taken(edited, stands);
  return {
    /** The fields as they are shown. */
    form: now.form,
    set: (key: string, value: string) => setEdited({ ...now, form: { ...now.form, [key]: value } }),
    /** What somebody else made of fields that were changed here. */
    told: meanwhile(now, stands),
    /** These fields are stored by now; what was written since stands on top of them. */
    stored: (facts: Facts) => setEdited(({ form }) => ({ before: facts, form })),
    take: (key: string, theirs: string) => setEdited(withTheirs(now, key, theirs)),
    /** The fields on top of another record, or null where both wrote the same one: that is told first. */
    onTop(of: Facts): Facts | null {
      const next = taken(edited, of);
      return Object.keys(meanwhile(next, of)).length > 0 ? null : next.form;
    },
  };
}

/** A record as it is sent and answered. */
interface Versioned {
  id: string;
  version: number;
}

/**
 * Puts a change on top of a record, and where that is another by now, on top of the newest. Throws what refused it where
 * the newest is gone, or is to be told of first: then `changeOn` gives null for it.
 */
export async function putOnTop<R extends Versioned>(path: string, record: R, body: object | null, newestOf: () => Promise<R | undefined>, changeOn: (newest: R) => object | null): Promise<void> {
  try {
    await call(`${path}/${record.id}`, { method: "PATCH", body, version: record.version });
  } catch (reason) {
    const code = problemIn(reason)?.code;
    if (code !== "version_conflict" && code !== "not_found") throw reason;
    const newest = await newestOf();
    const change = newest && newest.version !== record.version ? changeOn(newest) : null;
    if (!newest || !change) throw reason;
    await putOnTop(path, newest, change, newestOf, changeOn);
  }
}
