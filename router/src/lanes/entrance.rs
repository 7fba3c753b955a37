//! Where jobs enter lanes, and where an idle lane goes: under one lock, so that nothing enters a lane that is gone.

use std::hash::Hash;
use std::ops::Range;
use std::sync::{Arc, PoisonError};

use world::HashMap;

use super::debt::{Debt, Owed};
use super::sync::{AtomicU64, Mutex, MutexGuard, Ordering, Receiver, Sender, TrySendError};

/// What a lane shares with those who look at it from outside. It outlives a panic.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// What the event log told of and is yet to be read.
    pub(crate) debt: Debt,
    /// The number before the first that passed the turnstile: what stands up to there was not told here. Set before
    /// `passed` is.
    begun: AtomicU64,
    /// The last number that passed the turnstile; zero before the first.
    passed: AtomicU64,
}

impl Standing {
    /// What passes first comes after this number.
    pub(crate) fn begin(&self, number: u64) {
        self.begun.store(number, Ordering::Release);
    }

    /// All up to this number passed.
    pub(crate) fn pass(&self, number: u64) {
        self.passed.store(number, Ordering::Release);
    }

    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    pub(crate) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Acquire)
    }

    /// The numbers that passed.
    fn range(&self) -> Range<u64> {
        let end = self.passed() + 1;
        self.begun() + 1..end
    }
}

/// A lane's end at the map.
#[derive(Debug)]
pub(crate) struct Entrance<J> {
    sender: Sender<J>,
    standing: Arc<Standing>,
}

impl<J> Entrance<J> {
    pub(crate) fn new(sender: Sender<J>, standing: Arc<Standing>) -> Self {
        Self { sender, standing }
    }
}

/// The entrances of all lanes.
#[derive(Debug)]
pub(crate) struct Entrances<K, J>(Mutex<HashMap<K, Entrance<J>>>);

impl<K, J> Default for Entrances<K, J> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::default()))
    }
}

impl<K: Eq + Hash, J> Entrances<K, J> {
    /// Puts a job into its lane, which is opened if there is none.
    ///
    /// # Errors
    /// The job, where the lane is full, or was ended.
    pub(crate) fn put(
        &self,
        key: K,
        job: J,
        open: impl FnOnce() -> Entrance<J>,
    ) -> Result<(), TrySendError<J>> {
        // Sent under the lock: a lane that retires looks at its mailbox under the same one.
        let mut map = self.lock();
        map.entry(key).or_insert_with(open).sender.try_send(job)
    }

    /// Tells a lane, which is opened if there is none, of something to read.
    pub(crate) fn owe(&self, key: K, more: Owed, open: impl FnOnce() -> Entrance<J>) {
        // Under the lock, as above.
        let mut map = self.lock();
        map.entry(key).or_insert_with(open).standing.debt.add(more);
    }

    /// The numbers that passed in a lane; nothing where there is none.
    pub(crate) fn passed(&self, key: K) -> Option<Range<u64>> {
        self.lock().get(&key).map(|lane| lane.standing.range())
    }

    /// Takes an idle lane off the map, unless something entered it meanwhile.
    pub(crate) fn retire(&self, key: K, receiver: &Receiver<J>, standing: &Standing) -> bool {
        let mut map = self.lock();
        let is_idle = receiver.is_empty() && standing.debt.owed().is_none();
        if is_idle {
            map.remove(&key);
        }
        is_idle
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Entrance<J>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
