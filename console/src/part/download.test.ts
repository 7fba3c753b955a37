import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { download } from "./download.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it("what is saved stays there for as long as one may think about where to", () => {
  const link = { href: "", download: "", click: vi.fn() };
  vi.stubGlobal("document", { createElement: () => link });
  const revoke = vi.spyOn(URL, "revokeObjectURL");
  download(new Blob(["two tins"]), "order.txt");
  expect([link.download, link.click.mock.calls.length]).toEqual(["order.txt", 1]);
  vi.advanceTimersByTime(59_000);
  expect(revoke).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);
  expect(revoke).toHaveBeenCalledExactlyOnceWith(link.href);
});
