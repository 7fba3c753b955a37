/** One of a few, in a list that opens. */
import { Field } from "../part/control.tsx";

/** The field with its choices. */
export function Choice<T extends string>({ label, value, choices, onValue }: { label: string; value: T; choices: readonly [T, string][]; onValue: (value: T) => void }) {
  return (
    <Field label={label}>
      {(props) => (
        <select {...props} className="input" value={value} onChange={(event) => onValue(event.target.value as T)}>
          {choices.map(([each, name]) => (
            <option key={each} value={each}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
