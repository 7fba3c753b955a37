//! When the widgets of sites last changed, as far as this node knows: who comes with a session of before may not
//! have heard of it. Sites that did not change since the node began are those of which nothing is known.

use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::id::SiteId;
use world::HashMap;

/// How long a change may be under way to the other nodes, and how far apart their clocks may be: who began his
/// session elsewhere so shortly after a change may have been told what was before it.
const UNDER_WAY_MS: u64 = 2_000;

/// When each site's widget last changed.
#[derive(Debug)]
pub(crate) struct Widgets {
    began_at_ms: u64,
    changed_at_ms: Mutex<HashMap<SiteId, u64>>,
}

impl Widgets {
    /// A node that begins now.
    pub(crate) fn new(began_at_ms: u64) -> Self {
        Self {
            began_at_ms,
            changed_at_ms: Mutex::default(),
        }
    }

    /// A site's widget changed. Before it is told: who comes in between asks, or hears of it.
    pub(crate) fn changed(&self, site_id: SiteId, now_ms: u64) {
        self.held().insert(site_id, now_ms);
    }

    /// Whether a session that was begun then may not know how the widget looks now.
    pub(crate) fn is_outdated(&self, site_id: SiteId, begun_at_ms: u64) -> bool {
        match self.held().get(&site_id) {
            Some(changed_at_ms) => begun_at_ms < changed_at_ms + UNDER_WAY_MS,
            None => begun_at_ms < self.began_at_ms,
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<SiteId, u64>> {
        self.changed_at_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    #[test]
    fn a_session_of_before_a_change_is_outdated_and_one_of_long_after_is_not() {
        let widgets = Widgets::new(10_000);
        let (one, other): (SiteId, SiteId) = (Id::from_bits(1), Id::from_bits(2));
        widgets.changed(one, 50_000);
        assert!(widgets.is_outdated(one, 49_999));
        assert!(
            widgets.is_outdated(one, 50_001),
            "it may be of another node"
        );
        assert!(!widgets.is_outdated(one, 50_000 + UNDER_WAY_MS));
        assert!(!widgets.is_outdated(other, 49_999));
    }

    #[test]
    fn a_session_of_before_the_node_may_have_missed_something() {
        let widgets = Widgets::new(10_000);
        assert!(widgets.is_outdated(Id::from_bits(1), 9_999));
        assert!(!widgets.is_outdated(Id::from_bits(1), 10_000));
    }
}
