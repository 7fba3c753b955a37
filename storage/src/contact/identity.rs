//! How contacts are known: claims, which link nothing, and proofs, which do.

use protocol::contact::{AttributeValue, IdentityKind, handle_of};
use protocol::id::{AuditId, ContactId, ConversationId, EventId, WorkspaceId};
use protocol::limit;
use protocol::visitor::Claim;

use crate::audit::Change;
use crate::db::{Batch, Db, Reader, Stmt, Value, stmt};
use crate::error::Result;
use crate::fold::fold;
use crate::visitor::{Proof, VisitorRow};

/// A contact for a visitor who has none, guarded by the conversation that just bound him to it.
const INSERT_LEAD: &str = "
    INSERT INTO contact (workspace_id, contact_id, version, change_id, kind, handle, name, name_folded, email,
        phone, company, language, time_zone, root_id, created_at_ms, seen_at_ms)
    SELECT $1, $3, 1, '', 'lead', $13, $5, $12, CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS TEXT),
        CAST($9 AS TEXT), CAST($10 AS TEXT), $3, CAST($11 AS BIGINT), CAST($11 AS BIGINT)
    FROM visitor v
    WHERE v.workspace_id = $1 AND v.visitor_id = $4 AND v.contact_id = $3 AND v.open_conversation_id = $2";

const INSERT_CONTACT_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $3, $1, $4, k.contact_id, k.version, CAST($5 AS BIGINT)
    FROM contact k
    WHERE k.workspace_id = $1 AND k.contact_id = $2";

/// A claim: stored where the contact is, once.
const INSERT_CLAIM: &str = "
    INSERT INTO contact_identity (workspace_id, contact_id, kind, scope, value, value_folded, created_at_ms)
    SELECT $1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT)
    FROM contact k
    WHERE k.workspace_id = $1 AND k.contact_id = $2 AND k.erased_at_ms IS NULL
    ON CONFLICT (workspace_id, contact_id, kind, scope, value_folded) DO NOTHING";

/// The same, where the contact carries the change's stamp.
const INSERT_STAMPED_CLAIM: &str = "
    INSERT INTO contact_identity (workspace_id, contact_id, kind, scope, value, value_folded, created_at_ms)
    SELECT $1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT)
    FROM contact k
    WHERE k.workspace_id = $1 AND k.contact_id = $2 AND k.change_id = $8
    ON CONFLICT (workspace_id, contact_id, kind, scope, value_folded) DO NOTHING";

const SET_ATTRIBUTE: &str = "
    INSERT INTO attribute (workspace_id, noun, subject_id, name, text_value, number_value, flag_value,
        changed_at_ms)
    SELECT $1, 'contact', $2, $3, CAST($4 AS TEXT), CAST($5 AS DOUBLE PRECISION), CAST($6 AS BOOLEAN),
        CAST($7 AS BIGINT)
    FROM contact k
    WHERE k.workspace_id = $1 AND k.contact_id = $2 AND k.erased_at_ms IS NULL
    ON CONFLICT (workspace_id, noun, subject_id, name) DO UPDATE SET text_value = excluded.text_value,
        number_value = excluded.number_value, flag_value = excluded.flag_value,
        changed_at_ms = excluded.changed_at_ms";

/// What somebody said a contact is known by.
pub(super) struct Claimed<'a> {
    pub(super) contact_id: ContactId,
    pub(super) kind: IdentityKind,
    pub(super) scope: &'a str,
    pub(super) value: &'a str,
}

impl Claimed<'_> {
    fn stmt(&self, workspace_id: WorkspaceId, at_ms: u64) -> Stmt {
        stmt!(
            INSERT_CLAIM,
            workspace_id,
            self.contact_id,
            self.kind.as_str(),
            self.scope,
            self.value,
            fold(self.value),
            at_ms
        )
    }

    /// The claim of a change of the record, stored where its stamp stands.
    pub(super) fn stamped(&self, change: &Change, stamp: AuditId) -> Stmt {
        let mut stmt = self.stmt(change.workspace_id, change.at_ms);
        stmt.sql = INSERT_STAMPED_CLAIM;
        stmt.params.push(Value::from(stamp));
        stmt
    }
}

