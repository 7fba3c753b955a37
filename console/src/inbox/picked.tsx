/** The bar over the list while several conversations are picked, and the box on each row that picks it. */
import { useEffect } from "react";
import type { Conversation, ConversationId } from "@switchboard/protocol";

import { clearPicked, picked, withRange, withShown, withToggled } from "../live/pick.ts";
import { records } from "../live/record.ts";
import { useMay } from "../live/right.ts";
import { shownOrder } from "../live/selection.ts";
import { membership, team } from "../live/session.ts";
import { now } from "../part/clock.ts";
import { Button, IconButton } from "../part/control.tsx";
import { Menu, MenuItem, MenuLabel, MenuRule } from "../part/menu.tsx";
import { useStore } from "../part/store.ts";
import { soonText } from "../part/time.tsx";
import { useActions } from "../shell/action.ts";
import { assignAll, closeAll, snoozeAll } from "../thread/act-all.ts";
import { snoozeChoices } from "../thread/choice.ts";

/** Picks a row, or with shift all from the last pick to it. */
export function pick(id: ConversationId, range: boolean): void {
  picked.set((held) => (range ? withRange(held, shownOrder.get(), id) : withToggled(held, id)));
}

/** The box on a row. Keys reach it by X on the row itself. */
export function PickBox({ id, name }: { id: ConversationId; name: string }) {
  const is_picked = useStore(picked, (held) => held.ids.has(id));
  const may = useMay();
  if (!may("conversations.write")) return null;
  return (
    <label className="row-pick" data-picked={is_picked || undefined}>
      <input
        type="checkbox"
        tabIndex={-1}
        checked={is_picked}
        aria-label={`Pick ${name}`}
        onClick={(event) => {
          // A controlled box is drawn from the store.
          event.preventDefault();
          pick(id, event.shiftKey);
        }}
        onChange={() => undefined}
      />
    </label>
  );
}

/** What can be done with all that are picked; nothing while none is. */
export function PickedBar({ chosen }: { chosen: ConversationId | undefined }) {
  const { ids } = useStore(picked);
  const order = useStore(shownOrder);
  const may = useMay();
  const writes = may("conversations.write");
  useEffect(() => picked.set((held) => withShown(held, order)), [order]);
  useActions([
    ...(writes
      ? [{ id: "pick", name: "Pick the conversation", group: "List" as const, keys: "x", keyOnly: true, run: () => pickHere(chosen) }]
      : []),
    ...(ids.size > 0 ? [{ id: "unpick", name: "Pick none", group: "List" as const, keys: "escape", run: clearPicked }] : []),
  ]);
  if (ids.size === 0 || !writes) return null;
  const then = (act: (rows: readonly Conversation[]) => void) => () => {
    const rows = [...ids].flatMap((id) => records.get().get(id) ?? []);
    clearPicked();
    act(rows);
  };
  return (
    <div className="picked" role="toolbar" aria-label="With the picked conversations">
      <b role="status">{ids.size} picked</b>
      <AssignAll then={then} />
      <Menu align="start" trigger={<IconButton icon="snooze" name="Snooze the picked ones" />}>
        <MenuLabel>Snooze until</MenuLabel>
        {snoozeChoices(now()).map((choice) => (
          <MenuItem key={choice.name} onSelect={then((rows) => snoozeAll(rows, choice.until_ms))}>
            <span className="menu-split">
              {choice.name} <span className="faint">{soonText(choice.until_ms, now())}</span>
            </span>
          </MenuItem>
        ))}
      </Menu>
      <Button size="small" icon="check" onClick={then(closeAll)}>
        Close
      </Button>
      <IconButton icon="close" name="Pick none" shortcut="Escape" onClick={clearPicked} />
    </div>
  );
}

function AssignAll({ then }: { then: (act: (rows: readonly Conversation[]) => void) => () => void }) {
  const agents = useStore(team, (held) => held.agents);
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const members = [...agents.values()].filter((agent) => !agent.deactivated).sort((a, b) => Number(b.id === me) - Number(a.id === me) || a.name.localeCompare(b.name));
  return (
    <Menu
      align="start"
      trigger={
        <Button size="small" icon="assign">
          Assign
        </Button>
      }
    >
      {members.map((agent) => (
        <MenuItem key={agent.id} onSelect={then((rows) => assignAll(rows, agent.id))}>
          {agent.id === me ? `${agent.name} (you)` : agent.name}
        </MenuItem>
      ))}
      <MenuRule />
      <MenuItem icon="close" onSelect={then((rows) => assignAll(rows, null))}>
        Nobody
      </MenuItem>
    </Menu>
  );
}

/** Picks the row that has the focus; the open conversation where none has. */
function pickHere(chosen: ConversationId | undefined): void {
  const id = document.activeElement?.closest<HTMLElement>("[data-row]")?.dataset["row"] ?? chosen;
  if (id !== undefined && shownOrder.get().includes(id)) pick(id, false);
}
