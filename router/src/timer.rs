//! Timers: rows of the store that fire commands. The wheel sleeps until the next one is due; whoever
//! sets an earlier one wakes it. What fell due while no node ran fires at start.

use std::time::Duration;

use protocol::command::Command;
use protocol::permission::{Actor, Principal};
use protocol::rejection::Retry;
use protocol::text::ClientId;
use storage::timer::{Timer, TimerKind};
use tokio::sync::Notify;

use crate::router::Router;

/// The longest sleep: other nodes set timers too, and a node may end with its own.
const SLEEP_MAX: Duration = Duration::from_secs(30);

/// How long the wheel waits after the store failed.
const RETRY: Duration = Duration::from_secs(1);

/// Timers fired in one turn.
const TURN_MAX: usize = 100;

/// The wheel.
#[derive(Debug, Default)]
pub(crate) struct Timers(Notify);

impl Timers {
    /// A timer was set: the wheel looks when the next one is due.
    pub(crate) fn ring(&self) {
        self.0.notify_one();
    }

    /// Fires timers until the soft token.
    pub(crate) async fn run(&self, router: &Router) {
        let soft = router.world().tracker.soft().clone();
        loop {
            let turn = tokio::select! {
                biased;
                () = soft.cancelled() => return,
                turn = self.turn(router) => turn,
            };
            if let Err(error) = turn {
                tracing::warn!(%error, "timers could not be read");
                router.world().clock.sleep(RETRY).await;
            }
        }
    }

    async fn turn(&self, router: &Router) -> storage::Result<()> {
        let clock = &router.world().clock;
        let next_ms = storage::timer::next_due_at_ms(router.db()).await?;
        let now_ms = clock.now_ms();
        match next_ms {
            Some(at_ms) if at_ms <= now_ms => {
                let due = storage::timer::due(router.db(), now_ms, TURN_MAX).await?;
                let mut has_failed = false;
                for timer in &due {
                    has_failed |= !fire(router, timer).await;
                }
                if has_failed {
                    clock.sleep(RETRY).await;
                }
            }
            Some(at_ms) => {
                let wait = Duration::from_millis(at_ms - now_ms).min(SLEEP_MAX);
                tokio::select! {
                    biased;
                    () = self.0.notified() => {}
                    () = clock.sleep(wait) => {}
                }
            }
            None => {
                tokio::select! {
                    biased;
                    () = self.0.notified() => {}
                    () = clock.sleep(SLEEP_MAX) => {}
                }
            }
        }
        Ok(())
    }
}

/// Fires one timer through its conversation's lane. Its id is the command's, so it fires once; a row
/// that is left over means nothing any more and goes. Says whether that worked.
async fn fire(router: &Router, timer: &Timer) -> bool {
    router.world().faults.strike("timer.fire");
    let actor = Actor {
        workspace_id: timer.workspace_id,
        principal: Principal::System,
    };
    let client_id = ClientId::parse(&timer.id.to_string()).expect("an id is a client id");
    let command = match timer.kind {
        TimerKind::Snooze => Command::Reopen {
            conversation_id: timer.conversation_id,
        },
    };
    match router.handle(&actor, client_id, command).await {
        Ok(_) => {}
        Err(rejection) if rejection.code.retry() == Retry::Later => return false,
        Err(rejection) => {
            tracing::warn!(timer.id = %timer.id, code = rejection.code.as_str(), "a timer meant nothing");
        }
    }
    match storage::timer::remove(router.db(), timer).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "a timer could not be removed");
            false
        }
    }
}
