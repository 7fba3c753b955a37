// Who answers, in the customer's colour.

import type { VNode } from "preact";
import type { Snapshot } from "../store.ts";
import { said, staffLine } from "../words.ts";
import { Icon } from "./icon.tsx";
import { Menu } from "./menu.tsx";

interface HeaderProps {
  readonly state: Snapshot;
  /** Without a connection nobody knows who is there. */
  readonly isConnected: boolean;
  onClose(): void;
  /** The conversation is wanted as a text. */
  onSave(): void;
  onSound(): void;
}

export function Header({ state, isConnected, onClose, onSave, onSound }: HeaderProps): VNode {
  const { staff, config } = state;
  const title = config === null ? "" : config.theme.title || config.site_name;
  const logo = config?.theme.logo;
  const line = config === null ? "" : isConnected ? staffLine(staff) : said("not_connected");
  return (
    <header class="head">
      <div class="faces" aria-hidden="true">
        {logo ? (
          <img class="face" src={logo} alt="" />
        ) : (
          (staff.names.length > 0 ? staff.names : [title]).slice(0, 3).map((name) => (
            <span class="face" key={name}>
              {initials(name)}
            </span>
          ))
        )}
      </div>
      <div class="who">
        <h1 dir="auto">{title}</h1>
        <p>
          <span class={staff.online && isConnected ? "lamp on" : "lamp"} aria-hidden="true" />
          <span class="cut" title={line}>
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

/** The first letters of the first two words. */
export function initials(name: string): string {
  return name
    .split(/\s+/)
    .filter((word) => /^[\p{L}\p{N}]/u.test(word))
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();
}
