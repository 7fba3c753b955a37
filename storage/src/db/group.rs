//! Groups: batches that wait are stored by one commit. What both databases share.

use tokio::sync::oneshot;

use crate::db::batch::{Answer, Batch, Stmt};
use crate::db::row::Row;
use crate::error::{Error, Result};

/// Batches of one commit, at most: 64 are 20 times cheaper than one by one, and stay under 50 ms.
pub(crate) const GROUP_MAX: usize = 64;

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

/// Takes from the queue what waits, up to a group, sorted by what it locks. Nothing once it is closed.
pub(crate) fn next(queue: &flume::Receiver<Write>) -> Option<Vec<Write>> {
    let first = queue.recv().ok()?;
    Some(rest(queue, first))
}

/// Adds to a first batch what waits besides.
pub(crate) fn rest(queue: &flume::Receiver<Write>, first: Write) -> Vec<Write> {
    let mut waiting = vec![first];
    waiting.extend(queue.try_iter().take(GROUP_MAX - 1));
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
