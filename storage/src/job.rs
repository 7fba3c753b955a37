//! Jobs: work that may be tried again. Ids only, never bodies.

use protocol::id::{JobId, WorkspaceId};

use crate::db::{Batch, Db, Reader, Row, stmt};
use crate::error::Result;

/// Work to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// What.
    pub kind: String,
    /// With which ids, as JSON.
    pub subject_json: String,
    /// How often it was tried.
    pub attempt_count: u32,
    /// When it may be tried.
    pub due_at_ms: u64,
}

const INSERT_JOB: &str = "
    INSERT INTO job (workspace_id, job_id, kind, subject_json, attempt_count, due_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6)";

/// Stores a job.
///
/// # Errors
/// The store's.
pub async fn create(db: &Db, job: &Job) -> Result<()> {
    let mut batch = Batch::locking(vec![job.id.to_string()]);
    batch.push(stmt!(
        INSERT_JOB,
        job.workspace_id,
        job.id,
        job.kind.as_str(),
        job.subject_json.as_str(),
        job.attempt_count,
        job.due_at_ms,
    ));
    db.batch(batch).await?;
    Ok(())
}

/// Uses `job_by_due`. The due time is asked again outside, for on Postgres another taker may have moved it
/// while this one waited for the row.
const TAKE_JOBS: &str = "
    UPDATE job SET due_at_ms = $2, attempt_count = attempt_count + 1
    WHERE due_at_ms <= $1
        AND (workspace_id, job_id) IN (
            SELECT workspace_id, job_id FROM job WHERE due_at_ms <= $1 ORDER BY due_at_ms LIMIT $3)
    RETURNING workspace_id, job_id, kind, subject_json, attempt_count, due_at_ms";

/// Takes jobs that are due, at most `limit`: nobody else gets them before `until_ms`.
///
/// # Errors
/// The store's.
pub async fn take(db: &Db, now_ms: u64, until_ms: u64, limit: usize) -> Result<Vec<Job>> {
    let mut batch = Batch::locking(vec!["job".to_owned()]);
    let take = batch.push(stmt!(TAKE_JOBS, now_ms, until_ms, limit));
    db.batch(batch).await?[take]
        .rows
        .iter()
        .map(decode)
        .collect()
}

const DELETE_JOB: &str = "DELETE FROM job WHERE workspace_id = $1 AND job_id = $2";

/// Removes a job that is done.
///
/// # Errors
/// The store's.
pub async fn done(db: &Db, job: &Job) -> Result<()> {
    let mut batch = Batch::locking(vec![job.id.to_string()]);
    batch.push(stmt!(DELETE_JOB, job.workspace_id, job.id));
    db.batch(batch).await?;
    Ok(())
}

/// Uses `job_by_due`.
const FIND_NEXT_DUE: &str = "SELECT MIN(due_at_ms) AS due_at_ms FROM job";

/// When the next job is due.
///
/// # Errors
/// The store's.
pub async fn next_due_at_ms(reader: &Reader) -> Result<Option<u64>> {
    let rows = reader.rows(stmt!(FIND_NEXT_DUE)).await?;
    rows.first()
        .map_or(Ok(None), |row| row.maybe_number("due_at_ms"))
}

fn decode(row: &Row) -> Result<Job> {
    Ok(Job {
        id: row.id("job_id")?,
        workspace_id: row.id("workspace_id")?,
        kind: row.text("kind")?,
        subject_json: row.text("subject_json")?,
        attempt_count: row.small("attempt_count")?,
        due_at_ms: row.number("due_at_ms")?,
    })
}
