//! What is counted and measured while a run goes on, and what is expected of it.

pub mod expectation;
pub mod latency;
pub mod series;
pub mod tally;
pub mod timeline;

pub use expectation::{Expectation, Relation, Wish};
pub use latency::{Latencies, LatencyFigures, Meter};
pub use series::{Samples, Series};
pub use tally::{Counts, Tallies, Tally};
pub use timeline::Timeline;
