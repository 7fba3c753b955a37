import { expect, it } from "vitest";
import { toJson } from "../src/client/json.ts";

it.each([
  ["half of a character at the end", "Sale \ud83d", "Sale \ufffd"],
  ["half of a character at the beginning", "\udc4d yes", "\ufffd yes"],
  ["two halves the wrong way round", "\udc4d\ud83d", "\ufffd\ufffd"],
  ["a whole character", "yes \ud83d\udc4d", "yes \ud83d\udc4d"],
  ["what only looks like one", "C:\\ud83d\\udata", "C:\\ud83d\\udata"],
])("takes %s so that any server can read it", (_, text, expected) => {
  const json = toJson({ page: { title: text }, list: [text] });
  expect(JSON.parse(json)).toEqual({ page: { title: expected }, list: [expected] });
  expect(new TextDecoder("utf-8", { fatal: true }).decode(new TextEncoder().encode(json))).toBe(json);
  expect(json).not.toMatch(/(^|[^\\])\\ud[89a-f]/);
});
