// Colours that can be read: what stands on the customer's colour is computed, never guessed.

/** The relative luminance of `#rrggbb` (WCAG 2). */
export function luminance(hex: string): number {
  const channel = (at: number): number => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

/** The contrast of two luminances, from 1 to 21. */
export function contrast(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** Our own colour, where a customer chose none: the accent of `token.css`. */
const OURS = "#0f4c5c";

/** Of the papers in `token.css`, what words of a colour are read worst on: the darkest by day, the lightest by night. */
export const PAPER = { light: "#f7f4ee", dark: "#222c31" } as const;

/** The colour, or ours where it is none. */
export function safeColor(color: string): string {
  return /^#[0-9a-f]{6}$/i.test(color) ? color : OURS;
}

/** Black or white, whichever is read better on `#rrggbb`; one of them always reaches 4.5:1. */
export function inkOn(color: string): string {
  // Where both are equal: (1 + 0.05) / (x + 0.05) = (x + 0.05) / 0.05.
  return luminance(color) < 0.179 ? "#ffffff" : "#000000";
}

/** The colour moved towards black or white until it reaches 4.5:1 on `paper`. */
export function readableOn(color: string, paper: string): string {
  const safe = safeColor(color);
  const background = luminance(paper);
  const goal = background > 0.18 ? 0 : 255;
  for (let part = 0; part <= 1; part += 0.05) {
    const mixed = mix(safe, goal, part);
    if (contrast(luminance(mixed), background) >= 4.5) return mixed;
  }
  return goal === 0 ? "#000000" : "#ffffff";
}

function mix(hex: string, goal: number, part: number): string {
  return `#${[1, 3, 5]
    .map((at) => {
      const value = parseInt(hex.slice(at, at + 2), 16);
      return Math.round(value + (goal - value) * part)
        .toString(16)
        .padStart(2, "0");
    })
    .join("")}`;
}
