//! What is counted, in the text form that Prometheus reads. Every name is a variant here; no label
//! carries an id.

use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use world::histogram::{Counts, Histogram, TIMES_US};

use crate::distribution::Distribution;

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $kind:literal, $help:literal;)*) => {
        /// What is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Metric {
            $($(#[$doc])* $name,)*
        }

        impl Metric {
            /// All of them, in the order of the output.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            fn words(self) -> (&'static str, &'static str, &'static str) {
                match self { $(Self::$name => ($text, $kind, $help),)* }
            }
        }
    };
}

metrics! {
    /// Accepted TCP connections.
    Accepted = "switchboard_accepted_total", "counter", "TCP connections accepted.";
    /// Open sockets and streams.
    Connections = "switchboard_connections", "gauge", "Open sockets and streams.";
    /// Open connections for plain HTTP.
    HttpConnections = "switchboard_http_connections", "gauge", "Open connections for plain HTTP.";
    /// Connections for plain HTTP that found no room.
    HttpRefused = "switchboard_http_connections_refused_total", "counter", "Connections for plain HTTP refused because an address, or all together, had too many.";
    /// Identified visitors' connections.
    VisitorConnections = "switchboard_visitor_connections", "gauge", "Identified connections of visitors.";
    /// Identified agents' connections.
    AgentConnections = "switchboard_agent_connections", "gauge", "Identified connections of agents.";
    /// Frames from clients.
    FramesIn = "switchboard_frames_received_total", "counter", "Frames received from clients.";
    /// Frames to clients.
    FramesOut = "switchboard_frames_sent_total", "counter", "Frames sent to clients.";
    /// Bytes to clients over sockets.
    BytesOut = "switchboard_socket_bytes_sent_total", "counter", "Bytes written to sockets.";
    /// Commands that were accepted.
    CommandsAccepted = "switchboard_commands_accepted_total", "counter", "Commands accepted.";
    /// Commands that were refused.
    CommandsRejected = "switchboard_commands_rejected_total", "counter", "Commands refused.";
    /// Frames that were refused.
    FramesRefused = "switchboard_frames_refused_total", "counter", "Frames answered with an error.";
    /// Bytes that wait for readers.
    WaitingBytes = "switchboard_waiting_bytes", "gauge", "Bytes that wait in memory until clients of sockets and streams take them.";
    /// Connections that are behind.
    Behind = "switchboard_connections_behind", "gauge", "Connections of slow readers for which what waited was given up, to be read again when they go on.";
    /// Connections closed because the reader was too slow.
    TooSlow = "switchboard_closed_too_slow_total", "counter", "Connections told to resume because they read too slowly.";
    /// Connections closed because nothing was heard.
    Silent = "switchboard_closed_silent_total", "counter", "Connections closed because nothing was heard.";
    /// Connections closed for a fault of the client.
    ClosedForCause = "switchboard_closed_for_cause_total", "counter", "Connections closed with a code of the range 4200.";
    /// Signals that a newer one replaced before it was sent.
    SignalsReplaced = "switchboard_signals_replaced_total", "counter", "Signals replaced by newer ones before they were sent.";
    /// Gaps that a connection read again.
    GapsHealed = "switchboard_gaps_healed_total", "counter", "Gaps between entries that were read again for a connection.";
    /// HTTP requests.
    HttpRequests = "switchboard_http_requests_total", "counter", "HTTP requests.";
    /// Requests and frames refused by a rate.
    RateLimited = "switchboard_rate_limited_total", "counter", "Requests and frames refused by a rate.";
    /// Lanes that exist.
    Lanes = "switchboard_lanes", "gauge", "Conversations and visitors with work of their own right now.";
    /// Lanes that panicked.
    LanePanics = "switchboard_lane_panics_total", "counter", "Panics while something was done to a conversation, visitor or contact; each is a fault of ours, in the log.";
    /// Tasks that panicked and went on.
    TaskPanics = "switchboard_task_panics_total", "counter", "Panics in the server's own tasks, which went on; each is a fault of ours, in the log.";
    /// Topics that somebody listens to.
    Topics = "switchboard_topics", "gauge", "Topics that somebody on this node listens to.";
    /// Deliveries that a shard did not take in time.
    DeliveriesLost = "switchboard_deliveries_lost_total", "counter", "Deliveries that a shard did not take in time; its connections resume.";
    /// Page views and events that were refused.
    TracesRefused = "switchboard_traces_refused_total", "counter", "Page views and custom events refused: malformed, too often, or too many in one visit.";
    /// Page views and events that were not stored.
    TracesLost = "switchboard_traces_lost_total", "counter", "Page views and custom events that were not stored.";
    /// Nodes that share the store.
    Nodes = "switchboard_nodes", "gauge", "Running nodes that share the store, this one included.";
    /// Settings that other nodes have otherwise.
    SettingsDiffering = "switchboard_settings_differing", "gauge", "Settings that another node of the store has otherwise though all should have the same; the log names them.";
    /// Whether other nodes are in reach.
    BusUp = "switchboard_bus_up", "gauge", "Whether the bus between nodes is in reach; 1 on a node that is alone.";
    /// News sent to other nodes.
    BusPublished = "switchboard_bus_published_total", "counter", "News sent to other nodes.";
    /// Round trips in which they were sent.
    BusBatches = "switchboard_bus_batches_total", "counter", "Round trips in which news were sent to other nodes.";
    /// News of other nodes.
    BusHeard = "switchboard_bus_heard_total", "counter", "News of other nodes that came.";
    /// News that were not sent.
    BusLost = "switchboard_bus_lost_total", "counter", "News that were not sent because the bus was out of reach or too much waited; the event log tells of them.";
    /// Gaps in what came.
    BusGaps = "switchboard_bus_gaps_total", "counter", "Gaps noticed in the news of other nodes; the event log was looked at.";
    /// News that could not be read.
    BusUnreadable = "switchboard_bus_unreadable_total", "counter", "News that were cut, forged or of a newer program, and skipped.";
    /// Files that nothing needed any more.
    FilesRemoved = "switchboard_files_removed_total", "counter", "Uploaded files that nothing needed any more and that were removed.";
    /// Files that could not be removed.
    FileRemovalsFailed = "switchboard_file_removals_failed_total", "counter", "Tries to remove an uploaded file that failed; each is made again.";
    /// Rows that were kept long enough.
    RowsForgotten = "switchboard_rows_forgotten_total", "counter", "Rows removed because they were kept long enough.";
    /// What found no room.
    RefusedFull = "switchboard_refused_full_total", "counter", "Writes of rows and files that were refused because a disk is full. Nothing of them is stored.";
    /// Backups that were not written.
    BackupsFailed = "switchboard_backups_failed_total", "counter", "Backups, daily and by hand, that failed. Each left nothing behind.";
    /// When the last backup failed.
    BackupFailedAt = "switchboard_backup_failed_timestamp_seconds", "gauge", "When the last backup failed since the start, in seconds since 1970; 0 where none did.";
    /// When the last backup was written.
    BackupWrittenAt = "switchboard_backup_written_timestamp_seconds", "gauge", "When the last backup was written, in seconds since 1970, also before the start where it is a daily one; 0 where there is none.";
    /// Whether new clients are welcome.
    Ready = "switchboard_ready", "gauge", "Whether the node takes new clients, as /readyz says: it is not going away, and the store answers.";
    /// Whether the store answers.
    StoreUp = "switchboard_store_up", "gauge", "Whether the store answers.";
    /// What the store failed to do.
    StoreFailures = "switchboard_store_failures_total", "counter", "Writes and reads that failed because the store was away, busy, full, read-only or damaged. Nobody was told that such a write is stored.";
    /// Writes that wait for the store.
    StoreWritesWaiting = "switchboard_store_writes_waiting", "gauge", "Writes that wait for a commit of the store.";
    /// Reads that wait for the store.
    StoreReadsWaiting = "switchboard_store_reads_waiting", "gauge", "Reads that wait for the store.";
    /// Faults of ours.
    Faults = "switchboard_faults_total", "counter", "Faults of ours, each in the log.";
}

