//! What the server says, of either side, as one type.

use protocol::command::Ack;
use protocol::entry::Entry;
use protocol::id::ConversationId;
use protocol::news::{AgentNews, Batch, VisitorNews};
use protocol::position::Position;
use serde::Deserialize;

use crate::Error;
use crate::client::http::malformed;
use crate::client::log::Line;

/// A frame from the server.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// To a visitor.
    Visitor(VisitorNews),
    /// To an agent.
    Agent(AgentNews),
}

/// Which side a client is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A visitor.
    Visitor,
    /// An agent.
    Agent,
}

/// Entries in a row, of either side.
#[derive(Debug)]
pub(crate) struct Lines {
    pub conversation_id: ConversationId,
    pub continuity: protocol::news::Continuity,
    pub lines: Vec<Line>,
    pub position: Option<Position>,
}

impl News {
    /// Decodes a frame.
    ///
    /// # Errors
    /// `Malformed` for what the documentation does not know. A client in the field skips such frames;
    /// this one is here to find them.
    pub fn read(side: Side, text: &str) -> Result<Self, Error> {
        let decoded = match side {
            Side::Visitor => serde_json::from_str(text).map(Self::Visitor),
            Side::Agent => serde_json::from_str(text).map(Self::Agent),
        };
        decoded.map_err(|error| malformed(&error, text.as_bytes()))
    }

    /// The new entry that it tells, of either side.
    #[must_use]
    pub fn line(&self) -> Option<Line> {
        match self {
            Self::Visitor(VisitorNews::Entry { entry }) => Some(entry.clone().into()),
            Self::Agent(AgentNews::Entry { entry }) => Some(Entry::clone(entry).into()),
            Self::Visitor(_) | Self::Agent(_) => None,
        }
    }

    /// The acknowledgement that it is, of either side.
    #[must_use]
    pub fn ack(&self) -> Option<&Ack> {
        match self {
            Self::Visitor(VisitorNews::Ack(ack)) | Self::Agent(AgentNews::Ack(ack)) => Some(ack),
            Self::Visitor(_) | Self::Agent(_) => None,
        }
    }

    /// Decodes a JSON array of frames, as long-poll and `POST /frames` answer.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn read_list(side: Side, body: &[u8]) -> Result<Vec<Self>, Error> {
        fn list<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<Vec<T>, Error> {
            serde_json::from_slice(body).map_err(|error| malformed(&error, body))
        }
        Ok(match side {
            Side::Visitor => list(body)?.into_iter().map(Self::Visitor).collect(),
            Side::Agent => list(body)?.into_iter().map(Self::Agent).collect(),
        })
    }
}

impl<E> From<Batch<E>> for Lines
where
    Line: From<E>,
{
    fn from(batch: Batch<E>) -> Self {
        Self {
            conversation_id: batch.conversation_id,
            continuity: batch.continuity,
            lines: batch.entries.into_iter().map(Line::from).collect(),
            position: batch.position,
        }
    }
}
