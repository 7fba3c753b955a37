//! Login sessions: signed-in browsers. The secret is stored as a hash.

use protocol::event::EventType;
use protocol::id::{AgentId, EventId, LoginSessionId, UserId, WorkspaceId};
use protocol::limit;
use protocol::page::{Cursor, List, Page};
use protocol::permission::Scope;
use protocol::setup::{Attendance, SignIn};

use crate::audit::Change;
use crate::change::Stamp;
use crate::db::{Batch, Db, PRUNE_SLICE, Reader, Row, Stmt, stmt};
use crate::error::{Error, Result, Written};
use crate::page::{After, page};

/// The longest pause between two uses of a session through which somebody is taken to be there: a console that is
/// open asks for a token at least every 15 minutes, and a use is noted at most every five.
pub const PAUSE_MS_MAX: u64 = 20 * 60 * 1_000;

/// A session's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id.
    pub id: LoginSessionId,
    /// Whose.
    pub user_id: UserId,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// When it began.
    pub created_at_ms: u64,
    /// When it was last used.
    pub seen_at_ms: u64,
    /// When it lapses.
    pub expires_at_ms: u64,
    /// The network address it began from.
    pub address: String,
    /// The country, where a source for it was configured.
    pub country: Option<String>,
    /// The browser.
    pub user_agent: String,
}

/// Whoever changes more than one session of a user locks his account first: a sign-in then sees what a new
/// password or a deactivation left, and they end what a sign-in stored.
pub(crate) const LOCK_ACCOUNT: &str =
    "UPDATE account SET password_hash = password_hash WHERE user_id = $1";

macro_rules! insert_session {
    ($from:literal) => {
        concat!(
            "
    INSERT INTO login_session
        (session_id, user_id, secret_hash, created_at_ms, seen_at_ms, expires_at_ms, address, user_agent,
            country)
    SELECT $1, $2, $3, CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), $7, $8, CAST($9 AS TEXT)
    FROM ",
            $from
        )
    };
}

/// Uses the primary key, and `agent_by_user`.
const INSERT_SESSION_WHERE_CHECKED: &str = insert_session!(
    "account
    WHERE user_id = $2 AND password_hash = $10
        AND EXISTS (SELECT 1 FROM agent WHERE user_id = $2 AND deactivated_at_ms IS NULL)"
);

const INSERT_SESSION_WHERE_AUDITED: &str =
    insert_session!("audit_entry WHERE workspace_id = $10 AND audit_id = $11");

fn insert(sql: &'static str, session: &SessionRow) -> Stmt {
    stmt!(
        sql,
        session.id,
        session.user_id,
        session.secret_hash,
        session.created_at_ms,
        session.seen_at_ms,
        session.expires_at_ms,
        session.address.as_str(),
        session.user_agent.as_str(),
        session.country.clone(),
    )
}

/// Stores a session where the audit line stands.
pub(crate) fn insert_where_audited(
    session: &SessionRow,
    stamp: &Stamp<'_>,
    workspace_id: WorkspaceId,
) -> Stmt {
    let mut stmt = insert(INSERT_SESSION_WHERE_AUDITED, session);
    stmt.params.extend([workspace_id.into(), stamp.id.into()]);
    stmt
}

/// Uses `login_session_by_user`. The other sessions of a user by their last use; those past `$4` end, where the
/// new one stands.
const END_SESSIONS_OVER: &str = "
    UPDATE login_session SET ended_at_ms = $3
    WHERE user_id = $1
        AND EXISTS (SELECT 1 FROM login_session WHERE session_id = $2)
        AND session_id IN (
            SELECT o.session_id FROM login_session o
            WHERE o.user_id = $1 AND o.session_id <> $2 AND o.ended_at_ms IS NULL AND o.expires_at_ms > $3
            ORDER BY o.seen_at_ms DESC, o.session_id DESC
            LIMIT 1000 OFFSET $4)
    RETURNING session_id";

/// Ends the sessions that are too many beside a new one, and tells of them; where their ids will be.
pub(crate) fn push_ending_over(batch: &mut Batch, session: &SessionRow) -> usize {
    let (user_id, at_ms) = (session.user_id, session.created_at_ms);
    let kept = limit::LOGIN_SESSIONS_MAX - 1;
    let ended = batch.push(stmt!(END_SESSIONS_OVER, user_id, session.id, at_ms, kept));
    batch.push(all_ended(user_id, at_ms));
    ended
}

