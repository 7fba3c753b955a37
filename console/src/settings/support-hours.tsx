/** When the team is there, day by day. What cannot be kept is said beside its day, and not sent. */
import type { HoursSpan, SupportHours } from "@switchboard/protocol";

import { Button, FormError, IconButton } from "../part/control.tsx";
import { DayTime } from "../part/day-time.tsx";
import { useHeld } from "./held.ts";
import { Section } from "./page.tsx";
import { asOnMonday, DAYS, nextSpan, problemOf } from "./support-hour.ts";

interface SupportHoursProps {
  hours: SupportHours;
  time_zone: string;
  error: string | null;
  onChange: (hours: SupportHours, pause: "soon" | "now") => void;
}

/** The week, a line a day. */
export function SupportHoursSection({ hours, time_zone, error, onChange }: SupportHoursProps) {
  const [week, setWeek] = useHeld(hours);
  const set = (next: SupportHours, pause: "soon" | "now") => {
    setWeek(next);
    if (DAYS.every(([day]) => problemOf(next[day]) === null)) onChange(next, pause);
  };
  return (
    <Section
      title="Support hours"
      hint={`In the time of ${time_zone}. Outside of them, while nobody is here, visitors read when you are back. Without any hours, nothing is said.`}
    >
      <div className="week">
        {DAYS.map(([day, name]) => (
          <DayHours key={day} name={name} spans={week[day]} onChange={(spans, pause) => set({ ...week, [day]: spans }, pause)} />
        ))}
      </div>
      {week.monday.length > 0 && problemOf(week.monday) === null && (
        <div className="line">
          <Button size="small" icon="copy" onClick={() => set(asOnMonday(week), "now")}>
            Monday’s hours until Friday
          </Button>
        </div>
      )}
      <FormError text={error} />
    </Section>
  );
}

interface DayProps {
  name: string;
  spans: readonly HoursSpan[];
  onChange: (spans: HoursSpan[], pause: "soon" | "now") => void;
}

function DayHours({ name, spans, onChange }: DayProps) {
  const problem = problemOf(spans);
  const next = nextSpan(spans);
  const set = (index: number, change: Partial<HoursSpan>) => onChange(spans.map((span, at) => (at === index ? { ...span, ...change } : span)), "soon");
  const problemId = `hours-${name}`;
  return (
    <div className="day-hours" role="group" aria-label={name}>
      <span className="day-name">{name}</span>
      <div className="spans">
        {spans.length === 0 && <span className="faint">Closed</span>}
        {spans.map(({ from, to }, index) => {
          // Said with the day, so that a field alone tells what it is.
          const which = spans.length > 1 ? `${name}, hours ${index + 1}` : name;
          const common = { "aria-invalid": problem ? true : undefined, "aria-describedby": problem ? problemId : undefined };
          return (
            <div key={index} className="span">
              <DayTime {...common} aria-label={`${which}, from`} value={from} onValue={(time) => set(index, { from: time })} />
              <span aria-hidden="true">–</span>
              <DayTime {...common} aria-label={`${which}, until`} value={to} edge="end" onValue={(time) => set(index, { to: time })} />
              <IconButton icon="close" name={`Remove ${which}`} onClick={() => onChange(spans.filter((_, at) => at !== index), "now")} />
            </div>
          );
        })}
        {problem && (
          <p className="field-error" id={problemId} role="alert">
            {problem}
          </p>
        )}
      </div>
      {next && <IconButton icon="plus" name={`Add hours on ${name}`} onClick={() => onChange([...spans, next], "now")} />}
    </div>
  );
}
