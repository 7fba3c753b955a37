/** `?`: every shortcut of what is on screen. */
import { IconButton } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { createStore, useStore } from "../part/store.ts";
import { actions, keysText, type Action } from "./action.ts";

/** Whether the sheet is open. */
export const sheet_open = createStore(false);

/** As one works, and so that two columns are about as long. */
const GROUPS: readonly Action["group"][] = ["List", "Conversation", "Write", "Go to", "General"];

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

/** The sheet of shortcuts, mounted once. */
export function ShortcutSheet() {
  const open = useStore(sheet_open);
  const offered = useStore(actions);
  const seen = new Set<string>();
  const shown = offered.filter(({ keys }) => keys && !seen.has(keys) && seen.add(keys));
  const of = (wanted: Action["group"]) => shown.filter(({ group }) => group === wanted).map(({ name, keys = "" }) => [name, keys] as const);
  const writes = offered.some(({ group }) => group === "Write");
  const sections = GROUPS.flatMap((group) => [[group, of(group)] as const, ...(group === "Write" && writes ? [["While you write", WRITING] as const] : [])]);
  return (
    <Dialog title="Keyboard" open={open} wide onClose={() => sheet_open.set(false)}>
      <IconButton icon="close" name="Close" className="sheet-close" onClick={() => sheet_open.set(false)} />
      <div className="sheet">
        {sections.filter(([, list]) => list.length > 0).map(([group, list]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {list.map(([name, keys]) => (
                <div key={keys}>
                  <dt>{name}</dt>
                  <dd>
                    <kbd>{keysText(keys)}</kbd>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
