//! The checker finds what it is there to find: each kind of breach, and nothing in a sound log.

use protocol::entry::{Author, Content};
use protocol::id::{AgentId, Id};
use protocol::message::{Format, Message};
use protocol::text::ClientId;

use super::*;

/// A message of an agent under a number and a client id of its own.
fn entry(seq: u64) -> Entry {
    Entry {
        id: EntryId::from_bits(u128::from(seq)),
        conversation_id: ConversationId::from_bits(1),
        seq,
        public_seq: Some(seq),
        sent_at_ms: 1_000 + seq,
        author: Author::Agent {
            agent_id: AgentId::from_bits(7),
        },
        client_id: ClientId::parse(&format!("command-{seq}")).ok(),
        content: Content::Message {
            message: Message {
                format: Format::Plain,
                body: format!("load {seq} due 5 x"),
                language: None,
                reply_to_id: None,
                attachments: Vec::new(),
                edited_at_ms: None,
                deleted_at_ms: None,
            },
        },
    }
}

fn entries(seqs: impl IntoIterator<Item = u64>) -> Vec<Entry> {
    seqs.into_iter().map(entry).collect()
}

fn pairs(numbers: impl IntoIterator<Item = u64>) -> Vec<(u64, EntryId)> {
    let pair = |number| (number, EntryId::from_bits(u128::from(number)));
    numbers.into_iter().map(pair).collect()
}

fn kinds(findings: &[Finding]) -> Vec<(Kind, u64)> {
    findings.iter().map(|one| (one.kind, one.count)).collect()
}

#[test]
fn a_sound_store_has_no_findings_and_each_breach_has_its_own() {
    assert_eq!(of_store(&entries(1..=5)), []);
    let holed = of_store(&entries([1, 2, 4, 5, 6]));
    assert_eq!(kinds(&holed), [(Kind::Reordered, 1), (Kind::Reordered, 1)]);
    let mut doubled = entries(1..=3);
    doubled[2].client_id = doubled[0].client_id.clone();
    assert_eq!(kinds(&of_store(&doubled)), [(Kind::Doubled, 1)]);
    let mut same = entries(1..=3);
    same[2].id = same[1].id;
    assert_eq!(kinds(&of_store(&same)), [(Kind::Doubled, 1)]);
    let mut back = entries(1..=3);
    back[2].sent_at_ms = 0;
    assert_eq!(kinds(&of_store(&back)), [(Kind::Reordered, 1)]);
}

#[test]
fn what_was_shown_must_be_what_is_stored() {
    let stored = pairs(1..=6);
    assert_eq!(of_shown(&stored, &pairs(1..=6), 1), []);
    assert_eq!(of_shown(&stored, &pairs(4..=6), 4), []);
    let check = |shown: &[u64], kind, count| {
        let findings = of_shown(&stored, &pairs(shown.iter().copied()), 1);
        assert_eq!(kinds(&findings), [(kind, count)], "{shown:?}");
    };
    check(&[1, 2, 3], Kind::Lost, 3);
    check(&[1, 4, 5, 6], Kind::Lost, 2);
    check(&[1, 2, 2, 3, 4, 5, 6], Kind::Doubled, 1);
    check(&[1, 2, 3, 4, 5, 6, 7], Kind::Lost, 1);
    check(&[1, 2, 3, 4, 5, 6, 3], Kind::Reordered, 1);
    let mut other = pairs(1..=6);
    other[3].1 = EntryId::from_bits(99);
    assert_eq!(kinds(&of_shown(&stored, &other, 1)), [(Kind::Reordered, 1)]);
}

#[test]
fn findings_are_counted_by_kind() {
    let findings = of_shown(&pairs(1..=9), &pairs([1, 2, 2]), 1);
    assert_eq!(count_of(&findings, Kind::Lost), 7);
    assert_eq!(count_of(&findings, Kind::Doubled), 1);
    assert_eq!(count_of(&findings, Kind::Reordered), 0);
}
