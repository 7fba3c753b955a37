// The languages that the widget speaks, and which of them a page gets.

import type english from "./en.json";

/** All that the widget says in one language. Others may have more forms of counting than English. */
export interface Catalog {
  readonly launcher: Readonly<Record<keyof (typeof english)["launcher"], string>>;
  readonly texts: Readonly<Record<TextKey, string>>;
  readonly counts: Readonly<Record<CountKey, Partial<Readonly<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string }>>;
}

export type TextKey = keyof (typeof english)["texts"];
export type CountKey = keyof (typeof english)["counts"];

/** Each language is a file of its own, so that a visitor loads one. */
export const catalogs = {
  en: () => import("./en.json"),
  uk: () => import("./uk.json"),
  de: () => import("./de.json"),
  fr: () => import("./fr.json"),
  es: () => import("./es.json"),
  pt: () => import("./pt.json"),
  pl: () => import("./pl.json"),
  tr: () => import("./tr.json"),
  ja: () => import("./ja.json"),
  ar: () => import("./ar.json"),
} satisfies Record<string, () => Promise<{ readonly default: Catalog }>>;

export type Locale = keyof typeof catalogs;

/** The language for a tag like `pt-BR`; English where it is none of ours. */
export function localeOf(tag: string): Locale {
  const language = tag.toLowerCase().split(/[-_]/, 1)[0] ?? "";
  return Object.hasOwn(catalogs, language) ? (language as Locale) : "en";
}

/** Whether a language is written from the right. */
export function isFromRight(locale: Locale): boolean {
  return locale === "ar";
}
