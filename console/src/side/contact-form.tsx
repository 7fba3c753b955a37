/** The contact's facts in a form. Two may edit at once: each sees what the other saved, field by field, before saving. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Contact } from "@switchboard/protocol";

import { call, fieldError, formError, problemIn } from "../api/http.ts";
import { Button, FormError, TextField } from "../part/control.tsx";
import { changeOf, CONTACT_FIELDS, factsOf, meanwhile, taken, type Edited } from "./edit.ts";

/** The form, in the place of the facts. */
export function ContactForm({ contact, onDone }: { contact: Contact; onDone: () => void }) {
  const facts = factsOf(contact);
  const [edited, setEdited] = useState<Edited>({ before: facts, form: facts });
  const [error, setError] = useState<unknown>(null);
  const cache = useQueryClient();
  // What others saved since stands in fields that nobody touched here, and is told at those that somebody did.
  const now = taken(edited, facts);
  const told = meanwhile(now, facts);
  const field = (key: (typeof CONTACT_FIELDS)[number]) => ({
    value: now.form[key],
    onValue: (value: string) => setEdited({ ...now, form: { ...now.form, [key]: value } }),
    error: fieldError(error, key),
    hint: told[key] !== undefined && (
      <span role="status">
        A colleague changed this to <b>{told[key] === "" ? "nothing" : <bdi>{told[key]}</bdi>}</b> meanwhile. Saving puts yours in its place.{" "}
        <Button size="small" tone="plain" onClick={() => setEdited({ before: { ...now.before, [key]: told[key] ?? "" }, form: { ...now.form, [key]: told[key] ?? "" } })}>
          Take theirs
        </Button>
      </span>
    ),
  });
  async function save() {
    const change = changeOf(now, facts);
    setError(null);
    try {
      if (Object.keys(change).length > 0) await call(`contacts/${contact.id}`, { method: "PATCH", body: change, version: contact.version });
      await cache.invalidateQueries({ queryKey: ["contact", contact.id] });
      onDone();
    } catch (reason) {
      setError(reason);
      // The newer record is shown, and the next try rests on it.
      if (problemIn(reason)?.code === "version_conflict") void cache.invalidateQueries({ queryKey: ["contact", contact.id] });
    }
  }
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <TextField label="Name" {...field("name")} autoFocus />
      <TextField label="E-mail" type="email" {...field("email")} />
      <TextField label="Phone" type="tel" {...field("phone")} />
      <TextField label="Company" {...field("company")} />
      <FormError text={formError(error, CONTACT_FIELDS)} />
      <div className="line">
        <Button type="submit" tone="accent" size="small">
          Save
        </Button>
        <Button size="small" tone="plain" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
