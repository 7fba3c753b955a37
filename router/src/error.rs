//! Faults of the router, and how a fault of the store becomes what a client may know.

use protocol::rejection::{ErrorCode, Rejection};

/// Why the router could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error("the router cannot read the store: {0}")]
    Store(#[from] storage::Error),
}

/// What a client hears of a failure of the store. Logged here once, where it is handled.
pub(crate) fn refused_by(error: &storage::Error) -> Rejection {
    if error.is_full() {
        // Told by the store, once and not for each command.
        ErrorCode::StorageFull.into()
    } else if error.is_unavailable() {
        tracing::warn!(error.label = error.label(), %error, "the store is not available");
        ErrorCode::Unavailable.into()
    } else {
        tracing::error!(error.label = error.label(), %error, "a fault of the store");
        ErrorCode::Internal.into()
    }
}
