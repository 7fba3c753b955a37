//! The daily backup. Of several nodes one writes it: the one that wrote the last, while it goes on; else another.

use std::fs;
use std::io;
use std::path::PathBuf;

use gateway::metric::Metric;
use storage::backup_turn::{self, Holder, Stored, Turn, TurnState};
use storage::node;

use super::tree::remove;
use super::{Backups, DAILY, PARTIAL, stamp, stamp_ms};
use crate::error::{Error, Result};

/// After this long a daily backup that failed is tried again, in milliseconds.
const AGAIN_MS: u64 = 60 * 60 * 1_000;

/// How long the node that wrote the last one has before others take its turn, in milliseconds.
const HEAD_START_MS: u64 = 60 * 1_000;

/// A node that lives and has not said in this long what became of its turn will not say it, in milliseconds.
const WRITING_MS_MAX: u64 = DAY_MS / 2;

/// How often it is looked at what became of another node's turn, in milliseconds.
const LOOK_MS: u64 = 5 * 60 * 1_000;

/// A day, in milliseconds.
pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What a node does about a backup that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It is written already, since then.
    Written { at_ms: u64 },
    /// It is another's turn, at least until then.
    Wait { until_ms: u64 },
    /// It is this node's turn.
    Take,
}

impl Backups {
    /// Writes a daily backup each day at its time until the server stops, and removes the oldest, where that is this
    /// node's turn. One that was missed while the server was down is made up for after start.
    pub async fn daily(self) {
        let Some(at_ms) = self.plan.daily_at_ms else {
            return;
        };
        let stop = self.world.tracker.soft().clone();
        let began_ms = self.world.clock.now_ms();
        let newest_ms = self.newest_ms().await;
        if let Some(newest_ms) = newest_ms {
            self.metrics.set(Metric::BackupWrittenAt, newest_ms / 1_000);
        }
        let mut next_ms = next_after(newest_ms.unwrap_or(began_ms), at_ms);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.world.clock.sleep_until_ms(next_ms) => {}
            }
            next_ms = self.look(at_ms, began_ms).await;
        }
    }

    /// Does what is to be done about the backup that is due; gives when to look again.
    async fn look(&self, at_ms: u64, began_ms: u64) -> u64 {
        let due_ms = next_after(self.world.clock.now_ms(), at_ms) - DAY_MS;
        let done = self.take_part(due_ms, began_ms).await;
        let now_ms = self.world.clock.now_ms();
        let next_ms = next_after(now_ms, at_ms);
        match done {
            Ok(None) => next_ms,
            Ok(Some(until_ms)) => next_ms.min(until_ms),
            Err(error) => {
                tracing::error!(%error, "the daily backup failed, and is tried again in an hour");
                next_ms.min(now_ms + AGAIN_MS)
            }
        }
    }

    /// Writes the backup that is due, where that is this node's turn; gives when to look again where it is another's.
    async fn take_part(&self, due_ms: u64, began_ms: u64) -> Result<Option<u64>> {
        let last = self.counted(backup_turn::find(&self.db.reader()).await)?;
        let known = last.as_ref().map(|last| &last.turn);
        let now_ms = self.world.clock.now_ms();
        if let Some(known) = known
            && self.counted(self.is_written_elsewhere(known, now_ms).await)?
        {
            return Ok(Some(now_ms + LOOK_MS));
        }
        match step(known, &self.holder, due_ms.max(began_ms), due_ms, now_ms) {
            Step::Written { at_ms } => {
                self.metrics.set(Metric::BackupWrittenAt, at_ms / 1_000);
                return Ok(None);
            }
            Step::Wait { until_ms } => return Ok(Some(until_ms)),
            Step::Take => {}
        }
        let turn = Turn {
            holder: self.holder.clone(),
            due_at_ms: due_ms,
            taken_at_ms: now_ms,
            state: TurnState::Taken,
        };
        let taken = backup_turn::put(&self.db, last.as_ref(), turn).await;
        let Some(taken) = self.counted(taken)? else {
            // Another node was quicker.
            return Ok(Some(now_ms + LOOK_MS));
        };
        let written = self.write_daily().await;
        self.end(&taken, written.is_ok()).await;
        let path = written?;
        tracing::info!(path = %path.display(), "daily backup written");
        Ok(None)
    }

    /// Whether another node writes one just now: it took the turn, and lives.
    async fn is_written_elsewhere(&self, last: &Turn, now_ms: u64) -> storage::Result<bool> {
        let seat = &last.holder.seat;
        if last.state != TurnState::Taken
            || *seat == self.holder.seat
            || now_ms >= last.taken_at_ms + WRITING_MS_MAX
        {
            return Ok(false);
        }
        let nodes = node::list(&self.db.reader()).await?;
        Ok(nodes.iter().any(|node| node.seat == *seat))
    }

    /// Tells other nodes what became of a turn.
    async fn end(&self, taken: &Stored, is_written: bool) {
        let state = match is_written {
            true => TurnState::Written,
            false => TurnState::Failed,
        };
        let turn = Turn {
            state,
            ..taken.turn.clone()
        };
        // One who thought that this node was dead may have taken the next turn: his counts then.
        if let Err(error) = backup_turn::put(&self.db, Some(taken), turn).await {
            tracing::warn!(%error, "what became of a backup could not be told to other nodes");
        }
    }

    async fn write_daily(&self) -> Result<PathBuf> {
        let name = format!("{DAILY}{}", stamp(self.world.clock.now_ms()));
        let target = self.plan.directory.join(name);
        self.write_to(&target).await?;
        self.prune().map_err(|source| Error::Backup {
            path: target.clone(),
            source,
        })?;
        Ok(target)
    }

    /// Removes all but the newest daily backups, and what a crash left half written.
    fn prune(&self) -> io::Result<()> {
        let mut whole = Vec::new();
        for entry in fs::read_dir(&self.plan.directory)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if name.starts_with(DAILY) && name.ends_with(PARTIAL) {
                remove(&path)?;
            } else if name.starts_with(DAILY) {
                whole.push(path);
            }
        }
        // The names sort like the times in them.
        whole.sort();
        let spare = whole.len().saturating_sub(self.plan.keep);
        whole[..spare].iter().try_for_each(|path| remove(path))
    }

    /// When the newest daily backup was made, here or by another node.
    async fn newest_ms(&self) -> Option<u64> {
        let names = fs::read_dir(&self.plan.directory).ok();
        let times = names.into_iter().flatten().flatten().filter_map(|entry| {
            let name = entry.file_name();
            stamp_ms(name.to_str()?.strip_prefix(DAILY)?)
        });
        // A store that does not answer now is asked again when one is due.
        let last = backup_turn::find(&self.db.reader()).await.ok().flatten();
        let last = last.filter(|last| last.turn.state == TurnState::Written);
        times.chain(last.map(|last| last.turn.taken_at_ms)).max()
    }
}

