// A button with a menu: arrows move in it, Escape and Tab leave it, and the focus is never lost.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { Icon } from "./icon.tsx";

export interface MenuItem {
  readonly label: string;
  run(): void;
}

/** Room that the open menu needs above its button. */
const HEIGHT_PX = 130;

export function Menu({ label, items }: { label: string; items: readonly MenuItem[] }): VNode {
  const [place, setPlace] = useState<"above" | "below" | null>(null);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useLayoutEffect(() => {
    if (place !== null) entries(root.current)[0]?.focus();
  }, [place]);
  useEffect(() => {
    if (place === null) return undefined;
    const onPointer = (event: PointerEvent): void => {
      if (root.current?.contains(event.target as Node) === false) setPlace(null);
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [place]);
  useLayoutEffect(() => {
    const element = root.current;
    return () => {
      // What it belonged to is gone: the focus goes to what stands around.
      if (element?.contains(document.activeElement) === true) element.closest<HTMLElement>("[tabindex]")?.focus();
    };
  }, []);

  const open = (): void => {
    const element = button.current;
    const box = element?.closest(".thread");
    if (element === null || box == null) return;
    const room = element.getBoundingClientRect().top - box.getBoundingClientRect().top;
    setPlace(room < HEIGHT_PX ? "below" : "above");
  };
  const close = (): void => {
    setPlace(null);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (place === null) {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      open();
    } else if (event.key === "Escape") close();
    else if (event.key === "Tab") {
      // It goes on from the button.
      close();
      return;
    } else if (!move(entries(root.current), event.key)) return;
    event.preventDefault();
  };

  return (
    <div class={place === null ? "menu" : "menu open"} ref={root} onKeyDown={onKeyDown}>
      <button
        ref={button}
        type="button"
        class="plain"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={place !== null}
        onClick={() => (place === null ? open() : close())}
      >
        <Icon name="more" />
      </button>
      {place !== null && (
        <div role="menu" class={`items ${place}`} aria-label={label}>
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

function entries(root: HTMLElement | null): readonly HTMLElement[] {
  return root === null ? [] : [...root.querySelectorAll<HTMLElement>("[role=menuitem]")];
}

/** Moves the focus among the items; whether the key was one that moves. */
function move(items: readonly HTMLElement[], key: string): boolean {
  const at = items.indexOf(document.activeElement as HTMLElement);
  const steps: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  const to = steps[key];
  if (to === undefined) return false;
  items.at(to % items.length)?.focus();
  return true;
}
