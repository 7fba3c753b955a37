//! The worker's side: takes its part, tells how its counters stand, waits for cues.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;
use world::World;

use super::message::{Cue, Order, Word};
use crate::Error;
use crate::measure::{Meter, Tallies};

/// How often a worker tells its counters.
const TELL: Duration = Duration::from_millis(100);

/// Cues that may wait: each is answered before the next is given.
const CUES_MAX: usize = 4;

/// A worker, as the part that it plays sees it.
pub struct Worker {
    /// Clock, randomness and tasks.
    pub world: World,
    /// Its counters.
    pub tallies: Arc<Tallies>,
    /// From due to acknowledged, or to whatever else a client waits for.
    pub acknowledgement: Arc<Meter>,
    /// From due to shown to others.
    pub delivery: Arc<Meter>,
    cues: mpsc::Receiver<Cue>,
}

impl Worker {
    /// Tells what came out of a step. Say it before [`Worker::ready`].
    ///
    /// # Errors
    /// Nobody listens any more.
    pub fn tell(&self, told: &impl Serialize) -> Result<(), Error> {
        let told = serde_json::to_value(told).expect("what is told can be written as JSON");
        say(&Word::Told(told))
    }

    /// Says that a step is done and waits for the cue of the next one.
    ///
    /// # Errors
    /// The coordinator is gone.
    pub async fn ready(&mut self) -> Result<Cue, Error> {
        // The last counts come before the word that a step is done.
        say(&Word::Counts(self.tallies.counts()))?;
        say(&Word::Ready)?;
        let cue = self.cues.recv().await;
        cue.ok_or_else(|| Error::Worker("the coordinator is gone".to_owned()))
    }
}

/// Tells people something, once it is over.
pub fn note(text: String) {
    // Where nobody listens any more, the process is about to end.
    let _ = say(&Word::Note(text));
}

/// Plays a part to its end: the whole life of a worker process.
///
/// # Errors
/// There is no part, or nobody listens.
pub async fn run<P, O, F>(world: World, play: impl FnOnce(P, Worker) -> F) -> Result<(), Error>
where
    P: DeserializeOwned,
    O: Serialize,
    F: Future<Output = Result<O, Error>>,
{
    let mut lines = read_lines(&world);
    let first = lines.recv().await.unwrap_or_default();
    let Ok(Order::Begin(part)) = serde_json::from_str(&first) else {
        return Err(Error::Worker(
            "is started by the coordinator alone".to_owned(),
        ));
    };
    let part = serde_json::from_value(part).map_err(|error| Error::Worker(error.to_string()))?;
    let tallies = Arc::<Tallies>::default();
    let (sender, cues) = mpsc::channel(CUES_MAX);
    let worker = Worker {
        world: world.clone(),
        tallies: tallies.clone(),
        acknowledgement: Arc::default(),
        delivery: Arc::default(),
        cues,
    };
    let mut played = std::pin::pin!(play(part, worker));
    let mut orders = std::pin::pin!(take_orders(&mut lines, sender));
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = &mut played => break outcome,
            // The coordinator is gone, so nobody wants to know any more.
            () = &mut orders => return Ok(()),
            () = world.clock.sleep(TELL) => say(&Word::Counts(tallies.counts()))?,
        }
    };
    say(&Word::Counts(tallies.counts()))?;
    let outcome = outcome.map(|outcome| serde_json::to_value(outcome));
    say(&match outcome {
        Ok(Ok(outcome)) => Word::Outcome(outcome),
        Ok(Err(error)) => Word::Failed(error.to_string()),
        Err(error) => Word::Failed(error.to_string()),
    })?;
    orders.await;
    Ok(())
}

/// The lines of the input, read by a thread of their own; they end with the input.
fn read_lines(world: &World) -> mpsc::Receiver<String> {
    // A line more waits in the pipe.
    let (sender, lines) = mpsc::channel(CUES_MAX);
    world.tracker.spawn_blocking(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Passes cues on until the input ends.
async fn take_orders(lines: &mut mpsc::Receiver<String>, cues: mpsc::Sender<Cue>) {
    while let Some(line) = lines.recv().await {
        if let Ok(Order::Cue(cue)) = serde_json::from_str(&line)
            && cues.send(cue).await.is_err()
        {
            // The part is played; only the end of the input is still to come.
        }
    }
}

fn say(word: &Word) -> Result<(), Error> {
    let line = serde_json::to_string(word).expect("words can be written as JSON");
    say_line(&line)
}

/// Writes a line that a program reads.
///
/// # Errors
/// Nobody reads it any more.
pub(crate) fn say_line(line: &str) -> Result<(), Error> {
    use std::io::Write as _;
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

/// The note of a cue as a value.
///
/// # Errors
/// It is another one.
pub fn noted<T: DeserializeOwned>(note: Value) -> Result<T, Error> {
    serde_json::from_value(note).map_err(|error| Error::Worker(error.to_string()))
}
