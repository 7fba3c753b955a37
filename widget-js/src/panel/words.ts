// What the panel says, in one place: short, kind, exact.

import type { Status } from "../client/client.ts";
import { closeCode, errorMessage, type ErrorCode, type Problem, type Staff } from "../protocol.ts";

/** Who answers, without promises. Where several names are cut at the end of the line, it still says so. */
export function staffLine(staff: Staff): string {
  if (!staff.online) return "Nobody is here right now";
  const [first, ...others] = staff.names;
  if (first === undefined) return "The team is here now";
  return others.length === 0 ? `${first} is here now` : `Here now: ${staff.names.join(", ")}`;
}

/** Said where the site lets only those write whom it vouches for. */
export const SIGN_IN = "Only those who are signed in on this site can write here. Sign in there, then come back.";

export function expectation(staff: Staff): string {
  return staff.online
    ? "Write to us. The answer comes here, in this window."
    : "Leave a message. The answer will be here when you come back.";
}

export interface Notice {
  readonly tone: "calm" | "bad";
  readonly text: string;
  readonly action: "retry" | null;
}

/** What is said about the connection; nothing while all is well. The browser knows of a lost network before the socket does. */
export function connectionNotice(status: Status, waiting: number, isOnline: boolean): Notice | null {
  const kept = waiting === 0 ? "" : waiting === 1 ? " 1 message waits to be sent." : ` ${waiting} messages wait to be sent.`;
  if (!isOnline && status.name !== "stopped") {
    return { tone: "calm", text: `You are offline. What you write is kept and sent later.${kept}`, action: null };
  }
  switch (status.name) {
    case "off":
    case "live":
      return null;
    case "connecting":
      return status.attempt === 0 ? null : { tone: "calm", text: `Reconnecting.${kept}`, action: null };
    case "waiting":
      return { tone: "calm", text: `No connection just now. Trying again.${kept}`, action: "retry" };
    case "stopped": {
      const isBarred = status.code === closeCode.revoked || status.problem?.code === "blocked";
      return { tone: "bad", text: stoppedText(status.code, status.problem), action: isBarred ? null : "retry" };
    }
  }
}

/** Why nothing goes on. */
export function stoppedText(code: number | null, problem: Problem | null): string {
  if (code === closeCode.revoked || problem?.code === "blocked") return errorMessage.blocked;
  if (code === closeCode.origin_refused || problem?.code === "origin_refused") return "This page may not open the chat.";
  if (problem?.code === "unknown_site") return "This chat was closed. Nothing more can be sent here.";
  if (problem?.code === "identity_invalid") return "It could not be confirmed who you are. Load the page anew.";
  if (code === closeCode.flooding) return "Too much at once. Wait a minute, then try again.";
  return "The chat was closed by the server. Load the page anew, or try again.";
}

/** What a refused session is, by its code. */
export function refusalOf(code: string): Problem {
  return { code: code as ErrorCode, title: "", status: 403, retry: "never" };
}

/** Why a message could not be sent. */
export function refusal(problem: Problem): string {
  switch (problem.code) {
    case "too_long":
      return "Not sent: the message is too long. Split it in two.";
    case "blocked":
    case "conversation_state":
      return "Not sent: this conversation cannot be continued.";
    case "edit_window_over":
      return "Not changed: the message is too old for that.";
    case "not_found":
      return "Not sent: what it belongs to is gone.";
    default:
      return `Not sent: ${problem.title || errorMessage[problem.code]}`;
  }
}

export function uploadError(code: ErrorCode | null, mebibytes: number): string {
  switch (code) {
    case "too_large":
      return `Larger than ${mebibytes} MB`;
    case "file_type":
      return "This type of file is not accepted";
    case "too_many":
      return "Too many files are waiting";
    case "storage_full":
      return "The server has no space left";
    case null:
      return "Not uploaded: no connection";
    default:
      return errorMessage[code];
  }
}

export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function timeText(atMs: number): string {
  return new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" }).format(atMs);
}

export function exactText(atMs: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" }).format(atMs);
}

export function dayText(atMs: number, nowMs: number): string {
  const day = new Date(atMs).toDateString();
  if (day === new Date(nowMs).toDateString()) return "Today";
  if (day === new Date(nowMs - 86_400_000).toDateString()) return "Yesterday";
  const isFar = Math.abs(nowMs - atMs) > 300 * 86_400_000;
  return new Intl.DateTimeFormat("en", {
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(isFar ? { year: "numeric" } : {}),
  }).format(atMs);
}
