/** Files: images inline at their size, everything else as a card. Read with our own headers, shown as blobs. */
import { useEffect, useState } from "react";
import type { Attachment } from "@switchboard/protocol";

import { callHeaders } from "../api/http.ts";
import { Icon } from "../part/icon.tsx";
import { toastError } from "../part/toast.tsx";
import { addedHere } from "./upload.ts";

/** Kinds of pictures that are shown as such. */
export const INLINE_TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);
const INLINE_WIDTH = 320;
const INLINE_HEIGHT = 240;

/** A file of a message. */
export function FileView({ file }: { file: Attachment }) {
  // Of what an earlier page sent and nobody took yet, the id alone may be known.
  if (file.media_type === "") return <p className="body faint">A file</p>;
  if (INLINE_TYPES.has(file.media_type) && file.width && file.height) return <ImageView file={file} />;
  return <FileCard file={file} />;
}

async function blobOf(file: Attachment, signal?: AbortSignal): Promise<Blob> {
  const added = addedHere.get(file);
  if (added) return added.file;
  const answer = await fetch(`/api/v1/attachments/${file.id}`, { headers: callHeaders(), credentials: "same-origin", ...(signal ? { signal } : {}) });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.blob();
}

function ImageView({ file }: { file: Attachment }) {
  const [url, setUrl] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    let made: string | null = null;
    setFailed(false);
    blobOf(file, stop.signal)
      .then((blob) => {
        made = URL.createObjectURL(blob);
        setUrl(made);
      })
      .catch(() => {
        if (!stop.signal.aborted) setFailed(true);
      });
    return () => {
      stop.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [file.id, tries]);
  const scale = Math.min(1, INLINE_WIDTH / (file.width ?? 1), INLINE_HEIGHT / (file.height ?? 1));
  const size = { width: Math.round((file.width ?? 1) * scale), aspectRatio: `${file.width} / ${file.height}` };
  if (failed) {
    const again = () => {
      // Bytes that were changed on the disk since cannot be read; those that went up can.
      addedHere.delete(file);
      setTries((count) => count + 1);
    };
    return (
      <button type="button" className="image image-failed" style={size} onClick={again}>
        {file.name} did not load. Try again
      </button>
    );
  }
  return (
    <button type="button" className="image" style={size} onClick={() => void save(file)} title={`${file.name}, ${sizeText(file.size_bytes)}. Save`}>
      {url && <img src={url} alt={file.name} width={size.width} onError={() => setFailed(true)} />}
    </button>
  );
}

function FileCard({ file }: { file: Attachment }) {
  const [busy, setBusy] = useState(false);
  return (
    <button
      type="button"
      className="file"
      disabled={busy}
      onClick={() => {
        setBusy(true);
        void save(file).finally(() => setBusy(false));
      }}
      title={`Save ${file.name}`}
    >
      <Icon name="file" size={20} />
      <span className="grow">
        <bdi className="cut file-name">{file.name}</bdi>
        <span className="faint small">
          {kindText(file)} · {sizeText(file.size_bytes)}
        </span>
      </span>
    </button>
  );
}

async function save(file: Attachment): Promise<void> {
  try {
    const url = URL.createObjectURL(await blobOf(file));
    const link = document.createElement("a");
    link.href = url;
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  } catch {
    toastError(`${file.name} could not be loaded. Try again.`);
  }
}

/** `PDF`, `ZIP`: a file's kind in a word. */
export function kindText(file: Pick<Attachment, "media_type" | "name">): string {
  const ending = /\.([a-z0-9]{1,5})$/i.exec(file.name)?.[1];
  return (ending ?? file.media_type.split("/")[1] ?? "file").toUpperCase();
}

/** A size in bytes, kilobytes or megabytes. */
export function sizeText(size_bytes: number): string {
  if (size_bytes < 1_000) return `${size_bytes} B`;
  if (size_bytes < 1_000_000) return `${Math.round(size_bytes / 1_000)} kB`;
  return `${(size_bytes / 1_000_000).toFixed(1)} MB`;
}
