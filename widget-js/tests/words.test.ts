// What the widget says: the same in every language, and in no other place than its catalogs.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { backText, counted, dayText, expectation, said, speak, staffLine, uploadError } from "../src/panel/words.ts";
import { catalogs, localeOf, type Catalog, type Locale } from "../src/words/locale.ts";
import english from "../src/words/en.json";

const locales = Object.keys(catalogs) as Locale[];
const names = (text: string): readonly string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "").sort();

describe.each(locales)("the catalog %s", (locale) => {
  it("has every text, none of them empty, with the same names to fill in", async () => {
    const catalog: Catalog = (await catalogs[locale]()).default;
    for (const part of ["launcher", "texts"] as const) {
      const texts = catalog[part] as Readonly<Record<string, string>>;
      expect(Object.keys(texts)).toEqual(Object.keys(english[part]));
      for (const [key, text] of Object.entries(english[part])) {
        expect(texts[key]?.trim(), key).toBeTruthy();
        expect(names(texts[key] ?? ""), key).toEqual(names(text));
      }
    }
  });

  it("counts in every form of its language", async () => {
    const catalog: Catalog = (await catalogs[locale]()).default;
    const forms = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
    expect(Object.keys(catalog.counts)).toEqual(Object.keys(english.counts));
    for (const [key, texts] of Object.entries(catalog.counts)) {
      expect(Object.keys(texts).sort(), key).toEqual([...forms].sort());
      for (const text of Object.values(texts)) expect(text.trim()).not.toBe("");
    }
  });

  it("is another language than English", async () => {
    const catalog: Catalog = (await catalogs[locale]()).default;
    const same = Object.entries(catalog.texts).filter(([key, text]) => text === (english.texts as Record<string, string>)[key]);
    expect(locale === "en" || same.length < 8, JSON.stringify(same)).toBe(true);
  });
});

it("says how large a file may be in whole units, however small the limit", async () => {
  await speak("en");
  expect(uploadError("too_large", 20 * 1024 * 1024)).toBe("Larger than 20 MB");
  expect(uploadError("too_large", 600 * 1024)).toBe("Larger than 600 KB");
});

it.each([
  ["pt-BR", "pt"],
  ["DE_at", "de"],
  ["uk", "uk"],
  ["ja-JP", "ja"],
  ["nb-NO", "en"],
  ["", "en"],
  ["constructor", "en"],
  ["../../etc", "en"],
])("speaks to a page in %s the language %s", (tag, locale) => {
  expect(localeOf(tag)).toBe(locale);
});

it.each([
  ["nb-NO", "de", "de"],
  ["", "uk", "uk"],
  ["ja-JP", "de", "ja"],
  ["nb-NO", "hr", "en"],
  ["nb-NO", "undefined", "en"],
  ["nb-NO", "constructor", "en"],
])("speaks to a page in %s of a site whose main language is %s the language %s", async (tag, main, locale) => {
  expect(localeOf(tag, main)).toBe(locale);
  expect(await speak(tag, main)).toBe(locale);
});

it("says and counts in the language that was loaded", async () => {
  await speak("uk-UA");
  expect(staffLine({ online: true, people: [{ name: "Ірина" }] })).toBe("Ірина на зв’язку");
  expect([1, 2, 5, 21].map((count) => counted("news", count))).toEqual([
    "1 нове повідомлення.",
    "2 нові повідомлення.",
    "5 нових повідомлень.",
    "21 нове повідомлення.",
  ]);
  expect(dayText(0, 0)).toBe("Сьогодні");
  await speak("en-GB");
  // By the clock of whoever looks: the tests run in any zone.
  const noon = (day: number): number => new Date(2026, 0, day, 12).getTime();
  expect(dayText(noon(5), noon(9))).toBe("Monday 5 January");
  // A name that looks like a place to fill in stays what it is.
  expect(said("typing", { name: "{name}" })).toBe("{name} is typing");
});

it("knows yesterday at the end of a day of 25 hours", async () => {
  vi.stubEnv("TZ", "America/St_Johns");
  await speak("en-GB");
  const late = new Date(2026, 10, 1, 23, 30).getTime();
  expect(late - new Date(2026, 10, 1).getTime()).toBe(24.5 * 3_600_000);
  expect(dayText(new Date(2026, 9, 31, 12).getTime(), late)).toBe("Yesterday");
  vi.unstubAllEnvs();
});

