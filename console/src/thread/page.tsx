/** A conversation: head, log, composer, and the side panel with the person. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { Conversation } from "@switchboard/protocol";

import { conversationQuery } from "../api/query.ts";
import { errorText } from "../api/http.ts";
import { keepFollowing } from "../live/follow.ts";
import { noteRecords, records } from "../live/record.ts";
import { useMay } from "../live/right.ts";
import { client, membership } from "../live/session.ts";
import { Button } from "../part/control.tsx";
import { Divider, usePaneWidth, type PaneSize } from "../part/pane.tsx";
import { usePhone } from "../part/screen.ts";
import { createKeptStore, useStore } from "../part/store.ts";
import { useActions } from "../shell/action.ts";
import { SidePanel } from "../side/panel.tsx";
import { Composer } from "./composer.tsx";
import { FindBar } from "./find.tsx";
import { ThreadHead } from "./head.tsx";
import { Thread } from "./thread.tsx";

const SIDE_SIZE: PaneSize = { name: "side", width: 300, wide: 380, min: 240, max: 520 };

const side_open = createKeptStore<boolean>("switchboard.side", matchMedia("(min-width: 1180px)").matches, (value): value is boolean => typeof value === "boolean");

/** The conversation of the address bar. */
export function ConversationPage() {
  const params = useParams({ strict: false });
  const id = params.conversationId ?? "";
  const list = params.list ?? "all";
  const at = useSearch({ strict: false }).at;
  const agent_id = useStore(membership, (member) => member?.agent_id);
  const known = useStore(records, (held) => held.get(id));
  const asked = useQuery({ ...conversationQuery(id), enabled: known === undefined });
  useEffect(() => {
    if (asked.data) noteRecords([asked.data]);
  }, [asked.data]);
  useEffect(() => {
    keepFollowing(id);
    client().signal({ type: "viewing", conversation_id: id });
    return () => client().signal({ type: "viewing", conversation_id: null });
  }, [id, agent_id]);
  // A telephone shows nothing beside it that would have the page's title.
  const Title = usePhone() ? "h1" : "h2";
  const row = known ?? asked.data;
  if (row) return <Conversation key={id} row={row} list={list} at={at} />;
  if (asked.isError) {
    return (
      <div className="empty">
        <Title>This conversation cannot be shown</Title>
        <p className="faint">{errorText(asked.error)}</p>
        <div className="line">
          <Button onClick={() => void asked.refetch()}>Try again</Button>
          <Link className="button" to="/inbox/$list" params={{ list }}>
            Back to the list
          </Link>
        </div>
      </div>
    );
  }
  return <div className="empty" aria-busy="true" />;
}

/** Stands where one would write. */
function ErasedNote() {
  return (
    <p className="erased-note" role="status">
      This person was erased. What was said here is gone for good, and nothing can be added.
    </p>
  );
}

function Conversation({ row, list, at }: { row: Conversation; list: string; at: number | undefined }) {
  const side = useStore(side_open);
  const writes = useMay()("conversations.write");
  const width = usePaneWidth(SIDE_SIZE);
  const bottom = useRef<(() => void) | null>(null);
  const [finding, setFinding] = useState(false);
  const toggle = () => side_open.set((open) => !open);
  useActions([{ id: "side", name: side ? "Hide the side panel" : "Show the side panel", group: "Conversation", keys: "i", icon: "panel", run: toggle }]);
  return (
    <div className="conversation" data-side={side || undefined}>
      <section className="conversation-main" aria-label="Conversation">
        <ThreadHead row={row} list={list} side={side} onSide={toggle} onFind={() => setFinding(true)} />
        {finding && <FindBar conversation_id={row.id} onClose={() => setFinding(false)} />}
        <Thread row={row} bottom={bottom} at={at} />
        {row.contact_erased ? <ErasedNote /> : writes && <Composer row={row} onSent={() => bottom.current?.()} />}
      </section>
      {side && (
        <>
          <Divider size={SIDE_SIZE} label="Width of the side panel" before={false} />
          <aside className="side" style={{ "--pane": `${width}px` } as React.CSSProperties} aria-label="Contact">
            <SidePanel row={row} onClose={toggle} />
          </aside>
        </>
      )}
    </div>
  );
}
