//! What a run found out: figures, latencies, lines over time, expectations, broken promises; and its
//! three forms, for a terminal, a program and a browser.

pub mod arms;
pub mod html;
pub mod plot;
pub mod text;

use serde::Serialize;
use serde_json::{Map, Value, json};

use self::arms::Arms;
use crate::measure::latency::ms;
use crate::measure::{Expectation, Latencies, Relation, Series, Wish};
use crate::process::Usage;

/// How many broken promises a report tells with their history.
const BROKEN_SHOWN: usize = 50;

/// In what a figure is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Pieces.
    Count,
    /// Pieces a second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// Percent, of one core where it is processor time.
    Percent,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Seconds.
    Seconds,
    /// One by another.
    Ratio,
}

/// A figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its name for programs and expectations.
    pub key: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: Unit,
}

/// What a run found out.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which scenario.
    pub scenario: &'static str,
    /// What its random choices came from: the same seed makes the same run.
    pub seed: u64,
    /// Where it ran.
    pub targets: Vec<String>,
    /// How long, set-up included.
    pub seconds: f64,
    /// The figures, in the order they are shown.
    pub figures: Vec<Figure>,
    /// What was compared, as plots show it.
    pub compared: Vec<Arms>,
    /// Latencies by name; the first is the one that `--expect-p99-ms` means.
    pub latencies: Vec<(&'static str, Latencies)>,
    /// Lines over time.
    pub series: Vec<Series>,
    /// What was expected, and what became of it.
    pub expectations: Vec<Expectation>,
    /// How many promises were broken.
    pub broken_count: u64,
    /// The first of them, each with its history.
    pub broken: Vec<String>,
    /// What workers noted for people.
    pub notes: Vec<String>,
    /// What else a program may want to know.
    pub details: Map<String, Value>,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new(scenario: &'static str, seed: u64, targets: Vec<String>) -> Self {
        Self {
            scenario,
            seed,
            targets,
            seconds: 0.0,
            figures: Vec::new(),
            compared: Vec::new(),
            latencies: Vec::new(),
            series: Vec::new(),
            expectations: Vec::new(),
            broken_count: 0,
            broken: Vec::new(),
            notes: Vec::new(),
            details: Map::new(),
        }
    }

    /// Adds a figure.
    pub fn figure(&mut self, key: &str, value: f64, unit: Unit) {
        let key = key.to_owned();
        self.figures.push(Figure { key, value, unit });
    }

    /// Adds a figure of pieces.
    pub fn count(&mut self, key: &str, count: u64) {
        self.figure(key, count as f64, Unit::Count);
    }

    /// Adds latencies, if there are any, with their figures: `<name>_p50_ms` and so on.
    pub fn latency(&mut self, name: &'static str, latencies: Latencies) {
        if latencies.count() > 0 {
            self.latencies.push((name, latencies));
        }
    }

    /// Adds what the server's process used, where it is known.
    pub fn server(&mut self, usage: Option<Usage>) {
        if let Some(usage) = usage {
            self.figure(
                "server_memory_bytes",
                usage.memory_bytes as f64,
                Unit::Bytes,
            );
            self.figure(
                "server_resident_bytes",
                usage.resident_bytes as f64,
                Unit::Bytes,
            );
            self.count("server_descriptors", usage.descriptor_count);
        }
    }

    /// Adds how busy the server's process was between two looks at it.
    pub fn busy(&mut self, before: &Usage, after: &Usage, seconds: f64) {
        let busy = after.cpu_seconds - before.cpu_seconds;
        let percent = busy / seconds.max(0.001) * 100.0;
        self.figure("server_cpu_percent", percent, Unit::Percent);
    }

    /// Takes in broken promises.
    pub fn broke(&mut self, broken: impl IntoIterator<Item = String>) {
        for one in broken {
            self.broken_count += 1;
            if self.broken.len() < BROKEN_SHOWN {
                self.broken.push(one);
            }
        }
    }

    /// A figure by its key, those of latencies included.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<f64> {
        let named = self.figures.iter().find(|figure| figure.key == key);
        if let Some(figure) = named {
            return Some(figure.value);
        }
        self.latencies.iter().find_map(|(name, latencies)| {
            let part = key.strip_prefix(name)?.strip_prefix('_')?;
            let figures = latencies.figures();
            match part {
                "p50_ms" => Some(ms(figures.p50_us)),
                "p90_ms" => Some(ms(figures.p90_us)),
                "p99_ms" => Some(ms(figures.p99_us)),
                "p999_ms" => Some(ms(figures.p999_us)),
                "max_ms" => Some(ms(figures.max_us)),
                "count" => Some(figures.count as f64),
                _ => None,
            }
        })
    }

    /// Expects something of a figure.
    pub fn expect(&mut self, name: &str, relation: Relation, limit: f64) {
        let expectation = Expectation::of(name, self.value(name), relation, limit);
        self.expectations.push(expectation);
    }

    /// Expects that a figure is zero.
    pub fn expect_none(&mut self, name: &str) {
        self.expect(name, Relation::Exactly, 0.0);
    }

    /// Expects what was asked for on the command line.
    pub fn expect_wishes(&mut self, wishes: &[Wish], p99_ms: Option<f64>) {
        for wish in wishes {
            self.expect(&wish.name, wish.relation, wish.limit);
        }
        if let Some(limit) = p99_ms {
            let name = self.latencies.first().map_or("latency", |(name, _)| name);
            self.expect(&format!("{name}_p99_ms"), Relation::AtMost, limit);
        }
    }

    /// Whether every expectation was met and no promise was broken.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.broken_count == 0 && self.expectations.iter().all(|one| one.met)
    }

    /// For programs: the figures by their keys, and the rest.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("scenario".to_owned(), json!(self.scenario));
        object.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        object.insert("good".to_owned(), json!(self.is_good()));
        object.insert("seed".to_owned(), json!(self.seed));
        object.insert("targets".to_owned(), json!(self.targets));
        object.insert("seconds".to_owned(), json!(self.seconds));
        for figure in &self.figures {
            object.insert(figure.key.clone(), number(figure));
        }
        let latencies = self.latencies.iter().map(|(name, latencies)| {
            let figures = serde_json::to_value(latencies.figures());
            ((*name).to_owned(), figures.expect("figures are JSON"))
        });
        object.insert("latencies".to_owned(), Value::Object(latencies.collect()));
        object.insert("expectations".to_owned(), value(&self.expectations));
        object.insert("broken_count".to_owned(), json!(self.broken_count));
        object.insert("broken".to_owned(), json!(self.broken));
        object.insert("notes".to_owned(), json!(self.notes));
        object.insert("series".to_owned(), value(&self.series));
        object.extend(self.details.clone());
        Value::Object(object)
    }
}

