//! The check at the end of a run: what the clients hold against what the server holds.

use std::collections::BTreeMap;

use protocol::entry::Entry;
use protocol::id::{ConversationId, EntryId};
use protocol::news::Batch;

use crate::Error;
use crate::client::http::{Call, Http};
use crate::client::outbox::{Item, Outcome};
use crate::client::{AgentAccess, Client, Log};

/// A conversation as the server holds it, oldest entry first.
///
/// # Errors
/// The server refuses, or the network fails.
pub async fn read_all(
    http: &mut Http,
    agent: &AgentAccess,
    conversation_id: ConversationId,
) -> Result<Vec<Entry>, Error> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let mut path = format!("/api/v1/conversations/{conversation_id}/entries?limit=200");
        if let Some(first) = entries.first() {
            path += &format!("&before={}", first.seq);
        }
        let page: Batch<Entry> = http.ask(&agent.call(Call::get(path))).await?;
        let is_last = !page.older || page.entries.is_empty();
        entries.splice(0..0, page.entries);
        if is_last {
            return Ok(entries);
        }
    }
}

/// The faults of a log on the server's side: numbers that are not dense, ids that come twice.
#[must_use]
pub fn faults_of_store(entries: &[Entry]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids = BTreeMap::new();
    let mut public = 0;
    for (expected, entry) in (1_u64..).zip(entries) {
        if entry.seq != expected {
            faults.push(format!("stored: seq {} where {expected} is due", entry.seq));
        }
        if let Some(number) = entry.public_seq {
            public += 1;
            if number != public {
                faults.push(format!(
                    "stored: public number {number} where {public} is due"
                ));
            }
        }
        if let Some(client_id) = &entry.client_id {
            let author = format!("{:?}", entry.author);
            if ids.insert((author, client_id.clone()), entry.seq).is_some() {
                faults.push(format!("stored: seq {} doubles a command", entry.seq));
            }
        }
    }
    faults
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

/// The faults of a reader's log: it must be the end of what was stored, to the last entry.
#[must_use]
pub fn faults_of_log(stored: &[(u64, EntryId)], log: Option<&Log>) -> Vec<String> {
    let held: Vec<(u64, EntryId)> = log.map_or_else(Vec::new, |log| {
        let lines = log.lines().iter();
        lines.map(|line| (line.number, line.entry_id)).collect()
    });
    if stored.ends_with(&held) && (!held.is_empty() || stored.is_empty()) {
        return Vec::new();
    }
    let last_stored = stored.last().map_or(0, |(number, _)| *number);
    let last_held = held.last().map_or(0, |(number, _)| *number);
    vec![format!(
        "held: {} entries up to {last_held}, stored: {} entries up to {last_stored}",
        held.len(),
        stored.len()
    )]
}

/// The faults of what a client sent: what was accepted must be stored, once, under the number that
/// was promised, in the order of sending.
#[must_use]
pub fn faults_of_outbox(
    stored: &[(u64, EntryId)],
    client: &Client,
    conversation_id: ConversationId,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut last = 0;
    let by_id: BTreeMap<EntryId, u64> = stored.iter().map(|(number, id)| (*id, *number)).collect();
    for item in client.outbox().items() {
        let ack = match &item.outcome {
            Some(Outcome::Accepted(ack)) => ack,
            // What was refused or has no outcome is told apart by `refusals` and `unfinished`.
            Some(Outcome::Rejected(_)) | None => continue,
        };
        let (Some(entry_id), Some(number)) = (ack.entry_id, ack.number) else {
            continue;
        };
        if ack.conversation_id != Some(conversation_id) {
            continue;
        }
        match by_id.get(&entry_id) {
            None => faults.push(format!("lost: number {number} was acknowledged")),
            Some(found) if *found != number => {
                faults.push(format!("moved: number {number} is stored as {found}"));
            }
            Some(_) if number <= last => {
                faults.push(format!("reordered: number {number} came after {last}"));
            }
            Some(_) => last = number,
        }
    }
    faults
}

/// What was refused for good.
#[must_use]
pub fn refusals(client: &Client) -> Vec<String> {
    let refused = |item: &Item| match &item.outcome {
        Some(Outcome::Rejected(problem)) => Some(format!("refused: {}", problem.code.as_str())),
        Some(Outcome::Accepted(_)) | None => None,
    };
    client.outbox().items().filter_map(refused).collect()
}

/// What never came to an end.
#[must_use]
pub fn unfinished(client: &Client) -> Vec<String> {
    let open = client.outbox().pending();
    let fault = |item: &Item| format!("sent: {} never came to an end", item.command.kind());
    open.iter().map(fault).collect()
}