/// Adds what makes a visitor a contact, with what the page claimed of him.
pub(crate) fn push_lead(
    db: &Db,
    batch: &mut Batch,
    conversation_id: ConversationId,
    contact_id: ContactId,
    visitor: &VisitorRow,
    at_ms: u64,
) {
    let claim = &visitor.claim;
    batch.push(stmt!(
        INSERT_LEAD,
        visitor.workspace_id,
        conversation_id,
        contact_id,
        visitor.id,
        claim.name.as_deref().unwrap_or_default(),
        claim.email.as_deref(),
        claim.phone.as_deref(),
        claim.company.as_deref(),
        visitor.browser.language.as_deref(),
        visitor.browser.time_zone.as_deref(),
        at_ms,
        fold(claim.name.as_deref().unwrap_or_default()),
        handle_of(visitor.id)
    ));
    let event_id = db.world().ids.next::<EventId>();
    batch.push(stmt!(
        INSERT_CONTACT_EVENT,
        visitor.workspace_id,
        contact_id,
        event_id,
        "contact.created",
        at_ms
    ));
    push_claims(batch, visitor, contact_id, claim, at_ms);
}

/// By what a claim says that its visitor is known: kind, scope and value.
pub(super) fn claimed(visitor: &VisitorRow, claim: &Claim) -> Vec<(IdentityKind, String, String)> {
    let id = visitor.id.to_string();
    let claims = [
        (IdentityKind::Visitor, String::new(), Some(id)),
        (IdentityKind::Email, String::new(), claim.email.clone()),
        (IdentityKind::Phone, String::new(), claim.phone.clone()),
        (
            IdentityKind::ExternalId,
            visitor.site_id.to_string(),
            claim.customer_id.clone(),
        ),
    ];
    let said = |(kind, scope, value): (_, _, Option<String>)| Some((kind, scope, value?));
    let claims = claims.into_iter().filter_map(said);
    claims.filter(|(_, _, value)| !value.is_empty()).collect()
}

fn push_claims(
    batch: &mut Batch,
    visitor: &VisitorRow,
    contact_id: ContactId,
    claim: &Claim,
    at_ms: u64,
) {
    for (kind, scope, value) in &claimed(visitor, claim) {
        let claim = Claimed {
            contact_id,
            kind: *kind,
            scope,
            value,
        };
        batch.push(claim.stmt(visitor.workspace_id, at_ms));
    }
    for (name, value) in claim.attributes.iter().take(limit::PROPERTIES_MAX) {
        let (text, number, flag) = parts(value);
        batch.push(stmt!(
            SET_ATTRIBUTE,
            visitor.workspace_id,
            contact_id,
            name.as_str(),
            text,
            number,
            flag,
            at_ms
        ));
    }
}

/// A value in its three columns, of which one is filled.
fn parts(value: &AttributeValue) -> (Option<&str>, Option<f64>, Option<bool>) {
    match value {
        AttributeValue::Text(text) => (Some(text.as_str()), None, None),
        AttributeValue::Number(number) => (None, Some(*number), None),
        AttributeValue::Flag(flag) => (None, None, Some(*flag)),
    }
}

/// As [`SET_ATTRIBUTE`], where the contact carries the change's stamp.
const SET_STAMPED_ATTRIBUTE: &str = "
    INSERT INTO attribute (workspace_id, noun, subject_id, name, text_value, number_value, flag_value,
        changed_at_ms)
    SELECT $1, 'contact', $2, $3, CAST($4 AS TEXT), CAST($5 AS DOUBLE PRECISION), CAST($6 AS BOOLEAN),
        CAST($7 AS BIGINT)
    FROM contact k
    WHERE k.workspace_id = $1 AND k.contact_id = $2 AND k.change_id = $8
    ON CONFLICT (workspace_id, noun, subject_id, name) DO UPDATE SET text_value = excluded.text_value,
        number_value = excluded.number_value, flag_value = excluded.flag_value,
        changed_at_ms = excluded.changed_at_ms";

/// Uses the primary keys. Where the contact carries the change's stamp.
const DELETE_STAMPED_ATTRIBUTE: &str = "
    DELETE FROM attribute
    WHERE workspace_id = $1 AND noun = 'contact' AND subject_id = $2 AND name = $3
        AND EXISTS (SELECT 1 FROM contact k
            WHERE k.workspace_id = $1 AND k.contact_id = $2 AND k.change_id = $4)";

/// What the team changes of a contact's attributes; an empty text takes one away.
pub(super) fn push_attribute(
    batch: &mut Batch,
    contact_id: ContactId,
    (name, value): (&str, &AttributeValue),
    change: &Change,
    stamp_id: AuditId,
) {
    if value.is_empty() {
        batch.push(stmt!(
            DELETE_STAMPED_ATTRIBUTE,
            change.workspace_id,
            contact_id,
            name,
            stamp_id
        ));
        return;
    }
    let (text, number, flag) = parts(value);
    batch.push(stmt!(
        SET_STAMPED_ATTRIBUTE,
        change.workspace_id,
        contact_id,
        name,
        text,
        number,
        flag,
        change.at_ms,
        stamp_id
    ));
}

