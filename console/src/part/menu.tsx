/** Menus behind a button. */
import { Menu as Base } from "@base-ui/react/menu";
import { useEffect, useRef, type ReactElement, type ReactNode } from "react";

import { Icon, type IconName } from "./icon.tsx";

/** The page's main part, where all that is said belongs; looked for once it is there. */
export const MAIN_PART = {
  get current() {
    return document.getElementById("place");
  },
};

type Align = "start" | "end";

/** A button with a menu. */
export function Menu({
  trigger,
  children,
  align = "end",
  side = "bottom",
}: {
  trigger: ReactElement<Record<string, unknown>>;
  children: ReactNode;
  align?: Align;
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

/** The open menu of one button among so many that each having a menu of its own would cost too much. */
export function MenuOf({ button, by_key, align, onClose, children }: { button: HTMLElement; by_key: boolean; align: Align; onClose: () => void; children: ReactNode }) {
  const popup = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!by_key) return;
    // Whoever opens it by a key stands on its first line, once the menu has taken the focus.
    const timer = setTimeout(() => popup.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus(), 50);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Base.Root
      open
      modal={false}
      onOpenChange={(open, { event }) => {
        // A press on the button itself is the button's own.
        if (!open && !button.contains(event.target as Node | null)) onClose();
      }}
    >
      <Base.Portal container={MAIN_PART}>
        <Base.Positioner className="positioner" anchor={button} sideOffset={4} align={align} collisionPadding={8}>
          <Base.Popup className="menu" ref={popup} finalFocus={() => button}>
            {children}
          </Base.Popup>
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

/** A line of a menu that leads somewhere: a link, as the router draws it. */
export function MenuLink({ link, shortcut, children }: { link: ReactElement<Record<string, unknown>>; shortcut?: string; children: ReactNode }) {
  return (
    <Base.LinkItem className="menu-item" render={link} closeOnClick>
      <span className="cut grow">{children}</span>
      {shortcut && <kbd>{shortcut}</kbd>}
    </Base.LinkItem>
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
