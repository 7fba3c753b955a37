/** A site's pictures: its logo, and the face of who has none; and the icon of the workspace. Any picture is taken, and made small here. */
import { useRef, useState, type ReactNode } from "react";
import { limit } from "@switchboard/protocol";

import { Button } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";

/** How a picture is to be made. */
interface Form {
  /** Sides that are tried, the largest first: smaller ones where a picture needs too many bytes. */
  sides_px: readonly number[];
  /** Types that are tried, with how well they keep it. */
  types: readonly (readonly [type: string, quality: number])[];
  /** How it will be seen. */
  shape: "round" | "square";
  /** Letters of its `data:` address, at most. */
  length_max: number;
}

/** Kept with the look: twice the size in which it is shown. */
const LOGO: Form = {
  sides_px: [72, 48, 36],
  types: [["image/png", 1], ["image/webp", 0.85], ["image/jpeg", 0.8]],
  shape: "round",
  length_max: limit.logo_bytes_max,
};

/** Kept by itself, with its clear places: tabs show it small, lists of shortcuts larger. */
export const ICON: Form = {
  sides_px: [128, 96, 64],
  types: [["image/png", 1]],
  shape: "square",
  // Four letters stand for three bytes.
  length_max: Math.floor(limit.agent_picture_bytes_max / 3) * 4,
};

interface LogoProps {
  label: string;
  hint: string;
  value: string;
  error: string | null;
  form?: Form;
  /** What stands there while nothing was chosen. */
  instead?: ReactNode;
  onValue: (value: string) => void;
}

/** What it is, and how to choose another. */
export function LogoField({ label, hint, value, error, form = LOGO, instead = <Icon name="picture" />, onValue }: LogoProps) {
  const picker = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  async function take(file: File) {
    try {
      setProblem(null);
      onValue(await smallPicture(file, form));
    } catch {
      setProblem("This could not be read as a picture. PNG, JPEG, WebP, GIF and SVG work.");
    }
  }
  return (
    <div className="field logo" role="group" aria-label={label}>
      <span className="field-label">{label}</span>
      <div className="line">
        {value ? (
          <img className="logo-picture" data-shape={form.shape} src={value} alt={`${label} of now`} />
        ) : (
          <span className="logo-none" data-shape={form.shape} aria-hidden="true">
            {instead}
          </span>
        )}
        <Button size="small" onClick={() => picker.current?.click()}>
          {value ? "Choose another" : "Choose a picture"}
        </Button>
        {value && (
          <Button size="small" tone="plain" onClick={() => onValue("")}>
            Remove
          </Button>
        )}
        <input
          ref={picker}
          type="file"
          accept="image/*"
          hidden
          aria-label={`Picture: ${label}`}
          onChange={(event) => {
            const file = event.target.files?.[0];
            event.target.value = "";
            if (file) void take(file);
          }}
        />
      </div>
      {problem ?? error ? <p className="field-error" role="alert">{problem ?? error}</p> : <p className="field-hint">{hint}</p>}
    </div>
  );
}

/** The picture as a `data:` address that the server takes, whole and as large as fits. */
async function smallPicture(file: File, { sides_px, types, length_max }: Form): Promise<string> {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    for (const side of sides_px) {
      for (const [type, quality] of types) {
        const text = drawn(image, side, type === "image/jpeg").toDataURL(type, quality);
        if (text.startsWith(`data:${type};`) && text.length <= length_max) return text;
      }
    }
    throw new Error("too large");
  } finally {
    URL.revokeObjectURL(url);
  }
}

function drawn(image: HTMLImageElement, side: number, onWhite: boolean): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas");
  // Some pictures of lines alone have no size of their own.
  const width = image.naturalWidth || side;
  const height = image.naturalHeight || side;
  const scale = side / Math.max(width, height);
  if (onWhite) {
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, side, side);
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(image, (side - width * scale) / 2, (side - height * scale) / 2, width * scale, height * scale);
  return canvas;
}
