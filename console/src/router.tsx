/** The places of the console and their addresses. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { errorText, isSignedOut } from "./api/http.ts";
import { meQuery, queries } from "./api/query.ts";
import { listSearch, type ListSearch } from "./inbox/narrow.ts";
import { InboxPage, NothingOpen } from "./inbox/page.tsx";
import { beginSession } from "./live/session.ts";
import { chosenMembership, workspaceChoice } from "./live/workspace.ts";
import { Button } from "./part/control.tsx";
import { DoorFrame } from "./door/frame.tsx";
import { Shell } from "./shell/shell.tsx";
import { ConversationPage } from "./thread/page.tsx";
import type { VisitorSearch } from "./visitors/narrow.ts";

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: Broken });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { to?: string | undefined; ended?: true | undefined } => ({
    to: textOf(search["to"]),
    ended: search["ended"] === true ? true : undefined,
  }),
  component: lazyRouteComponent(() => import("./door/sign-in.tsx"), "SignInPage"),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("./door/setup.tsx"), "SetupPage"),
});

const join = createRoute({
  getParentRoute: () => root,
  path: "/join",
  component: lazyRouteComponent(() => import("./door/join.tsx"), "JoinPage"),
});

/** The parts that everything is made of; nothing of anybody is on it. */
const design = createRoute({
  getParentRoute: () => root,
  path: "/design",
  component: lazyRouteComponent(() => import("./design/page.tsx"), "DesignPage"),
});

/** Everything behind the sign-in: the session begins here. */
const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  beforeLoad: async ({ location }) => {
    try {
      const me = await queries.ensureQueryData(meQuery);
      const member = chosenMembership(me, workspaceChoice.get());
      if (!member) throw new Error("This account belongs to no workspace any more. Ask an admin for an invitation.");
      beginSession(member);
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      throw redirect({ to: "/sign-in", search: { to: location.href === "/" ? undefined : location.href }, replace: true });
    }
  },
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => app,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/inbox/$list", params: { list: "all" }, replace: true });
  },
});

const inboxHome = createRoute({
  getParentRoute: () => app,
  path: "/inbox",
  component: Outlet,
});

const inboxIndex = createRoute({
  getParentRoute: () => inboxHome,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/inbox/$list", params: { list: "all" }, replace: true });
  },
});

const inboxList = createRoute({
  getParentRoute: () => inboxHome,
  path: "$list",
  // What is searched for, the entry of the conversation to go to, which part of what is to do, and what narrows the list.
  validateSearch: (search: Record<string, unknown>): ListSearch & { q?: string | undefined; at?: number | undefined; show?: string | undefined } => ({
    q: textOf(search["q"]),
    at: numberOf(search["at"]),
    show: textOf(search["show"]),
    ...listSearch(search),
  }),
  component: InboxPage,
});

const inboxNothing = createRoute({ getParentRoute: () => inboxList, path: "/", component: NothingOpen });

const conversation = createRoute({ getParentRoute: () => inboxList, path: "$conversationId", component: ConversationPage });

const visitorList = createRoute({
  getParentRoute: () => app,
  path: "/visitors",
  validateSearch: (search: Record<string, unknown>): VisitorSearch => ({
    visitor: textOf(search["visitor"]),
    site: textOf(search["site"]),
    state: textOf(search["state"]),
    device: textOf(search["device"]),
    country: textOf(search["country"]),
    order: textOf(search["order"]),
    find: textOf(search["find"]),
    page: textOf(search["page"]),
    source: textOf(search["source"]),
  }),
  component: lazyRouteComponent(() => import("./visitors/page.tsx"), "VisitorsPage"),
});

const settingsHome = createRoute({
  getParentRoute: () => app,
  path: "/settings",
  component: Outlet,
});

const SettingsLazy = lazyRouteComponent(() => import("./settings/page.tsx"), "SettingsPage");

const settingsIndex = createRoute({ getParentRoute: () => settingsHome, path: "/", component: SettingsLazy });

const settingsPage = createRoute({
  getParentRoute: () => settingsHome,
  path: "$page",
  // Which site is open, whose sign-ins of how many days are shown, and what the log is about.
  validateSearch: (search: Record<string, unknown>): { site?: string | undefined; agent?: string | undefined; days?: string | undefined; target?: string | undefined } => ({
    site: textOf(search["site"]),
    agent: textOf(search["agent"]),
    days: textOf(search["days"]),
    target: textOf(search["target"]),
  }),
  component: SettingsLazy,
});

/** Addresses are read as JSON: digits alone come as a number. */
function textOf(value: unknown): string | undefined {
  return (typeof value === "string" && value !== "") || typeof value === "number" ? String(value) : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function NotFound() {
  return (
    <DoorFrame title="Nothing is here">
      <p>This address leads nowhere in the console.</p>
      <a className="button" href="/console/">
        Go to the inbox
      </a>
    </DoorFrame>
  );
}

function Broken({ error, reset }: { error: unknown; reset: () => void }): ReactNode {
  return (
    <DoorFrame title="The console cannot be shown">
      <p>{errorText(error)}</p>
      <Button
        tone="accent"
        onClick={() => {
          reset();
          void router.invalidate();
        }}
      >
        Try again
      </Button>
    </DoorFrame>
  );
}

/** The router of the console. */
export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    setup,
    join,
    design,
    app.addChildren([
      home,
      inboxHome.addChildren([inboxIndex, inboxList.addChildren([inboxNothing, conversation])]),
      visitorList,
      settingsHome.addChildren([settingsIndex, settingsPage]),
    ]),
  ]),
  basepath: "/console",
  defaultPreload: false,
  defaultPendingMs: 200,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
