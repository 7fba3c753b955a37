/**
 * Refusals in words: what happened, what is safe, what to do. Pure. The server's codes are stable and
 * its titles are short; what an agent reads stands here, one sentence set for every code.
 */
import type { ErrorCode, Problem } from "@switchboard/protocol";

/** What a refusal tells, as far as words need it. */
export type Told = Pick<Problem, "code" | "field" | "retry_after_ms" | "request_id">;

/** Names of fields as the console shows them, for the beginning of a sentence. */
const FIELDS: Record<string, string> = {
  name: "The name",
  email: "The e-mail address",
  phone: "The telephone number",
  company: "The company",
  attributes: "One of the other facts",
  password: "The password",
  workspace_name: "The name of the business",
  allowed_origins: "The list of allowed origins",
  time_zone: "The time zone",
  color: "The color",
  title: "The title",
  greeting: "The text of the first words",
  launcher_text: "The text on the launcher",
  launcher_gap_px: "The distance from the edges",
  theme: "The look",
  scopes: "The list of what the key may do",
  role: "The role",
  body: "The message",
  attachment_ids: "The list of files",
  file: "The file",
  until_ms: "The time",
  search: "The search",
  settings: "The setting",
  session_timeout_ms: "The end of a visit",
  active_threshold_ms: "The time a visitor counts as active",
  reopen_within_ms: "The time to reopen",
  agent_id: "The member",
  nickname: "The nickname",
  mentions: "The list of who is named",
  picture: "The picture",
  logo: "The logo",
  avatar: "The face of the team",
};

/** Where one field of one code says more than the code alone. */
const OF_FIELD: Record<string, string> = {
  "already_exists email": "Somebody with this address is in the team already. Nobody was invited; change the role in the list, or take the member back there.",
  "invalid email": "This is no e-mail address. Nothing was changed; write it like name@example.com.",
  "invalid allowed_origins": "One of the lines is no origin. Nothing was changed; write one a line, like https://www.example.com.",
  "invalid color": "This is no color. Nothing was changed; write six digits, like #0f4c5c.",
  "invalid until_ms": "This time is over, or too far off. Nothing was changed; pick another one.",
  "invalid agent_id": "This member is not in the team any more. Nothing was changed; pick somebody else.",
  "forbidden role": "You may not give a role above your own, or change somebody who has one. Nothing was changed; ask an owner.",
  "forbidden scopes": "A key may do no more than you may. No key was made; take the marked rights off.",
  "empty scopes": "A key that may do nothing is no use. No key was made; mark at least one right.",
  "invalid mentions": "Somebody who is named is not in the team any more. The note was not stored; take the name out and write it again.",
  "invalid nickname": "A nickname is one word of letters, digits, “-”, “_” and “.”. Nothing was changed; write it like that.",
  "already_exists nickname": "Another one is called by this nickname. Nothing was changed; use another one.",
  "wrong_credentials current": "The present password is wrong. It was not changed; check capital letters and try again.",
  "too_long body": "This is longer than a message may be. It is kept here; send it in parts, or as a file.",
  "empty file": "This file is empty. It was not sent; check it and attach it again.",
  "too_long password": "This password is longer than 1,000 bytes. Nothing was changed; use a shorter one.",
};

