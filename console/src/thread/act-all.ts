/** The same done with several conversations: said once, taken back in one step. */
import type { AgentId, Command, Conversation } from "@switchboard/protocol";

import { errorText } from "../api/http.ts";
import { command, membership, status, team } from "../live/session.ts";
import { now } from "../part/clock.ts";
import { soonText } from "../part/time.tsx";
import { toast, toastError } from "../part/toast.tsx";
import { goBack, type Way } from "./act.ts";
import { wayBack } from "./back.ts";

interface Deed {
  what: Command;
  back: Way;
}

/** After this long without all of it done, and from then on as often, it says how far it is. */
const SAY_EVERY_MS = 400;

let next_about = 1;

/** Does all, and says how many it were; on a slow line, how many so far. Those that were refused are told apart, and not taken back. */
function performAll(deeds: readonly Deed[], words: string): void {
  if (deeds.length === 0) return;
  const done = new Set<Deed>();
  const refused: unknown[] = [];
  let under_way = deeds.length;
  let is_undone = false;
  const about = `all ${next_about++}`;
  const undo = () => {
    is_undone = true;
    clearInterval(saying);
    for (const deed of done) goBack(deed.back);
  };
  const say = (text: string) => toast(`${text} ${words}`, undo, about);
  const saySoFar = () => say(`${deeds.length - under_way - refused.length} of ${countText(deeds.length)}`);
  const sayEnd = () => {
    clearInterval(saying);
    if (!is_undone) {
      const hush = say(countText(done.size));
      if (done.size === 0) hush();
    }
    if (refused.length > 0) toastError(deeds.length === 1 ? errorText(refused[0]) : `${refused.length} of ${countText(deeds.length)} not ${words}: ${errorText(refused[0])}`);
  };
  if (status.get().name !== "live" || !navigator.onLine) toast(`${countText(deeds.length)} ${words}, once the connection is back`, undo, about);
  const saying = setInterval(saySoFar, SAY_EVERY_MS);
  for (const deed of deeds) {
    // Taken back in the order it was done: what is still under way comes first.
    done.add(deed);
    void command(deed.what)
      .catch((error: unknown) => {
        done.delete(deed);
        refused.push(error);
      })
      .finally(() => {
        under_way -= 1;
        if (under_way === 0) sayEnd();
      });
  }
}

function countText(count: number): string {
  return count === 1 ? "1 conversation" : `${count} conversations`;
}

/** Gives all of them to a member, or to nobody. */
export function assignAll(rows: readonly Conversation[], agent_id: AgentId | null): void {
  const name = agent_id === null ? "nobody" : agent_id === membership.get()?.agent_id ? "you" : (team.get().agents.get(agent_id)?.name ?? "a member");
  const changing = rows.filter((row) => (row.assignee_id ?? null) !== agent_id);
  performAll(
    changing.map(({ id, assignee_id }) => ({
      what: { do: "assign", conversation_id: id, agent_id },
      back: () => [{ do: "assign", conversation_id: id, agent_id: assignee_id ?? null }],
    })),
    `assigned to ${name}`,
  );
}

/** Lets all of them rest. */
export function snoozeAll(rows: readonly Conversation[], until_ms: number): void {
  performAll(
    rows
      .filter((row) => row.state !== "closed")
      .map((row) => ({ what: { do: "snooze", conversation_id: row.id, until_ms }, back: () => wayBack(row, "snoozed", now()) })),
    `snoozed until ${soonText(until_ms, now())}`,
  );
}

/** Ends all of them. */
export function closeAll(rows: readonly Conversation[]): void {
  performAll(
    rows
      .filter((row) => row.state !== "closed")
      .map((row) => ({ what: { do: "close", conversation_id: row.id }, back: () => wayBack(row, "closed", now()) })),
    "closed",
  );
}
