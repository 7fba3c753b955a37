//! Admission to the store. Visitors who come, or read what they missed, are admitted a few at a time, in the
//! order in which they asked; agents, and what is to be stored, find room beside them.
//!
//! Without it all who come back at once refuse each other: the store's queue is full of those who say hello,
//! so that those whom it let in are refused the read that comes next, and begin anew, for ever.

use std::sync::Arc;
use std::time::Duration;

use protocol::rejection::{ErrorCode, Rejection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use world::Clock;

/// When one who waited in vain may come again, in milliseconds.
const COME_AGAIN_MS: u64 = 2_000;

/// What a shard admits to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// So many at a time: enough to keep the store's readers busy, and few, so that who was admitted is soon done.
    /// Else he would have hung up by then, and others had waited for nothing.
    admitted_max: usize,
    /// How long one waits.
    wait_max: Duration,
}

/// Visitors who come. They wait less than a client waits for its welcome ([`protocol::limit::HELLO_MS_MAX`]): they
/// shall hear that they may come again.
pub(crate) const ARRIVALS: Line = Line {
    admitted_max: 32,
    wait_max: Duration::from_secs(8),
};

/// Pasts that are read to those who have come. A quarter of the reads, while others still come: who is not welcomed
/// in time hangs up, who is welcome waits.
pub(crate) const PASTS: Line = Line {
    admitted_max: 8,
    wait_max: Duration::from_secs(30),
};

/// An admission of a shard. Clones admit together.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    permits: Arc<Semaphore>,
    wait_max: Duration,
}

impl Admission {
    /// Of one of so many shards, before a store where so many reads may wait: a quarter of that at most is for
    /// those who are admitted by all shards.
    pub(crate) fn new(line: Line, queue_length: usize, shard_count: usize) -> Self {
        let one_shard = queue_length / 4 / shard_count.max(1);
        Self {
            permits: Arc::new(Semaphore::new(one_shard.clamp(1, line.admitted_max))),
            wait_max: line.wait_max,
        }
    }

    /// Waits to be admitted, until what is returned is dropped.
    ///
    /// # Errors
    /// `unavailable` for one who waited longer than his line waits.
    pub(crate) async fn enter(&self, clock: &Clock) -> Result<OwnedSemaphorePermit, Rejection> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let permit = clock.timeout(self.wait_max, Arc::clone(&self.permits).acquire_owned());
        let late = || Rejection::after(ErrorCode::Unavailable, COME_AGAIN_MS);
        permit.await.and_then(Result::ok).ok_or_else(late)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn all_shards_together_leave_most_of_the_store_to_others() {
        for (queue_length, shard_count, arrivals, pasts) in
            [(4_096, 2, 32, 8), (16, 2, 2, 2), (4, 16, 1, 1)]
        {
            for (line, each) in [(ARRIVALS, arrivals), (PASTS, pasts)] {
                let admission = Admission::new(line, queue_length, shard_count);
                assert_eq!(admission.permits.available_permits(), each);
            }
        }
    }

    #[test]
    fn who_waits_is_admitted_in_turn_or_told_when_to_come_again() {
        let clock = Clock::manual(0);
        let admission = Admission::new(ARRIVALS, 4, 1);
        let mut first = pin!(admission.enter(&clock));
        let mut second = pin!(admission.enter(&clock));
        let mut third = pin!(admission.enter(&clock));
        let Poll::Ready(Ok(inside)) = poll(first.as_mut()) else {
            panic!("nobody was before the first");
        };
        assert!(poll(second.as_mut()).is_pending());
        clock.advance(ARRIVALS.wait_max / 2);
        assert!(poll(third.as_mut()).is_pending());
        drop(inside);
        assert!(poll(third.as_mut()).is_pending(), "the second was earlier");
        let Poll::Ready(Ok(_inside)) = poll(second.as_mut()) else {
            panic!("it is the second's turn");
        };
        clock.advance(ARRIVALS.wait_max);
        let Poll::Ready(Err(rejection)) = poll(third.as_mut()) else {
            panic!("nobody waits for ever");
        };
        assert_eq!(rejection.code, ErrorCode::Unavailable);
        assert_eq!(rejection.retry_after_ms, Some(COME_AGAIN_MS));
    }
}
