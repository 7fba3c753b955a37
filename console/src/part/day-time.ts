/** Times of a day as a list of them is chosen from: `00:00` to `24:00`, whatever clock the browser's language has. Pure. */

const STEP_MINUTES = 15;
const DAY_MINUTES = 24 * 60;

/** The times that something may begin at, or end at, a quarter of an hour apart; and the one that is set. */
export function dayTimes(set: string, edge: "begin" | "end"): string[] {
  const first = edge === "begin" ? 0 : STEP_MINUTES;
  const all = Array.from({ length: DAY_MINUTES / STEP_MINUTES }, (_, index) => timeOf(first + index * STEP_MINUTES));
  // Times of this form sort as texts do.
  return all.includes(set) ? all : [...all, set].sort();
}

/** Minutes since midnight. */
export function minutesOf(time: string): number {
  const [hours = "", minutes = ""] = time.split(":");
  return Number(hours) * 60 + Number(minutes);
}

/** `09:30`, of minutes since midnight. */
export function timeOf(minutes: number): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
