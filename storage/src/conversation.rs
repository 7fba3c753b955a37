//! Conversations: single ones, and those of a contact or visitor. What changes them is `entry::append`, the
//! lists of the team are in `inbox`.

use protocol::conversation::{
    Channel, Conversation, Handler, Preview, State, VisitorConversation, WaitingOn,
};
use protocol::id::{AgentId, ContactId, ConversationId, EntryId, WorkspaceId};
use protocol::limit;
use protocol::page::{Cursor, List, Page};
use protocol::permission::{Scope, VisitorActor};

use crate::contact::Shown;
use crate::db::{Reader, Row, Stmt, stmt};
use crate::error::{Error, Result};
use crate::page::{After, page};

/// Conversations that were active within this time of each other may stand in one slot, in milliseconds.
pub(crate) const SLOT_MS: u64 = 16_384;

/// The slot of a time. Lists are found by slot and sorted by time: so a message, which changes the time,
/// seldom changes an index, and on Postgres none of them.
pub(crate) fn slot(at_ms: u64) -> u64 {
    at_ms / SLOT_MS
}

/// The columns of a conversation's row as the team sees it.
macro_rules! conversation_columns {
    ($c:literal) => {
        concat!(
            $c,
            ".conversation_id, ",
            $c,
            ".number, ",
            $c,
            ".version, ",
            $c,
            ".channel, ",
            $c,
            ".site_id, ",
            $c,
            ".contact_id, ",
            $c,
            ".visitor_id, ",
            $c,
            ".state, ",
            $c,
            ".handler, ",
            $c,
            ".assignee_id, ",
            $c,
            ".department_id, ",
            $c,
            ".priority, ",
            $c,
            ".language, ",
            $c,
            ".previous_id, ",
            $c,
            ".waiting_on, ",
            $c,
            ".waiting_since_at_ms, ",
            $c,
            ".snoozed_until_ms, ",
            $c,
            ".spam, ",
            $c,
            ".seq, ",
            $c,
            ".public_seq, ",
            $c,
            ".customer_seq, ",
            $c,
            ".preview_entry_id, ",
            $c,
            ".preview_from_customer, ",
            $c,
            ".preview_text, ",
            $c,
            ".preview_attachment_count, ",
            $c,
            ".preview_sent_at_ms, ",
            $c,
            ".created_at_ms, ",
            $c,
            ".active_at_ms, ",
            $c,
            ".closed_at_ms"
        )
    };
}
pub(crate) use conversation_columns;

/// Conversations as the team sees them.
macro_rules! select_conversation {
    ($($rest:expr),*) => {
        concat!(
            "
    SELECT ",
            crate::conversation::conversation_columns!("c"),
            ", r.name, r.email, r.handle, r.version AS contact_version, r.erased_at_ms
    FROM conversation c
    JOIN contact k ON k.workspace_id = c.workspace_id AND k.contact_id = c.contact_id
    JOIN contact r ON r.workspace_id = k.workspace_id AND r.contact_id = k.root_id
    WHERE c.workspace_id = $1 AND ",
            $($rest),*
        )
    };
}
pub(crate) use select_conversation;

/// Conversations as their visitors see them.
macro_rules! select_for_visitor {
    ($($rest:literal),*) => {
        concat!(
            "
    SELECT c.conversation_id, c.state, c.public_seq, c.created_at_ms, c.closed_at_ms,
        COALESCE((SELECT e.public_seq FROM participant p
            JOIN entry e ON e.workspace_id = p.workspace_id AND e.conversation_id = p.conversation_id
                AND e.seq <= p.read_seq AND e.public_seq IS NOT NULL
            WHERE p.workspace_id = c.workspace_id AND p.conversation_id = c.conversation_id
                AND p.party = 'customer'
            ORDER BY e.seq DESC LIMIT 1), 0) AS visitor_read
    FROM conversation c
    WHERE c.workspace_id = $1 AND ",
            $($rest),*
        )
    };
}

/// A conversation from the columns of [`select_conversation`].
pub(crate) fn decode(row: &Row) -> Result<Conversation> {
    decode_with(row, Shown::of(row)?)
}