/// Stores a session for whom this password was checked, and gives those that ended for it: a user has at most
/// `LOGIN_SESSIONS_MAX`, and the ones that were not used for longest give way. `Refused` where the account has
/// another password now, or is a member nowhere any more.
///
/// # Errors
/// The store's.
pub async fn create(
    db: &Db,
    session: &SessionRow,
    password_hash: &str,
) -> Result<Written<Vec<LoginSessionId>>> {
    let mut batch = Batch::locking(vec![session.user_id.to_string()]);
    batch.push(stmt!(LOCK_ACCOUNT, session.user_id));
    let mut stmt = insert(INSERT_SESSION_WHERE_CHECKED, session);
    stmt.params.push(password_hash.into());
    let begun = batch.push(stmt);
    let over = push_ending_over(&mut batch, session);
    let answers = db.batch(batch).await?;
    if answers[begun].changed == 0 {
        return Ok(Written::Refused);
    }
    let ended = answers[over].rows.iter().map(|row| row.id("session_id"));
    Ok(Written::Done(ended.collect::<Result<_>>()?))
}

/// Uses `login_session_by_secret`.
const FIND_SESSION_BY_SECRET: &str = "
    SELECT session_id, user_id, secret_hash, created_at_ms, seen_at_ms, expires_at_ms, address, country,
        user_agent
    FROM login_session
    WHERE secret_hash = $1 AND ended_at_ms IS NULL AND expires_at_ms > $2";

/// The living session with this secret.
///
/// # Errors
/// The store's.
pub async fn by_secret(
    reader: &Reader,
    secret_hash: &[u8; 32],
    now_ms: u64,
) -> Result<Option<SessionRow>> {
    let rows = reader
        .rows(stmt!(FIND_SESSION_BY_SECRET, *secret_hash, now_ms))
        .await?;
    rows.first().map(decode).transpose()
}

/// Uses the primary key.
const FIND_SESSION: &str = "
    SELECT session_id, user_id, secret_hash, created_at_ms, seen_at_ms, expires_at_ms, address, country,
        user_agent
    FROM login_session
    WHERE session_id = $1 AND ended_at_ms IS NULL AND expires_at_ms > $2";

/// A living session.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    session_id: LoginSessionId,
    now_ms: u64,
) -> Result<Option<SessionRow>> {
    let rows = reader.rows(stmt!(FIND_SESSION, session_id, now_ms)).await?;
    rows.first().map(decode).transpose()
}

const TOUCH_SESSION: &str = "
    UPDATE login_session SET seen_at_ms = $2, expires_at_ms = $3
    WHERE session_id = $1 AND ended_at_ms IS NULL AND seen_at_ms < $2";

/// Uses the primary key.
const EXTEND_USE: &str = "
    UPDATE login_use SET ended_at_ms = $3
    WHERE session_id = $1 AND ended_at_ms >= $2 AND ended_at_ms < $3";

/// Uses the primary key. A stretch begins with the use before this one.
const BEGIN_USE: &str = "
    INSERT INTO login_use (session_id, began_at_ms, user_id, ended_at_ms)
    SELECT session_id, CAST($2 AS BIGINT), user_id, CAST($3 AS BIGINT)
    FROM login_session
    WHERE session_id = $1 AND ended_at_ms IS NULL
        AND NOT EXISTS (SELECT 1 FROM login_use WHERE session_id = $1 AND ended_at_ms >= $2)";

/// Notes that a session was used again at `seen_at_ms`, and when it lapses now. From its use before to this one
/// somebody was there, where that was no longer ago than [`PAUSE_MS_MAX`].
///
/// # Errors
/// The store's.
pub async fn touch(
    db: &Db,
    before: &SessionRow,
    seen_at_ms: u64,
    expires_at_ms: u64,
) -> Result<()> {
    let mut batch = Batch::locking(vec![before.id.to_string()]);
    if seen_at_ms.saturating_sub(before.seen_at_ms) <= PAUSE_MS_MAX {
        for sql in [EXTEND_USE, BEGIN_USE] {
            batch.push(stmt!(sql, before.id, before.seen_at_ms, seen_at_ms));
        }
    }
    batch.push(stmt!(TOUCH_SESSION, before.id, seen_at_ms, expires_at_ms));
    db.batch(batch).await?;
    Ok(())
}

