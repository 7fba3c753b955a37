//! Visitors as a state: connections come and go, pages come in sight, time passes.
//!
//! A visitor is the union of his connections. He is *active* while a page is in sight, and for the
//! active threshold after the last sign of life; *idle* while connected without that; he has *left*
//! when no connection was there for [`GRACE_MS`] (C11). A page view that comes after the session timeout
//! without one begins a new visit, also on a connection that was there all the time (ANA-06).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::id::{ConnectionId, SiteId, VisitorId, WorkspaceId};
use protocol::limit::{VISIT_EVENTS_MAX, VISIT_PAGES_MAX};
use protocol::visitor::{LastEvent, LiveVisitor, PageView, PresenceState};
use protocol::workspace::Settings;

use crate::input::{Arrival, Facts, Input, Measures, Sight};
use crate::{GRACE_MS, TRAIL_MAX};

/// What a change was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The visitor was not here before.
    Entered,
    /// Something about him changed.
    Updated,
    /// He is gone; the row is his last.
    Left,
}

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub workspace_id: WorkspaceId,
    /// What.
    pub kind: ChangeKind,
    /// The visitor as he is now: shared with the state, and copied only where it is kept beyond the next
    /// change.
    pub row: Arc<LiveVisitor>,
    /// The page view that belongs into the store.
    pub page_viewed: Option<PageView>,
    /// Whether a new visit begins with it: the row is of that one.
    pub visit_began: bool,
}

#[derive(Debug)]
struct Tab {
    connection_id: ConnectionId,
    visible: bool,
}

#[derive(Debug)]
struct Presence {
    workspace_id: WorkspaceId,
    /// Apart: the map's nodes are half empty, and a row is large.
    row: Arc<LiveVisitor>,
    tabs: Vec<Tab>,
    /// The last sign of life; without tabs, the moment the last one closed.
    touched_at_ms: u64,
    /// The last page view; without one, when the visit began.
    viewed_at_ms: u64,
    /// The deadline under which this visitor stands in `Visitors::deadlines`.
    deadline_ms: Option<u64>,
}

/// The visitors of one node.
// Invariant: every tab of every visitor stands in `connections`, and nothing else does; every
// `deadline_ms` stands in `deadlines`, and nothing else does.
#[derive(Debug, Default)]
pub struct Visitors {
    visitors: BTreeMap<VisitorId, Presence>,
    connections: BTreeMap<ConnectionId, VisitorId>,
    deadlines: BTreeSet<(u64, VisitorId)>,
    counts: BTreeMap<WorkspaceId, Counts>,
    measures: BTreeMap<SiteId, Measures>,
    version: u64,
}

/// How many visitors of a workspace are here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Active ones.
    pub active: u32,
    /// Idle ones.
    pub idle: u32,
}

impl Visitors {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what happened. Unknown connections and visitors change nothing.
    pub fn apply(&mut self, input: Input, now_ms: u64) -> Vec<Change> {
        match input {
            Input::Enter {
                connection_id,
                arrival,
                sight,
            } => self
                .enter(connection_id, *arrival, sight, now_ms)
                .into_iter()
                .collect(),
            Input::Page {
                connection_id,
                sight,
            } => self
                .view(connection_id, sight, now_ms)
                .into_iter()
                .collect(),
            Input::Event {
                connection_id,
                event,
            } => self
                .happen(connection_id, event, now_ms)
                .into_iter()
                .collect(),
            Input::Activity {
                connection_id,
                visible,
            } => self
                .see(connection_id, visible, now_ms)
                .into_iter()
                .collect(),
            Input::Leave { connection_id } => {
                self.leave(connection_id, now_ms).into_iter().collect()
            }
            Input::Forget { visitor_id } => self.forget(visitor_id).into_iter().collect(),
            Input::Facts { visitor_id, facts } => {
                self.learn(visitor_id, facts, now_ms).into_iter().collect()
            }
            Input::Measures { site_id, measures } => self.measure(site_id, measures, now_ms),
        }
    }

