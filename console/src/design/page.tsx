/** The design on one page: its measures and its parts, as they are, in the theme and density of this browser. */
import "../style/design.css";

import { useState } from "react";
import type { Theme } from "@switchboard/protocol";

import { Button, Field, FormError, IconButton, Switch, TextField } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { Icon, ICON_NAMES } from "../part/icon.tsx";
import { Face, Lamp, type LampState } from "../part/lamp.tsx";
import { Menu, MenuItem, MenuLabel, MenuRule } from "../part/menu.tsx";
import { useStore } from "../part/store.ts";
import { toast, toastError, Toasts } from "../part/toast.tsx";
import { density } from "../shell/density.ts";
import { WidgetPreview } from "../settings/preview.tsx";
import { Mark } from "../shell/rail.tsx";
import { switchTheme, theme } from "../shell/theme.ts";

const COLORS: readonly [string, readonly string[]][] = [
  ["Paper", ["paper", "sheet", "sunk", "hover", "chosen", "line", "line-strong", "line-field"]],
  ["Ink", ["ink", "ink-2", "ink-3"]],
  ["Accent", ["accent", "accent-strong", "accent-soft", "on-accent"]],
  ["Who speaks", ["ours", "ours-line", "theirs", "note", "note-line", "note-ink"]],
  ["State", ["ringing", "ringing-ink", "on-ringing", "live", "live-ink", "live-on-brand", "held", "held-ink", "assistant", "risk", "risk-ink", "risk-soft", "quiet"]],
  ["Brand, where a customer chose none", ["brand", "brand-ink"]],
];

/** A site that chose nothing but its title. */
const PANEL: Theme = {
  color: "#0f4c5c",
  title: "Kettle & Leaf",
  logo: "",
  avatar: "",
  greeting: "",
  launcher_side: "start",
  launcher_gap_px: 0,
  launcher_text: "",
  brightness: "light",
  asks: { name: "never", email: "never", phone: "never" },
  questions: [],
  consent: "",
  asks_email_later: false,
  show_brand: true,
};

/** The panel in its own colors, and in those of customers. */
const PANELS: readonly [string, Partial<Theme>][] = [
  ["Paper, and our own color", {}],
  ["Ink", { brightness: "dark" }],
  ["A customer’s color; ink and links follow", { color: "#ffe14d" }],
  ["What is asked first", { color: "#2f6b43", asks: { name: "optional", email: "needed", phone: "never" }, consent: "I agree to the terms." }],
];

const SIZES: readonly [string, string][] = [
  ["text", "What is read"],
  ["text-small", "What stands beside it"],
  ["text-tiny", "Counts and marks"],
];

const LAMPS: readonly [LampState, string, string][] = [
  ["ringing", "Ringing", "Somebody waits for us. Amber, slow; still where motion is not wanted."],
  ["live", "Live", "Connected, active now. Green, steady."],
  ["held", "Held", "Snoozed, or waiting on the customer. Blue, a ring."],
  ["away", "Away", "Here, but not looking. Half full."],
  ["assistant", "Assistant", "The assistant holds the pen. Violet, with a notch."],
  ["risk", "At risk", "A target is about to be missed. Red, with the time left beside it."],
  ["quiet", "Quiet", "Offline, closed. An outline."],
];

const RULES = [
  "Nothing moves unless it means something; new work arrives without shifting what is pointed at.",
  "Color is never the only sign: each lamp has a shape and a name.",
  "All by keyboard, all by mouse, all by thumb; the shortcut stands where the action is.",
  "Errors say what happened, what is safe and what to do.",
  "Act first, confirm after, undo rather than ask; ask only where nothing undoes.",
];

