//! Contacts: people. A lead from the first message; merging points from one to another and rewrites
//! nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;
use crate::id::{AgentId, ContactId, VisitorId};
use crate::limit;
use crate::rejection::{ErrorCode, Rejection};
use crate::text::{self, Form};

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

/// The letters of a handle.
const HANDLE_LENGTH: usize = 4;

/// What a person is called by while nobody knows more: the end of the first browser's id. Stays for good.
#[must_use]
pub fn handle_of(visitor_id: VisitorId) -> String {
    let id = visitor_id.to_string();
    id[id.len() - HANDLE_LENGTH..].to_ascii_uppercase()
}

/// What a person is called wherever one is shown: the name, else the e-mail address, else the handle.
/// The one rule: nobody else puts such a name together.
#[must_use]
pub fn shown_name(name: &str, email: Option<&str>, handle: &str) -> String {
    [Some(name), email]
        .into_iter()
        .flatten()
        .find(|known| !known.is_empty())
        .map_or_else(|| format!("Visitor {handle}"), str::to_owned)
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

impl AttributeValue {
    /// Whether it says nothing: a text without a letter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    /// Checks a value from outside.
    ///
    /// # Errors
    /// `too_long` or `invalid`, with the field.
    pub fn check(&self, field: &'static str) -> Result<(), Rejection> {
        match self {
            Self::Text(text) if text.len() > limit::PROPERTY_BYTES_MAX => {
                Err(Rejection::of(ErrorCode::TooLong, field))
            }
            Self::Text(text) => text::check(text, Form::Lines, field),
            Self::Number(number) if !number.is_finite() => {
                Err(Rejection::of(ErrorCode::Invalid, field))
            }
            Self::Number(_) | Self::Flag(_) => Ok(()),
        }
    }
}

/// Checks the name of a property, an attribute or an event.
///
/// # Errors
/// `empty`, `too_long` or `invalid`, with the field.
pub fn check_name(name: &str, field: &'static str) -> Result<(), Rejection> {
    if name.is_empty() {
        return Err(Rejection::of(ErrorCode::Empty, field));
    }
    if name.len() > limit::PROPERTY_NAME_BYTES_MAX {
        return Err(Rejection::of(ErrorCode::TooLong, field));
    }
    text::check(name, Form::Line, field)
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
    /// What the contact is called wherever one is shown: the name, else the address, else a handle.
    pub shown_name: String,
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
    /// When the contact was erased: nothing but the record's ids is left.
    pub erased_at_ms: Option<u64>,
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
    /// New attributes, by name, at most [`limit::PROPERTIES_MAX`] at once; an empty text takes one away. Those that are
    /// not named stay.
    pub attributes: Option<BTreeMap<String, AttributeValue>>,
}

/// Merges a contact into another: from then on the other one speaks for both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts")]
pub struct ContactMerge {
    /// The contact that stays.
    pub into_id: ContactId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    #[test]
    fn a_person_is_called_by_the_name_the_address_or_a_handle_that_stays() {
        let check = |name, email, expected| assert_eq!(shown_name(name, email, "4F2A"), expected);
        check("Ana", Some("ana@example.com"), "Ana");
        check("", Some("ana@example.com"), "ana@example.com");
        check("", Some(""), "Visitor 4F2A");
        check("", None, "Visitor 4F2A");
    }

    #[test]
    fn a_handle_is_the_end_of_the_id() {
        assert_eq!(handle_of(VisitorId::from_bits(0)), "0000");
        let id = VisitorId::from_bits(0x0123_4567_89ab_cdef);
        assert!(id.to_string().ends_with(&handle_of(id).to_lowercase()));
    }
}
