// Where one writes: it grows with the text, takes files, and keeps a draft.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { EMOJI } from "../../emoji.ts";
import { limit } from "../../protocol.ts";
import type { PanelStore, Snapshot } from "../store.ts";
import type { Upload } from "../uploads.ts";
import { said, sizeText } from "../words.ts";
import { PICTURE } from "./attachment.tsx";
import { Icon } from "./icon.tsx";
import { Menu } from "./menu.tsx";

/** Phones have no key for a new line beside the one that sends. */
const isTouch = (): boolean => matchMedia("(pointer: coarse)").matches;

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

export function Composer({ store, state }: { store: PanelStore; state: Snapshot }): VNode {
  const area = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const { editing } = state;
  const visitorId = state.session?.visitor_id ?? null;

  // A message that is being changed is no place for it.
  const suggested = editing === null ? state.suggested : "";
  // Before anybody can type into it.
  useLayoutEffect(() => setText(editing?.message.body ?? store.drafts.text), [visitorId, editing, suggested, store]);
  // At once, or it would be taken from what the visitor went to meanwhile.
  useLayoutEffect(() => {
    if (state.isOpen && (editing !== null || !isTouch())) area.current?.focus();
  }, [state.isOpen, editing]);
  useLayoutEffect(() => {
    const element = area.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, 132)}px`;
  }, [text]);

  const uploads = store.uploads.items;
  const isTooLong = byteLength(text) > limit.body_bytes_max;
  const isReady = uploads.some((upload) => upload.attachment !== null);
  const isShut = state.status.name === "stopped" || state.isUnknown;
  const isSeenEarly = state.isSeenEarly && !isShut;
  const mayAttach = !isShut && editing === null;
  // Files belong to the next message, not to one that is being changed.
  const hasFiles = editing === null && isReady;
  const isBusy = editing === null && store.uploads.isBusy;
  const maySend = visitorId !== null && !isShut && !state.isPaused && !isTooLong && !isBusy && (text.trim() !== "" || hasFiles);

  const send = (): void => {
    if (!maySend) return;
    store.send(text);
    setText(editing === null ? "" : store.drafts.text);
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // While an input method composes, Enter ends that and sends nothing.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || isTouch()) return;
    event.preventDefault();
    send();
  };
  const onPaste = (event: ClipboardEvent): void => {
    const files = event.clipboardData?.files;
    if (files === undefined || files.length === 0) return;
    event.preventDefault();
    if (mayAttach) store.uploads.add(files);
  };
  const insert = (emoji: string): void => {
    const element = area.current;
    if (element === null) return;
    element.focus();
    element.setRangeText(emoji, element.selectionStart, element.selectionEnd, "end");
    setText(element.value);
    store.typed(element.value);
  };
  const onPick = (): void => {
    if (picker.current?.files != null) store.uploads.add(picker.current.files);
    if (picker.current !== null) picker.current.value = "";
    area.current?.focus();
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {editing !== null && (
        <p class="editing">
          {said("editing")}
          <button type="button" class="link" onClick={() => store.edit(null)}>
            {said("cancel")}
          </button>
        </p>
      )}
      {uploads.length > 0 && editing === null && (
        <ul class="uploads">
          {uploads.map((upload) => (
            <UploadView key={upload.id} upload={upload} store={store} />
          ))}
        </ul>
      )}
      {isSeenEarly && (
        <p class="quiet early" id="seen-early">
          {said("seen_early")}
        </p>
      )}
      {isTooLong && <p class="problem" role="alert">{said("too_long")}</p>}
      <div class="field">
        {editing === null && (
          <button type="button" class="plain" aria-label={said("attach")} disabled={!mayAttach} onClick={() => picker.current?.click()}>
            <Icon name="clip" />
          </button>
        )}
        <input ref={picker} type="file" multiple hidden accept={store.uploads.limits.attachment_types?.join()} onChange={onPick} />
        <textarea
          ref={area}
          rows={1}
          dir="auto"
          value={text}
          disabled={isShut}
          readOnly={state.isPaused}
          placeholder={placeholder(state)}
          aria-label={said("message")}
          aria-describedby={isSeenEarly ? "seen-early" : undefined}
          enterkeyhint={isTouch() ? "enter" : "send"}
          onInput={(event) => {
            setText(event.currentTarget.value);
            store.typed(event.currentTarget.value);
          }}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        {!isShut && <Menu kind="emoji" icon="smile" label={said("emoji")} items={EMOJI.map((emoji) => ({ label: emoji, run: () => insert(emoji) }))} />}
        <button type="submit" class="send" aria-label={said(editing === null ? "send" : "save")} disabled={!maySend}>
          <Icon name={editing === null ? "send" : "check"} />
        </button>
      </div>
    </form>
  );
}

function placeholder(state: Snapshot): string {
  if (state.status.name === "stopped") return said("write_shut");
  if (state.isUnknown) return said("sign_in_short");
  return said(state.isThreadClosed ? "write_anew" : "write");
}

function UploadView({ upload, store }: { upload: Upload; store: PanelStore }): VNode {
  const { file, part, error, mayRetry, attachment } = upload;
  const line = useRef<HTMLLIElement>(null);
  useEffect(() => {
    // Before the others go without it, it is seen.
    if (error !== null) line.current?.scrollIntoView({ block: "nearest" });
  }, [error]);
  return (
    <li ref={line} class={error === null ? "upload" : "upload bad"}>
      {error === null ? <Preview file={file} /> : <Icon name="warn" />}
      <span class="file-name">
        <bdi>{file.name}</bdi>
        {error !== null && (
          <span class="error" role="alert">
            {error}
          </span>
        )}
      </span>
      {error !== null ? (
        mayRetry && (
          <button type="button" class="link" onClick={() => store.uploads.retry(upload.id)}>
            {said("try_again")}
          </button>
        )
      ) : attachment === null ? (
        <progress max={1} value={part} aria-label={said("uploading", { name: file.name })} />
      ) : (
        <span class="quiet">{sizeText(file.size)}</span>
      )}
      <button type="button" class="plain" aria-label={said("remove", { name: file.name })} onClick={() => store.uploads.remove(upload.id)}>
        <Icon name="close" />
      </button>
    </li>
  );
}

/** What a picture looks like; a sign for any other file, and for one that is none to look at. */
function Preview({ file }: { file: File }): VNode {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!PICTURE.test(file.type)) return undefined;
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return url === null ? <Icon name="file" /> : <img class="preview" src={url} alt="" decoding="async" onError={() => setUrl(null)} />;
}
