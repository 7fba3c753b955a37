/** Which site a list and a row are of, where a workspace has several. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";

import { sitesQuery } from "../api/query.ts";

/** The sites that tell rows apart: none where there is only one. */
function useSites() {
  const found = useQuery(sitesQuery);
  const sites = found.data?.filter((site) => !site.archived) ?? [];
  return sites.length > 1 ? sites : [];
}

/** The site of the address bar. */
export function useListSite(): string | null {
  return useSearch({ strict: false }).site ?? null;
}

/** Chooses a site for the list. */
export function SiteChoice() {
  const sites = useSites();
  const chosen = useListSite();
  const navigate = useNavigate();
  if (sites.length === 0 && chosen === null) return null;
  return (
    <select
      className="input choice"
      aria-label="Site"
      value={chosen ?? ""}
      data-set={chosen ? "" : undefined}
      onChange={(event) => {
        const site = event.target.value || undefined;
        void navigate({ to: ".", search: (before: Record<string, unknown>) => ({ ...before, site }), replace: true });
      }}
    >
      <option value="">All sites</option>
      {sites.map((site) => (
        <option key={site.id} value={site.id}>
          {site.name}
        </option>
      ))}
    </select>
  );
}

/** The site's name on a row of a list of all sites. */
export function SiteName({ site_id }: { site_id: string }) {
  const site = useSites().find((each) => each.id === site_id);
  const chosen = useListSite();
  if (!site || chosen !== null) return null;
  return (
    <span className="row-site cut" title={`From ${site.name}`}>
      <span className="heard-only">from </span>
      <bdi>{site.name}</bdi>
    </span>
  );
}

/** What of an address stays when another list is opened: the site. */
export function onSite(before: Record<string, unknown>): { site?: string | undefined } {
  return { site: typeof before["site"] === "string" ? before["site"] : undefined };
}