/// A conversation from the columns of [`conversation_columns`], and what is known of its contact.
pub(crate) fn decode_with(row: &Row, contact: Shown) -> Result<Conversation> {
    let preview = row
        .maybe_id::<EntryId>("preview_entry_id")?
        .map(|entry_id| {
            Ok::<_, Error>(Preview {
                entry_id,
                from_customer: row.flag("preview_from_customer")?,
                text: row.text("preview_text")?,
                attachment_count: row.small("preview_attachment_count")?,
                sent_at_ms: row.number("preview_sent_at_ms")?,
            })
        })
        .transpose()?;
    Ok(Conversation {
        id: row.id("conversation_id")?,
        number: row.number("number")?,
        version: row.number("version")?,
        channel: row.word("channel", Channel::of)?,
        site_id: row.id("site_id")?,
        contact_id: row.id("contact_id")?,
        contact_name: contact.name,
        contact_version: contact.version,
        contact_erased: contact.erased,
        visitor_id: row.maybe_id("visitor_id")?,
        state: row.word("state", State::of)?,
        handler: row.word("handler", Handler::of)?,
        assignee_id: row.maybe_id("assignee_id")?,
        department_id: row.maybe_id("department_id")?,
        priority: u8::try_from(row.number("priority")?)
            .map_err(|_| Error::Corrupt("column priority is no rank".to_owned()))?,
        language: row.maybe_text("language")?,
        previous_id: row.maybe_id("previous_id")?,
        waiting_on: row.word("waiting_on", WaitingOn::of)?,
        waiting_since_at_ms: row.number("waiting_since_at_ms")?,
        snoozed_until_ms: row.maybe_number("snoozed_until_ms")?,
        spam: row.flag("spam")?,
        seq: row.number("seq")?,
        customer_seq: row.number("customer_seq")?,
        preview,
        created_at_ms: row.number("created_at_ms")?,
        active_at_ms: row.number("active_at_ms")?,
    })
}

/// A conversation from the columns of [`select_for_visitor`].
pub(crate) fn decode_for_visitor(row: &Row) -> Result<VisitorConversation> {
    let number = row.number("public_seq")?;
    Ok(VisitorConversation {
        id: row.id("conversation_id")?,
        // All that a visitor may see of a change is an entry with a number for him.
        version: number,
        closed: row.word("state", State::of)? == State::Closed,
        number,
        read_number: row.number("visitor_read")?,
        created_at_ms: row.number("created_at_ms")?,
    })
}

/// Where a list that is sorted by activity goes on after a conversation.
pub(crate) fn active(conversation: &Conversation) -> Cursor<ConversationId> {
    Cursor {
        at_ms: conversation.active_at_ms,
        id: conversation.id,
    }
}

// By the primary key.
const FIND_CONVERSATION: &str = select_conversation!("c.conversation_id = $2");

/// The read of one conversation.
pub(crate) fn find_stmt(workspace_id: WorkspaceId, conversation_id: ConversationId) -> Stmt {
    stmt!(FIND_CONVERSATION, workspace_id, conversation_id)
}

/// One conversation.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
) -> Result<Option<Conversation>> {
    let row = reader.row(find_stmt(workspace_id, conversation_id)).await?;
    row.map(|row| decode(&row)).transpose()
}

/// A conversation with what deciding about it needs besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The conversation.
    pub conversation: Conversation,
    /// The agents who take part now.
    pub participants: Vec<AgentId>,
}

/// One conversation with what deciding about it needs, in one snapshot.
///
/// # Errors
/// The store's.
pub async fn facts(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
) -> Result<Option<Facts>> {
    let answers = reader
        .snapshot(vec![
            find_stmt(workspace_id, conversation_id),
            crate::participant::agents_stmt(workspace_id, conversation_id),
        ])
        .await?;
    let [conversation, agents] = answers.as_slice() else {
        return Err(Error::Fault("two reads gave other answers".to_owned()));
    };
    let Some(row) = conversation.first() else {
        return Ok(None);
    };
    Ok(Some(Facts {
        conversation: decode(row)?,
        participants: agents
            .iter()
            .map(|row| row.id("party"))
            .collect::<Result<_>>()?,
    }))
}

// Uses `contact_by_root` and `conversation_of_contact`.
const LIST_OF_CONTACT: &str = select_conversation!(
    "c.contact_id IN (SELECT k2.contact_id FROM contact o
        JOIN contact k2 ON k2.workspace_id = o.workspace_id AND k2.root_id = o.root_id
        WHERE o.workspace_id = $1 AND o.contact_id = $5)
        AND (c.active_at_ms, c.conversation_id) < ($2, $3)
    ORDER BY c.active_at_ms DESC, c.conversation_id DESC
    LIMIT $4"
);

/// The conversations of a contact and of those merged with it, newest first.
///
/// # Errors
/// The store's.
pub async fn of_contact(
    reader: &Reader,
    scope: &Scope,
    contact_id: ContactId,
    cursor: Option<&Cursor<ConversationId>>,
    limit: usize,
) -> Result<Page<Conversation>> {
    let limit = limit.min(limit::PAGE_ROWS_MAX);
    let after = After::of(cursor);
    let rows = reader
        .rows(stmt!(
            LIST_OF_CONTACT,
            scope.workspace_id(),
            after.at_ms,
            after.id,
            limit + 1,
            contact_id
        ))
        .await?;
    page(&rows, limit, decode, |item| {
        active(item).text(List::OfContact)
    })
}

fn of_visitor_stmt(sql: &'static str, workspace_id: WorkspaceId, visitor: &VisitorActor) -> Stmt {
    let contact_id = visitor.contact_id.map(|id| id.to_string());
    stmt!(
        sql,
        workspace_id,
        visitor.visitor_id,
        contact_id.unwrap_or_default(),
        visitor.site_id
    )
}

