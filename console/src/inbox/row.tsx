/** One line of the inbox: lamp, who, what was said last, how long they wait, whose it is. */
import { memo, type MouseEvent } from "react";
import type { Conversation, ConversationId, SiteId } from "@switchboard/protocol";

import { useVisitorState } from "../live/beside.ts";
import { CUSTOMER, typing } from "../live/signal.ts";
import { isUnread, reads, records } from "../live/record.ts";
import { membership, team } from "../live/session.ts";
import { begun, textBegun } from "../part/begun.ts";
import { Face, Lamp } from "../part/lamp.tsx";
import { useStore } from "../part/store.ts";
import { Ago, Since, soonText } from "../part/time.tsx";
import { now } from "../part/clock.ts";
import { begunText, drafts } from "../thread/draft.ts";
import { pick, PickBox } from "./picked.tsx";
import { SiteName } from "./site.tsx";
import { lampOf, priorityName } from "./word.ts";

/** What all rows of a list share. A row that scrolls by must cost little: it looks nothing up that the list can. */
export interface Way {
  /** The address of a conversation in this list. */
  href(id: ConversationId): string;
  open(id: ConversationId): void;
  /** What a site is called, where that tells rows apart. */
  siteName(id: SiteId): string | null;
  /** Without a connection nobody knows who is here. */
  connected: boolean;
}

/** A row; drawn again only when its own conversation changes. */
export const Row = memo(function Row({ id, way, chosen, gone, tabIndex }: { id: string; way: Way; chosen: boolean; gone: boolean; tabIndex: 0 | -1 }) {
  const row = useStore(records, (known) => known.get(id));
  const mark = useStore(reads, (known) => known.get(id));
  const here = useVisitorState(row?.visitor_id) === "active" && way.connected;
  const types = useStore(typing, (held) => held.get(id)?.some((typist) => typist.who === CUSTOMER) ?? false);
  const assignee = useStore(team, (held) => (row?.assignee_id ? held.agents.get(row.assignee_id) : undefined));
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  // What was begun in the open one stands in its composer, or in its thread.
  const draft = useStore(drafts, (all) => (chosen ? "" : begunText(all[`${me} ${id}`])));
  const change = useStore(begun, (all) => (chosen ? "" : textBegun(all, `${me} message ${id} `)));
  if (!row) return null;
  const lamp = lampOf(row, here);
  const unread = isUnread(row, mark);
  return (
    <>
      <PickBox id={id} name={row.contact_name} />
      <a
        href={way.href(id)}
        className="row"
        data-row={id}
        onClick={(event: MouseEvent) => {
          if (event.button !== 0 || event.altKey) return;
          event.preventDefault();
          // As files are picked: with Shift or Ctrl a click picks and opens nothing.
          if (event.shiftKey || event.ctrlKey || event.metaKey) pick(id, event.shiftKey);
          else way.open(id);
        }}
        tabIndex={tabIndex}
        aria-current={chosen ? "true" : undefined}
        data-unread={unread || undefined}
        data-gone={gone || undefined}
        draggable={false}
      >
        <Lamp state={lamp.state} name={lamp.name} />
        <span className="row-main">
          <span className="row-top">
            <span className="row-name cut">
              <bdi>{row.contact_name}</bdi>
              {unread && <span className="heard-only">, unread</span>}
            </span>
            <SiteName name={way.siteName(row.site_id)} />
            {row.priority > 2 && (
              <span className="row-priority" data-priority={row.priority}>
                {priorityName(row.priority)}
              </span>
            )}
            <RowTime row={row} />
          </span>
          <span className="row-bottom">
            {/* In its own direction, so that its end is cut and not its beginning. */}
            <span className="row-preview cut" dir="auto">
              {types ? <em>is typing</em> : draft || change ? <Begun text={draft || change} /> : previewText(row)}
            </span>
            {assignee && <Face name={assignee.name} seed={assignee.id} size="small" />}
            {assignee && <span className="heard-only">Assigned to {assignee.name}</span>}
          </span>
        </span>
      </a>
    </>
  );
});

function Begun({ text }: { text: string }) {
  return (
    <>
      <span className="row-begun">Draft:</span> {text}
    </>
  );
}

function RowTime({ row }: { row: Conversation }) {
  if (row.state === "snoozed" && row.snoozed_until_ms) {
    return <span className="row-time">until {soonText(row.snoozed_until_ms, now())}</span>;
  }
  if (row.state === "open" && row.waiting_on === "agent" && !row.spam) {
    return (
      <span className="row-time" data-waiting="">
        <span className="heard-only">waiting </span>
        <Since at_ms={row.waiting_since_at_ms} />
      </span>
    );
  }
  return (
    <span className="row-time">
      <Ago at_ms={row.active_at_ms} />
    </span>
  );
}

/** What was said last, with who said it where it was us. */
export function previewText(row: Conversation): string {
  const preview = row.preview;
  if (row.contact_erased) return "Erased";
  if (!preview) return "Nothing said yet";
  const count = preview.attachment_count;
  const files = count === 0 ? "" : count === 1 ? "a file" : `${count} files`;
  const said = preview.text || (files ? `Sent ${files}` : "Message deleted");
  return preview.from_customer ? said : `You: ${said}`.replace(/^You: /, "↩ ");
}
