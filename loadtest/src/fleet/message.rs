//! What coordinator and workers say to each other.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::measure::Counts;

/// What the coordinator says to a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The first line: the part to play.
    Begin(Value),
    /// Begin the next step.
    Cue(Cue),
}

/// When a step begins, and what is to be known for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cue {
    /// The moment, by the clock that all processes of the machine share.
    pub at: Duration,
    /// What the scenario has to say.
    pub note: Value,
}

/// What a worker says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// How its counters stand.
    Counts(Counts),
    /// It has done its step and waits for its cue.
    Ready,
    /// What came out of its present step.
    Told(Value),
    /// What came out; the last word.
    Outcome(Value),
    /// It cannot go on.
    Failed(String),
    /// Something that people may want to know.
    Note(String),
}
