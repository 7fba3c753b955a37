//! Every limit on what comes from outside, in one place. Crossing one is a rejection with its own
//! code and changes nothing. Rates live in configuration, for they depend on the machine.

/// Bytes of one client frame, as received.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Control frames and fragments of a WebSocket before a text is whole.
pub const ASIDES_MAX: usize = 256;
/// Bytes of a message body in UTF-8.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// Attachments of one message.
pub const ATTACHMENTS_MAX: usize = 10;
/// Bytes of one uploaded file, unless configured lower.
pub const ATTACHMENT_BYTES_MAX: u64 = 20 * 1024 * 1024;
/// Bytes of a file name in UTF-8.
pub const FILE_NAME_BYTES_MAX: usize = 255;
/// Pixels of a picture's longer side; a larger one is a file without a size.
pub const PICTURE_SIDE_MAX: u32 = 16_384;
/// Pixels of a picture in all; one with more is a file without a size.
pub const PICTURE_PIXELS_MAX: u64 = 50_000_000;
/// How often the shorter side of a picture fits into the longer one; beyond, it is a file without a size.
pub const PICTURE_RATIO_MAX: u32 = 40;
/// Uploads of one uploader that no message has claimed yet.
pub const UNCLAIMED_ATTACHMENTS_MAX: usize = 20;
/// Bytes that the smallest file counts as, where bytes of uploads are bounded: files cost more than bytes.
pub const UPLOAD_BYTES_MIN: u64 = 64 * 1024;
/// Characters of a client's id for a command.
pub const CLIENT_ID_LENGTH_MAX: usize = 64;
/// Bytes of a short name (agent, site, workspace, contact field) in UTF-8.
pub const NAME_BYTES_MAX: usize = 200;
/// Bytes of an e-mail address (RFC 5321, 4.5.3.1.3).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Bytes of a page address; longer ones are cut, for pages are only a trace.
pub const URL_BYTES_MAX: usize = 2_048;
/// Bytes of a page title; longer ones are cut.
pub const TITLE_BYTES_MAX: usize = 300;

/// How far a launcher may stand from the edges of its page, in pixels.
pub const LAUNCHER_GAP_PX_MAX: u16 = 200;

/// The text on a launcher, in bytes.
pub const LAUNCHER_TEXT_BYTES_MAX: usize = 60;

/// Each of a site's pictures as a `data:` address, in bytes. They come with each session, so they are small.
pub const LOGO_BYTES_MAX: usize = 6_144;

/// Spans of support hours in one day.
pub const HOURS_SPANS_MAX: usize = 6;

/// A member's picture, or a workspace's icon, in bytes.
pub const AGENT_PICTURE_BYTES_MAX: usize = 32 * 1024;
/// The side of a member's picture, or of a workspace's icon, in pixels.
pub const AGENT_PICTURE_SIDE_MAX: u32 = 512;

/// Questions of a site's own before a first message.
pub const QUESTIONS_MAX: usize = 10;

