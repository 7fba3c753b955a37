/** One visitor: lamp, the page as the loudest text, the trail, who, where from, how long. */
import { memo, useEffect, useRef, useState } from "react";
import type { Browser, LiveVisitor } from "@switchboard/protocol";

import { pathOf, sourceText } from "../live/visitors.ts";
import { Icon } from "../part/icon.tsx";
import { Lamp } from "../part/lamp.tsx";
import { Since } from "../part/time.tsx";
import { useConnected } from "../shell/connection.tsx";
import { deviceText, placeParts, placeText } from "../side/visit.tsx";
import { useColumns, widthsOf, type Column } from "./column.tsx";

/** A row; breathes once when the visitor goes to another page, is back or away, begins to chat, or the site reports something. */
export const VisitorRow = memo(function VisitorRow({ row, chosen, gone, tabIndex, onChoose }: { row: LiveVisitor; chosen: boolean; gone: boolean; tabIndex: 0 | -1; onChoose: (id: string) => void }) {
  const breath = useBreath(`${row.page_count} ${row.event_count} ${row.state} ${row.conversation_id ?? ""} ${row.page?.url ?? ""}`);
  const connected = useConnected();
  const state = gone || !connected ? "quiet" : row.state === "active" ? "live" : "away";
  const lamp_name = gone ? "Left" : !connected ? "Not connected: nobody knows whether still here" : row.state === "active" ? "Active" : "Idle";
  const page = row.page;
  const columns = useColumns();
  return (
    <button type="button" className="visitor" style={{ "--columns": widthsOf(columns) } as React.CSSProperties} tabIndex={tabIndex} aria-current={chosen ? "true" : undefined} data-gone={gone || undefined} data-stale={row.stale || undefined} data-breath={breath || undefined} onClick={() => onChoose(row.id)}>
      <Lamp state={state} name={lamp_name} />
      <span className="visitor-page">
        <span className="visitor-title cut">
          <bdi>{page ? page.title || pathOf(page.url) : "No page in sight"}</bdi>
        </span>
        <span className="visitor-path cut faint small">
          <Trail count={row.page_count} known={row.trail.length} /> <bdi>{page?.title ? pathOf(page.url) : ""}</bdi>
          {row.last_event && (
            <>
              {page?.title ? " · " : ""}
              <bdi>{row.last_event.name}</bdi>
            </>
          )}
        </span>
      </span>
      {columns.map((each) => (
        <span key={each} className="visitor-cell cut" data-column={each}>
          <Cell column={each} row={row} />
        </span>
      ))}
      <span className="visitor-chat">{row.conversation_id && <span title="In a conversation"><Icon name="chat" /><span className="heard-only">In a conversation</span></span>}</span>
    </button>
  );
});

function Cell({ column, row }: { column: Column; row: LiveVisitor }) {
  switch (column) {
    case "who":
      return <bdi className="cut">{row.name}</bdi>;
    case "place":
      return <Place browser={row.browser} />;
    case "device":
      return <Cut text={deviceText(row.browser)} />;
    case "source":
      return <Cut text={sourceText(row)} />;
    case "visits":
      return <span className="faint small">{visitText(row.visit_count)}</span>;
    case "time":
      return (
        <>
          <Since at_ms={row.entered_at_ms} />
          <span className="faint small">{row.page_count === 1 ? "1 page" : `${row.page_count} pages`}</span>
        </>
      );
  }
}

/** The country or the city, and below it what is known more exactly, or less. */
function Place({ browser }: { browser: Browser }) {
  const [first, second] = placeParts(browser);
  if (!first) return null;
  const whole = placeText(browser);
  return (
    <>
      <span className="cut" title={whole}>
        {first}
      </span>
      {second && (
        <span className="visitor-second cut faint small" title={whole}>
          {second}
        </span>
      )}
    </>
  );
}

/** A text that may be cut, and is whole for whoever points at it. */
function Cut({ text }: { text: string }) {
  return (
    <span className="cut" title={text}>
      {text}
    </span>
  );
}

const ORDINALS = new Intl.PluralRules("en-US", { type: "ordinal" });
const ENDINGS: Record<string, string> = { one: "st", two: "nd", few: "rd", other: "th" };

/** `first visit`, `3rd visit`: which one it is, by how many came before. */
export function visitText(before_count: number): string {
  const count = before_count + 1;
  return count === 1 ? "first visit" : `${count}${ENDINGS[ORDINALS.select(count)] ?? "th"} visit`;
}

const DOTS_MAX = 8;

/** The last pages as a line of dots, the present one full. */
function Trail({ count, known }: { count: number; known: number }) {
  const dots = Math.min(DOTS_MAX, Math.max(known, 1));
  return (
    <span className="trail" aria-hidden="true" title={`${count} pages`}>
      {Array.from({ length: dots }, (_, index) => (
        <i key={index} data-now={index === dots - 1 || undefined} />
      ))}
    </span>
  );
}

function useBreath(sign: string): boolean {
  const before = useRef(sign);
  const [breath, setBreath] = useState(false);
  useEffect(() => {
    if (before.current === sign) return;
    before.current = sign;
    setBreath(true);
  }, [sign]);
  // From when it is drawn: a browser that is late with a frame would never show it.
  useEffect(() => {
    if (!breath) return;
    const timer = setTimeout(() => setBreath(false), 900);
    return () => clearTimeout(timer);
  }, [breath, sign]);
  return breath;
}
