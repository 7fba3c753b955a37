//! The checker: what clients hold and were promised, against what the server holds.
//!
//! It asks one thing: is what was acknowledged the same as what is stored and what everybody saw,
//! once, in order? It is pure but for [`read_all`]; load tests, stories and simulations use it alike.

pub mod journal;

use std::collections::BTreeMap;

use protocol::entry::Entry;
use protocol::id::{ConversationId, EntryId};
use protocol::news::Batch;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::client::http::{Call, Http};
use crate::client::log::Break;
use crate::client::outbox::{Item, Outcome};
use crate::client::{AgentAccess, Broken, Client, Log};

/// Which promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something that was acknowledged or shown is not there.
    Lost,
    /// Something is there twice.
    Doubled,
    /// Something stands where it does not belong.
    Reordered,
    /// A correct command was refused for good.
    Refused,
    /// A command never came to an end.
    Unfinished,
    /// A reader was told to read afresh although the log could have gone on. Nothing is lost by it,
    /// but a client forgets what it shows.
    Unresumed,
}

impl Kind {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::Reordered => "reordered",
            Self::Refused => "refused",
            Self::Unfinished => "unfinished",
            Self::Unresumed => "unresumed",
        }
    }
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which promise.
    pub kind: Kind,
    /// How often: a stretch of numbers that is missing is one finding.
    pub count: u64,
    /// About which number of the conversation; 0 where it is about none.
    pub number: u64,
    /// About which message of a plan, where it is about one.
    pub index: Option<u64>,
    /// What was found.
    pub text: String,
}

impl Finding {
    /// A finding about one number.
    #[must_use]
    pub fn new(kind: Kind, number: u64, text: String) -> Self {
        Self {
            kind,
            count: 1,
            number,
            index: None,
            text,
        }
    }

    /// The same, about a message of a plan.
    #[must_use]
    pub fn about(self, index: u64) -> Self {
        Self {
            index: Some(index),
            ..self
        }
    }
}

/// How many findings of a kind there are.
#[must_use]
pub fn count_of<'a>(findings: impl IntoIterator<Item = &'a Finding>, kind: Kind) -> u64 {
    let findings = findings.into_iter().filter(|finding| finding.kind == kind);
    findings.map(|finding| finding.count).sum()
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.text)
    }
}

/// A conversation as the server holds it, oldest entry first.
///
/// # Errors
/// The server refuses, or the network fails.
pub async fn read_all(
    http: &mut Http,
    agent: &AgentAccess,
    conversation_id: ConversationId,
) -> Result<Vec<Entry>, Error> {
    let mut pages: Vec<Vec<Entry>> = Vec::new();
    let mut before = String::new();
    loop {
        let path = format!("/api/v1/conversations/{conversation_id}/entries?limit=200{before}");
        let page: Batch<Entry> = http.ask(&agent.call(Call::get(path))).await?;
        if let Some(first) = page.entries.first() {
            before = format!("&before={}", first.seq);
        }
        let is_last = !page.older || page.entries.is_empty();
        pages.push(page.entries);
        if is_last {
            return Ok(pages.into_iter().rev().flatten().collect());
        }
    }
}

/// What is wrong with a log on the server's side: numbers that are not dense (a hole is one finding, whatever stands
/// behind it), commands or entries that are there twice, time that goes back.
#[must_use]
pub fn of_store(entries: &[Entry]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut commands = BTreeMap::new();
    let mut ids = BTreeMap::new();
    let (mut due, mut public_due) = (1, 1);
    let mut last_at_ms = 0;
    for entry in entries {
        let seq = entry.seq;
        let mut found = |kind, text| findings.push(Finding::new(kind, seq, text));
        if seq != due {
            let text = format!("stored: seq {seq} where {due} is due");
            found(Kind::Reordered, text);
        }
        due = seq + 1;
        if let Some(number) = entry.public_seq {
            if number != public_due {
                let text = format!("stored: public number {number} where {public_due} is due");
                found(Kind::Reordered, text);
            }
            public_due = number + 1;
        }
        if entry.sent_at_ms < last_at_ms {
            found(
                Kind::Reordered,
                format!("stored: the time of seq {seq} lies before"),
            );
        }
        last_at_ms = entry.sent_at_ms;
        if let Some(first) = ids.insert(entry.id, seq) {
            found(
                Kind::Doubled,
                format!("stored: seq {first} and {seq} have one id"),
            );
        }
        if let Some(client_id) = &entry.client_id {
            let author = format!("{:?}", entry.author);
            if let Some(first) = commands.insert((author, client_id.clone()), seq) {
                let text = format!(
                    "stored: seq {first} and {seq} are one command, {}",
                    client_id.as_str()
                );
                found(Kind::Doubled, text);
            }
        }
    }
    findings
}

/// What a reader's log should be: number and id of each entry that its side may see.
#[must_use]
pub fn seen_by_agent(entries: &[Entry]) -> Vec<(u64, EntryId)> {
    entries.iter().map(|entry| (entry.seq, entry.id)).collect()
}

/// As [`seen_by_agent`], for the visitor.
#[must_use]
pub fn seen_by_visitor(entries: &[Entry]) -> Vec<(u64, EntryId)> {
    let public = |entry: &Entry| Some((entry.public_seq?, entry.id));
    entries.iter().filter_map(public).collect()
}