    /// Lets the deadlines up to `now_ms` pass: who was active becomes idle, who is without a
    /// connection has left.
    pub fn advance(&mut self, now_ms: u64) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some(&(deadline_ms, visitor_id)) = self.deadlines.first() {
            if deadline_ms > now_ms {
                break;
            }
            self.deadlines.remove(&(deadline_ms, visitor_id));
            let Some(presence) = self.visitors.get_mut(&visitor_id) else {
                continue;
            };
            presence.deadline_ms = None;
            if presence.tabs.is_empty() {
                changes.extend(self.remove(visitor_id));
            } else {
                changes.extend(self.settle(visitor_id, None, now_ms));
            }
        }
        changes
    }

    /// When [`Self::advance`] next has something to do.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.deadlines.first().map(|(deadline_ms, _)| *deadline_ms)
    }

    /// A visitor who is here.
    #[must_use]
    pub fn get(&self, visitor_id: VisitorId) -> Option<&LiveVisitor> {
        let presence = self.visitors.get(&visitor_id)?;
        Some(&*presence.row)
    }

    /// A visitor of a workspace who is here.
    #[must_use]
    pub fn find(&self, workspace_id: WorkspaceId, visitor_id: VisitorId) -> Option<&LiveVisitor> {
        let presence = self.visitors.get(&visitor_id)?;
        (presence.workspace_id == workspace_id).then_some(&*presence.row)
    }

    /// The visitors of a workspace. Costs a walk over all visitors of the node.
    pub fn of_workspace(
        &self,
        workspace_id: WorkspaceId,
    ) -> impl Iterator<Item = &Arc<LiveVisitor>> {
        self.visitors
            .values()
            .filter(move |presence| presence.workspace_id == workspace_id)
            .map(|presence| &presence.row)
    }

    /// How many visitors of a workspace are here. Costs one look-up.
    #[must_use]
    pub fn counts(&self, workspace_id: WorkspaceId) -> Counts {
        self.counts.get(&workspace_id).copied().unwrap_or_default()
    }

    fn enter(
        &mut self,
        connection_id: ConnectionId,
        arrival: Arrival,
        sight: Option<Sight>,
        now_ms: u64,
    ) -> Option<Change> {
        if self.connections.contains_key(&connection_id) {
            return None;
        }
        let visitor_id = arrival.visitor_id;
        let workspace_id = arrival.workspace_id;
        let visible = arrival.visible;
        // The first arrival brings them; from then on the news of a change do, which are newer than what
        // an arrival may have read.
        let measures = *self
            .measures
            .entry(arrival.site_id)
            .or_insert(arrival.measures);
        let is_new = !self.visitors.contains_key(&visitor_id);
        let presence = self
            .visitors
            .entry(visitor_id)
            .or_insert_with(|| arrive(arrival, now_ms));
        presence.tabs.push(Tab {
            connection_id,
            visible,
        });
        presence.touched_at_ms = now_ms;
        let last = presence.row.page.as_ref();
        let sight = sight.filter(|sight| last.is_none_or(|last| last.url != sight.page.url));
        // Which visit an arrival belongs to is known to the store.
        let may_begin = !is_new;
        let viewed = sight.and_then(|sight| turn_to(presence, sight, may_begin, measures));
        let row = Arc::make_mut(&mut presence.row);
        row.active_at_ms = now_ms;
        row.tab_count = count(presence.tabs.len());
        self.connections.insert(connection_id, visitor_id);
        if is_new {
            self.counts
                .entry(workspace_id)
                .or_default()
                .add(PresenceState::Active);
        }
        let change = self.settle(visitor_id, viewed, now_ms)?;
        let kind = if is_new {
            ChangeKind::Entered
        } else {
            ChangeKind::Updated
        };
        Some(Change { kind, ..change })
    }

    fn view(&mut self, connection_id: ConnectionId, sight: Sight, now_ms: u64) -> Option<Change> {
        let visitor_id = *self.connections.get(&connection_id)?;
        let presence = self.visitors.get_mut(&visitor_id)?;
        let measures = measures_of(&self.measures, presence.row.site_id);
        let viewed = turn_to(presence, sight, true, measures)?;
        presence.touched_at_ms = now_ms;
        Arc::make_mut(&mut presence.row).active_at_ms = now_ms;
        self.settle(visitor_id, Some(viewed), now_ms)
    }

    fn happen(
        &mut self,
        connection_id: ConnectionId,
        event: LastEvent,
        now_ms: u64,
    ) -> Option<Change> {
        let (visitor_id, presence) = self.of_connection(connection_id)?;
        if presence.row.event_count >= VISIT_EVENTS_MAX {
            return None;
        }
        let row = Arc::make_mut(&mut presence.row);
        row.event_count += 1;
        row.last_event = Some(event);
        self.settle(visitor_id, None, now_ms)
    }

    fn see(&mut self, connection_id: ConnectionId, visible: bool, now_ms: u64) -> Option<Change> {
        let (visitor_id, presence) = self.of_connection(connection_id)?;
        let tab = presence
            .tabs
            .iter_mut()
            .find(|tab| tab.connection_id == connection_id)?;
        let same = tab.visible == visible;
        tab.visible = visible;
        presence.touched_at_ms = now_ms;
        let before = presence.row.state;
        if visible {
            Arc::make_mut(&mut presence.row).active_at_ms = now_ms;
        }
        // Moving between tabs tells agents nothing; only a new state does.
        let change = self.settle(visitor_id, None, now_ms)?;
        (!same || change.row.state != before).then_some(change)
    }

    fn leave(&mut self, connection_id: ConnectionId, now_ms: u64) -> Option<Change> {
        let visitor_id = self.connections.remove(&connection_id)?;
        let presence = self.visitors.get_mut(&visitor_id)?;
        presence
            .tabs
            .retain(|tab| tab.connection_id != connection_id);
        presence.touched_at_ms = now_ms;
        if presence.tabs.is_empty() {
            // He may be reloading: agents hear of it only once he has left.
            self.set_deadline(visitor_id, Some(now_ms + GRACE_MS));
            return None;
        }
        Arc::make_mut(&mut presence.row).tab_count = count(presence.tabs.len());
        self.settle(visitor_id, None, now_ms)
    }

    fn forget(&mut self, visitor_id: VisitorId) -> Option<Change> {
        let presence = self.visitors.get_mut(&visitor_id)?;
        for tab in presence.tabs.drain(..) {
            self.connections.remove(&tab.connection_id);
        }
        self.set_deadline(visitor_id, None);
        self.remove(visitor_id)
    }

    fn learn(&mut self, visitor_id: VisitorId, facts: Facts, now_ms: u64) -> Option<Change> {
        let presence = self.visitors.get_mut(&visitor_id)?;
        let row = &presence.row;
        let same = row.contact_id == facts.contact_id
            && row.name == facts.name
            && row.conversation_id == facts.conversation_id;
        if same {
            return None;
        }
        let row = Arc::make_mut(&mut presence.row);
        row.contact_id = facts.contact_id;
        row.name = facts.name;
        row.conversation_id = facts.conversation_id;
        self.settle(visitor_id, None, now_ms)
    }

    /// Measures those who are here otherwise. Costs a walk over all visitors of the node where a sign of
    /// life counts for another time.
    fn measure(&mut self, site_id: SiteId, measures: Measures, now_ms: u64) -> Vec<Change> {
        // A site without measures has had no visitor.
        let before = self.measures.insert(site_id, measures);
        if before.is_none_or(|old| old.active_threshold_ms == measures.active_threshold_ms) {
            return Vec::new();
        }
        let here = self.visitors.values().map(|presence| &*presence.row);
        let here: Vec<(VisitorId, PresenceState)> = here
            .filter(|row| row.site_id == site_id)
            .map(|row| (row.id, row.state))
            .collect();
        here.into_iter()
            .filter_map(|(visitor_id, before)| {
                let change = self.settle(visitor_id, None, now_ms)?;
                (change.row.state != before).then_some(change)
            })
            .collect()
    }

    fn of_connection(&mut self, connection_id: ConnectionId) -> Option<(VisitorId, &mut Presence)> {
        let visitor_id = *self.connections.get(&connection_id)?;
        Some((visitor_id, self.visitors.get_mut(&visitor_id)?))
    }

    /// Gives the row its state, version and deadline, and tells what it is now.
    fn settle(
        &mut self,
        visitor_id: VisitorId,
        viewed: Option<Viewed>,
        now_ms: u64,
    ) -> Option<Change> {
        let presence = self.visitors.get_mut(&visitor_id)?;
        let workspace_id = presence.workspace_id;
        let measures = measures_of(&self.measures, presence.row.site_id);
        let idle_at_ms = presence.touched_at_ms + measures.active_threshold_ms;
        let in_sight = presence.tabs.iter().any(|tab| tab.visible);
        let (state, deadline_ms) = if presence.tabs.is_empty() {
            (presence.row.state, Some(presence.touched_at_ms + GRACE_MS))
        } else if in_sight {
            (PresenceState::Active, None)
        } else if idle_at_ms > now_ms {
            (PresenceState::Active, Some(idle_at_ms))
        } else {
            (PresenceState::Idle, None)
        };
        self.version += 1;
        let before = presence.row.state;
        let row = Arc::make_mut(&mut presence.row);
        row.state = state;
        row.version = self.version;
        let row = Arc::clone(&presence.row);
        if before != state {
            let counts = self.counts.entry(workspace_id).or_default();
            counts.take(before);
            counts.add(state);
        }
        self.set_deadline(visitor_id, deadline_ms);
        Some(Change {
            workspace_id,
            kind: ChangeKind::Updated,
            row,
            visit_began: viewed.as_ref().is_some_and(|viewed| viewed.begins),
            page_viewed: viewed.map(|viewed| viewed.page),
        })
    }

    fn set_deadline(&mut self, visitor_id: VisitorId, deadline_ms: Option<u64>) {
        let Some(presence) = self.visitors.get_mut(&visitor_id) else {
            return;
        };
        if let Some(old_ms) = presence.deadline_ms {
            self.deadlines.remove(&(old_ms, visitor_id));
        }
        presence.deadline_ms = deadline_ms;
        if let Some(new_ms) = deadline_ms {
            self.deadlines.insert((new_ms, visitor_id));
        }
    }

    fn remove(&mut self, visitor_id: VisitorId) -> Option<Change> {
        let mut presence = self.visitors.remove(&visitor_id)?;
        let workspace_id = presence.workspace_id;
        let counts = self.counts.entry(workspace_id).or_default();
        counts.take(presence.row.state);
        if *counts == Counts::default() {
            self.counts.remove(&workspace_id);
        }
        self.version += 1;
        let row = Arc::make_mut(&mut presence.row);
        row.version = self.version;
        row.state = PresenceState::Left;
        row.tab_count = 0;
        Some(Change {
            workspace_id,
            kind: ChangeKind::Left,
            row: presence.row,
            page_viewed: None,
            visit_began: false,
        })
    }
}