/// Parts of the counters. Threads count in parts of their own, as long as there are enough, so that two
/// shards do not wait for each other's counters with every frame.
const PART_COUNT: usize = 16;

/// Threads that have counted so far.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Which part this thread counts in.
    static PART: usize = THREADS.fetch_add(1, Ordering::Relaxed) % PART_COUNT;
}

/// What the threads of one part counted. Larger than what processors share at a time, and alone there.
#[derive(Debug)]
#[repr(align(128))]
struct Part {
    counters: [AtomicI64; Metric::ALL.len()],
    acknowledgement_us: Histogram,
}

/// The counters of this process: each is the sum of its parts.
#[derive(Debug)]
pub struct Metrics {
    parts: [Part; PART_COUNT],
}

impl Default for Metrics {
    fn default() -> Self {
        let part = |_| Part {
            counters: std::array::from_fn(|_| AtomicI64::new(0)),
            acknowledgement_us: Histogram::new(TIMES_US),
        };
        Self {
            parts: std::array::from_fn(part),
        }
    }
}

impl Metrics {
    /// Adds to a counter, or moves a gauge.
    pub fn add(&self, metric: Metric, amount: i64) {
        self.part().counters[metric as usize].fetch_add(amount, Ordering::Relaxed);
    }

    /// Counts an acknowledgement, by how long its sender waited for it.
    pub(crate) fn note_acknowledgement(&self, took: Duration) {
        self.part().acknowledgement_us.note_time(took);
    }

