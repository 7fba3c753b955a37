/** What a form still lacks, said at its fields once somebody wants to go on. */
import { useLayoutEffect, useRef, useState, type FormEvent } from "react";

/** The words for each field that lacks something; none where the field itself says so already. */
export type Lacks<Field extends string> = Partial<Record<Field, string>>;

/**
 * The button of a form never goes pale: pressed too early, it has each field say what it lacks, as long as it does,
 * and leads to the first of them. `error` is what the server said; it leads there, too. Pressed again while what
 * `onReady` gives is under way, it begins nothing: on a slow line people do. So it gives what is sent, and waits for
 * nothing that is read afterwards.
 */
export function useLacks<Field extends string>(lacks: Lacks<Field>, error: unknown, onReady: () => Promise<void> | void) {
  const form = useRef<HTMLFormElement>(null);
  const is_under_way = useRef(false);
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
        if (Object.keys(lacks).length > 0) setAskedCount((count) => count + 1);
        else if (!is_under_way.current) {
          is_under_way.current = true;
          void Promise.resolve(onReady()).finally(() => (is_under_way.current = false));
        }
      },
    },
    /** The form is put away: whoever comes back to it has asked for nothing yet. */
    clear: () => setAskedCount(0),
    /** What a field lacks; nothing before somebody wanted to go on. */
    said: (field: Field): string | null => (asked_count > 0 ? (lacks[field] ?? null) : null),
  };
}
