//! How long customers waited for a first answer of the team. Read now and then, by nobody who waits for it.

use protocol::id::{SiteId, WorkspaceId};

use crate::conversation::slot;
use crate::db::{Reader, stmt};
use crate::error::Result;

/// Conversations that are looked at of each state, at most: the last ones.
const CONVERSATIONS_MAX: usize = 1_000;

/// The first answer is looked for among so many entries of a conversation.
macro_rules! list_waits {
    ($state:literal) => {
        concat!(
            "
    SELECT c.site_id, a.sent_at_ms - f.sent_at_ms AS waited_ms
    FROM (
        SELECT l.workspace_id, l.conversation_id, l.site_id
        FROM conversation l
        WHERE l.workspace_id = $1 AND l.state ",
            $state,
            " AND l.active_slot >= $2 AND l.created_at_ms >= $3 AND NOT l.spam
        ORDER BY l.active_slot DESC
        LIMIT $4) c
    JOIN entry f ON f.workspace_id = c.workspace_id AND f.conversation_id = c.conversation_id AND f.seq = 1
        AND f.author_kind = 'visitor'
    JOIN entry a ON a.workspace_id = c.workspace_id AND a.conversation_id = c.conversation_id AND a.seq = (
        SELECT MIN(n.seq) FROM entry n
        WHERE n.workspace_id = c.workspace_id AND n.conversation_id = c.conversation_id AND n.seq <= 64
            AND n.kind = 'message' AND n.author_kind = 'agent')"
        )
    };
}

/// Uses `conversation_alive` and the primary key.
const LIST_WAITS_ALIVE: &str = list_waits!("<> 'closed'");

/// Uses `conversation_closed` and the primary key.
const LIST_WAITS_CLOSED: &str = list_waits!("= 'closed'");

/// How long each customer waited whose conversation began since, was begun by himself and has an answer of a member, in
/// milliseconds, with the site; in no order. Of a workspace where more began the last ones count, and of each conversation the
/// first entries.
///
/// # Errors
/// The store's.
pub async fn waits(
    reader: &Reader,
    workspace_id: WorkspaceId,
    since_ms: u64,
) -> Result<Vec<(SiteId, u64)>> {
    let read = |sql| {
        stmt!(
            sql,
            workspace_id,
            slot(since_ms),
            since_ms,
            CONVERSATIONS_MAX
        )
    };
    let stmts = vec![read(LIST_WAITS_ALIVE), read(LIST_WAITS_CLOSED)];
    let answers = reader.snapshot(stmts).await?;
    let rows = answers.iter().flatten();
    rows.map(|row| Ok((row.id("site_id")?, row.number("waited_ms")?)))
        .collect()
}
