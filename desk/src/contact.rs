//! Contacts: what the team knows of a person, two records of one person, and forgetting for good.

use std::collections::BTreeMap;

use protocol::contact::{AttributeValue, Contact, ContactChange, check_name};
use protocol::id::ContactId;
use protocol::limit;
use protocol::permission::{Actor, Permission};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::Email;
use router::Part;

use crate::audit::{By, Differences};
use crate::error::Result;
use crate::{Caller, Desk, field, stored};

/// A change with every value in its stored form.
fn checked(change: &ContactChange) -> Result<ContactChange, Rejection> {
    let line = |text: &Option<String>, name| {
        text.as_ref()
            .map(|text| field::line(text, name))
            .transpose()
    };
    let email = match &change.email {
        Some(text) if !text.trim().is_empty() => Some(Email::parse(text)?.as_str().to_owned()),
        other => other.as_ref().map(|_| String::new()),
    };
    Ok(ContactChange {
        name: line(&change.name, "name")?,
        email,
        phone: line(&change.phone, "phone")?,
        company: line(&change.company, "company")?,
        attributes: attributes(change)?,
    })
}

type Attributes = BTreeMap<String, AttributeValue>;

fn attributes(change: &ContactChange) -> Result<Option<Attributes>, Rejection> {
    let field = "attributes";
    let Some(attributes) = &change.attributes else {
        return Ok(None);
    };
    if attributes.len() > limit::PROPERTIES_MAX {
        return Err(Rejection::of(ErrorCode::TooMany, field));
    }
    for (name, value) in attributes {
        check_name(name, field)?;
        value.check(field)?;
    }
    // Nothing has one form, so that the log and whoever compares see it.
    let nothing = || AttributeValue::Text(String::new());
    let attributes = attributes.iter().map(|(name, value)| {
        let value = if value.is_empty() {
            nothing()
        } else {
            value.clone()
        };
        (name.clone(), value)
    });
    Ok(Some(attributes.collect()))
}

fn differences(contact: &Contact, change: &ContactChange) -> Differences {
    let mut differences = Differences::default();
    let mut note = |field, before: Option<&String>, after: &Option<String>| {
        if let Some(after) = after {
            let before = before.map(String::as_str).unwrap_or_default();
            differences.note(field, &before, &after.as_str());
        }
    };
    note("name", Some(&contact.name), &change.name);
    note("email", contact.email.as_ref(), &change.email);
    note("phone", contact.phone.as_ref(), &change.phone);
    note("company", contact.company.as_ref(), &change.company);
    if let Some(after) = &change.attributes {
        // Of those that were named alone; one that is not there is an empty text.
        let nothing = || AttributeValue::Text(String::new());
        let before: Attributes = after
            .keys()
            .map(|name| (name, contact.attributes.get(name)))
            .map(|(name, value)| (name.clone(), value.cloned().unwrap_or_else(nothing)))
            .collect();
        differences.note("attributes", &before, after);
    }
    differences
}

