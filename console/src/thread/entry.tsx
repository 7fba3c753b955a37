/** The lines of a thread: messages, notes, events, days. */
import { memo, useLayoutEffect, useRef, useState, type ComponentProps, type RefObject } from "react";
import { beginningOf, plainText } from "@switchboard/markup";
import type { Message } from "@switchboard/protocol";

import { refusalText } from "../api/word.ts";
import { client, command, team } from "../live/session.ts";
import type { Form } from "../part/begun.ts";
import { Button } from "../part/control.tsx";
import { Icon, type IconName } from "../part/icon.tsx";
import { Face } from "../part/lamp.tsx";
import { useStore } from "../part/store.ts";
import { Clock, dayText, exactText } from "../part/time.tsx";
import { useTimeText } from "../part/clock.ts";
import { emphasized } from "../mention/word.ts";
import { Body } from "./body.tsx";
import { changeDraft } from "./draft.ts";
import { EditField, GivenUp } from "./edit.tsx";
import { authorKey, type Item, type Mark, type Written } from "./item.ts";
import { authorName, eventText, type Names } from "./event.ts";
import { FileView } from "./file.tsx";
import { sought } from "./sought.ts";

/** What all lines of a thread share. A line that scrolls by must cost little: it looks nothing up that the thread can. */
export interface Desk {
  conversation_id: string;
  names: Names;
  may_write: boolean;
  may_delete: boolean;
  /** Whether what can be done with a line is always in sight. */
  tools_shown: boolean;
  /** Opens or closes the menu of a line. */
  onMenu: (item: Written, button: HTMLElement, by_key: boolean) => void;
}

/** One line, the form of its words where those are being changed, and whether its menu is open. */
interface LineProps<I extends Item = Item> {
  item: I;
  desk: Desk;
  edit: Form<string> | null;
  menu_open: boolean;
}

/** A line of the thread. */
export const Line = memo(function Line({ item, ...rest }: LineProps) {
  switch (item.kind) {
    case "day":
      return <DayLine item={item} />;
    case "unread":
      return (
        <div className="unread-line" role="separator" data-key={item.key}>
          <span>New</span>
        </div>
      );
    case "event":
      return (
        <div className="event" data-key={item.key}>
          <span>{eventText(item.entry, rest.desk.names)}</span> <Clock at_ms={item.entry.sent_at_ms} />
        </div>
      );
    case "message":
    case "note":
      return <WrittenLine item={item} {...rest} />;
  }
});

/** The line itself stays as it is when midnight comes; what the day is called does not. */
function DayLine({ item }: { item: Extract<Item, { kind: "day" }> }) {
  const text = useTimeText((now_ms) => dayText(item.at_ms, now_ms));
  return (
    <div className="day" role="separator" data-key={item.key}>
      <span>{text}</span>
    </div>
  );
}

function WrittenLine({ item, desk, edit, menu_open }: LineProps<Written>) {
  const { names, conversation_id } = desk;
  // What nobody points at needs no icons yet.
  const [near, setNear] = useState(false);
  const ours = item.author.kind !== "visitor";
  const name = item.author.kind === "agent" ? names.agent(item.author.agent_id) : authorName(item.author, names);
  const deleted = item.message.deleted_at_ms != null || names.erased;
  const changeable = item.entry_id !== null && !deleted && (isMine(item, names) || (desk.may_delete && ours));
  const editing = edit !== null && changeable;
  const line = useRef<HTMLElement>(null);
  useKeptPlace(line, deleted ? "deleted" : editing ? "edited" : "read");
  const exact = exactText(item.at_ms);
  const comesNear = () => setNear(true);
  return (
    <article
      ref={line}
      className="said"
      data-side={ours ? "ours" : "theirs"}
      data-kind={item.kind}
      data-joined={item.joined || undefined}
      data-mark={item.mark ?? undefined}
      data-seq={item.seq ?? undefined}
      data-key={item.key}
      aria-label={`${item.kind === "note" ? "Note by" : ""} ${name}, ${exact}`}
      onPointerEnter={comesNear}
      onFocus={comesNear}
    >
      {!item.joined && <Face name={name} seed={item.author.kind === "visitor" ? item.author.contact_id : authorKey(item.author)} />}
      <div className="said-main">
        {!item.joined && (
          <div className="said-head">
            <bdi className="said-name">{name}</bdi>
            {item.kind === "note" && <span className="said-note">Note, only the team sees this</span>}
            <Clock at_ms={item.at_ms} />
          </div>
        )}
        <div className="bubble" title={exact}>
          {editing ? (
            <EditField before={item.message.body} edit={edit} onSave={(body) => command({ do: "edit_message", conversation_id, entry_id: item.entry_id ?? "", body })} />
          ) : (
            <>
              {item.quote && <QuotedLine quote={item.quote} names={names} conversation_id={conversation_id} />}
              <Words message={item.message} erased={names.erased} is_note={item.kind === "note"} />
            </>
          )}
        </div>
        {(item.mark === "refused" || item.problem) && <ProblemLine item={item} />}
        {item.mark && item.mark !== "refused" && !item.problem && !item.marked_below && <MarkLine mark={item.mark} />}
      </div>
      {item.entry_id !== null && !deleted && !editing && (
        <span className="said-tools" data-open={menu_open || undefined}>
          {desk.may_write && <Tool icon="reply" drawn={near || desk.tools_shown} name={item.kind === "note" ? "Answer this note" : "Quote this in an answer"} onClick={() => answer(item, name, desk)} />}
          {changeable && (
            <Tool
              icon="more"
              drawn={near || desk.tools_shown}
              name="Change this"
              aria-haspopup="menu"
              aria-expanded={menu_open}
              onClick={({ currentTarget, detail }) => desk.onMenu(item, currentTarget, detail === 0)}
            />
          )}
        </span>
      )}
      {deleted && edit && <GivenUp edit={edit} />}
    </article>
  );
}

