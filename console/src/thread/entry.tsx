/** The lines of a thread: messages, notes, events, days. */
import { memo, useEffect, useRef, useState, type KeyboardEvent } from "react";
import { beginningOf, plainText } from "@switchboard/markup";
import type { Message } from "@switchboard/protocol";

import { errorText } from "../api/http.ts";
import { refusalText } from "../api/word.ts";
import { useMay } from "../live/right.ts";
import { client, command, team } from "../live/session.ts";
import { isText, useForm, type Form } from "../part/begun.ts";
import { Button, IconButton } from "../part/control.tsx";
import { copyText } from "../part/copy.tsx";
import { Dialog } from "../part/dialog.tsx";
import { Icon } from "../part/icon.tsx";
import { Face } from "../part/lamp.tsx";
import { Menu, MenuItem } from "../part/menu.tsx";
import { useStore } from "../part/store.ts";
import { keysText } from "../shell/action.ts";
import { Clock, dayText, exactText } from "../part/time.tsx";
import { useTimeText } from "../part/clock.ts";
import { toast, toastError } from "../part/toast.tsx";
import { emphasized } from "../mention/word.ts";
import { Body } from "./body.tsx";
import { changeDraft } from "./draft.ts";
import { authorKey, type Item, type Mark, type Written } from "./item.ts";
import { authorName, eventText, type Names } from "./event.ts";
import { FileView } from "./file.tsx";
import { sought } from "./sought.ts";

/** A line of the thread. */
export const Line = memo(function Line({ item, names, conversation_id, may_delete }: { item: Item; names: Names; conversation_id: string; may_delete: boolean }) {
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
          <span>{eventText(item.entry, names)}</span> <Clock at_ms={item.entry.sent_at_ms} />
        </div>
      );
    case "message":
    case "note":
      return <WrittenLine item={item} names={names} conversation_id={conversation_id} may_delete={may_delete} />;
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

function WrittenLine({ item, names, conversation_id, may_delete }: { item: Written; names: Names; conversation_id: string; may_delete: boolean }) {
  const [deleting, setDeleting] = useState(false);
  const ours = item.author.kind !== "visitor";
  const mine = item.author.kind === "agent" && item.author.agent_id === names.me;
  const name = item.author.kind === "agent" ? names.agent(item.author.agent_id) : authorName(item.author, names);
  const deleted = item.message.deleted_at_ms != null || names.erased;
  const changeable = item.entry_id !== null && !deleted && (mine || (may_delete && ours));
  const edit = useForm(`${names.me} message ${conversation_id} ${item.entry_id}`, isText);
  const editing = edit.opened !== null && changeable;
  useEffect(() => {
    if (deleted) edit.close();
  }, [deleted]);
  return (
    <article
      className="said"
      data-side={ours ? "ours" : "theirs"}
      data-kind={item.kind}
      data-joined={item.joined || undefined}
      data-mark={item.mark ?? undefined}
      data-seq={item.seq ?? undefined}
      data-key={item.key}
      aria-label={`${item.kind === "note" ? "Note by" : ""} ${name}, ${exactText(item.at_ms)}`}
    >
      <span className="said-face">{!item.joined && <Face name={name} seed={item.author.kind === "visitor" ? item.author.contact_id : authorKey(item.author)} />}</span>
      <div className="said-main">
        {!item.joined && (
          <div className="said-head">
            <bdi className="said-name">{name}</bdi>
            {item.kind === "note" && <span className="said-note">Note, only the team sees this</span>}
            <Clock at_ms={item.at_ms} />
          </div>
        )}
        <div className="bubble" title={exactText(item.at_ms)}>
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
        <span className="said-tools">
          <QuoteButton item={item} name={name} me={names.me} conversation_id={conversation_id} />
          {changeable && <Menu trigger={<IconButton icon="more" name="Change this" />} align={ours ? "end" : "start"}>
            {mine && item.message.body !== "" && (
              <MenuItem icon="edit" onSelect={edit.open}>
                Edit
              </MenuItem>
            )}
            <MenuItem icon="copy" onSelect={() => void copyWords(item.message.body)}>
              Copy the text
            </MenuItem>
            <MenuItem icon="trash" tone="risk" onSelect={() => setDeleting(true)}>
              Delete
            </MenuItem>
          </Menu>}
        </span>
      )}
      {deleting && <DeleteDialog item={item} conversation_id={conversation_id} onClose={() => setDeleting(false)} />}
    </article>
  );
}

