// The few signs of the panel, drawn on one grid of 20.

import type { VNode } from "preact";

const paths = {
  close: "M5 5l10 10M15 5L5 15",
  down: "M4.5 7.5L10 13l5.5-5.5",
  clip: "M15.5 9.2l-5.6 5.6a3.6 3.6 0 0 1-5.1-5.1l6-6a2.4 2.4 0 0 1 3.4 3.4l-6 6a1.2 1.2 0 0 1-1.7-1.7l5.3-5.3",
  send: "M10 16V4.5M4.8 9.6L10 4.4l5.2 5.2",
  file: "M5.5 2.5h6l3.5 3.5v11.5h-9.5zM11.5 2.5V6H15",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  clock: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6.2V10l2.6 1.8",
  check: "M4.5 10.5l3.6 3.6 7.4-8",
  checks: "M2 10.6l3.4 3.4 6.6-7.4M9.4 13l1.2 1.2 7-7.8",
  warn: "M10 3.2l7.4 13.3H2.6zM10 8v4M10 14.2h.01",
  smile: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM7.2 11.8a3.4 3.4 0 0 0 5.6 0M7.6 8h.01M12.4 8h.01",
  larger: "M12 3.5h4.5v4.5M8 16.5H3.5V12M16 4l-4.5 4.5M4 16l4.5-4.5",
  load: "M10 3v9.5M6 9l4 4 4-4M4 16.5h12",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): VNode {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
