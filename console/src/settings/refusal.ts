/** Changes that were refused: they stand in the form alone, until they are stored, undone or written otherwise. Pure. */
import { isSame, joined, leafAt, type Touched, type Touches } from "./merge.ts";

/** What was at fault: this very value; the change, for a reason that names no field; or the moment, and later it may go as it is. */
export type Fault = "value" | "change" | "moment";

/** One leaf that was not stored, and why. */
export interface Refusal extends Touched {
  error: unknown;
  fault: Fault;
}

/** All of a form, by their ways through the record. */
export type Refusals = ReadonlyMap<string, Refusal>;

/** A refusal, as far as it tells what becomes of a change. */
export interface Told {
  error: unknown;
  /** The field that the server names. */
  field: string | null;
  /** Whether the same may be taken later. */
  is_passing: boolean;
}

/** What became of a change that was refused: what is at fault in it, and what was refused for that alone and may go without it. */
export interface Parted {
  refused: Refusals;
  others: Touches;
}

/** Parts a refused change by the field that is named; where that is none of it, all of it is refused. */
export function parted(touches: Touches, { error, field, is_passing }: Told): Parted {
  const [name = ""] = (field ?? "").split(/[.[]/, 1);
  const isNamed = (leaf: string) => name !== "" && leaf.split(".").includes(name);
  const some_named = [...touches.keys()].some(isNamed);
  const fault: Fault = is_passing ? "moment" : some_named ? "value" : "change";
  const isAtFault = (leaf: string) => fault !== "value" || isNamed(leaf);
  return {
    refused: new Map([...touches].filter(([leaf]) => isAtFault(leaf)).map(([leaf, touched]) => [leaf, { ...touched, error, fault }])),
    others: new Map([...touches].filter(([leaf]) => !isAtFault(leaf))),
  };
}

/** Without what was sent anew. */
export function without(refusals: Refusals, sent: Touches): Refusals {
  return new Map([...refusals].filter(([leaf]) => !sent.has(leaf)));
}

/** Without what was stored by somebody else, and what the form shows as it is stored; leaves that `shown` does not have stay. */
export function stillRefused(refusals: Refusals, stored: unknown, shown: object = {}): Refusals {
  const isOver = (leaf: string, { mine }: Refusal) => {
    const [is, seen] = [leafAt(stored, leaf), leafAt(shown, leaf)];
    return isSame(is, mine) || (seen !== undefined && isSame(seen, is));
  };
  return new Map([...refusals].filter(([leaf, refusal]) => !isOver(leaf, refusal)));
}

/** Of a change what is worth to be sent: a whole part carries along what was refused in it and is as it was. */
export function worthSending(touches: Touches, refusals: Refusals): Touches {
  const isCarried = (leaf: string, { mine }: Touched) => {
    const refusal = refusals.get(leaf);
    return leaf.includes(".") && refusal !== undefined && refusal.fault !== "moment" && isSame(refusal.mine, mine);
  };
  return new Map([...touches].filter(([leaf, touched]) => !isCarried(leaf, touched)));
}

/** A change with what was refused for one of these faults before it. */
export function withRefused(touches: Touches, refusals: Refusals, faults: readonly Fault[]): Touches {
  const again = [...refusals].filter(([, { fault }]) => faults.includes(fault));
  return joined(new Map(again.map(([leaf, { before, mine }]) => [leaf, { before, mine }])), touches);
}
