/** A record that two may edit at once: what is theirs, what is mine, and what is told of it. Pure. */
import type { Contact, ContactChange } from "@switchboard/protocol";

/** The fields of the form. */
export const CONTACT_FIELDS = ["name", "email", "phone", "company"] as const;

/** A contact's facts, as texts. */
export type Facts = Record<(typeof CONTACT_FIELDS)[number], string>;

/** What the form rests on, and what stands in it. */
export interface Edited {
  before: Facts;
  form: Facts;
}

/** The facts of a record. */
export function factsOf(contact: Pick<Contact, (typeof CONTACT_FIELDS)[number]>): Facts {
  return { name: contact.name, email: contact.email ?? "", phone: contact.phone ?? "", company: contact.company ?? "" };
}

/** Fields that nobody touched follow the record. */
export function taken({ before, form }: Edited, facts: Facts): Edited {
  const next = { before: { ...before }, form: { ...form } };
  for (const key of CONTACT_FIELDS) {
    if (form[key] === before[key]) next.before[key] = next.form[key] = facts[key];
  }
  return next;
}

/** What others saved in fields that were touched here, unless both wrote the same. */
export function meanwhile({ before, form }: Edited, facts: Facts): Partial<Facts> {
  const keys = CONTACT_FIELDS.filter((key) => facts[key] !== before[key] && facts[key] !== form[key]);
  return Object.fromEntries(keys.map((key) => [key, facts[key]]));
}

/** What is to be saved: only what was touched, and is not so already. */
export function changeOf({ before, form }: Edited, facts: Facts): ContactChange {
  const keys = CONTACT_FIELDS.filter((key) => form[key] !== before[key] && form[key] !== facts[key]);
  return Object.fromEntries(keys.map((key) => [key, form[key]]));
}
