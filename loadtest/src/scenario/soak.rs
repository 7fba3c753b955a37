//! `soak`: people talk, others page, and agents watch, all at once and for a long time. Does the server grow?

use std::time::Duration;

use serde_json::{Value, json};

use super::act::act_beside;
use super::chat::{self, Outcome};
use super::feed;
use super::plan::Plan;
use crate::Error;
use crate::measure::{Latencies, Relation, Series, Tally};
use crate::process::Usage;
use crate::report::{Report, Unit};
use crate::target::Stage;

/// How often the server's process is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Options of `soak`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How long: 10m, 1h.
    #[arg(long, default_value = "10m", value_parser = super::duration)]
    pub duration: Duration,
    /// Conversations that go on.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub pairs: u64,
    /// Messages a second, over all conversations.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: u64,
    /// How much of that, from its beginning, is not timed: 5s.
    #[arg(long, default_value = "0s", value_parser = super::duration)]
    pub warm_up: Duration,
    /// Conversations of one agent's connection.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub pairs_per_agent: u64,
    /// Visitors who page.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    pub visitors: u64,
    /// Milliseconds from one page of a visitor to the next.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub page_every_ms: u64,
    /// Agents who watch the live list.
    #[arg(long, default_value_t = 5)]
    pub watchers: u64,
}

impl Options {
    /// How many connections there are: of those who talk, page and watch.
    fn connections(&self) -> u64 {
        let agents = self.pairs.div_ceil(self.pairs_per_agent);
        self.pairs + agents + self.visitors + self.watchers
    }
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up. Broken promises are in the report.
pub async fn run(stage: &Stage, options: &Options) -> Result<Report, Error> {
    stage.owner()?;
    stage.consent(options.connections())?;
    let seconds = options.duration.as_secs().max(1);
    let talk = chat::Options {
        pairs: options.pairs,
        rate: options.rate,
        seconds,
        warm_up: options.warm_up,
        pairs_per_agent: options.pairs_per_agent,
        message_bytes: 128,
        workers: 1,
    };
    let feed = feed::Options {
        visitors: options.visitors,
        page_every_ms: options.page_every_ms,
        watchers: options.watchers,
        seconds,
        workers: 1,
    };
    let mut parts = chat::parts(stage, &talk, 0);
    let talker_count = parts.len();
    parts.extend(feed::parts(stage, &feed, talker_count as u64));
    let plan = |started| both(&talk, &feed, started);
    let mut looks = Vec::new();
    let looking = look(stage, options.duration, &mut looks);
    let acted = act_beside(stage, "soak", &parts, plan, looking).await?;
    let mut report = acted.report("soak", stage);
    let outcomes = acted.outcomes::<serde_json::Value>()?;
    let (talked, paged) = outcomes.split_at(talker_count);
    let wrong = |error: serde_json::Error| Error::Worker(error.to_string());
    let talked = talked.iter().cloned().map(serde_json::from_value);
    let talked: Vec<Outcome> = talked.collect::<Result<_, _>>().map_err(wrong)?;
    report.count("pairs", options.pairs);
    report.count("visitors", options.visitors);
    chat::fill(&mut report, &acted, talked);
    let mut lag = Latencies::default();
    for outcome in paged {
        lag.add_all(&serde_json::from_value(outcome.clone()).map_err(wrong)?);
    }
    report.latency("lag", lag);
    report.count(Tally::Pages.name(), acted.counts.of(Tally::Pages));
    report.count(Tally::Lost.name(), acted.counts.of(Tally::Lost));
    acted.tell_usage(&mut report);
    let lines = [Tally::Acknowledged, Tally::Pages];
    report.series.extend(acted.monitor.samples.rates(&lines));
    tell_growth(&mut report, &looks);
    report.expect("acknowledged", Relation::Exactly, talk.plan().due as f64);
    report.expect_none(Tally::Lost.name());
    Ok(report)
}

/// What talkers and visitors are told, as one: each reads its own fields.
fn both(talk: &chat::Options, feed: &feed::Options, started: Duration) -> Value {
    let plan = Plan {
        started,
        ..talk.plan()
    };
    let mut told = json!(plan);
    if let (Some(told), Value::Object(course)) = (told.as_object_mut(), json!(feed.course(started)))
    {
        told.extend(course);
    }
    told
}

/// Looks at the server's process while others act.
async fn look(
    stage: &Stage,
    duration: Duration,
    looks: &mut Vec<(Duration, Usage)>,
) -> Result<(), Error> {
    let clock = &stage.world.clock;
    let started = clock.elapsed();
    while clock.elapsed() - started < duration {
        if let Some(usage) = stage.usage()? {
            looks.push((clock.elapsed() - started, usage));
        }
        clock.sleep(LOOK).await;
    }
    Ok(())
}

/// How fast the server's memory grew over the second half of the run.
fn tell_growth(report: &mut Report, looks: &[(Duration, Usage)]) {
    let half = &looks[looks.len() / 2..];
    let (Some(first), Some(last)) = (half.first(), half.last()) else {
        return;
    };
    let megabytes = |usage: &Usage| usage.memory_bytes as f64 / 1_048_576.0;
    let hours = (last.0 - first.0).as_secs_f64() / 3_600.0;
    if hours > 0.0 {
        let points = half
            .iter()
            .map(|(at, usage)| (at.as_secs_f64() / 3_600.0, megabytes(usage)));
        let points: Vec<(f64, f64)> = points.collect();
        let percent = slope(&points) / megabytes(&first.1).max(0.001) * 100.0;
        report.figure("memory_percent_per_hour", percent, Unit::Percent);
    }
    let line = looks
        .iter()
        .map(|(at, usage)| (at.as_secs_f64(), megabytes(usage)));
    report.series.push(Series {
        name: "server_memory_mib".to_owned(),
        unit: "MiB",
        points: line.collect(),
    });
}

/// The slope of the straight line that fits points best.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len().max(1) as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let covariance: f64 = points
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance.max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_line_behind_the_noise() {
        let points: Vec<(f64, f64)> = (0..100)
            .map(|index| {
                let x = f64::from(index);
                let noise = if index % 2 == 0 { 0.5 } else { -0.5 };
                (x, 3.0 * x + 7.0 + noise)
            })
            .collect();
        assert!((slope(&points) - 3.0).abs() < 0.01);
    }
}
