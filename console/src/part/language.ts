/** Languages by their names, and those that the widget speaks. Pure. */
import type { WidgetLanguage } from "@switchboard/protocol";

/** A language's name of its tag. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** Whole by its type. */
const SPOKEN: Readonly<Record<WidgetLanguage, true>> = { ar: true, de: true, en: true, es: true, fr: true, ja: true, pl: true, pt: true, tr: true, uk: true };

/** What the widget speaks, by name. */
export const SPOKEN_LANGUAGES: readonly [WidgetLanguage, string][] = Object.keys(SPOKEN)
  .map((code): [WidgetLanguage, string] => [code as WidgetLanguage, languageName(code)])
  .sort(([, one], [, other]) => one.localeCompare(other, "en"));

/** A choice among them; nothing where it is none of them. */
export function spokenOf(text: string): WidgetLanguage | null {
  return SPOKEN_LANGUAGES.find(([code]) => code === text)?.[0] ?? null;
}
