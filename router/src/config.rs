//! What of the router may be set.

use std::time::Duration;

/// The router's configuration.
#[derive(Debug, Clone)]
pub struct RouterConfig {
    /// Commands that may wait for one conversation; the next one is refused as `unavailable`.
    pub lane_length: usize,
    /// How long an idle lane is kept.
    pub lane_idle: Duration,
    /// How often the event log is looked at when nobody rings.
    pub tail_interval: Duration,
    /// The same while the other nodes are out of reach.
    pub blind_tail_interval: Duration,
    /// How long an entry that came early waits for the one before it.
    pub hole_wait: Duration,
    /// Page views and events that may wait to be stored; more are lost and counted.
    pub trace_length: usize,
    /// Bytes of them, about.
    pub trace_bytes_max: usize,
    /// How often a live list may change.
    pub view_interval: Duration,
    /// How long what visitors usually wait is told before it is measured anew.
    pub first_answer_interval: Duration,
    /// Bytes that the visitors of a workspace may have uploaded and not sent yet.
    pub visitor_unclaimed_bytes_max: u64,
}

impl Default for RouterConfig {
    fn default() -> Self {
        Self {
            lane_length: 128,
            lane_idle: Duration::from_secs(15),
            tail_interval: Duration::from_secs(1),
            blind_tail_interval: Duration::from_millis(100),
            hole_wait: Duration::from_millis(50),
            trace_length: 20_000,
            trace_bytes_max: 16 * 1024 * 1024,
            view_interval: Duration::from_millis(250),
            first_answer_interval: Duration::from_secs(600),
            visitor_unclaimed_bytes_max: 1024 * 1024 * 1024,
        }
    }
}
