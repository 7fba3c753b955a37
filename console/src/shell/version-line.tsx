/** Says that this page is of an older version, while it cannot load itself anew. */
import { Button } from "../part/control.tsx";
import { Lamp } from "../part/lamp.tsx";
import { useStore } from "../part/store.ts";
import { loadAnew, outdated } from "./version.ts";

/** One line over the place; nothing while the page is of today. */
export function VersionLine() {
  const is_outdated = useStore(outdated);
  return (
    <div role="status" aria-live="polite">
      {is_outdated && (
        <div className="connection">
          <Lamp state="held" />
          <span className="grow">Switchboard was updated. This page loads anew once you pause and what you changed is saved; drafts are kept.</span>
          <Button size="small" onClick={loadAnew}>
            Load it now
          </Button>
        </div>
      )}
    </div>
  );
}
