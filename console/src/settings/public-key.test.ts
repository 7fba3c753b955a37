import { expect, test } from "vitest";

import { isPrivate } from "./public-key.ts";

test("a private key is known before it is sent", () => {
  for (const text of [
    "-----BEGIN PRIVATE KEY-----\nMIG…",
    "-----BEGIN EC PRIVATE KEY-----\nMHc…",
    '{"kty":"EC","crv":"P-256","x":"…","y":"…","d":"…"}',
    ' {\n  "d" : "…"}',
  ])
    expect(isPrivate(text), text).toBe(true);
  for (const text of ["", "-----BEGIN PUBLIC KEY-----\nMFk…", '{"kty":"EC","crv":"P-256","x":"d","y":"…","kid":"d"}']) expect(isPrivate(text), text).toBe(false);
});
