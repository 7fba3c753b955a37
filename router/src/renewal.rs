//! What the live list shows of a visitor's person: his name, his contact, the conversation that goes on. Told by
//! one task, as the store has it: whoever reads it to tell it would else be overtaken by another who reads
//! something newer.

use std::sync::atomic::{AtomicU64, Ordering};

use presence::input::Input;
use protocol::id::{VisitorId, WorkspaceId};

use crate::latest::Latest;
use crate::live::Message;
use crate::router::Router;
use crate::steady;
use crate::visitor;

/// The visitors of this node who are to be shown anew.
#[derive(Debug)]
pub(crate) struct Renewals {
    /// No more than are here.
    waiting: Latest<(WorkspaceId, VisitorId), ()>,
    /// How often anybody's became outdated, here or not.
    outdated_count: AtomicU64,
}

impl Renewals {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Latest::new(usize::MAX),
            outdated_count: AtomicU64::new(0),
        }
    }

    /// How often anybody's became outdated. Who comes asks before he is read, and is read again where it is
    /// another when he is let in: he may have been read before a change, and come after it was told.
    pub(crate) fn outdated_count(&self) -> u64 {
        self.outdated_count.load(Ordering::Acquire)
    }

    /// The store has something newer of somebody. To be counted before it is looked whether he is here.
    pub(crate) fn count_outdated(&self) {
        self.outdated_count.fetch_add(1, Ordering::Release);
    }

    /// Somebody who is here is to be shown anew. Never waits.
    pub(crate) fn put(&self, workspace_id: WorkspaceId, visitor_id: VisitorId) {
        self.waiting
            .put((workspace_id, visitor_id), (), |(), ()| {});
    }

    /// Shows them as the store has them, one after the other; who could not be read is read again.
    pub(crate) async fn run(&self, router: &Router) {
        loop {
            let mut failed = Vec::new();
            for (visitor, ()) in self.waiting.take().await {
                let (workspace_id, visitor_id) = visitor;
                let doing = renew(router, workspace_id, visitor_id);
                match steady::caught(router, "renewals", doing).await {
                    Some(Ok(())) => {}
                    Some(Err(error)) => {
                        tracing::warn!(%error, "a visitor could not be read");
                        failed.push(visitor);
                    }
                    None => failed.push(visitor),
                }
            }
            if !failed.is_empty() {
                for (workspace_id, visitor_id) in failed {
                    self.put(workspace_id, visitor_id);
                }
                steady::rest(router).await;
            }
        }
    }
}

async fn renew(
    router: &Router,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
) -> storage::Result<()> {
    router.world().faults.strike("visitor.renew");
    let found = storage::visitor::find(router.db(), workspace_id, visitor_id).await?;
    let Some(row) = found else {
        return Ok(());
    };
    let input = if row.erased {
        Input::Forget { visitor_id }
    } else {
        let facts = visitor::facts_of(&row);
        Input::Facts { visitor_id, facts }
    };
    router.live().send(Message::Visitor(input)).await;
    Ok(())
}
