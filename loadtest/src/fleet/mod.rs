//! The fleet: one coordinator, and workers in processes of their own.
//!
//! A process may open 20,000 files, and one pair of addresses has some 28,000 ports; so the clients
//! of a run are divided over copies of this program. The coordinator starts them as
//! `switchboard-loadtest worker`, writes [`message::Order`]s to their input and reads
//! [`message::Word`]s from their output, a line of JSON each. A worker plays its part step by step:
//! it says that it is ready, waits for its cue, goes on, and at the end tells its outcome.

pub mod message;
pub mod moment;
pub mod worker;

use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use world::World;

use self::message::{Cue, Order, Word};
use crate::Error;
use crate::measure::Counts;

/// How long a worker has to end after its outcome, before it is killed.
const END_MAX: Duration = Duration::from_secs(10);

/// Notes of a worker that are kept.
const NOTES_MAX: usize = 20;

/// What was heard from a worker so far.
#[derive(Debug, Default)]
struct Heard {
    counts: Counts,
    ready_count: u64,
    /// What came out of its last step, where it said so.
    told: Option<Value>,
    outcome: Option<Value>,
    failure: Option<String>,
    notes: Vec<String>,
    ended: bool,
}

struct Worker {
    child: Child,
    input: ChildStdin,
    heard: watch::Receiver<Heard>,
}

/// The workers of a run. Dropping it kills them.
pub struct Fleet {
    workers: Vec<Worker>,
    /// How many steps the workers have been waited for.
    step: u64,
}

/// Reads the counters of a fleet while others wait for it.
#[derive(Clone)]
pub struct Watcher(Vec<watch::Receiver<Heard>>);

impl Watcher {
    /// The counters of all workers, as last told.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        for heard in &self.0 {
            sum.add(&heard.borrow().counts);
        }
        sum
    }
}

impl Fleet {
    /// Starts a worker for each part.
    ///
    /// # Errors
    /// A process cannot be started.
    pub async fn start(world: &World, parts: &[impl Serialize]) -> Result<Self, Error> {
        let mut workers = Vec::new();
        for part in parts {
            let mut command = Command::new(std::env::current_exe()?);
            command
                .arg("worker")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .kill_on_drop(true);
            let mut child = command.spawn()?;
            let output = child.stdout.take().expect("the output is piped");
            let input = child.stdin.take().expect("the input is piped");
            let (sender, heard) = watch::channel(Heard::default());
            world.tracker.spawn(listen(output, sender));
            let mut worker = Worker {
                child,
                input,
                heard,
            };
            let part = serde_json::to_value(part).expect("parts can be written as JSON");
            worker.order(&Order::Begin(part)).await?;
            workers.push(worker);
        }
        Ok(Self { workers, step: 0 })
    }

    /// A look at the counters.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        Watcher(self.workers.iter().map(|one| one.heard.clone()).collect())
    }

    /// Waits until every worker has done its present step.
    ///
    /// # Errors
    /// A worker failed or ended.
    pub async fn ready(&mut self) -> Result<(), Error> {
        self.step += 1;
        let step = self.step;
        for worker in &mut self.workers {
            worker.until(|heard| heard.ready_count >= step).await?;
        }
        Ok(())
    }

    /// As [`Fleet::ready`], with what came out of that step at each worker.
    ///
    /// # Errors
    /// A worker failed, ended, or told nothing or something else.
    pub async fn told<T: DeserializeOwned>(&mut self) -> Result<Vec<T>, Error> {
        self.ready().await?;
        let told = |worker: &Worker| {
            let told = worker.heard.borrow().told.clone().unwrap_or_default();
            serde_json::from_value(told).map_err(|error| Error::Worker(error.to_string()))
        };
        self.workers.iter().map(told).collect()
    }

    /// Lets every worker begin its next step at a moment.
    ///
    /// # Errors
    /// A worker is gone.
    pub async fn cue(&mut self, at: Duration, note: Value) -> Result<(), Error> {
        let order = Order::Cue(Cue { at, note });
        for worker in &mut self.workers {
            worker.order(&order).await?;
        }
        Ok(())
    }

    /// As [`Fleet::cue`], now and with nothing to say.
    ///
    /// # Errors
    /// A worker is gone.
    pub async fn go(&mut self) -> Result<(), Error> {
        self.cue(moment::now(), Value::Null).await
    }

    /// Waits for the outcomes of all workers and ends them; with the notes that they made.
    ///
    /// # Errors
    /// A worker failed or ended without an outcome.
    pub async fn outcomes<O: DeserializeOwned>(
        mut self,
        world: &World,
    ) -> Result<(Vec<O>, Vec<String>), Error> {
        let mut outcomes = Vec::new();
        let mut notes = Vec::new();
        for worker in &mut self.workers {
            worker.until(|heard| heard.outcome.is_some()).await?;
            let heard = worker.heard.borrow();
            notes.extend(heard.notes.iter().cloned());
            let outcome = heard.outcome.clone().unwrap_or_default();
            let outcome = serde_json::from_value(outcome);
            outcomes.push(outcome.map_err(|error| Error::Worker(error.to_string()))?);
        }
        for worker in self.workers {
            worker.end(world).await;
        }
        Ok((outcomes, notes))
    }

    /// What workers have noted so far.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let notes = |worker: &Worker| worker.heard.borrow().notes.clone();
        self.workers.iter().flat_map(notes).collect()
    }
}

impl Worker {
    async fn order(&mut self, order: &Order) -> Result<(), Error> {
        let mut line = serde_json::to_vec(order).expect("orders can be written as JSON");
        line.push(b'\n');
        let sent = self.input.write_all(&line).await;
        sent.map_err(|error| Error::Worker(format!("takes no orders: {error}")))
    }

    /// Waits for something to be heard.
    async fn until(&mut self, is_it: impl Fn(&Heard) -> bool) -> Result<(), Error> {
        let stop = |heard: &Heard| is_it(heard) || heard.failure.is_some() || heard.ended;
        let heard = self.heard.wait_for(stop).await;
        let heard = heard.map_err(|_| Error::Worker("was lost".to_owned()))?;
        if let Some(failure) = &heard.failure {
            return Err(Error::Worker(failure.clone()));
        }
        if !is_it(&heard) {
            return Err(Error::Worker("ended before its time".to_owned()));
        }
        Ok(())
    }

    async fn end(mut self, world: &World) {
        // The end of its input is the sign to leave.
        drop(self.input);
        let ended = world.clock.timeout(END_MAX, self.child.wait()).await;
        if ended.is_none() {
            // It is ours, and it had its time; an error means that it is gone already.
            let _ = self.child.kill().await;
        }
    }
}

/// Takes in what a worker says until it says no more.
async fn listen(output: ChildStdout, heard: watch::Sender<Heard>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let word = serde_json::from_str(&line);
        heard.send_modify(|heard| match word {
            Ok(Word::Counts(counts)) => heard.counts = counts,
            Ok(Word::Ready) => heard.ready_count += 1,
            Ok(Word::Told(told)) => heard.told = Some(told),
            Ok(Word::Outcome(outcome)) => heard.outcome = Some(outcome),
            Ok(Word::Failed(failure)) => heard.failure = Some(failure),
            Ok(Word::Note(note)) if heard.notes.len() < NOTES_MAX => heard.notes.push(note),
            Ok(Word::Note(_)) => {}
            Err(error) => heard.failure = Some(format!("said what nobody knows: {error}")),
        });
    }
    heard.send_modify(|heard| heard.ended = true);
}
