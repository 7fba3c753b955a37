// A file of a message. It is fetched with the visitor's token, never by a bare address.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentType, VNode } from "preact";
import type { Attachment } from "../../protocol.ts";
import { download, downloadFrom } from "../download.ts";
import type { PanelStore } from "../store.ts";
import { atHand } from "../uploads.ts";
import { said, sizeText } from "../words.ts";
import { Icon } from "./icon.tsx";
import type { Lightbox } from "./lightbox.tsx";

/** Shown as pictures; everything else is a card to save. */
export const PICTURE = /^image\/(png|jpeg|gif|webp|avif)$/;
/** Larger pictures are loaded only when asked for. */
const PICTURE_BYTES_MAX = 6_000_000;

type LightboxType = ComponentType<Parameters<typeof Lightbox>[0]>;

/** Loaded with the first intent to look at a picture. */
const lightbox = (): Promise<LightboxType> => import("./lightbox.tsx").then((module) => module.Lightbox);

async function fetchBlob(store: PanelStore, attachment: Attachment): Promise<Blob> {
  const file = atHand.get(attachment);
  if (file !== undefined) return file;
  const response = await fetch(`${store.base}/api/v1/attachments/${attachment.id}`, {
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

/** Whether something is in sight, or nearly: a thread may hold a thousand pictures. Once near, it stays so. */
function useNear(frame: { readonly current: HTMLElement | null }): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        observer.disconnect();
        setNear(true);
      },
      { root: element.closest(".thread"), rootMargin: "200px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [frame]);
  return isNear;
}

function Picture({ attachment, store }: { attachment: Attachment; store: PanelStore }): VNode {
  const [url, setUrl] = useState<string | null>(null);
  const [isBroken, setBroken] = useState(false);
  const [Look, setLook] = useState<LightboxType | null>(null);
  const frame = useRef<HTMLButtonElement>(null);
  const isNear = useNear(frame);
  useEffect(() => {
    if (!isNear) return undefined;
    let made: string | null = null;
    let isOver = false;
    fetchBlob(store, attachment).then(
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
  }, [attachment.id, store, isNear]);
  if (isBroken) return <FileCard attachment={attachment} store={store} />;
  const { width, height } = attachment;
  useLayoutEffect(() => {
    // The room is kept before the picture is there, so that nothing jumps; a small one is not blown up.
    if (width == null || height == null) return;
    frame.current?.style.setProperty("aspect-ratio", `${width} / ${height}`);
    frame.current?.style.setProperty("--width", `${width}px`);
    frame.current?.style.setProperty("--height", `${height}px`);
  }, [width, height]);
  const look = (): void => {
    if (url === null) return;
    // A server of tomorrow may no longer have that part: the picture can be saved all the same.
    lightbox().then((next) => setLook(() => next), () => downloadFrom(url, attachment.name));
  };
  const hint = (): void => void lightbox().catch(() => undefined);
  return (
    <>
      <button type="button" class="picture" ref={frame} onPointerEnter={hint} onFocus={hint} onClick={look} aria-label={said("file_open", { name: attachment.name })}>
        {url !== null && <img src={url} alt={attachment.name} />}
      </button>
      {Look !== null && url !== null && <Look attachment={attachment} url={url} onClose={() => setLook(null)} />}
    </>
  );
}

function FileCard({ attachment, store }: { attachment: Attachment; store: PanelStore }): VNode {
  const [state, setState] = useState<"idle" | "busy" | "failed">("idle");
  const load = async (): Promise<void> => {
    setState("busy");
    try {
      download(await fetchBlob(store, attachment), attachment.name);
      setState("idle");
    } catch {
      setState("failed");
    }
  };
  return (
    <button type="button" class="file" onClick={() => void load()} aria-label={said("file_save_sized", { name: attachment.name, size: sizeText(attachment.size_bytes) })}>
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
