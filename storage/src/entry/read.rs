//! Reading entries: by number, with today's words.

use std::collections::HashMap;

use protocol::attachment::Attachment;
use protocol::entry::{Author, Content, Entry};
use protocol::id::{AgentId, ConversationId, DepartmentId, EntryId, WorkspaceId};
use protocol::limit;
use protocol::message::{Format, Message};
use protocol::text::ClientId;
use serde::Deserialize;

use crate::db::{Reader, Row, Stmt, stmt};
use crate::entry::Numbering;
use crate::error::{Error, Result};

/// The entries of a range, and the files of the messages that they show.
macro_rules! range {
    ($entries:ident, $attachments:ident, $range:literal) => {
        // By the primary key or by `entry_by_public_seq`; words by the primary key of `message`.
        const $entries: &str = concat!(
            "
    SELECT e.entry_id, e.conversation_id, e.seq, e.public_seq, e.kind, e.author_kind, e.author_id,
        e.author_contact_id, e.client_id, e.target_id, e.previous_id, e.params_json, e.sent_at_ms,
        m.format, m.body, m.language, m.reply_to_id, m.edited_at_ms, m.deleted_at_ms
    FROM entry e
    LEFT JOIN message m
        ON m.workspace_id = e.workspace_id AND m.entry_id = COALESCE(e.target_id, e.entry_id)
    WHERE e.workspace_id = $1 AND e.conversation_id = $2 AND ",
            $range
        );

        // Uses `attachment_of_conversation`.
        const $attachments: &str = concat!(
            "
    SELECT a.entry_id, a.attachment_id, a.name, a.media_type, a.size_bytes, a.width, a.height
    FROM attachment a
    WHERE a.workspace_id = $1 AND a.conversation_id = $2 AND a.deleted_at_ms IS NULL
        AND a.entry_id IN (
            SELECT COALESCE(e.target_id, e.entry_id) FROM entry e
            WHERE e.workspace_id = $1 AND e.conversation_id = $2 AND ",
            $range,
            ")
    ORDER BY a.entry_id, a.position, a.attachment_id
    LIMIT 2000"
        );
    };
}

range!(
    LIST_AFTER,
    LIST_ATTACHMENTS_AFTER,
    "e.seq > $3 ORDER BY e.seq LIMIT $4"
);
range!(
    LIST_AFTER_PUBLIC,
    LIST_ATTACHMENTS_AFTER_PUBLIC,
    "e.public_seq IS NOT NULL AND e.public_seq > $3 ORDER BY e.public_seq LIMIT $4"
);
range!(
    LIST_BEFORE,
    LIST_ATTACHMENTS_BEFORE,
    "e.seq < $3 ORDER BY e.seq DESC LIMIT $4"
);
range!(
    LIST_BEFORE_PUBLIC,
    LIST_ATTACHMENTS_BEFORE_PUBLIC,
    "e.public_seq IS NOT NULL AND e.public_seq < $3 ORDER BY e.public_seq DESC LIMIT $4"
);
range!(FIND_ENTRY, LIST_ATTACHMENTS_OF_ENTRY, "e.entry_id = $3");
range!(
    LIST_STORED,
    LIST_ATTACHMENTS_STORED,
    "e.seq > $3 AND e.seq <= $4 ORDER BY e.seq LIMIT 8"
);

/// The reads of what a guarded batch stored: the last entries, as many as it has, and their files.
pub(crate) fn stored(
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    count: usize,
) -> [Stmt; 2] {
    let before = i64::try_from(count).map_or(0, |count| -count);
    [LIST_STORED, LIST_ATTACHMENTS_STORED].map(|sql| {
        stmt!(sql, workspace_id, conversation_id, before, 0_i64).with(&[(2, "seq"), (3, "seq")])
    })
}

/// The entries after a number, in number order, at most `limit`.
///
/// # Errors
/// The store's.
pub async fn after(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    number: u64,
    limit: usize,
) -> Result<Vec<Entry>> {
    let stmts = after_stmts(workspace_id, conversation_id, numbering, number, limit);
    decode_all(&reader.snapshot(stmts.into()).await?)
}

/// The reads of [`after`], for [`decode_all`].
pub(crate) fn after_stmts(
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    number: u64,
    limit: usize,
) -> [Stmt; 2] {
    let limit = limit.min(limit::PAGE_ENTRIES_MAX + 1);
    let sql = match numbering {
        Numbering::Team => [LIST_AFTER, LIST_ATTACHMENTS_AFTER],
        Numbering::Visitor => [LIST_AFTER_PUBLIC, LIST_ATTACHMENTS_AFTER_PUBLIC],
    };
    sql.map(|sql| stmt!(sql, workspace_id, conversation_id, number, limit))
}

/// The last entries before a number (`None`: the newest), in number order, at most `limit`.
///
/// # Errors
/// The store's.
pub async fn before(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    number: Option<u64>,
    limit: usize,
) -> Result<Vec<Entry>> {
    let stmts = before_stmts(workspace_id, conversation_id, numbering, number, limit);
    let mut entries = decode_all(&reader.snapshot(stmts.into()).await?)?;
    entries.reverse();
    Ok(entries)
}

/// The reads of [`before`], for [`decode_all`], which gives them newest first.
pub(crate) fn before_stmts(
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    number: Option<u64>,
    limit: usize,
) -> [Stmt; 2] {
    let limit = limit.min(limit::PAGE_ENTRIES_MAX + 1);
    let number = number.map_or(i64::MAX, |number| i64::try_from(number).unwrap_or(i64::MAX));
    let sql = match numbering {
        Numbering::Team => [LIST_BEFORE, LIST_ATTACHMENTS_BEFORE],
        Numbering::Visitor => [LIST_BEFORE_PUBLIC, LIST_ATTACHMENTS_BEFORE_PUBLIC],
    };
    sql.map(|sql| stmt!(sql, workspace_id, conversation_id, number, limit))
}

/// One entry.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    entry_id: EntryId,
) -> Result<Option<Entry>> {
    let stmts = [FIND_ENTRY, LIST_ATTACHMENTS_OF_ENTRY]
        .map(|sql| stmt!(sql, workspace_id, conversation_id, entry_id));
    Ok(decode_all(&reader.snapshot(stmts.into()).await?)?.pop())
}

