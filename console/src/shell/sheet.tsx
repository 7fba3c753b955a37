/** `?`: every shortcut there is; what does nothing where one is right now is dimmed. */
import { IconButton } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { createStore, useStore } from "../part/store.ts";
import { actions, keysText, type Action } from "./action.ts";

/** Whether the sheet is open. */
export const sheet_open = createStore(false);

/** As one works, and so that two columns are about as long. */
const GROUPS: readonly Action["group"][] = ["List", "Conversation", "Write", "Go to", "General"];

/** What is not offered everywhere, in the order of the sheet. What is on screen says it more exactly. */
const ELSEWHERE: readonly (readonly [group: Action["group"], name: string, keys: string])[] = [
  ["List", "Next conversation", "j"],
  ["List", "Previous conversation", "k"],
  ["List", "Search all conversations", "/"],
  ["List", "Narrow the list", "f"],
  ["List", "Pick the conversation", "x"],
  ["List", "Pick none", "escape"],
  ["List", "Mark as done, or take back", "m"],
  ["List", "Mark as read", "u"],
  ["List", "Mark all as read", "y"],
  ["List", "Pause the list", "p"],
  ["Conversation", "Assign to me", "a"],
  ["Conversation", "Assign to somebody", "t"],
  ["Conversation", "Close", "e"],
  ["Conversation", "Snooze", "s"],
  ["Conversation", "Join", "o"],
  ["Conversation", "Mark as spam", "!"],
  ["Conversation", "Find in this conversation", "l"],
  ["Conversation", "Go to a day of this conversation", "d"],
  ["Conversation", "Show the side panel", "i"],
  ["Write", "Reply", "r"],
  ["Write", "Write a note", "n"],
  ["Write", "Go to the composer", "enter"],
];

/** What is typed into the composer itself. */
const WRITING: readonly (readonly [name: string, keys: string])[] = [
  ["Send", "enter"],
  ["New line", "shift+enter"],
  ["Canned response, by its nickname", "\\"],
  ["Canned response, by how it begins", "\\\\"],
  ["Emoji, by its name", ":"],
  ["Tell a colleague, in a note", "@"],
  ["Leave the composer", "escape"],
];

interface Line {
  name: string;
  keys: string;
  /** Whether it does something right now. */
  does: boolean;
}

/** What one group has: what is offered by its own name, the newest part first, and what other places offer. */
function linesOf(group: Action["group"], offered: readonly Action[]): Line[] {
  const now = new Map(offered.toReversed().flatMap((action) => (action.keys ? [[action.keys, action] as const] : [])));
  const elsewhere = ELSEWHERE.filter(([its]) => its === group).map(([, name, keys]): Line => ({ name: now.get(keys)?.name ?? name, keys, does: now.has(keys) }));
  const known = new Set(ELSEWHERE.map(([, , keys]) => keys));
  const here = [...now.values()].reverse().filter((action) => action.group === group && !known.has(action.keys ?? ""));
  return [...elsewhere, ...here.map(({ name, keys = "" }): Line => ({ name, keys, does: true }))];
}

/** The sheet of shortcuts, mounted once. */
export function ShortcutSheet() {
  const open = useStore(sheet_open);
  const offered = useStore(actions);
  const writes = offered.some(({ group }) => group === "Write");
  const typed = WRITING.map(([name, keys]): Line => ({ name, keys, does: writes }));
  const sections = GROUPS.flatMap((group) => [[group, linesOf(group, offered)] as const, ...(group === "Write" ? [["While you write", typed] as const] : [])]);
  return (
    <Dialog title="Keyboard" open={open} wide onClose={() => sheet_open.set(false)}>
      <IconButton icon="close" name="Close" className="sheet-close" onClick={() => sheet_open.set(false)} />
      <div className="sheet">
        {sections.map(([group, list]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {list.map(({ name, keys, does }) => (
                <div key={keys} data-idle={does ? undefined : ""}>
                  <dt>
                    {name}
                    {!does && <span className="heard-only">, not right now</span>}
                  </dt>
                  <dd>
                    <kbd>{keysText(keys)}</kbd>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p className="faint small" aria-hidden="true">
        What is dimmed does nothing right now.
      </p>
    </Dialog>
  );
}
