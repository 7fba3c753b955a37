/** Where one writes: to the customer or to the team, and it always says which. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useLayoutEffect, useRef, useState, type ClipboardEvent, type KeyboardEvent } from "react";
import type { AgentId, Attachment, Command, Conversation, PresenceState } from "@switchboard/protocol";

import { visitorQuery } from "../api/query.ts";
import { useCannedOffer } from "../canned/offer.tsx";
import { unfilledIn } from "../canned/word.ts";
import { EmojiMenu, emojiOffer } from "../emoji/offer.tsx";
import { useMemberOffer } from "../mention/offer.tsx";
import { mentionedIn, sharedNameIn, withPicked } from "../mention/word.ts";
import { useLiveVisitor } from "../live/beside.ts";
import { client, membership, status, team } from "../live/session.ts";
import { Button, IconButton } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { insertText } from "../part/insert.ts";
import { useStore } from "../part/store.ts";
import { keysText, useActions } from "../shell/action.ts";
import { reopen } from "./act.ts";
import { changeDraft, drafts, EMPTY_DRAFT, type Draft, type Mode } from "./draft.ts";
import { ComposerFiles } from "./composer-files.tsx";
import { useFileDrop } from "./drop.ts";
import { readsLikeNote } from "./guard.ts";
import { useSuggestions } from "./suggest.tsx";
import { fileLimits, FILES_MAX, useUploads } from "./upload.ts";
import { toast, toastError } from "../part/toast.tsx";

const BODY_BYTES_MAX = 16 * 1024;
const TYPING_EVERY_MS = 2_000;

/** The composer of one conversation. Mount it anew for another. */
export function Composer({ row, onSent }: { row: Conversation; onSent: () => void }) {
  const writing = useWriting(row, onSent);
  const { mode, field, picker } = writing;
  const form = useRef<HTMLFormElement>(null);
  const over = useFileDrop(form, writing.takeFiles);
  useGrowing(field, writing.text);
  useActions([
    { id: "reply", name: `Reply to ${row.contact_name}`, group: "Write", keys: "r", icon: "reply", run: () => writing.choose("reply") },
    { id: "note", name: "Write a note", group: "Write", keys: "n", icon: "note", run: () => writing.choose("note") },
    { id: "canned", name: "Put in a canned response", group: "Write", icon: "canned", run: () => writing.ask("\\") },
    { id: "attach", name: "Attach a file", group: "Write", icon: "attach", run: () => picker.current?.click() },
    { id: "focus", name: "Go to the composer", group: "Write", keys: "enter", keyOnly: true, run: () => field.current?.focus() },
  ]);
  return (
    <form
      ref={form}
      className="composer"
      data-mode={mode}
      data-over={over || undefined}
      aria-label={mode === "note" ? "Write a note" : "Write a reply"}
      onSubmit={(event) => {
        event.preventDefault();
        writing.send();
      }}
    >
      <ComposerHead row={row} writing={writing} />
      {writing.quote && (
        <div className="quoting">
          <Icon name="reply" />
          <bdi className="quoted-name">{writing.quote.name}</bdi>
          <bdi className="cut grow">{writing.quote.text}</bdi>
          <IconButton icon="close" name="Answer nothing in particular" onClick={writing.dropQuote} />
        </div>
      )}
      <ComposerField row={row} writing={writing} />
      {writing.doubted && <Doubt row={row} writing={writing} doubted={writing.doubted} />}
      <ComposerFiles files={writing.files} onRemove={writing.removeFile} uploads={writing.uploads} />
      <ComposerFoot writing={writing} />
    </form>
  );
}

type Writing = ReturnType<typeof useWriting>;

/** Why words are not sent unasked. */
type Doubted = "note" | "unfilled" | "shared";

