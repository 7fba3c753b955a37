/** Two changed one thing: the last write stands, and whoever made it reads whose it took the place of. */
import { Button, IconButton } from "../part/control.tsx";
import { languageName } from "../part/language.ts";
import { leafName } from "./leaf.ts";
import type { Saving } from "./save.ts";

const SAID_LENGTH_MAX = 200;

/** A value in words, where it has any: pictures, lists and times are told by their names alone. */
function saidOf(leaf: string, value: unknown): string | null {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "string" || value.startsWith("data:") || value.length > SAID_LENGTH_MAX) return null;
  if (leaf.endsWith(".language")) return languageName(value);
  return value.trim() === "" ? "nothing" : value;
}

/** All that was met, each with a way back to theirs. */
export function MetLines({ saving: { met, takeTheirs, forget } }: { saving: Saving }) {
  return (
    <div className="met-lines" role="status" aria-label="Changed by colleagues">
      {met.map((each) => {
        const name = leafName(each.leaf);
        const said = saidOf(each.leaf, each.theirs);
        return (
          <div key={each.leaf} className="met-line">
            <span className="grow">
              A colleague changed <b>{name}</b>
              {said !== null && (
                <>
                  {" to "}
                  <b>
                    <bdi>{said}</bdi>
                  </b>
                </>
              )}{" "}
              meanwhile. Yours stands in its place.
            </span>
            <Button size="small" onClick={() => takeTheirs(each)}>
              Take theirs
            </Button>
            <IconButton icon="close" name={`Keep mine: ${name}`} onClick={() => forget(each.leaf)} />
          </div>
        );
      })}
    </div>
  );
}
