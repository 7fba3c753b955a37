/** What can be done with a log as one reads it: find words, go to a day, keep it as a text. */
import { useState } from "react";
import type { Conversation } from "@switchboard/protocol";

import { errorText } from "../api/http.ts";
import { now } from "../part/clock.ts";
import { Button, TextField } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { useLacks } from "../part/lack.ts";
import { MenuItem, MenuLabel } from "../part/menu.tsx";
import { toast, toastError } from "../part/toast.tsx";
import { useActions } from "../shell/action.ts";
import { sought } from "./sought.ts";
import { useNames } from "./thread.tsx";
import { saveTranscript, type Part } from "./transcript.ts";

/** The lines of a menu, and the window that one of them opens. */
export function useLogMenu(row: Conversation, onFind: () => void) {
  const [asking, setAsking] = useState(false);
  const names = useNames(row);
  const save = (part: Part) => {
    toast("The conversation is being written down");
    saveTranscript(row, part, names).catch((error: unknown) => toastError(errorText(error)));
  };
  useActions([
    { id: "find", name: "Find in this conversation", group: "Conversation", keys: "l", icon: "search", run: onFind },
    { id: "day", name: "Go to a day of this conversation", group: "Conversation", keys: "d", icon: "clock", run: () => setAsking(true) },
    { id: "save", name: "Save this conversation as a text", group: "Conversation", icon: "file", run: () => save("messages") },
  ]);
  return {
    items: (
      <>
        <MenuItem icon="search" shortcut="L" onSelect={onFind}>
          Find in it
        </MenuItem>
        <MenuItem icon="clock" shortcut="D" onSelect={() => setAsking(true)}>
          Go to a day
        </MenuItem>
        {!row.contact_erased && (
          <>
            <MenuLabel>Save as a text</MenuLabel>
            <MenuItem icon="file" onSelect={() => save("messages")}>
              What was said
            </MenuItem>
            <MenuItem icon="note" onSelect={() => save("all")}>
              With notes and events
            </MenuItem>
          </>
        )}
      </>
    ),
    dialog: <DayDialog row={row} open={asking} onClose={() => setAsking(false)} />,
  };
}

function DayDialog({ row, open, onClose }: { row: Conversation; open: boolean; onClose: () => void }) {
  const [day, setDay] = useState("");
  const at_ms = new Date(`${day}T00:00`).getTime();
  const good = Number.isFinite(at_ms) && at_ms <= now();
  const to_come = day && !good ? "Pick a day that has begun." : null;
  const lacks = useLacks<"day">(good ? {} : { day: "Pick a day." }, null, () => {
    sought.set({ conversation_id: row.id, place: { at_ms } });
    close();
  });
  function close() {
    lacks.clear();
    onClose();
  }
  return (
    <Dialog title="Go to a day" open={open} onClose={close}>
      <form className="stack" {...lacks.form}>
        <TextField label="Day" type="date" value={day} onValue={setDay} error={to_come ?? lacks.said("day")} hint="Where nothing was said that day, the next one is shown." />
        <div className="dialog-foot">
          <Button onClick={close}>Cancel</Button>
          <Button tone="accent" type="submit">
            Go there
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