/** Answers one message or note among many: the composer shows which. */
function QuoteButton({ item, name, me, conversation_id }: { item: Written; name: string; me: string; conversation_id: string }) {
  const may = useMay();
  if (!may("conversations.write")) return null;
  function answer() {
    const quote = { entry_id: item.entry_id ?? "", kind: item.kind, name, text: shortText(item.message) };
    // What only the team sees is answered where only the team reads.
    changeDraft(`${me} ${conversation_id}`, { quote, ...(item.kind === "note" ? { mode: "note" as const } : {}) });
    document.querySelector<HTMLElement>(".composer-field")?.focus();
  }
  return <IconButton icon="reply" name={item.kind === "note" ? "Answer this note" : "Quote this in an answer"} onClick={answer} />;
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

async function copyWords(text: string): Promise<void> {
  if (await copyText(text)) toast("The text was copied");
  else toastError("This browser did not allow copying. Select the text and copy it by hand.");
}

function DeleteDialog({ item, conversation_id, onClose }: { item: Written; conversation_id: string; onClose: () => void }) {
  function confirm() {
    onClose();
    command({ do: "delete_message", conversation_id, entry_id: item.entry_id ?? "" }).catch((error: unknown) => toastError(errorText(error)));
  }
  return (
    <Dialog title={item.kind === "note" ? "Delete this note?" : "Delete this message?"} open onClose={onClose}>
      <p>Its words and files are gone for everybody, and cannot be brought back. That something stood here stays visible.</p>
      <div className="dialog-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="risk" onClick={confirm}>
          Delete
        </Button>
      </div>
    </Dialog>
  );
}

function Words({ message, erased, is_note }: { message: Message; erased: boolean; is_note: boolean }) {
  const members = useStore(team, (held) => held.agents);
  if (erased) return <p className="body faint said-deleted">Erased</p>;
  if (message.deleted_at_ms != null) return <p className="body faint said-deleted">Deleted</p>;
  return (
    <>
      {message.body !== "" && <Body format={message.format} text={is_note && message.format === "markdown" ? emphasized(message.body, members.values()) : message.body} />}
      {(message.attachments ?? []).map((file) => (
        <FileView key={file.id} file={file} />
      ))}
      {message.edited_at_ms != null && (
        <span className="said-edited" title={`Edited ${exactText(message.edited_at_ms)}`}>
          edited
        </span>
      )}
    </>
  );
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

/** The words that are being changed. What differs from what was said stands there again when one comes back. */
function EditField({ before, edit, onSave }: { before: string; edit: Form<string>; onSave: (body: string) => Promise<unknown> }) {
  const [error, setError] = useState<string | null>(null);
  const saving = useRef<string | null>(null);
  const text = edit.value ?? before;
  async function save() {
    const body = text.trim();
    if (body === "" || body === before) return edit.close();
    // Pressed again while that is on its way, there is nothing more to do.
    if (body === saving.current) return;
    saving.current = body;
    setError(null);
    try {
      await onSave(body);
      edit.saved(edit.value);
    } catch (reason) {
      setError(errorText(reason));
    } finally {
      if (saving.current === body) saving.current = null;
    }
  }
  function key(event: KeyboardEvent) {
    if (event.key === "Escape") edit.close();
    else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) void save();
    else return;
    event.preventDefault();
  }
  return (
    <div className="edit">
      <textarea
        className="input"
        aria-label="Edit the text"
        autoFocus={edit.opened === "here"}
        dir="auto"
        value={text}
        onChange={({ target }) => edit.change(target.value === before ? undefined : target.value)}
        onKeyDown={key}
      />
      {error && (
        <div className="field-error" role="alert">
          {error}
        </div>
      )}
      <div className="line">
        <Button size="small" tone="accent" onClick={() => void save()}>
          Save
        </Button>
        <Button size="small" tone="plain" onClick={edit.close}>
          Cancel
        </Button>
        <span className="edit-hint faint small">
          <kbd>{keysText("enter")}</kbd> save <kbd>{keysText("escape")}</kbd> cancel
        </span>
      </div>
    </div>
  );
}
