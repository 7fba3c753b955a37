//! What was sent: kept until its outcome is known, and messages a while longer, because a store that
//! lost its last moments (a restored backup, a failover) wants them again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::command::{Ack, Command};
use protocol::id::ConversationId;
use protocol::limit;
use protocol::rejection::{Problem, Retry};
use protocol::text::ClientId;

use crate::client::log::Line;

/// What became of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was done.
    Accepted(Ack),
    /// It was refused and changed nothing.
    Rejected(Problem),
}

/// A command on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The client's name for it, the same for every try.
    pub client_id: ClientId,
    /// What.
    pub command: Command,
    /// When it was first sent, by the client's own clock.
    pub made_at_ms: u64,
    /// What became of it, once known.
    pub outcome: Option<Outcome>,
    /// What it was accepted with in the life of the store before this one, until a page tells whether that is
    /// still so.
    pub in_doubt: Option<Ack>,
}

/// The commands of one principal, in the order they were made.
// Invariant: `places` holds the place of every item, counted from the first command ever made.
#[derive(Debug, Default)]
pub struct Outbox {
    items: VecDeque<Item>,
    places: BTreeMap<ClientId, usize>,
    forgotten_count: usize,
    open_count: usize,
}

impl Outbox {
    /// Puts a command in.
    pub fn add(&mut self, client_id: ClientId, command: Command, made_at_ms: u64) {
        let place = self.forgotten_count + self.items.len();
        self.places.insert(client_id.clone(), place);
        self.open_count += 1;
        self.items.push_back(Item {
            client_id,
            command,
            made_at_ms,
            outcome: None,
            in_doubt: None,
        });
    }

    /// Notes that a command was done.
    pub fn accepted(&mut self, ack: &Ack) {
        if let Some(item) = self.find(&ack.client_id) {
            item.in_doubt = None;
            let before = item.outcome.replace(Outcome::Accepted(ack.clone()));
            self.open_count -= usize::from(before.is_none());
        }
    }

    /// Notes a refusal. One that may pass leaves the command to be sent again.
    pub fn rejected(&mut self, client_id: &ClientId, problem: &Problem) {
        if problem.retry == Retry::Never
            && let Some(item) = self.find(client_id)
        {
            item.in_doubt = None;
            let before = item.outcome.replace(Outcome::Rejected(problem.clone()));
            self.open_count -= usize::from(before.is_none());
        }
    }

    /// What became of a command; nothing while that is unknown.
    #[must_use]
    pub fn outcome(&self, client_id: &ClientId) -> Option<&Outcome> {
        let place = self.places.get(client_id)?;
        let item = self.items.get(place - self.forgotten_count)?;
        item.outcome.as_ref()
    }

