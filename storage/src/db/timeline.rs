//! Which history a Postgres is in. A standby that takes the place of its primary begins a history of its own, and
//! where it followed at a distance, it lacks the last commits of the one before: what a node and its clients
//! remember may be more than what is stored.
//!
//! Each new connection is asked before it serves, and a primary that fell leaves none of the old ones. So nothing
//! is read from, or written to, another history than the one that the store was opened in. Where a pooler stands
//! between, another server may come to be behind a connection that stays open: a node asks again with each renewal of
//! its lease, and notices a moment later.

use std::sync::OnceLock;

use deadpool_postgres::HookError;
use tokio::sync::watch;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::db::row::Row;
use crate::db::{Stmt, stmt};
use crate::error::{Error, Result};

/// The cluster and its timeline, which a promotion changes at once. Nothing while it follows another server.
const FIND_TIMELINE: &str = "
    SELECT CASE WHEN NOT pg_is_in_recovery() THEN
        (SELECT CAST(system_identifier AS TEXT) FROM pg_control_system())
        || ' ' || SUBSTR(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline";

/// The history that a store was opened in.
#[derive(Debug)]
pub(crate) struct Timeline {
    opened: OnceLock<String>,
    has_left: watch::Sender<bool>,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self {
            opened: OnceLock::new(),
            has_left: watch::Sender::new(false),
        }
    }

    /// The history, in words that are compared and nothing else. Nothing where the server does not tell.
    pub(crate) fn name(&self) -> Option<&str> {
        self.opened.get().map(String::as_str)
    }

    /// Ends once the server was found in another history.
    pub(crate) async fn left(&self) {
        let mut has_left = self.has_left.subscribe();
        // The sender lives as long as we do.
        let _ = has_left.wait_for(|has_left| *has_left).await;
    }

    /// Whether a new connection leads to the history that the store was opened in.
    ///
    /// # Errors
    /// That it does not; or what the server answers.
    pub(crate) async fn check(&self, client: &Client) -> std::result::Result<(), HookError> {
        let row = match client.query_one(FIND_TIMELINE, &[]).await {
            Ok(row) => row,
            Err(error) if is_secret(error.code()) => {
                tracing::debug!(%error, "the database does not tell its timeline");
                return Ok(());
            }
            Err(error) => return Err(HookError::Backend(error)),
        };
        self.compare(row.get(0)).map_err(HookError::message)
    }

    /// The question for a connection that is open; none where the server does not tell.
    pub(crate) fn question(&self) -> Option<Stmt> {
        self.name().map(|_| stmt!(FIND_TIMELINE))
    }

    /// Whether the answer names the history that the store was opened in.
    ///
    /// # Errors
    /// `Unavailable` where it does not.
    pub(crate) fn take(&self, answer: &Row) -> Result<()> {
        let compared = self.compare(answer.maybe_text("timeline")?);
        compared.map_err(|text| Error::Unavailable(text.to_owned()))
    }

    fn compare(&self, found: Option<String>) -> std::result::Result<(), &'static str> {
        let Some(found) = found else {
            return Err("the database is a standby, which takes no writes");
        };
        if *self.opened.get_or_init(|| found.clone()) == found {
            return Ok(());
        }
        self.has_left.send_replace(true);
        Err("another database took the place of the one that was opened")
    }
}

/// Some hosts of databases do not let everybody ask.
fn is_secret(code: Option<&SqlState>) -> bool {
    code.is_some_and(|code| {
        [
            SqlState::INSUFFICIENT_PRIVILEGE,
            SqlState::FEATURE_NOT_SUPPORTED,
            SqlState::UNDEFINED_FUNCTION,
        ]
        .contains(code)
    })
}
