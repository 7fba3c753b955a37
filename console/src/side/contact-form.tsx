/** The contact's facts in a form. Two may edit at once: each sees what the other saved, field by field, before saving. */
import { useQueryClient } from "@tanstack/react-query";
import { useLayoutEffect, useRef, useState } from "react";
import type { Contact } from "@switchboard/protocol";

import { call, fieldError, formError, problemIn } from "../api/http.ts";
import { contactQuery } from "../api/query.ts";
import type { Form } from "../part/begun.ts";
import { Button, FormError, IconButton, TextField } from "../part/control.tsx";
import { meanwhile, taken, withTheirs, type Edited } from "../part/edit.ts";
import { Theirs } from "../part/theirs.tsx";
import { attributeName } from "../settings/question.ts";
import { attributeKey, attributesIn, changeOf, CONTACT_FIELDS, factsOf } from "./edit.ts";

interface Fact {
  name: string;
  value: string;
}

const NONE: Fact = { name: "", value: "" };

/** What stands in the form. */
export interface ContactEdit {
  edited: Edited;
  another: Fact;
}

/** Whether it is one. */
export function isContactEdit(value: unknown): value is ContactEdit {
  return typeof value === "object" && value !== null && "edited" in value && "another" in value;
}

const isWhole = ({ name, value }: Fact) => name.trim() !== "" && value.trim() !== "";

/** The form with the fact that is being added, once it has a name and a value. */
function withAnother(edited: Edited, another: Fact): Edited {
  return isWhole(another) ? { ...edited, form: { ...edited.form, [attributeKey(another.name.trim())]: another.value.trim() } } : edited;
}

/** The form, in the place of the facts. What was changed in it stands there again when one comes back to the contact. */
export function ContactForm({ contact, form }: { contact: Contact; form: Form<ContactEdit> }) {
  const facts = factsOf(contact);
  const { edited, another } = form.value ?? { edited: { before: facts, form: facts }, another: NONE };
  const [error, setError] = useState<unknown>(null);
  const cache = useQueryClient();
  // What others saved since stands in fields that nobody touched here, and is told at those that somebody did.
  const now = taken(edited, facts);
  const told = meanwhile(now, facts);
  const put = (next: Edited, other: Fact = another) => {
    const is_touched = Object.keys(changeOf(next, facts, contact.attributes)).length > 0 || other.name !== "" || other.value !== "";
    form.change(is_touched ? { edited: next, another: other } : undefined);
  };
  const set = (key: string, value: string) => put({ ...now, form: { ...now.form, [key]: value } });
  const field = (key: string) => ({
    value: now.form[key] ?? "",
    onValue: (value: string) => set(key, value),
    error: fieldError(error, key),
    hint: told[key] !== undefined && <Theirs value={told[key]} onTake={() => put(withTheirs(now, key, told[key] ?? ""))} />,
  });
  /** Puts what was touched on top of a record; and where that is another by now, on top of the newest, unless others wrote the same fields. */
  async function store(record: Contact): Promise<void> {
    const stood = factsOf(record);
    const change = changeOf(withAnother(taken(edited, stood), another), stood, record.attributes);
    if (Object.keys(change).length === 0) return;
    try {
      await call(`contacts/${record.id}`, { method: "PATCH", body: change, version: record.version });
    } catch (reason) {
      if (problemIn(reason)?.code !== "version_conflict") throw reason;
      // It is shown as well: what others wrote is told at the fields, and the next try rests on it.
      const newest = await cache.fetchQuery({ ...contactQuery(record.id), staleTime: 0 });
      const stands = factsOf(newest);
      if (newest.version === record.version || Object.keys(meanwhile(withAnother(taken(edited, stands), another), stands)).length > 0) throw reason;
      await store(newest);
    }
  }
  /** Pressed again while that is under way, it finds all of it there, or saves what was told of meanwhile. */
  async function save() {
    setError(null);
    try {
      await store(contact);
      await cache.invalidateQueries({ queryKey: ["contact", contact.id] });
      form.saved(form.value);
    } catch (reason) {
      setError(reason);
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
      <TextField label="Name" {...field("name")} autoFocus={form.opened === "here"} />
      <TextField label="E-mail" type="email" {...field("email")} />
      <TextField label="Phone" type="tel" {...field("phone")} />
      <TextField label="Company" {...field("company")} />
      {attributesIn(now).filter((name) => name !== "consent").map((name) => (
        <div key={name} className="attribute">
          <TextField label={attributeName(name)} {...field(attributeKey(name))} />
          <IconButton icon="close" name={`Take ${attributeName(name)} away`} disabled={!now.form[attributeKey(name)]} onClick={() => set(attributeKey(name), "")} />
        </div>
      ))}
      <AnotherFact
        fact={another}
        onFact={(fact) => put(now, fact)}
        onAdd={() => put(withAnother(now, another), NONE)}
      />
      <FormError text={formError(error, CONTACT_FIELDS)} />
      <div className="line">
        <Button type="submit" tone="accent" size="small">
          Save
        </Button>
        <Button size="small" tone="plain" onClick={form.close}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

interface AnotherFactProps {
  fact: Fact;
  onFact: (fact: Fact) => void;
  onAdd: () => void;
}

/** A fact that the form has no field for. Its button never goes pale: pressed too early, it says what is lacking. */
function AnotherFact({ fact, onFact, onAdd }: AnotherFactProps) {
  const fields = useRef<HTMLDivElement>(null);
  const [asked_count, setAskedCount] = useState(0);
  useLayoutEffect(() => {
    fields.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [asked_count]);
  const lack = (text: string, words: string) => (asked_count > 0 && text.trim() === "" ? words : null);
  const add = () => {
    setAskedCount((count) => (isWhole(fact) ? 0 : count + 1));
    if (isWhole(fact)) onAdd();
  };
  return (
    <div className="attribute" ref={fields}>
      <TextField label="Another fact" placeholder="Plan" value={fact.name} maxLength={64} autoComplete="off" error={lack(fact.name, "Write what it is.")} onValue={(name) => onFact({ ...fact, name })} />
      <TextField label="Its value" value={fact.value} maxLength={1_024} autoComplete="off" error={lack(fact.value, "Write its value.")} onValue={(value) => onFact({ ...fact, value })} />
      <Button onClick={add}>Add</Button>
    </div>
  );
}
