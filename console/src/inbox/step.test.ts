import { describe, expect, it } from "vitest";

import { stepsOf, type Known } from "./step.ts";

const site = (facts: Partial<Known["sites"][number]> = {}): Known["sites"][number] => ({
  archived: false,
  allowed_origins: ["loopback"],
  theme: {
    color: "#0f4c5c",
    title: "",
    logo: "", avatar: "",
    greeting: "",
    launcher_side: "end",
    launcher_gap_px: 20,
    launcher_text: "",
    brightness: "system",
    asks: { name: "never", email: "never", phone: "never" },
    questions: [],
    consent: "",
    asks_email_later: false,
    show_brand: true,
  },
  ...facts,
});
const done = (facts: Partial<Known>) =>
  stepsOf({ sites: [site()], member_count: 1, was_seen: false, was_written: false, language: null, ...facts })
    .filter((step) => step.done)
    .map((step) => step.name);

describe("the steps of a set-up", () => {
  it("are all open at first", () => expect(done({})).toEqual([]));

  it.each([
    ["a page of the world may load the widget", { sites: [site({ allowed_origins: ["loopback", "https://shop.example"] })] }, "origins"],
    ["the widget was seen", { was_seen: true }, "widget"],
    ["the look was changed", { sites: [site({ theme: { ...site().theme, color: "#2f5d43" } })] }, "look"],
    ["it has a title of its own", { sites: [site({ theme: { ...site().theme, title: "Kettle & Leaf" } })] }, "look"],
    ["a main language was chosen, English too", { language: "en" }, "language"],
    ["somebody was invited", { member_count: 2 }, "team"],
    ["somebody wrote", { was_written: true }, "conversation"],
  ] satisfies [string, Partial<Known>, string][])("count as done once %s", (_, facts, name) => {
    expect(done(facts)).toEqual([name]);
  });

  it("do not count what an archived site had", () => {
    expect(done({ sites: [site(), site({ archived: true, allowed_origins: ["https://old.example"] })] })).toEqual([]);
  });
});
