//! Scenarios: what a run does, what it measures, and what makes it fail.
//!
//! A scenario is a module with its options, a `run` and a report. A run fails when a promise of the
//! server is broken, never because it is slow: figures are for people to judge.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use world::World;

use crate::Error;
use crate::client::http::Http;
use crate::client::{AgentAccess, Server};
use protocol::id::SiteId;

pub mod chat;
pub mod idle;
pub mod verify;

/// Where a run goes, and as whom it sets itself up.
#[derive(Debug, Clone, clap::Args)]
pub struct Target {
    /// The server's address.
    #[arg(long, default_value = "http://127.0.0.1:8080", global = true)]
    pub server: String,
    /// The e-mail address of an owner or admin.
    #[arg(long, global = true)]
    pub email: Option<String>,
    /// The password.
    #[arg(long, global = true)]
    pub password: Option<String>,
    /// The site whose visitors are played; the first one of the workspace when absent.
    #[arg(long, global = true)]
    pub site_key: Option<SiteId>,
    /// The server's process on this machine: adds its memory and processor time to the report.
    #[arg(long, global = true)]
    pub server_pid: Option<u32>,
}

impl Target {
    /// Signs in.
    ///
    /// # Errors
    /// The options are missing, or the server refuses.
    pub async fn sign_in(&self, http: &mut Http) -> Result<AgentAccess, Error> {
        let (Some(email), Some(password)) = (&self.email, &self.password) else {
            let what = "--email and --password are needed to sign in";
            return Err(Error::Malformed(what.to_owned()));
        };
        AgentAccess::sign_in(http, email, password).await
    }

    /// The site to use.
    ///
    /// # Errors
    /// There is none, or the server refuses.
    pub async fn site(&self, http: &mut Http) -> Result<SiteId, Error> {
        if let Some(site_key) = self.site_key {
            return Ok(site_key);
        }
        let agent = self.sign_in(http).await?;
        let sites = agent.sites(http).await?;
        let site = sites.iter().find(|site| !site.archived);
        let none = || Error::Malformed("the workspace has no site".to_owned());
        Ok(site.ok_or_else(none)?.id)
    }

    /// Finds the server.
    ///
    /// # Errors
    /// The address has another form, or its name is unknown.
    pub async fn find(&self) -> Result<Server, Error> {
        Server::find(&self.server).await
    }
}

/// A counter that tasks share.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one away.
    pub fn remove(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Times from when something was due to when it had happened, in microseconds.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

/// The longest time that is told apart: a minute.
const LATENCY_US_MAX: u64 = 60_000_000;

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3);
        Self(histogram.expect("the bounds are in order"))
    }
}

impl Latencies {
    /// Adds one. Longer than a minute counts as a minute.
    pub fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LATENCY_US_MAX);
        self.0.saturating_record(micros.max(1));
    }

    /// Adds all of another.
    pub fn add_all(&mut self, other: &Self) {
        let added = self.0.add(&other.0);
        added.expect("all histograms have the same bounds");
    }

    /// The figures.
    #[must_use]
    pub fn figures(&self) -> LatencyFigures {
        let at = |quantile| self.0.value_at_quantile(quantile);
        LatencyFigures {
            count: self.0.len(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: self.0.max(),
        }
    }
}

/// Figures of latencies, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyFigures {
    /// How many were measured.
    pub count: u64,
    /// The median.
    pub p50_us: u64,
    /// Nine of ten are at most this.
    pub p90_us: u64,
    /// 99 of 100 are at most this.
    pub p99_us: u64,
    /// 999 of 1,000 are at most this.
    pub p999_us: u64,
    /// The longest.
    pub max_us: u64,
}

impl std::fmt::Display for LatencyFigures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |us: u64| Duration::from_micros(us).as_secs_f64() * 1_000.0;
        write!(
            f,
            "p50 {:.2} ms  p90 {:.2} ms  p99 {:.2} ms  p99.9 {:.2} ms  max {:.2} ms  ({} measured)",
            ms(self.p50_us),
            ms(self.p90_us),
            ms(self.p99_us),
            ms(self.p999_us),
            ms(self.max_us),
            self.count
        )
    }
}

/// Says how a run goes, every second until `work` is done.
pub(crate) async fn with_progress<T>(
    world: &World,
    line: impl Fn() -> String,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            output = &mut work => return output,
            () = world.clock.sleep(Duration::from_secs(1)) => eprintln!("{}", line()),
        }
    }
}

/// Writes a line that a program reads.
///
/// # Errors
/// Nobody reads it any more.
pub fn say_line(line: &str) -> Result<(), Error> {
    use std::io::Write as _;
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_add_up_and_long_ones_count() {
        let mut one = Latencies::default();
        one.add(Duration::from_millis(1));
        let mut two = Latencies::default();
        two.add(Duration::from_secs(600));
        one.add_all(&two);
        let figures = one.figures();
        assert_eq!(figures.count, 2);
        assert!((1_000..1_002).contains(&figures.p50_us), "{figures:?}");
        assert!(figures.max_us >= LATENCY_US_MAX, "{figures:?}");
    }
}
