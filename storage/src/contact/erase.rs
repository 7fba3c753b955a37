//! Erasing: for good, in slices that never hold the writer long. May be repeated until it succeeds.

use std::str::FromStr;

use protocol::event::EventType;
use protocol::id::{ContactId, ConversationId, EventId, VisitorId, WorkspaceId};

use crate::audit::Change;
use crate::change::Stamp;
use crate::db::{Batch, Db, Hold, Stmt, stmt};
use crate::error::Result;

/// Messages of one slice.
const SLICE: usize = 500;

/// What an erasure touched: what caches, connections and files must forget.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// The conversations whose words are gone.
    pub conversation_ids: Vec<ConversationId>,
    /// The visitors whose tokens no longer count.
    pub visitor_ids: Vec<VisitorId>,
}

// Uses `contact_by_root`.
const LIST_GROUP: &str = "
    SELECT k.contact_id AS id
    FROM contact o
    JOIN contact k ON k.workspace_id = o.workspace_id AND k.root_id = o.root_id
    WHERE o.workspace_id = $1 AND o.contact_id = $2
    ORDER BY k.contact_id
    LIMIT 10000";

// Uses `visitor_of_contact`.
const LIST_VISITORS: &str = "
    SELECT visitor_id AS id FROM visitor
    WHERE workspace_id = $1 AND contact_id = $2
    ORDER BY visitor_id
    LIMIT 10000";

// Uses `conversation_of_contact`.
const LIST_CONVERSATIONS: &str = "
    SELECT conversation_id AS id FROM conversation
    WHERE workspace_id = $1 AND contact_id = $2
    ORDER BY conversation_id
    LIMIT 10000";

/// Erases a contact for good, with all merged with it: names, identities, attributes, words, previews,
/// files, claims, pages, audit values and the search index. Numbers, ids and authors stay.
/// The files themselves go with the next [`crate::attachment::sweep`].
/// In slices, so that no transaction holds the writer long; may be repeated until it succeeds.
///
/// # Errors
/// The store's. `None` where there is no such contact.
pub async fn erase(db: &Db, contact_id: ContactId, change: &Change) -> Result<Option<Erased>> {
    let mut erased = Erased::default();
    let mut contacts = Vec::new();
    // Until nothing came meanwhile: a contact that was merged, a device that was proved, a conversation that
    // began. Whoever is erased brings nothing more.
    while erase_found(db, contact_id, change, &mut contacts, &mut erased).await? {}
    if contacts.is_empty() {
        return Ok(None);
    }
    db.scrub().await?;
    Ok(Some(erased))
}

/// Erases all that is found and was not erased before. Gives whether there was any.
async fn erase_found(
    db: &Db,
    contact_id: ContactId,
    change: &Change,
    contacts: &mut Vec<ContactId>,
    erased: &mut Erased,
) -> Result<bool> {
    let workspace_id = change.workspace_id;
    let list = stmt!(LIST_GROUP, workspace_id, contact_id);
    let more = find_more(db, list, contacts).await?;
    let mut is_more = !more.is_empty();
    contacts.extend(&more);
    // Tokens first: nobody can add words behind the erasure's back.
    for contact_id in contacts.iter() {
        let list = stmt!(LIST_VISITORS, workspace_id, *contact_id);
        for visitor_id in find_more(db, list, &erased.visitor_ids).await? {
            erase_visitor(db, workspace_id, visitor_id, change.at_ms).await?;
            erased.visitor_ids.push(visitor_id);
            is_more = true;
        }
    }
    for contact_id in contacts.iter() {
        let list = stmt!(LIST_CONVERSATIONS, workspace_id, *contact_id);
        for conversation_id in find_more(db, list, &erased.conversation_ids).await? {
            erase_words(db, workspace_id, conversation_id, change.at_ms).await?;
            erased.conversation_ids.push(conversation_id);
            is_more = true;
        }
    }
    if !more.is_empty() {
        erase_records(db, &more, change).await?;
    }
    Ok(is_more)
}

