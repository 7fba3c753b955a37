import { describe, expect, it } from "vitest";

import { errorMessage, type ErrorCode } from "@switchboard/protocol";

import { refusalText } from "./word.ts";

const codes = Object.keys(errorMessage) as ErrorCode[];

describe("refusals in words", () => {
  it.each(codes)("%s says what happened, what is safe and what to do", (code) => {
    const text = refusalText({ code });
    expect(text).not.toMatch(/this page does not know|undefined|null/);
    // What happened stands in the first sentence; what is safe and what to do follow it.
    expect(text.split(/[.;] /).length).toBeGreaterThanOrEqual(2);
    expect(text).toMatch(/\.$/);
    expect(text).not.toMatch(/!|oops|please/i);
    expect(text).not.toBe(errorMessage[code]);
  });

  it("says which field is at fault", () => {
    expect(refusalText({ code: "too_long", field: "name" })).toMatch(/^The name is too long/);
    expect(refusalText({ code: "already_exists", field: "email" })).toMatch(/in the team already/);
    expect(refusalText({ code: "wrong_credentials", field: "current" })).toMatch(/^The present password is wrong/);
    expect(refusalText({ code: "empty", field: "theme.title" })).toMatch(/^The look is empty/);
  });

  it("says when the same may be tried again", () => {
    expect(refusalText({ code: "rate_limited", retry_after_ms: 400 })).toMatch(/try again in a second\.$/);
    expect(refusalText({ code: "rate_limited", retry_after_ms: 40_000 })).toMatch(/in 40 seconds\.$/);
    expect(refusalText({ code: "locked_out", retry_after_ms: 170_000 })).toMatch(/in about 3 minutes\.$/);
  });

  it("names a fault’s request, so that it can be found in the log", () => {
    expect(refusalText({ code: "internal", request_id: "req_1" })).toMatch(/under req_1\.$/);
  });

  it("has words for a code of a newer server", () => {
    expect(refusalText({ code: "moon_full" as ErrorCode })).toMatch(/reload the page/);
  });
});
