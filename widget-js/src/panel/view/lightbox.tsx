// A picture in the whole panel: fitted first, in its full size when wanted. Loaded when somebody looks
// at a picture. The browser's own dialog keeps the focus in and gives it back.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import type { Attachment } from "../../protocol.ts";
import { said } from "../words.ts";
import { Icon } from "./icon.tsx";

interface LightboxProps {
  readonly attachment: Attachment;
  /** Where its bytes are, as long as the message is shown. */
  readonly url: string;
  onClose(): void;
}

export function Lightbox({ attachment, url, onClose }: LightboxProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isLarge, setLarge] = useState(false);
  const { name } = attachment;
  useLayoutEffect(() => dialog.current?.showModal(), []);
  // Escape ends the look, not the chat.
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") event.stopPropagation();
  };
  const close = (): void => dialog.current?.close();
  return (
    <dialog class={isLarge ? "lightbox large" : "lightbox"} ref={dialog} aria-label={name} onKeyDown={onKeyDown} onClose={onClose}>
      <p class="bar">
        <bdi class="file-name">{name}</bdi>
        <button type="button" class="plain" aria-label={said("picture_larger")} title={said("picture_larger")} aria-pressed={isLarge} onClick={() => setLarge(!isLarge)}>
          <Icon name="larger" />
        </button>
        <a class="plain" href={url} download={name} aria-label={said("file_save", { name })}>
          <Icon name="load" />
        </a>
        <button type="button" class="plain" aria-label={said("picture_close")} onClick={close}>
          <Icon name="close" />
        </button>
      </p>
      {/* What lies beside the picture is the way back, too; keys have the button. */}
      <div class="whole" tabIndex={isLarge ? 0 : -1} onClick={(event) => event.target === event.currentTarget && close()}>
        <img src={url} alt={name} onClick={() => setLarge(!isLarge)} />
      </div>
    </dialog>
  );
}
