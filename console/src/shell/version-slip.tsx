/** Says that this page is of an older version, while it cannot load itself anew. */
import { useState } from "react";

import { Button } from "../part/control.tsx";
import { useStore } from "../part/store.ts";
import { Slip } from "./slip.tsx";
import { loadAnew, outdated } from "./version.ts";

/** One slip; nothing while the page is of today. */
export function VersionSlip() {
  const is_outdated = useStore(outdated);
  const [is_put_away, setPutAway] = useState(false);
  return (
    <div role="status" aria-live="polite">
      {is_outdated && !is_put_away && (
        <Slip
          lamp="held"
          onPutAway={() => setPutAway(true)}
          action={
            <Button size="small" onClick={loadAnew}>
              Load it now
            </Button>
          }
        >
          Switchboard was updated. This page loads anew once you pause and what you changed is saved; drafts are kept.
        </Slip>
      )}
    </div>
  );
}