/// The ids of a list, of one column, that are not known.
async fn find_more<I: FromStr + PartialEq>(db: &Db, list: Stmt, known: &[I]) -> Result<Vec<I>> {
    let rows = db.rows(list).await?;
    let ids = rows.iter().map(|row| row.id("id"));
    let ids = ids.collect::<Result<Vec<I>>>()?;
    Ok(ids.into_iter().filter(|id| !known.contains(id)).collect())
}

const EMPTY_VISITOR: &str = r#"
    UPDATE visitor SET version = version + 1, generation = generation + 1, claim_json = '{}',
        browser_json = '{"device":"unknown","name":"","system":"","language":null,"time_zone":null,"country":null,"city":null}',
        address = NULL, open_conversation_id = NULL, erased_at_ms = COALESCE(erased_at_ms, $3)
    WHERE workspace_id = $1 AND visitor_id = $2"#;

// Uses `page_view_of_visitor`.
const DELETE_PAGES: &str = "
    DELETE FROM page_view WHERE workspace_id = $1 AND visitor_id = $2";

// Uses `custom_event_of_visitor`.
const DELETE_CUSTOM_EVENTS: &str = "
    DELETE FROM custom_event WHERE workspace_id = $1 AND visitor_id = $2";

// Uses `visit_of_visitor`.
const DELETE_VISITS: &str = "
    DELETE FROM visit WHERE workspace_id = $1 AND visitor_id = $2";

// Uses `attachment_unclaimed`. The row stays until a sweep has removed its file.
const DROP_UPLOADS: &str = "
    UPDATE attachment SET name = '', deleted_at_ms = $3
    WHERE workspace_id = $1 AND uploader = $2 AND entry_id IS NULL AND deleted_at_ms IS NULL";

const INSERT_VISITOR_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $3, $1, 'visitor.changed', v.visitor_id, v.version, CAST($4 AS BIGINT)
    FROM visitor v
    WHERE v.workspace_id = $1 AND v.visitor_id = $2";

async fn erase_visitor(
    db: &Db,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
    at_ms: u64,
) -> Result<()> {
    let mut batch = Batch::holding(vec![Hold::Visitor(workspace_id, visitor_id)]);
    batch.push(stmt!(DROP_UPLOADS, workspace_id, visitor_id, at_ms));
    batch.push(stmt!(EMPTY_VISITOR, workspace_id, visitor_id, at_ms));
    for sql in [DELETE_PAGES, DELETE_CUSTOM_EVENTS, DELETE_VISITS] {
        batch.push(stmt!(sql, workspace_id, visitor_id));
    }
    let event_id = db.world().ids.next::<EventId>();
    batch.push(stmt!(
        INSERT_VISITOR_EVENT,
        workspace_id,
        visitor_id,
        event_id,
        at_ms
    ));
    db.batch(batch).await?;
    Ok(())
}

const EMPTY_CONVERSATION: &str = "
    UPDATE conversation SET version = version + 1, preview_text = '', preview_attachment_count = 0
    WHERE workspace_id = $1 AND conversation_id = $2";

// By the primary keys.
const EMPTY_MESSAGES: &str = "
    UPDATE message SET body = '', words = '', language = NULL, deleted_at_ms = $3
    WHERE workspace_id = $1 AND entry_id IN (
        SELECT m.entry_id FROM entry e
        JOIN message m ON m.workspace_id = e.workspace_id AND m.entry_id = e.entry_id
        WHERE e.workspace_id = $1 AND e.conversation_id = $2 AND m.deleted_at_ms IS NULL
        ORDER BY e.seq LIMIT $4)";

// Uses `attachment_of_conversation`. The row stays until a sweep has removed its file.
const DROP_ATTACHMENTS: &str = "
    UPDATE attachment SET name = '', deleted_at_ms = $3
    WHERE workspace_id = $1 AND conversation_id = $2 AND deleted_at_ms IS NULL";

