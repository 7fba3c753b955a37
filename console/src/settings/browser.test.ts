import { expect, it } from "vitest";

import { browserName } from "./browser.ts";

const LIKE_GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";

it.each([
  [`Mozilla/5.0 (Linux; Android 10; K) ${LIKE_GECKO} Chrome/126.0.0.0 Mobile Safari/537.36`, "Chrome on Android"],
  [`Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) ${LIKE_GECKO} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`, "Samsung Internet on Android"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${LIKE_GECKO} Chrome/126.0.0.0 Mobile Safari/537.36 EdgA/126.0.0.0`, "Edge on Android"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${LIKE_GECKO} Chrome/125.0.0.0 Mobile Safari/537.36 OPR/83.0.0.0`, "Opera on Android"],
  ["Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "Firefox on Android"],
  [`${IPHONE} Version/17.5 Mobile/15E148 Safari/604.1`, "Safari on iPhone"],
  [`${IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1`, "Chrome on iPhone"],
  [`${IPHONE} FxiOS/127.0 Mobile/15E148 Safari/605.1.15`, "Firefox on iPhone"],
  [`${IPHONE} Version/17.0 EdgiOS/126.0.2592.56 Mobile/15E148 Safari/605.1.15`, "Edge on iPhone"],
  ["Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1", "Safari on iPad"],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${LIKE_GECKO} Chrome/126.0.0.0 Safari/537.36`, "Chrome on ChromeOS"],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${LIKE_GECKO} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0`, "Edge on Windows"],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${LIKE_GECKO} Chrome/125.0.0.0 Safari/537.36 OPR/111.0.0.0`, "Opera on Windows"],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on Linux"],
  [`Mozilla/5.0 (X11; Linux x86_64) ${LIKE_GECKO} Chrome/126.0.0.0 Safari/537.36`, "Chrome on Linux"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", "Safari on macOS"],
  ["Dalvik/2.1.0 (Linux; U; Android 14)", "A browser on Android"],
  ["curl/8.7.1", "curl/8.7.1"],
  ["", "Unknown browser"],
])("%s is %s", (user_agent, name) => expect(browserName(user_agent)).toBe(name));
