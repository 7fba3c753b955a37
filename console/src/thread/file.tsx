/** Files: pictures in sight, everything else as a card. Read with our own headers, shown as blobs. */
import { useState } from "react";
import type { Attachment } from "@switchboard/protocol";

import { callHeaders } from "../api/http.ts";
import { download } from "../part/download.ts";
import { Icon } from "../part/icon.tsx";
import { toastError } from "../part/toast.tsx";
import { PictureView } from "./picture.tsx";
import { addedHere } from "./upload.ts";

/** Kinds of pictures that are shown as such. */
export const INLINE_TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);

/** A file of a message. */
export function FileView({ file }: { file: Attachment }) {
  // Of what an earlier page sent and nobody took yet, the id alone may be known.
  if (file.media_type === "") return <p className="body faint">A file</p>;
  if (INLINE_TYPES.has(file.media_type) && file.width && file.height) return <PictureView file={file} />;
  return <FileCard file={file} />;
}

/** A file's bytes: those that were added here, or those of the server. */
export async function blobOf(file: Attachment, signal?: AbortSignal): Promise<Blob> {
  const added = addedHere.get(file);
  if (added) return added.file;
  const answer = await fetch(`/api/v1/attachments/${file.id}`, { headers: callHeaders(), credentials: "same-origin", ...(signal ? { signal } : {}) });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.blob();
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
    download(await blobOf(file), file.name);
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
