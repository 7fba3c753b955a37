import { describe, expect, it } from "vitest";

import { isUnsaved, losses, sendUnsaved, watchUnsaved, type Fate } from "./unsaved.ts";

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

  it("sends what can be sent, and waits for it", async () => {
    let fate: Fate | false = "sent";
    const send = async () => {
      await Promise.resolve();
      fate = false;
    };
    const forget = [watchUnsaved(() => "A setting", () => fate, send), watchUnsaved(() => "A file", () => "lost")];
    await sendUnsaved();
    expect([fate, losses()]).toEqual([false, ["A file"]]);
    for (const each of forget) each();
  });
});
