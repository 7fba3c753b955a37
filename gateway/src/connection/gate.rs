//! The gate of a followed conversation: entries pass in number order, each once, none missing.
//!
//! While the past is being read, live entries are held. Afterwards only the number after the last
//! passes; an older one was sent already, a later one means that something is missing and the past is
//! read again. Pure: what is sent and read is up to the caller.

use bytes::Bytes;

/// Live entries that may wait while the past is read.
const HELD_MAX: usize = 512;

/// What to do with a live entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Send it.
    Send,
    /// It was sent before.
    Drop,
    /// It waits in the gate.
    Held,
    /// Something before it is missing: it waits in the gate, and the past must be read again.
    Gap,
    /// Too many wait: the connection must resume.
    Overflow,
}

/// Where a followed conversation stands on one connection.
#[derive(Debug)]
pub(crate) enum Gate {
    /// The past is being read.
    Attaching {
        /// Entries that came meanwhile, by number.
        held: Vec<(u64, Bytes)>,
    },
    /// Entries pass as they come.
    Live {
        /// The last number that was sent.
        last: u64,
    },
}

impl Gate {
    /// A gate before the past was read.
    pub(crate) fn new() -> Self {
        Self::Attaching { held: Vec::new() }
    }

    /// A live entry arrives.
    pub(crate) fn offer(&mut self, number: u64, text: &Bytes) -> Pass {
        match self {
            Self::Attaching { held } => {
                if held.len() >= HELD_MAX {
                    return Pass::Overflow;
                }
                held.push((number, text.clone()));
                Pass::Held
            }
            Self::Live { last } if number <= *last => Pass::Drop,
            Self::Live { last } if number == *last + 1 => {
                *last = number;
                Pass::Send
            }
            Self::Live { .. } => {
                *self = Self::Attaching {
                    held: vec![(number, text.clone())],
                };
                Pass::Gap
            }
        }
    }

    /// The past was read up to a number. Gives what waited and may be sent now, and whether something
    /// is still missing, so that the past must be read once more.
    pub(crate) fn attached(&mut self, last_number: u64) -> (Vec<Bytes>, bool) {
        let mut held = match std::mem::replace(self, Self::Live { last: last_number }) {
            Self::Attaching { held } => held,
            // Nothing waits where nothing is held.
            Self::Live { .. } => Vec::new(),
        };
        held.sort_by_key(|(number, _)| *number);
        let mut passed = Vec::new();
        let mut last = last_number;
        let mut held = held.into_iter();
        for (number, text) in held.by_ref() {
            if number <= last {
                continue;
            }
            if number == last + 1 {
                last = number;
                passed.push(text);
                continue;
            }
            let mut rest = vec![(number, text)];
            rest.extend(held);
            *self = Self::Attaching { held: rest };
            return (passed, true);
        }
        *self = Self::Live { last };
        (passed, false)
    }

    /// Whether the past is being read.
    pub(crate) fn is_attaching(&self) -> bool {
        matches!(self, Self::Attaching { .. })
    }

    /// Reads the past again: live entries are held from here.
    pub(crate) fn reattach(&mut self) {
        if !self.is_attaching() {
            *self = Self::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: u64) -> Bytes {
        Bytes::from(number.to_string())
    }

    fn offer(gate: &mut Gate, number: u64) -> Pass {
        gate.offer(number, &text(number))
    }

    #[test]
    fn live_entries_wait_for_the_past_and_follow_it_once() {
        let mut gate = Gate::new();
        for number in [4, 5, 6] {
            assert_eq!(offer(&mut gate, number), Pass::Held);
        }
        // The replay held 4 already.
        let (passed, missing) = gate.attached(4);
        assert_eq!(passed, [text(5), text(6)]);
        assert!(!missing);
        assert_eq!(offer(&mut gate, 6), Pass::Drop);
        assert_eq!(offer(&mut gate, 7), Pass::Send);
    }

    #[test]
    fn a_gap_holds_what_comes_until_the_past_was_read_again() {
        let mut gate = Gate::new();
        assert_eq!(gate.attached(2), (vec![], false));
        assert_eq!(offer(&mut gate, 4), Pass::Gap);
        assert!(gate.is_attaching());
        assert_eq!(offer(&mut gate, 5), Pass::Held);
        assert_eq!(gate.attached(3), (vec![text(4), text(5)], false));
    }

    #[test]
    fn a_past_that_ends_too_early_is_read_once_more() {
        let mut gate = Gate::new();
        offer(&mut gate, 3);
        offer(&mut gate, 6);
        assert_eq!(gate.attached(2), (vec![text(3)], true));
        assert!(gate.is_attaching());
        assert_eq!(gate.attached(5), (vec![text(6)], false));
    }

    #[test]
    fn a_replay_that_is_ahead_of_the_live_entries_swallows_them() {
        let mut gate = Gate::new();
        offer(&mut gate, 3);
        assert_eq!(gate.attached(9), (vec![], false));
        assert_eq!(offer(&mut gate, 9), Pass::Drop);
        assert_eq!(offer(&mut gate, 10), Pass::Send);
    }

    #[test]
    fn too_many_waiting_entries_end_in_a_resume() {
        let mut gate = Gate::new();
        let held_max = u64::try_from(HELD_MAX).unwrap();
        for number in 1..=held_max {
            assert_eq!(offer(&mut gate, number), Pass::Held);
        }
        assert_eq!(offer(&mut gate, held_max + 1), Pass::Overflow);
    }
}
