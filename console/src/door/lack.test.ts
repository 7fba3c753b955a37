import { expect, test } from "vitest";

import { accountLacks, emailLacks, nameLacks, passwordLacks } from "./lack.ts";

const whole = { name: "Mira Novak", email: "mira@example.com", password: "correct-horse" };

test("an account that is whole lacks nothing", () => {
  expect(accountLacks(whole)).toEqual({});
});

test("each field says what it lacks", () => {
  expect(accountLacks({ name: " ", email: "", password: "" })).toEqual({
    name: "Write your name.",
    email: "Write your e-mail address.",
    password: "Choose a password of 12 characters or more.",
  });
  expect(accountLacks({ ...whole, password: "correct-h" })).toEqual({ password: "3 more characters are needed." });
  expect(accountLacks({ ...whole, password: "correct-hor" })).toEqual({ password: "1 more character is needed." });
  expect(nameLacks("Mira")).toEqual({});
  // How long an old one is, is not asked.
  expect([passwordLacks(""), passwordLacks("tea")]).toEqual([{ password: "Write your password." }, {}]);
});

test("an address has something on both sides of its sign", () => {
  for (const half of ["mira", "mira@", "@example.com", " @ "]) expect(emailLacks(half)).toEqual({ email: "Write a whole e-mail address, like name@example.com." });
  expect(emailLacks(" mira@localhost ")).toEqual({});
});
