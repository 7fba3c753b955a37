//! A command on its way from a connection to the router: at the rate that is allowed, in the order in
//! which it was said.
//!
//! A command over the rate waits, and nothing of its connection is done meanwhile; so a client that says
//! much at once is slowed down, and nothing is overtaken. One that would have to wait too long is
//! refused, and so is what stands behind a command that could not be taken; see [`Order`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use protocol::command::Ack;
use protocol::limit;
use protocol::permission::{Principal, VisitorActor};
use protocol::rejection::{Rejection, Retry};
use protocol::text::ClientId;

use crate::Doors;
use crate::connection::job::{Asker, Done, Said};
use crate::connection::order::{Line, Order, Turn};
use crate::limits::FrameLimiter;
use crate::metric::Metric;

/// The longest wait for a rate.
const PACE_MAX: Duration = Duration::from_millis(limit::PACE_MS_MAX);

/// What the commands of one connection have in common.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The rate of its frames; nothing for trusted addresses.
    pub(crate) frames: Option<FrameLimiter>,
    order: Mutex<Order>,
    /// When the last wait for a rate was over, in microseconds: what came before that waited for it too.
    paced_us: AtomicU64,
}

impl Queue {
    pub(crate) fn new(frames: Option<FrameLimiter>) -> Self {
        Self {
            frames,
            order: Mutex::default(),
            paced_us: AtomicU64::new(0),
        }
    }

    /// A wait for a rate is over.
    fn note_paced(&self, now: Duration) {
        let now_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        self.paced_us.store(now_us, Ordering::Relaxed);
    }

    /// From when on it is our affair that something said takes long.
    fn since(&self, came: Duration) -> Duration {
        came.max(Duration::from_micros(self.paced_us.load(Ordering::Relaxed)))
    }

