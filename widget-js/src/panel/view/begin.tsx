// What a site asks before the first message, in the place of the composer.

import { useEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import type { Asks } from "../../protocol.ts";
import { askedOf, faultsOf, type Answers, type Asked, type Fault } from "../introduction.ts";
import type { PanelStore } from "../store.ts";
import { said } from "../words.ts";

/** So long that what is written in any script stays within what the server takes. */
const INPUT = {
  name: { type: "text", autocomplete: "name", maxLength: 50 },
  email: { type: "email", autocomplete: "email", maxLength: 254 },
  phone: { type: "tel", autocomplete: "tel", maxLength: 40 },
} as const satisfies Record<Asked, object>;

export function Begin({ store, asks, isOpen }: { store: PanelStore; asks: Asks; isOpen: boolean }): VNode {
  const [answers, setAnswers] = useState<Answers>({ name: "", email: "", phone: "" });
  const [faults, setFaults] = useState<Partial<Record<Asked, Fault>>>({});
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    if (isOpen) form.current?.querySelector("input")?.focus();
  }, [isOpen]);
  // What is wrong first is where one goes on.
  useEffect(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus(), [faults]);

  const submit = (event: Event): void => {
    event.preventDefault();
    const wrong = faultsOf(asks, answers);
    setFaults(wrong);
    if (Object.keys(wrong).length === 0) store.introduce(answers);
  };

  return (
    <form class="begin" ref={form} noValidate onSubmit={submit}>
      <p class="quiet">{said("begin_lead")}</p>
      {askedOf(asks).map((part) => {
        const fault = faults[part];
        return (
          <label key={part}>
            <span>{asks[part] === "optional" ? said("optional", { label: said(part) }) : said(part)}</span>
            <input
              {...INPUT[part]}
              dir="auto"
              required={asks[part] === "needed"}
              value={answers[part]}
              aria-invalid={fault === undefined ? undefined : "true"}
              aria-describedby={fault === undefined ? undefined : `${part}-fault`}
              onInput={(event) => setAnswers({ ...answers, [part]: event.currentTarget.value })}
            />
            {fault !== undefined && (
              <span class="problem" id={`${part}-fault`}>
                {said(fault)}
              </span>
            )}
          </label>
        );
      })}
      <button type="submit" class="wide">
        {said("begin")}
      </button>
    </form>
  );
}
