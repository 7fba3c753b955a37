//! Contacts that changed of late: whoever remembers what rows show of one asks here whether it still holds.

use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::id::ContactId;
use world::HashMap;

/// Contacts whose changes are remembered; past that all are taken for changed.
const CONTACTS_MAX: usize = 10_000;

/// A moment in the row of changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// The changes that the event log told of.
#[derive(Debug, Default)]
pub(crate) struct Changes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    now: Moment,
    /// Before this all are taken for changed.
    since: Moment,
    changed: HashMap<ContactId, Moment>,
}

impl Changes {
    /// The present moment: ask before reading what is to be remembered.
    pub(crate) fn now(&self) -> Moment {
        self.known().now
    }

    /// These changed.
    pub(crate) fn change(&self, contact_ids: &[ContactId]) {
        let mut known = self.known();
        known.now.0 += 1;
        let now = known.now;
        if known.changed.len() + contact_ids.len() > CONTACTS_MAX {
            known.changed.clear();
            known.since = now;
        }
        known
            .changed
            .extend(contact_ids.iter().map(|contact_id| (*contact_id, now)));
    }

    /// Whether what was read after that moment still holds.
    pub(crate) fn holds(&self, contact_id: ContactId, read: Moment) -> bool {
        let known = self.known();
        let changed = known.changed.get(&contact_id).copied();
        read >= changed.unwrap_or_default().max(known.since)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    fn contact(bits: usize) -> ContactId {
        ContactId::from_bits(bits as u128)
    }

    #[test]
    fn what_was_read_holds_until_the_contact_changes() {
        let changes = Changes::default();
        let read = changes.now();
        assert!(changes.holds(contact(1), read));
        changes.change(&[contact(1)]);
        assert!(!changes.holds(contact(1), read));
        assert!(changes.holds(contact(2), read));
        assert!(changes.holds(contact(1), changes.now()));
    }

    #[test]
    fn too_many_changes_take_all_for_changed() {
        let changes = Changes::default();
        let read = changes.now();
        for bits in 0..=CONTACTS_MAX {
            changes.change(&[contact(bits)]);
        }
        assert!(!changes.holds(contact(usize::MAX), read));
        assert!(changes.known().changed.len() <= CONTACTS_MAX);
        assert!(changes.holds(contact(1), changes.now()));
    }
}
