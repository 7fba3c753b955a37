//! Live lists: a snapshot, then differences. Every row carries a version.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;
use crate::id::{AgentId, SiteId};
use crate::language::Language;
use crate::rejection::{ErrorCode, Rejection};
use crate::visitor::{Device, PresenceState};

words! {
    /// The live lists.
    ViewName {
        /// Conversations.
        Inbox = "inbox",
        /// Visitors.
        Visitors = "visitors",
        /// Visitors by name: whether they are here.
        Presence = "presence",
        /// Conversations that call somebody, whichever list he has open.
        Notices = "notices",
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

    /// What stands first in a list of the inbox.
    #[derive(Default)]
    InboxOrder {
        /// What was active last.
        #[default]
        Newest = "newest",
        /// What was active longest ago.
        Oldest = "oldest",
        /// Who waits for us, longest first; then who does not.
        Waiting = "waiting",
    }

    /// What stands first in the list of visitors.
    #[derive(Default)]
    VisitorOrder {
        /// Who is active, then who is idle; among them who came last.
        #[default]
        Active = "active",
        /// Who came last.
        Newest = "newest",
        /// Who is here longest.
        Longest = "longest",
        /// Who saw most pages; among equals who came last.
        Pages = "pages",
    }
}

impl InboxOrder {
    fn is_newest(&self) -> bool {
        *self == Self::Newest
    }
}

impl VisitorOrder {
    fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

/// A list of the inbox: which conversations, narrowed by what is not absent, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct InboxList {
    /// Which.
    pub filter: InboxFilter,
    /// Of one site; of all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_id: Option<SiteId>,
    /// Of one member of the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee_id: Option<AgentId>,
    /// Of customers who speak one language, in any of its regions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Of one priority, from 1 (low) to 4 (urgent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Of this priority or a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_min: Option<u8>,
    /// Last active at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// Last active before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// What stands first; `newest` when absent.
    #[serde(default, skip_serializing_if = "InboxOrder::is_newest")]
    #[ts(as = "Option<InboxOrder>", optional)]
    pub order: InboxOrder,
}

impl From<InboxFilter> for InboxList {
    /// The whole list, newest first.
    fn from(filter: InboxFilter) -> Self {
        Self {
            filter,
            site_id: None,
            assignee_id: None,
            language: None,
            priority: None,
            priority_min: None,
            since_ms: None,
            until_ms: None,
            order: InboxOrder::Newest,
        }
    }
}

impl InboxList {
    /// What is counted with it: the conversations that it is narrowed to, in whichever list and order.
    #[must_use]
    pub fn narrowing(self) -> Self {
        Self {
            filter: InboxFilter::All,
            order: InboxOrder::Newest,
            ..self
        }
    }

    /// Checks a list from outside.
    ///
    /// # Errors
    /// `invalid` with the field `priority` or `priority_min` for one that there is not, with `order` for an order that
    /// the list has not.
    pub fn check(self) -> Result<Self, Rejection> {
        if let Some(priority) = self.priority {
            check_priority(priority, "priority")?;
        }
        if let Some(priority) = self.priority_min {
            check_priority(priority, "priority_min")?;
        }
        let has_order = match self.order {
            InboxOrder::Newest | InboxOrder::Oldest => true,
            // Nobody waits in a conversation that is over.
            InboxOrder::Waiting => match self.filter {
                InboxFilter::Closed | InboxFilter::Spam => false,
                InboxFilter::All
                | InboxFilter::Mine
                | InboxFilter::Unassigned
                | InboxFilter::Waiting
                | InboxFilter::Snoozed => true,
            },
        };
        match has_order {
            true => Ok(self),
            false => Err(Rejection::of(ErrorCode::Invalid, "order")),
        }
    }
}

/// Checks a priority from outside.
///
/// # Errors
/// `invalid` with the field.
pub fn check_priority(priority: u8, field: &'static str) -> Result<(), Rejection> {
    match (1..=4).contains(&priority) {
        true => Ok(()),
        false => Err(Rejection::of(ErrorCode::Invalid, field)),
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
    /// Whose page in sight holds this text in its address or its title, without regard to case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Who came from an address or through a campaign that holds this text, without regard to case; `direct` is where
    /// those came from who came from nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A part of the list of visitors: which are listed, in which order, and where the part begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct VisitorList {
    /// Which.
    #[serde(default)]
    #[ts(as = "Option<VisitorFilter>", optional)]
    pub filter: VisitorFilter,
    /// What stands first; `active` when absent.
    #[serde(default, skip_serializing_if = "VisitorOrder::is_active")]
    #[ts(as = "Option<VisitorOrder>", optional)]
    pub order: VisitorOrder,
    /// How many rows of the list stand before the first one wanted, at most `ROWS_BEFORE_MAX`; none when absent.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(as = "Option<u32>", optional)]
    pub first: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How many conversations each list of the inbox holds, of what is asked for. Exact up to 1,000.
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
    /// Mine in the whole workspace, whatever the list is narrowed to.
    pub mine_anywhere: u32,
    /// Those that wait in the whole workspace.
    pub waiting_anywhere: u32,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_of_a_priority_that_there_is() {
        let all = InboxList::from(InboxFilter::All);
        let of = |priority| InboxList {
            priority: Some(priority),
            ..all
        };
        let up_from = |priority| InboxList {
            priority_min: Some(priority),
            ..all
        };
        let refused = |field| Err(Rejection::of(ErrorCode::Invalid, field));
        for priority in 1..=4 {
            assert_eq!(of(priority).check(), Ok(of(priority)));
            assert_eq!(up_from(priority).check(), Ok(up_from(priority)));
        }
        for priority in [0, 5, u8::MAX] {
            assert_eq!(of(priority).check(), refused("priority"));
            assert_eq!(up_from(priority).check(), refused("priority_min"));
        }
    }

    #[test]
    fn nobody_waits_in_a_list_of_what_is_over() {
        let ordered = |filter: InboxFilter, order| InboxList {
            order,
            ..filter.into()
        };
        let refused = Err(Rejection::of(ErrorCode::Invalid, "order"));
        for filter in [InboxFilter::Closed, InboxFilter::Spam] {
            assert_eq!(ordered(filter, InboxOrder::Waiting).check(), refused);
            assert!(ordered(filter, InboxOrder::Oldest).check().is_ok());
        }
        assert!(
            ordered(InboxFilter::Mine, InboxOrder::Waiting)
                .check()
                .is_ok()
        );
    }
}
