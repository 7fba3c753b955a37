//! Visitors whom somebody names: whether each is here, and of one of them all that is told of those who are.
//!
//! However many are on the sites, whoever shows a conversation learns of its visitor. Agents who name the same
//! visitors share this.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::VisitorId;
use protocol::news::AgentNews;
use protocol::visitor::{LiveVisitor, PresenceState, VisitorState};

/// What is to be told of those who are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedNews {
    /// New states, or at first all.
    pub states: Vec<VisitorState>,
    /// The row that is wanted, where he is here and it is new.
    pub row: Option<LiveVisitor>,
}

impl From<NamedNews> for AgentNews {
    fn from(news: NamedNews) -> Self {
        Self::VisitorPresence {
            states: news.states,
            row: news.row,
        }
    }
}

/// Visitors whom somebody names.
// Invariant: `changed` holds only visitors whom `told` holds.
#[derive(Debug)]
pub struct Named {
    row_id: Option<VisitorId>,
    /// The states that all who watch were told, and nothing for one that was told to some of them.
    told: BTreeMap<VisitorId, Option<PresenceState>>,
    changed: BTreeSet<VisitorId>,
}

impl Named {
    /// Those named, and one whose row is wanted. `find` gives who is here.
    pub fn new<'a>(
        visitor_ids: impl IntoIterator<Item = VisitorId>,
        row_id: Option<VisitorId>,
        find: impl Fn(VisitorId) -> Option<&'a LiveVisitor>,
    ) -> Self {
        let ids = visitor_ids.into_iter().chain(row_id);
        Self {
            row_id,
            told: ids.map(|id| (id, Some(state_of(find(id))))).collect(),
            changed: BTreeSet::new(),
        }
    }

    /// Who is named.
    pub fn ids(&self) -> impl Iterator<Item = VisitorId> {
        self.told.keys().copied()
    }

    /// What somebody who begins to watch is told: of all how they are now. Where the others were told otherwise,
    /// all are told again.
    pub fn snapshot<'a>(
        &mut self,
        find: impl Fn(VisitorId) -> Option<&'a LiveVisitor>,
    ) -> NamedNews {
        let mut states = Vec::new();
        for (visitor_id, told) in &mut self.told {
            let state = state_of(find(*visitor_id));
            *told = told.filter(|told| *told == state);
            states.push(VisitorState {
                visitor_id: *visitor_id,
                state,
            });
        }
        let row = self.row_id.and_then(&find).cloned();
        NamedNews { states, row }
    }

    /// Something about a visitor changed. Says whether he is named.
    pub fn take(&mut self, visitor_id: VisitorId) -> bool {
        let is_named = self.told.contains_key(&visitor_id);
        if is_named {
            self.changed.insert(visitor_id);
        }
        is_named
    }

    /// What changed since the last flush; nothing when all is as told.
    pub fn flush<'a>(
        &mut self,
        find: impl Fn(VisitorId) -> Option<&'a LiveVisitor>,
    ) -> Option<NamedNews> {
        let mut news = NamedNews {
            states: Vec::new(),
            row: None,
        };
        for visitor_id in std::mem::take(&mut self.changed) {
            let row = find(visitor_id);
            let state = state_of(row);
            let before = self.told.insert(visitor_id, Some(state));
            if before != Some(Some(state)) {
                news.states.push(VisitorState { visitor_id, state });
            }
            if self.row_id == Some(visitor_id) {
                news.row = row.cloned();
            }
        }
        (!news.states.is_empty() || news.row.is_some()).then_some(news)
    }
}

fn state_of(row: Option<&LiveVisitor>) -> PresenceState {
    row.map_or(PresenceState::Left, |row| row.state)
}

#[cfg(test)]
mod tests {
    use protocol::id::{Id, SiteId};
    use protocol::visitor::{Browser, Device, Source};

    use super::*;

