//! To do: what is asked of a member. It is stored with the entry that asks; what is listed here is read from that, so
//! a note that was taken back is in no list, and neither is a conversation that is another's by now.

use protocol::conversation::State;
use protocol::event::EventType;
use protocol::id::{AgentId, EntryId, EventId, WorkspaceId};
use protocol::limit;
use protocol::message::{Format, plain_text};
use protocol::page::{Cursor, List, Page};
use protocol::permission::Scope;
use protocol::text::cut;
use protocol::todo::{Todo, TodoFilter, TodoKind, TodoMark, TodoMarking};

use crate::contact::name_of;
use crate::db::{Batch, Db, Reader, Row, stmt};
use crate::entry::author_of;
use crate::error::{Result, Written};
use crate::page::{After, page};

/// Bytes of what a list shows of a note.
const TEXT_BYTES_MAX: usize = 300;

/// What is asked of a member, narrowed by a condition. Of the assignments of one conversation the last one stands.
macro_rules! list_todos {
    ($condition:literal) => {
        concat!(
            "
    SELECT t.entry_id, t.kind, t.conversation_id, t.seq, t.at_ms, t.read_at_ms, t.done_at_ms,
        e.author_kind, e.author_id, e.author_contact_id, w.format, w.body, c.state, c.preview_text,
        r.name, r.email, r.handle, COALESCE(p.read_seq, 0) AS read_seq
    FROM todo t
    JOIN entry e ON e.workspace_id = t.workspace_id AND e.conversation_id = t.conversation_id AND e.seq = t.seq
    JOIN conversation c ON c.workspace_id = t.workspace_id AND c.conversation_id = t.conversation_id
    JOIN contact k ON k.workspace_id = c.workspace_id AND k.contact_id = c.contact_id
    JOIN contact r ON r.workspace_id = k.workspace_id AND r.contact_id = k.root_id
    LEFT JOIN message w ON w.workspace_id = t.workspace_id AND w.entry_id = t.entry_id
    LEFT JOIN participant p ON p.workspace_id = t.workspace_id AND p.conversation_id = t.conversation_id
        AND p.party = t.agent_id
    WHERE t.workspace_id = $1 AND t.agent_id = $2 AND (t.at_ms, t.entry_id) < ($3, $4) AND ",
            $condition,
            " AND w.deleted_at_ms IS NULL
        AND (t.kind = 'mention' OR c.assignee_id = t.agent_id AND NOT EXISTS (
            SELECT 1 FROM todo n
            WHERE n.workspace_id = t.workspace_id AND n.agent_id = t.agent_id
                AND n.conversation_id = t.conversation_id AND n.seq > t.seq AND n.kind = 'assignment'))
    ORDER BY t.at_ms DESC, t.entry_id DESC
    LIMIT $5"
        )
    };
}

/// Uses `todo_open`, `todo_of_conversation` and primary keys.
const LIST_ALL: &str = list_todos!("t.done_at_ms IS NULL");

/// Uses the same. What was read by reading the conversation is passed over.
const LIST_UNREAD: &str = list_todos!(
    "t.done_at_ms IS NULL AND t.read_at_ms IS NULL AND COALESCE(p.read_seq, 0) < t.seq"
);

/// Uses the same, and reads over what was assigned.
const LIST_MENTIONS: &str = list_todos!("t.done_at_ms IS NULL AND t.kind = 'mention'");

/// Uses `todo_done`, `todo_of_conversation` and primary keys.
const LIST_DONE: &str = list_todos!("t.done_at_ms IS NOT NULL");

/// The list whose cursors those of a filter are.
#[must_use]
pub fn list_of(filter: TodoFilter) -> List {
    match filter {
        TodoFilter::All => List::Todos,
        TodoFilter::Unread => List::TodosUnread,
        TodoFilter::Mentions => List::TodosMentions,
        TodoFilter::Done => List::TodosDone,
    }
}

/// What is asked of a member, newest first.
///
/// # Errors
/// The store's.
pub async fn list(
    reader: &Reader,
    scope: &Scope,
    agent_id: AgentId,
    filter: TodoFilter,
    cursor: Option<&Cursor<EntryId>>,
    limit: usize,
) -> Result<Page<Todo>> {
    let limit = limit.min(limit::PAGE_ROWS_MAX);
    let after = After::of(cursor);
    let sql = match filter {
        TodoFilter::All => LIST_ALL,
        TodoFilter::Unread => LIST_UNREAD,
        TodoFilter::Mentions => LIST_MENTIONS,
        TodoFilter::Done => LIST_DONE,
    };
    let rows = reader
        .rows(stmt!(
            sql,
            scope.workspace_id(),
            agent_id,
            after.at_ms,
            after.id,
            limit + 1,
        ))
        .await?;
    page(&rows, limit, decode, |todo| {
        let (at_ms, id) = (todo.at_ms, todo.entry_id);
        Cursor { at_ms, id }.text(list_of(filter))
    })
}

