//! Conversations: the thread between a contact and the team.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::{AgentId, ContactId, ConversationId, DepartmentId, EntryId, SiteId, VisitorId};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
        #[ts(export_to = "protocol.ts")]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// The word on the wire and in the store.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of a stored word.
            #[must_use]
            pub fn of(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    )*};
}
pub(crate) use words;

words! {
    /// Whether a conversation is alive. Everything else is a fact beside it (C3).
    State {
        /// It goes on.
        Open = "open",
        /// It rests until a time or the customer's next word.
        Snoozed = "snoozed",
        /// It is over.
        Closed = "closed",
    }

    /// Where a conversation takes place.
    Channel {
        /// The widget.
        Chat = "chat",
        /// E-mail.
        Email = "email",
        /// A ticket's thread.
        Ticket = "ticket",
    }

    /// Who is to answer.
    Handler {
        /// The assistant.
        Ai = "ai",
        /// Whoever is free next.
        Queue = "queue",
        /// A member of the team.
        Human = "human",
    }

    /// Whose turn it is.
    WaitingOn {
        /// The customer waits for us.
        Agent = "agent",
        /// We wait for the customer.
        Customer = "customer",
    }
}

/// The last thing said, cut to one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Preview {
    /// The entry it comes from.
    pub entry_id: EntryId,
    /// Whether the customer said it; the team otherwise.
    pub from_customer: bool,
    /// At most 160 bytes of plain text; empty where only files were sent.
    pub text: String,
    /// How many files came with it.
    pub attachment_count: u32,
    /// When it was said.
    pub sent_at_ms: u64,
}

/// A conversation, as the team sees it: also the row of the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Its number in the workspace, from 1.
    pub number: u64,
    /// Grows with every change; older news never overwrite newer.
    pub version: u64,
    /// Where it takes place.
    pub channel: Channel,
    /// The site it came from.
    pub site_id: SiteId,
    /// The customer.
    pub contact_id: ContactId,
    /// What the customer is called: the name, else the e-mail address, else a handle (`Visitor 4F2A`).
    pub contact_name: String,
    /// Grows with every change of the customer's record. The name may change while `version` stays: the
    /// newest known of a `contact_id` counts in all rows; see the news `contact`.
    pub contact_version: u64,
    /// Whether the customer was erased: nothing more can be said here.
    pub contact_erased: bool,
    /// The browser it was started from, where there is one.
    pub visitor_id: Option<VisitorId>,
    /// Open, snoozed or closed.
    pub state: State,
    /// Who is to answer.
    pub handler: Handler,
    /// Whose it is.
    pub assignee_id: Option<AgentId>,
    /// Its department.
    pub department_id: Option<DepartmentId>,
    /// 1 low, 2 normal, 3 high, 4 urgent.
    pub priority: u8,
    /// The customer's language, as a BCP 47 tag.
    pub language: Option<String>,
    /// The conversation before this one.
    pub previous_id: Option<ConversationId>,
    /// Whose turn it is.
    pub waiting_on: WaitingOn,
    /// Since when.
    pub waiting_since_at_ms: u64,
    /// When it wakes, while it is snoozed.
    pub snoozed_until_ms: Option<u64>,
    /// Whether it was marked as spam.
    pub spam: bool,
    /// The number of its last entry.
    pub seq: u64,
    /// The number of the customer's last message; unread means my read mark is below it.
    pub customer_seq: u64,
    /// The last thing said.
    pub preview: Option<Preview>,
    /// When it began.
    pub created_at_ms: u64,
    /// When something was last said or done; lists are sorted by it.
    pub active_at_ms: u64,
}

/// A conversation as its visitor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct VisitorConversation {
    /// Its id.
    pub id: ConversationId,
    /// Grows with every change that the visitor may see.
    pub version: u64,
    /// Whether it is over; a snoozed one is simply open to the visitor.
    pub closed: bool,
    /// The number of its last visible entry.
    pub number: u64,
    /// How far the visitor has read.
    pub read_number: u64,
    /// When it began.
    pub created_at_ms: u64,
}

/// How far a side has got. Both only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct Marks {
    /// The highest number that reached a device of the reader.
    pub delivered: u64,
    /// The highest number the reader has seen.
    pub read: u64,
}
