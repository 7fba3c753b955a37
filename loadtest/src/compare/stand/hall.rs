//! Who listens to what: one map under one lock, as both servers have it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_tungstenite::tungstenite::Utf8Bytes;
use world::Clock;

use crate::compare::token::Key;

/// Where a socket's texts go.
pub(super) trait Ear: Clone + Send + 'static {
    /// Leaves a text. What a socket that is gone or full does not take is lost.
    fn tell(&self, text: Utf8Bytes);
}

/// All that the sockets of a server share.
pub(super) struct Hall<E> {
    pub(super) clock: Clock,
    pub(super) key: Key,
    listeners: Mutex<HashMap<u128, Vec<(u64, E)>>>,
    last: AtomicU64,
}

impl<E: Ear> Hall<E> {
    pub(super) fn new(clock: &Clock, key: Key) -> Self {
        Self {
            clock: clock.clone(),
            key,
            listeners: Mutex::default(),
            last: AtomicU64::new(0),
        }
    }

    /// A number that no other call gets.
    pub(super) fn next(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn enter(&self, topic: u128, guest: u64, ear: E) {
        self.lock().entry(topic).or_default().push((guest, ear));
    }

    pub(super) fn leave(&self, topic: u128, guest: u64) {
        let mut listeners = self.lock();
        if let Some(ears) = listeners.get_mut(&topic) {
            ears.retain(|(one, _)| *one != guest);
            if ears.is_empty() {
                listeners.remove(&topic);
            }
        }
    }

    /// Tells all who listen to a topic. The text is shared, not copied.
    pub(super) fn publish(&self, topic: u128, text: &Utf8Bytes) {
        if let Some(ears) = self.lock().get(&topic) {
            for (_, ear) in ears {
                ear.tell(text.clone());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u128, Vec<(u64, E)>>> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
