// Who answers, in the customer's colour.

import { useEffect, useState } from "preact/hooks";
import type { VNode } from "preact";
import type { Snapshot } from "../store.ts";
import { backText, said, staffLine } from "../words.ts";
import { Face } from "./face.tsx";
import { Icon } from "./icon.tsx";
import { Menu } from "./menu.tsx";

/** How often is looked whether the hours say something else by now. */
const LOOK_MS = 5_000;

interface HeaderProps {
  readonly state: Snapshot;
  /** The server's clock. */
  now(): number;
  /** Without a connection nobody knows who is there. */
  readonly isConnected: boolean;
  onClose(): void;
  /** The conversation is wanted as a text. */
  onSave(): void;
  onSound(): void;
}

export function Header({ state, now, isConnected, onClose, onSave, onSound }: HeaderProps): VNode {
  const { staff, config } = state;
  const title = config === null ? "" : config.theme.title || config.site_name;
  const logo = config?.theme.logo;
  const back = useBack(state, now);
  const line = config === null ? "" : isConnected ? (back ?? staffLine(staff)) : said("not_connected");
  return (
    <header class="head">
      <div class="faces" aria-hidden="true">
        {logo ? (
          <img class="face logo" src={logo} alt="" />
        ) : (
          (staff.people.length > 0 ? staff.people : [{ name: title }]).slice(0, 3).map(({ name, picture }, index) => (
            <Face key={index} name={name} picture={picture} general={staff.people.length > 0 ? (config?.theme.avatar ?? "") : ""} />
          ))
        )}
      </div>
      <div class="who">
        <h1 dir="auto">{title}</h1>
        <p>
          <span class={staff.online && isConnected ? "lamp on" : "lamp"} aria-hidden="true" />
          {/* Names may be cut; when somebody is back may not. */}
          <span class={line === back ? "" : "cut"} title={line}>
            {line}
          </span>
        </p>
      </div>
      <Menu kind="header" label={said("more")} items={[
        { label: said("transcript"), run: onSave },
        { label: said(state.isSounding ? "sound_off" : "sound_on"), run: onSound },
      ]} />
      <button type="button" class="close" aria-label={said("close")} onClick={onClose}>
        <Icon name="down" />
      </button>
    </header>
  );
}

/** When the team is back, while nobody is here: said anew as time passes. */
function useBack({ staff, config }: Snapshot, now: () => number): string | null {
  const open = config?.open;
  const text = (): string | null => (staff.online || open == null ? null : backText(open, now()));
  const [, setText] = useState(text);
  useEffect(() => {
    const timer = setInterval(() => setText(text), LOOK_MS);
    return () => clearInterval(timer);
  }, [staff.online, open]);
  return text();
}
