//! A mailbox that keeps only the latest for each key: its policy for too much is to replace.
//!
//! For work that is written at most so often: rows of a list, read marks. Bounded by the number of keys.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use world::HashMap;

/// The mailbox.
#[derive(Debug)]
pub(crate) struct Latest<K, V> {
    waiting: Mutex<HashMap<K, V>>,
    bell: Notify,
    keys_max: usize,
}

impl<K: Eq + Hash, V> Latest<K, V> {
    /// A mailbox for at most `keys_max` keys; what comes for further ones is refused.
    pub(crate) fn new(keys_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            bell: Notify::new(),
            keys_max,
        }
    }

    /// Puts something in; `merge` makes one of it and what waits under the same key. Says whether
    /// there was room.
    pub(crate) fn put(&self, key: K, value: V, merge: impl FnOnce(&mut V, V)) -> bool {
        let mut waiting = self.waiting();
        let is_full = waiting.len() >= self.keys_max;
        match waiting.get_mut(&key) {
            Some(there) => merge(there, value),
            None if is_full => return false,
            None => {
                waiting.insert(key, value);
            }
        }
        drop(waiting);
        self.bell.notify_one();
        true
    }

    /// Takes out all that waits, once there is something. Cancel-safe.
    pub(crate) async fn take(&self) -> HashMap<K, V> {
        loop {
            let taken = std::mem::take(&mut *self.waiting());
            if !taken.is_empty() {
                return taken;
            }
            self.bell.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<K, V>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_latest_of_a_key_replaces_what_waits_and_a_full_box_refuses_new_keys() {
        let latest = Latest::new(2);
        let replace = |there: &mut u32, new: u32| *there = new;
        assert!(latest.put('a', 1, replace));
        assert!(latest.put('b', 1, replace));
        assert!(!latest.put('c', 1, replace));
        assert!(latest.put('a', 2, replace));
        let taken = latest.take().await;
        assert_eq!(taken, HashMap::from_iter([('a', 2), ('b', 1)]));
        assert!(latest.put('c', 3, replace));
        assert_eq!(latest.take().await, HashMap::from_iter([('c', 3)]));
    }
}
