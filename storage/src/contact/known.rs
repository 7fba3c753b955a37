//! What a contact's record holds already: whether a claim or a proof says anything new, and whether that fits.
//! A page says who its visitor is with each load; nothing is written where it says nothing new.

use std::collections::{BTreeMap, BTreeSet};

use protocol::contact::{
    AttributeValue, Contact, ContactChange, ContactKind, Identity, IdentityKind,
};
use protocol::id::{ContactId, WorkspaceId};
use protocol::limit;
use protocol::visitor::Claim;

use super::identity::{claimed, proved_form};
use super::{LIST_ATTRIBUTES, attribute};
use crate::db::{Reader, Row, stmt};
use crate::error::Result;
use crate::fold::fold;
use crate::visitor::{Proof, VisitorRow};

// By the primary key.
const FIND_RECORD: &str = "
    SELECT kind, name, email, phone, company FROM contact
    WHERE workspace_id = $1 AND contact_id = $2 AND erased_at_ms IS NULL";

/// Uses `contact_by_root`. A customer may come with any number of browsers; of those only this one counts.
const LIST_KNOWN_IDENTITIES: &str = "
    SELECT kind, scope, value_folded, verified_at_ms FROM contact_identity
    WHERE workspace_id = $1 AND (kind <> 'visitor' OR value_folded = $3) AND contact_id IN (
        SELECT k.contact_id FROM contact k WHERE k.workspace_id = $1 AND k.root_id = $2)
    ORDER BY kind, scope, value_folded
    LIMIT 1000";

/// What a contact's record holds.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Nothing where the contact was erased: it learns nothing any more.
    record: Option<Record>,
    /// Kind, scope and folded value.
    identities: Vec<(IdentityKind, String, String)>,
    proved: Vec<(IdentityKind, String, String)>,
    attributes: BTreeMap<String, AttributeValue>,
}

#[derive(Debug)]
struct Record {
    kind: ContactKind,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    company: Option<String>,
}

impl Known {
    /// Reads what is known of a visitor's contact.
    pub(crate) async fn read(
        reader: &Reader,
        workspace_id: WorkspaceId,
        contact_id: ContactId,
        visitor: &VisitorRow,
    ) -> Result<Self> {
        let own = fold(&visitor.id.to_string());
        let answers = reader
            .snapshot(vec![
                stmt!(FIND_RECORD, workspace_id, contact_id),
                stmt!(LIST_KNOWN_IDENTITIES, workspace_id, contact_id, own),
                stmt!(LIST_ATTRIBUTES, workspace_id, contact_id),
            ])
            .await?;
        let mut known = Self {
            record: answers[0].first().map(record).transpose()?,
            ..Self::default()
        };
        for row in &answers[1] {
            let kind = row.word("kind", IdentityKind::of)?;
            let identity = (kind, row.text("scope")?, row.text("value_folded")?);
            if row.maybe_number("verified_at_ms")?.is_some() {
                known.proved.push(identity.clone());
            }
            known.identities.push(identity);
        }
        for row in &answers[2] {
            known.attributes.insert(row.text("name")?, attribute(row)?);
        }
        Ok(known)
    }

    /// Whether a claim adds anything. It fills what is not known, and replaces attributes alone.
    pub(crate) fn learns_from(&self, visitor: &VisitorRow, claim: &Claim) -> bool {
        let Some(record) = &self.record else {
            return false;
        };
        let fills =
            |known: &Option<String>, said: &Option<String>| known.is_none() && said.is_some();
        let names =
            record.name.is_empty() && claim.name.as_ref().is_some_and(|name| !name.is_empty());
        names
            || fills(&record.email, &claim.email)
            || fills(&record.phone, &claim.phone)
            || fills(&record.company, &claim.company)
            || self.lacks(visitor, claim)
    }

    /// Whether a proof of these identities adds or replaces anything. The first one names this contact.
    pub(crate) fn learns_from_proof(
        &self,
        visitor: &VisitorRow,
        identities: &[(IdentityKind, String, String)],
        proof: &Proof,
    ) -> bool {
        let Some(record) = &self.record else {
            return false;
        };
        let replaces =
            |known: &Option<String>, said: &Option<String>| said.is_some() && known != said;
        let named = proof.claim.name.as_deref().unwrap_or_default();
        let is_new = |(kind, scope, value): &(IdentityKind, String, String)| {
            let form = (*kind, scope.clone(), proved_form(*kind, value));
            !self.proved.contains(&form)
        };
        record.kind != ContactKind::Customer
            || (!named.is_empty() && record.name != named)
            || replaces(&record.email, &proof.address())
            || replaces(&record.phone, &proof.claim.phone)
            || replaces(&record.company, &proof.claim.company)
            || identities.iter().skip(1).any(is_new)
            || self.lacks(visitor, &self.fitting(visitor, proof.besides()))
    }

