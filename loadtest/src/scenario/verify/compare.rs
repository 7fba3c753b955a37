//! The end of a verification, at a worker: everybody's own log and every acknowledgement against the
//! store.

use std::collections::BTreeMap;

use protocol::entry::{Author, Content, Entry};
use protocol::id::{ConversationId, EntryId};
use serde::{Deserialize, Serialize};

use super::person::Person;
use crate::Error;
use crate::check::journal::{Journal, history};
use crate::check::{self, Finding, Kind};
use crate::client::http::Http;
use crate::client::{Access, AgentAccess};
use crate::measure::Latencies;
use crate::scenario::plan::{Plan, planned};

/// Findings of a worker and a kind that are told with their history.
const HISTORIES_MAX: usize = 10;

/// What a worker found out.
#[derive(Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Messages that were acknowledged.
    pub acknowledged: u64,
    /// Messages of the plan that are stored.
    pub stored: u64,
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that were acknowledged and lost with a life of the store, and are stored anew.
    pub stored_anew: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The first of it of each kind, with what the clients did and heard around it.
    pub told: Vec<Told>,
    /// From due to acknowledged.
    pub acknowledgement: Latencies,
    /// From due to shown to others.
    pub delivery: Latencies,
}

/// A finding with its history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Told {
    /// What is wrong.
    pub finding: Finding,
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// What the clients did and heard around it.
    pub history: Vec<String>,
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.conversation_id, self.finding)?;
        for line in &self.history {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

impl Outcome {
    /// Takes in another worker's.
    pub fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.stored += other.stored;
        self.sent += other.sent;
        self.stored_anew += other.stored_anew;
        self.findings.extend(other.findings);
        self.told.extend(other.told);
        self.acknowledgement.add_all(&other.acknowledgement);
        self.delivery.add_all(&other.delivery);
    }
}

/// A message of the plan, as somebody says that it was acknowledged.
#[derive(Debug, Clone, Copy)]
struct Acked {
    index: u64,
    number: u64,
    entry_id: Option<EntryId>,
    by_visitor: bool,
    /// Whether it was acknowledged before as another, in a life of the store that is over.
    is_anew: bool,
    /// Whether it was said over HTTP beside its author's connection.
    by_http: bool,
}

/// Compares everything.
///
/// # Errors
/// The store cannot be read.
pub async fn compare(
    http: &mut Http,
    owner: &AgentAccess,
    plan: &Plan,
    people: &[Person],
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let mut conversations: BTreeMap<ConversationId, Vec<&Person>> = BTreeMap::new();
    for person in people {
        for part in &person.parts {
            conversations
                .entry(part.conversation_id)
                .or_default()
                .push(person);
        }
        outcome.sent += person.sent.len() as u64;
    }
    for (id, people) in conversations {
        let entries = check::read_all(http, owner, id).await?;
        outcome.stored += entries
            .iter()
            .filter(|entry| index_of(entry).is_some())
            .count() as u64;
        let acked = acked_in(&people, id);
        outcome.acknowledged += acked.len() as u64;
        outcome.stored_anew += acked.iter().filter(|one| one.is_anew).count() as u64;
        let mut findings = check::of_store(&entries);
        findings.extend(of_plan(&entries, plan, &acked));
        for person in &people {
            let found = of_person(person, id, &entries);
            findings.extend(found.into_iter().map(|mut finding| {
                finding.text = format!("{} {}", person.name, finding.text);
                finding
            }));
        }
        tell(&mut outcome, &people, id, findings);
    }
    Ok(outcome)
}

/// Adds findings, the first ones with their history.
fn tell(outcome: &mut Outcome, people: &[&Person], id: ConversationId, findings: Vec<Finding>) {
    for finding in findings {
        let of_kind = |told: &&Told| told.finding.kind == finding.kind;
        if outcome.told.iter().filter(of_kind).count() < HISTORIES_MAX {
            let journals = people.iter().map(|one| (one.name.as_str(), &one.journal));
            let journals: Vec<(&str, &Journal)> = journals.collect();
            outcome.told.push(Told {
                conversation_id: id,
                history: history(&journals, id, finding.number, finding.index),
                finding: finding.clone(),
            });
        }
        outcome.findings.push(finding);
    }
}

