/** Files of what is being written: ready ones, and those on their way up. */
import { useEffect, useState } from "react";
import type { Attachment } from "@switchboard/protocol";

import { Button, IconButton } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { INLINE_TYPES, kindText, sizeText } from "./file.tsx";
import { atHand, type Uploads } from "./upload.ts";

/** The files under the text. */
export function ComposerFiles({ files, uploads, onRemove }: { files: readonly Attachment[]; uploads: Uploads; onRemove: (id: string) => void }) {
  if (files.length === 0 && uploads.all.length === 0) return null;
  return (
    <ul className="composer-files" aria-label="Files">
      {files.map((file) => (
        <li key={file.id} className="chip">
          <Picture file={atHand.get(file)} />
          <bdi className="cut">{file.name}</bdi>
          <span className="faint">
            {kindText(file)} {sizeText(file.size_bytes)}
          </span>
          <IconButton icon="close" name={`Remove ${file.name}`} onClick={() => onRemove(file.id)} />
        </li>
      ))}
      {uploads.all.map((each) => (
        <li key={each.key} className="chip" data-failed={each.error ? "" : undefined}>
          <Picture file={each.file} />
          <bdi className="cut">{each.file.name}</bdi>
          {each.error ? (
            <>
              <span className="field-error" role="alert">
                {each.error}
              </span>
              <Button size="small" tone="plain" onClick={() => uploads.again(each.key)}>
                Try again
              </Button>
            </>
          ) : (
            <progress max={1} value={each.progress} aria-label={`Uploading ${each.file.name}`} />
          )}
          <IconButton icon="close" name={`Remove ${each.file.name}`} onClick={() => uploads.drop(each.key)} />
        </li>
      ))}
    </ul>
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