impl Desk {
    /// One contact.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn contact(&self, actor: &Actor, contact_id: ContactId) -> Result<Contact> {
        let scope = actor.may(Permission::ContactsRead)?;
        let contact = storage::contact::find(&self.0.db, &scope, contact_id).await?;
        contact.ok_or_else(|| ErrorCode::NotFound.into())
    }

    async fn contact_to_change(&self, actor: &Actor, contact_id: ContactId) -> Result<Contact> {
        let scope = actor.may(Permission::ContactsWrite)?;
        let contact = storage::contact::find(&self.0.db, &scope, contact_id).await?;
        contact.ok_or_else(|| ErrorCode::NotFound.into())
    }

    /// Changes a contact.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `version_conflict`, `invalid` or `too_long` of what is wrong, `too_many` of an
    /// address or number for which the contact has no room.
    pub async fn change_contact(
        &self,
        actor: &Actor,
        contact_id: ContactId,
        version: u64,
        change: &ContactChange,
        caller: Option<&Caller>,
    ) -> Result<Contact> {
        let change = checked(change)?;
        let contact = self.contact_to_change(actor, contact_id).await?;
        if contact.version != version {
            return Err(ErrorCode::VersionConflict.into());
        }
        let differences = differences(&contact, &change);
        if differences.is_empty() {
            return Ok(contact);
        }
        if let Some(field) = storage::contact::overflow(&contact, &change) {
            return Err(Rejection::of(ErrorCode::TooMany, field).into());
        }
        let by = By { actor, caller };
        let line = by.change("contact.changed", contact_id, differences, self.now_ms());
        let written =
            storage::contact::change(&self.0.db, contact_id, version, &change, &line).await?;
        let contact = stored(written)?;
        self.changed(actor.workspace_id, Part::Contact(contact_id));
        Ok(contact)
    }

    /// Merges a contact into another, which then speaks for both. Nothing is rewritten, and it can
    /// be taken back.
    ///
    /// # Errors
    /// `forbidden`, `not_found` for either, `invalid` of `into_id` for circles and chains.
    pub async fn merge_contact(
        &self,
        actor: &Actor,
        contact_id: ContactId,
        into_id: ContactId,
        caller: Option<&Caller>,
    ) -> Result<Contact> {
        self.contact_to_change(actor, contact_id).await?;
        self.contact_to_change(actor, into_id).await?;
        let mut differences = Differences::default();
        differences.note("merged_into_id", &None, &Some(into_id));
        let by = By { actor, caller };
        let change = by.change("contact.merged", contact_id, differences, self.now_ms());
        let written = storage::contact::merge(&self.0.db, contact_id, into_id, &change).await?;
        let circle = Rejection::of(ErrorCode::Invalid, "into_id");
        let contact =
            stored(written).map_err(|error| error.told_as(ErrorCode::OutOfOrder, circle))?;
        self.both_changed(actor, contact, into_id)
    }

    /// Takes a merge back.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `out_of_order` where the contact was not merged.
    pub async fn unmerge_contact(
        &self,
        actor: &Actor,
        contact_id: ContactId,
        caller: Option<&Caller>,
    ) -> Result<Contact> {
        let before = self.contact_to_change(actor, contact_id).await?;
        let Some(into_id) = before.merged_into_id else {
            return Err(ErrorCode::OutOfOrder.into());
        };
        let mut differences = Differences::default();
        differences.note("merged_into_id", &Some(into_id), &None);
        let by = By { actor, caller };
        let change = by.change("contact.unmerged", contact_id, differences, self.now_ms());
        let written = storage::contact::unmerge(&self.0.db, contact_id, &change).await?;
        self.both_changed(actor, stored(written)?, into_id)
    }

    fn both_changed(&self, actor: &Actor, contact: Contact, other: ContactId) -> Result<Contact> {
        self.changed(actor.workspace_id, Part::Contact(contact.id));
        self.changed(actor.workspace_id, Part::Contact(other));
        Ok(contact)
    }

    /// Erases a contact for good, with the words of its conversations, through the router's lanes.
    /// May be repeated until it succeeds.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn erase_contact(&self, actor: &Actor, contact_id: ContactId) -> Result<()> {
        actor.may(Permission::ContactsErase)?;
        Ok(self.0.router.erase_contact(actor, contact_id).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_have_bounds_and_the_log_keeps_those_that_were_named() {
        let change = |name: &str, value: AttributeValue| ContactChange {
            attributes: Some([(name.to_owned(), value)].into()),
            ..ContactChange::default()
        };
        let text = |length: usize| AttributeValue::Text("v".repeat(length));
        let longest = "n".repeat(limit::PROPERTY_NAME_BYTES_MAX);
        assert!(checked(&change(&longest, text(limit::PROPERTY_BYTES_MAX))).is_ok());
        let nan = AttributeValue::Number(f64::NAN);
        for (name, value, code) in [
            (longest.clone() + "n", text(0), ErrorCode::TooLong),
            (
                "n".to_owned(),
                text(limit::PROPERTY_BYTES_MAX + 1),
                ErrorCode::TooLong,
            ),
            (String::new(), text(0), ErrorCode::Empty),
            ("a\u{202e}b".to_owned(), text(0), ErrorCode::Invalid),
            ("n".to_owned(), nan, ErrorCode::Invalid),
        ] {
            let refused = checked(&change(&name, value)).unwrap_err();
            assert_eq!(refused, Rejection::of(code, "attributes"), "{name}");
        }
        let many = (0..=limit::PROPERTIES_MAX).map(|index| (index.to_string(), text(0)));
        let many = ContactChange {
            attributes: Some(many.collect()),
            ..ContactChange::default()
        };
        let too_many = Rejection::of(ErrorCode::TooMany, "attributes");
        assert_eq!(checked(&many).unwrap_err(), too_many);
        let spaces = checked(&change("n", AttributeValue::Text(" \n".to_owned()))).unwrap();
        assert_eq!(spaces, change("n", text(0)));
    }

    #[test]
    fn an_empty_value_takes_a_fact_away_and_a_wrong_one_is_named() {
        let change = |email: &str| ContactChange {
            email: Some(email.to_owned()),
            ..ContactChange::default()
        };
        assert_eq!(checked(&change(" ")).unwrap().email.as_deref(), Some(""));
        assert_eq!(
            checked(&change(" a@example.com "))
                .unwrap()
                .email
                .as_deref(),
            Some("a@example.com")
        );
        assert_eq!(checked(&ContactChange::default()).unwrap().email, None);
        assert_eq!(
            checked(&change("nobody")).unwrap_err().field.as_deref(),
            Some("email")
        );
        let hostile = ContactChange {
            phone: Some("\u{202e}1".to_owned()),
            ..ContactChange::default()
        };
        assert_eq!(
            checked(&hostile).unwrap_err().field.as_deref(),
            Some("phone")
        );
    }
}
