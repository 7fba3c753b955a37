/** Times to snooze until. Pure. */

/** The choices, in order; those that are over or nearly so are left out. */
export function snoozeChoices(now_ms: number): { name: string; until_ms: number }[] {
  const at = (days: number, hour: number) => {
    const day = new Date(now_ms);
    day.setDate(day.getDate() + days);
    day.setHours(hour, 0, 0, 0);
    return day.getTime();
  };
  const weekday = new Date(now_ms).getDay();
  const to_monday = (8 - weekday) % 7 || 7;
  const choices = [
    { name: "In 1 hour", until_ms: now_ms + 3_600_000 },
    { name: "In 3 hours", until_ms: now_ms + 3 * 3_600_000 },
    { name: "This evening", until_ms: at(0, 18) },
    { name: "Tomorrow morning", until_ms: at(1, 9) },
    { name: "Next Monday", until_ms: at(to_monday, 9) },
  ];
  const ahead = choices.filter((choice, index) => index < 2 || choice.until_ms > now_ms + 3 * 3_600_000);
  // On a Sunday the next Monday is tomorrow.
  return ahead.filter((choice, index) => ahead.findIndex((each) => each.until_ms === choice.until_ms) === index);
}