const END_SESSION: &str = "
    UPDATE login_session SET ended_at_ms = $3
    WHERE user_id = $1 AND session_id = $2 AND ended_at_ms IS NULL";

/// Ends a session of a user; gives whether it was alive. Appends `session.ended` in each of the user's workspaces.
///
/// # Errors
/// The store's.
pub async fn end(db: &Db, user_id: UserId, session_id: LoginSessionId, at_ms: u64) -> Result<bool> {
    let mut batch = Batch::locking(vec![user_id.to_string()]);
    let end = batch.push(stmt!(END_SESSION, user_id, session_id, at_ms));
    push_event(&mut batch, db, user_id, session_id, at_ms);
    Ok(db.batch(batch).await?[end].changed == 1)
}

/// Ends all sessions of a user but `keep`.
///
/// # Errors
/// The store's.
pub async fn end_all(
    db: &Db,
    user_id: UserId,
    keep: Option<LoginSessionId>,
    at_ms: u64,
) -> Result<()> {
    let mut batch = Batch::locking(vec![user_id.to_string()]);
    batch.push(stmt!(LOCK_ACCOUNT, user_id));
    batch.push(ending(user_id, keep, at_ms));
    batch.push(all_ended(user_id, at_ms));
    db.batch(batch).await?;
    Ok(())
}

const END_SESSIONS: &str = "
    UPDATE login_session SET ended_at_ms = $3
    WHERE user_id = $1 AND session_id <> $2 AND ended_at_ms IS NULL";

/// The same, where the account has this password.
const END_SESSIONS_OF_BEFORE: &str = "
    UPDATE login_session SET ended_at_ms = $3
    WHERE user_id = $1 AND session_id <> $2 AND ended_at_ms IS NULL
        AND EXISTS (SELECT 1 FROM account WHERE user_id = $1 AND password_hash = $4)";

/// One event per session and workspace of the user. A session ends once, so its event can be called as it is.
const INSERT_ALL_ENDED: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT 'evt_' || SUBSTR(s.session_id, 5), a.workspace_id, $3, s.session_id,
        CAST($2 AS BIGINT), CAST($2 AS BIGINT)
    FROM login_session s
    JOIN agent a ON a.user_id = s.user_id
    WHERE s.user_id = $1 AND s.ended_at_ms = $2";

fn all_ended(user_id: UserId, at_ms: u64) -> Stmt {
    let told = EventType::SessionEnded.as_str();
    stmt!(INSERT_ALL_ENDED, user_id, at_ms, told)
}

/// Ends all sessions of a user but `keep`, however many there are, where his password is the one that the batch
/// before this has set.
pub(crate) fn push_ending_of_before(
    batch: &mut Batch,
    user_id: UserId,
    keep: Option<LoginSessionId>,
    password_hash: &str,
    at_ms: u64,
) {
    let mut stmt = ending(user_id, keep, at_ms);
    stmt.sql = END_SESSIONS_OF_BEFORE;
    stmt.params.push(password_hash.into());
    batch.push(stmt);
    batch.push(all_ended(user_id, at_ms));
}

/// Uses `login_session_by_user`, and `agent_by_user`.
const END_SESSIONS_OF_LEAVER: &str = "
    UPDATE login_session SET ended_at_ms = $2
    WHERE user_id = $1 AND ended_at_ms IS NULL
        AND EXISTS (SELECT 1 FROM audit_entry WHERE workspace_id = $3 AND audit_id = $4)
        AND NOT EXISTS (SELECT 1 FROM agent WHERE user_id = $1 AND deactivated_at_ms IS NULL)";

/// Ends all sessions of a user whom this change deactivated, where that was his last membership. His account
/// was locked before: who leaves two teams at once has left both for the later of them.
pub(crate) fn push_ending_of_leaver(
    batch: &mut Batch,
    user_id: UserId,
    stamp: &Stamp<'_>,
    change: &Change,
) {
    batch.push(stmt!(
        END_SESSIONS_OF_LEAVER,
        user_id,
        change.at_ms,
        change.workspace_id,
        stamp.id,
    ));
    batch.push(all_ended(user_id, change.at_ms));
}

