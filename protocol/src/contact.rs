//! Contacts: people. A lead from the first message; merging points from one to another and rewrites
//! nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;
use crate::id::{AgentId, ContactId};

words! {
    /// What a contact is to us.
    ContactKind {
        /// Somebody who wrote.
        Lead = "lead",
        /// Somebody who was identified by the site or the team.
        Customer = "customer",
    }

    /// What an identity says.
    IdentityKind {
        /// A browser of the widget.
        Visitor = "visitor",
        /// An e-mail address.
        Email = "email",
        /// The site's own id for its customer.
        ExternalId = "external_id",
        /// A telephone number.
        Phone = "phone",
    }
}

/// A typed attribute's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(untagged)]
#[ts(export_to = "protocol.ts")]
pub enum AttributeValue {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// A way to know a contact again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Identity {
    /// What it says.
    pub kind: IdentityKind,
    /// The value.
    pub value: String,
    /// When it was proved by a signed token or by mail; a claim, which links nothing, when absent.
    pub verified_at_ms: Option<u64>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Grows with every change (`If-Match`).
    pub version: u64,
    /// What the contact is to us.
    pub kind: ContactKind,
    /// The name as far as known; empty otherwise.
    pub name: String,
    /// The address that stands in the record, verified or claimed.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The company as the site names it.
    pub company: Option<String>,
    /// The language, as a BCP 47 tag.
    pub language: Option<String>,
    /// The IANA time zone.
    pub time_zone: Option<String>,
    /// How the contact is known.
    pub identities: Vec<Identity>,
    /// What the site or the team says about the contact.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// The tags, sorted.
    pub tags: Vec<String>,
    /// Who looks after the contact.
    pub owner_id: Option<AgentId>,
    /// The record this one was merged into.
    pub merged_into_id: Option<ContactId>,
    /// When the contact was first seen.
    pub created_at_ms: u64,
    /// When somebody last spoke with the contact, or he was last on a site.
    pub seen_at_ms: u64,
}

/// What a change of a contact may set; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct ContactChange {
    /// A new name; empty takes it away.
    pub name: Option<String>,
    /// A new address; empty takes it away.
    pub email: Option<String>,
    /// A new telephone number; empty takes it away.
    pub phone: Option<String>,
    /// A new company; empty takes it away.
    pub company: Option<String>,
}

/// Merges a contact into another: from then on the other one speaks for both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts")]
pub struct ContactMerge {
    /// The contact that stays.
    pub into_id: ContactId,
}
