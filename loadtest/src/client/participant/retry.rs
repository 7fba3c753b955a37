//! What could not be taken is sent again, and nothing overtakes it meanwhile.

use std::time::Duration;

use protocol::frame::ClientFrame;
use protocol::limit;
use protocol::news::Rejected;
use protocol::rejection::Retry;
use protocol::text::ClientId;

use super::Client;
use crate::Error;
use crate::client::connection::Connection;
use crate::client::outbox::Item;

/// When a command is sent again that the server could not take and named no time for.
const RETRY_MS: u64 = 1_000;

/// How many commands are sent again before the first of them are answered. Ten minutes of a busy client are
/// thousands: whoever writes them all before he reads fills the line both ways.
pub(super) const UNDER_WAY_MAX: usize = 64;

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
        self.held.insert(client_id.clone());
    }

    /// Whether what is sent now waits behind what was told to come later.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        let is_put_off = self.connection.as_ref().is_some_and(Connection::is_put_off);
        self.retry_at.is_some() || is_put_off
    }

    /// How long to listen: until a command is due again, or the silence is too long.
    pub(super) fn patience(&self) -> Duration {
        let silence = Duration::from_millis(limit::SILENCE_MS_MAX);
        let now = self.world.clock.elapsed();
        self.next_retry()
            .map_or(silence, |due| due.saturating_sub(now))
    }

    /// When what was held back is due again; nothing while it waits for answers to what is under way.
    pub(super) fn next_retry(&self) -> Option<Duration> {
        let has_room = self.under_way_count() <= UNDER_WAY_MAX / 2;
        self.retry_at.filter(|_| has_room)
    }

    /// Whether it is time to send again what was held back.
    pub(super) fn is_retry_due(&self) -> bool {
        let now = self.world.clock.elapsed();
        self.next_retry().is_some_and(|due| due <= now)
    }

    /// Commands without an outcome that are not held back.
    fn under_way_count(&self) -> usize {
        self.outbox.open_count().saturating_sub(self.held.len())
    }

    /// Sends what was held back, in its first order, as far as there is room; what is in doubt, too, for which a page
    /// was awaited long enough. Cancel-safe: what was not sent whole stays held, and nothing new overtakes it.
    pub(super) async fn retry(&mut self) -> Result<(), Error> {
        self.outbox.end_doubt();
        let room = UNDER_WAY_MAX.saturating_sub(self.under_way_count());
        let open = self.outbox.open();
        let held = open.filter(|item| self.held.contains(&item.client_id));
        let next: Vec<Item> = held.take(room).cloned().collect();
        let is_all = next.len() < room;
        for item in next {
            if self.connection.as_ref().is_some_and(Connection::is_put_off) {
                // The rest waits for the time that the answer names.
                self.retry_at = None;
                return Ok(());
            }
            let (client_id, command) = (item.client_id, item.command);
            let frame = ClientFrame::Command {
                client_id: client_id.clone(),
                command,
            };
            self.signal(&frame).await?;
            self.held.remove(&client_id);
        }
        if is_all {
            self.retry_at = None;
            self.held.clear();
        }
        Ok(())
    }
}
