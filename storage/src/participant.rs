//! Participants: who takes part in a conversation and how far each has got. Marks only grow.

use std::collections::BTreeMap;

use protocol::conversation::Marks;
use protocol::id::{AgentId, ConversationId, WorkspaceId};

use crate::db::{Batch, Db, Hold, Reader, Row, Stmt, Value, stmt};
use crate::entry::Numbering;
use crate::error::Result;

/// Who has got how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// The customer's side.
    Customer,
    /// A member of the team.
    Agent(AgentId),
}

impl Party {
    /// The word in the store.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Customer => "customer".to_owned(),
            Self::Agent(agent_id) => agent_id.to_string(),
        }
    }
}

/// News of how far somebody has got. The numbers are the party's own: public ones for the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Where.
    pub workspace_id: WorkspaceId,
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// Who.
    pub party: Party,
    /// How far; zero where nothing is new.
    pub marks: Marks,
}

/// The `seq` at or below a number, which cuts it to the log's end; `CASE` keeps the larger of two marks.
macro_rules! upsert_mark {
    ($number:literal, $condition:literal) => {
        concat!(
            "
    INSERT INTO participant (workspace_id, conversation_id, party, delivered_seq, read_seq, marked_at_ms)
    SELECT $1, $2, $3,
        COALESCE((SELECT e.seq FROM entry e WHERE e.workspace_id = $1 AND e.conversation_id = $2 AND ",
            $condition,
            $number,
            " <= $4 ORDER BY ",
            $number,
            " DESC LIMIT 1), 0),
        COALESCE((SELECT e.seq FROM entry e WHERE e.workspace_id = $1 AND e.conversation_id = $2 AND ",
            $condition,
            $number,
            " <= $5 ORDER BY ",
            $number,
            " DESC LIMIT 1), 0),
        CAST($6 AS BIGINT)
    FROM conversation c
    WHERE c.workspace_id = $1 AND c.conversation_id = $2
    ON CONFLICT (workspace_id, conversation_id, party) DO UPDATE SET
        delivered_seq = CASE WHEN excluded.delivered_seq > participant.delivered_seq
            THEN excluded.delivered_seq ELSE participant.delivered_seq END,
        read_seq = CASE WHEN excluded.read_seq > participant.read_seq
            THEN excluded.read_seq ELSE participant.read_seq END,
        marked_at_ms = excluded.marked_at_ms"
        )
    };
}

// By the primary key of `entry`.
const UPSERT_MARK: &str = upsert_mark!("e.seq", "");

// By `entry_by_public_seq`.
const UPSERT_PUBLIC_MARK: &str = upsert_mark!("e.public_seq", "e.public_seq IS NOT NULL AND ");

/// Stores marks, at most 200: one transaction. Marks beyond the log are cut to its end.
///
/// # Errors
/// The store's.
pub async fn mark(db: &Db, marks: &[Mark], at_ms: u64) -> Result<()> {
    let mut marks = marks.to_vec();
    marks.sort_by_key(|mark| (mark.conversation_id, mark.party));
    let locks = marks
        .iter()
        .map(|mark| format!("{} mark", mark.conversation_id))
        .collect();
    let mut batch = Batch::locking(locks);
    // Who joins changes the same rows.
    let held = |mark: &Mark| Hold::Conversation(mark.workspace_id, mark.conversation_id);
    batch.holds = marks.iter().map(held).collect();
    for mark in &marks {
        let sql = match mark.party {
            Party::Customer => UPSERT_PUBLIC_MARK,
            Party::Agent(_) => UPSERT_MARK,
        };
        batch.push(stmt!(
            sql,
            mark.workspace_id,
            mark.conversation_id,
            mark.party.text(),
            // What is read was delivered.
            mark.marks.delivered.max(mark.marks.read),
            mark.marks.read,
            at_ms,
        ));
    }
    db.batch(batch).await?;
    Ok(())
}

/// What is stored counts by `seq`. By the primary key.
const FIND_CUSTOMER_MARKS: &str = "
    SELECT delivered_seq, read_seq FROM participant
    WHERE workspace_id = $1 AND conversation_id = $2 AND party = 'customer'";

/// As the last public number up to there. By the primary keys.
macro_rules! public_marks {
    ($party:literal) => {
        concat!(
            "
    SELECT
        COALESCE((SELECT e.public_seq FROM entry e WHERE e.workspace_id = $1 AND e.conversation_id = $2
            AND e.seq <= t.delivered_seq AND e.public_seq IS NOT NULL
            ORDER BY e.seq DESC LIMIT 1), 0) AS delivered_seq,
        COALESCE((SELECT e.public_seq FROM entry e WHERE e.workspace_id = $1 AND e.conversation_id = $2
            AND e.seq <= t.read_seq AND e.public_seq IS NOT NULL
            ORDER BY e.seq DESC LIMIT 1), 0) AS read_seq
    FROM (
        SELECT MAX(delivered_seq) AS delivered_seq, MAX(read_seq) AS read_seq FROM participant
        WHERE workspace_id = $1 AND conversation_id = $2 AND ",
            $party,
            ") t"
        )
    };
}

const FIND_CUSTOMER_PUBLIC_MARKS: &str = public_marks!("party = 'customer'");
const FIND_TEAM_PUBLIC_MARKS: &str = public_marks!("party <> 'customer'");

/// How far the customer has got, in the given numbering.
///
/// # Errors
/// The store's.
pub async fn customer_marks(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
) -> Result<Marks> {
    let stmt = customer_marks_stmt(workspace_id, conversation_id, numbering);
    decode_marks(reader.row(stmt).await?.as_ref())
}

/// The read of [`customer_marks`].
pub(crate) fn customer_marks_stmt(
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
) -> Stmt {
    let sql = match numbering {
        Numbering::Team => FIND_CUSTOMER_MARKS,
        Numbering::Visitor => FIND_CUSTOMER_PUBLIC_MARKS,
    };
    stmt!(sql, workspace_id, conversation_id)
}

/// How far the best of the team has got, in the visitor's numbering.
///
/// # Errors
/// The store's.
pub async fn team_marks(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
) -> Result<Marks> {
    let stmt = team_marks_stmt(workspace_id, conversation_id);
    decode_marks(reader.row(stmt).await?.as_ref())
}

/// The read of [`team_marks`].
pub(crate) fn team_marks_stmt(workspace_id: WorkspaceId, conversation_id: ConversationId) -> Stmt {
    stmt!(FIND_TEAM_PUBLIC_MARKS, workspace_id, conversation_id)
}

/// Conversations that are asked for by one statement.
const ASKED_AT_ONCE: usize = 10;

/// By the primary key.
const FIND_READ: &str = "
    SELECT conversation_id, read_seq FROM participant
    WHERE workspace_id = $1 AND party = $2
        AND conversation_id IN ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    LIMIT 10";

/// Up to which `seq` an agent has read each of these conversations, at most `PAGE_ROWS_MAX`.
///
/// # Errors
/// The store's.
pub async fn read_of_agent(
    reader: &Reader,
    workspace_id: WorkspaceId,
    agent_id: AgentId,
    conversation_ids: &[ConversationId],
) -> Result<BTreeMap<ConversationId, u64>> {
    let stmts: Vec<_> = conversation_ids
        .chunks(ASKED_AT_ONCE)
        .map(|ids| {
            let mut params: Vec<Value> = vec![workspace_id.into(), agent_id.into()];
            params.extend(ids.iter().map(|id| Value::from(*id)));
            params.resize(2 + ASKED_AT_ONCE, Value::from(""));
            Stmt::new(FIND_READ, params)
        })
        .collect();
    if stmts.is_empty() {
        return Ok(BTreeMap::new());
    }
    let answers = reader.snapshot(stmts).await?;
    answers
        .iter()
        .flatten()
        .map(|row| Ok((row.id("conversation_id")?, row.number("read_seq")?)))
        .collect()
}

/// By the primary key.
const LIST_AGENTS: &str = "
    SELECT party FROM participant
    WHERE workspace_id = $1 AND conversation_id = $2 AND party <> 'customer'
        AND joined_at_ms IS NOT NULL AND left_at_ms IS NULL
    ORDER BY joined_at_ms, party
    LIMIT 100";

/// The agents who take part now, at most 100, in the order of joining.
///
/// # Errors
/// The store's.
pub async fn agents(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
) -> Result<Vec<AgentId>> {
    let rows = reader
        .rows(agents_stmt(workspace_id, conversation_id))
        .await?;
    rows.iter().map(|row| row.id("party")).collect()
}

/// The read of the agents who take part now, at most 100, in the order of joining, as column `party`.
pub(crate) fn agents_stmt(workspace_id: WorkspaceId, conversation_id: ConversationId) -> Stmt {
    stmt!(LIST_AGENTS, workspace_id, conversation_id)
}

/// Marks out of their row; none where nobody takes part yet.
pub(crate) fn decode_marks(row: Option<&Row>) -> Result<Marks> {
    row.map_or(Ok(Marks::default()), |row| {
        Ok(Marks {
            delivered: row.number("delivered_seq")?,
            read: row.number("read_seq")?,
        })
    })
}
