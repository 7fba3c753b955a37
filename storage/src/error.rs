//! What can go wrong in the store. A refusal is no error: guarded writes return it as an outcome.

/// The result of everything that asks the store.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure of the store, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store cannot be reached, is too busy, or the connection broke: a write may or may not be stored.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The disk, or the limit set for it, is full. Nothing was stored.
    #[error("the store is full: {0}")]
    Full(String),
    /// The store may only be read. Nothing was stored.
    #[error("the store is read-only: {0}")]
    ReadOnly(String),
    /// What is stored cannot be read.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The store was made by a newer Switchboard, and does not suit this one.
    #[error(
        "the store has schema {found}, which takes a program that knows {readable_from} or more, and this program knows {known}: use the newer program"
    )]
    NewerSchema {
        /// The schema of the store.
        found: i64,
        /// The lowest that a program must know to use it.
        readable_from: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// Another server has taken this one's place in the store. Nothing was stored, nor will be.
    #[error("another server has taken the place of this one")]
    Replaced,
    /// The rule that a value stands once was broken. Nothing was stored.
    #[error("it exists already: {0}")]
    Unique(String),
    /// The configuration cannot be used.
    #[error("{0}")]
    Configuration(String),
    /// Our own mistake, or one of the store.
    #[error("fault: {0}")]
    Fault(String),
}

impl Error {
    /// Whether there is no space left.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the same may succeed later. A write whose outcome is unknown is among these.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::ReadOnly(_) | Self::Replaced
        )
    }

    /// The label in metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Full(_) => "full",
            Self::ReadOnly(_) => "read_only",
            Self::Corrupt(_) => "corrupt",
            Self::NewerSchema { .. } => "newer_schema",
            Self::Replaced => "replaced",
            Self::Unique(_) => "unique",
            Self::Configuration(_) => "configuration",
            Self::Fault(_) => "fault",
        }
    }
}

/// The outcome of a guarded change of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Written<T> {
    /// Done; the record as it is now.
    Done(T),
    /// Somebody changed it in the meantime. Nothing was stored.
    VersionConflict,
    /// It does not exist. Nothing was stored.
    NotFound,
    /// It exists already. Nothing was stored.
    AlreadyExists,
    /// There are as many as allowed. Nothing was stored.
    TooMany,
    /// A workspace needs an owner. Nothing was stored.
    LastOwner,
    /// Its state does not allow it. Nothing was stored.
    Refused,
}
