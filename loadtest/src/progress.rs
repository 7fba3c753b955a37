//! How a run goes, while it goes: one line at a terminal, nothing elsewhere, and samples for plots.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use world::World;

use crate::fleet::{Watcher, moment};
use crate::measure::{Counts, Samples, Tally};

/// How often counters are sampled.
pub(crate) const SAMPLE: Duration = Duration::from_millis(250);

/// Watches a fleet while the coordinator waits for it.
pub struct Monitor {
    world: World,
    name: &'static str,
    watcher: Watcher,
    started: Duration,
    /// Counters since it began.
    pub samples: Samples,
    is_terminal: bool,
}

impl Monitor {
    /// Begins to watch.
    #[must_use]
    pub fn new(world: &World, name: &'static str, watcher: Watcher) -> Self {
        Self {
            world: world.clone(),
            name,
            watcher,
            started: moment::now(),
            samples: Samples::default(),
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// The counters, as last told.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.watcher.counts()
    }

    /// How long after its beginning a moment is.
    #[must_use]
    pub fn since(&self, moment: Duration) -> Duration {
        moment.saturating_sub(self.started)
    }

    /// Watches until some work is done.
    pub async fn during<T>(&mut self, what: &str, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            let clock = self.world.clock.clone();
            tokio::select! {
                biased;
                output = &mut work => {
                    self.sample();
                    self.clear();
                    return output;
                }
                () = clock.sleep(SAMPLE) => {
                    self.sample();
                    self.show(what);
                }
            }
        }
    }

    fn sample(&mut self) {
        let at = moment::now() - self.started;
        self.samples.add(at, self.watcher.counts());
    }

    fn show(&self, what: &str) {
        if !self.is_terminal {
            return;
        }
        let seconds = (moment::now() - self.started).as_secs();
        let mut line = format!("{} {seconds} s, {what}", self.name);
        let counts = self.watcher.counts();
        for tally in Tally::ALL {
            let count = counts.of(*tally);
            if count > 0 {
                line += &format!("  {} {count}", tally.name().replace('_', " "));
            }
        }
        line.truncate(160);
        // A terminal that takes no more lines is no reason to stop.
        let _ = write!(std::io::stderr(), "\r\x1b[2K{line}");
    }

    /// Clears the line at a terminal, before something else is said there.
    pub fn clear(&self) {
        if self.is_terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}
