//! What could not be taken is sent again, and nothing overtakes it meanwhile.

use std::time::Duration;

use protocol::frame::ClientFrame;
use protocol::news::Rejected;
use protocol::rejection::Retry;
use protocol::text::ClientId;

use super::Client;
use crate::Error;
use crate::client::connection::Connection;

/// When a command is sent again that the server could not take and named no time for.
const RETRY_MS: u64 = 1_000;

impl Client {
    /// Notes that a command is to be sent again, when the server says or after a second.
    pub(super) fn retry_later(&mut self, rejected: &Rejected) {
        let problem = &rejected.problem;
        if problem.retry == Retry::Later {
            let pause = Duration::from_millis(problem.retry_after_ms.unwrap_or(RETRY_MS));
            let due = self.world.clock.elapsed() + pause;
            self.retry_at = self.retry_at.max(Some(due));
            self.hold(&rejected.client_id);
        }
    }

    /// Keeps a command back until the next retry.
    pub(super) fn hold(&mut self, client_id: &ClientId) {
        if !self.held.contains(client_id) {
            self.held.push(client_id.clone());
        }
    }

    /// Whether what is sent now waits behind what was told to come later.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        let is_put_off = self.connection.as_ref().is_some_and(Connection::is_put_off);
        self.retry_at.is_some() || is_put_off
    }

    /// Whether it is time to send again what was held back.
    pub(super) fn is_retry_due(&self) -> bool {
        let now = self.world.clock.elapsed();
        self.retry_at.is_some_and(|due| due <= now)
    }

    /// Sends what was held back, in its first order. Cancel-safe: what was not sent whole stays held, and
    /// nothing new overtakes it.
    pub(super) async fn retry(&mut self) -> Result<(), Error> {
        for item in self.outbox.pending() {
            let Some(place) = self.held.iter().position(|held| *held == item.client_id) else {
                continue;
            };
            if self.connection.as_ref().is_some_and(Connection::is_put_off) {
                // The rest waits for the time that the answer names.
                self.retry_at = None;
                return Ok(());
            }
            let frame = ClientFrame::Command {
                client_id: item.client_id,
                command: item.command,
            };
            self.signal(&frame).await?;
            self.held.remove(place);
        }
        self.retry_at = None;
        self.held.clear();
        Ok(())
    }
}
