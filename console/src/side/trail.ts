/** What a visitor saw and did in a visit: live news and what is stored, in one line of time. Pure. */
import type { CustomEvent, LiveVisitor, PageView, Visit, Visitor } from "@switchboard/protocol";

/** A page, the one in sight marked; or something that the site reported. */
export type Step =
  | { kind: "page"; page: PageView; now: boolean }
  | { kind: "event"; event: CustomEvent; /** Tells events of one moment apart. */ index: number };

/** The steps of the present visit, or of the last one where nobody is here; newest first. */
export function trailOf(live: LiveVisitor | undefined, stored: Visitor | undefined): Step[] {
  const visit = stored?.visits[0];
  // What is stored may still be of the visit before.
  const began_at_ms = live?.entered_at_ms ?? 0;
  const pages = (visit?.pages ?? []).filter((page) => page.at_ms >= began_at_ms);
  const events = (visit?.events ?? []).filter((event) => event.at_ms >= began_at_ms);
  const steps = stepsOf({ pages, events });
  const last = live?.last_event;
  if (last && !events.some((event) => event.at_ms === last.at_ms && event.name === last.name)) {
    // What belongs to it comes with the store.
    steps.push({ kind: "event", event: { ...last, properties: {} }, index: events.length });
  }
  const current = live?.page;
  if (current) {
    const seen = steps.findLastIndex((step) => step.kind === "page");
    const newest = steps[seen];
    const step: Step = { kind: "page", page: current, now: true };
    if (newest?.kind === "page" && newest.page.url === current.url) steps[seen] = step;
    else steps.push(step);
  }
  return newestFirst(steps);
}

/** The steps of a visit that is over; newest first. */
export function visitTrail(visit: Visit): Step[] {
  return newestFirst(stepsOf(visit));
}

/** The visits before the present one, or before the last one where nobody is here; newest first. */
export function earlierVisits(live: LiveVisitor | undefined, stored: Visitor | undefined): readonly Visit[] {
  const [newest, ...others] = stored?.visits ?? [];
  // The present visit is stored a moment after it began; until then the newest is the one before.
  const is_over = live !== undefined && newest !== undefined && newest.active_at_ms < live.entered_at_ms;
  return is_over ? [newest, ...others] : others;
}

function stepsOf({ pages, events }: Pick<Visit, "pages" | "events">): Step[] {
  return [...pages.map((page): Step => ({ kind: "page", page, now: false })), ...events.map((event, index): Step => ({ kind: "event", event, index }))];
}

/** Steps that come oldest first, those of one moment, too. */
function newestFirst(steps: readonly Step[]): Step[] {
  return steps.toReversed().sort((a, b) => timeOf(b) - timeOf(a));
}

function timeOf(step: Step): number {
  return step.kind === "page" ? step.page.at_ms : step.event.at_ms;
}
