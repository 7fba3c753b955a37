/** What was begun in a form and is neither saved nor given up: it waits in this browser, wherever one goes meanwhile, as drafts of messages do. */
import { useState, type Dispatch, type SetStateAction } from "react";

import { createSharedStore, isKept, useStore } from "./store.ts";
import { watchUnsaved } from "./unsaved.ts";

interface Begun {
  value: unknown;
  changed_at_ms: number;
}

/** All of it, by its name: who began it, what it is, and the ids of what it belongs to, with a space between. */
export type AllBegun = Readonly<Record<string, Begun>>;

const KEY = "switchboard.begun";
const BEGUN_MAX = 100;

/** What was begun here. */
export const begun = createSharedStore<Begun>(KEY);

watchUnsaved(() => "What you began to change", () => Object.keys(begun.get()).length > 0 && !isKept(KEY, begun.get()) && "lost");

/** Puts one in, or takes it out; the oldest of too many are forgotten. */
export function withBegun(all: AllBegun, name: string, value: unknown, changed_at_ms: number): AllBegun {
  const rest = Object.entries(all).filter(([each]) => each !== name);
  const kept = value === undefined ? rest : [...rest, [name, { value, changed_at_ms }] as const];
  kept.sort(([, a], [, b]) => b.changed_at_ms - a.changed_at_ms);
  return Object.fromEntries(kept.slice(0, BEGUN_MAX));
}

/** Keeps one, or gives it up. */
export function keepBegun(name: string, value: unknown): void {
  begun.set((all) => (value === undefined && !(name in all) ? all : withBegun(all, name, value, Date.now())));
}

/** Without what belongs to any of these. */
export function withoutBegunOf(all: AllBegun, ids: readonly string[]): AllBegun {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !name.split(" ").some((part) => ids.includes(part))));
}

/** The text that was begun last under names that begin so; nothing where none was. */
export function textBegun(all: AllBegun, beginning: string): string {
  const [, found] = Object.entries(all).find(([name]) => name.startsWith(beginning)) ?? [];
  return isText(found?.value) ? (found.value.trim().split("\n", 1)[0] ?? "") : "";
}

/** Forgets what belongs to any of these. */
export function dropBegun(ids: readonly string[]): void {
  begun.set((all) => withoutBegunOf(all, ids));
}

/** A form that may be left and come back to. */
export interface Form<T> {
  /** Whether it was opened here, which takes the focus, or stands open again because of what was begun before. */
  opened: "here" | "before" | null;
  /** What was begun; nothing where all is as it was. */
  value: T | undefined;
  open: () => void;
  change: (value: T | undefined) => void;
  /** It is given up. */
  close: () => void;
  /** So much of it is saved: what was written since stays. */
  saved: (value: T | undefined) => void;
}

/** The form of that name. A value of another kind is one of another version, and none. */
export function useForm<T>(name: string, is: (value: unknown) => value is T): Form<T> {
  const found = useStore(begun, (all) => all[name]?.value);
  const [opened, setOpened] = useState<Form<T>["opened"]>(null);
  return formOf({ name, value: is(found) ? found : undefined, opened, setOpened });
}

/** Many forms whose names begin so, by what their names end with: one look at what was begun serves all. */
export function useForms<T>(beginning: string, is: (value: unknown) => value is T): (end: string) => Form<T> {
  const all = useStore(begun);
  const [opened, setOpened] = useState<ReadonlyMap<string, Form<T>["opened"]>>(new Map());
  return (end) => {
    const name = beginning + end;
    const found = all[name]?.value;
    return formOf({
      name,
      value: is(found) ? found : undefined,
      opened: opened.get(end) ?? null,
      setOpened: (next) => setOpened((held) => new Map(held).set(end, typeof next === "function" ? next(held.get(end) ?? null) : next)),
    });
  };
}

interface Held<T> {
  name: string;
  value: T | undefined;
  opened: Form<T>["opened"];
  setOpened: Dispatch<SetStateAction<Form<T>["opened"]>>;
}

function formOf<T>({ name, value, opened, setOpened }: Held<T>): Form<T> {
  const close = () => {
    setOpened(null);
    keepBegun(name, undefined);
  };
  return {
    opened: opened ?? (value === undefined ? null : "before"),
    value,
    open: () => setOpened("here"),
    change(next) {
      // One that is as it was once more stays open.
      setOpened((before) => before ?? "before");
      keepBegun(name, next);
    },
    close,
    saved(stored) {
      if (begun.get()[name]?.value === stored) close();
    },
  };
}

/** Whether it is a text. */
export function isText(value: unknown): value is string {
  return typeof value === "string";
}
