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

/// How long a visitor waits. Less than a client waits for its welcome
/// ([`protocol::limit::HELLO_MS_MAX`]): it shall hear that it may come again.
const WAIT_MAX: Duration = Duration::from_secs(8);

/// When one who waited in vain may come again, in milliseconds.
const COME_AGAIN_MS: u64 = 2_000;

/// So many a shard admits at a time: enough to keep the store's readers busy, and few, so that who was admitted
/// is soon done. Else he would have hung up by then, and others had waited for nothing.
const ADMITTED_MAX: usize = 32;

/// An admission of a shard. Clones admit together.
#[derive(Debug, Clone)]
pub(crate) struct Admission(Arc<Semaphore>);

impl Admission {
    /// Of one of so many shards, before a store where so many reads may wait: a quarter of that at most is for
    /// those who are admitted by all shards.
    pub(crate) fn new(queue_length: usize, shard_count: usize) -> Self {
        let one_shard = queue_length / 4 / shard_count.max(1);
        Self(Arc::new(Semaphore::new(one_shard.clamp(1, ADMITTED_MAX))))
    }

    /// Waits to be admitted, until what is returned is dropped.
    ///
    /// # Errors
    /// `unavailable` after [`WAIT_MAX`].
    pub(crate) async fn enter(&self, clock: &Clock) -> Result<OwnedSemaphorePermit, Rejection> {
        if let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() {
            return Ok(permit);
        }
        let permit = clock.timeout(WAIT_MAX, Arc::clone(&self.0).acquire_owned());
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
        for (queue_length, shard_count, each) in [(4_096, 2, 32), (16, 2, 2), (4, 16, 1)] {
            let admission = Admission::new(queue_length, shard_count);
            assert_eq!(admission.0.available_permits(), each);
        }
    }

    #[test]
    fn who_waits_is_admitted_in_turn_or_told_when_to_come_again() {
        let clock = Clock::manual(0);
        let admission = Admission::new(4, 1);
        let mut first = pin!(admission.enter(&clock));
        let mut second = pin!(admission.enter(&clock));
        let mut third = pin!(admission.enter(&clock));
        let Poll::Ready(Ok(inside)) = poll(first.as_mut()) else {
            panic!("nobody was before the first");
        };
        assert!(poll(second.as_mut()).is_pending());
        clock.advance(WAIT_MAX / 2);
        assert!(poll(third.as_mut()).is_pending());
        drop(inside);
        assert!(poll(third.as_mut()).is_pending(), "the second was earlier");
        let Poll::Ready(Ok(_inside)) = poll(second.as_mut()) else {
            panic!("it is the second's turn");
        };
        clock.advance(WAIT_MAX);
        let Poll::Ready(Err(rejection)) = poll(third.as_mut()) else {
            panic!("nobody waits for ever");
        };
        assert_eq!(rejection.code, ErrorCode::Unavailable);
        assert_eq!(rejection.retry_after_ms, Some(COME_AGAIN_MS));
    }
}
