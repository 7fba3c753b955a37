/** Pictures of a message: small in the thread, fetched once they are nearly in sight, and looked at in the whole window. */
import { Dialog as Base } from "@base-ui/react/dialog";
import { useEffect, useRef, useState } from "react";
import type { Attachment } from "@switchboard/protocol";

import { IconButton } from "../part/control.tsx";
import { useWayBack } from "../part/dialog.tsx";
import { Icon } from "../part/icon.tsx";
import { useNear } from "../part/near.ts";
import { blobOf, sizeText } from "./file.tsx";
import { addedHere } from "./upload.ts";

const INLINE_WIDTH = 320;
const INLINE_HEIGHT = 240;
/** How far from the window's edge a picture is fetched: a thread may hold a thousand of them. */
const NEAR = "300px";

/** A picture at its size. A click, or Enter, looks at it. */
export function PictureView({ file }: { file: Attachment }) {
  const [failed, setFailed] = useState(false);
  const [tries, setTries] = useState(0);
  const [looking, setLooking] = useState(false);
  const frame = useRef<HTMLButtonElement>(null);
  const url = useUrl(file, useNear(frame, ".thread", NEAR), tries, setFailed);
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
    <>
      <button ref={frame} type="button" className="image" style={size} aria-label={`Look at ${file.name}`} aria-haspopup="dialog" onClick={() => setLooking(url !== null)} title={`${file.name}, ${sizeText(file.size_bytes)}`}>
        {url && <img src={url} alt={file.name} width={size.width} onError={() => setFailed(true)} />}
      </button>
      {url && <Lightbox file={file} url={url} open={looking} onClose={() => setLooking(false)} />}
    </>
  );
}

/** Where the picture's bytes are, once it is near. */
function useUrl(file: Attachment, near: boolean, tries: number, setFailed: (failed: boolean) => void): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    setFailed(false);
    if (!near) return;
    const stop = new AbortController();
    let made: string | null = null;
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
  }, [file.id, near, tries]);
  return url;
}

/** The whole window for one picture: fitted first, in its full size when wanted. The focus goes back where it came from. */
function Lightbox({ file, url, open, onClose }: { file: Attachment; url: string; open: boolean; onClose: () => void }) {
  const [large, setLarge] = useState(false);
  const way_back = useWayBack(open);
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Popup className="lightbox" data-large={large || undefined} {...way_back}>
          <div className="lightbox-bar">
            <Base.Title className="grow cut" render={<h2 />}>
              <bdi>{file.name}</bdi>
            </Base.Title>
            <span className="small">
              {file.width} × {file.height} · {sizeText(file.size_bytes)}
            </span>
            <IconButton icon="larger" name="Full size" aria-pressed={large} onClick={() => setLarge(!large)} />
            <a className="icon-button" href={url} download={file.name} aria-label={`Save ${file.name}`} title="Save">
              <Icon name="save" />
            </a>
            <IconButton icon="close" name="Close the picture" onClick={onClose} />
          </div>
          {/* What lies beside the picture is the way back, too; keys have the button. */}
          <div className="lightbox-body" role="region" aria-label="The picture" tabIndex={large ? 0 : -1} onClick={(event) => event.target === event.currentTarget && onClose()}>
            <img src={url} alt={file.name} onClick={() => setLarge(!large)} />
          </div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
