/** The console begins here. */
import "@fontsource-variable/ibm-plex-sans/wght.css";
import "@fontsource/ibm-plex-mono/latin-400.css";
import "./style/token.css";
import "./style/base.css";
import "./style/control.css";
import "./style/lamp.css";
import "./style/shell.css";
import "./style/inbox.css";
import "./style/thread.css";
import "./style/side.css";
import "./style/visitors.css";
import "./style/settings.css";
import "./style/door.css";

import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { isSignedOut } from "./api/http.ts";
import { queries } from "./api/query.ts";
import { endSession, membership, status } from "./live/session.ts";
import { workspaceChoice } from "./live/workspace.ts";
import { router } from "./router.tsx";
import { followTheme } from "./shell/theme.ts";

followTheme();

// Another workspace is another connection and another set of answers.
workspaceChoice.subscribe(() => {
  endSession();
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
  void router.navigate({ to: "/inbox/$list", params: { list: "all" } }).then(() => router.invalidate());
});

/** A session that ended elsewhere leads to the sign-in, and back here after. */
function leave(): void {
  if (membership.get() === null) return;
  endSession();
  queries.clear();
  void router.navigate({ to: "/sign-in", search: { to: router.state.location.href } });
}

queries.getQueryCache().subscribe((event) => {
  if (event.type === "updated" && event.action.type === "error" && isSignedOut(event.action.error)) leave();
});

status.subscribe(() => {
  const state = status.get();
  if (state.name === "stopped" && state.problem?.code === "unauthenticated") leave();
});

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
