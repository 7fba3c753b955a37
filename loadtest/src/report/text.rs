//! A report for people: a small table, what was expected, what was broken.

use std::fmt::{self, Display, Write as _};

use super::{Figure, Report, Unit};
use crate::measure::latency::ms;
use crate::measure::{Expectation, LatencyFigures};

/// Broken promises that a terminal is told; the file has more.
const BROKEN_TOLD: usize = 10;

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds;
        writeln!(f, "{}, {seconds:.0} s, seed {}", self.scenario, self.seed)?;
        let rows: Vec<_> = self
            .figures
            .iter()
            .map(|one| (label(&one.key), shown(one)))
            .collect();
        let width = rows
            .iter()
            .map(|(label, _)| label.chars().count())
            .max()
            .unwrap_or(0);
        for (label, value) in &rows {
            writeln!(f, "  {label:<width$}  {value:>12}")?;
        }
        for (name, latencies) in &self.latencies {
            writeln!(f, "  {}: {}", label(name), line(&latencies.figures()))?;
        }
        for one in &self.expectations {
            writeln!(f, "{}", verdict(one))?;
        }
        for one in &self.notes {
            writeln!(f, "note: {one}")?;
        }
        for one in self.broken.iter().take(BROKEN_TOLD) {
            writeln!(f, "broken promise: {one}")?;
        }
        let hidden = self.broken_count.saturating_sub(BROKEN_TOLD as u64);
        if hidden > 0 {
            writeln!(f, "… and {hidden} more broken promises")?;
        }
        let end = if self.is_good() { "good" } else { "NOT good" };
        write!(f, "{end}")
    }
}

/// A key as words.
pub(crate) fn label(key: &str) -> String {
    key.replace('_', " ")
}

/// A figure as people read it.
#[must_use]
pub fn shown(figure: &Figure) -> String {
    let value = figure.value;
    match figure.unit {
        Unit::Count => grouped(value),
        Unit::PerSecond => format!("{} /s", grouped(value)),
        Unit::Bytes if value >= 10_485_760.0 => format!("{:.1} MiB", value / 1_048_576.0),
        Unit::Bytes => format!("{} B", grouped(value)),
        Unit::Percent => format!("{value:.1} %"),
        Unit::Ms => format!("{value:.2} ms"),
        Unit::Us => format!("{value:.2} us"),
        Unit::Seconds => format!("{value:.2} s"),
        Unit::Ratio => format!("{value:.2}"),
    }
}

/// A line of latencies.
#[must_use]
pub fn line(figures: &LatencyFigures) -> String {
    format!(
        "p50 {:.2} ms  p90 {:.2} ms  p99 {:.2} ms  p99.9 {:.2} ms  max {:.2} ms  ({} measured)",
        ms(figures.p50_us),
        ms(figures.p90_us),
        ms(figures.p99_us),
        ms(figures.p999_us),
        ms(figures.max_us),
        figures.count
    )
}

/// An expectation and whether it was kept.
#[must_use]
pub fn verdict(one: &Expectation) -> String {
    let mark = if one.met { "ok    " } else { "FAILED" };
    let found = match one.value {
        Some(value) if one.met && (value - one.limit).abs() < f64::EPSILON => String::new(),
        Some(value) => format!("  (was {})", trimmed(value)),
        None => "  (was not measured)".to_owned(),
    };
    let limit = trimmed(one.limit);
    format!("{mark} {} {} {limit}{found}", one.name, one.relation.sign())
}

pub(super) fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number with its thousands apart; small ones with a digit behind the point.
fn grouped(value: f64) -> String {
    if value.fract() != 0.0 && value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        // Writing to a text cannot fail.
        let _ = write!(text, "{digit}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Relation;

    #[test]
    fn numbers_are_easy_to_read() {
        for (value, text) in [
            (0.0, "0"),
            (7.25, "7.2"),
            (999.0, "999"),
            (1_000.0, "1,000"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(grouped(value), text);
        }
    }

    #[test]
    fn a_verdict_says_what_was_and_what_should_have_been() {
        let kept = Expectation::of("lost", Some(0.0), Relation::Exactly, 0.0);
        assert_eq!(verdict(&kept), "ok     lost = 0");
        let broken = Expectation::of("p99_ms", Some(31.5), Relation::AtMost, 25.0);
        assert_eq!(verdict(&broken), "FAILED p99_ms <= 25  (was 31.5)");
        let missing = Expectation::of("p99_ms", None, Relation::AtMost, 25.0);
        assert_eq!(verdict(&missing), "FAILED p99_ms <= 25  (was not measured)");
    }
}
