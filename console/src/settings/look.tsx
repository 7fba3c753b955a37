/** How a site's widget looks, what it says first and what it asks, with the widget beside it. */
import { contrast, inkOn, luminance } from "@switchboard/color";
import { limit, type Ask, type Asks, type Brightness, type LauncherSide, type Theme } from "@switchboard/protocol";

import { Field, Switch, TextField } from "../part/control.tsx";
import { Choice } from "./choice.tsx";
import { useHeld } from "./held.ts";
import { LogoField } from "./logo.tsx";
import { WidgetPreview } from "./preview.tsx";
import { Consent, Questions } from "./questions.tsx";

/** The colors that are offered; any other may be written. */
const COLORS: readonly [string, string][] = [
  ["Blue", "#1f5fbf"],
  ["Purple", "#6b3fa0"],
  ["Green", "#2f6b43"],
  ["Teal", "#0f4c5c"],
  ["Orange", "#c2570c"],
  ["Red", "#b3261e"],
  ["Slate", "#3e4a55"],
];

const SIDES: readonly [LauncherSide, string][] = [
  ["end", "On the right, where a line ends"],
  ["start", "On the left, where a line begins"],
];

const BRIGHTNESS: readonly [Brightness, string][] = [
  ["system", "As the visitor’s system"],
  ["light", "Always light"],
  ["dark", "Always dark"],
];

const ASKS: readonly [Ask, string][] = [
  ["never", "Not asked"],
  ["optional", "Asked, may be left empty"],
  ["needed", "Needed"],
];

const ASKED: readonly [keyof Asks, string][] = [
  ["name", "Name"],
  ["email", "E-mail"],
  ["phone", "Phone"],
];

interface LookProps {
  theme: Theme;
  site_name: string;
  errorAt: (field: string) => string | null;
  onChange: (next: Partial<Theme>, pause?: "soon" | "now") => void;
}

/** The form and the preview. */
export function Look({ theme, site_name, errorAt, onChange }: LookProps) {
  return (
    <div className="look">
      <div className="stack">
        <ColorField value={theme.color} onValue={(color) => onChange({ color })} error={errorAt("color")} />
        <Choice label="Brightness" value={theme.brightness} choices={BRIGHTNESS} onValue={(brightness) => onChange({ brightness }, "now")} />
        <TextField label="Title" hint="The business’s name. Left empty, the site’s." value={theme.title} error={errorAt("title")} onValue={(title) => onChange({ title })} />
        <LogoField label="Logo" hint="In the header, in place of faces. It is made small, so a simple sign reads best." value={theme.logo} error={errorAt("logo")} onValue={(logo) => onChange({ logo }, "now")} />
        <LogoField label="Face of the team" hint="For members without a picture of their own, in place of their initials." value={theme.avatar} error={errorAt("avatar")} onValue={(avatar) => onChange({ avatar }, "now")} />
        <Field label="First words" hint="Shown in an empty thread. Left empty, the widget greets in the visitor’s own language." error={errorAt("greeting")}>
          {(props) => <textarea {...props} className="input" placeholder={GREETING} value={theme.greeting} onChange={(event) => onChange({ greeting: event.target.value })} />}
        </Field>
        <Choice label="Launcher" value={theme.launcher_side} choices={SIDES} onValue={(launcher_side) => onChange({ launcher_side }, "now")} />
        <TextField label="Words on the launcher" hint="Beside its sign, like “Ask us”. Left empty, it stays round." value={theme.launcher_text} error={errorAt("launcher_text")} onValue={(launcher_text) => onChange({ launcher_text })} />
        <Gap value={theme.launcher_gap_px} error={errorAt("launcher_gap_px")} onValue={(launcher_gap_px) => onChange({ launcher_gap_px })} />
        <fieldset className="asks">
          <legend>Asked before the first message</legend>
          {ASKED.map(([part, name]) => (
            <Choice key={part} label={name} value={theme.asks[part]} choices={ASKS} onValue={(ask) => onChange({ asks: { ...theme.asks, [part]: ask } }, "now")} />
          ))}
        </fieldset>
        <Questions questions={theme.questions} error={errorAt("questions") ?? errorAt("label")} onChange={(questions, pause) => onChange({ questions: [...questions] }, pause)} />
        <Consent value={theme.consent} error={errorAt("consent")} onValue={(consent) => onChange({ consent })} />
        <Switch
          label="Ask for an e-mail address in the conversation"
          hint="Of visitors who are not known, while nobody is here or no answer came for a minute."
          checked={theme.asks_email_later}
          onChange={(asks_email_later) => onChange({ asks_email_later }, "now")}
        />
        <Switch label="Show “Switchboard” at the foot" checked={theme.show_brand} onChange={(show_brand) => onChange({ show_brand }, "now")} />
      </div>
      <WidgetPreview theme={theme} site_name={site_name} />
    </div>
  );
}

/** What an empty thread says in English where the site says nothing. */
export const GREETING = "Hello. How can we help?";

/** Whether a text is a color as the server takes it. */
export function isColor(text: string): boolean {
  return /^#[0-9a-f]{6}$/i.test(text);
}

function Gap({ value, error, onValue }: { value: number; error: string | null; onValue: (value: number) => void }) {
  const [text, setText] = useHeld(String(value));
  const px = Number(text);
  const good = text.trim() !== "" && Number.isInteger(px) && px >= 0 && px <= limit.launcher_gap_px_max;
  return (
    <Field label="Distance from the edges" hint="In pixels of the page." error={good ? error : `A whole number from 0 to ${limit.launcher_gap_px_max}.`}>
      {(props) => (
        <input
          {...props}
          className="input short"
          inputMode="numeric"
          value={text}
          onChange={(event) => {
            const next = event.target.value.trim();
            setText(event.target.value);
            if (/^\d+$/.test(next) && Number(next) <= limit.launcher_gap_px_max) onValue(Number(next));
          }}
        />
      )}
    </Field>
  );
}

function ColorField({ value, error, onValue }: { value: string; error: string | null; onValue: (value: string) => void }) {
  const good = isColor(value);
  const ink = good ? inkOn(value) : null;
  const ratio = ink === null ? "" : contrast(luminance(ink), luminance(value)).toFixed(1);
  const hint = ink === null ? "Text on it turns black or white, whichever reads better." : `Text on it is ${ink === "#ffffff" ? "white" : "black"}, the better read of the two (${ratio} to 1).`;
  return (
    <>
      <div className="swatches" role="group" aria-label="Colors to choose from">
        {COLORS.map(([name, color]) => (
          <button key={color} type="button" className="swatch-choice" aria-pressed={value.toLowerCase() === color} onClick={() => onValue(color)}>
            <span style={{ background: color }} aria-hidden="true" />
            {name}
          </button>
        ))}
      </div>
      <Field label="Color" hint={hint} error={good ? error : "Six digits, like #0f4c5c."}>
        {(props) => (
          <span className="line">
            <input type="color" aria-label="Pick the color" className="swatch" value={good ? value : "#0f4c5c"} onChange={(event) => onValue(event.target.value)} />
            <input {...props} className="input short mono" value={value} spellCheck={false} onChange={(event) => onValue(event.target.value.trim())} />
          </span>
        )}
      </Field>
    </>
  );
}
