import { describe, expect, it } from "vitest";

import { actorOf, changesOf, deedOf, happenedIn, restOf, touchedIn, type Line } from "./change.ts";

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
    expect(changes('{"theme":[{"color":"#111111","title":""},{"color":"#222222","title":""}]}')).toEqual(["Color: #111111 → #222222"]);
  });

  it("says languages by their names", () => {
    expect(changes('{"settings":[{"language":null},{"language":"de"}],"overrides":[{"language":"uk"},{}]}')).toEqual(["Main language: German", "Main language: Ukrainian → nothing"]);
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

  it("says what the forms say, of words, pictures and questions, too", () => {
    const before = { launcher_side: "end", logo: "", asks: { name: "never", email: "never" }, questions: [] };
    const after = { launcher_side: "start", logo: "data:image/png;base64,AAAA", asks: { name: "never", email: "needed" }, questions: [{ name: "order", label: "Your order", kind: "number", needed: false }] };
    expect(changes(JSON.stringify({ theme: [before, after] }))).toEqual([
      "Launcher: at the end of the line → at the start of the line",
      "Logo: a picture",
      "E-mail asked before: never → needed",
      "Questions of your own: Your order",
    ]);
    expect(changes('{"attributes":[{"plan.tier":"free"},{"plan.tier":"team"}]}')).toEqual(["Plan.tier: free → team"]);
    expect(changes('{"settings":[{"messages_per_minute":null},{"messages_per_minute":9}],"overrides":[{},{"typing_preview":false}]}')).toEqual([
      "Messages of one visitor a minute: 9",
      "Show what visitors type: no",
    ]);
  });

  it("names what was touched, each once, and the week as one", () => {
    const hours = (from: string) => ({ monday: [{ from, to: "12:00" }], friday: [{ from, to: "12:00" }] });
    const touched = { theme: [{ greeting: "Hi", title: "" }, { greeting: "Hello", title: "" }], support_hours: [hours("08:00"), hours("09:00")], name: ["a", "b"] };
    expect(touchedIn(line({ changes_json: JSON.stringify(touched) }))).toEqual(["first words", "support hours", "name"]);
    expect(touchedIn(line({ fields: ["nickname", "body"] }))).toEqual(["nickname", "text"]);
    expect(touchedIn(line({ changes_json: '{"title":["a","a"],"theme":[{"title":null},{"title":""}]}' }))).toEqual([]);
  });

  it("says of what happened what there is besides", () => {
    const archived = line({ action: "site.archived", fields: ["archived"], changes_json: '{"archived":[false,true]}' });
    expect([happenedIn(archived), restOf(archived)]).toEqual(["Archived", []]);
    const made = line({ action: "site.created", fields: ["name"], changes_json: '{"name":[null,"Tea"]}' });
    expect([happenedIn(made), restOf(made)]).toEqual(["Made", ["Name: Tea"]]);
    expect(happenedIn(line({}))).toBe(null);
  });

  it("keeps the fields' names when the values are erased or unreadable", () => {
    expect(changes(null)).toEqual(["Look"]);
    expect(changes("{oops")).toEqual(["Look"]);
    expect(changesOf(line({ fields: ["nickname", "body"] }))).toEqual(["Nickname, text"]);
    expect(changesOf(line({ fields: [] }))).toEqual([]);
  });
});
