/** A time of day to choose. A browser's own field for it has the clock of the browser's language; all else here has 24 hours. */
import type { ComponentProps } from "react";

import { dayTimes } from "./day-time.ts";

/** The choice itself; its name is the caller's to give. */
export function DayTime({ value, edge = "begin", onValue, ...rest }: Omit<ComponentProps<"select">, "value" | "onChange"> & { value: string; edge?: "begin" | "end"; onValue: (time: string) => void }) {
  return (
    <select {...rest} className="input time" value={value} onChange={(event) => onValue(event.target.value)}>
      {dayTimes(value, edge).map((time) => (
        <option key={time}>{time}</option>
      ))}
    </select>
  );
}
