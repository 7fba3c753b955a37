/** What a browser and its machine are called, of what it says of itself. */

/** Each says of itself what it is, and most say besides that they are all those below them. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/SamsungBrowser\//, "Samsung Internet"],
  [/Edg(A|iOS)?\//, "Edge"],
  [/OP[RT]\//, "Opera"],
  [/(Firefox|FxiOS)\//, "Firefox"],
  [/(Chrome|CriOS)\//, "Chrome"],
  [/Safari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/Windows/, "Windows"],
  [/Android/, "Android"],
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/CrOS/, "ChromeOS"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

/** Enough to tell one's own apart. Pure. */
export function browserName(user_agent: string): string {
  const named = (names: typeof BROWSERS) => names.find(([sign]) => sign.test(user_agent))?.[1];
  const [browser, system] = [named(BROWSERS), named(SYSTEMS)];
  if (!browser && !system) return user_agent || "Unknown browser";
  return `${browser ?? "A browser"}${system ? ` on ${system}` : ""}`;
}
