/** Emoji in the composer: offered by name while one writes, or picked from a board of them. */
import { Menu as Base } from "@base-ui/react/menu";
import type { KeyboardEvent, RefObject } from "react";

import { IconButton } from "../part/control.tsx";
import { insertText } from "../part/insert.ts";
import { MAIN_PART } from "../part/menu.tsx";
import type { Offer } from "../thread/suggest.tsx";
import { ALL, emojiAskedAt, emojiFitting } from "./word.ts";

/** What is offered for what stands before the caret. */
export function emojiOffer(text: string, caret: number | null, field: RefObject<HTMLTextAreaElement | null>): Offer | null {
  const asked = caret === null ? null : emojiAskedAt(text, caret);
  if (!asked) return null;
  const choices = emojiFitting(asked.query).map(({ emoji, name, words }) => ({
    id: emoji,
    mark: <span className="emoji">{emoji}</span>,
    name,
    text: words.split(" ").slice(1).join(", "),
    take() {
      if (field.current) insertText(field.current, `${emoji} `, asked);
    },
  }));
  return { at: asked.start, label: "Emoji", choices, none: null };
}

/** A button with all of them; what is picked goes where one writes, and so does the focus. */
export function EmojiMenu({ onPick }: { onPick: (emoji: string) => void }) {
  return (
    <Base.Root modal={false} orientation="horizontal">
      <Base.Trigger render={<IconButton icon="smile" name="Insert an emoji" shortcut=":" />} />
      <Base.Portal container={MAIN_PART}>
        <Base.Positioner className="positioner" sideOffset={4} align="start" side="top" collisionPadding={8}>
          <Base.Popup className="menu emoji-menu" aria-label="Emoji" onKeyDown={goRow}>
            {ALL.map(({ emoji, name }) => (
              <Base.Item key={emoji} className="menu-item emoji" aria-label={name} title={name} onClick={() => setTimeout(() => onPick(emoji), 0)}>
                {emoji}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

/** The menu walks along the row by itself; up and down lead to the rows beside it. */
function goRow(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=menuitem]")];
  const columns = getComputedStyle(event.currentTarget).gridTemplateColumns.split(" ").length;
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[at + step * columns]?.focus();
  event.preventDefault();
  event.stopPropagation();
}