/// What a node does about the backup that was due at `due_ms`, and of which it knows since `since_ms`, where no other
/// one writes it just now.
fn step(last: Option<&Turn>, own: &Holder, since_ms: u64, due_ms: u64, now_ms: u64) -> Step {
    let Some(last) = last else {
        return Step::Take;
    };
    let until_ms = since_ms + HEAD_START_MS;
    match last.state {
        // Also where that node has another time of day for it.
        TurnState::Written if last.due_at_ms + DAY_MS / 2 > due_ms => Step::Written {
            at_ms: last.taken_at_ms,
        },
        TurnState::Written if last.holder.place != own.place && now_ms < until_ms => {
            Step::Wait { until_ms }
        }
        TurnState::Written | TurnState::Taken | TurnState::Failed => Step::Take,
    }
}

/// The first moment after `after_ms` at which the clock shows `daily_at_ms` past midnight, UTC.
fn next_after(after_ms: u64, daily_at_ms: u64) -> u64 {
    let today_ms = after_ms - after_ms % DAY_MS + daily_at_ms;
    if today_ms > after_ms {
        today_ms
    } else {
        today_ms + DAY_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_backup_is_the_first_moment_after() {
        let three_ms = 3 * 60 * 60 * 1_000;
        assert_eq!(next_after(0, three_ms), three_ms);
        assert_eq!(next_after(three_ms - 1, three_ms), three_ms);
        assert_eq!(next_after(three_ms, three_ms), three_ms + DAY_MS);
        assert_eq!(next_after(DAY_MS - 1, 0), DAY_MS);
    }

    const DUE_MS: u64 = 100 * DAY_MS;

    fn at(place: &str) -> Holder {
        Holder {
            place: place.to_owned(),
            seat: String::new(),
        }
    }

    /// What a node does, so long after a backup was due of which it knows since then.
    fn check(last: (&str, TurnState, u64), after_ms: u64, expected: Step) {
        let (place, state, taken_at_ms) = last;
        let last = Turn {
            holder: at(place),
            due_at_ms: taken_at_ms - taken_at_ms % DAY_MS,
            taken_at_ms,
            state,
        };
        let now_ms = DUE_MS + after_ms;
        let step = step(Some(&last), &at("here"), DUE_MS, DUE_MS, now_ms);
        assert_eq!(step, expected, "{last:?}, {after_ms} ms after");
    }

    #[test]
    fn who_wrote_the_last_goes_first_and_what_failed_anybody_takes() {
        use TurnState::{Failed, Taken, Written};
        let first = step(None, &at("here"), DUE_MS, DUE_MS, DUE_MS);
        assert_eq!(first, Step::Take);
        let yesterday_ms = DUE_MS - DAY_MS;
        check(("here", Written, yesterday_ms), 0, Step::Take);
        let until_ms = DUE_MS + HEAD_START_MS;
        check(("there", Written, yesterday_ms), 0, Step::Wait { until_ms });
        check(("there", Written, yesterday_ms), HEAD_START_MS, Step::Take);
        let at_ms = DUE_MS + 10;
        check(("there", Written, at_ms), 20, Step::Written { at_ms });
        check(("here", Written, at_ms), 20, Step::Written { at_ms });
        // That node is gone, or has failed.
        check(("there", Taken, at_ms), 20, Step::Take);
        check(("there", Failed, at_ms), 20, Step::Take);
    }
}
