import { describe, expect, it } from "vitest";

import { actorOf, changesOf, deedOf, type Line } from "./change.ts";

const line = (facts: Partial<Line>): Line => ({
  actor: "agt_1",
  action: "site.changed",
  target: "site_1",
  fields: ["theme"],
  changes_json: null,
  names: { agt_1: "Mira Novak", site_1: "Kettle & Leaf", con_2: "Ana Kovač" },
  ...facts,
});
const sentence = (facts: Partial<Line>) => [actorOf(line(facts)), { text: " " }, ...deedOf(line(facts))].map((piece) => piece.text).join("");
const changes = (changes_json: string | null) => changesOf(line({ changes_json }));

describe("a line of the audit log", () => {
  it("says who did what to whom, with the ids at hand", () => {
    expect(sentence({ action: "site.archived" })).toBe("Mira Novak archived the site Kettle & Leaf");
    expect(sentence({ actor: "system", action: "contact.erased", target: "con_2" })).toBe("Switchboard erased the contact Ana Kovač");
    expect(sentence({ action: "agent.changed", target: "agt_1" })).toBe("Mira Novak changed their own profile");
    expect(deedOf(line({}))).toContainEqual({ text: "Kettle & Leaf", id: "site_1" });
  });

  it("has words for what it does not know, and shows no id in them", () => {
    expect(sentence({ action: "moon.eclipsed", target: "moon_9" })).toBe("Mira Novak did moon.eclipsed to somebody or something unknown");
    expect(sentence({ action: "canned_response.created", target: "can_9" })).toBe("Mira Novak made a canned response");
    expect(sentence({ action: "saved_view.removed", target: "svw_9" })).toBe("Mira Novak took away a saved view");
    expect(sentence({ action: "key.revoked", target: "key_9" })).toBe("Mira Novak revoked an API key");
    expect(sentence({ action: "contact.unmerged", target: "con_9" })).toBe("Mira Novak took the merge of a contact back");
  });

  it("says from what to what", () => {
    expect(changes('{"name":["Shop","Tea"],"allowed_origins":[[],["loopback"]],"archived":[false,true]}')).toEqual(["Name: Shop → Tea", "Allowed origins: loopback", "Archived: no → yes"]);
    expect(changes('{"phone":["+386 41",""]}')).toEqual(["Phone: +386 41 → nothing"]);
  });

  it("says times as spans and names instead of ids", () => {
    expect(changes('{"reopen_within_ms":[3600000,86400000],"merged_into_id":[null,"con_2"]}')).toEqual(["Reopens within: 1 h → 1 d", "Speaks for it: Ana Kovač"]);
  });

  it("shows of a record only what differs", () => {
    expect(changes('{"theme":[{"color":"#111111","title":""},{"color":"#222222","title":""}]}')).toEqual(["Look, color: #111111 → #222222"]);
  });

  it("says languages by their names", () => {
    expect(changes('{"settings":[{"language":null},{"language":"de"}],"overrides":[{"language":"uk"},{}]}')).toEqual(["Settings, language: German", "Overrides, language: Ukrainian → nothing"]);
  });

  it("says hours day by day", () => {
    const [before, after] = [{ monday: [], friday: [] }, { monday: [{ from: "09:00", to: "12:00" }, { from: "13:00", to: "17:00" }], friday: [] }];
    expect(changes(JSON.stringify({ support_hours: [before, after], currency: ["", "EUR"] }))).toEqual(["Support hours, Monday: 09:00–12:00, 13:00–17:00", "Currency: EUR"]);
    expect(changes(JSON.stringify({ support_hours: [after, before] }))).toEqual(["Support hours, Monday: 09:00–12:00, 13:00–17:00 → nothing"]);
  });

  it("tells of days as the week has them", () => {
    const week = { friday: [{ from: "09:00", to: "12:00" }], monday: [{ from: "08:00", to: "12:00" }] };
    expect(changes(JSON.stringify({ support_hours: [{}, week] }))).toEqual(["Support hours, Monday: 08:00–12:00", "Support hours, Friday: 09:00–12:00"]);
  });

  it("keeps the fields' names when the values are erased or unreadable", () => {
    expect(changes(null)).toEqual(["Look"]);
    expect(changes("{oops")).toEqual(["Look"]);
    expect(changesOf(line({ fields: ["nickname", "body"] }))).toEqual(["Nickname, text"]);
    expect(changesOf(line({ fields: [] }))).toEqual([]);
  });
});
