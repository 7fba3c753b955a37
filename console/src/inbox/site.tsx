/** Which site a list and a row are of, where a workspace has several. */
import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";

import { sitesQuery } from "../api/query.ts";

/** The sites that tell rows apart: none where there is only one. */
export function useSites() {
  const found = useQuery(sitesQuery);
  const sites = found.data?.filter((site) => !site.archived) ?? [];
  return sites.length > 1 ? sites : [];
}

/** The site's name on a row of a list of all sites. */
export function SiteName({ site_id }: { site_id: string }) {
  const site = useSites().find((each) => each.id === site_id);
  const chosen = useSearch({ strict: false }).site;
  if (!site || chosen !== undefined) return null;
  return (
    <span className="row-site cut" title={`From ${site.name}`}>
      <span className="heard-only">from </span>
      <bdi>{site.name}</bdi>
    </span>
  );
}
