// Who speaks for the team, as a small round picture: his own, that of the site for all, or his initials.

import type { VNode } from "preact";
import { useState } from "preact/hooks";

interface FaceProps {
  readonly name: string;
  /** The id of his own picture. */
  readonly picture?: string | null | undefined;
  /** The site's, for who has none. */
  readonly general: string;
}

export function Face({ name, picture, general }: FaceProps): VNode {
  const [failed, setFailed] = useState<string | null>(null);
  const own = picture && picture !== failed ? `/api/v1/pictures/${picture}` : general;
  return own ? (
    <img class="face" src={own} alt="" onError={() => setFailed(picture ?? null)} />
  ) : (
    <span class="face">
      <span>{initials(name)}</span>
    </span>
  );
}

/** The first letters of the first two words. */
export function initials(name: string): string {
  return name
    .split(/\s+/)
    .filter((word) => /^[\p{L}\p{N}]/u.test(word))
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();
}
