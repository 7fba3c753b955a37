//! What was sent: kept until its outcome is known, and messages a while longer, because a store that
//! lost its last moments (a restored backup, a failover) wants them again.

use std::collections::{BTreeMap, VecDeque};

use protocol::command::{Ack, Command};
use protocol::limit;
use protocol::rejection::{Problem, Retry};
use protocol::text::ClientId;

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
        });
    }

    /// Notes that a command was done.
    pub fn accepted(&mut self, ack: &Ack) {
        if let Some(item) = self.find(&ack.client_id) {
            let before = item.outcome.replace(Outcome::Accepted(ack.clone()));
            self.open_count -= usize::from(before.is_none());
        }
    }

    /// Notes a refusal. One that may pass leaves the command to be sent again.
    pub fn rejected(&mut self, client_id: &ClientId, problem: &Problem) {
        if problem.retry == Retry::Never
            && let Some(item) = self.find(client_id)
        {
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
    use protocol::id::{ConversationId, EntryId, Id};

    use super::*;

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
