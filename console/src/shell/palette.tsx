/** ⌘K: go to a conversation, a place or an action by typing. */
import { Dialog as Base } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useDeferredValue, useEffect, useLayoutEffect, useMemo, useState, type KeyboardEvent } from "react";
import type { Found, Listing } from "@switchboard/protocol";

import { call, queryText } from "../api/http.ts";
import { previewText } from "../inbox/row.tsx";
import { lampOf } from "../inbox/word.ts";
import { visitors } from "../live/session.ts";
import { noteRecords, records } from "../live/record.ts";
import { useWayBack } from "../part/dialog.tsx";
import { Icon } from "../part/icon.tsx";
import { Lamp } from "../part/lamp.tsx";
import { createStore, useStore } from "../part/store.ts";
import { agoText } from "../part/time.tsx";
import { now } from "../part/clock.ts";
import { actions, keysText, type Action } from "./action.ts";
import { useConnected } from "./connection.tsx";
import { begins, holds } from "./sought.ts";

/** Whether the palette is open. */
export const palette_open = createStore(false);

interface Choice {
  id: string;
  group: string;
  name: string;
  hint: string;
  time?: string;
  keys?: string;
  mark: React.ReactNode;
  run: () => void;
}

/** The palette, mounted once. */
export function Palette() {
  const open = useStore(palette_open);
  const way_back = useWayBack(open);
  return (
    <Base.Root open={open} onOpenChange={(next) => palette_open.set(next)}>
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Popup className="dialog palette" {...way_back}>
          <Base.Title className="heard-only">Find anything</Base.Title>
          <PaletteBody />
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

function useChoices(query: string): Choice[] {
  const offered = useStore(actions);
  const known = useStore(records);
  const here = useStore(visitors, (held) => held.rows);
  const connected = useConnected();
  const navigate = useNavigate();
  const found = useQuery({
    queryKey: ["search", "palette", query],
    queryFn: async ({ signal }) => {
      const page = await call<Listing<Found>>(`search${queryText({ text: query, limit: 8 })}`, { signal });
      noteRecords(page.items.map((each) => each.conversation));
      return page.items;
    },
    enabled: query.length >= 2,
    staleTime: 5_000,
  });
  return useMemo(() => {
    const close = (run: () => void) => () => {
      palette_open.set(false);
      // The dialog gives focus back first.
      setTimeout(run, 0);
    };
    const seen = new Set<string>();
    const action_choices = offered
      .filter((action) => !action.keyOnly && !seen.has(action.id) && seen.add(action.id) && begins(`${action.group} ${action.name}`, query))
      .map((action: Action) => ({
        id: `action ${action.id}`,
        group: action.group,
        name: action.name,
        hint: "",
        ...(action.keys ? { keys: keysText(action.keys) } : {}),
        mark: action.icon ? <Icon name={action.icon} /> : <Icon name="next" />,
        run: close(action.run),
      }));
    const searched = new Map((found.data ?? []).map((each) => [each.conversation.id, each]));
    const conversations = [...known.values()]
      .filter((row) => searched.has(row.id) || holds(`${row.contact_name} #${row.number} ${row.preview?.text ?? ""}`, query))
      .sort((a, b) => b.active_at_ms - a.active_at_ms)
      .slice(0, query ? 8 : 5)
      .map((row) => {
        const said = searched.get(row.id)?.matches.find((match) => match.seq != null);
        return {
          id: row.id,
          group: "Conversations",
          name: row.contact_name,
          hint: said ? said.parts.map((part) => part.text).join("") : previewText(row),
          time: agoText(row.active_at_ms, now()),
          mark: <Lamp state={lampOf(row, false).state} />,
          run: close(() => void navigate({ to: "/inbox/$list/$conversationId", params: { list: "all", conversationId: row.id }, search: { at: said?.seq ?? undefined } })),
        };
      });
    const people = query && connected
      ? [...here.values()]
          .filter((visitor) => holds(visitor.name, query))
          .slice(0, 5)
          .map((visitor) => ({
            id: visitor.id,
            group: "On the site now",
            name: visitor.name,
            hint: visitor.page?.title ?? "",
            mark: <Lamp state={visitor.state === "active" ? "live" : "away"} />,
            run: close(() => void navigate({ to: "/visitors", search: { visitor: visitor.id } })),
          }))
      : [];
    return [...conversations, ...people, ...action_choices];
  }, [offered, known, here, connected, found.data, query, navigate]);
}

/** Which choice is marked: the first one, and the same while more is found around it, or what one goes to. */
function useChosen(query: string, choices: readonly Choice[]) {
  const [held, setHeld] = useState<{ query: string; id: string | undefined }>({ query: "", id: undefined });
  const place = held.query === query ? choices.findIndex(({ id }) => id === held.id) : -1;
  const choose = (index: number) => setHeld({ query, id: choices[index]?.id });
  const is_new = place < 0 && choices.length > 0;
  useLayoutEffect(() => {
    if (is_new) choose(0);
  }, [is_new, query]);
  return { index: Math.max(0, place), choose };
}

function PaletteBody() {
  const [text, setText] = useState("");
  const query = useDeferredValue(text.trim());
  const choices = useChoices(query);
  const { index, choose } = useChosen(query, choices);
  const [enters, setEnters] = useState(false);
  // The list is drawn after the letters: who typed faster than that means what it will hold.
  useEffect(() => {
    if (!enters || query !== text.trim()) return;
    setEnters(false);
    choices[index]?.run();
  });
  function key(event: KeyboardEvent) {
    if (event.key === "ArrowDown") choose((index + 1) % Math.max(1, choices.length));
    else if (event.key === "ArrowUp") choose((index - 1 + choices.length) % Math.max(1, choices.length));
    else if (event.key === "Enter") setEnters(true);
    else return;
    event.preventDefault();
  }
  return (
    <>
      <div className="palette-field">
        <Icon name="search" />
        <input
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={choices[index] ? `palette-${index}` : undefined}
          aria-label="Find anything"
          placeholder="Find a conversation, a person, an action"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setEnters(false);
          }}
          onKeyDown={key}
        />
        <kbd>Esc</kbd>
      </div>
      <div className="palette-list" id="palette-list" role="listbox" aria-label="Found">
        {choices.map((choice, each) => (
          <div key={choice.id} role="presentation">
            {choices[each - 1]?.group !== choice.group && (
              <div className="menu-label" role="presentation">
                {choice.group}
              </div>
            )}
            <div
              id={`palette-${each}`}
              role="option"
              aria-selected={each === index}
              className="menu-item"
              data-highlighted={each === index ? "" : undefined}
              ref={(node) => {
                if (each === index) node?.scrollIntoView({ block: "nearest" });
              }}
              onPointerMove={() => each !== index && choose(each)}
              onClick={choice.run}
            >
              {choice.mark}
              <bdi className="cut palette-name">{choice.name}</bdi>
              <bdi className="faint small cut grow palette-hint">{choice.hint}</bdi>
              {choice.time && <span className="faint small palette-time">{choice.time}</span>}
              {choice.keys && <kbd>{choice.keys}</kbd>}
            </div>
          </div>
        ))}
        {choices.length === 0 && <p className="palette-empty faint">Nothing fits “{query}”.</p>}
      </div>
    </>
  );
}
