/** The console begins here. */
import "@fontsource-variable/ibm-plex-sans/wght.css";
import "@fontsource/ibm-plex-mono/latin-400.css";
import "@switchboard/token.css";
import "./style/measure.css";
import "./style/base.css";
import "./style/control.css";
import "./style/lamp.css";
import "./style/shell.css";
import "./style/inbox.css";
import "./style/narrow.css";
import "./style/pick.css";
import "./style/thread.css";
import "./style/file.css";
import "./style/find.css";
import "./style/composer.css";
import "./style/side.css";
import "./style/visitors.css";
import "./style/settings.css";
import "./style/changed.css";
import "./style/hours.css";
import "./style/look.css";
import "./style/door.css";
import "./style/density.css";

import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { isSignedOut } from "./api/http.ts";
import { meQuery, queries } from "./api/query.ts";
import { endSession, membership, status } from "./live/session.ts";
import { workspaceChoice } from "./live/workspace.ts";
import { guardLeaving } from "./part/unsaved.ts";
import { router } from "./router.tsx";
import { followDensity } from "./shell/density.ts";
import { followTheme } from "./shell/theme.ts";
import { followVersion } from "./shell/version.ts";

followTheme();
followDensity();
followVersion();
guardLeaving();

// Another workspace is another connection and another set of answers.
workspaceChoice.subscribe(() => void changeWorkspace());

async function changeWorkspace(): Promise<void> {
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
  await router.navigate({ to: "/inbox/$list", params: { list: "all" } });
  // The gate in front of all places begins the session that is chosen now.
  await router.invalidate();
}

queries.getQueryCache().subscribe((event) => {
  if (event.type === "updated" && event.action.type === "error" && isSignedOut(event.action.error)) void leave();
});

status.subscribe(() => {
  if (status.get().name === "stopped") void askWhoIAm();
});

/** A connection that the server ended for good: perhaps the sign-in ended, or the place in the team. */
async function askWhoIAm(): Promise<void> {
  const member = membership.get();
  if (!member) return;
  try {
    const me = await queries.fetchQuery({ ...meQuery, staleTime: 0 });
    if (!me.memberships.some((each) => each.workspace_id === member.workspace_id)) await leave();
  } catch (error) {
    if (isSignedOut(error)) await leave();
  }
}

/** A session that ended elsewhere leads to the sign-in, and back here after. */
async function leave(): Promise<void> {
  if (membership.get() === null || router.state.location.pathname === "/sign-in") return;
  await router.navigate({ to: "/sign-in", search: { to: router.state.location.href, ended: true }, ignoreBlocker: true });
  endSession();
  queries.clear();
}

const place = document.getElementById("app");
if (!place) throw new Error("the page has no place for the app");

createRoot(place).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
