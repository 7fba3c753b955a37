//! Saved views: lists of the inbox that a team or a member calls by a name. The team's own affair: no frame
//! and no door of visitors holds one.

use serde::{Deserialize, Deserializer, Serialize, de};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::canned_response::Whose;
use crate::id::{AgentId, SavedViewId, SiteId};
use crate::language::Language;
use crate::rejection::{ErrorCode, Rejection};
use crate::text::Name;
use crate::view::{InboxFilter, InboxList, InboxOrder};

/// When what a view shows was last active: `today`, `7d` or `30d`, reckoned when one looks, or days as
/// `2026-11-01..2026-11-05`, of which one end may be open.
// Invariant: one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS, ToSchema)]
#[serde(transparent)]
#[ts(type = "string", export_to = "protocol.ts")]
#[schema(value_type = String)]
pub struct Span(String);

impl Span {
    /// Checks a text.
    ///
    /// # Errors
    /// `invalid` with the field `span`.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let is_span = match text {
            "today" | "7d" | "30d" => true,
            text => text.split_once("..").is_some_and(|(from, to)| {
                let ends = [from, to];
                ends != ["", ""] && ends.iter().all(|end| end.is_empty() || is_day(end))
            }),
        };
        match is_span {
            true => Ok(Self(text.to_owned())),
            false => Err(Rejection::of(ErrorCode::Invalid, "span")),
        }
    }
}

/// A day as four, two and two digits; whether the calendar has it is for who looks.
fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|_| de::Error::custom("no span of days"))
    }
}

/// The list that a view shows: what an [`InboxList`] is narrowed to, with days in place of moments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct SavedList {
    /// Which; `mine` is of whoever looks.
    pub filter: InboxFilter,
    /// Of one site; of all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_id: Option<SiteId>,
    /// Of one member of the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee_id: Option<AgentId>,
    /// Of customers who speak one language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Of one priority, from 1 (low) to 4 (urgent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Of this priority or a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_min: Option<u8>,
    /// Last active within these days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// What stands first; `newest` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<InboxOrder>,
}

impl SavedList {
    /// Checks a list from outside.
    ///
    /// # Errors
    /// `invalid` with the field `priority` or `priority_min` for one that there is not, with `order` for an order that
    /// the list has not.
    pub fn check(&self) -> Result<(), Rejection> {
        let list = InboxList {
            order: self.order.unwrap_or_default(),
            priority: self.priority,
            priority_min: self.priority_min,
            ..self.filter.into()
        };
        list.check().map(|_| ())
    }
}

/// A list of the inbox with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct SavedView {
    /// Its id.
    pub id: SavedViewId,
    /// Grows with every change.
    pub version: u64,
    /// Whose it is; the team's when absent.
    pub agent_id: Option<AgentId>,
    /// What it is called. Without regard to case, it is one of its kind among the team's, and among one's own.
    pub name: String,
    /// What it shows.
    pub list: SavedList,
}

/// Saves a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct NewSavedView {
    /// Who sees it.
    pub whose: Whose,
    /// What it is called.
    pub name: Name,
    /// What it shows.
    pub list: SavedList,
}

/// Changes a saved view; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct SavedViewChange {
    /// What it is called.
    pub name: Option<Name>,
    /// What it shows.
    pub list: Option<SavedList>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_one_of_the_words_or_days_of_which_one_end_may_be_open() {
        for good in [
            "today",
            "7d",
            "30d",
            "2026-11-01..2026-11-05",
            "..2026-11-05",
            "2026-11-01..",
        ] {
            assert!(Span::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "..",
            "8d",
            "TODAY",
            "2026-11-1..",
            "2026-11-01",
            "x..2026-11-05",
            "2026-11-01..2026-11-05..",
            "２026-11-0..",
        ] {
            assert!(Span::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_view_of_what_is_over_is_in_no_order_of_waiting() {
        let list = |filter| SavedList {
            filter,
            site_id: None,
            assignee_id: None,
            language: None,
            priority: None,
            priority_min: None,
            span: None,
            order: Some(InboxOrder::Waiting),
        };
        let refused = Err(Rejection::of(ErrorCode::Invalid, "order"));
        assert_eq!(list(InboxFilter::Closed).check(), refused);
        assert_eq!(list(InboxFilter::Mine).check(), Ok(()));
    }
}