/// By the primary key.
const FIND_TODO: &str = "
    SELECT read_at_ms, done_at_ms FROM todo WHERE workspace_id = $1 AND agent_id = $2 AND entry_id = $3";

macro_rules! mark_todo {
    ($change:literal) => {
        concat!(
            "
    UPDATE todo SET ",
            $change,
            "
    WHERE workspace_id = $1 AND agent_id = $2 AND entry_id = $3"
        )
    };
}

const READ_TODO: &str = mark_todo!("read_at_ms = COALESCE(read_at_ms, CAST($4 AS BIGINT))");

const DO_TODO: &str = mark_todo!(
    "read_at_ms = COALESCE(read_at_ms, CAST($4 AS BIGINT)),
        done_at_ms = COALESCE(done_at_ms, CAST($4 AS BIGINT))"
);

/// What is not done after all was read all the same.
const OPEN_TODO: &str = mark_todo!(
    "read_at_ms = COALESCE(read_at_ms, CAST($4 AS BIGINT)),
        done_at_ms = NULL"
);

const INSERT_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    VALUES ($1, $2, $3, $4, $5, $6)";

/// Marks some of what is asked of a member, at most 100, and tells of it where that changes anything: one transaction.
/// `NotFound` where one of them is nothing that is asked of him; nothing is marked then.
///
/// # Errors
/// The store's.
pub async fn mark(
    db: &Db,
    workspace_id: WorkspaceId,
    agent_id: AgentId,
    marking: &TodoMarking,
    at_ms: u64,
) -> Result<Written<()>> {
    // In one order, so that no two who mark the same wait for each other.
    let mut ids = marking.entry_ids.clone();
    ids.sort();
    ids.dedup();
    let find = |id: &EntryId| stmt!(FIND_TODO, workspace_id, agent_id, *id);
    // Nothing takes one away, so what is found now is there when it is marked.
    let found = db.snapshot(ids.iter().map(find).collect()).await?;
    if found.iter().any(Vec::is_empty) {
        return Ok(Written::NotFound);
    }
    let mut batch = Batch::locking(vec![format!("{agent_id} todo")]);
    let sql = match marking.mark {
        TodoMark::Read => READ_TODO,
        TodoMark::Done => DO_TODO,
        TodoMark::Open => OPEN_TODO,
    };
    for (id, rows) in ids.iter().zip(&found) {
        if changes(marking.mark, &rows[0])? {
            batch.push(stmt!(sql, workspace_id, agent_id, *id, at_ms));
        }
    }
    if batch.stmts.is_empty() {
        return Ok(Written::Done(()));
    }
    batch.push(stmt!(
        INSERT_EVENT,
        db.world().ids.next::<EventId>(),
        workspace_id,
        EventType::TodoChanged.as_str(),
        agent_id,
        0_u64,
        at_ms,
    ));
    db.batch(batch).await?;
    Ok(Written::Done(()))
}

/// Whether a mark says something new of one.
fn changes(mark: TodoMark, row: &Row) -> Result<bool> {
    let is_read = row.maybe_number("read_at_ms")?.is_some();
    let is_done = row.maybe_number("done_at_ms")?.is_some();
    Ok(match mark {
        TodoMark::Read => !is_read,
        TodoMark::Done => !is_done,
        TodoMark::Open => is_done,
    })
}

fn decode(row: &Row) -> Result<Todo> {
    let seq = row.number("seq")?;
    let kind = row.word("kind", TodoKind::of)?;
    let text = match kind {
        TodoKind::Mention => plain_text(row.word("format", Format::of)?, &row.text("body")?),
        TodoKind::Assignment => row.text("preview_text")?,
    };
    Ok(Todo {
        entry_id: row.id("entry_id")?,
        kind,
        conversation_id: row.id("conversation_id")?,
        seq,
        state: row.word("state", State::of)?,
        contact_name: name_of(row)?,
        author: author_of(row)?,
        text: cut(&text, TEXT_BYTES_MAX),
        at_ms: row.number("at_ms")?,
        read: row.maybe_number("read_at_ms")?.is_some() || row.number("read_seq")? >= seq,
        done: row.maybe_number("done_at_ms")?.is_some(),
    })
}
