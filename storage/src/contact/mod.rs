//! Contacts: people. Merging points, erasing is real.

mod erase;
mod identity;
mod known;
mod merge;
mod name;

use std::collections::BTreeMap;

use protocol::contact::{
    AttributeValue, Contact, ContactChange, ContactKind, Identity, IdentityKind,
};
use protocol::event::EventType;
use protocol::id::{ContactId, ConversationId, VisitorId, WorkspaceId};
use protocol::permission::Scope;

use crate::audit::Change;
use crate::change::{Stamp, insert_audit_where_stamped};
use crate::db::{Db, Reader, Row, Stmt, stmt};
use crate::error::{Error, Result, Written};

pub use erase::{Erased, erase, erase_words};
pub(crate) use identity::{Proved, by_identity, push_claimed, push_lead, push_proved};
pub(crate) use known::Known;
pub use known::overflow;
pub(crate) use merge::absorb_lead;
pub use merge::{merge, unmerge};
pub use name::{Named, Shown, named};
pub(crate) use name::{name_of, shown_stmt};

// By the primary key.
const FIND_CONTACT: &str = "
    SELECT contact_id, version, change_id, kind, handle, name, email, phone, company, language, time_zone,
        owner_id, merged_into_id, created_at_ms, seen_at_ms, erased_at_ms
    FROM contact
    WHERE workspace_id = $1 AND contact_id = $2";

// Uses `contact_by_root` and the primary key: those merged into it are known by what they were known by.
const LIST_IDENTITIES: &str = "
    SELECT i.kind, i.value, MAX(i.verified_at_ms) AS verified_at_ms
    FROM contact_identity i
    WHERE i.workspace_id = $1 AND i.archived_at_ms IS NULL AND i.contact_id IN (
        SELECT o.contact_id FROM contact o WHERE o.workspace_id = $1 AND o.contact_id = $2
        UNION ALL
        SELECT k.contact_id FROM contact k WHERE k.workspace_id = $1 AND k.root_id = $2)
    GROUP BY i.kind, i.value
    ORDER BY i.kind, i.value
    LIMIT 200";

// By the primary key.
const LIST_ATTRIBUTES: &str = "
    SELECT name, text_value, number_value, flag_value
    FROM attribute
    WHERE workspace_id = $1 AND noun = 'contact' AND subject_id = $2
    ORDER BY name
    LIMIT 200";

// By the primary key.
const LIST_TAGS: &str = "
    SELECT name FROM tag
    WHERE workspace_id = $1 AND noun = 'contact' AND subject_id = $2
    ORDER BY name
    LIMIT 200";

fn find_stmts(workspace_id: WorkspaceId, contact_id: ContactId) -> Vec<Stmt> {
    [FIND_CONTACT, LIST_IDENTITIES, LIST_ATTRIBUTES, LIST_TAGS]
        .map(|sql| stmt!(sql, workspace_id, contact_id))
        .into()
}

/// One contact, with identities, attributes and tags.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    scope: &Scope,
    contact_id: ContactId,
) -> Result<Option<Contact>> {
    get(reader, scope.workspace_id(), contact_id).await
}

async fn get(
    reader: &Reader,
    workspace_id: WorkspaceId,
    contact_id: ContactId,
) -> Result<Option<Contact>> {
    decode(
        &reader
            .snapshot(find_stmts(workspace_id, contact_id))
            .await?,
    )
}

fn decode(answers: &[Vec<Row>]) -> Result<Option<Contact>> {
    let [contacts, identities, attributes, tags] = answers else {
        return Err(Error::Fault("a contact needs four answers".to_owned()));
    };
    let Some(row) = contacts.first() else {
        return Ok(None);
    };
    Ok(Some(Contact {
        id: row.id("contact_id")?,
        version: row.number("version")?,
        kind: row.word("kind", ContactKind::of)?,
        name: row.text("name")?,
        shown_name: name_of(row)?,
        email: row.maybe_text("email")?,
        phone: row.maybe_text("phone")?,
        company: row.maybe_text("company")?,
        language: row.maybe_text("language")?,
        time_zone: row.maybe_text("time_zone")?,
        identities: identities
            .iter()
            .map(|row| {
                Ok(Identity {
                    kind: row.word("kind", IdentityKind::of)?,
                    value: row.text("value")?,
                    verified_at_ms: row.maybe_number("verified_at_ms")?,
                })
            })
            .collect::<Result<_>>()?,
        attributes: attributes
            .iter()
            .map(|row| Ok((row.text("name")?, attribute(row)?)))
            .collect::<Result<BTreeMap<_, _>>>()?,
        tags: tags
            .iter()
            .map(|row| row.text("name"))
            .collect::<Result<_>>()?,
        owner_id: row.maybe_id("owner_id")?,
        merged_into_id: row.maybe_id("merged_into_id")?,
        created_at_ms: row.number("created_at_ms")?,
        seen_at_ms: row.number("seen_at_ms")?,
        erased_at_ms: row.maybe_number("erased_at_ms")?,
    }))
}

