// What is said of a file before it goes up.

import { expect, it } from "vitest";
import { ProblemError } from "../src/client/api.ts";
import { checkFile } from "../src/client/file.ts";
import { fileMarks } from "../src/protocol.ts";

const HEIC = "\0\0\0\x18ftypheic\0\0\0\0";
const PNG = "\x89PNG\r\n\x1a\n";

async function codeOf(bytes: string, said: string, types: readonly string[] | null, most = 1_000): Promise<string> {
  const file = new File([Uint8Array.from(bytes, (letter) => letter.charCodeAt(0))], "x", { type: said });
  const limits = { attachment_bytes_max: most, ...(types === null ? {} : { attachment_types: [...types] }) };
  const error: unknown = await checkFile(file, limits).then(() => null, (reason: unknown) => reason);
  return error === null ? "" : error instanceof ProblemError ? error.problem.code : String(error);
}

it("refuses what is empty or too large", async () => {
  expect(await codeOf("", "text/plain", null)).toBe("empty");
  expect(await codeOf("12345", "text/plain", null, 4)).toBe("too_large");
  expect(await codeOf("1234", "text/plain", null, 4)).toBe("");
});

it("refuses programs, whatever else is taken", async () => {
  for (const bytes of ["MZ\x90", "\x7fELF", "#!/bin/sh\n"]) {
    expect(await codeOf(bytes, "", null)).toBe("file_type");
    expect(await codeOf(bytes, "text/plain", ["*/*"])).toBe("file_type");
  }
});

it("knows a picture by its bytes, whatever it is called", async () => {
  for (const said of ["image/heic", "image/heif", "image/jpeg", ""]) {
    expect(await codeOf(HEIC, said, ["image/png", "image/jpeg"])).toBe("file_type");
    expect(await codeOf(HEIC, said, ["image/*"])).toBe("");
    expect(await codeOf(HEIC, said, ["image/heif"])).toBe("");
  }
  expect(await codeOf(PNG, "image/gif", ["image/png"])).toBe("");
  expect(await codeOf(HEIC, "image/heic", null)).toBe("");
});

it("leaves to the server what it cannot tell, and refuses what no type of the list can be", async () => {
  expect(await codeOf("hello", "text/plain", ["image/*"])).toBe("file_type");
  expect(await codeOf("hello", "", ["image/*", "video/mp4"])).toBe("file_type");
  expect(await codeOf("hello", "text/html", ["application/json"])).toBe("");
  expect(await codeOf("\0\0", "video/mp4", ["image/*", "text/plain"])).toBe("file_type");
  expect(await codeOf("\0\0", "video/mp4", ["video/webm"])).toBe("");
  // Kept as a text.
  expect(await codeOf("<svg/>", "image/svg+xml", ["text/plain"])).toBe("");
  expect(await codeOf("<svg/>", "image/svg+xml", ["image/*"])).toBe("file_type");
  expect(await codeOf("hello", "text/plain", [])).toBe("file_type");
});

it("has no mark that hides another", () => {
  const marks = fileMarks.map(([mark]) => mark);
  for (const mark of marks) expect(marks.filter((other) => new RegExp(`^${other}`).test(mark.replaceAll(".", "0")))).toEqual([mark]);
});
