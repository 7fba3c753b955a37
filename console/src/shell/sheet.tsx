/** `?`: every shortcut of what is on screen. */
import { Dialog } from "../part/dialog.tsx";
import { createStore, useStore } from "../part/store.ts";
import { actions, keysText, type Action } from "./action.ts";

/** Whether the sheet is open. */
export const sheet_open = createStore(false);

/** The sheet of shortcuts, mounted once. */
export function ShortcutSheet() {
  const open = useStore(sheet_open);
  const offered = useStore(actions);
  const groups = new Map<string, Action[]>();
  const seen = new Set<string>();
  for (const action of offered) {
    if (!action.keys || seen.has(action.keys)) continue;
    seen.add(action.keys);
    groups.set(action.group, [...(groups.get(action.group) ?? []), action]);
  }
  return (
    <Dialog title="Keyboard" open={open} wide onClose={() => sheet_open.set(false)}>
      <div className="sheet">
        {[...groups].map(([group, list]) => (
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
