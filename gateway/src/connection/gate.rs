//! The gate of a followed conversation: entries pass in number order, each once, none missing.
//!
//! While the past is being read, what is live is held, as much as there is room for: what is not kept is
//! read again. Afterwards only the number after the last passes; an older one was sent already, a
//! later one means that something is missing and the past is read on. Pure: what is sent and read is up
//! to the caller.

use bytes::Bytes;

/// What to do with a live entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Send it.
    Send,
    /// It was sent before, or it will be read.
    Drop,
    /// It waits in the gate.
    Held,
    /// Something before it is missing: the past must be read on after this number.
    Gap(u64),
}

/// What follows a page of the past.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attached {
    /// What waited and may be sent now.
    pub(crate) passed: Vec<Bytes>,
    /// The number after which the past must be read on; nothing when all is there.
    pub(crate) read_after: Option<u64>,
}

/// Where a followed conversation stands on one connection.
#[derive(Debug)]
pub(crate) enum Gate {
    /// The past is being read.
    Attaching(Box<Held>),
    /// Entries pass as they come.
    Live {
        /// The last number that was sent.
        last: u64,
    },
}

/// What came while the past is being read.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Entries, by number.
    entries: Vec<(u64, Bytes)>,
    /// What has no number, in the order in which it came: facts, marks, signals. It may be newer than what
    /// is being read.
    others: Vec<Bytes>,
    byte_count: usize,
    /// The highest number that came and was not kept.
    beyond: u64,
    /// Whether something else was lost, which is told with the last page of the past.
    again: bool,
}

impl Gate {
    /// A gate before the past was read.
    pub(crate) fn new() -> Self {
        Self::Attaching(Box::default())
    }

    /// A live entry arrives. It is held only where it fits into `room_bytes`.
    pub(crate) fn offer(&mut self, number: u64, text: &Bytes, room_bytes: usize) -> Pass {
        match self {
            Self::Attaching(held) => {
                // Behind one that was not kept nothing could be sent.
                if text.len() > room_bytes || held.beyond > 0 {
                    held.beyond = held.beyond.max(number);
                    return Pass::Drop;
                }
                held.byte_count += text.len();
                held.entries.push((number, text.clone()));
                Pass::Held
            }
            Self::Live { last } if number <= *last => Pass::Drop,
            Self::Live { last } if number == *last + 1 => {
                *last = number;
                Pass::Send
            }
            Self::Live { last } => {
                let last = *last;
                *self = Self::new();
                self.offer(number, text, room_bytes);
                Pass::Gap(last)
            }
        }
    }

    /// Something without a number arrives: a fact, marks, a signal. It is held only where it fits into
    /// `room_bytes`.
    pub(crate) fn offer_other(&mut self, text: &Bytes, room_bytes: usize) -> Pass {
        match self {
            Self::Attaching(held) if text.len() > room_bytes => {
                held.again = true;
                Pass::Drop
            }
            Self::Attaching(held) => {
                held.byte_count += text.len();
                held.others.push(text.clone());
                Pass::Held
            }
            Self::Live { .. } => Pass::Send,
        }
    }

    /// Whether what arrives is held, because the past is being read. The first one that was read has proved
    /// the right to the conversation: nothing of it passes before.
    pub(crate) fn holds(&self) -> bool {
        matches!(self, Self::Attaching(_))
    }

    /// Live entries arrive, from a first number to a last one without a hole. Says whether they may be sent as
    /// they are; where not, nothing has changed, and each is to be offered by itself.
    pub(crate) fn passes(&mut self, first: u64, last: u64) -> bool {
        match self {
            Self::Live { last: sent } if first == *sent + 1 => {
                *sent = last;
                true
            }
            Self::Live { .. } | Self::Attaching(_) => false,
        }
    }

    /// Something about the conversation was lost. Gives the number after which the past is read on,
    /// where it is not being read already.
    pub(crate) fn lose(&mut self) -> Option<u64> {
        match self {
            Self::Attaching(held) => {
                held.again = true;
                None
            }
            Self::Live { last } => {
                let last = *last;
                *self = Self::new();
                Some(last)
            }
        }
    }

    /// The past was read up to a number; `more` of it is missing still.
    pub(crate) fn attached(&mut self, last_number: u64, more: bool) -> Attached {
        let mut held = match std::mem::replace(self, Self::Live { last: last_number }) {
            Self::Attaching(held) => *held,
            // Nothing waits where nothing is held.
            Self::Live { .. } => Held::default(),
        };
        held.entries.sort_by_key(|(number, _)| *number);
        let mut passed = Vec::new();
        let mut last = last_number;
        let mut rest = Vec::new();
        for (number, text) in held.entries.drain(..) {
            if number <= last {
                held.byte_count -= text.len();
            } else if number == last + 1 && !more {
                last = number;
                held.byte_count -= text.len();
                passed.push(text);
            } else {
                rest.push((number, text));
            }
        }
        let is_missing = more || held.again || held.beyond > last || !rest.is_empty();
        if !is_missing {
            passed.append(&mut held.others);
            *self = Self::Live { last };
            return Attached {
                passed,
                read_after: None,
            };
        }
        held.entries = rest;
        // What was lost so far is told with what is read from here on.
        held.again = false;
        held.beyond = if held.beyond > last { held.beyond } else { 0 };
        *self = Self::Attaching(Box::new(held));
        Attached {
            passed,
            read_after: Some(last),
        }
    }

