// What is known of a file before a byte of it goes up: whether the server would refuse it.

import { ProblemError } from "./api.ts";
import { fileMarks, type ConnectionLimits, type ErrorCode } from "../protocol.ts";

/** What files the server takes, as its welcome says it. */
export type FileLimits = Pick<ConnectionLimits, "attachment_bytes_max" | "attachment_types">;

const HEAD_BYTES = 16;
const MEDIUM = /^(image|video|audio)\/(?!svg)/;

/** Throws the `ProblemError` that the server would answer with, as far as that can be told; what cannot be told is left to it. */
export async function checkFile(file: File, limits: FileLimits): Promise<void> {
  const code = await refusalOf(file, limits);
  if (code !== null) throw new ProblemError({ code, field: "file", title: "", status: 0, retry: "never" });
}

async function refusalOf(file: File, { attachment_bytes_max, attachment_types }: FileLimits): Promise<ErrorCode | null> {
  if (file.size === 0) return "empty";
  if (file.size > attachment_bytes_max) return "too_large";
  return isTaken(await foundIn(file), file.type, attachment_types ?? ["*/*"]) ? null : "file_type";
}

/** The type that the server will find in a file with one of the known marks: none at all for a program. */
async function foundIn(file: File): Promise<string | undefined> {
  // A file that cannot be read any more fails as it goes up.
  const head = await file.slice(0, HEAD_BYTES).arrayBuffer().catch(() => new ArrayBuffer(0));
  const hex = [...new Uint8Array(head)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return fileMarks.find(([mark]) => new RegExp(`^${mark}`).test(hex))?.[1];
}

/** Of a file without a known mark the server finds what it is: a medium is of the kind that it says, or refused. */
function isTaken(found: string | undefined, said: string, types: readonly string[]): boolean {
  if (found === "") return false;
  if (types.includes("*/*")) return true;
  if (found !== undefined) return types.some((type) => type === found || type === found.replace(/\/.*/, "/*"));
  const major = MEDIUM.exec(said)?.[1];
  return types.some((type) => (major === undefined ? !MEDIUM.test(type) : type.startsWith(`${major}/`)));
}
