/** Saved views: lists with a name, the team's and one's own, under those that everybody has. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { InboxFilter, NewSavedView, SavedView, SavedViewChange, Whose } from "@switchboard/protocol";

import { call, errorText, fieldError, formError, takeAway } from "../api/http.ts";
import { savedViewsQuery } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { Button, FormError, IconButton, TextField } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { useHere } from "../part/here.ts";
import { Icon } from "../part/icon.tsx";
import type { Facts } from "../part/edit.ts";
import { putOnTop, useEdited } from "../part/edited.ts";
import { useLacks } from "../part/lack.ts";
import { Menu, MenuItem } from "../part/menu.tsx";
import { Theirs } from "../part/theirs.tsx";
import { toast, toastError } from "../part/toast.tsx";
import { useActions } from "../shell/action.ts";
import { narrowedBy, type ListSearch } from "./narrow.ts";
import { savedOf, searchOf, viewOf } from "./saved.ts";

const KEY = ["saved_views"];

/** The names of all views; `filter` is the list on screen, where it is one that can be saved. */
export function SavedViews({ filter, search }: { filter: InboxFilter; search: ListSearch }) {
  const views = useQuery(savedViewsQuery).data ?? [];
  const navigate = useNavigate();
  useActions(
    views.map((view) => ({
      id: `view-${view.id}`,
      name: `Go to the view ${view.name}`,
      group: "List",
      icon: "bookmark",
      run: () => void navigate({ to: "/inbox/$list", params: { list: view.list.filter }, search: searchOf(view.list) }),
    })),
  );
  if (views.length === 0) return null;
  const shown = viewOf(views, filter, search);
  return (
    <nav className="filters saved-views" aria-label="Saved views">
      {views.map((view) => (
        <Link
          key={view.id}
          to="/inbox/$list"
          params={{ list: view.list.filter }}
          search={searchOf(view.list)}
          className="filter"
          aria-current={view.id === shown?.id ? "page" : undefined}
          title={view.agent_id == null ? "The team’s view" : "Your view"}
        >
          <Icon name={view.agent_id == null ? "team" : "bookmark"} size={12} />
          <bdi className="cut">{view.name}</bdi>
        </Link>
      ))}
    </nav>
  );
}

/** Saves the list on screen, or changes the view that it is. */
export function SaveView({ filter, search }: { filter: InboxFilter; search: ListSearch }) {
  const found = useQuery(savedViewsQuery);
  const may = useMay();
  const remove = useRemove();
  const [asking, setAsking] = useState<SavedView | "new" | null>(null);
  const shown = viewOf(found.data ?? [], filter, search);
  const is_savable = found.data !== undefined && !shown && (narrowedBy(search) > 0 || savedOf(filter, search).order !== undefined);
  const button = useOneButton(is_savable ? "save" : shown?.id, asking !== null);
  useActions(is_savable ? [{ id: "save-view", name: "Save this list as a view", group: "List", icon: "bookmark", run: () => setAsking("new") }] : []);
  return (
    <>
      {is_savable && (
        <Button ref={button} size="small" tone="plain" onClick={() => setAsking("new")}>
          Save view
        </Button>
      )}
      {shown && (shown.agent_id != null || may("settings.write")) && (
        <Menu trigger={<IconButton ref={button} icon="more" name={`The view ${shown.name}`} />}>
          <MenuItem icon="edit" onSelect={() => setAsking(shown)}>
            Rename it
          </MenuItem>
          <MenuItem icon="trash" tone="risk" onSelect={() => void remove(shown)}>
            Take it away
          </MenuItem>
        </Menu>
      )}
      {asking && <Ask opened={asking === "new" ? null : asking} all={found.data ?? []} filter={filter} search={search} onClose={() => setAsking(null)} />}
    </>
  );
}

/** The button that saves and the menu of what was saved stand in one place: whoever stands on the one goes on at the other. */
function useOneButton(which: string | undefined, is_asked: boolean): RefObject<HTMLButtonElement | null> {
  const button = useRef<HTMLButtonElement>(null);
  const held = useRef({ which, had_focus: false });
  // Read before the one is gone.
  if (which !== held.current.which) held.current = { which, had_focus: button.current !== null && button.current === document.activeElement };
  useLayoutEffect(() => {
    if (held.current.had_focus) button.current?.focus();
  }, [which]);
  // The window that asks gives the focus back to what may be gone with it.
  useEffect(() => {
    if (!is_asked) return;
    return () => {
      if (document.activeElement === document.body) button.current?.focus();
    };
  }, [is_asked]);
  return button;
}