    /// All that is kept, oldest first.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    /// How many are still without an outcome.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open_count
    }

    /// What is still without an outcome, oldest first: sent again after a reconnect.
    #[must_use]
    pub fn pending(&self) -> Vec<Item> {
        self.open().cloned().collect()
    }

    /// The same, not copied.
    pub fn open(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.outcome.is_none())
    }

    /// Takes back the outcome of what was accepted in the last ten minutes and makes an entry that
    /// `is_known` does not know: after reading afresh it is to be sent again. Gives their ids.
    pub fn reopen_missing(
        &mut self,
        now_ms: u64,
        is_known: impl Fn(&Ack) -> bool,
    ) -> Vec<ClientId> {
        let mut missing = Vec::new();
        for item in &mut self.items {
            let recent = now_ms.saturating_sub(item.made_at_ms) <= limit::RESEND_MS;
            let is_missing = match &item.outcome {
                Some(Outcome::Accepted(ack)) => recent && ack.entry_id.is_some() && !is_known(ack),
                Some(Outcome::Rejected(_)) | None => false,
            };
            if is_missing {
                item.outcome = None;
                self.open_count += 1;
                missing.push(item.client_id.clone());
            }
        }
        missing
    }

    /// The store is in another life and may have lost its last moments: what it had accepted in the last ten minutes
    /// has no outcome any more. Of conversations whose newest page is `awaited`, that page decides; the rest is to
    /// be sent again.
    pub fn doubt(&mut self, now_ms: u64, awaited: &BTreeSet<ConversationId>) {
        // What was in doubt already is of a life before the last: no page tells for sure.
        self.end_doubt();
        for item in &mut self.items {
            let recent = now_ms.saturating_sub(item.made_at_ms) <= limit::RESEND_MS;
            let Some(Outcome::Accepted(ack)) = &item.outcome else {
                continue;
            };
            if !recent || ack.entry_id.is_none() {
                continue;
            }
            let is_awaited = ack.conversation_id.is_some_and(|id| awaited.contains(&id));
            item.in_doubt = is_awaited.then(|| ack.clone());
            item.outcome = None;
            self.open_count += 1;
        }
    }

    /// Decides what is in doubt of a conversation by its newest page. A store that lost something lost the end: what
    /// stands before the page is known where the page has another command that was accepted in the same life.
    pub fn decide(&mut self, conversation_id: ConversationId, page: &[Line]) {
        let entries: BTreeSet<_> = page.iter().map(|line| line.entry_id).collect();
        let first = page.first().map(|line| line.number);
        let is_there = |ack: &Ack| ack.entry_id.is_some_and(|id| entries.contains(&id));
        let is_before = |ack: &Ack| ack.number.is_some() && ack.number < first;
        let is_of = |ack: &&Ack| ack.conversation_id == Some(conversation_id);
        let in_doubt = self.items.iter().filter_map(|item| item.in_doubt.as_ref());
        let is_continued = in_doubt.filter(is_of).any(is_there);
        for item in &mut self.items {
            if let Some(ack) = item.in_doubt.take_if(|ack| is_of(&&*ack))
                && (is_there(&ack) || is_continued && is_before(&ack))
            {
                item.outcome = Some(Outcome::Accepted(ack));
                self.open_count -= 1;
            }
        }
    }

    /// Whether something waits for a page to decide.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.items.iter().any(|item| item.in_doubt.is_some())
    }

    /// Waits for pages no longer: what is in doubt is to be sent again.
    pub fn end_doubt(&mut self) {
        for item in &mut self.items {
            item.in_doubt = None;
        }
    }

    /// Forgets what has an outcome and is older than the time for sending again.
    pub fn forget(&mut self, now_ms: u64) {
        while let Some(first) = self.items.front() {
            let old = now_ms.saturating_sub(first.made_at_ms) > limit::RESEND_MS;
            if first.outcome.is_none() || !old {
                return;
            }
            if let Some(item) = self.items.pop_front() {
                self.places.remove(&item.client_id);
                self.forgotten_count += 1;
            }
        }
    }

    fn find(&mut self, client_id: &ClientId) -> Option<&mut Item> {
        let place = self.places.get(client_id)?;
        self.items.get_mut(place - self.forgotten_count)
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::{EntryId, Id};

    use super::*;
    use crate::client::log::{Said, Speaker};

    fn id(text: &str) -> ClientId {
        ClientId::parse(text).expect("letters are allowed")
    }

    #[test]
    fn what_a_store_lost_waits_again_for_an_outcome() {
        let mut outbox = Outbox::default();
        for text in ["a", "b", "c"] {
            outbox.add(id(text), join(), 0);
        }
        for text in ["a", "b"] {
            let entry_id = Some(EntryId::from_bits(u128::from(text == "a")));
            outbox.accepted(&Ack {
                entry_id,
                ..ack(&id(text))
            });
        }
        let is_known = |ack: &Ack| ack.entry_id == Some(EntryId::from_bits(1));
        assert_eq!(outbox.reopen_missing(limit::RESEND_MS + 1, is_known), []);
        assert_eq!(outbox.reopen_missing(0, is_known), [id("b")]);
        assert_eq!(outbox.open_count(), 2);
        assert_eq!(outbox.outcome(&id("b")), None);
        assert!(outbox.outcome(&id("a")).is_some());
    }

    /// One's own entries have the ids of their numbers, those of others do not.
    fn line(number: u64, entry_id: u64) -> Line {
        Line {
            number,
            entry_id: EntryId::from_bits(u128::from(entry_id)),
            sent_at_ms: 0,
            speaker: Speaker::Customer,
            client_id: None,
            said: Said::Other("joined"),
        }
    }

    /// Commands that were accepted in a conversation under the numbers 1 to 3, in doubt but for the first.
    fn in_doubt(conversation: ConversationId) -> Outbox {
        let mut outbox = Outbox::default();
        for (number, at_ms) in [(1, 0), (2, 1), (3, 1)] {
            let client_id = id(&number.to_string());
            outbox.add(client_id.clone(), join(), at_ms);
            outbox.accepted(&Ack {
                conversation_id: Some(conversation),
                entry_id: Some(EntryId::from_bits(u128::from(number))),
                number: Some(number),
                ..ack(&client_id)
            });
        }
        outbox.doubt(limit::RESEND_MS + 1, &BTreeSet::from([conversation]));
        assert!(outbox.is_in_doubt());
        assert_eq!(outbox.open_count(), 2, "the first is too old");
        outbox
    }

    #[test]
    fn a_page_of_another_life_decides_what_is_to_be_sent_again() {
        let conversation = ConversationId::from_bits(1);
        let all = [id("2"), id("3")];
        let cases: [(&str, Vec<Line>, &[ClientId]); 5] = [
            ("nothing is left", vec![], &all),
            ("others' entries alone", vec![line(7, 70)], &all),
            ("the last is gone", vec![line(2, 2), line(3, 30)], &all[1..]),
            ("it goes on before the page", vec![line(3, 3)], &[]),
            (
                "it went another way",
                vec![line(1, 1), line(2, 20), line(3, 30)],
                &all,
            ),
        ];
        for (name, page, expected) in cases {
            let mut outbox = in_doubt(conversation);
            outbox.decide(ConversationId::from_bits(2), &page);
            assert!(outbox.is_in_doubt(), "{name}: another conversation's page");
            outbox.decide(conversation, &page);
            assert!(!outbox.is_in_doubt(), "{name}");
            let open: Vec<_> = outbox.open().map(|item| item.client_id.clone()).collect();
            assert_eq!(open, expected, "{name}");
            assert_eq!(outbox.open_count(), expected.len(), "{name}");
        }
    }

    #[test]
    fn doubt_ends_with_the_next_life_and_with_patience() {
        let conversation = ConversationId::from_bits(1);
        let mut outbox = in_doubt(conversation);
        outbox.doubt(1, &BTreeSet::from([conversation]));
        let one = outbox.items().next().expect("it is kept");
        assert!(one.in_doubt.is_some(), "it was accepted in the last life");
        let mut of_before = outbox.items().skip(1);
        assert!(of_before.all(|item| item.in_doubt.is_none()));
        drop(of_before);
        outbox.decide(conversation, &[line(1, 1), line(2, 2), line(3, 3)]);
        assert_eq!(outbox.open_count(), 2, "they are to be sent again");
        let mut outbox = in_doubt(conversation);
        outbox.end_doubt();
        assert_eq!(outbox.open_count(), 2);
        assert!(!outbox.is_in_doubt());
    }

    fn join() -> Command {
        Command::Join {
            conversation_id: ConversationId::from_bits(1),
        }
    }

    fn ack(client_id: &ClientId) -> Ack {
        Ack {
            client_id: client_id.clone(),
            conversation_id: None,
            entry_id: None,
            number: None,
            sent_at_ms: 0,
        }
    }

    #[test]
    fn outcomes_are_found_also_after_others_were_forgotten() {
        let mut outbox = Outbox::default();
        for (text, at_ms) in [("a", 0), ("b", 0), ("c", limit::RESEND_MS)] {
            outbox.add(id(text), join(), at_ms);
        }
        outbox.accepted(&ack(&id("a")));
        outbox.forget(limit::RESEND_MS + 1);
        assert_eq!(outbox.outcome(&id("a")), None, "it is forgotten");
        outbox.accepted(&ack(&id("c")));
        assert!(outbox.outcome(&id("c")).is_some());
        assert_eq!(outbox.open_count(), 1);
        let pending: Vec<_> = outbox
            .pending()
            .into_iter()
            .map(|item| item.client_id)
            .collect();
        assert_eq!(pending, [id("b")]);
    }
}
