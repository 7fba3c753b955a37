import { expect, it } from "vitest";
import { askedOf, claimOf, faultsOf, Introduction } from "../src/panel/introduction.ts";
import type { Asks } from "../src/protocol.ts";

const asks: Asks = { name: "optional", email: "needed", phone: "never" };

it("asks what the site wants to know, in one order", () => {
  expect(askedOf(asks)).toEqual(["name", "email"]);
  expect(askedOf({ name: "never", email: "never", phone: "never" })).toEqual([]);
});

it.each([
  ["", "needed"],
  ["   ", "needed"],
  ["ana", "no_email"],
  ["ana@kettle", "no_email"],
  ["ana @kettle.example", "no_email"],
  ["ana@@kettle.example", "no_email"],
  [" ana@kettle.example ", undefined],
])("takes %j for an address: %s", (email, fault) => {
  expect(faultsOf(asks, { name: "", email, phone: "" }).email).toBe(fault);
});

it("claims what was written, and nothing that was not asked or left empty", () => {
  expect(claimOf(asks, { name: " ", email: " ana@kettle.example", phone: "1" })).toEqual({ email: "ana@kettle.example" });
  expect(claimOf({ name: "optional", email: "optional", phone: "never" }, { name: "", email: "", phone: "" })).toBeNull();
});

it("asks a visitor once, also where nothing can be kept, and the next one again", () => {
  const introduction = new Introduction(null);
  expect(introduction.isDone("vis_1")).toBe(false);
  introduction.done("vis_1");
  expect([introduction.isDone("vis_1"), introduction.isDone("vis_2")]).toEqual([true, false]);
  introduction.forget("vis_1");
  expect(introduction.isDone("vis_1")).toBe(false);
});
