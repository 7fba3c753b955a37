//! Merging: a contact points to another. Nothing is rewritten, so it can be taken back.

use protocol::contact::Contact;
use protocol::event::EventType;
use protocol::id::{ContactId, EventId, WorkspaceId};

use super::{INSERT_AUDIT, decode, find_stmts};
use crate::audit::Change;
use crate::change::Stamp;
use crate::db::{Batch, Db, Hold, Row, stmt};
use crate::error::{Result, Written};

/// Not itself, not one that is merged already, not into one below it.
const MERGE_CONTACT: &str = "
    UPDATE contact SET version = version + 1, change_id = $4, merged_into_id = $3
    WHERE workspace_id = $1 AND contact_id = $2 AND contact_id <> $3 AND merged_into_id IS NULL
        AND erased_at_ms IS NULL AND EXISTS (
            SELECT 1 FROM contact i WHERE i.workspace_id = $1 AND i.contact_id = $3
                AND i.erased_at_ms IS NULL AND i.root_id <> $2)";

/// Uses `contact_by_root`: it and all below it have a new root.
const MOVE_ROOT: &str = "
    UPDATE contact SET root_id = (
        SELECT i.root_id FROM contact i WHERE i.workspace_id = $1 AND i.contact_id = $3)
    WHERE workspace_id = $1 AND root_id = $2 AND EXISTS (
        SELECT 1 FROM contact k WHERE k.workspace_id = $1 AND k.contact_id = $2 AND k.change_id = $4)";

/// Both go on above the versions of before: rows that name the one and the other tell by them which name is
/// newer.
const RAISE_ROOT: &str = "
    UPDATE contact SET version = 1 + (
        SELECT MAX(b.version) FROM contact b WHERE b.workspace_id = $1 AND b.contact_id IN ($2, contact.contact_id))
    WHERE workspace_id = $1 AND contact_id = (
        SELECT k.root_id FROM contact k WHERE k.workspace_id = $1 AND k.contact_id = $2 AND k.change_id = $3)";

/// Merges a contact into another: it points there, nothing is rewritten. Refused for itself, for one that
/// is merged already, and for circles.
///
/// # Errors
/// The store's.
pub async fn merge(
    db: &Db,
    contact_id: ContactId,
    into_id: ContactId,
    change: &Change,
) -> Result<Written<Contact>> {
    let stamp = Stamp::new(db, change);
    let mut batch = of_two(change.workspace_id, contact_id, into_id);
    for sql in [MERGE_CONTACT, MOVE_ROOT] {
        batch.push(stmt!(
            sql,
            change.workspace_id,
            contact_id,
            into_id,
            stamp.id
        ));
    }
    batch.push(stmt!(RAISE_ROOT, change.workspace_id, contact_id, stamp.id));
    finish(db, batch, &stamp, contact_id, change).await
}

const UNMERGE_CONTACT: &str = "
    UPDATE contact SET version = 1 + (
            SELECT MAX(b.version) FROM contact b WHERE b.workspace_id = $1
                AND b.contact_id IN ($2, contact.root_id)),
        change_id = $3, merged_into_id = NULL, root_id = $2
    WHERE workspace_id = $1 AND contact_id = $2 AND merged_into_id IS NOT NULL AND erased_at_ms IS NULL";

/// Those merged into it, directly or not, come along.
const TAKE_ROOT: &str = "
    UPDATE contact SET root_id = $2
    WHERE workspace_id = $1 AND contact_id IN (
        WITH RECURSIVE below (contact_id) AS (
            SELECT k.contact_id FROM contact k WHERE k.workspace_id = $1 AND k.merged_into_id = $2
            UNION
            SELECT k.contact_id FROM contact k
            JOIN below b ON k.workspace_id = $1 AND k.merged_into_id = b.contact_id)
        SELECT contact_id FROM below)
    AND EXISTS (
        SELECT 1 FROM contact k WHERE k.workspace_id = $1 AND k.contact_id = $2 AND k.change_id = $3)";