    /// Takes over a value that is counted elsewhere, and that nobody adds to here.
    pub fn set(&self, metric: Metric, value: u64) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.parts[0].counters[metric as usize].store(value, Ordering::Relaxed);
    }

    /// The present value.
    #[must_use]
    pub fn get(&self, metric: Metric) -> i64 {
        let values = self
            .parts
            .iter()
            .map(|part| &part.counters[metric as usize]);
        values.map(|value| value.load(Ordering::Relaxed)).sum()
    }

    /// All values as Prometheus reads them.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(4_096);
        for metric in Metric::ALL {
            let (name, kind, help) = metric.words();
            let value = self.get(*metric);
            writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
            )
            .expect("writing to a string does not fail");
        }
        Distribution::Acknowledgement.write(&self.acknowledgement_us(), &mut text);
        text
    }

    fn acknowledgement_us(&self) -> Counts {
        let mut counts = Histogram::new(TIMES_US).counts();
        for part in &self.parts {
            counts.add(&part.acknowledgement_us.counts());
        }
        counts
    }

    fn part(&self) -> &Part {
        &self.parts[PART.with(|part| *part)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_in_the_text_once() {
        let metrics = Metrics::default();
        metrics.add(Metric::FramesIn, 3);
        let text = metrics.text();
        assert!(text.contains("\nswitchboard_frames_received_total 3\n"));
        for metric in Metric::ALL {
            let (name, kind, _) = metric.words();
            assert_eq!(text.matches(&format!("# TYPE {name} {kind}\n")).count(), 1);
            assert_eq!(name.ends_with("_total"), kind == "counter");
        }
    }

    #[test]
    fn a_counter_is_what_all_threads_counted() {
        let metrics = Metrics::default();
        metrics.set(Metric::Nodes, 3);
        std::thread::scope(|scope| {
            for _ in 0..3 * PART_COUNT {
                scope.spawn(|| {
                    metrics.add(Metric::FramesIn, 2);
                    metrics.add(Metric::Connections, -1);
                    metrics.note_acknowledgement(Duration::from_millis(2));
                });
            }
        });
        let count = i64::try_from(3 * PART_COUNT).unwrap();
        assert_eq!(metrics.get(Metric::FramesIn), 2 * count);
        assert_eq!(metrics.get(Metric::Connections), -count);
        assert_eq!(metrics.get(Metric::Nodes), 3);
        let acknowledged = "\nswitchboard_acknowledgement_seconds_bucket{le=\"0.0025\"} 48\n";
        assert!(metrics.text().contains(acknowledged));
    }

    #[test]
    fn alerts_and_dashboard_ask_for_metrics_that_exist() {
        let files = [
            include_str!("../../ops/prometheus-alerts.yml"),
            include_str!("../../ops/grafana-dashboard.json"),
        ];
        for file in files {
            let parts = file.split("switchboard_").skip(1);
            let is_of_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
            let asked: Vec<_> = parts
                .map(|rest| rest.split(|letter| !is_of_name(letter)).next())
                .collect();
            assert!(asked.len() > 10);
            for name in asked.into_iter().flatten() {
                assert!(is_shown(&format!("switchboard_{name}")), "{name}");
            }
        }
    }

    /// Whether a sample of the output has this name.
    fn is_shown(name: &str) -> bool {
        let of_distribution = |one: &Distribution| one.has_sample(name);
        Metric::ALL.iter().any(|metric| metric.words().0 == name)
            || Distribution::ALL.iter().any(of_distribution)
    }
}
