import { describe, expect, it } from "vitest";

import { isUnsaved, losses, watchUnsaved, type Fate } from "./unsaved.ts";

describe("unsaved work", () => {
  it("holds the page while there is any, and is asked for only where it would be lost", () => {
    let fate: Fate | false = false;
    const forget = watchUnsaved(() => "A file", () => fate);
    const forget_other = watchUnsaved(() => "A setting", () => false);
    expect([isUnsaved(), losses()]).toEqual([false, []]);
    fate = "sent";
    expect([isUnsaved(), losses()]).toEqual([true, []]);
    fate = "lost";
    expect([isUnsaved(), losses()]).toEqual([true, ["A file"]]);
    forget();
    expect([isUnsaved(), losses()]).toEqual([false, []]);
    forget_other();
  });
});
