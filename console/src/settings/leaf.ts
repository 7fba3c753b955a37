/** What the parts of a record are called, as the forms that change them say it. Pure. */

/** Where the parts' own names say it less well. What a site overrides is called as in the workspace. */
const NAMES: Readonly<Record<string, string>> = {
  after_close: "A new message after the end",
  allowed_origins: "Allowed origins",
  body: "Text",
  description: "What it is for",
  email: "E-mail",
  grants: "May besides",
  icon: "Icon of the tab",
  identity_required: "Require a signed identity",
  merged_into_id: "Speaks for it",
  reopen_within_ms: "Reopens within",
  scopes: "May",
  "settings.active_threshold_ms": "A visitor counts as active for",
  "settings.anonymize_addresses": "Shorten network addresses",
  "settings.language": "Main language",
  "settings.messages_per_minute": "Messages of one visitor a minute",
  "settings.respect_do_not_track": "Respect Do Not Track",
  "settings.session_timeout_ms": "A visit ends after",
  "settings.sessions_per_minute": "New visitors a minute",
  "settings.setup_put_away": "Set-up list put away",
  "settings.single_owner": "One owner only",
  "settings.typing_preview": "Show what visitors type",
  "settings.visitor_refresh_ms": "Tell the visitor list every",
  theme: "Look",
  "theme.asks.email": "E-mail asked before",
  "theme.asks.name": "Name asked before",
  "theme.asks.phone": "Phone asked before",
  "theme.asks_email_later": "Ask for an e-mail address in the conversation",
  "theme.avatar": "Face of the team",
  "theme.consent": "What a visitor agrees to",
  "theme.greeting": "First words",
  "theme.launcher_gap_px": "Distance from the edges",
  "theme.launcher_side": "Launcher",
  "theme.launcher_text": "Words on the launcher",
  "theme.questions": "Questions of your own",
  "theme.show_brand": "Show “Switchboard” at the foot",
};

/** What a part is called, by where it stands in its record, like `theme.greeting`. */
export function leafName(leaf: string): string {
  const [, attribute] = /^attributes\.(.*)$/s.exec(leaf) ?? [];
  const last = (attribute ?? leaf.split(".").at(-1) ?? leaf).replace(/_ms$/, "").replaceAll("_", " ");
  const name = NAMES[leaf] ?? NAMES[leaf.replace(/^overrides\./, "settings.")] ?? last.charAt(0).toUpperCase() + last.slice(1);
  return leaf.startsWith("support_hours.") ? `Support hours, ${name}` : name;
}

/** The same within a sentence. */
export function innerName(leaf: string): string {
  const name = leafName(leaf);
  return name.charAt(0).toLowerCase() + name.slice(1);
}
