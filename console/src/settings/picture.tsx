/** My picture: chosen, cut to a square here, and sent small. Whatever a camera wrote into it stays behind. */
import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { limit, type Agent } from "@switchboard/protocol";

import { Button } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { Face } from "../part/lamp.tsx";
import { moved, squareOf, WHOLE, within, ZOOM_MAX, type Crop } from "./crop.ts";

/** Sides that are tried, the largest first: sharp where it is shown largest, at twice its size. */
const SIDES_PX = [256, 192, 128];
/** How well a photograph is kept, the best first. */
const QUALITIES = [0.92, 0.8, 0.65];
const STEP = 0.04;

interface PictureProps {
  agent: Agent;
  error: string | null;
  onValue: (picture: string) => void;
}

/** What it is, and how to choose another. */
export function PictureField({ agent, error, onValue }: PictureProps) {
  const picker = useRef<HTMLInputElement>(null);
  const [image, setImage] = useState<HTMLImageElement | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  async function take(file: File) {
    setProblem(null);
    const url = URL.createObjectURL(file);
    try {
      const read = new Image();
      read.src = url;
      await read.decode();
      if (read.naturalWidth === 0) throw new Error("no size");
      setImage(read);
    } catch {
      setProblem("This could not be read as a picture. PNG, JPEG, WebP and GIF work.");
    } finally {
      URL.revokeObjectURL(url);
    }
  }
  const told = problem ?? error;
  return (
    <div className="field" role="group" aria-label="Picture">
      <span className="field-label">Picture</span>
      <div className="line">
        <Face name={agent.name} seed={agent.id} size="huge" />
        <Button size="small" onClick={() => picker.current?.click()}>
          {agent.picture ? "Choose another" : "Choose a picture"}
        </Button>
        {agent.picture && (
          <Button size="small" tone="plain" onClick={() => onValue("")}>
            Remove
          </Button>
        )}
        <input
          ref={picker}
          type="file"
          accept="image/*"
          hidden
          aria-label="Your picture"
          onChange={(event) => {
            const file = event.target.files?.[0];
            event.target.value = "";
            if (file) void take(file);
          }}
        />
      </div>
      {told ? <p className="field-error" role="alert">{told}</p> : <p className="field-hint">Visitors and the team see it; without one, your initials.</p>}
      <Dialog title="Your picture" open={image !== null} onClose={() => setImage(null)}>
        {image && (
          <Cutter
            image={image}
            onCancel={() => setImage(null)}
            onDone={(picture) => {
              setImage(null);
              if (picture === null) setProblem("This picture could not be made small enough.");
              else onValue(picture);
            }}
          />
        )}
      </Dialog>
    </div>
  );
}

interface CutterProps {
  image: HTMLImageElement;
  onCancel: () => void;
  onDone: (picture: string | null) => void;
}

/** Which part of it: by dragging, with the keys, and by how near. */
function Cutter({ image, onCancel, onDone }: CutterProps) {
  const size = { width: image.naturalWidth, height: image.naturalHeight };
  const [crop, setCrop] = useState<Crop>(WHOLE);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current) draw(canvas.current, image, crop);
  }, [image, crop]);
  const move = (right: number, down: number) => setCrop((held) => moved(size, held, right, down));
  function drag(event: PointerEvent<HTMLCanvasElement>) {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const side = event.currentTarget.clientWidth;
    move(event.movementX / side, event.movementY / side);
  }
  function step(event: KeyboardEvent) {
    const steps: Record<string, [number, number]> = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    const found = steps[event.key];
    if (!found) return;
    event.preventDefault();
    move(...found);
  }
  return (
    <div className="stack cutter">
      <canvas
        ref={canvas}
        className="cutter-view"
        width={480}
        height={480}
        tabIndex={0}
        role="img"
        aria-label="What will be seen. The arrow keys move it."
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onKeyDown={step}
      />
      <label className="line">
        <span>Nearer</span>
        <input
          type="range"
          min={1}
          max={ZOOM_MAX}
          step={0.05}
          value={crop.zoom}
          onChange={(event) => setCrop((held) => within(size, { ...held, zoom: Number(event.target.value) }))}
        />
      </label>
      <div className="dialog-foot">
        <Button onClick={onCancel}>Cancel</Button>
        <Button tone="accent" onClick={() => onDone(smallPicture(image, crop))}>
          Use this
        </Button>
      </div>
    </div>
  );
}

/** The picture as a `data:` address that the server takes; nothing where none is small enough. */
function smallPicture(image: HTMLImageElement, crop: Crop): string | null {
  // Four letters stand for three bytes.
  const most = Math.floor(limit.agent_picture_bytes_max / 3) * 4;
  for (const side of SIDES_PX) {
    const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
    draw(canvas, image, crop);
    for (const quality of QUALITIES) {
      const text = canvas.toDataURL("image/jpeg", quality);
      if (text.startsWith("data:image/jpeg;") && text.length <= most) return text;
    }
  }
  return null;
}

function draw(canvas: HTMLCanvasElement, image: HTMLImageElement, crop: Crop): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { left, top, side } = squareOf({ width: image.naturalWidth, height: image.naturalHeight }, crop);
  // What is clear in it stands on white, as it does where it is shown.
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, left, top, side, side, 0, 0, canvas.width, canvas.height);
}