impl Counts {
    fn slot(&mut self, state: PresenceState) -> Option<&mut u32> {
        match state {
            PresenceState::Active => Some(&mut self.active),
            PresenceState::Idle => Some(&mut self.idle),
            PresenceState::Left => None,
        }
    }

    pub(crate) fn add(&mut self, state: PresenceState) {
        if let Some(slot) = self.slot(state) {
            *slot += 1;
        }
    }

    pub(crate) fn take(&mut self, state: PresenceState) {
        if let Some(slot) = self.slot(state) {
            *slot = slot.checked_sub(1).expect("every visitor was added before");
        }
    }
}

fn arrive(arrival: Arrival, now_ms: u64) -> Presence {
    let mut trail = arrival.trail;
    trail.drain(..trail.len().saturating_sub(TRAIL_MAX));
    Presence {
        workspace_id: arrival.workspace_id,
        row: Arc::new(LiveVisitor {
            id: arrival.visitor_id,
            version: 0,
            site_id: arrival.site_id,
            state: PresenceState::Active,
            contact_id: arrival.facts.contact_id,
            name: arrival.facts.name,
            conversation_id: arrival.facts.conversation_id,
            page: None,
            trail,
            page_count: arrival.page_count,
            event_count: arrival.event_count,
            last_event: arrival.last_event,
            tab_count: 0,
            visit_count: arrival.visit_count,
            source: arrival.source,
            browser: arrival.browser,
            entered_at_ms: arrival.entered_at_ms,
            active_at_ms: now_ms,
            stale: false,
        }),
        tabs: Vec::new(),
        touched_at_ms: now_ms,
        viewed_at_ms: arrival.viewed_at_ms,
        deadline_ms: None,
    }
}

