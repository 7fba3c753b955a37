// The HTTP side: requests, problems and uploads.

import { toJson } from "./json.ts";
import type { Attachment, Problem } from "../protocol.ts";

/** The server refused. `problem.code` is stable, `problem.title` is for people. */
export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.code);
    this.problem = problem;
  }
}

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly credentials?: RequestCredentials;
  readonly signal?: AbortSignal;
  /** Looks at the head of the answer. */
  readonly head?: (headers: Headers) => void;
}

/** Asks the API; `path` stands after `/api/v1/`. Throws `ProblemError` for a refusal. */
export async function api<T>(base: string, path: string, request: ApiRequest = {}): Promise<T> {
  const headers: Record<string, string> = { ...request.headers };
  if (request.token !== undefined) headers["authorization"] = `Bearer ${request.token}`;
  if (request.body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(`${base}/api/v1/${path}`, {
    method: request.method ?? (request.body === undefined ? "GET" : "POST"),
    headers,
    body: request.body === undefined ? null : toJson(request.body),
    credentials: request.credentials ?? "omit",
    signal: request.signal ?? null,
  });
  request.head?.(response.headers);
  const value: unknown = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw new ProblemError(problemOf(value, response.status));
  return value as T;
}

/** The problem that an answer carries, or the nearest one where something else answered. */
export function problemOf(value: unknown, status: number): Problem {
  if (typeof value === "object" && value !== null && "code" in value && "retry" in value) {
    return value as Problem;
  }
  const later = status === 408 || status === 429 || status >= 500;
  return {
    code: status === 413 ? "too_large" : later ? "unavailable" : "internal",
    title: "",
    status,
    retry: later ? "later" : "never",
  };
}

export interface UploadOptions {
  readonly token?: string;
  readonly headers?: Record<string, string>;
  /** From 0 to 1. */
  readonly onProgress?: (part: number) => void;
  readonly signal?: AbortSignal;
}

/** Sends a file up. XMLHttpRequest, because only it tells how far an upload has got. */
export function upload(base: string, file: File, options: UploadOptions = {}): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${base}/api/v1/attachments`);
    request.responseType = "json";
    if (options.token !== undefined) {
      request.setRequestHeader("authorization", `Bearer ${options.token}`);
    }
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      request.setRequestHeader(name, value);
    }
    request.setRequestHeader("content-type", file.type || "application/octet-stream");
    request.setRequestHeader("switchboard-file-name", encodeURIComponent(file.name));
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) options.onProgress?.(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      const value: unknown = request.response;
      if (request.status >= 200 && request.status < 300) resolve(value as Attachment);
      else reject(new ProblemError(problemOf(value, request.status)));
    });
    request.addEventListener("error", () => reject(new TypeError("network")));
    request.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    options.signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
