import { describe, expect, it } from "vitest";
import type { CannedResponse } from "@switchboard/protocol";

import { askedAt, fill, fitting, labelOf, unfilledIn, unknownIn, type Facts } from "./word.ts";

const facts: Facts = { customer_name: "Ana Kovač", agent_name: "Mira", ticket_id: "12", department_signature: "Kettle & Leaf" };

function canned(nickname: string, body: string, agent_id?: string): CannedResponse {
  return { id: `${agent_id ?? ""} ${nickname} ${body}`, version: 1, nickname, body, created_at_ms: 0, changed_at_ms: 0, ...(agent_id ? { agent_id } : {}) };
}

describe("what is asked for at the caret", () => {
  const check = (text: string, expected: [string, string] | null) => {
    const caret = text.indexOf("|");
    const asked = askedAt(text.replace("|", ""), caret);
    expect(asked && [asked.by, asked.query], text).toEqual(expected);
    if (asked) expect(text.slice(asked.start, asked.end)).toBe(`${asked.by === "text" ? "\\\\" : "\\"}${asked.query}`);
  };
  it("is a nickname after one stroke, a text after two, where a word begins", () => {
    check("\\|", ["nickname", ""]);
    check("Hello \\ref|und", ["nickname", "ref"]);
    check("Hello\n\\привіт|", ["nickname", "привіт"]);
    check("\\\\|", ["text", ""]);
    check("Hello \\\\we are so|", ["text", "we are so"]);
    check("C:\\Users|", null);
    check("\\refund |", null);
    check("\\\\two\nlines|", null);
    check("nothing|", null);
    check("|\\hi", null);
  });
});

describe("which fit", () => {
  const all = [
    canned("refund", "We have sent the money back."),
    canned("refund", "Mine.", "agt_1"),
    canned("no-refund", "I am sorry."),
    canned("", "We are closed today."),
    canned("Café", "Open until {{response_details}}."),
  ];
  const names = (by: "nickname" | "text", query: string) => fitting(all, { by, query }).map((each) => (each.agent_id ? "own " : "") + labelOf(each));
  it("are those whose nickname begins so, then those with a word that does, one's own first", () => {
    expect(names("nickname", "ref")).toEqual(["own refund", "refund", "no-refund"]);
    expect(names("nickname", "cafe")).toEqual(["Café"]);
    expect(names("nickname", "")).toEqual(["Café", "no-refund", "own refund", "refund"]);
    expect(names("nickname", "fund")).toEqual([]);
    expect(names("nickname", "(")).toEqual([]);
  });
  it("or whose text does, with a nickname or without", () => {
    expect(names("text", "we ")).toEqual(["refund", "We are closed today."]);
    expect(names("text", "money")).toEqual(["refund"]);
    expect(names("text", "one")).toEqual([]);
  });
  it("are no more than can be looked through", () => {
    const many = Array.from({ length: 100 }, (_, index) => canned(`n${index}`, "x"));
    expect(fitting(many, { by: "nickname", query: "" })).toHaveLength(20);
  });
});

describe("filling", () => {
  it("puts in what is known", () => {
    const { text, from, to } = fill("Hello {{customer_name}}, I am {{ agent_name }} (#{{ticket_id}}).\n{{department_signature}}", facts);
    expect(text).toBe("Hello Ana Kovač, I am Mira (#12).\nKettle & Leaf");
    expect([from, to]).toEqual([text.length, text.length]);
  });
  it("leaves what is unknown, selected, and what is no variable", () => {
    const { text, from, to } = fill("Hello {{customer_name}}, use {{your code}}{{x}}.", { ...facts, customer_name: "" });
    expect(text).toBe("Hello {{customer_name}}, use {{your code}}{{x}}.");
    expect(text.slice(from, to)).toBe("{{customer_name}}");
  });
  it("puts the caret where the writer goes on", () => {
    const { text, from, to } = fill("It is {{response_details}}. Bye, {{customer_name}}", facts);
    expect(text).toBe("It is . Bye, Ana Kovač");
    expect([from, to]).toEqual([6, 6]);
  });
  it("takes a name for what it is", () => {
    expect(fill("{{customer_name}}", { ...facts, customer_name: "{{agent_name}} $& $1" }).text).toBe("{{agent_name}} $& $1");
  });
});

it("tells what is not filled in, and what is no variable", () => {
  expect(unfilledIn("a {{customer_name}} b")).toEqual({ from: 2, to: 19, name: "{{customer_name}}" });
  expect(unfilledIn("a {{other}} {{ b")).toBeNull();
  expect(unknownIn("{{custmer_name}} {{agent_name}} {{custmer_name}} {{}}")).toEqual(["{{custmer_name}}", "{{}}"]);
  expect(unknownIn("{{constructor}}")).toEqual(["{{constructor}}"]);
});
