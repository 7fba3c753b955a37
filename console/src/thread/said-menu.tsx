/** What can be done with one thing that was said: change it, copy it, take it away. One menu serves all lines. */
import { useCallback, useEffect, useState } from "react";

import { errorText } from "../api/http.ts";
import { command } from "../live/session.ts";
import type { Form } from "../part/begun.ts";
import { Button } from "../part/control.tsx";
import { copyText } from "../part/copy.tsx";
import { Dialog } from "../part/dialog.tsx";
import { MenuItem, MenuOf } from "../part/menu.tsx";
import { toast, toastError } from "../part/toast.tsx";
import { isMine } from "./entry.tsx";
import type { Names } from "./event.ts";
import type { Item, Written } from "./item.ts";

interface Opened {
  key: string;
  button: HTMLElement;
  by_key: boolean;
}

/** The menu of the lines that are shown: which one's is open, how one opens it, and what it draws. */
export function useSaidMenu(shown: readonly Item[], names: Names, conversation_id: string, editOf: (entry_id: string) => Form<string>) {
  const [opened, setOpened] = useState<Opened | null>(null);
  const [deleting, setDeleting] = useState<{ item: Written; back: () => HTMLElement | null } | null>(null);
  const toggle = useCallback(({ key }: Written, button: HTMLElement, by_key: boolean) => setOpened((held) => (held?.button === button ? null : { key, button, by_key })), []);
  const item = opened ? shown.find((each) => each.key === opened.key) : undefined;
  useEffect(() => {
    // Its line is far out of sight, or cannot be changed any more.
    if (opened && !opened.button.isConnected) setOpened(null);
  });
  return {
    open_key: opened?.key,
    toggle,
    view: (
      <>
        {opened && item && "message" in item && (
          <SaidMenu
            item={item}
            opened={opened}
            mine={isMine(item, names)}
            onEdit={editOf(item.entry_id ?? "").open}
            onDelete={() => setDeleting({ item, back: wayBackTo(opened.button) })}
            onClose={() => setOpened(null)}
          />
        )}
        {deleting && <DeleteDialog {...deleting} conversation_id={conversation_id} onClose={() => setDeleting(null)} />}
      </>
    ),
  };
}

interface SaidMenuProps {
  item: Written;
  opened: Opened;
  mine: boolean;
  onEdit: () => void;
  onDelete: () => void;
  onClose: () => void;
}

function SaidMenu({ item, opened, mine, onEdit, onDelete, onClose }: SaidMenuProps) {
  return (
    <MenuOf button={opened.button} by_key={opened.by_key} align={item.author.kind === "visitor" ? "start" : "end"} onClose={onClose}>
      {mine && item.message.body !== "" && (
        <MenuItem icon="edit" onSelect={onEdit}>
          Edit
        </MenuItem>
      )}
      <MenuItem icon="copy" onSelect={() => void copyWords(item.message.body)}>
        Copy the text
      </MenuItem>
      <MenuItem icon="trash" tone="risk" onSelect={onDelete}>
        Delete
      </MenuItem>
    </MenuOf>
  );
}

async function copyWords(text: string): Promise<void> {
  if (await copyText(text)) toast("The text was copied");
  else toastError("This browser did not allow copying. Select the text and copy it by hand.");
}

/** The way back to a button of a line; where it is gone with its line, to the log. */
function wayBackTo(button: HTMLElement): () => HTMLElement | null {
  const log = button.closest<HTMLElement>("[role=log]");
  return () => (button.isConnected ? button : log);
}

/** Asks before something is gone for everybody. */
function DeleteDialog({ item, back, conversation_id, onClose }: { item: Written; back: () => HTMLElement | null; conversation_id: string; onClose: () => void }) {
  function confirm() {
    onClose();
    command({ do: "delete_message", conversation_id, entry_id: item.entry_id ?? "" }).catch((error: unknown) => toastError(errorText(error)));
  }
  return (
    <Dialog title={item.kind === "note" ? "Delete this note?" : "Delete this message?"} open instead={back} onClose={onClose}>
      <p>Its words and files are gone for everybody, and cannot be brought back. That something stood here stays visible.</p>
      <div className="dialog-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="risk" onClick={confirm}>
          Delete
        </Button>
      </div>
    </Dialog>
  );
}