/// A page view, and whether a visit begins with it.
struct Viewed {
    page: PageView,
    begins: bool,
}

/// Takes in a page view; nothing where the visit has had too many.
fn turn_to(
    presence: &mut Presence,
    sight: Sight,
    may_begin: bool,
    measures: Measures,
) -> Option<Viewed> {
    let Sight { page, source } = sight;
    let row = Arc::make_mut(&mut presence.row);
    let timeout_ms = measures.session_timeout_ms;
    let begins = may_begin && presence.viewed_at_ms.saturating_add(timeout_ms) <= page.at_ms;
    if begins {
        row.trail.clear();
        row.page_count = 0;
        row.event_count = 0;
        row.last_event = None;
        row.visit_count += 1;
        row.source = source;
        row.entered_at_ms = page.at_ms;
    }
    if row.page_count >= VISIT_PAGES_MAX {
        return None;
    }
    if row.trail.len() == TRAIL_MAX {
        row.trail.remove(0);
    }
    row.trail.push(page.url.clone());
    row.page_count += 1;
    row.page = Some(page.clone());
    presence.viewed_at_ms = page.at_ms;
    Some(Viewed { page, begins })
}

fn measures_of(measures: &BTreeMap<SiteId, Measures>, site_id: SiteId) -> Measures {
    let known = measures.get(&site_id).copied();
    known.unwrap_or_else(|| Measures::of(&Settings::default()))
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("connections are bounded far below this")
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
