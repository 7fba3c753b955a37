//! What a page says of its visitor, checked.

use protocol::contact::{AttributeValue, check_name};
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::{Email, Name};
use protocol::visitor::Claim;

/// Checks a claim.
///
/// # Errors
/// `too_long`, `too_many`, `empty` or `invalid`, with the field.
pub(crate) fn check(claim: &Claim) -> Result<(), Rejection> {
    let lines = [
        (&claim.name, "name"),
        (&claim.phone, "phone"),
        (&claim.customer_id, "customer_id"),
        (&claim.company, "company"),
    ];
    for (text, field) in lines {
        if let Some(text) = text {
            Name::parse(text).map_err(|rejection| Rejection::of(rejection.code, field))?;
        }
    }
    if let Some(email) = &claim.email {
        Email::parse(email).map_err(|rejection| Rejection::of(rejection.code, "email"))?;
    }
    check_properties(claim.attributes.iter(), "attributes")
}

/// Checks the properties of a claim or of an event.
///
/// # Errors
/// `too_many`, `too_long` or `invalid`, with the field.
pub(crate) fn check_properties<'a>(
    properties: impl ExactSizeIterator<Item = (&'a String, &'a AttributeValue)>,
    field: &'static str,
) -> Result<(), Rejection> {
    if properties.len() > limit::PROPERTIES_MAX {
        return Err(Rejection::of(ErrorCode::TooMany, field));
    }
    for (name, value) in properties {
        check_name(name, field)?;
        value.check(field)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn refused(claim: &Claim) -> Option<(ErrorCode, Option<String>)> {
        check(claim)
            .err()
            .map(|rejection| (rejection.code, rejection.field.map(Into::into)))
    }

    #[test]
    fn every_field_of_a_claim_is_checked() {
        let claim = Claim {
            name: Some("Ana".to_owned()),
            email: Some("ana@example.com".to_owned()),
            attributes: BTreeMap::from([("plan".to_owned(), AttributeValue::Number(3.0))]),
            ..Claim::default()
        };
        assert_eq!(refused(&claim), None);
        let cases: [(Claim, ErrorCode, &str); 6] = [
            (
                Claim {
                    email: Some("nobody".to_owned()),
                    ..claim.clone()
                },
                ErrorCode::Invalid,
                "email",
            ),
            (
                Claim {
                    name: Some("n".repeat(limit::NAME_BYTES_MAX + 1)),
                    ..claim.clone()
                },
                ErrorCode::TooLong,
                "name",
            ),
            (
                Claim {
                    company: Some(" ".to_owned()),
                    ..claim.clone()
                },
                ErrorCode::Empty,
                "company",
            ),
            (
                Claim {
                    attributes: properties(limit::PROPERTIES_MAX + 1, "v"),
                    ..claim.clone()
                },
                ErrorCode::TooMany,
                "attributes",
            ),
            (
                Claim {
                    attributes: properties(1, &"v".repeat(limit::PROPERTY_BYTES_MAX + 1)),
                    ..claim.clone()
                },
                ErrorCode::TooLong,
                "attributes",
            ),
            (
                Claim {
                    attributes: properties(1, "\0"),
                    ..claim
                },
                ErrorCode::Invalid,
                "attributes",
            ),
        ];
        for (claim, code, field) in cases {
            assert_eq!(refused(&claim), Some((code, Some(field.to_owned()))));
        }
    }

    fn properties(count: usize, value: &str) -> BTreeMap<String, AttributeValue> {
        (0..count)
            .map(|index| (format!("p{index}"), AttributeValue::Text(value.to_owned())))
            .collect()
    }

    #[test]
    fn attributes_hold_nothing_that_misleads() {
        let turned = BTreeMap::from([("pl\u{202e}an".to_owned(), AttributeValue::Flag(true))]);
        for attributes in [properties(1, "a\u{202e}b"), turned] {
            let claim = Claim {
                attributes,
                ..Claim::default()
            };
            let wanted = (ErrorCode::Invalid, Some("attributes".to_owned()));
            assert_eq!(refused(&claim), Some(wanted));
        }
    }

    #[test]
    fn a_name_is_short_and_says_something() {
        assert!(check_name("plan_selected", "name").is_ok());
        for bad in [
            "",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
            &"n".repeat(limit::PROPERTY_NAME_BYTES_MAX + 1),
        ] {
            assert!(check_name(bad, "name").is_err(), "{bad}");
        }
    }
}