// By the primary key.
const FIND_ID_AT: &str = "
    SELECT entry_id FROM entry
    WHERE workspace_id = $1 AND conversation_id = $2 AND seq = $3";

// Uses `entry_by_public_seq`.
const FIND_ID_AT_PUBLIC: &str = "
    SELECT entry_id FROM entry
    WHERE workspace_id = $1 AND conversation_id = $2 AND public_seq IS NOT NULL AND public_seq = $3";

/// The id of the entry at a number: what a position is checked against.
///
/// # Errors
/// The store's.
pub async fn id_at(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    number: u64,
) -> Result<Option<EntryId>> {
    let row = reader
        .row(id_at_stmt(workspace_id, conversation_id, numbering, number))
        .await?;
    row.map(|row| row.id("entry_id")).transpose()
}

/// The read of [`id_at`], as column `entry_id`.
pub(crate) fn id_at_stmt(
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    number: u64,
) -> Stmt {
    let sql = match numbering {
        Numbering::Team => FIND_ID_AT,
        Numbering::Visitor => FIND_ID_AT_PUBLIC,
    };
    stmt!(sql, workspace_id, conversation_id, number)
}

/// The entries of two answers: entries, and their files.
pub(crate) fn decode_all(answers: &[Vec<Row>]) -> Result<Vec<Entry>> {
    let [entries, attachments] = answers else {
        return Err(Error::Fault("entries need two answers".to_owned()));
    };
    let mut files: HashMap<EntryId, Vec<Attachment>> = HashMap::new();
    for row in attachments {
        let files = files.entry(row.id("entry_id")?).or_default();
        files.push(crate::attachment::decode(row)?);
    }
    entries.iter().map(|row| decode(row, &files)).collect()
}

