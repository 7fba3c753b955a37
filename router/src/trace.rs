//! Traces: page views and events, shown at once and stored within a second, behind messages.
//!
//! A killed node may lose its last second. What is lost because the store does not keep up is counted.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use protocol::id::WorkspaceId;
use storage::visit::Trace;

use crate::router::Router;
use crate::steady;

/// Traces of one transaction, as the store allows.
const BATCH_MAX: usize = 500;

/// Bytes of the traces of one transaction: it must not keep the store's writer. One comes whatever its size.
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// How long traces are collected for one transaction.
const COLLECT: Duration = Duration::from_millis(500);

/// The traces of this node that wait to be stored.
#[derive(Debug)]
pub(crate) struct Traces {
    sender: flume::Sender<(WorkspaceId, Trace)>,
    receiver: flume::Receiver<(WorkspaceId, Trace)>,
    /// Of those in line.
    bytes: AtomicUsize,
    bytes_max: usize,
    lost_count: AtomicU64,
}

impl Traces {
    pub(crate) fn new(length: usize, bytes_max: usize) -> Self {
        // Bounded in number and bytes; what comes on top of a full one is lost and counted.
        let (sender, receiver) = flume::bounded(length);
        Self {
            sender,
            receiver,
            bytes: AtomicUsize::new(0),
            bytes_max,
            lost_count: AtomicU64::new(0),
        }
    }

    /// Puts a trace in line. Never waits.
    pub(crate) fn put(&self, workspace_id: WorkspaceId, trace: Trace) {
        let bytes = trace.bytes();
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = before + bytes <= self.bytes_max;
        if !fits || self.sender.try_send((workspace_id, trace)).is_err() {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
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
        // Those who come all at once leave more than a transaction holds: nothing is waited for then.
        let mut is_behind = false;
        loop {
            let first = tokio::select! {
                // What is there is stored before the end.
                biased;
                trace = self.receiver.recv_async() => trace,
                () = soft.cancelled() => return,
            };
            let Ok(first) = first else { return };
            if !is_behind {
                tokio::select! {
                    biased;
                    () = router.world().clock.sleep(COLLECT) => {}
                    () = soft.cancelled() => {}
                }
            }
            let batch = self.batch(first);
            is_behind = self.has_more();
            let stored = async {
                router.world().faults.strike("trace.store");
                storage::visit::store(router.db(), &batch).await
            };
            let stored = steady::caught(router, "traces", stored).await;
            if !matches!(stored, Some(Ok(()))) {
                let count = u64::try_from(batch.len()).expect("a batch is small");
                self.lost_count.fetch_add(count, Ordering::Relaxed);
                tracing::warn!(?stored, trace_count = count, "traces were lost");
            }
        }
    }

    /// Whether more waits than the transaction held that was just made up.
    fn has_more(&self) -> bool {
        !self.receiver.is_empty()
    }

    /// What goes into one transaction with the first, in the order it came.
    fn batch(&self, first: (WorkspaceId, Trace)) -> Vec<(WorkspaceId, Trace)> {
        let mut bytes = first.1.bytes();
        let mut batch = vec![first];
        while batch.len() < BATCH_MAX
            && bytes < BATCH_BYTES_MAX
            && let Ok(next) = self.receiver.try_recv()
        {
            bytes += next.1.bytes();
            batch.push(next);
        }
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        batch
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::{Id, VisitId, VisitorId};

    use super::*;

    fn event(bytes: usize) -> Trace {
        Trace::Custom {
            visit_id: VisitId::from_bits(1),
            visitor_id: VisitorId::from_bits(1),
            name: String::new(),
            properties_json: "p".repeat(bytes),
            at_ms: 0,
        }
    }

    fn put(traces: &Traces, bytes: usize) {
        traces.put(WorkspaceId::from_bits(1), event(bytes));
    }

    #[test]
    fn traces_in_line_are_bounded_in_number_and_bytes_and_those_lost_are_counted() {
        let few = Traces::new(2, usize::MAX);
        for lost in [0, 0, 1, 2] {
            put(&few, 0);
            assert_eq!(few.lost_count(), lost);
        }
        let small = Traces::new(100, 3 * event(1_000).bytes());
        for lost in [0, 0, 0, 1] {
            put(&small, 1_000);
            assert_eq!(small.lost_count(), lost);
        }
        put(&small, 0);
        assert_eq!(small.lost_count(), 2, "no room at all is left");
        // What is taken to be stored gives its room back.
        let first = small.receiver.try_recv().unwrap();
        assert_eq!(small.batch(first).len(), 3);
        put(&small, 2_000);
        assert_eq!(small.lost_count(), 2);
    }

    #[test]
    fn a_transaction_has_so_many_traces_and_bytes() {
        let traces = Traces::new(2 * BATCH_MAX, usize::MAX);
        for _ in 0..=BATCH_MAX {
            put(&traces, 0);
        }
        let first = traces.receiver.try_recv().unwrap();
        assert_eq!(traces.batch(first).len(), BATCH_MAX);
        assert!(traces.has_more(), "the next one is not waited for");
        let first = traces.receiver.try_recv().unwrap();
        assert_eq!(traces.batch(first).len(), 1);
        assert!(!traces.has_more());
        for _ in 0..4 {
            put(&traces, BATCH_BYTES_MAX / 2);
        }
        let first = traces.receiver.try_recv().unwrap();
        assert_eq!(traces.batch(first).len(), 2);
        assert_eq!(traces.receiver.len(), 2);
    }
}
