/** A record that two may edit at once: what is theirs, what is mine, and what is told of it. Pure. */
import type { AttributeValue, Contact, ContactChange } from "@switchboard/protocol";

/** The fields of the form that every contact has. */
export const CONTACT_FIELDS = ["name", "email", "phone", "company"] as const;

/** Before the names of attributes, which are anybody's words. */
const ATTRIBUTE = "attribute ";

/** A contact's facts, as texts; nothing is the same as no fact. */
export type Facts = Readonly<Record<string, string>>;

/** What the form rests on, and what stands in it. */
export interface Edited {
  before: Facts;
  form: Facts;
}

/** The key of an attribute among the facts. */
export function attributeKey(name: string): string {
  return ATTRIBUTE + name;
}

/** The names of the attributes in a form, also of those that are taken away in it. */
export function attributesIn({ before, form }: Edited): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(form)]);
  return [...keys].filter((key) => key.startsWith(ATTRIBUTE)).map((key) => key.slice(ATTRIBUTE.length)).sort();
}

/** The facts of a record. */
export function factsOf(contact: Pick<Contact, (typeof CONTACT_FIELDS)[number] | "attributes">): Facts {
  const facts: Record<string, string> = { name: contact.name, email: contact.email ?? "", phone: contact.phone ?? "", company: contact.company ?? "" };
  for (const [name, value] of Object.entries(contact.attributes)) facts[attributeKey(name)] = textOf(value);
  return facts;
}

function textOf(value: AttributeValue): string {
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

/** What a text says, as a value of the kind that stood there, where it still is one. */
function valueOf(text: string, was: AttributeValue | undefined): AttributeValue {
  if (typeof was === "boolean" && (text === "yes" || text === "no")) return text === "yes";
  if (typeof was === "number" && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  return text;
}

function keysOf(...all: readonly Facts[]): string[] {
  return [...new Set(all.flatMap((facts) => Object.keys(facts)))];
}

const at = (facts: Facts, key: string): string => facts[key] ?? "";

/** Fields that nobody touched follow the record. */
export function taken({ before, form }: Edited, facts: Facts): Edited {
  const next: { before: Record<string, string>; form: Record<string, string> } = { before: { ...before }, form: { ...form } };
  for (const key of keysOf(before, form, facts)) {
    if (at(form, key) !== at(before, key)) continue;
    // A fact that is gone leaves no field behind.
    if (key in facts) next.before[key] = next.form[key] = at(facts, key);
    else {
      delete next.before[key];
      delete next.form[key];
    }
  }
  return next;
}

/** What others saved in fields that were touched here, unless both wrote the same. */
export function meanwhile({ before, form }: Edited, facts: Facts): Facts {
  const keys = keysOf(before, form, facts).filter((key) => at(facts, key) !== at(before, key) && at(facts, key) !== at(form, key));
  return Object.fromEntries(keys.map((key) => [key, at(facts, key)]));
}

/** What is to be saved: only what was touched, and is not so already. Of `attributes` come the kinds of values. */
export function changeOf({ before, form }: Edited, facts: Facts, attributes: Contact["attributes"] = {}): ContactChange {
  const change: ContactChange = {};
  const set: Record<string, AttributeValue> = {};
  for (const key of keysOf(before, form)) {
    const text = at(form, key);
    if (text === at(before, key) || text === at(facts, key)) continue;
    const field = CONTACT_FIELDS.find((each) => each === key);
    const name = key.slice(ATTRIBUTE.length);
    if (field) change[field] = text;
    else set[name] = valueOf(text.trim(), attributes[name]);
  }
  return Object.keys(set).length > 0 ? { ...change, attributes: set } : change;
}
