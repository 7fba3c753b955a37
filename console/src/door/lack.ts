/** What a form at the door still lacks, said at its fields once somebody wants to go on. */
import { useLayoutEffect, useRef, useState, type FormEvent } from "react";

/** The words for each field that lacks something. */
export type Lacks<Field extends string> = Partial<Record<Field, string>>;

export const PASSWORD_LENGTH_MIN = 12;

/** Of a first account. Pure. */
export function accountLacks({ name, email, password }: { name: string; email: string; password: string }): Lacks<"name" | "email" | "password"> {
  return { ...nameLacks(name), ...emailLacks(email), ...newPasswordLacks(password) };
}

/** Of a password that is chosen here. Pure. */
export function newPasswordLacks(password: string): Lacks<"password"> {
  const missing_count = PASSWORD_LENGTH_MIN - password.length;
  if (missing_count <= 0) return {};
  if (password === "") return { password: `Choose a password of ${PASSWORD_LENGTH_MIN} characters or more.` };
  return { password: `${missing_count} more ${missing_count === 1 ? "character is" : "characters are"} needed.` };
}

/** Of a password that somebody has. Pure. */
export function passwordLacks(password: string): Lacks<"password"> {
  return password === "" ? { password: "Write your password." } : {};
}

/** Of a name. Pure. */
export function nameLacks(name: string): Lacks<"name"> {
  return name.trim() === "" ? { name: "Write your name." } : {};
}

/** Of an e-mail address; whether there is such a one is not known here. Pure. */
export function emailLacks(email: string): Lacks<"email"> {
  if (email.trim() === "") return { email: "Write your e-mail address." };
  return /.@./.test(email.trim()) ? {} : { email: "Write a whole e-mail address, like name@example.com." };
}

/**
 * The button of a form never goes pale: pressed too early, it has each field say what it lacks, as long as it does,
 * and leads to the first of them. `error` is what the server said; it leads there, too.
 */
export function useLacks<Field extends string>(lacks: Lacks<Field>, error: unknown, onReady: () => void) {
  const form = useRef<HTMLFormElement>(null);
  const [asked_count, setAskedCount] = useState(0);
  useLayoutEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [asked_count, error]);
  return {
    /** What the form itself is given: the words are ours, not the browser's. */
    form: {
      ref: form,
      noValidate: true,
      onSubmit(event: FormEvent) {
        event.preventDefault();
        if (Object.keys(lacks).length === 0) onReady();
        else setAskedCount((count) => count + 1);
      },
    },
    /** What a field lacks; nothing before somebody wanted to go on. */
    said: (field: Field): string | null => (asked_count > 0 ? (lacks[field] ?? null) : null),
  };
}
