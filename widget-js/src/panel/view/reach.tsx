// Where an unknown visitor can be reached, asked below what he wrote while nobody answers.

import { useState } from "preact/hooks";
import type { VNode } from "preact";
import { isEmail } from "../introduction.ts";
import type { PanelStore } from "../store.ts";
import { said } from "../words.ts";

export function Reach({ store }: { store: PanelStore }): VNode {
  const [email, setEmail] = useState("");
  const [isWrong, setWrong] = useState(false);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (isEmail(email.trim())) store.reach(email.trim());
    else setWrong(true);
  };
  return (
    <form class="reach" noValidate onSubmit={submit}>
      <label>
        <span>{said("email_later")}</span>
        <input
          type="email"
          autocomplete="email"
          maxLength={254}
          placeholder={said("email")}
          dir="auto"
          value={email}
          aria-invalid={isWrong ? "true" : undefined}
          aria-describedby={isWrong ? "reach-fault" : undefined}
          onInput={(event) => {
            setEmail(event.currentTarget.value);
            setWrong(false);
          }}
        />
      </label>
      {isWrong && (
        <p class="problem" id="reach-fault" role="alert">
          {said("no_email")}
        </p>
      )}
      <p class="choices">
        <button type="submit" class="small">
          {said("save")}
        </button>
        <button type="button" class="link" onClick={() => store.reach(null)}>
          {said("no_thanks")}
        </button>
      </p>
    </form>
  );
}