/// What one participant has to complain about.
fn of_person(person: &Person, id: ConversationId, entries: &[Entry]) -> Vec<Finding> {
    let seen = match person.client.access() {
        Access::Visitor(_) => check::seen_by_visitor(entries),
        Access::Agent(_) => check::seen_by_agent(entries),
    };
    let shown = person
        .records
        .get(&id)
        .map_or(&[][..], |record| record.shown());
    let mut findings = check::of_shown(&seen, shown, 1);
    let own = |finding: &&(ConversationId, Finding)| finding.0 == id;
    let found = person.findings.iter().chain(&person.doubled).filter(own);
    findings.extend(found.map(|(_, finding)| finding.clone()));
    let live = |broken: &&crate::client::Broken| broken.conversation_id == id;
    let live = person.client.broken().iter().filter(live);
    findings.extend(live.map(check::of_connection));
    for sent in person.sent.values() {
        if sent.conversation_id == id && sent.acked.is_none() {
            let text = format!("load {} has no outcome", sent.index);
            findings.push(Finding::new(Kind::Unfinished, 0, text).about(sent.index));
        }
    }
    findings
}

/// What was acknowledged in a conversation, by index.
fn acked_in(people: &[&Person], id: ConversationId) -> Vec<Acked> {
    let mut acked = Vec::new();
    for person in people {
        let by_visitor = matches!(person.client.access(), Access::Visitor(_));
        for sent in person.sent.values() {
            let Some((number, entry_id)) = sent.acked else {
                continue;
            };
            if sent.conversation_id == id {
                acked.push(Acked {
                    index: sent.index,
                    number,
                    entry_id,
                    by_visitor,
                    is_anew: sent.is_anew,
                    by_http: sent.by_http,
                });
            }
        }
    }
    acked.sort_by_key(|one| one.index);
    acked
}

/// What is wrong with what is stored, seen from the plan: each message once, in the order that its
/// author said them, and what was acknowledged under the number that was told.
fn of_plan(entries: &[Entry], plan: &Plan, acked: &[Acked]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut stored: BTreeMap<u64, &Entry> = BTreeMap::new();
    let mut last = [None::<u64>; 2];
    for entry in entries {
        let Some(index) = index_of(entry) else {
            continue;
        };
        let seq = entry.seq;
        let mut found = |kind, text| findings.push(Finding::new(kind, seq, text).about(index));
        if let Some(first) = stored.insert(index, entry) {
            let text = format!("stored: load {index} at seq {} and seq {seq}", first.seq);
            found(Kind::Doubled, text);
            continue;
        }
        let by_visitor = matches!(entry.author, Author::Visitor { .. });
        if by_visitor != plan.is_visitors(index) {
            found(
                Kind::Reordered,
                format!("stored: load {index} by the other side"),
            );
        }
        let before = &mut last[usize::from(by_visitor)];
        if let Some(before) = *before
            && before > index
            && !may_pass(acked, before, index)
        {
            found(
                Kind::Reordered,
                format!("stored: load {index} after load {before}"),
            );
        }
        *before = (*before).max(Some(index));
    }
    for one in acked {
        let mut found = |kind, text| {
            findings.push(Finding::new(kind, one.number, text).about(one.index));
        };
        let told = format!(
            "load {} was acknowledged as number {}",
            one.index, one.number
        );
        match stored.get(&one.index) {
            None => found(Kind::Lost, format!("{told} and is not stored")),
            Some(entry) => {
                let number = if one.by_visitor {
                    entry.public_seq
                } else {
                    Some(entry.seq)
                };
                if number != Some(one.number) || one.entry_id != Some(entry.id) {
                    let text = format!("{told} and stands at seq {} as another", entry.seq);
                    found(Kind::Reordered, text);
                }
            }
        }
    }
    findings
}