    fn with_order<T>(&self, look: impl FnOnce(&mut Order) -> T) -> T {
        look(&mut self.order.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Does commands of a connection, which may go together, when their turn has come: together, as far as none
/// of them has to wait.
pub(crate) async fn in_turn(asker: &Asker, queue: &Queue, commands: Vec<Said>) -> Done {
    let mut hands = Hands {
        asker,
        queue,
        ready: Vec::new(),
        outcomes: Vec::with_capacity(commands.len()),
    };
    let mut is_stuck = false;
    for said in commands {
        if !hands.take(said).await {
            is_stuck = true;
            break;
        }
    }
    hands.hand_over().await;
    Done::Commands {
        outcomes: hands.outcomes,
        is_stuck,
    }
}

/// Commands on their way to the router.
struct Hands<'a> {
    asker: &'a Asker,
    queue: &'a Queue,
    /// Those whose turn it is, and their line.
    ready: Vec<(Line, Said)>,
    outcomes: Vec<(ClientId, Result<Ack, Rejection>)>,
}

impl Hands<'_> {
    /// Takes a command. Says whether its turn comes on this connection.
    async fn take(&mut self, said: Said) -> bool {
        let (asker, queue) = (self.asker, self.queue);
        self.meanwhile(frame_pace(asker, queue)).await;
        let line = Line::of(&asker.actor.principal, &said.command);
        let now = asker.doors.world.clock.elapsed();
        match queue.with_order(|order| order.turn(line, &said.client_id, now)) {
            Turn::Now => {}
            Turn::Later(rejection) => {
                self.hand_over().await;
                self.outcomes.push((said.client_id, Err(rejection)));
                return true;
            }
            Turn::Never => return false,
        }
        if let Err(rejection) = self.meanwhile(speaker_pace(asker)).await {
            self.hand_over().await;
            self.note(line, said.client_id, Err(rejection));
            return true;
        }
        self.ready.push((line, said));
        true
    }

    /// Waits for a rate. What is ready does not wait for it.
    async fn meanwhile<T>(&mut self, rate: impl Future<Output = T>) -> T {
        let mut rate = std::pin::pin!(rate);
        let first = std::future::poll_fn(|context| Poll::Ready(rate.as_mut().poll(context))).await;
        if let Poll::Ready(outcome) = first {
            return outcome;
        }
        self.hand_over().await;
        let outcome = rate.await;
        self.queue
            .note_paced(self.asker.doors.world.clock.elapsed());
        outcome
    }

    /// Hands over what is ready.
    async fn hand_over(&mut self) {
        if self.ready.is_empty() {
            return;
        }
        let ready = std::mem::take(&mut self.ready);
        let named: Vec<_> = ready
            .iter()
            .map(|(line, said)| (*line, said.client_id.clone(), self.queue.since(said.came)))
            .collect();
        let commands = ready
            .into_iter()
            .map(|(_, said)| (said.client_id, said.command));
        let router = &self.asker.doors.router;
        let outcomes = router
            .handle_all(&self.asker.actor, commands.collect())
            .await;
        // One behind another that was refused was not tried, and is waited for behind it.
        for ((line, client_id, since), outcome) in named.into_iter().zip(outcomes) {
            note_acknowledgement(&self.asker.doors, since, &outcome);
            self.note(line, client_id, outcome);
        }
    }

    /// Notes an outcome, which may let those behind it in its line pass.
    fn note(&mut self, line: Line, client_id: ClientId, outcome: Result<Ack, Rejection>) {
        let is_put_off = |rejection: &&Rejection| matches!(rejection.code.retry(), Retry::Later);
        let now = self.asker.doors.world.clock.elapsed();
        self.queue
            .with_order(|order| match outcome.as_ref().err().filter(is_put_off) {
                Some(rejection) => order.refused(line, client_id.clone(), rejection, now),
                None => order.done(line, &client_id),
            });
        self.outcomes.push((client_id, outcome));
    }
}

/// Waits until the connection may send another frame. The allowance is its alone, so the wait has an end.
async fn frame_pace(asker: &Asker, queue: &Queue) {
    let Some(frames) = &queue.frames else {
        return;
    };
    while let Err(rejection) = asker.doors.limits.frame(frames) {
        asker.doors.world.clock.sleep(wait_of(&rejection)).await;
    }
}

/// Waits until the speaker may do another thing.
async fn speaker_pace(asker: &Asker) -> Result<(), Rejection> {
    match asker.actor.principal {
        Principal::Visitor(visitor) if !asker.exempt => pace(asker, &visitor).await,
        Principal::Visitor(_) | Principal::Agent(_) | Principal::Key(_) | Principal::System => {
            Ok(())
        }
    }
}

/// Does a command at the rate of its speaker.
pub(crate) async fn alone(asker: &Asker, said: Said) -> Result<Ack, Rejection> {
    speaker_pace(asker).await?;
    let since = asker.doors.world.clock.elapsed();
    let router = &asker.doors.router;
    let outcome = router
        .handle(&asker.actor, said.client_id, said.command)
        .await;
    note_acknowledgement(&asker.doors, since, &outcome);
    outcome
}

/// Counts a command that was accepted, by how long that took.
pub(crate) fn note_acknowledgement(
    doors: &Doors,
    since: Duration,
    outcome: &Result<Ack, Rejection>,
) {
    if outcome.is_ok() {
        let took = doors.world.clock.elapsed().saturating_sub(since);
        doors.metrics.note_acknowledgement(took);
    }
}

/// Waits until a visitor may send another command.
async fn pace(asker: &Asker, visitor: &VisitorActor) -> Result<(), Rejection> {
    let doors = &asker.doors;
    let until = doors.world.clock.elapsed() + PACE_MAX;
    // A request of its own was counted when it came.
    if asker.queue.is_some() {
        let check = || doors.limits.visitor_request(visitor.visitor_id);
        paced(doors, until, check).await?;
    }
    let settings = doors
        .router
        .site_settings(asker.actor.workspace_id, visitor.site_id)
        .await?;
    let limits = &doors.limits;
    let check = || limits.site_message(visitor.site_id, visitor.visitor_id, &settings);
    paced(doors, until, check).await
}

/// Waits until a rate allows one more, unless that takes too long.
async fn paced(
    doors: &Doors,
    until: Duration,
    check: impl Fn() -> Result<(), Rejection>,
) -> Result<(), Rejection> {
    let clock = &doors.world.clock;
    while let Err(rejection) = check() {
        let wait = wait_of(&rejection);
        if clock.elapsed() + wait > until {
            doors.metrics.add(Metric::RateLimited, 1);
            return Err(rejection);
        }
        clock.sleep(wait).await;
    }
    Ok(())
}

fn wait_of(rejection: &Rejection) -> Duration {
    rejection
        .retry_after_ms
        .map_or(PACE_MAX, Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waited_for_a_rate_counts_from_when_that_wait_was_over() {
        let queue = Queue::new(None);
        let at = Duration::from_millis;
        assert_eq!(queue.since(at(5)), at(5));
        queue.note_paced(at(20));
        assert_eq!(queue.since(at(5)), at(20), "it stood behind what waited");
        assert_eq!(queue.since(at(21)), at(21));
    }
}
