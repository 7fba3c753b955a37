import { describe, expect, it } from "vitest";
import { Seen } from "../src/panel/seen.ts";
import type { VisitorConversation } from "../src/protocol.ts";
import { CONVERSATION, entry } from "./fake.ts";

function conversation(change: Partial<VisitorConversation>): VisitorConversation {
  return { id: CONVERSATION, version: 1, closed: false, number: 0, read_number: 0, created_at_ms: 0, ...change };
}

const numbers = (seen: Seen, from: number, to: number): number[] => {
  const entries = Array.from({ length: to - from + 1 }, (_, index) => entry(from + index));
  return seen.fresh(CONVERSATION, entries).map(({ number }) => number);
};

describe("what is news to a page", () => {
  it("is nothing of what was there when it came", () => {
    const seen = new Seen();
    seen.welcomed(3_500);
    seen.told(conversation({ number: 3, created_at_ms: 500 }));
    expect(numbers(seen, 1, 3)).toEqual([]);
    expect(numbers(seen, 4, 4)).toEqual([4]);
  });

  it("is all of a conversation that began meanwhile", () => {
    const seen = new Seen();
    seen.welcomed(1_000);
    seen.told(conversation({ number: 2, created_at_ms: 1_000 }));
    expect(numbers(seen, 1, 2)).toEqual([1, 2]);
    expect(numbers(seen, 1, 2)).toEqual([]);
  });

  it("is what came while the line was down, once, also in a page read afresh", () => {
    const seen = new Seen();
    seen.welcomed(3_500);
    seen.told(conversation({ number: 3, created_at_ms: 500 }));
    seen.welcomed(9_000);
    seen.told(conversation({ number: 5, created_at_ms: 500 }));
    expect(numbers(seen, 4, 5)).toEqual([4, 5]);
    expect(numbers(seen, 1, 6)).toEqual([6]);
  });

  it("is what began while the line was down", () => {
    const seen = new Seen();
    seen.welcomed(1_000);
    seen.welcomed(9_000);
    seen.told(conversation({ number: 1, created_at_ms: 5_000 }));
    expect(numbers(seen, 1, 1)).toEqual([1]);
  });

  it("is what was said since the page was welcomed, before the panel came", () => {
    const seen = new Seen();
    seen.welcomed(3_500);
    seen.welcomed(9_000);
    seen.told(conversation({ number: 5, created_at_ms: 500 }));
    expect(numbers(seen, 1, 5)).toEqual([4, 5]);
    expect(numbers(seen, 1, 6)).toEqual([6]);
  });

  it("is nothing of an older page that is read later", () => {
    const seen = new Seen();
    seen.welcomed(3_500);
    seen.told(conversation({ number: 9, created_at_ms: 500 }));
    expect(numbers(seen, 9, 9)).toEqual([9]);
    expect(numbers(seen, 5, 9)).toEqual([]);
  });

  it("is nothing of a conversation that nobody told of", () => {
    const seen = new Seen();
    expect(numbers(seen, 1, 2)).toEqual([]);
    expect(numbers(seen, 3, 3)).toEqual([3]);
  });
});