fn ending(user_id: UserId, keep: Option<LoginSessionId>, at_ms: u64) -> Stmt {
    let kept = keep.map(|session_id| session_id.to_string());
    stmt!(END_SESSIONS, user_id, kept.unwrap_or_default(), at_ms)
}

/// One event per workspace of the user, where the session ended just now: the same event, told to each.
const INSERT_ENDED: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $1, a.workspace_id, $2, s.session_id, CAST($5 AS BIGINT), CAST($5 AS BIGINT)
    FROM login_session s
    JOIN agent a ON a.user_id = s.user_id
    WHERE s.session_id = $3 AND s.user_id = $4 AND s.ended_at_ms = $5";

fn push_event(batch: &mut Batch, db: &Db, user_id: UserId, session_id: LoginSessionId, at_ms: u64) {
    let event_id: EventId = db.world().ids.next();
    batch.push(stmt!(
        INSERT_ENDED,
        event_id,
        EventType::SessionEnded.as_str(),
        session_id,
        user_id,
        at_ms,
    ));
}

/// Uses `login_session_by_user`.
const LIST_SESSIONS: &str = "
    SELECT session_id, user_id, secret_hash, created_at_ms, seen_at_ms, expires_at_ms, address, country,
        user_agent
    FROM login_session
    WHERE user_id = $1 AND ended_at_ms IS NULL AND expires_at_ms > $2
    ORDER BY created_at_ms DESC
    LIMIT $3";

/// The living sessions of a user, newest first.
///
/// # Errors
/// The store's.
pub async fn list(reader: &Reader, user_id: UserId, now_ms: u64) -> Result<Vec<SessionRow>> {
    let most = limit::LOGIN_SESSIONS_MAX;
    let rows = reader
        .rows(stmt!(LIST_SESSIONS, user_id, now_ms, most))
        .await?;
    rows.iter().map(decode).collect()
}

/// Sign-ins of a team, narrowed by a condition.
macro_rules! list_sign_ins {
    ($condition:literal) => {
        concat!(
            "
    SELECT a.agent_id, s.session_id, s.address, s.country, s.user_agent, s.created_at_ms, s.seen_at_ms,
        COALESCE(s.ended_at_ms, CASE WHEN s.expires_at_ms <= $2 THEN s.expires_at_ms END) AS over_at_ms
    FROM agent a
    JOIN login_session s ON s.user_id = a.user_id
    WHERE a.workspace_id = $1 AND s.seen_at_ms >= $3 AND (s.created_at_ms, s.session_id) < ($4, $5)",
            $condition,
            "
    ORDER BY s.created_at_ms DESC, s.session_id DESC
    LIMIT $6"
        )
    };
}

/// Uses the primary key of `agent`, and `login_session_by_user`: as many as the team has that are not forgotten.
const LIST_SIGN_INS: &str = list_sign_ins!("");

/// Uses the same.
const LIST_SIGN_INS_OF_AGENT: &str = list_sign_ins!(" AND a.agent_id = $7");

/// Which sign-ins are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInQuery {
    /// Of one member; of all when absent.
    pub agent_id: Option<AgentId>,
    /// Used at this time or later.
    pub since_ms: u64,
    /// Where the page begins.
    pub cursor: Option<Cursor<LoginSessionId>>,
    /// Rows, at most.
    pub limit: usize,
}

/// Sign-ins of a team, newest first, also those that are over and not forgotten yet.
///
/// # Errors
/// The store's.
pub async fn sign_ins(
    reader: &Reader,
    scope: &Scope,
    query: &SignInQuery,
    now_ms: u64,
) -> Result<Page<SignIn>> {
    let limit = query.limit.min(limit::PAGE_ROWS_MAX);
    let after = After::of(query.cursor.as_ref());
    let mut stmt = stmt!(
        LIST_SIGN_INS,
        scope.workspace_id(),
        now_ms,
        query.since_ms,
        after.at_ms,
        after.id,
        limit + 1,
    );
    if let Some(agent_id) = query.agent_id {
        stmt.sql = LIST_SIGN_INS_OF_AGENT;
        stmt.params.push(agent_id.into());
    }
    let rows = reader.rows(stmt).await?;
    page(&rows, limit, decode_sign_in, |sign_in| {
        let (at_ms, id) = (sign_in.created_at_ms, sign_in.id);
        Cursor { at_ms, id }.text(List::SignIns)
    })
}

