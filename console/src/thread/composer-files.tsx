/** Files of what is being written: ready ones, and those on their way up, in the order in which they were added. */
import { useEffect, useState, type ReactElement, type ReactNode } from "react";
import type { Attachment } from "@switchboard/protocol";

import { Button, IconButton } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { INLINE_TYPES, kindText, sizeText } from "./file.tsx";
import { addedHere, placeOf, type Upload, type Uploads } from "./upload.ts";

/** The files under the text. */
export function ComposerFiles({ files, uploads, onRemove }: { files: readonly Attachment[]; uploads: Uploads; onRemove: (id: string) => void }) {
  if (files.length === 0 && uploads.all.length === 0) return null;
  const ready = files.map((file) => ({ place: placeOf(file), chip: readyChip(file, onRemove) }));
  const coming = uploads.all.map((upload) => ({ place: upload.key, chip: comingChip(upload, uploads) }));
  return (
    <ul className="composer-files" aria-label="Files">
      {[...ready, ...coming].sort((a, b) => a.place - b.place).map(({ chip }) => chip)}
    </ul>
  );
}

function readyChip(file: Attachment, onRemove: (id: string) => void): ReactElement {
  const added = addedHere.get(file);
  return (
    <Chip key={added?.key ?? file.id} name={file.name} picture={added?.file} onRemove={() => onRemove(file.id)}>
      <span className="faint">
        {kindText(file)} {sizeText(file.size_bytes)}
      </span>
    </Chip>
  );
}

/** The same chip as when it is ready, so that its picture stays. */
function comingChip({ key, file, error, may_retry, progress }: Upload, uploads: Uploads): ReactElement {
  return (
    <Chip key={key} name={file.name} picture={file} failed={error !== null} onRemove={() => uploads.drop(key)}>
      {error === null ? (
        <progress max={1} value={progress} aria-label={`Uploading ${file.name}`} />
      ) : (
        <>
          <span className="field-error" role="alert">
            {error}
          </span>
          {may_retry && (
            <Button size="small" tone="plain" onClick={() => uploads.again(key)}>
              Try again
            </Button>
          )}
        </>
      )}
    </Chip>
  );
}

interface ChipProps {
  name: string;
  picture: File | undefined;
  failed?: boolean;
  onRemove: () => void;
  children: ReactNode;
}

function Chip({ name, picture, failed = false, onRemove, children }: ChipProps) {
  return (
    <li className="chip" data-failed={failed ? "" : undefined}>
      <Picture file={picture} />
      <bdi className="cut">{name}</bdi>
      {children}
      <IconButton icon="close" name={`Remove ${name}`} onClick={onRemove} />
    </li>
  );
}

/** What a picture looks like; a sign for any other file, and for one that is none to look at. */
function Picture({ file }: { file: File | undefined }) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (file === undefined || !INLINE_TYPES.has(file.type)) return;
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  if (url === null) return <Icon name="file" size={14} />;
  return <img className="chip-picture" src={url} alt="" decoding="async" onError={() => setUrl(null)} />;
}
