//! What happens in a simulation: who is there, and what is done at which time. A seed makes a plan; a part of
//! a plan is one too, so a failing plan can be made smaller.

use std::collections::BTreeMap;
use std::time::Duration;

use world::{Clock, Ids};

use crate::rights::End;

/// After how long a visitor who hung up counts as gone, nearly.
const MISSED_MS: u64 = 9_900;

/// Erasures of a plan.
const ERASURES_MAX: usize = 2;

/// Something that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// A person of this number says something; agents in a conversation that they know.
    Say { who: usize },
    /// An agent writes a note.
    Note { who: usize },
    /// A person says something else instead of what he said last.
    Edit { who: usize },
    /// A person takes back what he said last.
    Delete { who: usize },
    /// A person ends a conversation.
    Close { who: usize },
    /// A person writes for a while, without sending it.
    Type { who: usize },
    /// A person reads what he was shown.
    Read { who: usize },
    /// The first agent erases the customer of a conversation that he knows.
    Erase,
    /// The second agent's rights end.
    End { end: End },
    /// A person's client sends its last commands once more.
    Repeat { who: usize },
    /// A person's line is cut.
    Cut { who: usize },
    /// A person hangs up, and comes back after a while: mostly when he was missed already.
    Leave { who: usize, ms: u64 },
    /// A person reads nothing for a while.
    Rest { who: usize, ms: u64 },
    /// A node is killed, and starts anew after a while.
    Kill { node: usize, ms: u64 },
    /// A node is asked to end, and starts anew after a while.
    Drain { node: usize, ms: u64 },
    /// A node is cut off the bus for a while.
    Unplug { node: usize, ms: u64 },
    /// The next news of a node are lost.
    LoseNews { node: usize, count: u64 },
    /// What passes between a node and its clients waits for a while, and nobody is told.
    Hold { node: usize, ms: u64 },
    /// Batches of a node fail before they reach the store.
    Refuse { node: usize, count: u64 },
    /// Reads of a node fail.
    Blind { node: usize, count: u64 },
    /// Commits fail.
    FailCommit { count: u64 },
    /// Answers to batches that were stored are lost.
    LoseAnswer { count: u64 },
    /// Something of a node panics, once.
    Panic { node: usize, place: Place },
    /// A node's clock goes wrong, until it is measured again.
    Skew { node: usize, ms: i64 },
}

/// What may panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A lane that takes a command.
    Command,
    /// A lane that has stored and not yet told.
    Stored,
    /// A lane that reads what it missed.
    Heal,
    /// The event log's reader.
    Tail,
    /// Who stores marks.
    Marks,
}

impl Place {
    const ALL: [Self; 5] = [
        Self::Command,
        Self::Stored,
        Self::Heal,
        Self::Tail,
        Self::Marks,
    ];

    /// Where faults are planted.
    pub(crate) fn point(self) -> &'static str {
        match self {
            Self::Command => "lane.command",
            Self::Stored => "lane.stored",
            Self::Heal => "lane.heal",
            Self::Tail => "tail.event",
            Self::Marks => "mark.store",
        }
    }
}

/// An act and its time, from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) at_ms: u64,
    pub(crate) act: Act,
}

