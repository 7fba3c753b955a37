/** What forms about accounts still lack, in words. Pure. */
import type { Lacks } from "../part/lack.ts";

export const PASSWORD_LENGTH_MIN = 12;

/** Of a first account. */
export function accountLacks({ name, email, password }: { name: string; email: string; password: string }): Lacks<"name" | "email" | "password"> {
  return { ...nameLacks(name), ...emailLacks(email), ...newPasswordLacks(password) };
}

/** Of a password that is chosen here. */
export function newPasswordLacks(password: string): Lacks<"password"> {
  const missing_count = PASSWORD_LENGTH_MIN - password.length;
  if (missing_count <= 0) return {};
  if (password === "") return { password: `Choose a password of ${PASSWORD_LENGTH_MIN} characters or more.` };
  return { password: `${missing_count} more ${missing_count === 1 ? "character is" : "characters are"} needed.` };
}

/** Of a password that somebody has. */
export function passwordLacks(password: string): Lacks<"password"> {
  return password === "" ? { password: "Write your password." } : {};
}

/** Of a name. */
export function nameLacks(name: string): Lacks<"name"> {
  return name.trim() === "" ? { name: "Write your name." } : {};
}

/** Of an e-mail address; whether there is such a one is not known here. */
export function emailLacks(email: string, empty = "Write your e-mail address."): Lacks<"email"> {
  if (email.trim() === "") return { email: empty };
  return /.@./.test(email.trim()) ? {} : { email: "Write a whole e-mail address, like name@example.com." };
}