/// Uses the primary key of `agent`, and `login_use_by_user`. What reaches into a stretch before it by the same user
/// is taken off, so that several browsers at once count once.
const LIST_ATTENDANCE: &str = "
    SELECT agent_id, CAST(SUM(CASE
        WHEN before_ms IS NULL OR before_ms <= start_ms THEN ended_at_ms - start_ms
        WHEN before_ms < ended_at_ms THEN ended_at_ms - before_ms
        ELSE 0 END) AS BIGINT) AS used_ms
    FROM (
        SELECT a.agent_id, u.ended_at_ms,
            CASE WHEN u.began_at_ms < CAST($2 AS BIGINT) THEN CAST($2 AS BIGINT) ELSE u.began_at_ms END AS start_ms,
            MAX(u.ended_at_ms) OVER (PARTITION BY a.agent_id ORDER BY u.began_at_ms, u.session_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_ms
        FROM agent a
        JOIN login_use u ON u.user_id = a.user_id
        WHERE a.workspace_id = $1 AND u.ended_at_ms > $2) AS stretch
    GROUP BY agent_id
    ORDER BY agent_id";

/// How long each member was there since a time, by all his sign-ins that are not forgotten; several at once count
/// once. Members who were not are left out.
///
/// # Errors
/// The store's.
pub async fn attendance(reader: &Reader, scope: &Scope, since_ms: u64) -> Result<Vec<Attendance>> {
    let stmt = stmt!(LIST_ATTENDANCE, scope.workspace_id(), since_ms);
    let rows = reader.rows(stmt).await?;
    let decode = |row: &Row| {
        Ok(Attendance {
            agent_id: row.id("agent_id")?,
            used_ms: row.number("used_ms")?,
        })
    };
    rows.iter().map(decode).collect()
}

fn decode_sign_in(row: &Row) -> Result<SignIn> {
    Ok(SignIn {
        id: row.id("session_id")?,
        agent_id: row.id("agent_id")?,
        address: row.text("address")?,
        country: row.maybe_text("country")?,
        user_agent: row.text("user_agent")?,
        created_at_ms: row.number("created_at_ms")?,
        seen_at_ms: row.number("seen_at_ms")?,
        ended_at_ms: row.maybe_number("over_at_ms")?,
    })
}

// Uses `login_session_by_expiry`.
const DELETE_LAPSED: &str = "
    DELETE FROM login_session WHERE session_id IN (
        SELECT s.session_id FROM login_session s
        WHERE s.expires_at_ms < $1 ORDER BY s.expires_at_ms, s.session_id LIMIT $2)";

// Uses `login_session_by_expiry`, and the primary key of the uses.
const DELETE_USES: &str = "
    DELETE FROM login_use WHERE session_id IN (
        SELECT s.session_id FROM login_session s
        WHERE s.expires_at_ms < $1 ORDER BY s.expires_at_ms, s.session_id LIMIT $2)";

/// Forgets sessions that lapsed, or would have, before `before_ms`, at most a slice; gives how many.
///
/// # Errors
/// The store's.
pub async fn prune(db: &Db, before_ms: u64) -> Result<u64> {
    let mut batch = Batch::locking(vec!["login_session".to_owned()]);
    batch.push(stmt!(DELETE_USES, before_ms, PRUNE_SLICE));
    let lapsed = batch.push(stmt!(DELETE_LAPSED, before_ms, PRUNE_SLICE));
    Ok(db.batch(batch).await?[lapsed].changed)
}

fn decode(row: &Row) -> Result<SessionRow> {
    Ok(SessionRow {
        id: row.id("session_id")?,
        user_id: row.id("user_id")?,
        secret_hash: row
            .bytes("secret_hash")?
            .try_into()
            .map_err(|_| Error::Corrupt("secret_hash has not 32 bytes".to_owned()))?,
        created_at_ms: row.number("created_at_ms")?,
        seen_at_ms: row.number("seen_at_ms")?,
        expires_at_ms: row.number("expires_at_ms")?,
        address: row.text("address")?,
        country: row.maybe_text("country")?,
        user_agent: row.text("user_agent")?,
    })
}
