/** Copying: says whether it worked, and what to do where it did not. */
import { useRef, useState, type ReactNode, type RefObject } from "react";

import { Button } from "./control.tsx";

/** Copies a text; also on pages without TLS, where browsers hide the clipboard. Says whether it worked. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "heard-only";
  // Inside the window at hand: outside it, its focus trap would take the selection away.
  (focused?.closest("[role=dialog]") ?? document.body).append(field);
  field.select();
  let copied = false;
  try {
    copied = document.execCommand("copy");
  } catch {
    // Forbidden here: the words beside the button say what to do.
  }
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}

type Outcome = "idle" | "copied" | "failed";

function useCopying(text: string) {
  const [outcome, setOutcome] = useState<Outcome>("idle");
  async function copy() {
    setOutcome((await copyText(text)) ? "copied" : "failed");
  }
  return { outcome, copy };
}

/** A button that copies a text and says so. */
export function CopyButton({ text, label = "Copy", size }: { text: string; label?: string; size?: "small" }) {
  const { outcome, copy } = useCopying(text);
  const words = { idle: label, copied: "Copied", failed: "Not copied: select it and copy by hand" }[outcome];
  return (
    <Button icon={outcome === "copied" ? "check" : "copy"} onClick={() => void copy()} {...(size ? { size } : {})}>
      <span aria-live="polite">{words}</span>
    </Button>
  );
}

/** A text in a box of its own with a button that copies it; where that fails, the text is selected. */
export function CopyField({ name, text, children }: { name: string; text: string; children?: ReactNode }) {
  const { outcome, copy } = useCopying(text);
  const box = useRef<HTMLElement>(null);
  return (
    <div className="stack">
      <code className="secret" ref={box} tabIndex={0} role="textbox" aria-readonly="true" aria-label={name} onFocus={() => select(box)}>
        {text}
      </code>
      {outcome === "failed" && (
        <p className="field-error" role="alert">
          This browser did not allow copying. The text is selected: copy it with the keyboard or the menu.
        </p>
      )}
      <div className="dialog-foot">
        <Button
          icon={outcome === "copied" ? "check" : "copy"}
          autoFocus
          onClick={async () => {
            await copy();
            select(box);
          }}
        >
          <span aria-live="polite">{outcome === "copied" ? "Copied" : "Copy"}</span>
        </Button>
        {children}
      </div>
    </div>
  );
}

function select(box: RefObject<HTMLElement | null>): void {
  if (box.current) getSelection()?.selectAllChildren(box.current);
}
