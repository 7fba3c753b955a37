//! A shard as the hub sees it: its mailbox, what it lost and does not know of, and the signals that it is owed.
//!
//! Publishers and the shard itself meet here, each thread for itself; `model.rs` tries every order in which they
//! can. No tests are in here, so that it can be read a second time there.

use std::sync::PoisonError;
use std::time::Duration;

use world::{Clock, HashMap};

use super::sync::{AtomicBool, Mutex, MutexGuard, Ordering, Sender};
use crate::delivery::{Class, Delivery, Encoded, SignalKey};
use crate::topic::Topic;

/// How long a publisher waits for a shard that takes nothing. Then the shard has lost something, is
/// told so once it takes deliveries again, and nobody waits for it until then.
pub(super) const SHARD_WAIT: Duration = Duration::from_secs(1);

/// Signals that are kept for a shard that has no room for them. Then it has lost something.
pub(super) const OWED_MAX: usize = 1_024;

/// A registered shard.
#[derive(Debug)]
pub(super) struct Shard {
    sender: Sender<Delivery>,
    /// Whether something was dropped that the shard does not know of yet.
    has_lost: AtomicBool,
    /// Whether [`Self::owed`] holds anything.
    owes: AtomicBool,
    /// Signals that found the mailbox full and that hold until others come: of each the latest. Bounded by
    /// `owed_max`; beyond it the shard has lost something.
    owed: Mutex<HashMap<(Topic, SignalKey), Encoded>>,
    owed_max: usize,
}

impl Shard {
    pub(super) fn new(sender: Sender<Delivery>) -> Self {
        Self::owed_at_most(sender, OWED_MAX)
    }

    /// One that is owed fewer signals.
    pub(super) fn owed_at_most(sender: Sender<Delivery>, owed_max: usize) -> Self {
        Self {
            sender,
            has_lost: AtomicBool::new(false),
            owes: AtomicBool::new(false),
            owed: Mutex::new(HashMap::default()),
            owed_max,
        }
    }

    /// Passes a signal on where there is room. Where there is none, one that lasts is owed, in the place of an
    /// older one about the same.
    pub(super) fn signal(&self, topic: Topic, frame: Encoded) {
        let key = match frame.class {
            Class::Signal { key } if key.lasts() => key,
            Class::Signal { .. } | Class::Row | Class::Durable { .. } => {
                // It expires, or the next one says the same.
                let _ = self.sender.try_send(Delivery::Publish { topic, frame });
                return;
            }
        };
        if !self.owes.load(Ordering::Acquire) {
            let frame = frame.clone();
            let sent = self.sender.try_send(Delivery::Publish { topic, frame });
            if !matches!(sent, Err(flume::TrySendError::Full(_))) {
                return;
            }
        }
        let mut owed = self.owed();
        if owed.len() < self.owed_max || owed.contains_key(&(topic, key)) {
            owed.insert((topic, key), frame);
        } else {
            self.has_lost.store(true, Ordering::Release);
        }
        self.settle(owed);
    }

    /// Pays what is owed, as far as there is room.
    fn settle(&self, mut owed: MutexGuard<'_, HashMap<(Topic, SignalKey), Encoded>>) {
        owed.retain(|(topic, _), frame| {
            let (topic, frame) = (*topic, frame.clone());
            let sent = self.sender.try_send(Delivery::Publish { topic, frame });
            matches!(sent, Err(flume::TrySendError::Full(_)))
        });
        self.owes.store(!owed.is_empty(), Ordering::Release);
    }

    fn owed(&self) -> MutexGuard<'_, HashMap<(Topic, SignalKey), Encoded>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it lost something that it was not told of yet. It knows from here on, and is passed the signals that
    /// it had no room for.
    pub(super) fn take_lost(&self) -> bool {
        if self.owes.load(Ordering::Acquire) {
            self.settle(self.owed());
        }
        self.has_lost.swap(false, Ordering::AcqRel)
    }

    /// Whether it took the delivery, or is gone and needs none. Waits at most [`SHARD_WAIT`].
    pub(super) async fn push(&self, clock: &Clock, delivery: &Delivery) -> bool {
        // Taken back before it is told: what is lost from here on is told anew.
        if self.has_lost.load(Ordering::Acquire)
            && self.has_lost.swap(false, Ordering::AcqRel)
            && self.sender.try_send(Delivery::Lost).is_err()
        {
            self.has_lost.store(true, Ordering::Release);
            return self.sender.is_disconnected();
        }
        match self.sender.try_send(delivery.clone()) {
            Ok(()) | Err(flume::TrySendError::Disconnected(_)) => true,
            Err(flume::TrySendError::Full(delivery)) => {
                let sent = clock.timeout(SHARD_WAIT, self.sender.send_async(delivery));
                let taken = sent.await.is_some();
                if !taken {
                    self.has_lost.store(true, Ordering::Release);
                }
                taken
            }
        }
    }
}
