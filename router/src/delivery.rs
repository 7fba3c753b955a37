//! Deliveries: what router hands to the shards, encoded once however many connections read it.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use protocol::id::{ConversationId, EntryId};
use protocol::network::Network;
use protocol::rejection::CloseCode;
use serde::Serialize;

use crate::topic::Topic;

/// A frame, encoded once.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// JSON in UTF-8: the text of one frame. Cloning shares it.
    pub text: Bytes,
    /// What a connection may do with it.
    pub class: Class,
}

impl Encoded {
    /// Encodes a frame.
    #[must_use]
    pub fn new<F: Serialize>(frame: &F, class: Class) -> Self {
        Self {
            text: json(frame),
            class,
        }
    }
}

/// Bytes that a thread keeps to write JSON into.
const SCRATCH_BYTES_MAX: usize = 64 << 10;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// JSON of its exact size. It grows in a place that the thread keeps: nothing is copied from a small buffer into a
/// larger one each time.
pub(crate) fn json<T: Serialize>(tree: &T) -> Bytes {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        serde_json::to_writer(&mut *scratch, tree).expect("trees of texts and numbers");
        let text = Bytes::copy_from_slice(scratch);
        scratch.shrink_to(SCRATCH_BYTES_MAX);
        text
    })
}

/// What a frame is, as far as queues must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// An entry. Never dropped, and sent only right after the entry before it: a connection keeps the
    /// last number it sent for each conversation and replays where the next is missing.
    Durable {
        /// Of which conversation.
        conversation_id: ConversationId,
        /// Its number in the counting of those who get this frame.
        number: u64,
        /// Its id: with the number and the store's epoch, a position to replay from.
        entry_id: EntryId,
    },
    /// A row, a list or another fact. Kept in order and never dropped: a reader who cannot take it is
    /// disconnected with a resume code.
    Row,
    /// A passing state. Of several unsent ones with one key only the latest counts.
    Signal {
        /// What it is about.
        key: SignalKey,
    },
}

/// What a signal is about: a later one with the same key replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignalKey {
    /// The typing of one person; the bits of the agent's id, zero for the customer.
    Typing(ConversationId, u128),
    /// How far the other side got.
    Marks(ConversationId),
    /// How far I read, in another tab.
    Read(ConversationId),
    /// Who looks at a conversation.
    Viewing(ConversationId),
    /// The unread count.
    Unread,
    /// Who answers.
    Staff,
    /// How the widget looks.
    Config,
}

impl SignalKey {
    /// Whether what it says holds until another one comes: nothing else would put it right soon.
    pub(crate) fn lasts(self) -> bool {
        match self {
            Self::Typing(..) => false,
            Self::Marks(_)
            | Self::Read(_)
            | Self::Viewing(_)
            | Self::Unread
            | Self::Staff
            | Self::Config => true,
        }
    }
}

/// What a shard gets.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// Send this frame to every connection on the topic.
    Publish {
        /// To whom.
        topic: Topic,
        /// What.
        frame: Encoded,
    },
    /// Every connection on the topic follows this conversation from now on, as if it had asked to
    /// without a position: a visitor's first message made it.
    Follow {
        /// Who.
        topic: Topic,
        /// What.
        conversation_id: ConversationId,
    },
    /// Every connection on the topic that follows this conversation reads its newest page again: what it says
    /// was erased.
    Afresh {
        /// Who.
        topic: Topic,
        /// What.
        conversation_id: ConversationId,
    },
    /// End every connection on the topic.
    CloseTopic {
        /// Which.
        topic: Topic,
        /// Why.
        code: CloseCode,
    },
    /// End every connection on the topic whose visitor nobody proved: he was proved meanwhile.
    CloseUnproved {
        /// Which.
        topic: Topic,
        /// Why.
        code: CloseCode,
    },
    /// End every connection on the topic that comes from one of these networks: nobody may any more.
    CloseBlocked {
        /// Which.
        topic: Topic,
        /// From where.
        networks: Arc<[Network]>,
        /// Why.
        code: CloseCode,
    },
    /// The shard did not take its deliveries in time and some were dropped: end every connection that
    /// follows or watches anything with a resume code.
    Lost,
}
