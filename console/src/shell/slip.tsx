/** A slip of paper in the corner: what is so and passes by itself. It lies over the page, so that nothing moves as it comes and goes. */
import type { ReactNode } from "react";

import { Button } from "../part/control.tsx";
import { Lamp, type LampState } from "../part/lamp.tsx";

interface SlipProps {
  lamp: LampState;
  children: ReactNode;
  /** What may be done about it. */
  action?: ReactNode;
  /** Nothing where somebody must see to it. */
  onPutAway: (() => void) | null;
}

/** What can be done stands below the words, where it stays while these change. */
export function Slip({ lamp, children, action, onPutAway }: SlipProps) {
  return (
    <div className="slip">
      <Lamp state={lamp} />
      <p>{children}</p>
      <div className="slip-ways">
        {action}
        {onPutAway && (
          <Button size="small" tone="plain" onClick={onPutAway}>
            Put away
          </Button>
        )}
      </div>
    </div>
  );
}
