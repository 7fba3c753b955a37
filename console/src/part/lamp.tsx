/** The lamp and the face: who or what, and in which state. */
import { useState } from "react";

import { createStore, useStore } from "./store.ts";

/** What a lamp can say. */
export type LampState = "ringing" | "live" | "held" | "away" | "assistant" | "risk" | "quiet";

/** A small light. The name is read aloud and shown on hover; give none where a text beside says it. */
export function Lamp({ state, name, size }: { state: LampState; name?: string; size?: "small" }) {
  return (
    <span
      className="lamp"
      data-state={state}
      data-size={size}
      title={name}
      role={name ? "img" : undefined}
      aria-label={name}
      aria-hidden={name ? undefined : true}
    />
  );
}

/** The first letters of a name: two at most; one of an address. */
export function initials(name: string): string {
  const words = name.replace(/@.*/u, "").split(/[^\p{L}\p{M}\p{N}]+/u).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = words.slice(0, 2).map((word) => [...word][0] ?? "");
  return letters.join("").toUpperCase() || "?";
}

/** A steady hue for a name or id, so that a face keeps its colour. */
export function hueOf(seed: string): number {
  let hash = 7;
  for (const letter of seed) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 9_973;
  return (hash * 47) % 360;
}

/** Pictures of those who have one, by whatever their faces are seeded with. */
export const pictures = createStore<ReadonlyMap<string, string>>(new Map());

/** A face: a picture, or initials on a quiet tint. */
export function Face({
  name,
  seed,
  size,
  lamp,
  lampName,
}: {
  name: string;
  seed: string;
  size?: "small" | "large" | "huge";
  lamp?: LampState | undefined;
  lampName?: string;
}) {
  const picture = useStore(pictures, (known) => known.get(seed));
  const hue = hueOf(seed);
  const style = {
    "--face": `light-dark(oklch(91% 0.045 ${hue}), oklch(34% 0.055 ${hue}))`,
    "--face-ink": `light-dark(oklch(38% 0.075 ${hue}), oklch(88% 0.06 ${hue}))`,
  } as React.CSSProperties;
  return (
    <span className="face" data-size={size} style={style} aria-hidden={lampName ? undefined : true}>
      <span aria-hidden="true">{initials(name)}</span>
      {picture && <Picture key={picture} url={picture} />}
      {lamp && <Lamp state={lamp} size="small" {...(lampName ? { name: lampName } : {})} />}
    </span>
  );
}

/** Over the initials, which stay where it cannot be had. */
function Picture({ url }: { url: string }) {
  const [failed, setFailed] = useState(false);
  return failed ? null : <img className="face-picture" src={url} alt="" draggable={false} onError={() => setFailed(true)} />;
}