fn attribute(row: &Row) -> Result<AttributeValue> {
    if let Some(text) = row.maybe_text("text_value")? {
        return Ok(AttributeValue::Text(text));
    }
    if let Some(number) = row.maybe_real("number_value")? {
        return Ok(AttributeValue::Number(number));
    }
    row.flag("flag_value").map(AttributeValue::Flag)
}

/// An absent value stays, an empty one goes.
const CHANGE_CONTACT: &str = "
    UPDATE contact SET version = version + 1, change_id = $3,
        name = COALESCE(CAST($5 AS TEXT), name),
        name_folded = COALESCE(CAST($9 AS TEXT), name_folded),
        email = CASE WHEN CAST($6 AS TEXT) IS NULL THEN email WHEN $6 = '' THEN NULL ELSE $6 END,
        phone = CASE WHEN CAST($7 AS TEXT) IS NULL THEN phone WHEN $7 = '' THEN NULL ELSE $7 END,
        company = CASE WHEN CAST($8 AS TEXT) IS NULL THEN company WHEN $8 = '' THEN NULL ELSE $8 END
    WHERE workspace_id = $1 AND contact_id = $2 AND version = $4 AND erased_at_ms IS NULL";

const INSERT_AUDIT: &str = insert_audit_where_stamped!("contact", "contact_id");

/// Changes a contact's record; what is absent stays. The address and number become claimed identities.
///
/// # Errors
/// The store's.
pub async fn change(
    db: &Db,
    contact_id: ContactId,
    version: u64,
    new: &ContactChange,
    change: &Change,
) -> Result<Written<Contact>> {
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    batch.push(stmt!(
        CHANGE_CONTACT,
        change.workspace_id,
        contact_id,
        stamp.id,
        version,
        new.name.clone(),
        new.email.clone(),
        new.phone.clone(),
        new.company.clone(),
        new.name.as_deref().map(crate::fold::fold)
    ));
    batch.push(stamp.audit_where_stamped(INSERT_AUDIT, contact_id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::ContactChanged, version + 1));
    let claims = [
        (IdentityKind::Email, &new.email),
        (IdentityKind::Phone, &new.phone),
    ];
    for (kind, value) in claims {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            let claim = identity::Claimed {
                contact_id,
                kind,
                scope: "",
                value,
            };
            batch.push(claim.stamped(change, stamp.id));
        }
    }
    for (name, value) in new.attributes.iter().flatten() {
        identity::push_attribute(&mut batch, contact_id, (name, value), change, stamp.id);
    }
    let first = batch.stmts.len();
    batch
        .stmts
        .extend(find_stmts(change.workspace_id, contact_id));
    let mut answers = db.batch(batch).await?;
    let done = answers[0].changed == 1;
    let rows: Vec<Vec<Row>> = answers.drain(first..).map(|answer| answer.rows).collect();
    Ok(match decode(&rows)? {
        Some(contact) if done => Written::Done(contact),
        Some(contact) if contact.version != version => Written::VersionConflict,
        Some(_) | None => Written::NotFound,
    })
}

// By primary keys, and `contact_by_root`.
const LIST_FAMILY: &str = "
    SELECT k.contact_id
    FROM conversation c
    JOIN contact o ON o.workspace_id = c.workspace_id AND o.contact_id = c.contact_id
    JOIN contact k ON k.workspace_id = o.workspace_id AND k.root_id = o.root_id
    WHERE c.workspace_id = $1 AND c.conversation_id = $2
    ORDER BY k.contact_id
    LIMIT 1000";

/// The person of a conversation: its contact with all that were merged into one, at most 1,000.
///
/// # Errors
/// The store's.
pub async fn family(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
) -> Result<Vec<ContactId>> {
    let rows = reader
        .rows(stmt!(LIST_FAMILY, workspace_id, conversation_id))
        .await?;
    rows.iter().map(|row| row.id("contact_id")).collect()
}

// By primary keys.
const FIND_OF_VISITOR: &str = "
    SELECT k.root_id
    FROM visitor v
    JOIN contact k ON k.workspace_id = v.workspace_id AND k.contact_id = v.contact_id
    WHERE v.workspace_id = $1 AND v.visitor_id = $2";

/// The contact behind a visitor, the one others were merged into.
///
/// # Errors
/// The store's.
pub async fn of_visitor(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
) -> Result<Option<ContactId>> {
    let row = reader
        .row(stmt!(FIND_OF_VISITOR, workspace_id, visitor_id))
        .await?;
    row.map(|row| row.id("root_id")).transpose()
}