    fn id(number: u128) -> VisitorId {
        VisitorId::from_bits(number)
    }

    fn row(number: u128, version: u64, state: PresenceState) -> LiveVisitor {
        LiveVisitor {
            id: id(number),
            version,
            site_id: SiteId::from_bits(1),
            state,
            contact_id: None,
            name: String::new(),
            conversation_id: None,
            page: None,
            trail: Vec::new(),
            page_count: 1,
            event_count: 0,
            last_event: None,
            tab_count: 1,
            visit_count: 0,
            source: Source::default(),
            browser: Browser {
                device: Device::Desktop,
                name: "Firefox".to_owned(),
                system: "Linux".to_owned(),
                language: None,
                time_zone: None,
                country: None,
                city: None,
            },
            entered_at_ms: 0,
            active_at_ms: 0,
            stale: false,
        }
    }

    type Here = BTreeMap<VisitorId, LiveVisitor>;

    fn here(rows: impl IntoIterator<Item = LiveVisitor>) -> Here {
        rows.into_iter().map(|row| (row.id, row)).collect()
    }

    fn states(news: &NamedNews) -> Vec<(u128, PresenceState)> {
        let pair = |one: &VisitorState| (one.visitor_id.bits(), one.state);
        news.states.iter().map(pair).collect()
    }

    use PresenceState::{Active, Idle, Left};

    #[test]
    fn of_all_who_are_named_it_is_told_first_whether_they_are_here() {
        let now = here([row(1, 1, Active), row(2, 2, Idle), row(3, 3, Active)]);
        let mut named = Named::new([id(1), id(2), id(9)], Some(id(3)), |id| now.get(&id));
        let news = named.snapshot(|id| now.get(&id));
        let all = [(1, Active), (2, Idle), (3, Active), (9, Left)];
        assert_eq!(states(&news), all);
        assert_eq!(news.row, Some(row(3, 3, Active)));
        assert_eq!(named.flush(|id| now.get(&id)), None);
    }

    #[test]
    fn a_state_is_told_when_it_is_another_and_a_row_with_each_change() {
        let mut now = here([row(1, 1, Active), row(2, 2, Active)]);
        let mut named = Named::new([id(1)], Some(id(2)), |id| now.get(&id));
        assert!(!named.take(id(7)), "nobody asked for him");
        now.extend(here([row(1, 3, Active), row(2, 4, Active)]));
        assert!(named.take(id(1)) && named.take(id(2)));
        let news = named.flush(|id| now.get(&id)).unwrap();
        assert_eq!((states(&news), news.row), (vec![], Some(row(2, 4, Active))));
        now.clear();
        assert!(named.take(id(1)) && named.take(id(2)));
        let news = named.flush(|id| now.get(&id)).unwrap();
        assert_eq!(
            (states(&news), news.row),
            (vec![(1, Left), (2, Left)], None)
        );
        now.extend(here([row(1, 1, Idle)]));
        assert!(named.take(id(1)));
        let news = named.flush(|id| now.get(&id)).unwrap();
        assert_eq!(states(&news), [(1, Idle)]);
        assert!(named.take(id(1)));
        assert_eq!(named.flush(|id| now.get(&id)), None);
    }

    #[test]
    fn who_begins_to_watch_between_two_flushes_is_not_left_with_what_was_for_a_moment() {
        let before = here([row(1, 1, Active)]);
        let mut named = Named::new([id(1)], None, |id| before.get(&id));
        let meanwhile = here([row(1, 2, Idle)]);
        named.take(id(1));
        assert_eq!(
            states(&named.snapshot(|id| meanwhile.get(&id))),
            [(1, Idle)]
        );
        // All is as the first was told; the second was told otherwise.
        let after = here([row(1, 3, Active)]);
        named.take(id(1));
        let news = named.flush(|id| after.get(&id)).unwrap();
        assert_eq!(states(&news), [(1, Active)]);
    }
}
