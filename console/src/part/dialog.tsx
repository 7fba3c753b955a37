/** Dialogs: for what cannot be undone, or needs more than one word. */
import { Dialog as Base } from "@base-ui/react/dialog";
import { useBlocker } from "@tanstack/react-router";
import { useLayoutEffect, useRef, useState, type ReactNode } from "react";

import { errorText } from "../api/http.ts";
import { Button, TextField } from "./control.tsx";

/**
 * The way back from a window: to where the focus was before, which is read as it opens, for a field in it takes the
 * focus at once. It is gone as the window closes, not when nothing of it is seen any more: until then keys would be
 * words of a field that goes. Who is elsewhere by then stays there. `instead` takes it where what had it is gone.
 */
export function useWayBack(open: boolean, instead?: () => HTMLElement | null | undefined) {
  const popup = useRef<HTMLDivElement>(null);
  const held = useRef<{ open: boolean; from: Element | null }>({ open: false, from: null });
  if (open !== held.current.open) held.current = { open, from: open ? document.activeElement : held.current.from };
  const from = () => {
    const { from } = held.current;
    return from instanceof HTMLElement && from !== document.body && from.isConnected ? from : (instead?.() ?? null);
  };
  useLayoutEffect(() => {
    const at = document.activeElement;
    if (open || !(at instanceof HTMLElement) || !popup.current?.contains(at)) return;
    at.blur();
    from()?.focus({ preventScroll: true });
  }, [open]);
  const finalFocus = () => {
    const at = document.activeElement;
    return (at === null || at === document.body || popup.current?.contains(at) === true) && (from() ?? true);
  };
  return { ref: popup, finalFocus };
}

/**
 * A window over the page; focus stays in it and goes back where it came from. One that `keeps` closes
 * only by what it says itself: neither Escape, nor a click beside it, nor leaving the page takes it away. `instead` is
 * where the focus goes when what opened it is gone by then.
 */
export function Dialog({
  title,
  open,
  wide,
  keeps = false,
  instead,
  onClose,
  children,
}: {
  title: string;
  open: boolean;
  wide?: boolean;
  keeps?: boolean;
  instead?: () => HTMLElement | null | undefined;
  onClose: () => void;
  children: ReactNode;
}) {
  const way_back = useWayBack(open, instead);
  useBlocker({ shouldBlockFn: () => true, enableBeforeUnload: true, disabled: !open || !keeps });
  return (
    <Base.Root open={open} disablePointerDismissal={keeps} onOpenChange={(next) => !next && !keeps && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Popup className="dialog" data-wide={wide ? "" : undefined} {...way_back}>
          <Base.Title render={<h2 />}>{title}</Base.Title>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** Asks for a word to be typed before something is done for good. */
export function ConfirmByTyping({
  title,
  word,
  action,
  open,
  onClose,
  onConfirm,
  children,
}: {
  title: string;
  word: string;
  action: string;
  open: boolean;
  onClose: () => void;
  onConfirm: () => Promise<void>;
  children: ReactNode;
}) {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const ready = typed.trim() === word;
  // The next time begins anew: nothing stands there that would only need a click.
  const close = () => {
    setTyped("");
    setError(null);
    onClose();
  };
  async function confirm() {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      close();
    } catch (reason) {
      setError(errorText(reason));
    } finally {
      setBusy(false);
    }
  }
  return (
    <Dialog title={title} open={open} onClose={close}>
      <div>{children}</div>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) void confirm();
        }}
      >
        <TextField label={`Type “${word}” to confirm`} value={typed} onValue={setTyped} error={error} autoComplete="off" />
        <div className="dialog-foot">
          <Button onClick={close}>Cancel</Button>
          <Button tone="risk" type="submit" disabled={!ready || busy}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