/// What is wrong with a reader's log: it must be the end of what was stored, to the last entry.
#[must_use]
pub fn of_log(stored: &[(u64, EntryId)], log: Option<&Log>) -> Vec<Finding> {
    let held: Vec<(u64, EntryId)> = log.map_or_else(Vec::new, |log| {
        let lines = log.lines().iter();
        lines.map(|line| (line.number, line.entry_id)).collect()
    });
    let first = held.first().map_or(1, |(number, _)| *number);
    of_shown(stored, &held, first)
}

/// What is wrong with what a reader was shown, in the order it was shown: it must be what is stored,
/// from the number `first` on.
#[must_use]
pub fn of_shown(stored: &[(u64, EntryId)], shown: &[(u64, EntryId)], first: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    let from = stored.partition_point(|(number, _)| *number < first);
    if stored[from..] == *shown {
        return findings;
    }
    let by_number: BTreeMap<u64, EntryId> = stored.iter().copied().collect();
    let mut last = first.saturating_sub(1);
    for (number, id) in shown {
        let number = *number;
        let mut found = |kind, text| findings.push(Finding::new(kind, number, text));
        if number == last {
            found(Kind::Doubled, format!("shown: number {number} twice"));
        } else if number < last {
            found(
                Kind::Reordered,
                format!("shown: number {number} after {last}"),
            );
        }
        match by_number.get(&number) {
            None => found(
                Kind::Lost,
                format!("shown: number {number}, which is not stored"),
            ),
            Some(stored) if stored != id => {
                found(
                    Kind::Reordered,
                    format!("shown: number {number} as another entry"),
                );
            }
            Some(_) => {}
        }
        findings.extend(never_shown(last + 1, number));
        last = last.max(number);
    }
    let last_stored = stored.last().map_or(0, |(number, _)| *number);
    findings.extend(never_shown(last + 1, last_stored + 1));
    findings
}

/// A stretch of numbers that a reader was not shown, up to but without `end`.
fn never_shown(first: u64, end: u64) -> Option<Finding> {
    (first < end).then(|| {
        let text = format!("never shown: numbers {first} to {}", end - 1);
        Finding {
            count: end - first,
            ..Finding::new(Kind::Lost, first, text)
        }
    })
}

/// What is wrong with what a client sent: what was accepted must be stored, once, under the number
/// that was promised, in the order of sending.
#[must_use]
pub fn of_outbox(
    stored: &[(u64, EntryId)],
    client: &Client,
    conversation_id: ConversationId,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut last = 0;
    let by_id: BTreeMap<EntryId, u64> = stored.iter().map(|(number, id)| (*id, *number)).collect();
    for item in client.outbox().items() {
        let ack = match &item.outcome {
            Some(Outcome::Accepted(ack)) => ack,
            // What was refused or has no outcome is told apart by `of_outcomes`.
            Some(Outcome::Rejected(_)) | None => continue,
        };
        let (Some(entry_id), Some(number)) = (ack.entry_id, ack.number) else {
            continue;
        };
        if ack.conversation_id != Some(conversation_id) {
            continue;
        }
        let mut found = |kind, text| findings.push(Finding::new(kind, number, text));
        match by_id.get(&entry_id) {
            None => {
                let text = format!("number {number} was acknowledged and is not stored");
                found(Kind::Lost, text);
            }
            Some(stored) if *stored != number => {
                let text = format!("number {number} was acknowledged and is stored as {stored}");
                found(Kind::Reordered, text);
            }
            Some(_) if number == last => {
                found(
                    Kind::Doubled,
                    format!("number {number} was acknowledged for two commands"),
                );
            }
            Some(_) if number < last => {
                found(
                    Kind::Reordered,
                    format!("number {number} was sent after {last}"),
                );
            }
            Some(_) => last = number,
        }
    }
    findings
}

/// What was refused for good.
#[must_use]
pub fn of_refused(client: &Client) -> Vec<Finding> {
    let refused = |item: &Item| match &item.outcome {
        Some(Outcome::Rejected(problem)) => {
            let (kind, code) = (item.command.kind(), problem.code.as_str());
            let text = format!("{kind} {}: {code}", item.client_id.as_str());
            Some(Finding::new(Kind::Refused, 0, text))
        }
        Some(Outcome::Accepted(_)) | None => None,
    };
    client.outbox().items().filter_map(refused).collect()
}

/// What never came to an end.
#[must_use]
pub fn of_unfinished(client: &Client) -> Vec<Finding> {
    let open = client.outbox().pending();
    let finding = |item: &Item| {
        let text = format!("{} {}", item.command.kind(), item.client_id.as_str());
        Finding::new(Kind::Unfinished, 0, text)
    };
    open.iter().map(finding).collect()
}

/// What a client saw being broken on its connections.
#[must_use]
pub fn of_connections(client: &Client) -> Vec<Finding> {
    client.broken().iter().map(of_connection).collect()
}

/// One thing that a client saw being broken.
#[must_use]
pub fn of_connection(broken: &Broken) -> Finding {
    let kind = match broken.what {
        Break::Doubled(_) => Kind::Doubled,
        Break::Gap { .. } | Break::Changed(_) | Break::BackInTime(_) | Break::Position { .. } => {
            Kind::Reordered
        }
    };
    Finding::new(kind, broken.what.number(), format!("live: {broken}"))
}

#[cfg(test)]
mod check_tests;
