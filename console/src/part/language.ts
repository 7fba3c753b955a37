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

/** ISO 639-1. */
const TAGS = "aa ab af ak am an ar as av ay az ba be bg bm bn bo br bs ca ce ch co cr cs cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi hr ht hu hy hz ia id ig ii ik is it iu ja jv ka kg ki kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/** All languages but these, by name. */
export function otherLanguages(tags: readonly string[]): [string, string][] {
  return TAGS.split(" ")
    .filter((tag) => !tags.includes(tag))
    .map((tag): [string, string] => [tag, languageName(tag)])
    .filter(([tag, name]) => name !== tag)
    .sort(([, one], [, other]) => one.localeCompare(other, "en"));
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
