//! Groups: batches that wait are stored by one commit. What both databases share.

use std::time::Duration;

use tokio::sync::oneshot;
use world::Clock;

use crate::db::batch::{Answer, Batch, Stmt};
use crate::db::row::Row;
use crate::error::{Error, Result};

/// Batches of one commit, at most: 64 are 20 times cheaper than one by one, and stay under 50 ms.
pub(crate) const GROUP_MAX: usize = 64;

/// Statements of a commit, at most, but for those of its last batch: one that stores many messages is as
/// long as many that store one.
const GROUP_STMTS_MAX: usize = 8 * GROUP_MAX;

/// A batch that waits, and who waits for it.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) batch: Batch,
    pub(crate) reply: oneshot::Sender<Result<Vec<Answer>>>,
}

/// Reads that wait, and who waits for them.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) stmts: Vec<Stmt>,
    pub(crate) reply: oneshot::Sender<Result<Vec<Vec<Row>>>>,
}

/// The fault that a test planted at a point.
pub(crate) fn planted(faults: &world::Faults, point: &'static str) -> Result<()> {
    faults
        .check(point)
        .map_err(|fault| Error::Unavailable(fault.to_string()))
}

/// When groups are taken. Who is alone never waits. Where the last commit stored several batches, others are
/// on their way: a commit costs much more than a batch in it, so the next one begins a moment after the last
/// one began, not sooner. On a disk that takes longer than that to commit, nobody waits at all.
#[derive(Debug)]
pub(crate) struct Pace {
    clock: Clock,
    /// From the beginning of one commit to that of the next, while there is company.
    commit_every: Duration,
    began: Duration,
    had_company: bool,
}

impl Pace {
    pub(crate) fn new(clock: &Clock, commit_every: Duration) -> Self {
        Self {
            clock: clock.clone(),
            commit_every,
            began: Duration::ZERO,
            had_company: false,
        }
    }

    /// How long to wait before what waits is taken.
    fn wait(&self) -> Duration {
        if self.had_company {
            (self.began + self.commit_every).saturating_sub(self.clock.elapsed())
        } else {
            Duration::ZERO
        }
    }

    /// Takes from the queue what waits, up to a group, sorted by what it locks. Nothing once it is closed.
    pub(crate) fn next(&mut self, queue: &flume::Receiver<Write>) -> Option<Vec<Write>> {
        let first = queue.recv().ok()?;
        let wait = self.wait();
        if !wait.is_zero() {
            // A wait for the queue would be woken by each batch that comes.
            std::thread::sleep(wait);
        }
        Some(self.take(queue, first))
    }

    fn take(&mut self, queue: &flume::Receiver<Write>, first: Write) -> Vec<Write> {
        self.began = self.clock.elapsed();
        let waiting = rest(queue, first);
        self.had_company = waiting.len() > 1;
        waiting
    }
}

/// Adds to a first batch what waits besides.
pub(crate) fn rest(queue: &flume::Receiver<Write>, first: Write) -> Vec<Write> {
    let mut stmt_count = first.batch.stmts.len();
    let mut waiting = vec![first];
    while waiting.len() < GROUP_MAX
        && stmt_count < GROUP_STMTS_MAX
        && let Ok(write) = queue.try_recv()
    {
        stmt_count += write.batch.stmts.len();
        waiting.push(write);
    }
    // A stable sort: batches that lock the same stay in the order they came.
    waiting.sort_by(|one, other| one.batch.locks.cmp(&other.batch.locks));
    waiting
}

/// A database that stores a group by one commit, or nothing of it.
pub(crate) trait Home {
    /// Stores all of these, in this order, or none.
    fn commit(&mut self, batches: &[&Batch]) -> Result<Vec<Vec<Answer>>>;
}

/// Stores a group; if it fails, batch by batch, so that only what fails itself fails.
pub(crate) fn run(home: &mut impl Home, waiting: Vec<Write>) {
    let batches: Vec<&Batch> = waiting.iter().map(|write| &write.batch).collect();
    match home.commit(&batches) {
        Ok(answers) => reply(waiting.into_iter().zip(answers.into_iter().map(Ok))),
        Err(error) if waiting.len() == 1 => reply(waiting.into_iter().zip([Err(error)])),
        Err(error) => {
            tracing::debug!(%error, "a group failed and runs batch by batch");
            for write in waiting {
                let answer = home
                    .commit(&[&write.batch])
                    .map(|mut answers| answers.pop().unwrap_or_default());
                reply([(write, answer)]);
            }
        }
    }
}

/// Tells each who waits what came of his batch.
pub(crate) fn reply(answers: impl IntoIterator<Item = (Write, Result<Vec<Answer>>)>) {
    for (write, answer) in answers {
        // Who asked may have gone: what is stored stays, a retry finds it by its command.
        let _ = write.reply.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT_EVERY: Duration = Duration::from_millis(2);

    fn write() -> Write {
        Write {
            batch: Batch::default(),
            reply: oneshot::channel().0,
        }
    }

    #[test]
    fn a_group_is_bounded_by_its_batches_and_by_their_statements() {
        let (sender, queue) = flume::bounded(2 * GROUP_MAX);
        let take = |batch: &Batch| {
            for _ in 0..GROUP_MAX + 1 {
                let batch = batch.clone();
                let reply = oneshot::channel().0;
                sender.send(Write { batch, reply }).unwrap();
            }
            let first = queue.recv().unwrap();
            let count = rest(&queue, first).len();
            queue.drain();
            count
        };
        assert_eq!(take(&Batch::default()), GROUP_MAX);
        let long = Batch {
            stmts: vec![Stmt::new("", Vec::new()); GROUP_STMTS_MAX / 4],
            ..Batch::default()
        };
        assert_eq!(take(&long), 4);
    }

    #[test]
    fn who_is_alone_does_not_wait_and_company_is_waited_for_a_moment() {
        let clock = Clock::manual(0);
        clock.advance(Duration::from_secs(1));
        let mut pace = Pace::new(&clock, COMMIT_EVERY);
        let (sender, queue) = flume::bounded(8);
        let mut take = |count: usize| {
            (0..count).for_each(|_| sender.send(write()).unwrap());
            let taken = pace.next(&queue).unwrap();
            assert_eq!(taken.len(), count);
            pace.wait()
        };
        assert_eq!(take(1), Duration::ZERO);
        assert_eq!(take(3), COMMIT_EVERY);
        clock.advance(COMMIT_EVERY / 4);
        assert_eq!(take(2), COMMIT_EVERY);
        assert_eq!(take(1), Duration::ZERO);
        take(2);
        clock.advance(COMMIT_EVERY);
        assert_eq!(pace.wait(), Duration::ZERO, "the commit took long enough");
    }
}