/** The page. */
export function DesignPage() {
  const dark = useStore(theme);
  const rows = useStore(density);
  return (
    <main className="design" id="place">
      <header className="page-head">
        <h1>
          <Mark /> The design
        </h1>
        <p className="faint">Lamps on a board: one neutral ramp, one accent, colors of state only for state.</p>
        <div className="line">
          <Button icon="sun" onClick={switchTheme}>
            {dark === "system" ? "As the system" : dark === "dark" ? "Dark" : "Light"}
          </Button>
          <Button icon="log" onClick={() => density.set(rows === "compact" ? "comfortable" : "compact")}>
            {rows === "compact" ? "One line" : "Two lines"}
          </Button>
        </div>
      </header>
      <Part title="Rules">
        <ul>
          {RULES.map((rule) => (
            <li key={rule}>{rule}</li>
          ))}
        </ul>
      </Part>
      <Colors />
      <Part title="Type">
        {SIZES.map(([name, words]) => (
          <p key={name} style={{ fontSize: `var(--${name})` }}>
            {words} <code className="faint">--{name}</code>
          </p>
        ))}
        <p className="mono">Plex Mono, for keys and snippets</p>
      </Part>
      <Part title="Lamps">
        <dl className="design-lamps">
          {LAMPS.map(([state, name, words]) => (
            <div key={state}>
              <dt>
                <Lamp state={state} /> {name}
              </dt>
              <dd className="faint">{words}</dd>
            </div>
          ))}
        </dl>
        <div className="line">
          <Face name="Ana Kovač" seed="ana" size="large" lamp="live" lampName="Ana Kovač, on the site now" />
          <Face name="Li Wei" seed="li" lamp="away" lampName="Li Wei, idle" />
          <Face name="мира" seed="mira" size="small" lamp="quiet" lampName="мира, away" />
        </div>
      </Part>
      <Controls />
      <Part title="The panel">
        <p className="faint">It takes its colors from where the console does; the customer’s own leads.</p>
        <ul className="design-panels">
          {PANELS.map(([words, chosen]) => (
            <li key={words}>
              <h3>{words}</h3>
              <WidgetPreview theme={{ ...PANEL, ...chosen }} site_name="" />
            </li>
          ))}
        </ul>
      </Part>
      <Part title="Icons">
        <ul className="design-icons">
          {ICON_NAMES.map((name) => (
            <li key={name}>
              <Icon name={name} /> <span className="small">{name}</span>
            </li>
          ))}
        </ul>
      </Part>
      <div className="corner">
        <Toasts />
      </div>
    </main>
  );
}

function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section className="section">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Colors() {
  return (
    <Part title="Colors">
      {COLORS.map(([name, tokens]) => (
        <div key={name}>
          <h3>{name}</h3>
          <ul className="design-colors">
            {tokens.map((token) => (
              <li key={token}>
                <span className="design-color" style={{ background: `var(--${token})` }} />
                <code className="small">{token}</code>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </Part>
  );
}

function Controls() {
  const [open, setOpen] = useState(false);
  const [on, setOn] = useState(true);
  const [name, setName] = useState("Ana Kovač");
  return (
    <Part title="Controls">
      <div className="line">
        <Button tone="accent">Do it</Button>
        <Button>Another way</Button>
        <Button tone="plain">Leave it</Button>
        <Button tone="risk">Take it away</Button>
        <Button disabled>Not now</Button>
        <Button size="small" icon="plus">
          Small
        </Button>
        <IconButton icon="edit" name="Edit" shortcut="e" />
        <kbd>⌘K</kbd>
        <span className="tag">claimed</span>
        <span className="tag" data-tone="live">
          verified
        </span>
      </div>
      <TextField label="A line" hint="What it is for." value={name} onValue={setName} />
      <TextField label="A line that is refused" value="203.0.113.300" onValue={() => undefined} error="This is no address and no network." />
      <Field label="One of some">
        {(props) => (
          <select {...props} className="input">
            <option>Two lines</option>
            <option>One line</option>
          </select>
        )}
      </Field>
      <fieldset className="checks">
        <legend>As many as one likes, and one of two</legend>
        <label>
          <input type="checkbox" defaultChecked /> Ticked
        </label>
        <label>
          <input type="checkbox" /> Not ticked
        </label>
        <label>
          <input type="radio" name="design" defaultChecked /> The one
        </label>
        <label>
          <input type="radio" name="design" /> The other
        </label>
      </fieldset>
      <Switch label="On or off, at once" hint="Stored as it is switched." checked={on} onChange={setOn} />
      <FormError text="What keeps a form from being done, where no field says it." />
      <div className="line">
        <Menu trigger={<Button icon="down">A menu</Button>}>
          <MenuLabel>What it is about</MenuLabel>
          <MenuItem icon="check" onSelect={() => undefined}>Chosen</MenuItem>
          <MenuItem icon="clock" shortcut="h" onSelect={() => undefined}>
            With a key
          </MenuItem>
          <MenuRule />
          <MenuItem icon="trash" tone="risk" onSelect={() => undefined}>
            For good
          </MenuItem>
        </Menu>
        <Button onClick={() => setOpen(true)}>A window</Button>
        <Button onClick={() => toast("It was done", () => toast("It was taken back"))}>What was done</Button>
        <Button onClick={() => toastError("It was not done; nothing was changed. Try again when the connection is back.")}>What failed</Button>
      </div>
      <Dialog title="A window" open={open} onClose={() => setOpen(false)}>
        <p>For what cannot be undone, or needs more than one word.</p>
        <div className="dialog-foot">
          <Button onClick={() => setOpen(false)}>Cancel</Button>
          <Button tone="accent" onClick={() => setOpen(false)}>
            Do it
          </Button>
        </div>
      </Dialog>
      <div>
        <h3>While it comes</h3>
        {[60, 90, 75].map((width) => (
          <span key={width} className="skeleton" style={{ display: "block", width: `${width}%`, height: 14, marginBottom: 8 }} />
        ))}
      </div>
    </Part>
  );
}