fn value(list: &[impl Serialize]) -> Value {
    serde_json::to_value(list).expect("our types can be written as JSON")
}

/// Pieces and bytes are whole numbers.
fn number(figure: &Figure) -> Value {
    let is_whole = match figure.unit {
        Unit::Count | Unit::Bytes => figure.value.fract() == 0.0 && figure.value >= 0.0,
        Unit::PerSecond | Unit::Percent | Unit::Ms | Unit::Us | Unit::Seconds | Unit::Ratio => {
            false
        }
    };
    if is_whole {
        let text = format!("{:.0}", figure.value);
        return text
            .parse::<u64>()
            .map_or_else(|_| json!(figure.value), |whole| json!(whole));
    }
    json!(figure.value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn report() -> Report {
        let mut report = Report::new("chat", 7, vec!["http://127.0.0.1:8080".to_owned()]);
        report.count("acknowledged", 12);
        report.figure("rate", 2.5, Unit::PerSecond);
        let mut latencies = Latencies::default();
        latencies.add(Duration::from_millis(4));
        report.latency("delivery", latencies);
        report
    }

    #[test]
    fn expectations_are_about_figures_and_latencies_alike() {
        let mut report = report();
        report.expect("acknowledged", Relation::Exactly, 12.0);
        report.expect_wishes(&[], Some(10.0));
        assert!(report.is_good(), "{:?}", report.expectations);
        assert_eq!(report.expectations[1].name, "delivery_p99_ms");
        report.expect_wishes(&["unheard_of>=1".parse().expect("a wish")], None);
        assert!(!report.is_good(), "what was not measured was not kept");
    }

    #[test]
    fn a_broken_promise_spoils_a_run_and_only_the_first_are_told() {
        let mut report = report();
        report.broke((0..500).map(|index| format!("lost: {index}")));
        assert!(!report.is_good());
        assert_eq!(report.broken_count, 500);
        assert_eq!(report.broken.len(), BROKEN_SHOWN);
    }

    #[test]
    fn programs_find_figures_by_their_names() {
        let json = report().json();
        assert_eq!(json["acknowledged"], json!(12));
        assert_eq!(json["rate"], json!(2.5));
        assert_eq!(json["seed"], json!(7));
        assert_eq!(json["latencies"]["delivery"]["count"], json!(1));
        assert_eq!(json["good"], json!(true));
    }
}
