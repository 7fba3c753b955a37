//! The turnstile of a conversation: entries pass in number order, wherever they come from.
//!
//! What comes early waits a moment for the one before it; then the hole is read from the store, once
//! for all who wait. Pure: its lane owns it, gives it the time, and reads.

use std::collections::BTreeMap;
use std::time::Duration;

/// What passes: something with a number in a dense count.
pub(crate) trait Numbered {
    /// Its number.
    fn number(&self) -> u64;
}

/// The turnstile.
// Invariant: whatever `offer` and `fill` gave out so far had the numbers up to `passed` without a gap,
// each once, from the first one offered.
#[derive(Debug)]
pub(crate) struct Turnstile<T> {
    /// The last number that passed; nothing has yet when absent.
    passed: Option<u64>,
    early: BTreeMap<u64, T>,
    /// Since when the first hole is there.
    hole_since: Option<Duration>,
}

impl<T: Numbered> Turnstile<T> {
    /// One that goes on after this number; zero where nothing passed yet.
    pub(crate) fn after(passed: u64) -> Self {
        Self {
            passed: (passed > 0).then_some(passed),
            early: BTreeMap::new(),
            hole_since: None,
        }
    }

    /// The last number that passed.
    pub(crate) fn passed(&self) -> Option<u64> {
        self.passed
    }

    /// Takes in what was committed somewhere, in any order and any number of times. Gives out what may
    /// pass now. The very first one passes at once: what was before it, followers read for themselves.
    pub(crate) fn offer(&mut self, items: impl IntoIterator<Item = T>, now: Duration) -> Vec<T> {
        for item in items {
            let number = item.number();
            let passed = *self.passed.get_or_insert(number.saturating_sub(1));
            if number > passed {
                self.early.entry(number).or_insert(item);
            }
        }
        let ready = self.release();
        if self.early.is_empty() {
            self.hole_since = None;
        } else if self.hole_since.is_none() || !ready.is_empty() {
            self.hole_since = Some(now);
        }
        ready
    }

    /// When the hole is to be read, if there is one that waits for at most `patience`.
    pub(crate) fn read_hole_at(&self, patience: Duration) -> Option<Duration> {
        self.hole_since.map(|since| since + patience)
    }

    /// After a read that did not fill the hole: waits anew.
    pub(crate) fn wait_again(&mut self, now: Duration) {
        if self.hole_since.is_some() {
            self.hole_since = Some(now);
        }
    }

    fn release(&mut self) -> Vec<T> {
        let mut ready = Vec::new();
        while let Some(passed) = self.passed
            && let Some(item) = self.early.remove(&(passed + 1))
        {
            self.passed = Some(passed + 1);
            ready.push(item);
        }
        ready
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Numbered for u64 {
        fn number(&self) -> u64 {
            *self
        }
    }

    const NOW: Duration = Duration::from_secs(7);

    #[test]
    fn what_comes_in_order_passes_at_once_and_only_once() {
        let mut turnstile = Turnstile::after(0);
        assert_eq!(turnstile.offer([5], NOW), [5]);
        assert_eq!(turnstile.offer([6, 7], NOW), [6, 7]);
        assert!(turnstile.offer([5, 6, 7], NOW).is_empty());
        assert_eq!(turnstile.passed(), Some(7));
        assert_eq!(turnstile.read_hole_at(Duration::ZERO), None);
    }

    #[test]
    fn what_comes_early_waits_for_the_one_before_it() {
        let patience = Duration::from_millis(50);
        let mut turnstile = Turnstile::after(0);
        turnstile.offer([1], NOW);
        assert!(turnstile.offer([4], NOW).is_empty());
        let later = NOW + Duration::from_millis(30);
        assert!(turnstile.offer([3], later).is_empty());
        assert_eq!(turnstile.read_hole_at(patience), Some(NOW + patience));
        assert_eq!(turnstile.offer([2], later), [2, 3, 4]);
        assert_eq!(turnstile.read_hole_at(patience), None);
    }

    #[test]
    fn a_second_hole_has_a_wait_of_its_own() {
        let mut turnstile = Turnstile::after(0);
        turnstile.offer([1, 3, 5], NOW);
        let later = NOW + Duration::from_millis(40);
        assert_eq!(turnstile.offer([2], later), [2, 3]);
        assert_eq!(turnstile.read_hole_at(Duration::ZERO), Some(later));
    }

    proptest! {
        #[test]
        fn any_order_with_repetitions_comes_out_as_a_dense_row(
            offers in proptest::collection::vec(1_u64..40, 1..200)
        ) {
            let mut turnstile = Turnstile::after(0);
            let mut out = Vec::new();
            for number in &offers {
                out.extend(turnstile.offer([*number], NOW));
            }
            // The store fills whatever is still missing.
            out.extend(turnstile.offer(1..40, NOW));
            let expected: Vec<u64> = (offers[0]..40).collect();
            prop_assert_eq!(out, expected);
            prop_assert_eq!(turnstile.read_hole_at(Duration::ZERO), None);
        }
    }
}
