//! Mentions: notes that name a member. They are stored with the note; what is listed here is read from it, so
//! a note that was taken back is in no list.

use protocol::id::{AgentId, EntryId};
use protocol::limit;
use protocol::mention::Mention;
use protocol::message::{Format, plain_text};
use protocol::page::{Cursor, List, Page};
use protocol::permission::Scope;
use protocol::text::cut;

use crate::contact::name_of;
use crate::db::{Reader, Row, stmt};
use crate::entry::author_of;
use crate::error::Result;
use crate::page::{After, page};

/// Bytes of what a list shows of a note.
const TEXT_BYTES_MAX: usize = 300;

/// Uses `mention_of_agent`, and primary keys.
const LIST_MENTIONS: &str = "
    SELECT m.entry_id, m.conversation_id, m.seq, m.at_ms, e.author_kind, e.author_id, e.author_contact_id,
        w.format, w.body, r.name, r.email, r.handle, COALESCE(p.read_seq, 0) AS read_seq
    FROM mention m
    JOIN entry e ON e.workspace_id = m.workspace_id AND e.conversation_id = m.conversation_id AND e.seq = m.seq
    JOIN message w ON w.workspace_id = m.workspace_id AND w.entry_id = m.entry_id
    JOIN conversation c ON c.workspace_id = m.workspace_id AND c.conversation_id = m.conversation_id
    JOIN contact k ON k.workspace_id = c.workspace_id AND k.contact_id = c.contact_id
    JOIN contact r ON r.workspace_id = k.workspace_id AND r.contact_id = k.root_id
    LEFT JOIN participant p ON p.workspace_id = m.workspace_id AND p.conversation_id = m.conversation_id
        AND p.party = m.agent_id
    WHERE m.workspace_id = $1 AND m.agent_id = $2 AND (m.at_ms, m.entry_id) < ($3, $4)
        AND w.deleted_at_ms IS NULL
    ORDER BY m.at_ms DESC, m.entry_id DESC
    LIMIT $5";

/// The notes that name a member, newest first.
///
/// # Errors
/// The store's.
pub async fn list(
    reader: &Reader,
    scope: &Scope,
    agent_id: AgentId,
    cursor: Option<&Cursor<EntryId>>,
    limit: usize,
) -> Result<Page<Mention>> {
    let limit = limit.min(limit::PAGE_ROWS_MAX);
    let after = After::of(cursor);
    let rows = reader
        .rows(stmt!(
            LIST_MENTIONS,
            scope.workspace_id(),
            agent_id,
            after.at_ms,
            after.id,
            limit + 1,
        ))
        .await?;
    page(&rows, limit, decode, |mention| {
        let (at_ms, id) = (mention.at_ms, mention.entry_id);
        Cursor { at_ms, id }.text(List::Mentions)
    })
}

fn decode(row: &Row) -> Result<Mention> {
    let seq = row.number("seq")?;
    let text = plain_text(row.word("format", Format::of)?, &row.text("body")?);
    Ok(Mention {
        entry_id: row.id("entry_id")?,
        conversation_id: row.id("conversation_id")?,
        seq,
        contact_name: name_of(row)?,
        author: author_of(row)?,
        text: cut(&text, TEXT_BYTES_MAX),
        at_ms: row.number("at_ms")?,
        read: row.number("read_seq")? >= seq,
    })
}
