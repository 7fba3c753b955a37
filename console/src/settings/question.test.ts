import { expect, test } from "vitest";
import type { Question } from "@switchboard/protocol";

import { attributeName, attributeText, isWhole, nameOf } from "./question.ts";

const question = (name: string, label = ""): Question => ({ name, label, kind: "text", needed: false });

test.each([
  ["How large is it?", "how_large_is_it"],
  ["Größe", "grosse"],
  ["2 tins", "tins"],
  ["何グラム", "question"],
  ["E-mail!", "e_mail"],
  ["Email", "email_2"],
  ["Size", "size_2"],
  ["x".repeat(90), "x".repeat(50)],
])("an answer to %j is called %s", (label, name) => {
  expect(nameOf(label.replace("ß", "ss"), [question("size", "Size"), question("")], 1)).toBe(name);
});

test("a question is whole with words of the site or of the widget", () => {
  expect([question("order_id"), question("size"), question("size", " "), question("size", "Size"), question("")].map(isWhole)).toEqual([true, false, false, true, false]);
});

test("an attribute is called as people would", () => {
  expect(["order_id", "consent", "how_large", "plan"].map(attributeName)).toEqual(["Order number", "Agreed to", "How large", "Plan"]);
  const consent = "I agree to the [policy](https://kettle.example).";
  expect([attributeText("gift", true), attributeText("gift", false), attributeText("tins", 2), attributeText("consent", consent)]).toEqual(["Yes", "No", "2", "I agree to the policy."]);
});