/// Whether a message may stand before an earlier one of its author: the earlier one was lost with a life of the store,
/// and before he knew, the later one came to the next life by another way than his connection.
fn may_pass(acked: &[Acked], later: u64, earlier: u64) -> bool {
    let of = |index| {
        let place = acked.binary_search_by_key(&index, |one| one.index);
        place.ok().map(|place| &acked[place])
    };
    of(later).is_some_and(|later| later.by_http) && of(earlier).is_some_and(|one| one.is_anew)
}

/// The index of a message of the plan.
fn index_of(entry: &Entry) -> Option<u64> {
    match &entry.content {
        Content::Message { message } => planned(&message.body).map(|(index, _)| index),
        Content::Note { .. }
        | Content::Edited { .. }
        | Content::Deleted { .. }
        | Content::Joined { .. }
        | Content::Left { .. }
        | Content::Assigned { .. }
        | Content::Moved { .. }
        | Content::Snoozed { .. }
        | Content::Reopened { .. }
        | Content::Closed
        | Content::Prioritized { .. }
        | Content::SpamMarked { .. }
        | Content::VisitorBlocked { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::{AgentId, ContactId, Id, VisitorId};
    use protocol::message::{Format, Message};

    use super::*;

    const PLAN: Plan = Plan {
        pairs: 1,
        rate: 10,
        due: 10,
        message_bytes: 64,
        started: std::time::Duration::ZERO,
        warm_up: std::time::Duration::ZERO,
    };

    /// A message of the plan, stored under a number.
    fn entry(seq: u64, index: u64) -> Entry {
        let author = if PLAN.is_visitors(index) {
            Author::Visitor {
                visitor_id: VisitorId::from_bits(1),
                contact_id: ContactId::from_bits(1),
            }
        } else {
            Author::Agent {
                agent_id: AgentId::from_bits(1),
            }
        };
        Entry {
            id: EntryId::from_bits(u128::from(seq)),
            conversation_id: ConversationId::from_bits(1),
            seq,
            public_seq: Some(seq),
            sent_at_ms: seq,
            author,
            client_id: None,
            content: Content::Message {
                message: Message {
                    format: Format::Plain,
                    body: PLAN.body(index).as_str().to_owned(),
                    language: None,
                    reply_to_id: None,
                    attachments: Vec::new(),
                    edited_at_ms: None,
                    deleted_at_ms: None,
                },
            },
        }
    }

    fn acked(index: u64, number: u64) -> Acked {
        Acked {
            index,
            number,
            entry_id: Some(EntryId::from_bits(u128::from(number))),
            by_visitor: PLAN.is_visitors(index),
            is_anew: false,
            by_http: false,
        }
    }

    fn check(stored: &[(u64, u64)], told: &[(u64, u64)], expected: &[Kind]) {
        let entries: Vec<Entry> = stored
            .iter()
            .map(|(seq, index)| entry(*seq, *index))
            .collect();
        let told: Vec<Acked> = told
            .iter()
            .map(|(index, number)| acked(*index, *number))
            .collect();
        let findings = of_plan(&entries, &PLAN, &told);
        let kinds: Vec<Kind> = findings.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, expected, "{findings:?}");
    }

    #[test]
    fn what_was_acknowledged_must_be_stored_once_and_in_order() {
        let sound = [(1, 0), (2, 1), (3, 3), (4, 2)];
        check(&sound, &[(0, 1), (1, 2), (3, 3), (2, 4)], &[]);
        check(&sound, &[(0, 1), (4, 5)], &[Kind::Lost]);
        check(&sound, &[(0, 2)], &[Kind::Reordered]);
        check(&[(1, 0), (2, 0)], &[], &[Kind::Doubled]);
        check(&[(1, 2), (2, 0)], &[], &[Kind::Reordered]);
    }
    #[test]
    fn what_was_lost_with_a_life_may_be_passed_by_what_went_another_way() {
        let entries = [entry(1, 2), entry(2, 0)];
        let of = |is_anew, by_http| {
            let (earlier, later) = (acked(0, 2), acked(2, 1));
            let told = [Acked { is_anew, ..earlier }, Acked { by_http, ..later }];
            of_plan(&entries, &PLAN, &told).len()
        };
        assert_eq!(of(true, true), 0);
        assert_eq!(of(true, false), 1);
        assert_eq!(of(false, true), 1);
    }
}
