import { describe, expect, it } from "vitest";

import { changeText } from "./change.ts";

const line = (changes_json: string | null, fields = ["theme"]) => changeText({ fields, changes_json });

describe("a line of the audit log", () => {
  it("says from what to what", () => {
    expect(line('{"name":["Shop","Tea"],"allowed_origins":[[],["loopback"]]}')).toBe("name: Shop → Tea; allowed_origins: nothing → loopback");
  });

  it("shows of a record only what differs", () => {
    expect(line('{"theme":[{"color":"#111111","title":""},{"color":"#222222","title":""}]}')).toBe("theme.color: #111111 → #222222");
  });

  it("keeps the fields' names when the values are erased or unreadable", () => {
    expect(line(null)).toBe("theme");
    expect(line("{oops")).toBe("theme");
  });
});
