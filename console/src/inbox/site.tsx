/** Which site a list and a row are of, where a workspace has several. */
import { useQuery } from "@tanstack/react-query";

import { sitesQuery } from "../api/query.ts";

/** The sites that tell rows apart: none where there is only one. */
export function useSites() {
  const found = useQuery(sitesQuery);
  const sites = found.data?.filter((site) => !site.archived) ?? [];
  return sites.length > 1 ? sites : [];
}

/** The site's name on a row of a list of all sites. */
export function SiteName({ name }: { name: string | null }) {
  if (name === null) return null;
  return (
    <span className="row-site cut" title={`From ${name}`}>
      <span className="heard-only">from </span>
      <bdi>{name}</bdi>
    </span>
  );
}
