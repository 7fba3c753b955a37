/** Menus behind a button. */
import { Menu as Base } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";

import { Icon, type IconName } from "./icon.tsx";

/** The page's main part, where all that is said belongs; looked for once it is there. */
export const MAIN_PART = {
  get current() {
    return document.getElementById("place");
  },
};

/** A button with a menu. */
export function Menu({
  trigger,
  children,
  align = "end",
  side = "bottom",
}: {
  trigger: ReactElement<Record<string, unknown>>;
  children: ReactNode;
  align?: "start" | "end";
  side?: "top" | "bottom" | "right";
}) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal container={MAIN_PART}>
        <Base.Positioner className="positioner" sideOffset={4} align={align} side={side} collisionPadding={8}>
          <Base.Popup className="menu">{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

/** A line of a menu. */
export function MenuItem({
  icon,
  mark,
  tone,
  shortcut,
  disabled,
  onSelect,
  children,
}: {
  icon?: IconName;
  mark?: ReactNode;
  tone?: "risk";
  shortcut?: string;
  disabled?: boolean;
  onSelect: () => void;
  children: ReactNode;
}) {
  return (
    <Base.Item className="menu-item" data-tone={tone} disabled={disabled ?? false} onClick={onSelect}>
      {mark}
      {icon && <Icon name={icon} />}
      <span className="cut grow">{children}</span>
      {shortcut && <kbd>{shortcut}</kbd>}
    </Base.Item>
  );
}

/** A heading within a menu. */
export function MenuLabel({ children }: { children: ReactNode }) {
  return (
    <div className="menu-label" role="presentation">
      {children}
    </div>
  );
}

/** A line between groups. */
export function MenuRule() {
  return <Base.Separator className="menu-rule" />;
}
