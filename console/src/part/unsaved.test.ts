import { describe, expect, it } from "vitest";

import { isUnsaved, watchUnsaved, wouldLose, type Fate } from "./unsaved.ts";

describe("unsaved work", () => {
  it("holds the page while there is any, and is asked for only where it would be lost", () => {
    let fate: Fate | false = false;
    const forget = watchUnsaved(() => fate);
    const forget_other = watchUnsaved(() => false);
    expect([isUnsaved(), wouldLose()]).toEqual([false, false]);
    fate = "sent";
    expect([isUnsaved(), wouldLose()]).toEqual([true, false]);
    fate = "lost";
    expect([isUnsaved(), wouldLose()]).toEqual([true, true]);
    forget();
    expect([isUnsaved(), wouldLose()]).toEqual([false, false]);
    forget_other();
  });
});
