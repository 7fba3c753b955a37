//! What is counted by how long it took, or how large it was, in the text form that Prometheus reads. Every name
//! is a variant here; `metric.rs` has what is counted one by one.

use std::fmt::Write;

use world::histogram::Counts;

const MICROSECONDS: u32 = 1_000_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distribution {
    /// From a command taken in to its acknowledgement.
    Acknowledgement,
    /// Commits of the store.
    StoreCommit,
    /// How many writes they stored.
    StoreCommitWrites,
    /// Reads of the store.
    StoreRead,
}

impl Distribution {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: &[Self] = &[
        Self::Acknowledgement,
        Self::StoreCommit,
        Self::StoreCommitWrites,
        Self::StoreRead,
    ];

    /// The name, how many of what was counted are one of what is shown, and the help.
    fn words(self) -> (&'static str, u32, &'static str) {
        match self {
            Self::Acknowledgement => (
                "switchboard_acknowledgement_seconds",
                MICROSECONDS,
                "Time from a command taken in to its acknowledgement, without waits for the rate of its client.",
            ),
            Self::StoreCommit => (
                "switchboard_store_commit_seconds",
                MICROSECONDS,
                "Time of a commit of the store, those that failed among them.",
            ),
            Self::StoreCommitWrites => (
                "switchboard_store_commit_writes",
                1,
                "Writes that a commit of the store had.",
            ),
            Self::StoreRead => (
                "switchboard_store_read_seconds",
                MICROSECONDS,
                "Time of a read of the store, with its wait for others.",
            ),
        }
    }

    /// Whether a sample of the output has this name.
    #[cfg(test)]
    pub(crate) fn has_sample(self, name: &str) -> bool {
        let part = name.strip_prefix(self.words().0);
        matches!(part, Some("_bucket" | "_sum" | "_count"))
    }

    /// Adds to a text what was counted.
    pub(crate) fn write(self, counts: &Counts, text: &mut String) {
        self.write_lines(counts, text)
            .expect("writing to a string does not fail");
    }

    fn write_lines(self, counts: &Counts, text: &mut String) -> std::fmt::Result {
        let (name, per, help) = self.words();
        writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram")?;
        let mut up_to = 0;
        for (bound, count) in counts.bounds.iter().zip(&counts.counts) {
            up_to += count;
            let bound = scaled(*bound, per);
            writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {up_to}")?;
        }
        let (total, sum) = (counts.total(), scaled(counts.sum, per));
        writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {total}")?;
        writeln!(text, "{name}_sum {sum}\n{name}_count {total}")
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "it is exact up to 2^53 microseconds, which are 285 years"
)]
fn scaled(value: u64, per: u32) -> f64 {
    value as f64 / f64::from(per)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use world::histogram::{Histogram, SIZES, TIMES_US};

    use super::*;

    #[test]
    fn times_are_shown_in_seconds_and_counted_up_to_each_bound() {
        let times = Histogram::new(TIMES_US);
        for took_ms in [2, 2, 40, 60_000] {
            times.note_time(Duration::from_millis(took_ms));
        }
        let mut text = String::new();
        Distribution::StoreRead.write(&times.counts(), &mut text);
        for line in [
            "# TYPE switchboard_store_read_seconds histogram",
            "switchboard_store_read_seconds_bucket{le=\"0.001\"} 0",
            "switchboard_store_read_seconds_bucket{le=\"0.0025\"} 2",
            "switchboard_store_read_seconds_bucket{le=\"0.025\"} 2",
            "switchboard_store_read_seconds_bucket{le=\"0.05\"} 3",
            "switchboard_store_read_seconds_bucket{le=\"10\"} 3",
            "switchboard_store_read_seconds_bucket{le=\"+Inf\"} 4",
            "switchboard_store_read_seconds_sum 60.044",
            "switchboard_store_read_seconds_count 4",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} in {text}");
        }
    }

    #[test]
    fn sizes_are_shown_as_they_are() {
        let sizes = Histogram::new(SIZES);
        sizes.note(3);
        let mut text = String::new();
        Distribution::StoreCommitWrites.write(&sizes.counts(), &mut text);
        assert!(text.contains("_bucket{le=\"2\"} 0\n"), "{text}");
        assert!(text.contains("_bucket{le=\"4\"} 1\n"), "{text}");
        assert!(text.contains("_sum 3\n"), "{text}");
    }
}
