/** The icon of the browser's tab: the workspace's own, or the usual one. */
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { workspaceQuery } from "../api/query.ts";

/** Shows it while the console is open. */
export function useTabIcon(): void {
  const icon = useQuery(workspaceQuery).data?.icon;
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (!icon || !link) return undefined;
    const { href, type } = link;
    // What kind of picture it is, its answer says.
    link.type = "";
    link.href = pictureAddress(icon);
    return () => {
      link.type = type;
      link.href = href;
    };
  }, [icon]);
}

/** Where a picture lies. */
export function pictureAddress(id: string): string {
  return `/api/v1/pictures/${id}`;
}