function subject(told: Told, otherwise: string): string {
  return FIELDS[(told.field ?? "").split(/[.[]/, 1)[0] ?? ""] ?? otherwise;
}

const WORDS: Record<ErrorCode, (told: Told) => string> = {
  malformed: () => "The server did not understand this request. Nothing was changed; reload the page, it may be older than the server.",
  invalid: (told) => `${subject(told, "A value")} is not allowed like this. Nothing was changed; correct it and try again.`,
  too_large: (told) => `${subject(told, "This")} is larger than the server takes. It was not stored; send something smaller.`,
  too_long: (told) => `${subject(told, "A text")} is too long. Nothing was changed; shorten it and try again.`,
  too_many: (told) => `${subject(told, "This")} holds more than is allowed. Nothing was changed; take some off and try again.`,
  empty: (told) => `${subject(told, "A text that is needed")} is empty. Nothing was changed; fill it in and try again.`,
  out_of_order: () => "Something else came first. Nothing was changed; look at how it stands now, then try again.",
  unauthenticated: () => "Your sign-in has ended. What you wrote is kept in this browser; sign in again to go on.",
  token_expired: () => "Your sign-in has run out. What you wrote is kept in this browser; sign in again to go on.",
  identity_invalid: () => "The signed identity does not fit this site. Nothing was linked; check the site’s secret and sign it anew.",
  wrong_credentials: () => "The e-mail address or the password is wrong. Nothing was changed; check both, capital letters too.",
  forbidden: () => "Your role does not allow this. Nothing was changed; ask an admin to do it, or for a role that may.",
  origin_refused: () => "The server does not know this address as its own. Nothing was changed; open the console under its public address.",
  blocked: () => "This visitor is blocked. Nothing was sent; unblock the visitor first.",
  not_found: () => "This is not there any more. Nothing was changed; go back to the list and look again.",
  unknown_site: () => "No site has this key. Nothing was changed; copy the snippet from the site’s settings again.",
  version_conflict: () => "Somebody else changed this in the meantime. Their change stands and yours was not stored; look at it, then save again.",
  client_id_reused: () => "This was sent before with other words. What was sent first counts; copy the text and send it as a new message.",
  already_exists: (told) => `${subject(told, "This")} is taken already. Nothing was changed; use another one.`,
  conversation_state: () => "The conversation’s state does not allow this any more. Nothing was changed; reopen it first, if it can be.",
  edit_window_over: () => "This message can no longer be changed. It stands as it was; send another one to correct it.",
  last_owner: () => "A workspace needs at least one owner. Nothing was changed; make somebody else an owner first.",
  already_set_up: () => "This Switchboard is set up already. Nothing was changed; sign in, or ask an admin for an invitation.",
  link_invalid: () => "This link was used, withdrawn, or has run out. Nothing was changed; ask for a new one.",
  password_weak: () => "This password is easy to guess. It was not set; use at least 12 characters, a few words in a row will do.",
  file_type: () => "Files of this type are not accepted, or this one is not what its name says. It was not sent; send it in another form.",
  rate_limited: (told) => `Too many requests came from here. Nothing was changed; try again ${wait(told, "in a moment")}.`,
  too_slow: () => "This came too slowly and was given up. Nothing was changed; try again, perhaps on a better line.",
  locked_out: (told) => `Too many attempts have failed from here. The account is safe; try again ${wait(told, "later")}.`,
  unavailable: (told) => `The server cannot store anything right now. What you wrote is kept, and it is safe to try again ${wait(told, "in a moment")}.`,
  storage_full: () => "The server has no space left. Nothing stored is lost, but nothing can be added; tell whoever runs the server.",
  internal: (told) => `Something went wrong on the server. It is safe to try again${told.request_id ? `; whoever runs the server finds it in the log under ${told.request_id}` : ""}.`,
};

/** A refusal in words. */
export function refusalText(told: Told): string {
  const named = OF_FIELD[`${told.code} ${told.field ?? ""}`];
  if (named !== undefined) return named;
  // A newer server may know codes that this page does not.
  const words = WORDS[told.code] as ((told: Told) => string) | undefined;
  return words?.(told) ?? "The server refused this for a reason this page does not know. Nothing was changed; reload the page.";
}

/** `in 40 seconds`, `in about 3 minutes`: when the same may be tried again. */
function wait(told: Told, otherwise: string): string {
  if (told.retry_after_ms == null) return otherwise;
  const seconds = Math.max(1, Math.ceil(told.retry_after_ms / 1_000));
  if (seconds < 90) return seconds === 1 ? "in a second" : `in ${seconds} seconds`;
  return `in about ${Math.ceil(seconds / 60)} minutes`;
}