/// A plan. Persons are numbered: the visitors first, then their further tabs, then the agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) node_count: usize,
    pub(crate) visitor_count: usize,
    /// Further tabs of the first visitor.
    pub(crate) tab_count: usize,
    pub(crate) agent_count: usize,
    /// Whether agents have the list of visitors open. Nodes whose visitors are watched say more to each other.
    pub(crate) is_list_open: bool,
    pub(crate) steps: Vec<Step>,
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let dice = Dice(Ids::seeded(seed, Clock::manual(0)));
        let mut plan = Self {
            seed,
            node_count: dice.between(1, 3),
            visitor_count: dice.between(1, 3),
            tab_count: dice.between(0, 1),
            agent_count: dice.between(1, 2),
            is_list_open: is_list_open(seed),
            steps: Vec::new(),
        };
        let length_ms = 5_000 + dice.0.below(25_000);
        for _ in 0..dice.between(6, 60) {
            let at_ms = dice.0.below(length_ms);
            let act = plan.act(&dice);
            plan.steps.push(Step { at_ms, act });
        }
        for _ in 0..dice.between(0, ERASURES_MAX) {
            let at_ms = dice.0.below(length_ms);
            plan.erase(at_ms, &dice);
        }
        plan.end_rights(length_ms);
        plan.steps.sort_by_key(|step| step.at_ms);
        plan
    }

    /// In half of the plans with two agents the rights of the second end; words are said around that, and news are lost.
    fn end_rights(&mut self, length_ms: u64) {
        let dice = Dice(Ids::seeded(self.seed ^ (202 << 48), Clock::manual(0)));
        if self.agent_count < 2 || dice.0.below(2) == 0 {
            return;
        }
        let at_ms = dice.0.below(length_ms);
        let end = [End::SignedOut, End::Deactivated][dice.between(0, 1)];
        let act = Act::End { end };
        self.steps.push(Step { at_ms, act });
        let last = self.browser_count() + self.agent_count - 1;
        for _ in 0..dice.between(0, 8) {
            let within_ms = [60, 900, 20_000][dice.between(0, 2)];
            let at_ms = at_ms + dice.0.below(within_ms);
            let act = match dice.0.below(5) {
                0 => Act::LoseNews {
                    node: dice.between(0, self.node_count - 1),
                    count: 1 + dice.0.below(8),
                },
                1 => Act::Cut { who: last },
                2 => Act::Say { who: last },
                _ => Act::Say {
                    who: dice.between(0, last - 1),
                },
            };
            self.steps.push(Step { at_ms, act });
        }
    }

    /// An erasure, and what comes between: words that are said, and news that are lost.
    fn erase(&mut self, at_ms: u64, dice: &Dice) {
        let act = Act::Erase;
        self.steps.push(Step { at_ms, act });
        let last = self.browser_count() + self.agent_count - 1;
        for _ in 0..dice.between(0, 6) {
            // An erasure takes some dozens of milliseconds, and the log tells of it within a second.
            let within_ms = [60, 900][dice.between(0, 1)];
            let at_ms = at_ms + dice.0.below(within_ms);
            let act = match dice.0.below(5) {
                0 => Act::Say {
                    who: dice.between(0, last),
                },
                1 | 2 => Act::Note {
                    who: dice.between(self.browser_count(), last),
                },
                3 => Act::LoseNews {
                    node: dice.between(0, self.node_count - 1),
                    count: 1 + dice.0.below(8),
                },
                _ => self.act(dice),
            };
            self.steps.push(Step { at_ms, act });
        }
    }

    /// How long anybody is away or rests, where he does all of it one after the other.
    pub(crate) fn absence_max(&self) -> Duration {
        let mut absences = BTreeMap::<usize, u64>::new();
        for step in &self.steps {
            if let Act::Leave { who, ms } | Act::Rest { who, ms } = step.act {
                *absences.entry(who).or_default() += ms;
            }
        }
        Duration::from_millis(absences.into_values().max().unwrap_or_default())
    }

    fn act(&self, dice: &Dice) -> Act {
        let person_count = self.browser_count() + self.agent_count;
        let who = dice.between(0, person_count - 1);
        let agent = dice.between(self.browser_count(), person_count - 1);
        let node = dice.between(0, self.node_count - 1);
        let count = 1 + dice.0.below(3);
        let ms = dice.duration_ms();
        match dice.0.below(130) {
            124..=129 => Act::Leave {
                who,
                ms: MISSED_MS + ms,
            },
            120..=123 => Act::Drain { node, ms },
            100..=108 => Act::Type { who },
            109..=115 => Act::Read { who },
            116..=119 => Act::Panic {
                node,
                place: Place::ALL[dice.between(0, Place::ALL.len() - 1)],
            },
            0..=44 => Act::Say { who },
            45..=49 => Act::Note { who: agent },
            50..=53 => Act::Edit { who },
            54..=55 => Act::Delete { who },
            56..=57 => Act::Close { who },
            58..=60 => Act::Repeat { who },
            61..=67 => Act::Cut { who },
            68..=71 => Act::Rest { who, ms },
            72..=77 => Act::Kill { node, ms },
            78..=81 => Act::Unplug { node, ms },
            82..=85 => Act::LoseNews { node, count },
            86..=88 => Act::Hold { node, ms },
            89..=90 => Act::Refuse { node, count },
            91..=92 => Act::Blind { node, count },
            93..=94 => Act::FailCommit { count },
            95..=97 => Act::LoseAnswer { count },
            _ => Act::Skew {
                node,
                ms: i64::try_from(dice.0.below(600_000)).expect("minutes fit") - 300_000,
            },
        }
    }

    /// Tabs of visitors.
    pub(crate) fn browser_count(&self) -> usize {
        self.visitor_count + self.tab_count
    }

    /// Whether a person's network lets no sockets through: a quarter of them.
    pub(crate) fn is_without_sockets(&self, who: usize) -> bool {
        let dice = Ids::seeded(self.seed ^ (200 << 48), Clock::manual(0));
        // The draw of this number.
        (0..=who).fold(false, |_, _| dice.below(4) == 0)
    }

    /// The same plan with some of its steps.
    pub(crate) fn with(&self, steps: Vec<Step>) -> Self {
        Self {
            steps,
            ..self.clone()
        }
    }
}

/// In three quarters of the plans it is.
fn is_list_open(seed: u64) -> bool {
    Ids::seeded(seed ^ (201 << 48), Clock::manual(0)).below(4) > 0
}

struct Dice(Ids);

impl Dice {
    fn between(&self, least: usize, most: usize) -> usize {
        let count = u64::try_from(most - least + 1).expect("a count fits");
        least + usize::try_from(self.0.below(count)).expect("below a count")
    }

    /// Short ones are the most; a few are longer than any patience.
    fn duration_ms(&self) -> u64 {
        match self.0.below(10) {
            0..=5 => 10 + self.0.below(500),
            6..=8 => 500 + self.0.below(6_000),
            _ => 6_000 + self.0.below(70_000),
        }
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            seed,
            node_count,
            visitor_count,
            tab_count,
            agent_count,
            is_list_open,
            steps,
        } = self;
        writeln!(
            f,
            "seed {seed}: {node_count} nodes, {visitor_count} visitors, {tab_count} tabs more, {agent_count} agents, list open: {is_list_open}"
        )?;
        for Step { at_ms, act } in steps {
            writeln!(f, "  at {:.3} s {act:?}", *at_ms as f64 / 1_000.0)?;
        }
        Ok(())
    }
}
