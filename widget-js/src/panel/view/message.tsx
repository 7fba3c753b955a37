// One message: whose it is, what it says, how far it has got.

import type { VNode } from "preact";
import { beginningOf, plainText } from "../../markup/index.ts";
import type { PanelStore } from "../store.ts";
import type { Mark, MessageRow, Quote } from "../thread.ts";
import { exactText, said, timeText } from "../words.ts";
import type { TextKey } from "../../words/locale.ts";
import { AttachmentView } from "./attachment.tsx";
import { Face } from "./face.tsx";
import { Icon, type IconName } from "./icon.tsx";
import { Menu, type MenuItem } from "./menu.tsx";
import { Words } from "./text.tsx";

const marks: Record<Mark, { readonly icon: IconName; readonly text: TextKey }> = {
  waiting: { icon: "clock", text: "mark_waiting" },
  sent: { icon: "clock", text: "mark_sending" },
  stored: { icon: "check", text: "mark_sent" },
  seen: { icon: "checks", text: "mark_seen" },
  refused: { icon: "warn", text: "mark_refused" },
};

interface MessageProps {
  readonly row: MessageRow;
  readonly store: PanelStore;
  /** The site's picture of who has none. */
  readonly face: string;
  /** The last of all: its mark is said in words. */
  readonly isNewest: boolean;
}

export function MessageView({ row, store, face, isNewest }: MessageProps): VNode {
  const { message } = row;
  const isDeleted = message.deleted_at_ms != null;
  const className = ["message", row.from, row.isFirst && "first", row.isLast && "last", row.mark === "refused" && "bad"]
    .filter(Boolean)
    .join(" ");
  return (
    <article class={className}>
      {row.isFirst && row.from === "team" && (
        <p class="author">
          <Face name={row.name} picture={row.picture} general={face} />
          <bdi>{row.name}</bdi>
        </p>
      )}
      {row.from === "you" && <span class="unseen">{said("you")}</span>}
      <div class="said">
        {isDeleted ? (
          <p class="gone">{said(row.from === "you" ? "deleted_by_you" : "deleted")}</p>
        ) : (
          <>
            {message.body !== "" && (
              <div class="bubble">
                {row.quote !== null && <Quoted quote={row.quote} />}
                <Words format={message.format} body={message.body} />
              </div>
            )}
            {message.attachments?.map((attachment) => (
              <AttachmentView key={attachment.id} attachment={attachment} store={store} />
            ))}
          </>
        )}
        {store.mayChange(row) && <Menu label={said("options", { text: short(row) })} items={menuItems(row, store)} />}
      </div>
      <Foot row={row} store={store} isNewest={isNewest} />
    </article>
  );
}

/** What the message answers, in one line. */
function Quoted({ quote: { name, message } }: { quote: Quote }): VNode {
  const text = message.deleted_at_ms != null ? said("deleted") : plainText(message.format, message.body) || (message.attachments?.[0]?.name ?? "");
  return (
    <p class="quoted">
      <bdi>{name}</bdi> <bdi>{beginningOf(text, 200)}</bdi>
    </p>
  );
}

function Foot({ row, store, isNewest }: Omit<MessageProps, "face">): VNode | null {
  if (row.problem !== null && row.clientId !== null) {
    const { clientId } = row;
    return (
      <p class={row.mark === "refused" ? "foot problem" : "foot delayed"} role="alert">
        {row.problem}{" "}
        <button type="button" class="link" onClick={() => store.retry(clientId)}>
          {said(row.mark === "refused" ? "try_again" : "try_now")}
        </button>{" "}
        <button type="button" class="link" onClick={() => store.discard(clientId)}>
          {said("discard")}
        </button>
      </p>
    );
  }
  const isWorthIt = row.isLast || row.mark === "waiting" || row.mark === "sent";
  const isEdited = row.message.edited_at_ms != null && row.message.deleted_at_ms == null;
  if (!isWorthIt && !isEdited) return null;
  const mark = row.mark === null ? null : marks[row.mark];
  return (
    <p class="foot" title={exactText(row.atMs)}>
      {isEdited && <span>{said("edited")}</span>}
      <time dateTime={new Date(row.atMs).toISOString()}>{timeText(row.atMs)}</time>
      {mark !== null && (
        <span class={`mark ${row.mark ?? ""}`}>
          <Icon name={mark.icon} />
          <span class={isNewest || row.mark === "waiting" ? "" : "unseen"}>{said(mark.text)}</span>
        </span>
      )}
    </p>
  );
}

/** What may be done with an own message while it is young. */
function menuItems(row: MessageRow, store: PanelStore): readonly MenuItem[] {
  const { body } = row.message;
  const remove: MenuItem = { label: said("delete"), run: () => store.remove(row) };
  if (body === "") return [remove];
  return [
    { label: said("edit"), run: () => store.edit(row) },
    { label: said("copy"), run: () => void copy(body).then(() => store.announce(said("copied"))) },
    remove,
  ];
}

/** Frames of other origins may not write to the clipboard, but may copy what is selected. */
async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    const before = document.activeElement;
    area.className = "unseen";
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}

/** Enough of a message to know which one is meant. */
function short(row: MessageRow): string {
  const text = plainText(row.message.format, row.message.body) || (row.message.attachments?.[0]?.name ?? "");
  return text.length > 40 ? `${beginningOf(text, 40)}…` : text;
}
