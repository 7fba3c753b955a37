//! What clients say: one tagged enum, the same over a socket and over HTTP.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;
use utoipa::ToSchema;

use crate::agent::{Availability, Screen, SettingsPage};
use crate::command::Command;
use crate::contact::AttributeValue;
use crate::id::{ConversationId, VisitorId};
use crate::position::Position;
use crate::text::ClientId;
use crate::view::{InboxList, VisitorList};

/// A conversation to follow, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Follow {
    /// Which.
    pub conversation_id: ConversationId,
    /// The last entry the client has; the newest page is sent when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// What a connection is for; it decides what a visitor's connection is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "protocol.ts")]
pub enum Purpose {
    /// The launcher: presence, pages and the unread count, no bodies.
    Launcher,
    /// The panel, or an agent's console: everything.
    #[default]
    Full,
}

/// The first frame of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Hello {
    /// Who: a visitor's token, or an agent's socket token.
    pub token: String,
    /// What the connection is for.
    #[serde(default)]
    #[ts(as = "Option<Purpose>", optional)]
    pub purpose: Purpose,
    /// The page in sight, so that presence begins with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
    /// Conversations to go on with, at most `RESUMES_MAX`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<Follow>>", optional)]
    pub resume: Vec<Follow>,
}

/// A page that came in sight, or a route change within one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Page {
    /// The address.
    pub url: String,
    /// The title.
    #[serde(default)]
    #[ts(as = "Option<String>", optional)]
    pub title: String,
    /// Where the visitor came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
}

/// A list to watch live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "view", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub enum Watch {
    /// Conversations.
    Inbox(InboxList),
    /// Conversations beside the list that is open, for what calls somebody.
    Notices(InboxList),
    /// Who is on the sites now: the part of the list that is in sight.
    Visitors(VisitorList),
    /// Whether certain visitors are here: those of the conversations that the client shows.
    Presence {
        /// Which, at most `PAGE_ROWS_MAX`.
        visitor_ids: Vec<VisitorId>,
        /// One whose row is told too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row_id: Option<VisitorId>,
    },
}

/// What a client says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub enum ClientFrame {
    /// The first frame.
    Hello(Hello),
    /// Do something, once.
    Command {
        /// The client's name for it: the same for every try.
        client_id: ClientId,
        /// What.
        command: Command,
    },
    /// Follow a conversation.
    Follow(Follow),
    /// Follow it no longer.
    Unfollow {
        /// Which.
        conversation_id: ConversationId,
    },
    /// Watch a list; one of each kind at a time, a new one replaces the old.
    Watch(Watch),
    /// Watch it no longer.
    Unwatch {
        /// Which.
        view: crate::view::ViewName,
    },
    /// The client's side is typing; sent at most every two seconds.
    Typing {
        /// Where; a visitor leaves it out before the first message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation_id: Option<ConversationId>,
        /// What stands there so far, from visitors, cut to `TYPING_BYTES_MAX`; agents leave it out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Whether typing goes on; `false` ends it at once.
        active: bool,
    },
    /// The agent looks at this conversation, or at none.
    Viewing {
        /// Which.
        conversation_id: Option<ConversationId>,
    },
    /// Everything up to this number was read.
    Read {
        /// Where.
        conversation_id: ConversationId,
        /// Up to which number, in the reader's own counting.
        number: u64,
    },
    /// A page came in sight.
    Page(Page),
    /// The page came in or went out of sight.
    Activity {
        /// Whether somebody looks at it.
        visible: bool,
    },
    /// Something happened on the page.
    Track {
        /// Its name, like `plan_selected`.
        name: String,
        /// What belongs to it, at most `PROPERTIES_MAX`.
        #[serde(default)]
        properties: BTreeMap<String, AttributeValue>,
    },
    /// The agent can be reached, or not.
    Availability {
        /// `online` or `away`.
        availability: Availability,
    },
    /// The agent has this in sight, or nothing.
    Screen {
        /// Which.
        screen: Option<Screen>,
        /// Of a conversation, which one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation_id: Option<ConversationId>,
        /// Of the settings, which page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settings_page: Option<SettingsPage>,
    },
    /// The answer to a beat: how far entries have arrived.
    Beat {
        /// The highest number received without a gap, by conversation.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        delivered: BTreeMap<ConversationId, u64>,
    },
}

impl ClientFrame {
    /// The word on the wire, for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Command { .. } => "command",
            Self::Follow(_) => "follow",
            Self::Unfollow { .. } => "unfollow",
            Self::Watch(_) => "watch",
            Self::Unwatch { .. } => "unwatch",
            Self::Typing { .. } => "typing",
            Self::Viewing { .. } => "viewing",
            Self::Read { .. } => "read",
            Self::Page(_) => "page",
            Self::Activity { .. } => "activity",
            Self::Track { .. } => "track",
            Self::Availability { .. } => "availability",
            Self::Screen { .. } => "screen",
            Self::Beat { .. } => "beat",
        }
    }
}

/// The body of `POST /api/v1/stream`: a connection over plain HTTP. Changing what is followed or
/// watched means a new request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct StreamRequest {
    /// The same as the first frame of a socket.
    pub hello: Hello,
    /// The lists to watch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<Watch>>", optional)]
    pub watch: Vec<Watch>,
    /// Answer once with what there is after at most so long, for proxies that hold streams back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}
