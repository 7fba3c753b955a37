/** `?`: every shortcut of what is on screen. */
import { IconButton } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { createStore, useStore } from "../part/store.ts";
import { actions, keysText, type Action } from "./action.ts";

/** Whether the sheet is open. */
export const sheet_open = createStore(false);

/** As one works, and so that two columns are about as long. */
const GROUPS: readonly Action["group"][] = ["List", "Conversation", "Write", "Go to", "General"];

/** The sheet of shortcuts, mounted once. */
export function ShortcutSheet() {
  const open = useStore(sheet_open);
  const offered = useStore(actions);
  const seen = new Set<string>();
  const shown = offered.filter(({ keys }) => keys && !seen.has(keys) && seen.add(keys));
  const groups = GROUPS.map((group) => [group, shown.filter((action) => action.group === group)] as const).filter(([, list]) => list.length > 0);
  return (
    <Dialog title="Keyboard" open={open} wide onClose={() => sheet_open.set(false)}>
      <IconButton icon="close" name="Close" className="sheet-close" onClick={() => sheet_open.set(false)} />
      <div className="sheet">
        {groups.map(([group, list]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {list.map((action) => (
                <div key={action.id}>
                  <dt>{action.name}</dt>
                  <dd>
                    <kbd>{keysText(action.keys ?? "")}</kbd>
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
