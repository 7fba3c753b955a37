// A button with a menu: arrows move in it, Escape and Tab leave it, and the focus is never lost.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { Icon, type IconName } from "./icon.tsx";

export interface MenuItem {
  readonly label: string;
  run(): void;
}

/** What stays free between the menu and what is around it. */
const GAP_PX = 4;

export interface MenuProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly icon?: IconName;
  /** What it is among other menus, for its look. */
  readonly kind?: "header" | "emoji";
}

export function Menu({ label, items, icon = "more", kind }: MenuProps): VNode {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useLayoutEffect(() => {
    if (!isOpen || root.current === null) return;
    settle(root.current);
    entries(root.current)[0]?.focus({ preventScroll: true });
  }, [isOpen]);
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    const onPointer = (event: PointerEvent): void => {
      if (root.current?.contains(event.target as Node) === false) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [isOpen]);
  useLayoutEffect(() => {
    const element = root.current;
    return () => {
      // What it belonged to is gone: the focus goes to what stands around.
      if (element?.contains(document.activeElement) === true) element.closest<HTMLElement>("[tabindex]")?.focus();
    };
  }, []);

  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOpen) {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      setOpen(true);
    } else if (event.key === "Escape") close();
    else if (event.key === "Tab") {
      // It goes on from the button.
      close();
      return;
    } else if (!move(entries(root.current), event.key)) return;
    event.preventDefault();
  };

  return (
    <div class={`menu ${kind ?? ""} ${isOpen ? "open" : ""}`} ref={root} onKeyDown={onKeyDown}>
      <button
        ref={button}
        type="button"
        class="plain"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => (isOpen ? close() : setOpen(true))}
      >
        <Icon name={icon} />
      </button>
      {isOpen && (
        <div role="menu" class="items" aria-label={label}>
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                close();
                item.run();
              }}
            >
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** Moves what opened above its button into what is seen of the thread: no side of it cuts anything off. */
function settle(root: HTMLElement): void {
  const menu = root.querySelector<HTMLElement>("[role=menu]");
  const box = root.closest(".thread")?.getBoundingClientRect();
  if (menu === null || box === undefined) return;
  const { left, right, top, height } = menu.getBoundingClientRect();
  const button = root.getBoundingClientRect();
  const x = Math.max(box.left + GAP_PX - left, Math.min(0, box.right - GAP_PX - right));
  const below = button.bottom + GAP_PX;
  const isBelow = top < box.top + GAP_PX;
  const y = isBelow ? Math.max(box.top + GAP_PX, Math.min(below, box.bottom - GAP_PX - height)) - top : 0;
  menu.style.translate = `${x}px ${y}px`;
}

function entries(root: HTMLElement | null): readonly HTMLElement[] {
  return root === null ? [] : [...root.querySelectorAll<HTMLElement>("[role=menuitem]")];
}

/** Moves the focus among the items; whether the key was one that moves. */
function move(items: readonly HTMLElement[], key: string): boolean {
  const at = items.indexOf(document.activeElement as HTMLElement);
  // What comes next stands on the left where one reads from the right.
  const on = document.documentElement.dir === "rtl" ? -1 : 1;
  const steps: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowRight: at + on, ArrowUp: at - 1, ArrowLeft: at - on, Home: 0, End: -1 };
  const to = steps[key];
  if (to === undefined) return false;
  items.at(to % items.length)?.focus();
  return true;
}
