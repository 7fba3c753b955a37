// What a site asks before the first message, in the place of the composer.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import type { TextKey } from "../../words/locale.ts";
import { faultsOf, type Answers, type Fault, type Field } from "../introduction.ts";
import type { PanelStore } from "../store.ts";
import { said } from "../words.ts";
import { Words } from "./text.tsx";

/** So long that what is written in any script stays within what the server takes. */
const INPUT = {
  name: { type: "text", autocomplete: "name", maxLength: 50 },
  email: { type: "email", autocomplete: "email", maxLength: 254 },
  phone: { type: "tel", autocomplete: "tel", maxLength: 40 },
  text: { type: "text", autocomplete: "off", maxLength: 50 },
  number: { type: "text", inputMode: "decimal", autocomplete: "off", maxLength: 27 },
} as const;

/** What the widget has words for itself. */
const KNOWN: readonly TextKey[] = ["name", "email", "phone", "customer_id", "account_number", "order_id", "company"];

function labelOf({ key, label }: Field): string {
  const known = KNOWN.find((name) => name === key);
  return label || (known === undefined ? key : said(known));
}

interface BeginProps {
  readonly store: PanelStore;
  readonly fields: readonly Field[];
  readonly isOpen: boolean;
}

export function Begin({ store, fields, isOpen }: BeginProps): VNode {
  const [answers, setAnswers] = useState<Answers>({});
  const [faults, setFaults] = useState<Readonly<Record<string, Fault>>>({});
  const form = useRef<HTMLFormElement>(null);

  useLayoutEffect(() => {
    if (isOpen) form.current?.querySelector("input")?.focus();
  }, [isOpen]);
  // What is wrong first is where one goes on.
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus(), [faults]);

  const submit = (event: Event): void => {
    event.preventDefault();
    const wrong = faultsOf(fields, answers);
    setFaults(wrong);
    if (Object.keys(wrong).length === 0) store.introduce(answers);
  };

  return (
    <form class="begin" ref={form} noValidate onSubmit={submit}>
      <p class="quiet">{said("begin_lead")}</p>
      {fields.map((field) => (
        <FieldView
          key={field.key}
          field={field}
          value={answers[field.key] ?? ""}
          fault={faults[field.key] ?? null}
          onValue={(value) => setAnswers({ ...answers, [field.key]: value })}
        />
      ))}
      <button type="submit" class="wide">
        {said("begin")}
      </button>
    </form>
  );
}

interface FieldProps {
  readonly field: Field;
  readonly value: string;
  readonly fault: Fault | null;
  onValue(value: string): void;
}

function FieldView({ field, value, fault, onValue }: FieldProps): VNode {
  const { key, kind, isNeeded } = field;
  const label = labelOf(field);
  const problem = fault !== null && (
    <span class="problem" id={`${key}-fault`}>
      {said(fault)}
    </span>
  );
  const shared = {
    required: isNeeded,
    "aria-invalid": fault === null ? undefined : ("true" as const),
    "aria-describedby": fault === null ? undefined : `${key}-fault`,
  };
  if (kind === "flag" || kind === "consent") {
    // The words stand beside the box, not in its label: they may hold links.
    return (
      <div class="tick">
        <input
          {...shared}
          id={`${key}-box`}
          type="checkbox"
          aria-labelledby={`${key}-label`}
          checked={value !== ""}
          onChange={(event) => onValue(event.currentTarget.checked ? "yes" : "")}
        />
        <div>
          <div id={`${key}-label`} dir="auto">
            {kind === "consent" ? <Words format="markdown" body={label} /> : <label for={`${key}-box`}>{label}</label>}
          </div>
          {problem}
        </div>
      </div>
    );
  }
  return (
    <label>
      <span>{isNeeded ? label : said("optional", { label })}</span>
      <input {...INPUT[kind]} {...shared} dir="auto" value={value} onInput={(event) => onValue(event.currentTarget.value)} />
      {problem}
    </label>
  );
}