/// Takes a merge back.
///
/// # Errors
/// The store's.
pub async fn unmerge(db: &Db, contact_id: ContactId, change: &Change) -> Result<Written<Contact>> {
    let stamp = Stamp::new(db, change);
    let mut batch = Batch::locking(vec![contact_id.to_string()]);
    batch.holds = vec![
        Hold::People(change.workspace_id),
        Hold::Contact(change.workspace_id, contact_id),
    ];
    for sql in [UNMERGE_CONTACT, TAKE_ROOT] {
        batch.push(stmt!(sql, change.workspace_id, contact_id, stamp.id));
    }
    finish(db, batch, &stamp, contact_id, change).await
}

async fn finish(
    db: &Db,
    mut batch: Batch,
    stamp: &Stamp<'_>,
    contact_id: ContactId,
    change: &Change,
) -> Result<Written<Contact>> {
    batch.push(stamp.audit_where_stamped(INSERT_AUDIT, contact_id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::ContactChanged, 0));
    let first = batch.stmts.len();
    batch
        .stmts
        .extend(find_stmts(change.workspace_id, contact_id));
    let mut answers = db.batch(batch).await?;
    let done = answers[0].changed == 1;
    let rows: Vec<Vec<Row>> = answers.drain(first..).map(|answer| answer.rows).collect();
    Ok(match decode(&rows)? {
        Some(contact) if done => Written::Done(contact),
        Some(_) => Written::Refused,
        None => Written::NotFound,
    })
}

/// A batch that changes who two contacts are: one such at a time in a workspace, for each looks at where the
/// others point.
fn of_two(workspace_id: WorkspaceId, contact_id: ContactId, into_id: ContactId) -> Batch {
    let ids = [contact_id.min(into_id), contact_id.max(into_id)];
    let mut batch = Batch::locking(ids.map(|id| id.to_string()).into());
    batch.holds = vec![Hold::People(workspace_id)];
    batch
        .holds
        .extend(ids.map(|id| Hold::Contact(workspace_id, id)));
    batch
}

const ABSORB_LEAD: &str = "
    UPDATE contact SET version = version + 1, merged_into_id = $3
    WHERE workspace_id = $1 AND contact_id = $2 AND contact_id <> $3 AND merged_into_id IS NULL
        AND kind = 'lead' AND EXISTS (
            SELECT 1 FROM contact i WHERE i.workspace_id = $1 AND i.contact_id = $3
                AND i.erased_at_ms IS NULL AND i.root_id <> $2)";

const MOVE_LEAD_ROOT: &str = "
    UPDATE contact SET root_id = (
        SELECT i.root_id FROM contact i WHERE i.workspace_id = $1 AND i.contact_id = $3)
    WHERE workspace_id = $1 AND root_id = $2 AND EXISTS (
        SELECT 1 FROM contact k WHERE k.workspace_id = $1 AND k.contact_id = $2 AND k.merged_into_id = $3)";

const RAISE_CUSTOMER: &str = "
    UPDATE contact SET version = 1 + (
        SELECT MAX(b.version) FROM contact b WHERE b.workspace_id = $1 AND b.contact_id IN ($2, $3))
    WHERE workspace_id = $1 AND contact_id = $3 AND EXISTS (
        SELECT 1 FROM contact k WHERE k.workspace_id = $1 AND k.contact_id = $2 AND k.merged_into_id = $3)";

const INSERT_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $3, $1, 'contact.changed', k.contact_id, k.version, CAST($4 AS BIGINT)
    FROM contact k
    WHERE k.workspace_id = $1 AND k.contact_id = $2";

/// Merges a lead into the customer that he proved to be.
pub(crate) async fn absorb_lead(
    db: &Db,
    workspace_id: WorkspaceId,
    lead_id: ContactId,
    into_id: ContactId,
    at_ms: u64,
) -> Result<()> {
    let mut batch = of_two(workspace_id, lead_id, into_id);
    for sql in [ABSORB_LEAD, MOVE_LEAD_ROOT, RAISE_CUSTOMER] {
        batch.push(stmt!(sql, workspace_id, lead_id, into_id));
    }
    for contact_id in [lead_id, into_id] {
        let event_id = db.world().ids.next::<EventId>();
        batch.push(stmt!(
            INSERT_EVENT,
            workspace_id,
            contact_id,
            event_id,
            at_ms
        ));
    }
    db.batch(batch).await?;
    Ok(())
}
