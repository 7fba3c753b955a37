/** Whether a site's widget works on its pages: where it was seen last, told by itself, and what helps where it was not. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { PageView, Site } from "@switchboard/protocol";

import { siteSeenQuery } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { Lamp } from "../part/lamp.tsx";
import { Ago } from "../part/time.tsx";
import { LOOPBACK } from "./origin.ts";

/** After so long without a sign of it, it is said what may be in the way. */
const HELP_MS = 45_000;

/** Sites that a check of all looks at. */
const SITES_MAX = 20;

/** One line, and help after a while. */
export function SeenLine({ site }: { site: Site }) {
  const may = useMay()("visitors.read");
  const seen = useQuery({ ...siteSeenQuery(site.id), enabled: may });
  const late = useLate(HELP_MS);
  if (!seen.data) return null;
  const { page } = seen.data;
  return (
    <div className="site-seen">
      <p className="line" role="status">
        <Lamp state={page ? "live" : "quiet"} name={page ? "Works" : "Not seen"} />
        {page ? (
          <span>
            Seen on{" "}
            <b title={page.url}>
              <bdi>{hostOf(page)}</bdi>
            </b>
            , <Ago at_ms={page.at_ms} words="ago" />
          </span>
        ) : (
          <span>Not seen on your pages yet. Open one with the tag: it appears here by itself within seconds.</span>
        )}
      </p>
      {!page && late && <Help site={site} />}
    </div>
  );
}

/** What keeps a widget away, most often first. */
function Help({ site }: { site: Site }) {
  const origins = site.allowed_origins.filter((origin) => origin !== LOOPBACK);
  return (
    <div className="faint small">
      <p>Still nothing? Most often it is one of these:</p>
      <ul className="site-seen-help">
        <li>The tag is not in the page that the browser got. Look for “widget.js” in its source; a cache may still hold the old one.</li>
        <li>
          {origins.length === 0 ? (
            "The page’s address is not among the allowed origins: so far it loads on this machine alone."
          ) : (
            <>
              The page’s address is not among the allowed origins: <bdi>{origins.join(", ")}</bdi>.
            </>
          )}
        </li>
        <li>
          The page has a content policy that does not name <bdi>{location.origin}</bdi>, or the browser’s ad blocker holds it back: its console says so.
        </li>
        <li>The browser asks not to be tracked, and the workspace respects that: nothing of its pages is kept.</li>
        {site.archived && <li>The site is archived.</li>}
      </ul>
    </div>
  );
}

function useLate(after_ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), after_ms);
    return () => clearTimeout(timer);
  }, [after_ms]);
  return late;
}

/** The host of a page, with its port where it has one of its own. */
export function hostOf({ url }: Pick<PageView, "url">): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

/** Whether the widget of any of these was seen; nothing until that is known. */
export function useAnySeen(sites: readonly Site[], asked: boolean): boolean | undefined {
  const may = useMay()("visitors.read");
  const looked_at = asked && may ? sites.filter((site) => !site.archived).slice(0, SITES_MAX) : [];
  return useQueries({
    queries: looked_at.map((site) => siteSeenQuery(site.id)),
    combine: (found) => {
      if (found.some(({ data }) => data?.page)) return true;
      return found.every(({ data }) => data !== undefined) ? false : undefined;
    },
  });
}
