/** The words of a message or note that are being changed, where they stand. */
import { useEffect, useRef, useState, type KeyboardEvent } from "react";

import { errorText } from "../api/http.ts";
import type { Form } from "../part/begun.ts";
import { Button } from "../part/control.tsx";
import { keysText } from "../shell/action.ts";

/** What differs from what was said stands there again when one comes back. */
export function EditField({ before, edit, onSave }: { before: string; edit: Form<string>; onSave: (body: string) => Promise<unknown> }) {
  const [error, setError] = useState<string | null>(null);
  const saving = useRef<string | null>(null);
  const text = edit.value ?? before;
  async function save() {
    const body = text.trim();
    if (body === "" || body === before) return edit.close();
    // Pressed again while that is on its way, there is nothing more to do.
    if (body === saving.current) return;
    saving.current = body;
    setError(null);
    try {
      await onSave(body);
      edit.saved(edit.value);
    } catch (reason) {
      setError(errorText(reason));
    } finally {
      if (saving.current === body) saving.current = null;
    }
  }
  function key(event: KeyboardEvent) {
    if (event.key === "Escape") edit.close();
    else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) void save();
    else return;
    event.preventDefault();
  }
  return (
    <div className="edit">
      <textarea
        className="input"
        aria-label="Edit the text"
        autoFocus={edit.opened === "here"}
        dir="auto"
        value={text}
        onChange={({ target }) => edit.change(target.value === before ? undefined : target.value)}
        onKeyDown={key}
      />
      {error && (
        <div className="field-error" role="alert">
          {error}
        </div>
      )}
      <div className="line">
        <Button size="small" tone="accent" onClick={() => void save()}>
          Save
        </Button>
        <Button size="small" tone="plain" onClick={edit.close}>
          Cancel
        </Button>
        <span className="edit-hint faint small">
          <kbd>{keysText("enter")}</kbd> save <kbd>{keysText("escape")}</kbd> cancel
        </span>
      </div>
    </div>
  );
}

/** Gives up what was begun: what it would change is gone. */
export function GivenUp({ edit }: { edit: Form<string> }) {
  useEffect(() => edit.close(), []);
  return null;
}
