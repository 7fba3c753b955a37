//! Traces: page views and events, shown at once and stored within a second, behind messages.
//!
//! A killed node may lose its last second. What is lost because the store does not keep up is counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::id::WorkspaceId;
use storage::visit::Trace;

use crate::router::Router;

/// Traces of one transaction, as the store allows.
const BATCH_MAX: usize = 500;

/// How long traces are collected for one transaction.
const COLLECT: Duration = Duration::from_millis(500);

/// The traces of this node that wait to be stored.
#[derive(Debug)]
pub(crate) struct Traces {
    sender: flume::Sender<(WorkspaceId, Trace)>,
    receiver: flume::Receiver<(WorkspaceId, Trace)>,
    lost_count: AtomicU64,
}

impl Traces {
    pub(crate) fn new(length: usize) -> Self {
        // Bounded; what comes on top of a full one is lost and counted.
        let (sender, receiver) = flume::bounded(length);
        Self {
            sender,
            receiver,
            lost_count: AtomicU64::new(0),
        }
    }

    /// Puts a trace in line. Never waits.
    pub(crate) fn put(&self, workspace_id: WorkspaceId, trace: Trace) {
        if self.sender.try_send((workspace_id, trace)).is_err() {
            self.lost_count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many were lost.
    pub(crate) fn lost_count(&self) -> u64 {
        self.lost_count.load(Ordering::Relaxed)
    }

    /// Stores traces until the soft token, then what is left.
    pub(crate) async fn run(&self, router: &Router) {
        let soft = router.world().tracker.soft().clone();
        loop {
            let first = tokio::select! {
                // What is there is stored before the end.
                biased;
                trace = self.receiver.recv_async() => trace,
                () = soft.cancelled() => return,
            };
            let Ok(first) = first else { return };
            tokio::select! {
                () = router.world().clock.sleep(COLLECT) => {}
                () = soft.cancelled() => {}
            }
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX
                && let Ok(trace) = self.receiver.try_recv()
            {
                batch.push(trace);
            }
            if let Err(error) = storage::visit::store(router.db(), &batch).await {
                let count = u64::try_from(batch.len()).expect("a batch is small");
                self.lost_count.fetch_add(count, Ordering::Relaxed);
                tracing::warn!(%error, trace_count = count, "traces were lost");
            }
        }
    }
}
