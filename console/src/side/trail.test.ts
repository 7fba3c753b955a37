import { describe, expect, it } from "vitest";
import type { CustomEvent, LiveVisitor, PageView, Visitor } from "@switchboard/protocol";

import { trailOf } from "./trail.ts";

const page = (url: string, at_ms: number): PageView => ({ url, title: "", at_ms });
const event = (name: string, at_ms: number): CustomEvent => ({ name, properties: { plan: "team" }, at_ms });

function stored(pages: PageView[], events: CustomEvent[]): Visitor {
  return { visits: [{ pages, events }] } as unknown as Visitor;
}

function live(parts: Partial<LiveVisitor>): LiveVisitor {
  return { entered_at_ms: 0, ...parts } as LiveVisitor;
}

const words = (steps: ReturnType<typeof trailOf>): string[] =>
  steps.map((step) => (step.kind === "page" ? `${step.page.url}${step.now ? " now" : ""}` : `${step.event.name} ${String(step.event.properties["plan"] ?? "")}`.trim()));

describe("a visit's trail", () => {
  it("has pages and events in one line of time, the newest first", () => {
    const known = stored([page("/a", 1), page("/b", 3)], [event("chosen", 2), event("paid", 4)]);
    expect(words(trailOf(undefined, known))).toEqual(["paid team", "/b", "chosen team", "/a"]);
  });

  it("marks the page in sight, whether it is stored yet or not", () => {
    const known = stored([page("/a", 1), page("/b", 3)], []);
    expect(words(trailOf(live({ page: page("/b", 3) }), known))).toEqual(["/b now", "/a"]);
    expect(words(trailOf(live({ page: page("/c", 5) }), known))).toEqual(["/c now", "/b", "/a"]);
    expect(words(trailOf(live({ page: page("/c", 5) }), undefined))).toEqual(["/c now"]);
  });

  it("shows the last event before it is stored, once", () => {
    const known = stored([page("/a", 1)], [event("chosen", 2)]);
    const here = live({ page: page("/a", 1), last_event: { name: "paid", at_ms: 4 } });
    expect(words(trailOf(here, known))).toEqual(["paid", "chosen team", "/a now"]);
    const told = live({ page: page("/a", 1), last_event: { name: "chosen", at_ms: 2 } });
    expect(words(trailOf(told, known))).toEqual(["chosen team", "/a now"]);
  });

  it("leaves out what is still stored of the visit before", () => {
    const known = stored([page("/a", 1)], [event("chosen", 2)]);
    expect(words(trailOf(live({ entered_at_ms: 9, page: page("/z", 9) }), known))).toEqual(["/z now"]);
  });
});
