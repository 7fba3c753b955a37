/** The frame around every place: rail, palette, sheet of shortcuts, and the corner where it is said what happens. */
import { Outlet, useNavigate, useRouter, useRouterState } from "@tanstack/react-router";
import { useEffect, useLayoutEffect } from "react";

import { sightOf } from "../live/colleague.ts";
import { availability, inbox, setAvailability, setScreen } from "../live/session.ts";
import { useMay } from "../live/right.ts";
import { useStore } from "../part/store.ts";
import { Toasts, undoLast } from "../part/toast.tsx";
import { PAGES } from "../settings/pages.ts";
import { listenForKeys, useActions, type Action } from "./action.ts";
import { ConnectionSlip } from "./connection.tsx";
import { followTodos } from "../todo/notice.ts";
import { density } from "./density.ts";
import { followNotices, notice_choice } from "./notice.ts";
import { Palette, palette_open } from "./palette.tsx";
import { Rail } from "./rail.tsx";
import { sheet_open, ShortcutSheet } from "./sheet.tsx";
import { useNoStrayFiles } from "./stray.ts";
import { useTabIcon } from "./tab-icon.ts";
import { switchTheme } from "./theme.ts";
import { TroubleSlips } from "./trouble.tsx";
import { VersionSlip } from "./version-slip.tsx";

/** The frame of a signed-in console. */
export function Shell() {
  useLayoutEffect(listenForKeys, []);
  useActions(useGeneralActions());
  useTitle();
  useTabIcon();
  useNotices();
  useScreen();
  useNoStrayFiles();
  return (
    <div className="shell">
      <a className="skip" href="#place">
        Skip to content
      </a>
      <Rail />
      <main className="place" id="place" tabIndex={-1}>
        <Outlet />
      </main>
      <Palette />
      <ShortcutSheet />
      <div className="corner">
        <Toasts />
        <div className="slips">
          <TroubleSlips />
          <VersionSlip />
          <ConnectionSlip />
        </div>
      </div>
    </div>
  );
}

function useGeneralActions(): Action[] {
  const navigate = useNavigate();
  const list = (name: string, to: string, keys: string): Action => ({
    id: `list ${to}`,
    name,
    group: "Go to",
    keys,
    icon: "inbox",
    run: () => void navigate({ to: "/inbox/$list", params: { list: to } }),
  });
  const may = useMay();
  const pages = PAGES.filter((page) => page.needs === null || may(page.needs));
  return [
    list("Inbox: All", "all", "g i"),
    list("Inbox: Mine", "mine", "g m"),
    list("Inbox: Unassigned", "unassigned", "g u"),
    list("Inbox: Waiting", "waiting", "g w"),
    list("To do", "todo", "g d"),
    list("Inbox: Snoozed", "snoozed", "g z"),
    list("Inbox: Closed", "closed", "g c"),
    list("Inbox: Spam", "spam", "g p"),
    { id: "visitors", name: "Visitors", group: "Go to", keys: "g v", icon: "visitors", run: () => void navigate({ to: "/visitors" }) },
    ...pages.map(({ place, name, icon, ...page }): Action => ({
      id: `page ${place}`,
      name: `Settings: ${name}`,
      group: "Go to",
      ...("keys" in page ? { keys: page.keys } : {}),
      icon,
      run: () => void navigate({ to: "/settings/$page", params: { page: place } }),
    })),
    { id: "palette", name: "Find anything", group: "General", keys: "mod+k", inText: true, keyOnly: true, run: () => palette_open.set(true) },
    { id: "sheet", name: "Show keyboard shortcuts", group: "General", keys: "?", run: () => sheet_open.set(true) },
    { id: "undo", name: "Undo the last action", group: "General", keys: "z", icon: "reopen", run: () => void undoLast() },
    {
      id: "availability",
      name: "Switch between online and away",
      group: "General",
      icon: "visitors",
      run: () => setAvailability(availability.get() === "online" ? "away" : "online"),
    },
    {
      id: "theme",
      name: "Switch between light and dark",
      group: "General",
      icon: "sun",
      run: switchTheme,
    },
    {
      id: "density",
      name: "Switch between one and two lines for each row",
      group: "General",
      icon: "log",
      run: () => density.set((chosen) => (chosen === "compact" ? "comfortable" : "compact")),
    },
  ];
}

/** While the console is open, new words of customers call whoever asked for it. */
function useNotices(): void {
  const { history } = useRouter();
  useEffect(() => followNotices((path) => history.push(path)), [history]);
  useEffect(() => followTodos((path) => history.push(path)), [history]);
}

/** The team is told what is in sight here: nothing, while this tab is not. */
function useScreen(): void {
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    const tell = () => setScreen(document.visibilityState === "visible" ? sightOf(path) : null);
    tell();
    document.addEventListener("visibilitychange", tell);
    return () => document.removeEventListener("visibilitychange", tell);
  }, [path]);
}

function useTitle(): void {
  const waiting_count = useStore(inbox, (held) => held.anywhere.waiting);
  const counts = useStore(notice_choice, ({ title }) => title !== false);
  useEffect(() => {
    document.title = counts && waiting_count > 0 ? `(${waiting_count}) Switchboard` : "Switchboard";
  }, [counts, waiting_count]);
}
