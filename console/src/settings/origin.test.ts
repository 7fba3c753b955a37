import { describe, expect, it } from "vitest";

import { originsOf } from "./origin.ts";

describe("origins as people type them", () => {
  it("gain a scheme and lose their path", () => {
    expect(originsOf("www.example.com/shop\nhttps://a.example").good).toEqual(["https://www.example.com", "https://a.example"]);
    expect(originsOf("localhost:3000").good).toEqual(["http://localhost:3000"]);
  });

  it("keep the word for this machine, and drop doubles", () => {
    expect(originsOf("loopback, Loopback").good).toEqual(["loopback"]);
  });

  it("name what is none", () => {
    expect(originsOf("https://ok.example ftp://x.example nonsense *").bad).toEqual(["ftp://x.example", "nonsense", "*"]);
  });
});