fn decode(row: &Row, files: &HashMap<EntryId, Vec<Attachment>>) -> Result<Entry> {
    let client_id = row.maybe_text("client_id")?;
    Ok(Entry {
        id: row.id("entry_id")?,
        conversation_id: row.id("conversation_id")?,
        seq: row.number("seq")?,
        public_seq: row.maybe_number("public_seq")?,
        sent_at_ms: row.number("sent_at_ms")?,
        author: author(row)?,
        client_id: client_id
            .map(|text| ClientId::parse(&text))
            .transpose()
            .map_err(|_| Error::Corrupt("column client_id is no client id".to_owned()))?,
        content: content(row, files)?,
    })
}

/// Who made an entry, from columns `author_kind`, `author_id` and `author_contact_id`.
pub(crate) fn author(row: &Row) -> Result<Author> {
    Ok(match row.text("author_kind")?.as_str() {
        "visitor" => Author::Visitor {
            visitor_id: row.id("author_id")?,
            contact_id: row.id("author_contact_id")?,
        },
        "agent" => Author::Agent {
            agent_id: row.id("author_id")?,
        },
        "key" => Author::Key {
            key_id: row.id("author_id")?,
        },
        "ai" => Author::Ai,
        "system" => Author::System,
        other => return Err(Error::Corrupt(format!("{other} is no author"))),
    })
}

#[derive(Deserialize)]
struct OfAgent {
    agent_id: AgentId,
}

#[derive(Deserialize)]
struct ToAgent {
    agent_id: Option<AgentId>,
}

#[derive(Deserialize)]
struct ToDepartment {
    department_id: Option<DepartmentId>,
}

#[derive(Deserialize)]
struct Until {
    until_ms: u64,
}

#[derive(Deserialize)]
struct Because {
    cause: protocol::entry::ReopenCause,
}

#[derive(Deserialize)]
struct Rank {
    priority: u8,
}

#[derive(Deserialize)]
struct Spam {
    spam: bool,
}

#[derive(Deserialize)]
struct Block {
    blocked: bool,
}

fn content(row: &Row, files: &HashMap<EntryId, Vec<Attachment>>) -> Result<Content> {
    Ok(match row.text("kind")?.as_str() {
        "message" => Content::Message {
            message: message(row, files)?,
        },
        "note" => Content::Note {
            message: message(row, files)?,
        },
        "edited" => Content::Edited {
            target_id: row.id("target_id")?,
            message: message(row, files)?,
        },
        "deleted" => Content::Deleted {
            target_id: row.id("target_id")?,
        },
        "joined" => Content::Joined {
            agent_id: row.json::<OfAgent>("params_json")?.agent_id,
        },
        "left" => Content::Left {
            agent_id: row.json::<OfAgent>("params_json")?.agent_id,
        },
        "assigned" => Content::Assigned {
            agent_id: row.json::<ToAgent>("params_json")?.agent_id,
            previous_id: row.maybe_id("previous_id")?,
        },
        "moved" => Content::Moved {
            department_id: row.json::<ToDepartment>("params_json")?.department_id,
        },
        "snoozed" => Content::Snoozed {
            until_ms: row.json::<Until>("params_json")?.until_ms,
        },
        "reopened" => Content::Reopened {
            cause: row.json::<Because>("params_json")?.cause,
        },
        "closed" => Content::Closed,
        "prioritized" => Content::Prioritized {
            priority: row.json::<Rank>("params_json")?.priority,
        },
        "spam_marked" => Content::SpamMarked {
            spam: row.json::<Spam>("params_json")?.spam,
        },
        "visitor_blocked" => Content::VisitorBlocked {
            blocked: row.json::<Block>("params_json")?.blocked,
        },
        other => return Err(Error::Corrupt(format!("{other} is no kind of entry"))),
    })
}

fn message(row: &Row, files: &HashMap<EntryId, Vec<Attachment>>) -> Result<Message> {
    let entry_id = row
        .maybe_id("target_id")?
        .map_or_else(|| row.id("entry_id"), Ok)?;
    Ok(Message {
        format: row.word("format", Format::of)?,
        body: row.text("body")?,
        language: row.maybe_text("language")?,
        reply_to_id: row.maybe_id("reply_to_id")?,
        attachments: files.get(&entry_id).cloned().unwrap_or_default(),
        edited_at_ms: row.maybe_number("edited_at_ms")?,
        deleted_at_ms: row.maybe_number("deleted_at_ms")?,
    })
}
