//! Live lists: a snapshot, then differences. Every row carries a version.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;
use crate::id::SiteId;
use crate::visitor::{Device, PresenceState};

words! {
    /// The live lists.
    ViewName {
        /// Conversations.
        Inbox = "inbox",
        /// Visitors.
        Visitors = "visitors",
    }

    /// The lists of the inbox.
    InboxFilter {
        /// All that are open or snoozed.
        All = "all",
        /// Those assigned to me, open or snoozed.
        Mine = "mine",
        /// Those open and assigned to nobody.
        Unassigned = "unassigned",
        /// Those open where the customer waits for us.
        Waiting = "waiting",
        /// Those that rest until a time.
        Snoozed = "snoozed",
        /// Those that are over.
        Closed = "closed",
        /// Those marked as spam.
        Spam = "spam",
    }
}

/// A list of the inbox: which conversations, of all sites or of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct InboxList {
    /// Which.
    pub filter: InboxFilter,
    /// Of one site; of all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_id: Option<SiteId>,
}

impl From<InboxFilter> for InboxList {
    /// The list of all sites.
    fn from(filter: InboxFilter) -> Self {
        Self {
            filter,
            site_id: None,
        }
    }
}

/// Which visitors are listed; what is absent does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct VisitorFilter {
    /// Of one site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_id: Option<SiteId>,
    /// In one state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PresenceState>,
    /// From one country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// On one kind of device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// Whose page, referrer or name holds this text, without regard to case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}

/// How many conversations each list of the inbox holds, of the sites that are asked for. Exact up to 1,000.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct InboxCounts {
    /// Open or snoozed.
    pub all: u32,
    /// Mine among them.
    pub mine: u32,
    /// Open and nobody's.
    pub unassigned: u32,
    /// Open, where the customer waits for us.
    pub waiting: u32,
}

/// How many visitors are here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct VisitorCounts {
    /// Whom the filter lists.
    pub listed: u32,
    /// Active, on all sites.
    pub active: u32,
    /// Idle, on all sites.
    pub idle: u32,
}
