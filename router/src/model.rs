//! What the models of this crate have in common: how far they go, and the mailbox.
//!
//! The mailbox is the library's: that it does one thing after the other is taken for granted.

use flume::{TryRecvError, TrySendError};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};

/// Runs a model in every order in which it is interrupted at most three times: more is not needed to go wrong.
pub(crate) fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// A sender of the library's, of which every step is one that others come before or after.
#[derive(Debug, Clone)]
pub(crate) struct Sender<T> {
    to: flume::Sender<T>,
    steps: Arc<AtomicUsize>,
}

/// Its other end.
#[derive(Debug)]
pub(crate) struct Receiver<T> {
    at: flume::Receiver<T>,
    steps: Arc<AtomicUsize>,
}

pub(crate) fn bounded<T>(length: usize) -> (Sender<T>, Receiver<T>) {
    let (to, at) = flume::bounded(length);
    let steps = Arc::new(AtomicUsize::new(0));
    let sender = Sender {
        to,
        steps: Arc::clone(&steps),
    };
    (sender, Receiver { at, steps })
}

fn step(steps: &AtomicUsize) {
    steps.fetch_add(1, Ordering::AcqRel);
}

impl<T> Sender<T> {
    pub(crate) fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        step(&self.steps);
        self.to.try_send(item)
    }

    pub(crate) fn is_disconnected(&self) -> bool {
        self.to.is_disconnected()
    }

    pub(crate) fn send_async(&self, item: T) -> flume::r#async::SendFut<'_, T> {
        self.to.send_async(item)
    }
}

impl<T> Receiver<T> {
    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        step(&self.steps);
        self.at.try_recv()
    }

    pub(crate) fn is_empty(&self) -> bool {
        step(&self.steps);
        self.at.is_empty()
    }

    pub(crate) fn drain(&self) -> Vec<T> {
        step(&self.steps);
        self.at.drain().collect()
    }
}
