/** A store outside React: one value, replaced whole, told to whoever listens. */
import { useSyncExternalStore } from "react";

/** A value that changes over time. */
export interface Store<T> {
  get(): T;
  set(next: T | ((current: T) => T)): void;
  subscribe(listener: () => void): () => void;
}

/** Makes a store. */
export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      const result = typeof next === "function" ? (next as (current: T) => T)(value) : next;
      if (Object.is(result, value)) return;
      value = result;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The store's value, or a part of it. The part must be a stable reference or a primitive. */
export function useStore<T>(store: Store<T>): T;
export function useStore<T, P>(store: Store<T>, part: (value: T) => P): P;
export function useStore<T, P>(store: Store<T>, part?: (value: T) => P): T | P {
  return useSyncExternalStore(store.subscribe, () => (part ? part(store.get()) : store.get()));
}

/** A store that a browser keeps over reloads; quietly in memory where storage is blocked. */
export function createKeptStore<T>(key: string, initial: T, valid: (value: unknown) => value is T): Store<T> {
  const store = createStore(readKept(key, initial, valid));
  store.subscribe(() => keep(key, store.get()));
  return store;
}

/**
 * A kept store of many things by name, one for all tabs of a browser: what one of them keeps, the others hold too, or
 * whichever writes next would forget it.
 */
export function createSharedStore<T>(key: string): Store<Readonly<Record<string, T>>> {
  const store = createStore(readKept<Readonly<Record<string, T>>>(key, {}, isRecord));
  let is_heard = false;
  // What was heard is kept already: written again, it could meet what the other tab wrote since.
  store.subscribe(() => !is_heard && keep(key, store.get()));
  globalThis.window?.addEventListener("storage", (event) => {
    if (event.key !== key) return;
    is_heard = true;
    store.set((held) => withKnown(readKept<Readonly<Record<string, T>>>(key, {}, isRecord), held));
    is_heard = false;
  });
  return store;
}

/** What was heard, where nothing changed as the very thing that was held: it may be known here by what it is. */
function withKnown<T>(heard: Readonly<Record<string, T>>, held: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  const known = (name: string, value: T) => (JSON.stringify(held[name]) === JSON.stringify(value) ? (held[name] ?? value) : value);
  return Object.fromEntries(Object.entries(heard).map(([name, value]) => [name, known(name, value)]));
}

function isRecord<T>(value: unknown): value is Readonly<Record<string, T>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keep(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or blocked: the value lives as long as the page.
  }
}

/** Whether a browser keeps this: not where storage is full or blocked, or another page wrote over it. */
export function isKept(key: string, value: unknown): boolean {
  try {
    return localStorage.getItem(key) === JSON.stringify(value);
  } catch {
    return false;
  }
}

function readKept<T>(key: string, initial: T, valid: (value: unknown) => value is T): T {
  try {
    const text = localStorage.getItem(key);
    const value: unknown = text === null ? undefined : JSON.parse(text);
    return valid(value) ? value : initial;
  } catch {
    return initial;
  }
}
