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
  store.subscribe(() => {
    try {
      localStorage.setItem(key, JSON.stringify(store.get()));
    } catch {
      // Storage is full or blocked: the value lives as long as the page.
    }
  });
  return store;
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
