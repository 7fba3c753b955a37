/** Questions of a site: which are whole, and how their answers are shown. Pure. */
import { plainText } from "@switchboard/markup";
import type { AttributeValue, Question } from "@switchboard/protocol";

/** Those that the widget has words for, in each of its languages. */
export const KNOWN: readonly [string, string][] = [
  ["customer_id", "Customer number"],
  ["account_number", "Account number"],
  ["order_id", "Order number"],
  ["company", "Company"],
];

/** Names of what is asked in other ways. */
const TAKEN = ["name", "email", "phone", "consent", ...KNOWN.map(([name]) => name)];

/** What the answer to a question is called, by its words: small letters, digits and `_`, and unlike the others. */
export function nameOf(label: string, questions: readonly Question[], index: number): string {
  const plain = label.normalize("NFKD").toLowerCase().replace(/[\u0300-\u036f]/g, "");
  const word = plain.replace(/[^a-z0-9]+/g, "_").replace(/^[_0-9]+|_+$/g, "").slice(0, 50) || "question";
  const others = [...TAKEN, ...questions.filter((_, at) => at !== index).map(({ name }) => name)];
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? word : `${word}_${number}`;
    if (!others.includes(name)) return name;
  }
}

/** Whether a question can be asked: it has words, the site's or the widget's. */
export function isWhole({ name, label }: Question): boolean {
  return name !== "" && (label.trim() !== "" || KNOWN.some(([known]) => known === name));
}

/** What an attribute of a contact is called for people: `order_id` is an order id. */
export function attributeName(key: string): string {
  if (key === "consent") return "Agreed to";
  const known = KNOWN.find(([name]) => name === key)?.[1];
  const words = key.replaceAll("_", " ");
  return known ?? words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** An attribute's value for people. */
export function attributeText(key: string, value: AttributeValue): string {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return key === "consent" ? plainText("markdown", String(value)) : String(value);
}
