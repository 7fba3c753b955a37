//! Persons: which of this node's connected visitors are one proved person. What is news for one of them is
//! news for all; whether it may be told is asked of the store for each.
//!
//! Nobody says when a visitor leaves: who listens to none of his topics is gone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::id::{ContactId, ConversationId, WorkspaceId};
use protocol::permission::VisitorActor;
use world::HashMap;

use crate::hub::Hub;
use crate::router::Router;

/// Connected browsers of one person that are told of news; those that came first are left out beyond that,
/// and read what they missed when they come back.
const DEVICES_MAX: usize = 32;

/// Persons between two sweeps of those who are gone, at least.
const SWEEP_COUNT: usize = 1_024;

/// The proved persons who are, or lately were, connected.
#[derive(Debug, Default)]
pub(crate) struct Persons(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    of_workspace: HashMap<WorkspaceId, HashMap<ContactId, Vec<VisitorActor>>>,
    /// Persons in all, and how many are too many.
    count: usize,
    sweep_at: usize,
}

impl Persons {
    /// A visitor's connection came up, and listens already.
    pub(crate) fn arrived(&self, hub: &Hub, workspace_id: WorkspaceId, visitor: &VisitorActor) {
        let Some(contact_id) = visitor.contact_id else {
            return;
        };
        let mut known = self.known();
        if known.count >= known.sweep_at.max(SWEEP_COUNT) {
            known.sweep(hub);
        }
        let persons = known.of_workspace.entry(workspace_id).or_default();
        let is_new = !persons.contains_key(&contact_id);
        let devices = persons.entry(contact_id).or_default();
        devices.retain(|one| one.visitor_id != visitor.visitor_id && is_here(hub, one));
        if devices.len() >= DEVICES_MAX {
            devices.remove(0);
        }
        devices.push(*visitor);
        known.count += usize::from(is_new);
    }

    /// Nothing where several persons may be meant; else the visitor, with what was proved of him.
    fn alone(&self, workspace_id: WorkspaceId, visitor: VisitorActor) -> Option<VisitorActor> {
        let known = self.known();
        let persons = known.of_workspace.get(&workspace_id);
        let mut devices = persons.into_iter().flat_map(HashMap::values).flatten();
        match devices.next() {
            None => Some(visitor),
            Some(one) if one.visitor_id == visitor.visitor_id && devices.next().is_none() => {
                Some(*one)
            }
            Some(_) => None,
        }
    }

    /// Whether a proved person may be connected.
    pub(crate) fn knows(&self, workspace_id: WorkspaceId, contact_id: ContactId) -> bool {
        let known = self.known();
        let persons = known.of_workspace.get(&workspace_id);
        persons.is_some_and(|persons| persons.contains_key(&contact_id))
    }

    fn of(&self, workspace_id: WorkspaceId, contacts: &[ContactId]) -> Vec<VisitorActor> {
        let known = self.known();
        let persons = known.of_workspace.get(&workspace_id);
        let devices = contacts.iter().filter_map(|id| persons?.get(id)).flatten();
        devices.copied().collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn sweep(&mut self, hub: &Hub) {
        for persons in self.of_workspace.values_mut() {
            persons.retain(|_, devices| {
                devices.retain(|one| is_here(hub, one));
                !devices.is_empty()
            });
        }
        self.of_workspace.retain(|_, persons| !persons.is_empty());
        self.count = self.of_workspace.values().map(HashMap::len).sum();
        self.sweep_at = self.count * 2;
    }
}

fn is_here(hub: &Hub, visitor: &VisitorActor) -> bool {
    hub.wants_unread(visitor.visitor_id)
}

/// The visitor, connected or not, and all connected ones who are the person behind a conversation of his.
///
/// Costs a read where other proved persons may be connected in the workspace.
pub(crate) async fn devices(
    router: &Router,
    workspace_id: WorkspaceId,
    visitor: VisitorActor,
    conversation_id: ConversationId,
) -> storage::Result<Vec<VisitorActor>> {
    let (hub, persons) = (router.hub(), router.persons());
    if let Some(visitor) = persons.alone(workspace_id, visitor) {
        return Ok(vec![visitor]);
    }
    let family = storage::contact::family(router.db(), workspace_id, conversation_id).await?;
    let mut devices = vec![visitor];
    for one in persons.of(workspace_id, &family) {
        if one.visitor_id == visitor.visitor_id {
            // The same browser, with what was proved of it.
            devices[0] = one;
        } else if one.site_id == visitor.site_id && is_here(hub, &one) {
            devices.push(one);
        }
    }
    Ok(devices)
}

#[cfg(test)]
mod tests {
    use protocol::id::{Id, SiteId, VisitorId};
    use world::Clock;

    use super::*;
    use crate::topic::Topic;

    fn workspace() -> WorkspaceId {
        WorkspaceId::from_bits(1)
    }

    fn device(bits: u128, person: u128) -> VisitorActor {
        VisitorActor {
            visitor_id: VisitorId::from_bits(bits),
            site_id: SiteId::from_bits(1),
            contact_id: Some(ContactId::from_bits(person)),
        }
    }

    /// A hub with a shard to which these browsers are connected.
    fn hub(devices: impl Iterator<Item = u128>) -> Hub {
        let hub = Hub::new(Clock::manual(0));
        let (sender, _) = flume::bounded(1);
        let shard = hub.register(sender);
        for bits in devices {
            hub.subscribe(shard, Topic::Visitor(VisitorId::from_bits(bits)));
        }
        hub
    }

    #[test]
    fn the_devices_of_one_person_are_bounded_and_the_latest_stay() {
        let hub = hub(0..100);
        let persons = Persons::default();
        for bits in 0..100 {
            persons.arrived(&hub, workspace(), &device(bits, 7));
            persons.arrived(&hub, workspace(), &device(bits, 7));
        }
        let known = persons.of(workspace(), &[ContactId::from_bits(7)]);
        assert_eq!(known.len(), DEVICES_MAX);
        assert_eq!(known.last(), Some(&device(99, 7)));
    }

    #[test]
    fn persons_who_left_are_swept_away() {
        let hub = hub(0..10);
        let persons = Persons::default();
        for bits in 0..5_000 {
            persons.arrived(&hub, workspace(), &device(bits, bits));
        }
        assert!(persons.known().count <= SWEEP_COUNT);
        let first = [ContactId::from_bits(3)];
        assert_eq!(persons.of(workspace(), &first), [device(3, 3)]);
    }

    #[test]
    fn who_is_alone_is_known_with_what_was_proved_of_him() {
        let hub = hub(0..10);
        let persons = Persons::default();
        let unproved = VisitorActor {
            contact_id: None,
            ..device(1, 7)
        };
        assert_eq!(persons.alone(workspace(), unproved), Some(unproved));
        persons.arrived(&hub, workspace(), &device(1, 7));
        assert_eq!(persons.alone(workspace(), unproved), Some(device(1, 7)));
        persons.arrived(&hub, workspace(), &device(2, 8));
        assert_eq!(persons.alone(workspace(), unproved), None);
    }
}
