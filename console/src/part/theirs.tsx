/** What somebody else made of a field that is changed here, and the way to take it. */
import { Button } from "./control.tsx";

/** Stands at the field. `who` begins the sentence. */
export function Theirs({ who = "A colleague", value, onTake }: { who?: string; value: string; onTake: () => void }) {
  return (
    <span role="status">
      {who} changed this to <b className="theirs">{value === "" ? "nothing" : <bdi>{value}</bdi>}</b> meanwhile. Saving puts yours in its place.{" "}
      <Button size="small" tone="plain" onClick={onTake}>
        Take theirs
      </Button>
    </span>
  );
}
