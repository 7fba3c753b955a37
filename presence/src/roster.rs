//! The other nodes: which of them are heard, which are silent, and which are gone.
//!
//! A silent node may be cut off from the bus and serve its visitors all the same; so may this one be. Nobody
//! is gone whom the store still shows alive, and whoever is blind declares nobody gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::id::NodeId;

/// How often a node says that it is there.
pub const BEAT: Duration = Duration::from_secs(1);

/// How long a node may be silent, or the bus in reach again, before silence means something.
pub const TERM: Duration = Duration::from_secs(3);

/// How long what comes late from a node that said goodbye is known as that.
const LATE_MAX: Duration = Duration::from_secs(60);

/// How old the store's word on who lives may be.
const ROLL_AGE_MAX: Duration = Duration::from_millis(2_500);

/// What became of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is heard for the first time: it knows nothing of us, nor we of it.
    New(NodeId),
    /// It is heard again.
    Heard(NodeId),
    /// It is not heard, and may be there.
    Silent(NodeId),
    /// It is gone.
    Gone(NodeId),
}

#[derive(Debug)]
struct Other {
    heard_at: Duration,
    is_silent: bool,
}

/// The other nodes that were heard.
#[derive(Debug, Default)]
pub struct Roster {
    others: BTreeMap<NodeId, Other>,
    /// Those that said goodbye, and when. None comes back: who begins anew is another one.
    parted: BTreeMap<NodeId, Duration>,
    /// Since when the bus is in reach.
    reached_at: Option<Duration>,
    /// Who lives, as the store had it, and when.
    roll: Option<(Duration, BTreeSet<NodeId>)>,
}

impl Roster {
    /// The bus is in reach, or is not.
    pub fn reach(&mut self, is_in_reach: bool, now: Duration) {
        if !is_in_reach {
            self.reached_at = None;
        } else if self.reached_at.is_none() {
            self.reached_at = Some(now);
        }
    }

    /// The store was asked who lives.
    pub fn call(&mut self, at: Duration, living: impl IntoIterator<Item = NodeId>) {
        self.roll = Some((at, living.into_iter().collect()));
    }

    /// A node was heard.
    pub fn hear(&mut self, node_id: NodeId, now: Duration) -> Option<Verdict> {
        let Some(other) = self.others.get_mut(&node_id) else {
            let other = Other {
                heard_at: now,
                is_silent: false,
            };
            self.others.insert(node_id, other);
            return Some(Verdict::New(node_id));
        };
        other.heard_at = now;
        let was_silent = std::mem::take(&mut other.is_silent);
        was_silent.then_some(Verdict::Heard(node_id))
    }

    /// A node said goodbye: it is not missed.
    pub fn part(&mut self, node_id: NodeId, now: Duration) {
        self.others.remove(&node_id);
        self.parted
            .retain(|_, parted_at| now < *parted_at + LATE_MAX);
        self.parted.insert(node_id, now);
    }

    /// Whether a node said goodbye. What it told before may come after that, by another topic.
    #[must_use]
    pub fn has_parted(&self, node_id: NodeId) -> bool {
        self.parted.contains_key(&node_id)
    }

    /// Who fell silent and who is gone by now.
    pub fn check(&mut self, now: Duration) -> Vec<Verdict> {
        let sees = self.reached_at.is_some_and(|since| now >= since + TERM);
        let roll = self.roll.as_ref();
        let roll = roll.filter(|(at, _)| now < *at + ROLL_AGE_MAX);
        let mut verdicts = Vec::new();
        self.others.retain(|node_id, other| {
            let is_silent = self.reached_at.is_none() || now >= other.heard_at + TERM;
            if is_silent && !std::mem::replace(&mut other.is_silent, true) {
                verdicts.push(Verdict::Silent(*node_id));
            }
            let is_dead = roll.is_some_and(|(_, living)| !living.contains(node_id));
            let is_gone = is_silent && sees && is_dead;
            if is_gone {
                verdicts.push(Verdict::Gone(*node_id));
            }
            !is_gone
        });
        verdicts
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    fn node() -> NodeId {
        NodeId::from_bits(7)
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    /// A roster that has heard one node, and sees for long.
    fn roster() -> Roster {
        let mut roster = Roster::default();
        roster.reach(true, Duration::ZERO);
        assert_eq!(roster.hear(node(), seconds(10)), Some(Verdict::New(node())));
        assert_eq!(roster.hear(node(), seconds(10)), None);
        roster
    }

    #[test]
    fn a_silent_node_is_gone_once_the_store_shows_it_dead() {
        let mut roster = roster();
        roster.call(seconds(12), []);
        assert!(roster.check(seconds(12)).is_empty());
        let verdicts = [Verdict::Silent(node()), Verdict::Gone(node())];
        assert_eq!(roster.check(seconds(13)), verdicts);
        assert!(roster.check(seconds(14)).is_empty(), "once");
        assert_eq!(roster.hear(node(), seconds(20)), Some(Verdict::New(node())));
    }

    #[test]
    fn a_silent_node_that_the_store_shows_alive_is_not_gone() {
        let mut roster = roster();
        roster.call(seconds(13), [node()]);
        assert_eq!(roster.check(seconds(13)), [Verdict::Silent(node())]);
        assert!(roster.check(seconds(14)).is_empty());
        assert_eq!(
            roster.hear(node(), seconds(15)),
            Some(Verdict::Heard(node()))
        );
    }

    #[test]
    fn who_is_blind_declares_nobody_gone_and_waits_a_term_when_he_sees_again() {
        let mut roster = roster();
        roster.reach(false, seconds(11));
        roster.call(seconds(11), []);
        assert_eq!(roster.check(seconds(11)), [Verdict::Silent(node())]);
        roster.call(seconds(60), []);
        assert!(roster.check(seconds(60)).is_empty());
        roster.reach(true, seconds(61));
        roster.call(seconds(63), []);
        assert!(roster.check(seconds(63)).is_empty());
        assert_eq!(roster.check(seconds(64)), [Verdict::Gone(node())]);
    }

    #[test]
    fn an_old_word_of_the_store_means_nothing() {
        let mut roster = roster();
        roster.call(seconds(10), []);
        assert_eq!(roster.check(seconds(13)), [Verdict::Silent(node())]);
        assert!(!roster.has_parted(node()));
        roster.part(node(), seconds(13));
        assert!(roster.has_parted(node()));
        roster.call(seconds(14), []);
        assert!(roster.check(seconds(14)).is_empty());
    }
}
