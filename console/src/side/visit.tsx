/** Pages and facts of a visit: live where the visitor is here, stored otherwise. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Browser, LiveVisitor, PageView, Source, Visitor } from "@switchboard/protocol";

import { hostOf, pathOf, sourceText } from "../live/visitors.ts";
import { Clock } from "../part/time.tsx";

const PAGES_SHOWN = 8;

/** The pages of the present visit, newest first; the live one first of all. Pure. */
export function pagesOf(live: LiveVisitor | undefined, stored: Visitor | undefined): { page: PageView; now: boolean }[] {
  const pages = [...(stored?.visits[0]?.pages ?? [])].sort((a, b) => b.at_ms - a.at_ms);
  const current = live?.page;
  if (!current) return pages.map((page) => ({ page, now: false }));
  const rest = pages[0]?.url === current.url ? pages.slice(1) : pages;
  return [{ page: current, now: true }, ...rest.map((page) => ({ page, now: false }))];
}

/** The list of pages. */
export function PagesOf({ visitor_id, live, stored }: { visitor_id: string; live: LiveVisitor | undefined; stored: Visitor | undefined }) {
  const cache = useQueryClient();
  const page_count = live?.page_count;
  useEffect(() => {
    if (page_count === undefined) return;
    // Pages are stored in batches, shortly after they are shown live.
    const timer = setTimeout(() => void cache.invalidateQueries({ queryKey: ["visitor", visitor_id] }), 1_500);
    return () => clearTimeout(timer);
  }, [cache, visitor_id, page_count]);
  const pages = pagesOf(live, stored);
  if (pages.length === 0) return <p className="faint small">No pages known.</p>;
  return (
    <ol className="pages">
      {pages.slice(0, PAGES_SHOWN).map(({ page, now }) => (
        <li key={`${page.at_ms} ${page.url}`} data-now={now || undefined}>
          <span className="pages-time">{now ? "now" : <Clock at_ms={page.at_ms} />}</span>
          <span className="grow cut" title={`${page.title}\n${page.url}`}>
            <bdi>{pathOf(page.url)}</bdi>
            {page.title && (
              <span className="faint">
                {" "}
                <bdi>{page.title}</bdi>
              </span>
            )}
          </span>
        </li>
      ))}
      {pages.length > PAGES_SHOWN && <li className="faint">and {pages.length - PAGES_SHOWN} more</li>}
    </ol>
  );
}

/** Device, place and source in few words. */
export function VisitFacts({ browser, source, site }: { browser: Browser | undefined; source: Source | undefined; site: string | undefined }) {
  const place = browser ? placeText(browser) : "";
  const facts: [string, string][] = [];
  if (site) facts.push(["Site", site]);
  if (browser) facts.push(["Device", deviceText(browser)]);
  if (place) facts.push(["Place", place]);
  if (source) facts.push(["Source", sourceText({ source })]);
  if (source?.referrer && source.utm?.["source"]) facts.push(["Referrer", hostOf(source.referrer)]);
  if (source?.utm?.["campaign"]) facts.push(["Campaign", source.utm["campaign"]]);
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

/** `Firefox on macOS, phone`. */
export function deviceText(browser: Browser): string {
  const form = { desktop: "", mobile: ", phone", tablet: ", tablet", bot: ", program", unknown: "" }[browser.device];
  const system = browser.system?.replace("Mac OSX", "macOS");
  return [browser.name || "Unknown browser", system && `on ${system}`].filter(Boolean).join(" ") + form;
}

/** `Ljubljana, Slovenia`, or the time zone's city where no source for places is configured. */
export function placeText(browser: Browser): string {
  const country = browser.country ? countryName(browser.country) : "";
  if (country) return [browser.city, country].filter(Boolean).join(", ");
  const zone = browser.time_zone?.split("/");
  return zone && zone.length > 1 ? `${zone.at(-1)?.replaceAll("_", " ")} (by time zone)` : "";
}

/** A country's name of its code. */
export function countryName(code: string): string {
  try {
    return new Intl.DisplayNames(["en"], { type: "region" }).of(code) ?? code;
  } catch {
    return code;
  }
}
