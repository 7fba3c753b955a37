// The languages that the widget speaks, and which of them a page gets.

import type { WidgetLanguage } from "../protocol.ts";
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
} satisfies Record<WidgetLanguage, () => Promise<{ readonly default: Catalog }>>;

export type Locale = WidgetLanguage;

/** The language for a tag like `pt-BR`; where it is none of ours, the site's `main` one, or English. */
export function localeOf(tag: string, main = ""): Locale {
  const own = tag.toLowerCase().split(/[-_]/, 1)[0] ?? "";
  return [own, main].find(isOurs) ?? "en";
}

function isOurs(language: string): language is Locale {
  return Object.hasOwn(catalogs, language);
}

/** Whether a language is written from the right. */
export function isFromRight(locale: Locale): boolean {
  return locale === "ar";
}