/// What a visitor agrees to before a first message, in bytes; it is kept as a property of the contact.
pub const CONSENT_BYTES_MAX: usize = 1_000;
/// Conversations that one connection may follow at a time.
pub const FOLLOWS_MAX: usize = 64;
/// Lists that one connection may watch at a time: one of each kind.
pub const WATCHES_MAX: usize = 3;
/// Conversations that may be resumed in one `hello`.
pub const RESUMES_MAX: usize = FOLLOWS_MAX;
/// Entries of one page: replay, history, search.
pub const PAGE_ENTRIES_MAX: usize = 200;
/// Bytes of the entries of one page, as JSON for the team. One entry comes whatever its size.
pub const PAGE_BYTES_MAX: usize = 64 * 1024;
/// Rows of one page of a list, and of a live window.
pub const PAGE_ROWS_MAX: usize = 100;
/// Rows that may stand before a live window of visitors.
pub const ROWS_BEFORE_MAX: u32 = 1_000_000;
/// Bytes of the rows of a live window of visitors, as JSON. One row comes whatever its size.
pub const WINDOW_BYTES_MAX: usize = 256 * 1024;
/// Bytes of the members in one `team` frame, as JSON. Those who left give way, then the last by name.
pub const TEAM_MEMBERS_BYTES_MAX: usize = 512 * 1024;
/// Bytes of the names of API keys in one `team` frame, as JSON. The oldest give way.
pub const TEAM_KEYS_BYTES_MAX: usize = 128 * 1024;
/// Page views of one visit; further ones are refused.
pub const VISIT_PAGES_MAX: u32 = 2_000;
/// Custom events of one visit; further ones are refused.
pub const VISIT_EVENTS_MAX: u32 = 500;
/// Properties of a custom event, and attributes of one `identify`.
pub const PROPERTIES_MAX: usize = 32;
/// Attributes of one contact in all.
pub const CONTACT_ATTRIBUTES_MAX: usize = 100;
/// Addresses, numbers and customer ids of one contact in all. Browsers are not counted.
pub const CONTACT_IDENTITIES_MAX: usize = 50;
/// Bytes of a property's value.
pub const PROPERTY_BYTES_MAX: usize = 1_024;
/// Bytes of a property's or an event's name.
pub const PROPERTY_NAME_BYTES_MAX: usize = 64;
/// Bytes of a signed identity token.
pub const IDENTITY_TOKEN_BYTES_MAX: usize = 4_096;
/// How long a signed identity token may live from now on, in milliseconds.
pub const IDENTITY_TOKEN_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// Secrets of one kind that one site has at a time.
pub const SITE_SECRETS_MAX: usize = 10;
/// Public keys of one site that are accepted at a time.
pub const IDENTITY_KEYS_MAX: usize = 10;
/// Bytes of a public key as it is added, in PEM or as a JSON Web Key.
pub const PUBLIC_KEY_BYTES_MAX: usize = 4_096;
/// Allowed origins of one site.
pub const ORIGINS_MAX: usize = 50;
/// Active sites of one workspace. A bound for the machine's sake, not a plan.
pub const SITES_MAX: usize = 1_000;
/// Active members of one team.
pub const AGENTS_MAX: usize = 1_000;
/// Open invitations of one workspace.
pub const INVITATIONS_MAX: usize = 1_000;
/// API keys of one workspace.
pub const API_KEYS_MAX: usize = 100;
/// Canned responses of a team.
pub const CANNED_RESPONSES_MAX: usize = 500;
/// Canned responses of one member.
pub const OWN_CANNED_RESPONSES_MAX: usize = 200;
/// Bytes of a canned response's text.
pub const CANNED_BODY_BYTES_MAX: usize = 4_096;
/// Saved views of a team.
pub const SAVED_VIEWS_MAX: usize = 50;
/// Saved views of one member.
pub const OWN_SAVED_VIEWS_MAX: usize = 50;
/// Networks that a workspace may block.
pub const BLOCKED_ADDRESSES_MAX: usize = 1_000;
/// Bytes of a network as it is written.
pub const NETWORK_BYTES_MAX: usize = 64;
/// Bytes of a canned response's nickname.
pub const NICKNAME_BYTES_MAX: usize = 40;
/// Members that one note may name.
pub const MENTIONS_MAX: usize = 20;
/// What of a member's to do one request may mark.
pub const TODO_MARKS_MAX: usize = 100;
/// Bytes of a password. Argon2 accepts more; nobody needs more.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// Characters of a password, at least.
pub const PASSWORD_LENGTH_MIN: usize = 12;
/// Living login sessions of one user; a further one ends the one that was not used for longest.
pub const LOGIN_SESSIONS_MAX: usize = 100;
/// How long after sending an author may edit or delete a message as a visitor, in milliseconds.
pub const VISITOR_EDIT_WINDOW_MS: u64 = 15 * 60 * 1_000;
/// How far ahead a conversation may be snoozed, in milliseconds.
pub const SNOOZE_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1_000;
/// Bytes of a search text.
pub const SEARCH_BYTES_MAX: usize = 200;
/// Rows of one page of what a search found.
pub const FOUND_ROWS_MAX: usize = 50;
/// Bytes queued towards one connection before it is told to resume.
pub const QUEUE_BYTES_MAX: usize = 1024 * 1024;
/// How long a reader may make no progress before it is told to resume, in milliseconds.
pub const STALL_MS_MAX: u64 = 10_000;
/// How long a request's body may stand still, and an answer wait to be taken, in milliseconds.
pub const REQUEST_IDLE_MS_MAX: u64 = 15_000;
/// Bytes of a request's body that must come in a second, over all of it and beside a first idle time.
pub const REQUEST_BYTES_PER_SECOND_MIN: u64 = 32 * 1024;
/// Silence after which the server sends a beat, in milliseconds.
pub const BEAT_MS: u64 = 25_000;
/// Silence after which either side gives the connection up, in milliseconds.
pub const SILENCE_MS_MAX: u64 = 60_000;
/// How long a connection may take to send `hello`, in milliseconds.
pub const HELLO_MS_MAX: u64 = 10_000;
/// How long a command may wait for its rate before it is refused, in milliseconds.
pub const PACE_MS_MAX: u64 = 2_000;
/// How long a client keeps what it sent, to send it again if the store lost it, in milliseconds.
pub const RESEND_MS: u64 = 10 * 60 * 1_000;
/// How long what came of a command is remembered, in days, unless configured longer: a retry within them
/// changes nothing.
pub const COMMAND_DAYS_MIN: u64 = 90;
/// How long typing is shown after its last news, in milliseconds.
pub const TYPING_MS: u64 = 6_000;
/// Bytes of a typing preview.
pub const TYPING_BYTES_MAX: usize = 1_024;
