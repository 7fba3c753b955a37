//! A command on its way from a connection to the router: at the rate that is allowed, in the order in
//! which it was said.
//!
//! A command over the rate waits, and nothing of its connection is done meanwhile; so a client that says
//! much at once is slowed down, and nothing is overtaken. One that would have to wait too long is
//! refused, and so is what stands behind a command that could not be taken; see [`Order`].

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use protocol::command::{Ack, Command};
use protocol::limit;
use protocol::permission::{Principal, VisitorActor};
use protocol::rejection::{Rejection, Retry};
use protocol::text::ClientId;

use crate::Doors;
use crate::connection::job::{Asker, Done};
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
}

impl Queue {
    pub(crate) fn new(frames: Option<FrameLimiter>) -> Self {
        Self {
            frames,
            order: Mutex::default(),
        }
    }

    fn with_order<T>(&self, look: impl FnOnce(&mut Order) -> T) -> T {
        look(&mut self.order.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Does a command of a connection, when its turn has come.
pub(crate) async fn in_turn(
    asker: &Asker,
    queue: &Queue,
    client_id: ClientId,
    command: Command,
) -> Done {
    let doors = &asker.doors;
    let clock = &doors.world.clock;
    if let Some(frames) = &queue.frames {
        // The allowance is this connection's alone, so the wait for it has an end.
        while let Err(rejection) = doors.limits.frame(frames) {
            clock.sleep(wait_of(&rejection)).await;
        }
    }
    let line = Line::of(&asker.actor.principal, &command);
    match queue.with_order(|order| order.turn(line, &client_id, clock.elapsed())) {
        Turn::Now => {}
        Turn::Later(rejection) => return Done::Command(client_id, Err(rejection)),
        Turn::Never => return Done::Stuck,
    }
    let outcome = alone(asker, client_id.clone(), command).await;
    if let Err(rejection) = &outcome {
        match rejection.code.retry() {
            Retry::Never => {}
            Retry::Later => queue.with_order(|order| {
                order.refused(line, client_id.clone(), rejection, clock.elapsed());
            }),
        }
    }
    Done::Command(client_id, outcome)
}

/// Does a command at the rate of its speaker.
pub(crate) async fn alone(
    asker: &Asker,
    client_id: ClientId,
    command: Command,
) -> Result<Ack, Rejection> {
    if let Principal::Visitor(visitor) = asker.actor.principal
        && !asker.exempt
    {
        pace(asker, &visitor).await?;
    }
    let router = &asker.doors.router;
    router.handle(&asker.actor, client_id, command).await
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
