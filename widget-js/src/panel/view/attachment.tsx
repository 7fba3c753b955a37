// A file of a message. It is fetched with the visitor's token, never by a bare address.

import { useEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import type { Attachment } from "../../protocol.ts";
import type { PanelStore } from "../store.ts";
import { said, sizeText } from "../words.ts";
import { Icon } from "./icon.tsx";

/** Shown as pictures; everything else is a card to save. */
const PICTURE = /^image\/(png|jpeg|gif|webp|avif)$/;
/** Larger pictures are loaded only when asked for. */
const PICTURE_BYTES_MAX = 6_000_000;

async function fetchBlob(store: PanelStore, id: string): Promise<Blob> {
  const response = await fetch(`${store.base}/api/v1/attachments/${id}`, {
    headers: { authorization: `Bearer ${store.token}` },
    credentials: "omit",
  });
  if (!response.ok) throw new Error("refused");
  return response.blob();
}

export function AttachmentView({ attachment, store }: { attachment: Attachment; store: PanelStore }): VNode {
  if (attachment.media_type === "") return <p class="file quiet">{said("file")}</p>;
  // One without a size is none to look at: the server says so of absurd ones.
  const isPicture = PICTURE.test(attachment.media_type) && attachment.width != null && attachment.height != null;
  return isPicture && attachment.size_bytes <= PICTURE_BYTES_MAX ? (
    <Picture attachment={attachment} store={store} />
  ) : (
    <FileCard attachment={attachment} store={store} />
  );
}

function Picture({ attachment, store }: { attachment: Attachment; store: PanelStore }): VNode {
  const [url, setUrl] = useState<string | null>(null);
  const [isBroken, setBroken] = useState(false);
  useEffect(() => {
    let made: string | null = null;
    let isOver = false;
    fetchBlob(store, attachment.id).then(
      (blob) => {
        if (isOver) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      },
      () => setBroken(true),
    );
    return () => {
      isOver = true;
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [attachment.id, store]);
  if (isBroken) return <FileCard attachment={attachment} store={store} />;
  const { width, height } = attachment;
  const frame = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    // The room is kept before the picture is there, so that nothing jumps; a small one is not blown up.
    if (width == null || height == null) return;
    frame.current?.style.setProperty("aspect-ratio", `${width} / ${height}`);
    frame.current?.style.setProperty("--width", `${width}px`);
    frame.current?.style.setProperty("--height", `${height}px`);
  }, [width, height]);
  return (
    <a class="picture" ref={frame} href={url ?? undefined} download={attachment.name} aria-label={said("file_save", { name: attachment.name })}>
      {url !== null && <img src={url} alt={attachment.name} />}
    </a>
  );
}

function FileCard({ attachment, store }: { attachment: Attachment; store: PanelStore }): VNode {
  const [state, setState] = useState<"idle" | "busy" | "failed">("idle");
  const save = async (): Promise<void> => {
    setState("busy");
    try {
      const url = URL.createObjectURL(await fetchBlob(store, attachment.id));
      const link = document.createElement("a");
      link.href = url;
      link.download = attachment.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      setState("idle");
    } catch {
      setState("failed");
    }
  };
  return (
    <button type="button" class="file" onClick={() => void save()} aria-label={said("file_save_sized", { name: attachment.name, size: sizeText(attachment.size_bytes) })}>
      <Icon name="file" />
      <span class="file-name" dir="auto">
        {attachment.name}
      </span>
      <span class="quiet">
        {state === "failed" ? said("file_not_loaded") : state === "busy" ? said("loading") : sizeText(attachment.size_bytes)}
      </span>
    </button>
  );
}