function Doubt({ row, writing, doubted }: { row: Conversation; writing: Writing; doubted: Doubted }) {
  if (doubted === "shared") {
    return (
      <div className="doubt" role="alert">
        <span className="grow">
          Several are called <bdi>{writing.sharedName()}</bdi>. Pick whom you mean from the list behind @.
        </span>
        <Button size="small" onClick={() => writing.send({ sure: true })}>
          Tell them all
        </Button>
      </div>
    );
  }
  return (
    <div className="doubt" role="alert">
      <span className="grow">
        {doubted === "note" ? "This reads like a note for the team. " : `${unfilledIn(writing.text)?.name ?? "A word"} is still to be filled in. `}
        <bdi>{row.contact_name}</bdi> would see it.
      </span>
      {doubted === "note" ? (
        <Button size="small" icon="note" onClick={writing.makeNote}>
          Make it a note
        </Button>
      ) : (
        <Button size="small" icon="edit" onClick={writing.fillIn}>
          Fill it in
        </Button>
      )}
      <Button size="small" onClick={() => writing.send({ sure: true })}>
        Send it all the same
      </Button>
    </div>
  );
}

/** What stands in the composer, and what can be done with it. */
function useWriting(row: Conversation, onSent: () => void) {
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const key = `${me} ${row.id}`;
  const draft = useStore(drafts, (all) => all[key]) ?? EMPTY_DRAFT;
  const closed = row.state === "closed";
  const mode: Mode = closed ? "note" : draft.mode;
  const text = draft[mode];
  const files = draft.files;
  // A message that customers read cannot answer what they do not see.
  const quote = draft.quote && (mode === "note" || draft.quote.kind === "message") ? draft.quote : null;
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const signalTyping = useTypingSignal(row.id);
  const [doubted, setDoubted] = useState<Doubted | null>(null);
  const [caret, setCaret] = useState<number | null>(null);
  const change = (next: Partial<Draft>) => changeDraft(key, next);
  // At once: until then what is typed would be keys of the page.
  const toField = () => field.current?.focus();
  const uploads = useUploads(key);
  const body = text.trim();
  const too_long = new TextEncoder().encode(body).length > BODY_BYTES_MAX;
  const busy = uploads.all.some((each) => each.error === null);
  const picked = draft.picked ?? [];
  const sharedName = () => (mode === "note" ? sharedNameIn(body, team.get().agents.values(), me, picked) : null);
  const ready = (body !== "" || files.length > 0) && !too_long && !busy;
  return {
    mode,
    text,
    files,
    quote,
    doubted,
    caret,
    uploads,
    closed,
    too_long,
    ready,
    field,
    picker,
    /** Notes where one writes; nothing where a stretch is selected, or elsewhere. */
    look(at: { selectionStart: number; selectionEnd: number } | null) {
      setCaret(at && at.selectionStart === at.selectionEnd ? at.selectionStart : null);
    },
    /** Puts in what asks for a list. */
    ask(sign: string) {
      const node = field.current;
      if (!node) return;
      const before = node.value.slice(0, node.selectionStart);
      insertText(node, before === "" || /\s$/.test(before) ? sign : ` ${sign}`);
      setCaret(node.selectionStart);
    },
    sharedName,
    /** A member was picked from the list. */
    pick(id: AgentId) {
      change({ picked: withPicked(picked, id, team.get().agents.values()) });
    },
    /** Puts something in where one writes. */
    put(words: string) {
      if (field.current) insertText(field.current, words);
    },
    /** Selects what is still to be filled in. */
    fillIn() {
      setDoubted(null);
      const open = unfilledIn(text);
      field.current?.focus();
      if (open) field.current?.setSelectionRange(open.from, open.to);
    },
    write(next: string) {
      setDoubted(null);
      change({ [mode]: next });
      if (mode === "reply") signalTyping(next.trim() !== "");
    },
    choose(next: Mode) {
      change({ mode: next });
      toField();
    },
    takeFiles(list: readonly File[]) {
      const free = FILES_MAX - files.length - uploads.all.length;
      if (list.length > free) toastError(`A message takes ${FILES_MAX} files at most.`);
      uploads.add(list.slice(0, Math.max(0, free)));
    },
    dropQuote: () => change({ quote: null }),
    removeFile: (id: string) => change({ files: files.filter((file) => file.id !== id) }),
    /** What a customer was not meant to read goes to the team instead. */
    makeNote() {
      setDoubted(null);
      change({ mode: "note", note: text, reply: "" });
      signalTyping(false);
      toField();
    },
    send({ sure }: { sure: boolean } = { sure: false }) {
      if (busy) toast("Your files are still on their way. Send it once they are there.");
      if (!ready) return;
      if (mode === "reply" && !sure && readsLikeNote(body, [...team.get().agents.values()].map((agent) => agent.name))) {
        setDoubted("note");
        return;
      }
      if (mode === "reply" && !sure && unfilledIn(body)) {
        setDoubted("unfilled");
        return;
      }
      if (!sure && sharedName() !== null) {
        setDoubted("shared");
        return;
      }
      setDoubted(null);
      const mentions = mode === "note" ? mentionedIn(body, team.get().agents.values(), me, picked) : [];
      sendWords({ conversation_id: row.id, mode, body, files, reply_to_id: quote?.entry_id ?? null, mentions });
      change({ [mode]: "", files: [], quote: null, ...(mode === "note" ? { picked: [] } : {}) });
      signalTyping(false);
      onSent();
    },
  };
}