/// A claim fills what is not known; it replaces nothing.
const FILL_CONTACT: &str = "
    UPDATE contact SET version = version + 1,
        name = CASE WHEN name = '' THEN $3 ELSE name END,
        name_folded = CASE WHEN name = '' THEN $7 ELSE name_folded END,
        email = COALESCE(email, CAST($4 AS TEXT)),
        phone = COALESCE(phone, CAST($5 AS TEXT)),
        company = COALESCE(company, CAST($6 AS TEXT))
    WHERE workspace_id = $1 AND contact_id = $2 AND erased_at_ms IS NULL";

/// Adds what stores a claim, which says something new, with a contact that exists.
pub(crate) fn push_claimed(
    db: &Db,
    batch: &mut Batch,
    contact_id: ContactId,
    visitor: &VisitorRow,
    claim: &Claim,
    at_ms: u64,
) {
    let workspace_id = visitor.workspace_id;
    batch.push(stmt!(
        FILL_CONTACT,
        workspace_id,
        contact_id,
        claim.name.clone().unwrap_or_default(),
        claim.email.clone(),
        claim.phone.clone(),
        claim.company.clone(),
        fold(claim.name.as_deref().unwrap_or_default())
    ));
    push_claims(batch, visitor, contact_id, claim, at_ms);
    let event_id = db.world().ids.next::<EventId>();
    batch.push(stmt!(
        INSERT_CONTACT_EVENT,
        workspace_id,
        contact_id,
        event_id,
        "contact.changed",
        at_ms
    ));
}

// Uses `contact_identity_verified`.
const FIND_BY_IDENTITY: &str = "
    SELECT k.root_id
    FROM contact_identity i
    JOIN contact k ON k.workspace_id = i.workspace_id AND k.contact_id = i.contact_id
    WHERE i.workspace_id = $1 AND i.kind = $2 AND i.scope = $3 AND i.value_folded = $4
        AND i.verified_at_ms IS NOT NULL AND i.archived_at_ms IS NULL
    LIMIT 1";

/// The contact whom a proved identity names, the one others were merged into.
pub(crate) async fn by_identity(
    reader: &Reader,
    workspace_id: WorkspaceId,
    kind: IdentityKind,
    scope: &str,
    value: &str,
) -> Result<Option<ContactId>> {
    let row = reader
        .row(stmt!(
            FIND_BY_IDENTITY,
            workspace_id,
            kind.as_str(),
            scope,
            proved_form(kind, value)
        ))
        .await?;
    row.map(|row| row.id("root_id")).transpose()
}

/// A proved identity compared as its kind wants: a site's own ids differ by case, addresses do not.
pub(super) fn proved_form(kind: IdentityKind, value: &str) -> String {
    match kind {
        IdentityKind::Email => fold(value),
        IdentityKind::Visitor | IdentityKind::ExternalId | IdentityKind::Phone => value.to_owned(),
    }
}

/// What is proved, and of whom.
pub(crate) struct Proved<'a> {
    pub(crate) contact_id: ContactId,
    /// Whether the identity leads to the contact already.
    pub(crate) is_known: bool,
    pub(crate) proof: &'a Proof,
    /// Kinds, scopes and values, as far as there is room for them.
    pub(crate) identities: &'a [(IdentityKind, String, String)],
    /// What is claimed with it, as far as there is room for it.
    pub(crate) besides: &'a Claim,
    pub(crate) at_ms: u64,
}

const INSERT_CUSTOMER: &str = "
    INSERT INTO contact (workspace_id, contact_id, version, change_id, kind, handle, name, name_folded,
        language, time_zone, root_id, created_at_ms, seen_at_ms)
    VALUES ($1, $2, 1, '', 'customer', $6, '', '', $3, $4, $2, $5, $5)
    ON CONFLICT (workspace_id, contact_id) DO NOTHING";