const INSERT_EMPTIED_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $3, $1, 'conversation.emptied', c.conversation_id, c.version, CAST($4 AS BIGINT)
    FROM conversation c
    WHERE c.workspace_id = $1 AND c.conversation_id = $2";

/// Empties what was said in a conversation: also what came while its contact was being erased.
///
/// # Errors
/// The store's.
pub async fn erase_words(
    db: &Db,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    at_ms: u64,
) -> Result<()> {
    loop {
        let mut batch = Batch::holding(vec![Hold::Conversation(workspace_id, conversation_id)]);
        batch.push(stmt!(EMPTY_CONVERSATION, workspace_id, conversation_id));
        batch.push(stmt!(
            DROP_ATTACHMENTS,
            workspace_id,
            conversation_id,
            at_ms
        ));
        let messages = batch.push(stmt!(
            EMPTY_MESSAGES,
            workspace_id,
            conversation_id,
            at_ms,
            SLICE
        ));
        // Whoever shows the words reads them again: all nodes hear of it.
        let event_id = db.world().ids.next::<EventId>();
        batch.push(stmt!(
            INSERT_EMPTIED_EVENT,
            workspace_id,
            conversation_id,
            event_id,
            at_ms
        ));
        let answers = db.batch(batch).await?;
        if answers[messages].changed < SLICE as u64 {
            return Ok(());
        }
    }
}

const EMPTY_CONTACT: &str = "
    UPDATE contact SET version = version + 1, name = '', name_folded = '', email = NULL, phone = NULL,
        company = NULL, language = NULL, time_zone = NULL, erased_at_ms = COALESCE(erased_at_ms, $3)
    WHERE workspace_id = $1 AND contact_id = $2";

const DELETE_IDENTITIES: &str = "
    DELETE FROM contact_identity WHERE workspace_id = $1 AND contact_id = $2";

const DELETE_ATTRIBUTES: &str = "
    DELETE FROM attribute WHERE workspace_id = $1 AND noun = 'contact' AND subject_id = $2";

const DELETE_TAGS: &str = "
    DELETE FROM tag WHERE workspace_id = $1 AND noun = 'contact' AND subject_id = $2";

// Uses `audit_entry_by_target`.
const EMPTY_AUDIT: &str = "
    DELETE FROM audit_value
    WHERE workspace_id = $1 AND audit_id IN (
        SELECT a.audit_id FROM audit_entry a WHERE a.workspace_id = $1 AND a.target = $2)";

const INSERT_ERASED_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $3, $1, $5, k.contact_id, k.version, CAST($4 AS BIGINT)
    FROM contact k
    WHERE k.workspace_id = $1 AND k.contact_id = $2";

async fn erase_records(db: &Db, contacts: &[ContactId], change: &Change) -> Result<()> {
    let workspace_id = change.workspace_id;
    let mut batch = Batch::locking(contacts.iter().map(ToString::to_string).collect());
    let hold = |id: &ContactId| Hold::Contact(workspace_id, *id);
    batch.holds = contacts.iter().map(hold).collect();
    for contact_id in contacts {
        batch.push(stmt!(
            EMPTY_CONTACT,
            workspace_id,
            *contact_id,
            change.at_ms
        ));
        for sql in [
            DELETE_IDENTITIES,
            DELETE_ATTRIBUTES,
            DELETE_TAGS,
            EMPTY_AUDIT,
        ] {
            batch.push(stmt!(sql, workspace_id, *contact_id));
        }
        let event_id = db.world().ids.next::<EventId>();
        batch.push(stmt!(
            INSERT_ERASED_EVENT,
            workspace_id,
            *contact_id,
            event_id,
            change.at_ms,
            EventType::ContactErased.as_str()
        ));
    }
    // The erasure's own line says that it took place, and nothing of what was there.
    batch.push(Stamp::new(db, change).audit());
    db.batch(batch).await?;
    Ok(())
}
