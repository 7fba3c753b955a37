/** The pages that may load a widget, one origin a line. */
import { Field } from "../part/control.tsx";
import { originsOf } from "./origin.ts";

/** The field. */
export function OriginsField({
  value,
  error,
  onValue,
  onLeave,
}: {
  value: string;
  error?: string | null;
  onValue: (value: string) => void;
  /** The field is left: what stands in it is meant. */
  onLeave?: () => void;
}) {
  const { bad } = originsOf(value);
  return (
    <Field
      label="Allowed origins"
      hint={
        <>
          One a line, like <code>https://www.example.com</code>. <code>loopback</code> stands for this machine, every port.
        </>
      }
      error={bad.length > 0 ? `Not the address of a website: ${bad.join(", ")}` : (error ?? null)}
    >
      {(props) => (
        <textarea
          {...props}
          className="input mono"
          rows={3}
          spellCheck={false}
          autoCapitalize="off"
          placeholder={"https://www.example.com\nloopback"}
          value={value}
          onChange={(event) => onValue(event.target.value)}
          onBlur={onLeave}
        />
      )}
    </Field>
  );
}
