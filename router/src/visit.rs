//! The visits of those who are here: which one a visitor is in, and what of it the store is to keep.
//!
//! Presence says when a visit ends and another begins; this gives them names and makes the traces.

use std::collections::BTreeMap;

use presence::input::Arrival;
use presence::state::{Change, ChangeKind};
use protocol::id::{VisitId, VisitorId};
use protocol::visitor::Source;
use storage::visit::Trace;
use world::Ids;

/// A visit that goes on, or begins.
#[derive(Debug, Clone)]
pub(crate) struct Stay {
    pub(crate) visit_id: VisitId,
    /// Whether it begins with this arrival.
    pub(crate) is_new: bool,
    pub(crate) source: Source,
}

/// The visit of a visitor who is here.
#[derive(Debug)]
struct Visit {
    id: VisitId,
    /// When something last happened in it.
    active_at_ms: u64,
}

/// The visits of this node's visitors.
#[derive(Debug, Default)]
pub(crate) struct Visits(BTreeMap<VisitorId, Visit>);

impl Visits {
    /// A connection came up. A second tab belongs to the visit that goes on.
    pub(crate) fn enter(&mut self, arrival: &Arrival, stay: Stay, now_ms: u64) -> Option<Trace> {
        let visitor_id = arrival.visitor_id;
        if self.0.contains_key(&visitor_id) {
            return None;
        }
        let visit = Visit {
            id: stay.visit_id,
            active_at_ms: now_ms,
        };
        self.0.insert(visitor_id, visit);
        stay.is_new.then_some(Trace::Began {
            visit_id: stay.visit_id,
            visitor_id,
            site_id: arrival.site_id,
            source: stay.source,
            at_ms: now_ms,
        })
    }

    /// What a change leaves for the store, in the order it happened.
    pub(crate) fn take(&mut self, change: &Change, ids: &Ids) -> Vec<Trace> {
        let row = &change.row;
        let visitor_id = row.id;
        let Some(visit) = self.0.get_mut(&visitor_id) else {
            return Vec::new();
        };
        let mut traces = Vec::new();
        if change.visit_began {
            traces.push(ended(visitor_id, visit));
            visit.id = ids.next();
            traces.push(Trace::Began {
                visit_id: visit.id,
                visitor_id,
                site_id: row.site_id,
                source: row.source.clone(),
                at_ms: row.entered_at_ms,
            });
        }
        visit.active_at_ms = visit.active_at_ms.max(row.active_at_ms);
        if let Some(page) = &change.page_viewed {
            traces.push(Trace::Page {
                visit_id: visit.id,
                visitor_id,
                page: page.clone(),
            });
        }
        if change.kind == ChangeKind::Left {
            traces.push(ended(visitor_id, visit));
            self.0.remove(&visitor_id);
        }
        traces
    }

    /// The visit of a visitor who is here.
    pub(crate) fn of(&self, visitor_id: VisitorId) -> Option<VisitId> {
        self.0.get(&visitor_id).map(|visit| visit.id)
    }
}

fn ended(visitor_id: VisitorId, visit: &Visit) -> Trace {
    Trace::Active {
        visit_id: visit.id,
        visitor_id,
        at_ms: visit.active_at_ms,
    }
}
