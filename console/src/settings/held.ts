/** What stands in a form: it follows its record where nobody touched it here. */
import { useState } from "react";

import { followed, isSame } from "./merge.ts";

/** What is shown, and how to change it. */
export function useHeld<T>(stored: T): [T, (next: T) => void] {
  const [held, setHeld] = useState({ form: stored, rests_on: stored });
  let now = held;
  if (!isSame(held.rests_on, stored)) {
    now = { form: followed(held.form, held.rests_on, stored), rests_on: stored };
    setHeld(now);
  }
  return [now.form, (form) => setHeld({ form, rests_on: stored })];
}
