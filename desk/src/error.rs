//! What can go wrong at the desk: a rejection, which is expected, or a fault of ours.

use protocol::rejection::{ErrorCode, Rejection};

/// The desk's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the desk did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Refused: expected, safe to show, nothing changed.
    #[error("refused: {0}")]
    Rejected(#[from] Rejection),
    /// The store failed.
    #[error("the store failed: {0}")]
    Store(#[from] storage::Error),
    /// A password could not be hashed, or a stored hash could not be read.
    #[error("password hashing failed: {0}")]
    Hash(argon2::password_hash::Error),
    /// The runtime stopped before the hash was made.
    #[error("password hashing was stopped")]
    HashingStopped,
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self::Rejected(code.into())
    }
}

impl Error {
    /// What the client may see.
    #[must_use]
    pub fn rejection(&self) -> Rejection {
        match self {
            Self::Rejected(rejection) => rejection.clone(),
            Self::Store(error) if error.is_full() => ErrorCode::StorageFull.into(),
            Self::Store(error) if error.is_unavailable() => ErrorCode::Unavailable.into(),
            Self::HashingStopped => ErrorCode::Unavailable.into(),
            Self::Store(_) | Self::Hash(_) => ErrorCode::Internal.into(),
        }
    }

    /// The same, but a refusal with one code becomes a more telling one.
    #[must_use]
    pub(crate) fn told_as(self, code: ErrorCode, refusal: impl Into<Rejection>) -> Self {
        match self {
            Self::Rejected(rejection) if rejection.code == code => Self::Rejected(refusal.into()),
            other @ (Self::Rejected(_) | Self::Store(_) | Self::Hash(_) | Self::HashingStopped) => {
                other
            }
        }
    }

    /// Whether this is ours to repair: to be logged, once, where it is handled.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Rejected(_) => false,
            Self::Store(_) | Self::Hash(_) | Self::HashingStopped => true,
        }
    }
}
