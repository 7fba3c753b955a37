//! What a visitor has not read: counted in the store once, then carried on by the conversation's lane.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::id::{ConversationId, EntryId, VisitorId, WorkspaceId};
use protocol::permission::VisitorActor;
use storage::unread::Unread;
use world::HashMap;

use crate::lanes::{Job, LaneKey};
use crate::router::Router;

/// How long a count is carried on without counting anew. A visitor's tabs on this node bring it up to date
/// at once; this bounds what others do.
const COUNT_KEPT: Duration = Duration::from_secs(60);

/// How many messages are counted, at most.
const UNREAD_MAX: u32 = 100;

/// The counts that a lane carries on, for each browser of the person that listens.
#[derive(Debug, Default)]
pub(crate) struct Counts(HashMap<VisitorId, Carried>);

/// A count of unread messages that is carried on.
#[derive(Debug)]
struct Carried {
    /// As it was counted in the store.
    counted: Unread,
    counted_at: Duration,
    /// What the team said after that, by the visitor's numbers, for it may come by more than once; at most as many as
    /// are counted.
    since: BTreeMap<u64, EntryId>,
}

impl Carried {
    fn count(&self) -> u32 {
        let since = u32::try_from(self.since.len()).unwrap_or(UNREAD_MAX);
        self.counted.count.saturating_add(since).min(UNREAD_MAX)
    }

    fn newest(&self) -> Option<EntryId> {
        let said = self.since.last_key_value().map(|(_, entry_id)| *entry_id);
        said.or(self.counted.entry_id)
    }

    fn tell(&self, router: &Router, visitor_id: VisitorId) {
        router.hub().unread(visitor_id, self.count(), self.newest());
    }

    fn say(&mut self, said: impl IntoIterator<Item = (u64, EntryId)>) {
        let counted = self.counted.number;
        let said = said.into_iter().filter(|(number, _)| *number > counted);
        self.since.extend(said);
        while self.since.len() > UNREAD_MAX as usize {
            self.since.pop_first();
        }
    }
}

impl Counts {
    /// Takes in a count of the store. What was said since may have come by already.
    fn count(&mut self, visitor_id: VisitorId, counted: Unread, counted_at: Duration) -> &Carried {
        let before = self.0.remove(&visitor_id);
        let mut carried = Carried {
            counted,
            counted_at,
            since: BTreeMap::new(),
        };
        if let Some(before) = before {
            carried.say(before.since);
        }
        self.0.entry(visitor_id).or_insert(carried)
    }

    /// Something that was counted may be gone.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// Tells the browsers of a person how much they have not read, now that the team said something.
    pub(crate) async fn tell(
        &mut self,
        router: &Router,
        (workspace_id, conversation_id): (WorkspaceId, ConversationId),
        devices: &[VisitorActor],
        said: &[(u64, EntryId)],
    ) {
        let is_device = |id: &VisitorId| devices.iter().any(|device| device.visitor_id == *id);
        self.0.retain(|visitor_id, _| is_device(visitor_id));
        for device in devices {
            let visitor_id = device.visitor_id;
            let now = router.world().clock.elapsed();
            let is_fresh = |carried: &&mut Carried| {
                now < carried.counted_at + COUNT_KEPT
                    && carried.counted.conversation_id == Some(conversation_id)
            };
            let is_wanted = router.hub().wants_unread(visitor_id);
            match self.0.get_mut(&visitor_id).filter(is_fresh) {
                Some(carried) if is_wanted => {
                    carried.say(said.iter().copied());
                    carried.tell(router, visitor_id);
                }
                Some(_) | None => {
                    let place = (workspace_id, conversation_id);
                    self.count_anew(router, place, device).await;
                }
            }
        }
    }

    /// Counts in the store what a browser of a person has not read, and tells it, if it listens. Where that
    /// is another conversation's, its lane counts and tells: so nobody is told an older count after a newer one.
    pub(crate) async fn count_anew(
        &mut self,
        router: &Router,
        (workspace_id, conversation_id): (WorkspaceId, ConversationId),
        device: &VisitorActor,
    ) {
        let visitor_id = device.visitor_id;
        if !router.hub().wants_unread(visitor_id) {
            self.0.remove(&visitor_id);
            return;
        }
        let now = router.world().clock.elapsed();
        match storage::unread::of_visitor(router.db(), workspace_id, device).await {
            Ok(Unread {
                conversation_id: Some(id),
                ..
            }) if id != conversation_id => {
                self.0.remove(&visitor_id);
                count(router, workspace_id, id, device);
            }
            Ok(unread) => self.count(visitor_id, unread, now).tell(router, visitor_id),
            Err(error) => tracing::warn!(%error, "an unread count could not be read"),
        }
    }
}

/// A visitor read something: the conversation's lane counts for one of his browsers, if it listens. A full
/// one does not: the next thing said or read is counted with it.
pub(crate) fn count(
    router: &Router,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    visitor: &VisitorActor,
) {
    if router.hub().wants_unread(visitor.visitor_id) {
        let key = LaneKey::Conversation(workspace_id, conversation_id);
        let job = Job::Unread { visitor: *visitor };
        if router.lanes().post(router, key, job).is_err() {
            tracing::warn!(conversation.id = %conversation_id, "a full lane counts nothing unread");
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    fn said(number: u64) -> (u64, EntryId) {
        (number, EntryId::from_bits(u128::from(number)))
    }

    fn counted(count: u32, number: u64) -> Unread {
        let entry_id = (count > 0).then(|| said(number).1);
        Unread {
            count,
            entry_id,
            conversation_id: None,
            number,
        }
    }

    #[test]
    fn a_count_is_carried_on_and_a_late_one_loses_nothing() {
        let id = VisitorId::from_bits(1);
        let mut counts = Counts::default();
        counts.count(id, counted(1, 3), Duration::ZERO);
        let check = |counts: &Counts, count, newest: Option<u64>| {
            let carried = &counts.0[&id];
            let newest = newest.map(|number| said(number).1);
            assert_eq!((carried.count(), carried.newest()), (count, newest));
        };
        let say = |counts: &mut Counts, numbers: std::ops::Range<u64>| {
            let carried = counts.0.get_mut(&id).expect("counted");
            carried.say(numbers.map(said));
        };
        check(&counts, 1, Some(3));
        say(&mut counts, 3..5);
        say(&mut counts, 6..7);
        check(&counts, 3, Some(6));
        // Read again with what was missing before it, or told twice.
        say(&mut counts, 4..7);
        check(&counts, 4, Some(6));
        // He read up to 4, and that was counted before 6 was said.
        counts.count(id, counted(0, 5), Duration::ZERO);
        check(&counts, 1, Some(6));
        counts.count(id, counted(0, 6), Duration::ZERO);
        check(&counts, 0, None);
        say(&mut counts, 7..300);
        check(&counts, UNREAD_MAX, Some(299));
    }
}
