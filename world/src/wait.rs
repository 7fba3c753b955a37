//! Waits on a clock that somebody moves: who waits for which moment, in order.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A moment, and which of those who wait for it.
type Place = (Duration, u64);

/// All who wait on a clock, and what has elapsed. Clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    elapsed: Duration,
    next_number: u64,
    waiting: BTreeMap<Place, Waker>,
}

impl Waits {
    pub(crate) fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    /// The first moment that somebody waits for.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.lock().waiting.keys().next().map(|(at, _)| *at)
    }

    /// Lets time pass and wakes those whose wait is over, the longest over first.
    pub(crate) fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.elapsed += by;
        let last = (state.elapsed, u64::MAX);
        let later = state.waiting.split_off(&last);
        let over = std::mem::replace(&mut state.waiting, later);
        drop(state);
        for waker in over.into_values() {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait until a moment.
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    waits: &'a Waits,
    until: Duration,
    place: Option<Place>,
}

impl<'a> Wait<'a> {
    pub(crate) fn new(waits: &'a Waits, until: Duration) -> Self {
        Self {
            waits,
            until,
            place: None,
        }
    }
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut state = this.waits.lock();
        if state.elapsed >= this.until {
            return Poll::Ready(());
        }
        let place = *this.place.get_or_insert_with(|| {
            state.next_number += 1;
            (this.until, state.next_number)
        });
        state.waiting.insert(place, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            self.waits.lock().waiting.remove(place);
        }
    }
}