/// What a proof says replaces what was claimed.
const SET_CUSTOMER: &str = "
    UPDATE contact SET version = version + 1, kind = 'customer',
        name = CASE WHEN $3 = '' THEN name ELSE $3 END,
        name_folded = CASE WHEN $3 = '' THEN name_folded ELSE $8 END,
        email = COALESCE(CAST($4 AS TEXT), email),
        phone = COALESCE(CAST($5 AS TEXT), phone),
        company = COALESCE(CAST($6 AS TEXT), company),
        seen_at_ms = CASE WHEN $7 > seen_at_ms THEN $7 ELSE seen_at_ms END
    WHERE workspace_id = $1 AND contact_id = $2 AND erased_at_ms IS NULL";

/// Fails where another contact was proved to be this meanwhile.
const INSERT_FIRST_PROOF: &str = "
    INSERT INTO contact_identity (workspace_id, contact_id, kind, scope, value, value_folded,
        verified_at_ms, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
    ON CONFLICT (workspace_id, contact_id, kind, scope, value_folded)
    DO UPDATE SET verified_at_ms = COALESCE(contact_identity.verified_at_ms, excluded.verified_at_ms)";

/// Once: what was merged into the contact keeps what it was proved to be, and speaks for it. Uses
/// `contact_identity_verified`.
const INSERT_PROOF: &str = "
    INSERT INTO contact_identity (workspace_id, contact_id, kind, scope, value, value_folded,
        verified_at_ms, created_at_ms)
    SELECT $1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT), CAST($7 AS BIGINT)
    WHERE NOT EXISTS (
        SELECT 1 FROM contact_identity i
        WHERE i.workspace_id = $1 AND i.kind = $3 AND i.scope = $4 AND i.value_folded = $6
            AND i.verified_at_ms IS NOT NULL AND i.archived_at_ms IS NULL)
    ON CONFLICT (workspace_id, contact_id, kind, scope, value_folded)
    DO UPDATE SET verified_at_ms = COALESCE(contact_identity.verified_at_ms, excluded.verified_at_ms)";

/// Adds what ties a proved identity to its contact, which is made where it is not there.
pub(crate) fn push_proved(
    db: &Db,
    batch: &mut Batch,
    visitor: &VisitorRow,
    proved: &Proved<'_>,
) -> Result<()> {
    let workspace_id = visitor.workspace_id;
    let Proved {
        contact_id,
        is_known,
        proof,
        besides,
        at_ms,
        ..
    } = *proved;
    let claim = &proof.claim;
    batch.push(stmt!(
        INSERT_CUSTOMER,
        workspace_id,
        contact_id,
        visitor.browser.language.clone(),
        visitor.browser.time_zone.clone(),
        at_ms,
        handle_of(visitor.id)
    ));
    batch.push(stmt!(
        SET_CUSTOMER,
        workspace_id,
        contact_id,
        claim.name.clone().unwrap_or_default(),
        proof.address(),
        claim.phone.clone(),
        claim.company.clone(),
        at_ms,
        fold(claim.name.as_deref().unwrap_or_default())
    ));
    for (kind, scope, value) in proved.identities {
        // An address within a customer's id names nobody by itself.
        let is_name = *kind == IdentityKind::ExternalId || scope.is_empty();
        batch.push(stmt!(
            if is_name && !is_known {
                INSERT_FIRST_PROOF
            } else {
                INSERT_PROOF
            },
            workspace_id,
            contact_id,
            kind.as_str(),
            scope.as_str(),
            value.as_str(),
            proved_form(*kind, value),
            at_ms
        ));
    }
    push_claims(batch, visitor, contact_id, besides, at_ms);
    let event_id = db.world().ids.next::<EventId>();
    batch.push(stmt!(
        INSERT_CONTACT_EVENT,
        workspace_id,
        contact_id,
        event_id,
        "contact.changed",
        at_ms
    ));
    Ok(())
}

impl Proof {
    /// The address that the site vouches for.
    pub(super) fn address(&self) -> Option<String> {
        self.email.clone().or_else(|| self.claim.email.clone())
    }

    /// All that is proved, the first of which names the contact. Two customers may share an address: beside a
    /// customer's own id it is proved of this one, and names nobody by itself.
    pub(crate) fn identities(
        &self,
        (kind, scope, value): (IdentityKind, &str, &str),
    ) -> Vec<(IdentityKind, String, String)> {
        let mut identities = vec![(kind, scope.to_owned(), value.to_owned())];
        if let Some(email) = self.address().filter(|_| kind != IdentityKind::Email) {
            identities.push((IdentityKind::Email, format!("{scope}/{value}"), email));
        }
        identities
    }

    /// What is only claimed besides.
    pub(crate) fn besides(&self) -> Claim {
        Claim {
            customer_id: None,
            email: None,
            ..self.claim.clone()
        }
    }
}