interface Sending {
  conversation_id: string;
  mode: Mode;
  body: string;
  files: readonly Attachment[];
  reply_to_id: string | null;
  mentions: readonly AgentId[];
}

function sendWords({ conversation_id, mode, body, files, reply_to_id, mentions }: Sending): void {
  const written = {
    conversation_id,
    format: "markdown" as const,
    ...(reply_to_id === null ? {} : { reply_to_id }),
    ...(body === "" ? {} : { body }),
    ...(files.length === 0 ? {} : { attachment_ids: files.map((file) => file.id) }),
  };
  // A refusal shows on the line itself, with a way to try again.
  const words: Command = mode === "note" ? { do: "add_note", ...written, ...(mentions.length === 0 ? {} : { mentions: [...mentions] }) } : { do: "send_message", ...written };
  client()
    .send(words, { attachments: files })
    .done.catch(() => undefined);
}

function ComposerHead({ row, writing }: { row: Conversation; writing: Writing }) {
  const { mode, closed, choose } = writing;
  return (
    <div className="composer-head">
      <div className="modes" role="group" aria-label="Who is this for">
        <button type="button" className="mode" aria-pressed={mode === "reply"} disabled={closed} onClick={() => choose("reply")} title="Reply (R)">
          Reply
        </button>
        <button type="button" className="mode" aria-pressed={mode === "note"} onClick={() => choose("note")} title="Note (N)">
          Note
        </button>
      </div>
      <Reader row={row} mode={mode} />
      {closed && (
        <Button size="small" icon="reopen" onClick={() => reopen(row)}>
          Reopen to reply
        </Button>
      )}
    </div>
  );
}

function ComposerField({ row, writing }: { row: Conversation; writing: Writing }) {
  const { mode, field } = writing;
  const canned = useCannedOffer(row, writing.text, writing.caret, field);
  const members = useMemberOffer(writing.text, mode === "note" ? writing.caret : null, field, writing.pick);
  const suggestions = useSuggestions(canned ?? members ?? emojiOffer(writing.text, writing.caret, field));
  function onKey(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing || suggestions.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      writing.send();
    } else if (event.key === "Escape") field.current?.blur();
  }
  return (
    <>
      {suggestions.view}
      <textarea
        {...suggestions.field}
        ref={field}
        className="composer-field"
        rows={1}
        dir="auto"
        value={writing.text}
        aria-label={mode === "note" ? "Note to the team" : `Reply to ${row.contact_name}`}
        aria-invalid={writing.too_long || undefined}
        placeholder={mode === "note" ? "Something only the team should know, @name tells somebody" : `Write to ${row.contact_name}`}
        onChange={(event) => {
          writing.write(event.target.value);
          writing.look(event.target);
        }}
        onSelect={(event) => writing.look(event.currentTarget)}
        onBlur={() => writing.look(null)}
        onKeyDown={onKey}
        onPaste={(event: ClipboardEvent) => {
          const pasted = [...event.clipboardData.files];
          if (pasted.length === 0) return;
          event.preventDefault();
          writing.takeFiles(pasted);
        }}
      />
    </>
  );
}