    /// Bytes of what is held.
    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::Attaching(held) => held.byte_count,
            Self::Live { .. } => 0,
        }
    }

    /// Reads the past again: live entries are held from here.
    pub(crate) fn reattach(&mut self) {
        match self {
            Self::Attaching(_) => {}
            Self::Live { .. } => *self = Self::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Room for all.
    const ROOM: usize = 1_000;

    fn text(number: u64) -> Bytes {
        Bytes::from(number.to_string())
    }

    fn offer(gate: &mut Gate, number: u64) -> Pass {
        gate.offer(number, &text(number), ROOM)
    }

    fn attached(numbers: &[u64], read_after: Option<u64>) -> Attached {
        Attached {
            passed: numbers.iter().copied().map(text).collect(),
            read_after,
        }
    }

    #[test]
    fn live_entries_wait_for_the_past_and_follow_it_once() {
        let mut gate = Gate::new();
        for number in [4, 5, 6] {
            assert_eq!(offer(&mut gate, number), Pass::Held);
        }
        assert_eq!(gate.held_bytes(), 3);
        // The replay held 4 already.
        assert_eq!(gate.attached(4, false), attached(&[5, 6], None));
        assert_eq!(gate.held_bytes(), 0);
        assert_eq!(offer(&mut gate, 6), Pass::Drop);
        assert_eq!(offer(&mut gate, 7), Pass::Send);
    }

    #[test]
    fn a_gap_holds_what_comes_until_the_past_was_read_on() {
        let mut gate = Gate::new();
        assert_eq!(gate.attached(2, false), attached(&[], None));
        assert_eq!(offer(&mut gate, 4), Pass::Gap(2));
        assert_eq!(offer(&mut gate, 5), Pass::Held);
        assert_eq!(gate.attached(3, false), attached(&[4, 5], None));
    }

    #[test]
    fn what_follows_without_a_hole_passes_together() {
        let mut gate = Gate::new();
        assert!(!gate.passes(3, 5), "the past is being read");
        assert_eq!(gate.attached(2, false), attached(&[], None));
        assert!(!gate.passes(2, 5), "2 was sent");
        assert!(!gate.passes(4, 5), "3 is missing");
        assert!(gate.passes(3, 5));
        assert_eq!(offer(&mut gate, 5), Pass::Drop);
        assert_eq!(offer(&mut gate, 6), Pass::Send);
    }

    #[test]
    fn a_past_that_ends_too_early_is_read_on() {
        let mut gate = Gate::new();
        offer(&mut gate, 3);
        offer(&mut gate, 6);
        assert_eq!(gate.attached(2, false), attached(&[3], Some(3)));
        assert_eq!(gate.attached(5, false), attached(&[6], None));
    }

    #[test]
    fn a_replay_that_is_ahead_of_the_live_entries_swallows_them() {
        let mut gate = Gate::new();
        offer(&mut gate, 3);
        assert_eq!(gate.attached(9, false), attached(&[], None));
        assert_eq!(offer(&mut gate, 9), Pass::Drop);
        assert_eq!(offer(&mut gate, 10), Pass::Send);
    }

    #[test]
    fn a_past_of_several_pages_comes_before_what_is_held() {
        let mut gate = Gate::new();
        offer(&mut gate, 5);
        assert_eq!(gate.attached(2, true), attached(&[], Some(2)));
        offer(&mut gate, 6);
        assert_eq!(gate.attached(4, true), attached(&[], Some(4)));
        assert_eq!(gate.attached(4, false), attached(&[5, 6], None));
    }

    #[test]
    fn what_finds_no_room_is_read_again() {
        let mut gate = Gate::new();
        assert_eq!(offer(&mut gate, 3), Pass::Held);
        assert_eq!(gate.offer(4, &text(4), 0), Pass::Drop);
        // There would be room again, but 4 must come first.
        assert_eq!(offer(&mut gate, 5), Pass::Drop);
        assert_eq!(gate.held_bytes(), 1);
        assert_eq!(gate.attached(2, false), attached(&[3], Some(3)));
        assert_eq!(offer(&mut gate, 6), Pass::Drop);
        assert_eq!(gate.attached(5, false), attached(&[], Some(5)));
        assert_eq!(gate.attached(6, false), attached(&[], None));
        assert_eq!(offer(&mut gate, 7), Pass::Send);
    }

    #[test]
    fn what_has_no_number_follows_what_was_read() {
        let mut gate = Gate::new();
        assert_eq!(gate.offer_other(&text(100), ROOM), Pass::Held);
        offer(&mut gate, 3);
        assert_eq!(gate.offer_other(&text(101), ROOM), Pass::Held);
        assert_eq!(gate.held_bytes(), 7);
        assert_eq!(gate.attached(1, true), attached(&[], Some(1)));
        assert_eq!(gate.attached(2, false), attached(&[3, 100, 101], None));
        assert_eq!(gate.held_bytes(), 0);
        assert_eq!(gate.offer_other(&text(102), 0), Pass::Send);
        // Asked again, the past that is read may be older than what comes meanwhile.
        gate.reattach();
        assert_eq!(gate.offer_other(&text(103), ROOM), Pass::Held);
        assert_eq!(gate.attached(3, false), attached(&[103], None));
        gate.reattach();
        assert_eq!(gate.offer_other(&text(104), 0), Pass::Drop);
        assert_eq!(gate.attached(3, false), attached(&[], Some(3)));
        assert_eq!(gate.attached(3, false), attached(&[], None));
    }

    #[test]
    fn what_was_lost_is_told_with_the_past_that_is_read_on() {
        let mut gate = Gate::new();
        gate.attached(2, false);
        assert_eq!(gate.lose(), Some(2));
        // The past may have been read before this was lost.
        assert_eq!(gate.lose(), None);
        assert_eq!(gate.attached(2, false), attached(&[], Some(2)));
        assert_eq!(gate.attached(2, false), attached(&[], None));
        assert_eq!(offer(&mut gate, 3), Pass::Send);
    }
}
