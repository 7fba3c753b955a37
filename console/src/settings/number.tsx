/** Numbers that may be left to somebody else: to the workspace, or to the server. */
import { Field } from "../part/control.tsx";
import { useHeld } from "./held.ts";

/** A whole number above zero, or nothing. */
export function OptionalNumber({
  label,
  hint,
  value,
  unit = 1,
  otherwise,
  error,
  onValue,
}: {
  label: string;
  hint: string;
  value: number | null | undefined;
  /** How many of the stored units one of the shown is. */
  unit?: number;
  /** What holds where this is empty. */
  otherwise: string;
  error?: string | null;
  onValue: (value: number | null) => void;
}) {
  const [text, setText] = useHeld(value == null ? "" : String(Math.round(value / unit)));
  const good = text.trim() === "" || wholeOf(text) !== null;
  return (
    <Field label={label} hint={hint} error={good ? (error ?? null) : "A whole number above zero, or nothing."}>
      {(props) => (
        <input
          {...props}
          className="input short"
          inputMode="numeric"
          placeholder={otherwise}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            if (event.target.value.trim() === "") onValue(null);
            const whole = wholeOf(event.target.value);
            if (whole !== null) onValue(whole * unit);
          }}
        />
      )}
    </Field>
  );
}

function wholeOf(text: string): number | null {
  const number = Number(text);
  return text.trim() !== "" && Number.isInteger(number) && number > 0 ? number : null;
}