/** Takes one away, and offers to save it again. */
function useRemove(): (view: SavedView) => Promise<void> {
  const cache = useQueryClient();
  const again = () => cache.invalidateQueries({ queryKey: KEY });
  return async (view) => {
    try {
      const was_there = await takeAway(`saved-views/${view.id}`);
      if (was_there) toast(`The view ${view.name} was taken away`, () => {
        const body: NewSavedView = { whose: view.agent_id == null ? "team" : "own", name: view.name, list: view.list };
        void call("saved-views", { method: "POST", body }).then(again, (error: unknown) => toastError(errorText(error)));
      });
    } catch (error) {
      toastError(errorText(error));
    }
    await again();
  };
}

const factsOf = (view: SavedView | null | undefined): Facts => ({ name: view?.name ?? "" });

/** Asks for a name, and of a new view whose it is. One that was `opened` to be renamed may be renamed by others meanwhile. */
function Ask({ opened, all, filter, search, onClose }: { opened: SavedView | null; all: readonly SavedView[]; filter: InboxFilter; search: ListSearch; onClose: () => void }) {
  const may = useMay();
  const cache = useQueryClient();
  // One that was added is renamed from then on.
  const [view, setView] = useState(opened);
  const stands = all.find(({ id }) => id === view?.id) ?? view;
  const edited = useEdited(factsOf(opened), factsOf(stands));
  // How often something was written here: what others wrote comes into the form, too.
  const written_count = useRef(0);
  const write = (value: string) => {
    written_count.current += 1;
    edited.set("name", value);
  };
  const { name = "" } = edited.form;
  const theirs = edited.told["name"];
  const [whose, setWhose] = useState<Whose>("own");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const isHere = useHere();
  async function store(): Promise<SavedView | null> {
    if (!stands) return call<SavedView>("saved-views", { method: "POST", body: { whose, name, list: savedOf(filter, search) } satisfies NewSavedView });
    const newestOf = async () => (await cache.fetchQuery({ ...savedViewsQuery, staleTime: 0 })).find(({ id }) => id === stands.id);
    const changeOn = (newest: SavedView): SavedViewChange | null => edited.onTop(factsOf(newest));
    await putOnTop("saved-views", stands, edited.form, newestOf, changeOn);
    return null;
  }
  async function save() {
    setBusy(true);
    setError(null);
    const sent_count = written_count.current;
    try {
      const added = await store();
      await cache.invalidateQueries({ queryKey: KEY });
      if (!isHere()) return;
      if (written_count.current === sent_count) return onClose();
      edited.stored({ name: name.trim() });
      if (added) setView(added);
      toast("It is stored but for what you wrote since");
    } catch (reason) {
      if (!isHere()) toastError(errorText(reason));
      setError(reason);
    }
    setBusy(false);
  }
  const lacks = useLacks<"name">(name.trim() === "" ? { name: "Write what the view is called." } : {}, error, save);
  return (
    <Dialog title={view ? "Rename the view" : "Save this list as a view"} open onClose={onClose}>
      <form className="stack" {...lacks.form}>
        <TextField label="Name" value={name} onValue={write} hint={theirs !== undefined && <Theirs {...(view?.agent_id == null ? {} : { who: "You" })} value={theirs} onTake={() => edited.take("name", theirs)} />} error={lacks.said("name") ?? fieldError(error, "name")} maxLength={100} autoComplete="off" autoFocus required />
        {!view && may("settings.write") && (
          <fieldset className="checks">
            <legend>Who sees it</legend>
            {([["own", "Only you"], ["team", "The whole team"]] as const).map(([each, words]) => (
              <label key={each}>
                <input type="radio" name="whose" checked={whose === each} onChange={() => setWhose(each)} /> {words}
              </label>
            ))}
          </fieldset>
        )}
        <FormError text={formError(error, ["name"])} />
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="accent" disabled={busy}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
