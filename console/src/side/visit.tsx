/** Pages, events and facts of a visit: live where the visitor is here, stored otherwise. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Browser, CustomEvent, LiveVisitor, Source, Visit, Visitor } from "@switchboard/protocol";

import { hostOf, pathOf, sourceText } from "../live/visitors.ts";
import { Ago, Clock, spanText } from "../part/time.tsx";
import { zoneCity } from "../part/zone.ts";
import { trailOf, visitTrail, type Step } from "./trail.ts";

/** Steps of a visit that are shown before somebody asks for more. */
const STEPS_SHOWN = 10;

/** Pages of a visit that the server gives, at most. */
const PAGES_MAX = 100;

/** What the visitor saw and did in the present visit, newest first. */
export function VisitTrail({ visitor_id, live, stored }: { visitor_id: string; live: LiveVisitor | undefined; stored: Visitor | undefined }) {
  const cache = useQueryClient();
  const sign = live && `${live.entered_at_ms} ${live.page_count} ${live.event_count}`;
  useEffect(() => {
    if (sign === undefined) return;
    // Traces are stored in batches, shortly after they are shown live.
    const timer = setTimeout(() => void cache.invalidateQueries({ queryKey: ["visitor", visitor_id] }), 1_500);
    return () => clearTimeout(timer);
  }, [cache, visitor_id, sign]);
  return <Steps steps={trailOf(live, stored)} />;
}

/** A visit before: in one line, and unfolded with its pages and events. */
function EarlierVisit({ visit }: { visit: Visit }) {
  const [open, setOpen] = useState(false);
  const came = sourceText(visit);
  return (
    <details className="earlier-visit" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Ago at_ms={visit.started_at_ms} words="ago" /> <span className="faint">· {visitText(visit)}</span>
      </summary>
      {open && (
        <>
          {came !== "direct" && (
            <p className="faint small cut">
              From <bdi>{came}</bdi>
            </p>
          )}
          <Steps steps={visitTrail(visit)} />
        </>
      )}
    </details>
  );
}

/** `4 pages · 1 event · 6 min`. */
export function visitText({ pages, events, started_at_ms, active_at_ms }: Visit): string {
  const seen = pages.length >= PAGES_MAX ? `${PAGES_MAX} pages or more` : counted(pages.length, "page");
  const lasted_ms = active_at_ms - started_at_ms;
  return [seen, events.length > 0 && counted(events.length, "event"), lasted_ms >= 1_000 && spanText(lasted_ms)].filter(Boolean).join(" · ");
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}

function Steps({ steps }: { steps: readonly Step[] }) {
  const [whole, setWhole] = useState(false);
  if (steps.length === 0) return <p className="faint small">No pages known.</p>;
  const more = whole ? 0 : steps.length - STEPS_SHOWN;
  return (
    <ol className="pages">
      {(more > 0 ? steps.slice(0, STEPS_SHOWN) : steps).map((step) =>
        step.kind === "page" ? (
          <li key={`${step.page.at_ms} ${step.page.url}`} data-now={step.now || undefined}>
            <span className="pages-time">{step.now ? "now" : <Clock at_ms={step.page.at_ms} />}</span>
            <span className="grow cut" title={`${step.page.title}\n${step.page.url}`}>
              <bdi>{pathOf(step.page.url)}</bdi>
              {step.page.title && (
                <span className="faint">
                  {" "}
                  <bdi>{step.page.title}</bdi>
                </span>
              )}
            </span>
          </li>
        ) : (
          <EventStep key={`${step.event.at_ms} ${step.event.name} ${step.index}`} event={step.event} />
        ),
      )}
      {more > 0 && (
        <li data-kind="more">
          <button type="button" className="text-button" onClick={() => setWhole(true)}>
            {more === 1 ? "and 1 more" : `and ${more} more`}
          </button>
        </li>
      )}
    </ol>
  );
}

function EventStep({ event }: { event: CustomEvent }) {
  const properties = Object.entries(event.properties);
  return (
    <li data-kind="event">
      <span className="pages-time">
        <Clock at_ms={event.at_ms} />
      </span>
      <span className="grow cut" title={[event.name, ...properties.map(([name, value]) => `${name}: ${String(value)}`)].join("\n")}>
        <span className="heard-only">Event </span>
        <bdi className="pages-event">{event.name}</bdi>
        {properties.map(([name, value]) => (
          <span key={name} className="faint">
            {" "}
            <bdi>{name}</bdi> <bdi>{String(value)}</bdi>
          </span>
        ))}
      </span>
    </li>
  );
}

/** The visits before, folded away. */
export function EarlierVisits({ visits }: { visits: readonly Visit[] }) {
  if (visits.length === 0) return null;
  return (
    <details className="earlier-visits">
      <summary>Earlier visits ({visits.length})</summary>
      <ul>
        {visits.map((visit) => (
          <li key={visit.id}>
            <EarlierVisit visit={visit} />
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Device, place and source in few words. */
export function VisitFacts({ browser, source, site }: { browser: Browser | undefined; source: Source | undefined; site: string | undefined }) {
  const place = browser ? placeText(browser) : "";
  const facts: [string, string][] = [];
  if (site) facts.push(["Site", site]);
  if (browser) facts.push(["Device", deviceText(browser)]);
  if (place) facts.push(["Place", place]);
  const campaign = source?.utm?.["campaign"];
  // Once is enough where the campaign is all that is known.
  if (source && sourceText({ source }) !== campaign) facts.push(["Source", sourceText({ source })]);
  if (source?.referrer && source.utm?.["source"]) facts.push(["Referrer", hostOf(source.referrer)]);
  if (campaign) facts.push(["Campaign", campaign]);
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** `Firefox on Android, phone`; an iPhone says itself that it is one. */
export function deviceText(browser: Browser): string {
  const system = browser.system?.replace("Mac OSX", "macOS");
  const form = /^iP(hone|ad)/.test(system ?? "") ? "" : { desktop: "", mobile: ", phone", tablet: ", tablet", bot: ", program", unknown: "" }[browser.device];
  return [browser.name || "Unknown browser", system && `on ${system}`].filter(Boolean).join(" ") + form;
}

/**
 * Where somebody is, the first part first: `Ljubljana`, `Slovenia`. Without a city the country may be known by the time
 * zone alone, which is all that the browser says: it is told with it, `Slovenia`, `Ljubljana time`. No name is said twice:
 * in `Singapore` it is Singapore time.
 */
export function placeParts(browser: Browser): string[] {
  const country = browser.country ? countryName(browser.country) : "";
  const { city } = browser;
  if (country && city) return country.includes(city) ? [country] : [city, country];
  const zone = zoneCity(browser.time_zone ?? "");
  return [country, country.includes(zone) ? "" : `${zone} time`].filter(Boolean);
}

/** `Ljubljana, Slovenia`, on one line. */
export function placeText(browser: Browser): string {
  return placeParts(browser).join(", ");
}

/** A country's name of its code. */
export function countryName(code: string): string {
  try {
    return new Intl.DisplayNames(["en"], { type: "region" }).of(code) ?? code;
  } catch {
    return code;
  }
}
