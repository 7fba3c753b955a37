/** A contact as facts that two may edit at once. Pure. */
import type { AttributeValue, Contact, ContactChange } from "@switchboard/protocol";

import { at, keysOf, type Edited, type Facts } from "../part/edit.ts";

/** The fields of the form that every contact has. */
export const CONTACT_FIELDS = ["name", "email", "phone", "company"] as const;

/** Before the names of attributes, which are anybody's words. */
const ATTRIBUTE = "attribute ";

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
