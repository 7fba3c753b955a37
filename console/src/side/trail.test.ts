import { describe, expect, it } from "vitest";
import type { CustomEvent, LiveVisitor, PageView, Visit, Visitor } from "@switchboard/protocol";

import { earlierVisits, trailOf, visitTrail } from "./trail.ts";
import { visitText } from "./visit.tsx";

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

  it("keeps the order of what came at one moment", () => {
    const visit = { pages: [page("/a", 1), page("/b", 1), page("/c", 1)], events: [event("chosen", 1)] };
    expect(words(trailOf(undefined, stored(visit.pages, visit.events)))).toEqual(["chosen team", "/c", "/b", "/a"]);
    expect(words(visitTrail(visit as unknown as Visit))).toEqual(["chosen team", "/c", "/b", "/a"]);
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

const visit = (id: string, parts: Partial<Visit>): Visit => ({ id, source: {}, started_at_ms: 0, active_at_ms: 0, pages: [], events: [], ...parts });

describe("visits before", () => {
  const before = visit("before", { started_at_ms: 10, active_at_ms: 20 });
  const first = visit("first", { started_at_ms: 1, active_at_ms: 2 });
  const ids = (here: LiveVisitor | undefined, visits: Visit[]): string[] => earlierVisits(here, { visits } as Visitor).map(({ id }) => id);

  it("are all but the one that goes on, or the last one", () => {
    const present = visit("present", { started_at_ms: 50, active_at_ms: 60 });
    expect(ids(live({ entered_at_ms: 50 }), [present, before, first])).toEqual(["before", "first"]);
    expect(ids(undefined, [before, first])).toEqual(["first"]);
    expect(ids(undefined, [])).toEqual([]);
    expect(earlierVisits(undefined, undefined)).toEqual([]);
  });

  it("are all that are stored while the present one is not", () => {
    expect(ids(live({ entered_at_ms: 50 }), [before, first])).toEqual(["before", "first"]);
  });

  it("unfold to pages and events, the newest first", () => {
    const whole = visit("whole", { pages: [page("/a", 1), page("/b", 3)], events: [event("chosen", 2)] });
    expect(words(visitTrail(whole))).toEqual(["/b", "chosen team", "/a"]);
  });

  it("are told in one line", () => {
    const pages = (count: number): PageView[] => Array.from({ length: count }, (_, index) => page(`/${index}`, index));
    expect(visitText(visit("", { pages: pages(1) }))).toBe("1 page");
    expect(visitText(visit("", { pages: pages(3), events: [event("paid", 1)], active_at_ms: 360_000 }))).toBe("3 pages · 1 event · 6 min");
    expect(visitText(visit("", { pages: pages(100), events: [event("a", 1), event("b", 2)] }))).toBe("100 pages or more · 2 events");
  });
});
