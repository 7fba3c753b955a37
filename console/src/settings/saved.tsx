/** Says whether what was changed is stored. */
import { errorText } from "../api/http.ts";
import { Button } from "../part/control.tsx";
import { leafName } from "./leaf.ts";
import { MetLines } from "./met.tsx";
import type { Saving } from "./save.ts";

/** One quiet line. */
export function Saved({ saving: { state, refused } }: { saving: Saving }) {
  const words = state === "saving" ? "Saving" : refused.size > 0 ? "Not all of it is saved" : state === "saved" ? "Saved" : "";
  return (
    <span className="saved faint small" role="status">
      {words}
    </span>
  );
}

/** What was refused, and what colleagues changed meanwhile. Stands in sight, wherever in the page one changed it. */
export function SavingLines({ saving }: { saving: Saving }) {
  return (
    <div className="met">
      <RefusedLines saving={saving} />
      <MetLines saving={saving} />
    </div>
  );
}

const AND = new Intl.ListFormat("en");

/** A line for each reason, until what it kept away is stored or undone. */
function RefusedLines({ saving: { refused, tryAgain } }: { saving: Saving }) {
  const all = [...refused].map(([leaf, { error, fault }]) => ({ name: leafName(leaf), reason: errorText(error), fault }));
  const reasons = [...new Set(all.map(({ reason }) => reason))];
  return (
    <div className="met-lines" role="status" aria-label="Not saved">
      {reasons.map((reason) => {
        const of_it = all.filter((each) => each.reason === reason);
        return (
          <div key={reason} className="met-line">
            <span className="grow">
              <b>{AND.format(of_it.map(({ name }) => name))}</b> {of_it.length === 1 ? "is" : "are"} not saved. {reason}
            </span>
            {of_it.some(({ fault }) => fault !== "value") && (
              <Button size="small" onClick={tryAgain}>
                Try again
              </Button>
            )}
          </div>
        );
      })}
    </div>
  );
}
