//! Proofs: a signed identity ties a visitor to a contact.

use protocol::contact::IdentityKind;
use protocol::id::{ContactId, EventId, VisitorId, WorkspaceId};
use protocol::visitor::Claim;

use super::{INSERT_TIED_EVENT, VisitorRow, find, json};
use crate::contact;
use crate::db::{Batch, Db, Hold, stmt};
use crate::error::{Error, Result};

/// What a signed identity proves.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// The site's own id for its customer.
    pub customer_id: Option<String>,
    /// A proved address.
    pub email: Option<String>,
    /// What else the token says.
    pub claim: Claim,
}

/// Uses `contact_by_root`. Who is blocked is so on every device.
const TIE_VISITOR: &str = "
    UPDATE visitor SET contact_id = $3, proved = TRUE, claim_json = $4, version = version + 1,
        blocked_at_ms = COALESCE(blocked_at_ms, (
            SELECT MAX(m.blocked_at_ms) FROM contact k
            JOIN contact m ON m.workspace_id = k.workspace_id AND m.root_id = k.root_id
            WHERE k.workspace_id = $1 AND k.contact_id = $3))
    WHERE workspace_id = $1 AND visitor_id = $2 AND erased_at_ms IS NULL";

/// The guard: the visitor is who he was when it was decided, and the contact was not erased meanwhile. `$3`
/// contact, `$4` the one he had, `$5` whether he was proved.
const GUARD_PROOF: &str = "
    SELECT v.visitor_id FROM visitor v
    LEFT JOIN contact r ON r.workspace_id = v.workspace_id AND r.contact_id = v.contact_id
    WHERE v.workspace_id = $1 AND v.visitor_id = $2 AND v.erased_at_ms IS NULL
        AND COALESCE(r.root_id, '') = $4 AND v.proved = CAST($5 AS BOOLEAN)
        AND NOT EXISTS (
            SELECT 1 FROM contact k
            WHERE k.workspace_id = $1 AND k.contact_id = $3 AND k.erased_at_ms IS NOT NULL)";

/// How often a proof is tried while the visitor becomes somebody else, or the contact another one.
const PROOF_TRIES: usize = 4;

/// Ties a visitor to the contact that a signed identity proves; makes the contact where there is none. A
/// visitor who was a lead without a proved identity brings the lead's record along: it becomes the
/// customer's where that one is new, and is merged into it otherwise.
///
/// Gives nothing, and changes nothing, where the visitor is proved as somebody else already, was erased, or
/// the proof names nobody.
///
/// # Errors
/// The store's.
pub async fn prove(
    db: &Db,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
    proof: &Proof,
    at_ms: u64,
) -> Result<Option<ContactId>> {
    for _ in 0..PROOF_TRIES {
        if let Proven::Done(contact_id) =
            try_to_prove(db, workspace_id, visitor_id, proof, at_ms).await?
        {
            return Ok(contact_id);
        }
    }
    Err(Error::Unavailable("too much at a time".to_owned()))
}

/// What came of a try.
enum Proven {
    Done(Option<ContactId>),
    /// Somebody was faster: look again.
    Again,
}

async fn try_to_prove(
    db: &Db,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
    proof: &Proof,
    at_ms: u64,
) -> Result<Proven> {
    let found = find(db, workspace_id, visitor_id).await?;
    let Some(visitor) = found.filter(|visitor| !visitor.erased) else {
        return Ok(Proven::Done(None));
    };
    let (kind, scope, value) = match (&proof.customer_id, &proof.email) {
        (Some(id), _) => (IdentityKind::ExternalId, visitor.site_id.to_string(), id),
        (None, Some(email)) => (IdentityKind::Email, String::new(), email),
        (None, None) => return Ok(Proven::Done(None)),
    };
    let known = contact::by_identity(db, workspace_id, kind, &scope, value).await?;
    if visitor.proved && (visitor.contact_id.is_none() || visitor.contact_id != known) {
        return Ok(Proven::Done(None));
    }
    let lead = visitor.contact_id.filter(|_| !visitor.proved);
    let ids = &db.world().ids;
    let contact_id = known.or(lead).unwrap_or_else(|| ids.next());
    let mut identities = proof.identities((kind, &scope, value));
    let mut besides = proof.besides();
    if let Some(id) = known.or(lead) {
        let record = contact::Known::read(db, workspace_id, id, &visitor).await?;
        identities = record.fitting_proofs(identities);
        // As pages do with each load.
        let is_proved = visitor.proved && visitor.claim == proof.claim;
        if is_proved && !record.learns_from_proof(&visitor, &identities, proof) {
            return Ok(Proven::Done(Some(id)));
        }
        besides = record.fitting(&visitor, besides);
    }
    let proved = contact::Proved {
        contact_id,
        is_known: known.is_some(),
        proof,
        identities: &identities,
        besides: &besides,
        at_ms,
    };
    let batch = batch_of(db, &visitor, &proved)?;
    match (db.batch(batch).await, known) {
        (Ok(answers), _) if answers[0].rows.is_empty() => return Ok(Proven::Again),
        (Ok(_), _) => {}
        // Two browsers proved the same new customer at once: the other one made the contact.
        (Err(Error::Unique(_)), None) => return Ok(Proven::Again),
        (Err(error), _) => return Err(error),
    }
    if let (Some(lead), Some(known)) = (lead, known)
        && lead != known
    {
        contact::absorb_lead(db, workspace_id, lead, known, at_ms).await?;
    }
    Ok(Proven::Done(Some(contact_id)))
}

/// The guarded batch that ties a visitor to the contact that he is proved to be.
fn batch_of(db: &Db, visitor: &VisitorRow, proved: &contact::Proved<'_>) -> Result<Batch> {
    let (workspace_id, contact_id) = (visitor.workspace_id, proved.contact_id);
    let holds = vec![
        Hold::Visitor(workspace_id, visitor.id),
        Hold::Contact(workspace_id, contact_id),
    ];
    let before = visitor.contact_id.map(|id| id.to_string());
    let guard = stmt!(
        GUARD_PROOF,
        workspace_id,
        visitor.id,
        contact_id,
        before.unwrap_or_default(),
        visitor.proved
    );
    let mut batch = Batch::guarded(holds, guard);
    // The contact is looked at besides what is held.
    batch.is_alone = true;
    batch.locks.insert(0, contact_id.to_string());
    contact::push_proved(db, &mut batch, visitor, proved)?;
    batch.push(stmt!(
        TIE_VISITOR,
        workspace_id,
        visitor.id,
        contact_id,
        json(&proved.proof.claim)?
    ));
    batch.push(stmt!(
        INSERT_TIED_EVENT,
        workspace_id,
        visitor.id,
        db.world().ids.next::<EventId>(),
        proved.at_ms
    ));
    Ok(batch)
}