    fn lacks(&self, visitor: &VisitorRow, claim: &Claim) -> bool {
        let mut attributes = claim.attributes.iter();
        claimed(visitor, claim)
            .iter()
            .any(|identity| !self.has(identity))
            || attributes.any(|(name, value)| self.attributes.get(name) != Some(value))
    }

    fn has(&self, (kind, scope, value): &(IdentityKind, String, String)) -> bool {
        let folded = (*kind, scope.clone(), fold(value));
        self.identities.contains(&folded)
    }

    /// The first field of a claim for which there is no room.
    pub(crate) fn overflow(&self, visitor: &VisitorRow, claim: &Claim) -> Option<&'static str> {
        let is_new = |name: &&String| !self.attributes.contains_key(*name);
        let new_attributes = claim.attributes.keys().filter(is_new).count();
        if self.attributes.len() + new_attributes > limit::CONTACT_ATTRIBUTES_MAX
            && new_attributes > 0
        {
            return Some("attributes");
        }
        let mut count = self.identity_count();
        for identity in claimed(visitor, claim) {
            let field = match identity.0 {
                IdentityKind::Visitor => continue,
                IdentityKind::Email => "email",
                IdentityKind::Phone => "phone",
                IdentityKind::ExternalId => "customer_id",
            };
            if self.has(&identity) {
                continue;
            }
            count += 1;
            if count > limit::CONTACT_IDENTITIES_MAX {
                return Some(field);
            }
        }
        None
    }

    fn identity_count(&self) -> usize {
        let is_counted =
            |(kind, _, _): &&(IdentityKind, String, String)| *kind != IdentityKind::Visitor;
        self.identities.iter().filter(is_counted).count()
    }

    /// What of proved identities there is room for; the first one names the contact.
    pub(crate) fn fitting_proofs(
        &self,
        mut identities: Vec<(IdentityKind, String, String)>,
    ) -> Vec<(IdentityKind, String, String)> {
        if self.identity_count() >= limit::CONTACT_IDENTITIES_MAX {
            let mut index = 0;
            identities.retain(|identity| {
                index += 1;
                index == 1 || self.has(identity)
            });
        }
        identities
    }

    /// What of a claim there is room for. Nobody is kept out because his record is full.
    pub(crate) fn fitting(&self, visitor: &VisitorRow, mut claim: Claim) -> Claim {
        let mut count = self.attributes.len();
        claim.attributes.retain(|name, _| {
            let is_known = self.attributes.contains_key(name);
            count += usize::from(!is_known);
            is_known || count <= limit::CONTACT_ATTRIBUTES_MAX
        });
        while let Some(field) = self.overflow(visitor, &claim) {
            match field {
                "email" => claim.email = None,
                "phone" => claim.phone = None,
                _ => claim.customer_id = None,
            }
        }
        claim
    }
}

/// The first field of a change for which a contact has no room: the addresses and numbers of before stay with
/// the contact, so each new one counts. What is known already may be said again.
#[must_use]
pub fn overflow(contact: &Contact, change: &ContactChange) -> Option<&'static str> {
    if let Some(attributes) = &change.attributes {
        let mut names: BTreeSet<_> = contact.attributes.keys().collect();
        let before_count = names.len();
        for (name, value) in attributes {
            match value.is_empty() {
                false => names.insert(name),
                true => names.remove(name),
            };
        }
        if names.len() > limit::CONTACT_ATTRIBUTES_MAX && names.len() > before_count {
            return Some("attributes");
        }
    }
    let counted = contact.identities.iter();
    let mut count = counted
        .filter(|identity| identity.kind != IdentityKind::Visitor)
        .count();
    let said = [
        (IdentityKind::Email, "email", &change.email),
        (IdentityKind::Phone, "phone", &change.phone),
    ];
    for (kind, field, value) in said {
        let Some(value) = value.as_deref().filter(|value| !value.is_empty()) else {
            continue;
        };
        let is_same =
            |identity: &Identity| identity.kind == kind && fold(&identity.value) == fold(value);
        if contact.identities.iter().any(is_same) {
            continue;
        }
        count += 1;
        if count > limit::CONTACT_IDENTITIES_MAX {
            return Some(field);
        }
    }
    None
}

fn record(row: &Row) -> Result<Record> {
    Ok(Record {
        kind: row.word("kind", ContactKind::of)?,
        name: row.text("name")?,
        email: row.maybe_text("email")?,
        phone: row.maybe_text("phone")?,
        company: row.maybe_text("company")?,
    })
}
