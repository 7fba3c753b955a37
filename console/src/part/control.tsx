/** Buttons, fields, switches: the controls everything is made of. */
import { Switch as BaseSwitch } from "@base-ui/react/switch";
import { useId, type ComponentProps, type ReactNode } from "react";

import { Icon, type IconName } from "./icon.tsx";

/** A button with words. */
export function Button({
  tone,
  size,
  icon,
  children,
  ...rest
}: ComponentProps<"button"> & { tone?: "accent" | "risk" | "plain"; size?: "small"; icon?: IconName; "data-menu"?: string }) {
  return (
    <button type="button" {...rest} className={`button ${rest.className ?? ""}`} data-tone={tone} data-size={size}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A button that is an icon; its name is read aloud and shown on hover with its shortcut. */
export function IconButton({
  icon,
  name,
  shortcut,
  ...rest
}: ComponentProps<"button"> & { icon: IconName; name: string; shortcut?: string; "data-menu"?: string }) {
  return (
    <button
      type="button"
      {...rest}
      className={`icon-button ${rest.className ?? ""}`}
      aria-label={name}
      aria-keyshortcuts={shortcut}
      title={shortcut ? `${name} (${shortcut})` : name}
    >
      <Icon name={icon} />
    </button>
  );
}

/** A labelled field with hint and error, tied together for those who listen. */
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string;
  hint?: ReactNode;
  error?: string | null | undefined;
  children: (props: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined }) => ReactNode;
}) {
  const id = useId();
  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": described, "aria-invalid": error ? true : undefined })}
      {hint && (
        <div className="field-hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {error && (
        <div className="field-error" id={`${id}-error`} role="alert">
          {error}
        </div>
      )}
    </div>
  );
}

/** What keeps a form from being done, where no field says it; nothing without words. */
export function FormError({ text }: { text: string | null }) {
  if (text === null) return null;
  return (
    <p className="field-error" role="alert">
      {text}
    </p>
  );
}

/** A line of text with a label. */
export function TextField({
  label,
  hint,
  error,
  onValue,
  ...rest
}: Omit<ComponentProps<"input">, "onChange"> & {
  label: string;
  hint?: ReactNode;
  error?: string | null | undefined;
  onValue: (value: string) => void;
}) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(props) => <input {...rest} {...props} className="input" onChange={(event) => onValue(event.target.value)} />}
    </Field>
  );
}

/** On or off, at once. */
export function Switch({
  label,
  hint,
  checked,
  disabled,
  onChange,
}: {
  label: string;
  hint?: ReactNode;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div className="switch-row">
      <div className="grow">
        <div id={id}>{label}</div>
        {hint && <div className="field-hint">{hint}</div>}
      </div>
      <BaseSwitch.Root className="switch" aria-labelledby={id} checked={checked} disabled={disabled ?? false} onCheckedChange={onChange}>
        <BaseSwitch.Thumb className="switch-thumb" />
      </BaseSwitch.Root>
    </div>
  );
}