/** Whoever changed its words goes on at what can be done with the line; where that is gone with it, in the log. */
function useKeptPlace(line: RefObject<HTMLElement | null>, state: "read" | "edited" | "deleted"): void {
  const held = useRef({ state, had_focus: false });
  // Read before what has the focus is gone.
  if (state !== held.current.state) held.current = { state, had_focus: line.current?.contains(document.activeElement) === true };
  useLayoutEffect(() => {
    if (!held.current.had_focus || state === "edited" || line.current?.contains(document.activeElement)) return;
    const place = line.current?.querySelector<HTMLElement>("[aria-haspopup=menu]") ?? line.current?.closest<HTMLElement>("[role=log]");
    place?.focus({ preventScroll: true });
  }, [state]);
}

/** Whether I wrote it. */
export function isMine(item: Written, names: Names): boolean {
  return item.author.kind === "agent" && item.author.agent_id === names.me;
}

/** A button beside a line, without its icon as long as nobody looks for it. */
function Tool({ icon, drawn, name, ...rest }: ComponentProps<"button"> & { icon: IconName; drawn: boolean; name: string }) {
  return (
    <button type="button" className="icon-button" aria-label={name} title={name} {...rest}>
      {drawn && <Icon name={icon} />}
    </button>
  );
}

/** Answers one message or note among many: the composer shows which. */
function answer(item: Written, name: string, { names, conversation_id }: Desk): void {
  const quote = { entry_id: item.entry_id ?? "", kind: item.kind, name, text: shortText(item.message) };
  // What only the team sees is answered where only the team reads.
  changeDraft(`${names.me} ${conversation_id}`, { quote, ...(item.kind === "note" ? { mode: "note" as const } : {}) });
  document.querySelector<HTMLElement>(".composer-field")?.focus();
}

/** What a line answers; a click leads there. */
function QuotedLine({ quote, names, conversation_id }: { quote: NonNullable<Written["quote"]>; names: Names; conversation_id: string }) {
  const name = quote.author.kind === "agent" ? names.agent(quote.author.agent_id) : authorName(quote.author, names);
  const go = () => sought.set({ conversation_id, place: { seq: quote.seq } });
  return (
    <button type="button" className="quoted" onClick={go}>
      <bdi className="quoted-name">{name}</bdi>
      <bdi className="cut">{names.erased ? "Erased" : shortText(quote.message)}</bdi>
    </button>
  );
}

/** One line of a message. */
function shortText(message: Message): string {
  if (message.deleted_at_ms != null) return "Deleted";
  return beginningOf(plainText(message.format, message.body).replace(/\s+/g, " "), 200) || (message.attachments?.[0]?.name ?? "A file");
}

function Words({ message, erased, is_note }: { message: Message; erased: boolean; is_note: boolean }) {
  if (erased) return <p className="body faint said-deleted">Erased</p>;
  if (message.deleted_at_ms != null) return <p className="body faint said-deleted">Deleted</p>;
  return (
    <>
      {message.body !== "" && (is_note && message.format === "markdown" ? <NoteBody text={message.body} /> : <Body format={message.format} text={message.body} />)}
      {message.attachments?.map((file) => <FileView key={file.id} file={file} />)}
      {message.edited_at_ms != null && (
        <span className="said-edited" title={`Edited ${exactText(message.edited_at_ms)}`}>
          edited
        </span>
      )}
    </>
  );
}

/** A note in which members may be named. */
function NoteBody({ text }: { text: string }) {
  const members = useStore(team, (held) => held.agents);
  return <Body format="markdown" text={emphasized(text, members.values())} />;
}

const MARK_WORDS: Record<Exclude<Mark, "refused">, string> = { sending: "Sending", sent: "Sent", delivered: "Delivered", seen: "Seen" };

function MarkLine({ mark }: { mark: Exclude<Mark, "refused"> }) {
  return (
    <div className="mark" data-mark={mark} title={MARK_WORDS[mark]}>
      <Icon name={mark === "sending" ? "clock" : mark === "sent" ? "check" : "checks"} size={14} />
      <span className="mark-word">{MARK_WORDS[mark]}</span>
    </div>
  );
}

/** Why it is not sent, or not yet: what the server takes later goes out by itself. */
function ProblemLine({ item }: { item: Written }) {
  const id = item.client_id;
  const waits = item.mark !== "refused" && item.problem?.retry === "later";
  return (
    <div className="refused" role="alert" data-waits={waits || undefined}>
      <span>
        {waits ? "Not sent yet, and kept in this browser: it goes out by itself. " : "Not sent. "}
        {item.problem && refusalText(item.problem)}
      </span>
      {id && (
        <>
          <Button size="small" onClick={() => client().retry(id)}>
            Try again
          </Button>
          <Button size="small" tone="plain" onClick={() => client().discard(id)}>
            Remove
          </Button>
        </>
      )}
    </div>
  );
}
