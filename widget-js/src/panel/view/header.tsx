// Who answers, in the customer's colour.

import type { VNode } from "preact";
import type { Snapshot } from "../store.ts";
import { said, staffLine } from "../words.ts";
import { Face } from "./face.tsx";
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