function ComposerFoot({ writing }: { writing: Writing }) {
  const { mode, picker, too_long } = writing;
  const types = useStore(fileLimits, (limits) => limits.attachment_types);
  return (
    <div className="composer-foot">
      <IconButton icon="canned" name="Canned response" shortcut="\" onMouseDown={(event) => event.preventDefault()} onClick={() => writing.ask("\\")} />
      <IconButton icon="attach" name="Attach a file" onClick={() => picker.current?.click()} />
      <EmojiMenu onPick={writing.put} />
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        accept={types?.join()}
        onChange={(event) => {
          writing.takeFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      <span className="grow field-error" role={too_long ? "alert" : undefined}>
        {too_long ? "This is longer than a message may be. Send it in parts, or as a file." : ""}
      </span>
      <span className="composer-hint faint small">
        <kbd>{keysText("enter")}</kbd> send <kbd>{keysText("shift+enter")}</kbd> new line
      </span>
      <Button type="submit" tone="accent" disabled={!writing.ready}>
        {mode === "note" ? "Add note" : "Send"}
      </Button>
    </div>
  );
}

/** Who will read this, in words. */
function Reader({ row, mode }: { row: Conversation; mode: Mode }) {
  const { state } = useLiveVisitor(row.visitor_id);
  const is_live = useStore(status, (held) => held.name === "live");
  const blocked = useQuery({ ...visitorQuery(row.visitor_id ?? ""), enabled: row.visitor_id != null }).data?.blocked ?? false;
  if (mode === "note") return <span className="reader">Only the team reads this</span>;
  const name = row.contact_name;
  const words = readerWords({ is_live, blocked, state: row.visitor_id ? state : "left" });
  return (
    <span className="reader">
      <bdi className="cut reader-name">{name}</bdi> <span className="cut">{words}</span>
    </span>
  );
}

/** What can be said of the reader, and nothing more: without a connection nobody knows who is there. */
function readerWords({ is_live, blocked, state }: { is_live: boolean; blocked: boolean; state: PresenceState | undefined }): string {
  if (blocked) return "is blocked and reads nothing";
  if (!is_live) return "reads this once the connection is back";
  switch (state) {
    case "active":
      return "is here and reads this now";
    case "idle":
      return "is away from the page and reads this on return";
    case "left":
      return "reads this on the next visit";
    case undefined:
      return "";
  }
}

/** The field is as tall as its text, up to what the style sheet allows. */
function useGrowing(field: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const node = field.current;
    if (!node) return;
    node.style.height = "auto";
    node.style.height = `${node.scrollHeight}px`;
  }, [field, text]);
}

/** Tells the customer that somebody writes, at most every two seconds, and when it ends. */
function useTypingSignal(conversation_id: string): (active: boolean) => void {
  const sent = useRef({ active: false, at_ms: 0 });
  useEffect(
    () => () => {
      if (sent.current.active) client().signal({ type: "typing", conversation_id, active: false });
    },
    [conversation_id],
  );
  return (active) => {
    const at_ms = Date.now();
    const due = active ? !sent.current.active || at_ms - sent.current.at_ms >= TYPING_EVERY_MS : sent.current.active;
    if (!due) return;
    sent.current = { active, at_ms };
    client().signal({ type: "typing", conversation_id, active });
  };
}
