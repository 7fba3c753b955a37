//! Newcomers: visitors whom this process made a moment ago, and of whom nothing was written since. Their
//! first connection follows at once, and begins without a read.
//!
//! Whatever is written names the visitor in its statements, for nothing else leads to one who has neither a
//! contact nor a conversation: so every batch is looked through, and whoever it names is a newcomer no
//! longer. Only where no other process writes to the store; elsewhere nobody is remembered.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::id::VisitorId;

use crate::db::{Batch, Value};
use crate::visitor::VisitorRow;

/// Newcomers who are remembered; those who came first are forgotten beyond that.
const NEWCOMERS_MAX: usize = 8_192;

/// How long one is remembered: far less than the shortest retention.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// What the text of a visitor's id begins with, and how long it is.
const PREFIX: &str = "vis_";
const ID_BYTES: usize = 30;

/// Those who are remembered.
#[derive(Debug, Default)]
pub(crate) struct Newcomers(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    rows: HashMap<VisitorId, (Duration, Box<VisitorRow>)>,
    /// In the order in which they came, also those who were named since.
    order: VecDeque<VisitorId>,
}

impl Newcomers {
    /// A visitor was stored just now, and nobody knows his id yet.
    pub(crate) fn remember(&self, row: VisitorRow, now: Duration) {
        let mut known = self.known();
        known.order.push_back(row.id);
        known.rows.insert(row.id, (now, Box::new(row)));
        while known.order.len() > NEWCOMERS_MAX {
            let oldest = known.order.pop_front();
            oldest.and_then(|id| known.rows.remove(&id));
        }
    }

    /// The row of a visitor of whom nothing was written since he was made: no contact, no conversation, no
    /// visit. Once: the next one reads the store.
    pub(crate) fn take(&self, visitor_id: VisitorId, now: Duration) -> Option<Box<VisitorRow>> {
        let (since, row) = self.known().rows.remove(&visitor_id)?;
        (now.saturating_sub(since) < REMEMBERED).then_some(row)
    }

    /// A batch is about to be stored.
    pub(crate) fn touch(&self, batch: &Batch) {
        let mut known = self.known();
        if known.rows.is_empty() {
            return;
        }
        let stmts = batch.guard.iter().chain(&batch.stmts);
        for value in stmts.flat_map(|stmt| &stmt.params) {
            if let Value::Text(text) = value {
                for (at, _) in text.match_indices(PREFIX) {
                    let id = text.get(at..at + ID_BYTES).and_then(|id| id.parse().ok());
                    id.and_then(|id: VisitorId| known.rows.remove(&id));
                }
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::{Id, SiteId, WorkspaceId};
    use protocol::visitor::{Browser, Claim, Device};

    use super::*;
    use crate::db::stmt;

    fn id(bits: u128) -> VisitorId {
        VisitorId::from_bits(bits)
    }

    fn row(bits: u128) -> VisitorRow {
        VisitorRow {
            id: id(bits),
            workspace_id: WorkspaceId::from_bits(1),
            site_id: SiteId::from_bits(1),
            version: 1,
            generation: 1,
            contact_id: None,
            name: String::new(),
            reachable: false,
            proved: false,
            blocked: false,
            erased: false,
            open_conversation_id: None,
            claim: Claim::default(),
            browser: Browser {
                device: Device::Unknown,
                name: String::new(),
                system: String::new(),
                language: None,
                time_zone: None,
                country: None,
                city: None,
            },
            visit_count: 0,
            created_at_ms: 0,
            seen_at_ms: 0,
        }
    }

    fn known(bits: u128) -> Newcomers {
        let newcomers = Newcomers::default();
        newcomers.remember(row(bits), Duration::ZERO);
        newcomers
    }

    #[test]
    fn a_newcomer_is_taken_once_and_not_for_ever_remembered() {
        let newcomers = known(7);
        let taken = newcomers.take(id(7), Duration::ZERO);
        assert_eq!(taken, Some(Box::new(row(7))));
        assert_eq!(newcomers.take(id(7), Duration::ZERO), None);
        assert_eq!(known(7).take(id(7), REMEMBERED), None);
        assert_eq!(known(7).take(id(8), Duration::ZERO), None);
    }

    #[test]
    fn whoever_a_batch_names_anywhere_is_no_newcomer_any_more() {
        let other = id(8);
        for (params, is_named) in [
            (vec![Value::from(id(7))], true),
            (
                vec![Value::Null, Value::from(format!("x{other} {}y", id(7)))],
                true,
            ),
            (vec![Value::from(format!("[\"vis_\",\"{}\"]", id(7)))], true),
            (
                vec![Value::from(other), Value::from("vis_é".repeat(20))],
                false,
            ),
            (Vec::new(), false),
        ] {
            let newcomers = known(7);
            let mut batch = Batch::default();
            batch.push(stmt!("SELECT 1", 1_u64));
            batch.push(crate::db::Stmt::new("SELECT 2", params.clone()));
            newcomers.touch(&batch);
            let taken = newcomers.take(id(7), Duration::ZERO);
            assert_eq!(taken.is_none(), is_named, "{params:?}");
        }
        let newcomers = known(7);
        newcomers.touch(&Batch::guarded(Vec::new(), stmt!("SELECT 1", id(7))));
        assert_eq!(newcomers.take(id(7), Duration::ZERO), None);
    }

    #[test]
    fn newcomers_are_bounded_and_the_latest_stay() {
        let newcomers = Newcomers::default();
        let count = u128::try_from(NEWCOMERS_MAX).expect("a small number");
        for bits in 0..=count {
            newcomers.remember(row(bits), Duration::ZERO);
        }
        assert_eq!(newcomers.known().rows.len(), NEWCOMERS_MAX);
        assert_eq!(newcomers.take(id(0), Duration::ZERO), None);
        assert!(newcomers.take(id(count), Duration::ZERO).is_some());
    }
}
