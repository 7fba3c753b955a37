//! Pages of a list, by keyset cursor.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::Id;
use crate::rejection::{ErrorCode, Rejection};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", rename = "Listing", optional_fields = nullable)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; opaque, and absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The lists that have pages. A cursor of one means nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Conversations of the inbox, last active first.
    Inbox,
    /// Conversations of the inbox, last active last.
    InboxOldest,
    /// Conversations of the inbox, those that wait longest first.
    InboxWaiting,
    /// Conversations that a search over all lists found, last active first.
    Search,
    /// Conversations of a contact, last active first.
    OfContact,
    /// Conversations of a visitor, newest first.
    History,
    /// The audit log, newest first.
    Audit,
    /// Sign-ins that failed, newest first.
    FailedLogins,
    /// Sign-ins of the team, newest first.
    SignIns,
    /// What is asked of a member, newest first.
    Todos,
    /// What of it is not read, newest first.
    TodosUnread,
    /// The notes of it that name him, newest first.
    TodosMentions,
    /// What of it is done, newest first.
    TodosDone,
}

impl List {
    fn word(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::InboxOldest => "oldest",
            Self::InboxWaiting => "waiting",
            Self::Search => "search",
            Self::OfContact => "contact",
            Self::History => "history",
            Self::Audit => "audit",
            Self::FailedLogins => "failed",
            Self::SignIns => "sign-ins",
            Self::Todos => "todos",
            Self::TodosUnread => "unread",
            Self::TodosMentions => "mentions",
            Self::TodosDone => "done",
        }
    }
}

/// Where a page of a list begins: after the row with this time and id. Its text is opaque to those outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor<I> {
    /// The time that the list is sorted by.
    pub at_ms: u64,
    /// The row's id, which decides among equal times.
    pub id: I,
}

impl<I: Id + Display + FromStr> Cursor<I> {
    /// Reads a cursor of a list.
    ///
    /// # Errors
    /// `invalid` of `cursor` for what is none, or one of another list: taken for the beginning, it would
    /// show everything again.
    pub fn read(text: &str, list: List) -> Result<Self, Rejection> {
        let read = || {
            let rest = text.strip_prefix(list.word())?.strip_prefix('.')?;
            let (at_ms, id) = rest.split_once('.')?;
            let cursor = Self {
                at_ms: at_ms.parse().ok()?,
                id: id.parse().ok()?,
            };
            // There is one way to write it: no sign, no zeros before it.
            (cursor.text(list) == text).then_some(cursor)
        };
        read().ok_or_else(|| Rejection::of(ErrorCode::Invalid, "cursor"))
    }

    /// The opaque text.
    #[must_use]
    pub fn text(&self, list: List) -> String {
        format!("{}.{}.{}", list.word(), self.at_ms, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AuditId, ConversationId};

    #[test]
    fn a_cursor_reads_back_in_its_own_list_and_nothing_else_is_one() {
        let cursor = Cursor {
            at_ms: 7,
            id: ConversationId::from_bits(1),
        };
        let text = cursor.text(List::Inbox);
        assert_eq!(Cursor::read(&text, List::Inbox), Ok(cursor));
        let refused = Rejection::of(ErrorCode::Invalid, "cursor");
        let check = |text: &str, list| {
            let read = Cursor::<ConversationId>::read(text, list);
            assert_eq!(read, Err(refused.clone()), "{text}");
        };
        check(&text, List::History);
        check(&text, List::OfContact);
        let id = cursor.id;
        for text in [
            String::new(),
            "nonsense".to_owned(),
            format!("7.{id}"),
            format!("inbox.{id}"),
            format!("inbox.x.{id}"),
            format!("inbox.-7.{id}"),
            format!("inbox.+7.{id}"),
            format!("inbox.07.{id}"),
            format!("inbox.18446744073709551616.{id}"),
            format!("inbox.7.{id} "),
            "inbox.7.~".to_owned(),
            "inbox.7.' OR 1=1".to_owned(),
            format!("inbox.7.{}", AuditId::from_bits(1)),
        ] {
            check(&text, List::Inbox);
        }
    }
}
