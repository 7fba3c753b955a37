//! What the widget and the server say to each other over HTTP before a socket is open.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::VisitorConversation;
use crate::entry::VisitorEntry;
use crate::id::{PictureId, SiteId, VisitorId};
use crate::language::WidgetLanguage;
use crate::site::Theme;
use crate::support_hours::OpenSpan;

/// Begins or renews a visitor's session. Sent by the page's origin, or by the panel with a token.
#[derive(Clone, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct NewVisitorSession {
    /// The site key of the embed tag.
    pub site_key: SiteId,
    /// The token of before, also an expired one: the same visitor goes on.
    pub token: Option<String>,
    /// A signed identity (WID-14 or JWT).
    pub identity: Option<String>,
    /// Begin as somebody new: `logout`, or another person on the same browser.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub fresh: bool,
    /// The IANA time zone of the browser.
    pub time_zone: Option<String>,
    /// The language of the browser.
    pub language: Option<String>,
    /// The language that the widget speaks on this page: the page's, or what its tag says.
    pub locale: Option<String>,
}

/// A visitor's session.
#[derive(Clone, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct VisitorSession {
    /// Who this browser is. Changes with the identity; what waits to be sent goes only under the id
    /// it was written as.
    pub visitor_id: VisitorId,
    /// The token for sockets and HTTP.
    pub token: String,
    /// When sockets stop accepting it; renew before.
    pub expires_at_ms: u64,
    /// The server's clock, before `unread` was read: what comes later is news to the page.
    pub now_ms: u64,
    /// How the widget looks and who is there.
    pub config: WidgetConfig,
    /// Messages of the team that the visitor has not read.
    pub unread: u32,
    /// Whether a signed identity stands behind this visitor.
    pub identified: bool,
    /// What the launcher says, in the language asked for or the one that the site falls back to; nothing from a server without the web apps.
    pub words: BTreeMap<String, String>,
}

/// How a site's widget looks and who is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct WidgetConfig {
    /// Grows with every change of the site.
    pub version: u64,
    /// The site's name.
    pub site_name: String,
    /// How it looks.
    pub theme: Theme,
    /// Whether a signed identity is needed to write.
    pub identity_required: bool,
    /// Whether a browser that says Do Not Track keeps its pages and events to itself.
    pub respect_do_not_track: bool,
    /// Whether the team sees what is written before it is sent. Visitors MUST be told where they write.
    pub typing_preview: bool,
    /// What the widget speaks to visitors whose own language is none of its own; English when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<WidgetLanguage>,
    /// Who answers.
    pub staff: Staff,
    /// When the team is there by its support hours: the spans of the next days that are not over, in order and
    /// apart. Absent where no hours are stated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<OpenSpan>>", optional)]
    pub open: Vec<OpenSpan>,
    /// How long the site's visitors usually waited for a first answer in the last days, in milliseconds, rounded up to
    /// minutes; absent where it is not known, or too few wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_answer_ms: Option<u64>,
}

/// Who answers, as visitors see it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Staff {
    /// Whether somebody is online.
    pub online: bool,
    /// Those online, at most three.
    pub people: Vec<StaffMember>,
}

/// One of those who answer, as visitors see him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct StaffMember {
    /// The name shown to visitors.
    pub name: String,
    /// The picture, at `/api/v1/pictures/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureId>,
}

/// A page of a visitor's thread: his conversations in one scroll, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct VisitorHistory {
    /// The conversations, newest first.
    pub conversations: Vec<VisitorThread>,
    /// Where the next page begins; absent at the end.
    pub cursor: Option<String>,
}

/// A conversation of a visitor with the newest page of its entries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct VisitorThread {
    /// The conversation.
    pub conversation: VisitorConversation,
    /// The store's epoch, for positions.
    pub epoch: u64,
    /// Its newest entries in number order, as many as fit into a page.
    pub entries: Vec<VisitorEntry>,
    /// How far the team has got.
    pub team_marks: crate::conversation::Marks,
}
