//! Visitors over all nodes: each is the union of his connections, wherever they are.
//!
//! Each node owns the rows of its own connections and tells the others; here they are put together. A visitor
//! has left when no node shows him any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::id::{NodeId, VisitorId, WorkspaceId};
use protocol::visitor::{LiveVisitor, PresenceState};

use crate::GRACE_MS;
use crate::state::{Change, ChangeKind, Counts};

/// Where a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Here,
    There(NodeId),
}

#[derive(Debug)]
struct Union {
    workspace_id: WorkspaceId,
    rows: BTreeMap<Place, LiveVisitor>,
    /// Shared with the lists that show it.
    shown: Arc<LiveVisitor>,
}

/// What is known of another node's rows.
#[derive(Debug, Default)]
struct Node {
    visitors: BTreeSet<VisitorId>,
    /// Those told since a snapshot of a workspace began.
    fresh: BTreeMap<WorkspaceId, BTreeSet<VisitorId>>,
    /// When its rows go, where it said goodbye.
    goes_at_ms: Option<u64>,
}

/// The visitors of all nodes.
// Invariant: a row of another node stands in `visitors` exactly where that node's set names it.
#[derive(Debug, Default)]
pub struct Everywhere {
    visitors: BTreeMap<VisitorId, Union>,
    nodes: BTreeMap<NodeId, Node>,
    counts: BTreeMap<WorkspaceId, Counts>,
    version: u64,
}

impl Everywhere {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Something changed among the visitors of this node.
    pub fn here(&mut self, change: &Change) -> Option<Change> {
        let row = (change.kind != ChangeKind::Left).then(|| LiveVisitor::clone(&change.row));
        self.put(change.workspace_id, Place::Here, change.row.id, row)
    }

    /// Another node told what changed among its own.
    pub fn told(
        &mut self,
        node_id: NodeId,
        workspace_id: WorkspaceId,
        rows: Vec<LiveVisitor>,
        gone: &[VisitorId],
    ) -> Vec<Change> {
        let place = Place::There(node_id);
        let mut changes = Vec::new();
        for row in rows {
            let visitor_id = row.id;
            let node = self.nodes.entry(node_id).or_default();
            node.visitors.insert(visitor_id);
            if let Some(fresh) = node.fresh.get_mut(&workspace_id) {
                fresh.insert(visitor_id);
            }
            changes.extend(self.put(workspace_id, place, visitor_id, Some(row)));
        }
        for visitor_id in gone {
            changes.extend(self.drop_row(workspace_id, node_id, *visitor_id));
        }
        changes
    }

    /// Another node begins to tell all its rows of a workspace.
    pub fn begin(&mut self, node_id: NodeId, workspace_id: WorkspaceId) {
        let node = self.nodes.entry(node_id).or_default();
        node.fresh.insert(workspace_id, BTreeSet::new());
        node.goes_at_ms = None;
    }

    /// It has told all: who was not among them is not there.
    pub fn end(&mut self, node_id: NodeId, workspace_id: WorkspaceId) -> Vec<Change> {
        let Some(node) = self.nodes.get_mut(&node_id) else {
            return Vec::new();
        };
        let Some(fresh) = node.fresh.remove(&workspace_id) else {
            return Vec::new();
        };
        let is_of = |id: &&VisitorId| {
            let union = self.visitors.get(id);
            union.is_some_and(|union| union.workspace_id == workspace_id)
        };
        let old = node.visitors.difference(&fresh).filter(is_of);
        let old: Vec<_> = old.copied().collect();
        old.into_iter()
            .filter_map(|visitor_id| self.drop_row(workspace_id, node_id, visitor_id))
            .collect()
    }

    /// Another node is gone, and with it all its connections.
    pub fn lose(&mut self, node_id: NodeId) -> Vec<Change> {
        let Some(node) = self.nodes.remove(&node_id) else {
            return Vec::new();
        };
        let of = |visitor_id: VisitorId| {
            let workspace_id = self.visitors.get(&visitor_id)?.workspace_id;
            self.put(workspace_id, Place::There(node_id), visitor_id, None)
        };
        node.visitors.into_iter().filter_map(of).collect()
    }

    /// Another node said goodbye: its visitors have a while to come back to another one.
    pub fn part(&mut self, node_id: NodeId, now_ms: u64) {
        if let Some(node) = self.nodes.get_mut(&node_id) {
            node.goes_at_ms = Some(now_ms + GRACE_MS);
        }
    }

    /// Another node is not heard, or is heard again: its rows are stale, or are not.
    pub fn doubt(&mut self, node_id: NodeId, is_stale: bool) -> Vec<Change> {
        let Some(node) = self.nodes.get(&node_id) else {
            return Vec::new();
        };
        let visitors: Vec<_> = node.visitors.iter().copied().collect();
        let place = Place::There(node_id);
        let of = |visitor_id: VisitorId| {
            let union = self.visitors.get_mut(&visitor_id)?;
            let workspace_id = union.workspace_id;
            let row = union.rows.get(&place)?;
            let row = LiveVisitor {
                stale: is_stale,
                ..row.clone()
            };
            self.put(workspace_id, place, visitor_id, Some(row))
        };
        visitors.into_iter().filter_map(of).collect()
    }

    /// Nobody here watches a workspace any more: what other nodes told of it is forgotten.
    pub fn forget(&mut self, workspace_id: WorkspaceId) {
        let is_of = |union: &&Union| union.workspace_id == workspace_id;
        let of = self.visitors.values().filter(is_of);
        let ids: Vec<_> = of.map(|union| union.shown.id).collect();
        let nodes: Vec<_> = self.nodes.keys().copied().collect();
        for node_id in nodes {
            for visitor_id in &ids {
                self.drop_row(workspace_id, node_id, *visitor_id);
            }
        }
    }