/// A select over the conversations of a visitor, or of the contact whom he proved to be: `$2` visitor, `$3`
/// contact or empty, `$4` site. Their ids come first, from an index each: with an `OR` in their place both databases
/// look through all conversations of the workspace.
macro_rules! select_of_visitor {
    ($rest:literal) => {
        select_for_visitor!(
            "c.site_id = $4 AND c.conversation_id IN (
            SELECT v.conversation_id FROM conversation v
            WHERE v.workspace_id = $1 AND v.visitor_id = $2
            UNION ALL
            SELECT k.conversation_id FROM conversation k
            WHERE k.workspace_id = $1 AND k.contact_id IN (
                SELECT k2.contact_id FROM contact o
                JOIN contact k2 ON k2.workspace_id = o.workspace_id AND k2.root_id = o.root_id
                WHERE o.workspace_id = $1 AND o.contact_id = $3))",
            $rest
        )
    };
}

// By the primary key.
const FIND_OF_VISITOR: &str = select_of_visitor!(" AND c.conversation_id = $5");

/// A conversation of this visitor, or of the contact whom he proved to be; nothing for anybody else's.
///
/// # Errors
/// The store's.
pub async fn of_visitor(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
    conversation_id: ConversationId,
) -> Result<Option<VisitorConversation>> {
    let stmt = find_of_visitor_stmt(workspace_id, visitor, conversation_id);
    let row = reader.row(stmt).await?;
    row.map(|row| decode_for_visitor(&row)).transpose()
}

/// The read of [`of_visitor`].
pub(crate) fn find_of_visitor_stmt(
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
    conversation_id: ConversationId,
) -> Stmt {
    let mut stmt = of_visitor_stmt(FIND_OF_VISITOR, workspace_id, visitor);
    stmt.params.push(conversation_id.into());
    stmt
}

// Uses `conversation_of_visitor` and `conversation_of_contact`.
const LIST_OF_VISITOR: &str = select_of_visitor!(
    " AND (c.created_at_ms, c.conversation_id) < ($5, $6)
    ORDER BY c.created_at_ms DESC, c.conversation_id DESC
    LIMIT $7"
);

/// The conversations of this visitor, or of the contact whom he proved to be, on this site, newest first.
///
/// # Errors
/// The store's.
pub async fn history(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
    cursor: Option<&Cursor<ConversationId>>,
    limit: usize,
) -> Result<Page<VisitorConversation>> {
    let limit = limit.min(limit::PAGE_ROWS_MAX);
    let after = After::of(cursor);
    let mut stmt = of_visitor_stmt(LIST_OF_VISITOR, workspace_id, visitor);
    stmt.params
        .extend([after.at_ms.into(), after.id.into(), (limit + 1).into()]);
    let rows = reader.rows(stmt).await?;
    page(&rows, limit, decode_for_visitor, |item| {
        let at_ms = item.created_at_ms;
        Cursor { at_ms, id: item.id }.text(List::History)
    })
}

// Uses `conversation_of_visitor` and `conversation_of_contact`. What the team does with a closed one shows
// nowhere: the one that was closed last counts.
const FIND_NEWEST_OF_VISITOR: &str = select_of_visitor!(
    " ORDER BY COALESCE(c.closed_at_ms, 9223372036854775807) DESC, c.created_at_ms DESC,
        c.conversation_id DESC
    LIMIT 1"
);

/// A visitor's conversation, and what decides whether it goes on.
pub(crate) struct Newest {
    pub(crate) conversation: VisitorConversation,
    pub(crate) state: State,
    pub(crate) closed_at_ms: Option<u64>,
}

/// The conversation that goes on with this visitor, or the one that was closed last.
pub(crate) async fn newest_of_visitor(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
) -> Result<Option<Newest>> {
    let row = reader.row(newest_stmt(workspace_id, visitor)).await?;
    row.map(|row| decode_newest(&row)).transpose()
}

/// The read of [`newest_of_visitor`].
pub(crate) fn newest_stmt(workspace_id: WorkspaceId, visitor: &VisitorActor) -> Stmt {
    of_visitor_stmt(FIND_NEWEST_OF_VISITOR, workspace_id, visitor)
}

pub(crate) fn decode_newest(row: &Row) -> Result<Newest> {
    Ok(Newest {
        conversation: decode_for_visitor(row)?,
        state: row.word("state", State::of)?,
        closed_at_ms: row.maybe_number("closed_at_ms")?,
    })
}

// By the primary key.
const FIND_FOR_VISITOR: &str = select_for_visitor!("c.conversation_id = $2");

/// The read of one conversation as its visitor sees it.
pub(crate) fn find_for_visitor_stmt(
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
) -> Stmt {
    stmt!(FIND_FOR_VISITOR, workspace_id, conversation_id)
}

/// The conversation that goes on with this visitor.
///
/// # Errors
/// The store's.
pub async fn open_of_visitor(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
) -> Result<Option<VisitorConversation>> {
    let newest = newest_of_visitor(reader, workspace_id, visitor).await?;
    Ok(newest
        .map(|newest| newest.conversation)
        .filter(|conversation| !conversation.closed))
}
