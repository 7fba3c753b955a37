/** The documented HTTP API, as the console calls it: cookie, CSRF header, workspace header, problems. */
import { ProblemError, toJson } from "@switchboard/client";
import type { Problem } from "@switchboard/protocol";

import { refusalText } from "./word.ts";

/** A refusal of the server, safe to show. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(refusalText(problem));
    this.problem = problem;
  }
}

/** The server could not be reached, or something between answered for it. */
export class Unreachable extends Error {
  constructor() {
    super(OFFLINE);
  }
}

const OFFLINE = "The server cannot be reached. Nothing was changed; try again when the connection is back.";

/** What a call may say. */
export interface Call {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  /** The version that a change rests on. */
  version?: number;
  signal?: AbortSignal | undefined;
  /** Goes on where the page is left meanwhile. */
  keepalive?: boolean;
}

/** Browsers let no more than 64 KB go on, and a character is three bytes at most. */
const KEEPALIVE_CHARACTERS_MAX = 20_000;

let workspace_id: string | null = null;

/** Names the workspace that calls are for. */
export function setWorkspace(id: string | null): void {
  workspace_id = id;
}

/** Headers that every call carries; uploads need them too. */
export function callHeaders(): Record<string, string> {
  const headers: Record<string, string> = { "switchboard-csrf": "1" };
  if (workspace_id !== null) headers["switchboard-workspace"] = workspace_id;
  return headers;
}

/** Calls the API. Throws {@link Refused} or {@link Unreachable}. */
export async function call<T>(path: string, { method = "GET", body, version, signal, keepalive = false }: Call = {}): Promise<T> {
  const headers = callHeaders();
  if (body !== undefined) headers["content-type"] = "application/json";
  if (version !== undefined) headers["if-match"] = `"${version}"`;
  const text = body === undefined ? undefined : toJson(body);
  let answer: Response;
  try {
    answer = await fetch(`/api/v1/${path}`, {
      method,
      headers,
      credentials: "same-origin",
      ...(text === undefined ? {} : { body: text }),
      keepalive: keepalive && (text?.length ?? 0) <= KEEPALIVE_CHARACTERS_MAX,
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable();
  }
  if (!answer.ok) throw await refusal(answer);
  if (answer.status === 204) return undefined as T;
  const answered = await answer.text();
  return (answered === "" ? undefined : JSON.parse(answered)) as T;
}

/** Takes something away, and gives whether it was there: what somebody took away before is as gone as it should be. */
export async function takeAway(path: string): Promise<boolean> {
  try {
    await call(path, { method: "DELETE" });
    return true;
  } catch (error) {
    if (problemIn(error)?.code !== "not_found") throw error;
    return false;
  }
}

async function refusal(answer: Response): Promise<Error> {
  try {
    const problem: unknown = await answer.json();
    if (isProblem(problem)) return new Refused(problem);
  } catch {
    // Not ours: a proxy answered.
  }
  return new Unreachable();
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "code" in value && "title" in value;
}

/** Whether an error means that nobody is signed in. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof Refused && error.problem.code === "unauthenticated";
}

/** An error in words, for people. */
export function errorText(error: unknown): string {
  const problem = problemIn(error);
  if (problem) return refusalText(problem);
  if (error instanceof Unreachable || (error instanceof TypeError && error.message === "network")) return OFFLINE;
  if (error instanceof Error && error.message) return error.message;
  return "Something went wrong in this page. Nothing was changed; reload it and try again.";
}

/** The refusal behind an error, where there is one. */
export function problemIn(error: unknown): Problem | null {
  return error instanceof Refused || error instanceof ProblemError ? error.problem : null;
}

/** The words about one field, where the refusal names it. */
export function fieldError(error: unknown, field: string): string | null {
  const problem = problemIn(error);
  return problem && names(problem, field) ? refusalText(problem) : null;
}

/** The words about an error that no field of the form says already. */
export function formError(error: unknown, fields: readonly string[]): string | null {
  if (error === null || error === undefined) return null;
  const problem = problemIn(error);
  return problem && fields.some((field) => names(problem, field)) ? null : errorText(error);
}

function names(problem: Problem, field: string): boolean {
  const named = problem.field ?? "";
  return named === field || named.startsWith(`${field}.`) || named.startsWith(`${field}[`);
}

/** A query string of what is there. */
export function queryText(values: Record<string, string | number | undefined | null>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}