    /// Lets the goodbyes up to `now_ms` come true.
    pub fn advance(&mut self, now_ms: u64) -> Vec<Change> {
        let is_over = |node: &Node| node.goes_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        let over = self.nodes.iter().filter(|(_, node)| is_over(node));
        let over: Vec<_> = over.map(|(id, _)| *id).collect();
        over.into_iter().flat_map(|id| self.lose(id)).collect()
    }

    /// A visitor of a workspace who is here.
    #[must_use]
    pub fn find(&self, workspace_id: WorkspaceId, visitor_id: VisitorId) -> Option<&LiveVisitor> {
        let union = self.visitors.get(&visitor_id)?;
        (union.workspace_id == workspace_id).then_some(&*union.shown)
    }

    /// The visitors of a workspace. Costs a walk over all.
    pub fn of_workspace(
        &self,
        workspace_id: WorkspaceId,
    ) -> impl Iterator<Item = &Arc<LiveVisitor>> {
        self.visitors
            .values()
            .filter(move |union| union.workspace_id == workspace_id)
            .map(|union| &union.shown)
    }

    /// How many visitors of a workspace are here. Costs one look-up.
    #[must_use]
    pub fn counts(&self, workspace_id: WorkspaceId) -> Counts {
        self.counts.get(&workspace_id).copied().unwrap_or_default()
    }

    fn drop_row(
        &mut self,
        workspace_id: WorkspaceId,
        node_id: NodeId,
        visitor_id: VisitorId,
    ) -> Option<Change> {
        let node = self.nodes.get_mut(&node_id)?;
        if !node.visitors.remove(&visitor_id) {
            return None;
        }
        self.put(workspace_id, Place::There(node_id), visitor_id, None)
    }

    /// Sets or takes away a row, and tells what the visitor is now.
    fn put(
        &mut self,
        workspace_id: WorkspaceId,
        place: Place,
        visitor_id: VisitorId,
        row: Option<LiveVisitor>,
    ) -> Option<Change> {
        let Some(union) = self.visitors.get_mut(&visitor_id) else {
            let row = row?;
            let rows = BTreeMap::from([(place, row)]);
            let shown = Arc::new(merged(&rows)?);
            let union = Union {
                workspace_id,
                rows,
                shown,
            };
            self.visitors.insert(visitor_id, union);
            return self.show(visitor_id, None);
        };
        let before = Arc::clone(&union.shown);
        match row {
            Some(row) => drop(union.rows.insert(place, row)),
            None => drop(union.rows.remove(&place)),
        }
        match merged(&union.rows) {
            Some(mut shown) => {
                shown.version = before.version;
                if shown == *before {
                    return None;
                }
                union.shown = Arc::new(shown);
                self.show(visitor_id, Some(before.state))
            }
            None => self.remove(visitor_id),
        }
    }

    fn show(&mut self, visitor_id: VisitorId, before: Option<PresenceState>) -> Option<Change> {
        let union = self.visitors.get_mut(&visitor_id)?;
        self.version += 1;
        Arc::make_mut(&mut union.shown).version = self.version;
        let counts = self.counts.entry(union.workspace_id).or_default();
        if let Some(before) = before {
            counts.take(before);
        }
        counts.add(union.shown.state);
        let kind = match before {
            None => ChangeKind::Entered,
            Some(_) => ChangeKind::Updated,
        };
        let shown = Arc::clone(&union.shown);
        Some(change(union.workspace_id, kind, shown))
    }

    fn remove(&mut self, visitor_id: VisitorId) -> Option<Change> {
        let mut union = self.visitors.remove(&visitor_id)?;
        let counts = self.counts.entry(union.workspace_id).or_default();
        counts.take(union.shown.state);
        if *counts == Counts::default() {
            self.counts.remove(&union.workspace_id);
        }
        self.version += 1;
        let row = Arc::make_mut(&mut union.shown);
        row.version = self.version;
        row.state = PresenceState::Left;
        row.tab_count = 0;
        Some(change(union.workspace_id, ChangeKind::Left, union.shown))
    }
}

fn change(workspace_id: WorkspaceId, kind: ChangeKind, row: Arc<LiveVisitor>) -> Change {
    Change {
        workspace_id,
        kind,
        row,
        page_viewed: None,
        visit_began: false,
    }
}

/// One row of all: what he does where he was active last, and what adds up.
fn merged(rows: &BTreeMap<Place, LiveVisitor>) -> Option<LiveVisitor> {
    let latest = rows.values().max_by_key(|row| row.active_at_ms)?;
    let is_active = rows.values().any(|row| row.state == PresenceState::Active);
    Some(LiveVisitor {
        state: if is_active {
            PresenceState::Active
        } else {
            PresenceState::Idle
        },
        tab_count: rows.values().map(|row| row.tab_count).sum(),
        page_count: rows.values().map(|row| row.page_count).max()?,
        event_count: rows.values().map(|row| row.event_count).max()?,
        last_event: rows
            .values()
            .filter_map(|row| row.last_event.as_ref())
            .max_by_key(|event| event.at_ms)
            .cloned(),
        entered_at_ms: rows.values().map(|row| row.entered_at_ms).min()?,
        stale: rows.values().all(|row| row.stale),
        ..latest.clone()
    })
}

#[cfg(test)]
#[path = "everywhere_tests.rs"]
mod tests;
