/** The quiet page around signing in, setting up and joining. */
import type { ReactNode } from "react";

import { Mark } from "../shell/rail.tsx";

/** A page with one thing to do. */
export function DoorFrame({ title, lead, wide, children }: { title: string; lead?: ReactNode; wide?: boolean; children: ReactNode }) {
  return (
    <main className="door" data-wide={wide || undefined}>
      <div className="door-inner">
        <div className="door-mark">
          <Mark /> <span>Switchboard</span>
        </div>
        <h1>{title}</h1>
        {lead && <p className="door-lead">{lead}</p>}
        {children}
      </div>
    </main>
  );
}

/** The secret of a one-time link: in the fragment, which no server and no log ever sees. */
export function linkToken(): string {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
}