describe("when the team is back", () => {
  // A Friday.
  const at = (day: number, hour: number): number => new Date(2026, 10, day, hour).getTime();
  const span = (day: number, from: number, to: number) => ({ from_at_ms: at(day, from), to_at_ms: at(day, to) });
  const week = [span(27, 9, 12), span(27, 13, 17), span(28, 10, 12), span(30, 9, 17)];

  it("is said by day and time, and changes as time passes", async () => {
    await speak("en-GB");
    const told = (day: number, hour: number): string | null => backText(week, at(day, hour));
    expect(told(26, 20)).toBe("We are back tomorrow at 09:00");
    expect(told(27, 8)).toBe("We are back at 09:00");
    expect([told(27, 9), told(27, 11)]).toEqual([null, null]);
    expect(told(27, 12)).toBe("We are back at 13:00");
    expect(told(27, 16)).toBeNull();
    expect(told(27, 17)).toBe("We are back tomorrow at 10:00");
    expect(told(28, 12)).toBe("We are back on Monday at 09:00");
    expect(told(29, 0)).toBe("We are back tomorrow at 09:00");
    // Nothing is known of what comes then.
    expect(told(30, 17)).toBeNull();
  });

  it("has a date where the day's name alone would mean today", async () => {
    await speak("en-GB");
    // No line ends between the day and its month.
    expect(backText([span(34, 9, 17)], at(27, 17))).toBe("We are back on Friday 4\u00a0December at 09:00");
  });

  it("keeps a day with its month in Arabic, where a line would end between them", async () => {
    await speak("ar");
    expect(backText([span(34, 9, 17)], at(27, 17))).toContain("الجمعة، 4\u00a0ديسمبر");
  });

  it("is not said where no hours are stated", () => {
    expect(backText([], at(27, 8))).toBeNull();
  });

  it.each([
    ["de", "Wir sind am Montag um 09:00 Uhr wieder da"],
    ["fr", "Nous serons de retour lundi à 09:00"],
    ["es", "Volvemos el lunes, 9:00"],
    ["pt-BR", "Voltamos segunda-feira às 09:00"],
    ["pl", "Wracamy: poniedziałek, 09:00"],
    ["uk", "Знову будемо тут: понеділок, з 09:00"],
    ["tr", "Pazartesi günü saat 09:00 itibarıyla buradayız"],
    ["ja", "月曜日の9:00に再開します"],
    ["ar-EG", "سنعود يوم الاثنين الساعة ٩:٠٠\u00a0ص"],
  ])("is said in %s as people say it", async (tag, text) => {
    await speak(tag);
    expect(backText(week, at(28, 12))).toBe(text);
  });
});

describe("how long answers usually take", () => {
  const minutes = (count: number): number => count * 60_000;
  const here = { online: true, people: [{ name: "Mira" }] };

  it("is said while somebody is there, as people say times, and never as less", async () => {
    await speak("en-GB");
    const told = (ms: number | null | undefined): string | undefined => /within (.*)\.$/.exec(expectation(here, ms))?.[1]?.replaceAll("\u00a0", " ");
    expect([1, 2, 4, 6, 44, 45].map((count) => told(minutes(count)))).toEqual(["1 minute", "2 minutes", "5 minutes", "10 minutes", "45 minutes", "45 minutes"]);
    expect([46, 60, 61, 24 * 60].map((count) => told(minutes(count)))).toEqual(["1 hour", "1 hour", "2 hours", "24 hours"]);
    // Longer than a day, or not known: no promise.
    expect([minutes(24 * 60 + 1), null, undefined].map(told)).toEqual([undefined, undefined, undefined]);
    expect(expectation(here, null)).toBe("Write to us. The answer comes here, in this window.");
    expect(expectation({ online: false, people: [] }, minutes(1))).toBe("Leave a message. The answer will be here when you come back.");
  });

  it.each([
    ["de", "Übliche Zeit bis zur Antwort: 5\u00a0Minuten."],
    ["uk", "Зазвичай час до відповіді: 5\u00a0хвилин."],
    ["pl", "Zwykły czas odpowiedzi: 5\u00a0minut."],
    ["ja", "通常の返信までの時間は5\u00a0分です。"],
  ])("is said in %s", async (tag, text) => {
    await speak(tag);
    expect(expectation(here, minutes(5))).toContain(text);
  });
});

it("uses every text", () => {
  const folder = new URL("../src/", import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name));
  const code = sources.map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
  const unused = Object.keys({ ...english.texts, ...english.counts }).filter((key) => !code.includes(`"${key}"`));
  expect(unused).toEqual([]);
});

it("says nothing that no catalog has", () => {
  const folder = new URL("../src/panel/view/", import.meta.url);
  for (const name of readdirSync(folder)) {
    const code = readFileSync(new URL(name, folder), "utf8").replace(/^\s*(\/\/|\*|\/\*|\{\/\*).*$/gm, "");
    // Words between tags, and words in what is shown or read out.
    expect(code.match(/>\s*[A-Z][a-z]+ ?[a-z]*[^<>=;(){}]*</g) ?? [], name).toEqual([]);
    expect(code.match(/(?:aria-label|title|placeholder|alt)="[^"]+"/g) ?? [], name).toEqual([]);
  }
});
