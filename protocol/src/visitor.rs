//! Visitors: browsers on a site, where they are and what they saw.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::contact::AttributeValue;
use crate::conversation::words;
use crate::id::{ContactId, ConversationId, SiteId, VisitId, VisitorId};
use crate::limit;

words! {
    /// How alive a visitor is (C11).
    PresenceState {
        /// A page is visible, or was touched within the active threshold.
        Active = "active",
        /// Connected, but no page is in sight.
        Idle = "idle",
        /// No connection is left.
        Left = "left",
    }

    /// The form of a device.
    Device {
        /// A computer.
        Desktop = "desktop",
        /// A telephone.
        Mobile = "mobile",
        /// A tablet.
        Tablet = "tablet",
        /// A program.
        Bot = "bot",
        /// Not known.
        Unknown = "unknown",
    }
}

/// A page that a visitor looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct PageView {
    /// The address, without its fragment unless that is a route: `#/…` or `#!/…`.
    pub url: String,
    /// The title.
    pub title: String,
    /// When it came in sight.
    pub at_ms: u64,
}

/// Something of its own that a site reported of a visitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct CustomEvent {
    /// Its name.
    pub name: String,
    /// What belongs to it.
    pub properties: BTreeMap<String, AttributeValue>,
    /// When it happened.
    pub at_ms: u64,
}

/// The last custom event of a visitor who is here. What belongs to it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct LastEvent {
    /// Its name.
    pub name: String,
    /// When it happened.
    pub at_ms: u64,
}

/// Where a visit came from, taken from the first page of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Source {
    /// The address of the page that led here, of another site; absent for direct visits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// The `utm_…` parameters of the first page, without the prefix.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[ts(as = "Option<BTreeMap<String, String>>", optional)]
    pub utm: BTreeMap<String, String>,
}

/// What is known of the browser and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Browser {
    /// The form of the device.
    pub device: Device,
    /// The browser's name.
    pub name: String,
    /// The operating system's name.
    pub system: String,
    /// The language, as a BCP 47 tag.
    pub language: Option<String>,
    /// The IANA time zone.
    pub time_zone: Option<String>,
    /// ISO 3166-1 alpha-2: of the address where a source for it is configured, else of the time zone.
    pub country: Option<String>,
    /// The city's name, where a source for it is configured.
    pub city: Option<String>,
}

/// A visitor who is here now: a row of the live list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct LiveVisitor {
    /// The browser.
    pub id: VisitorId,
    /// Grows with every change while the visitor is here.
    pub version: u64,
    /// The site.
    pub site_id: SiteId,
    /// Active, idle, or left.
    pub state: PresenceState,
    /// The person, once one wrote or was identified.
    pub contact_id: Option<ContactId>,
    /// What the visitor is called: the name, else the e-mail address, else a handle (`Visitor 4F2A`).
    pub name: String,
    /// The conversation that goes on.
    pub conversation_id: Option<ConversationId>,
    /// The page in sight.
    pub page: Option<PageView>,
    /// The addresses of the last pages, newest last, at most eight.
    pub trail: Vec<String>,
    /// Pages seen in this visit.
    pub page_count: u32,
    /// Custom events in this visit.
    pub event_count: u32,
    /// The last of them.
    pub last_event: Option<LastEvent>,
    /// Open tabs.
    pub tab_count: u32,
    /// Earlier visits.
    pub visit_count: u32,
    /// Where the visit came from.
    pub source: Source,
    /// The browser and its place.
    pub browser: Browser,
    /// When this visit began.
    pub entered_at_ms: u64,
    /// When the visitor last did something.
    pub active_at_ms: u64,
    /// Whether the news of this visitor's node are stale (its bus is out of reach).
    pub stale: bool,
}

/// How alive a visitor is whom somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct VisitorState {
    /// Who.
    pub visitor_id: VisitorId,
    /// Active, idle, or left.
    pub state: PresenceState,
}

/// A stay on a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Visit {
    /// Its id.
    pub id: VisitId,
    /// Where it came from.
    pub source: Source,
    /// When it began.
    pub started_at_ms: u64,
    /// When something last happened.
    pub active_at_ms: u64,
    /// The pages, oldest first, at most the last hundred.
    pub pages: Vec<PageView>,
    /// The custom events, oldest first, at most the last fifty.
    pub events: Vec<CustomEvent>,
}

/// A visitor as the side panel shows him: from the store, whether here or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Visitor {
    /// The browser.
    pub id: VisitorId,
    /// The site.
    pub site_id: SiteId,
    /// The person.
    pub contact_id: Option<ContactId>,
    /// What the visitor is called: the name, else the e-mail address, else a handle (`Visitor 4F2A`).
    pub name: String,
    /// Whether the team blocked him.
    pub blocked: bool,
    /// Whether he was erased.
    pub erased: bool,
    /// The browser and its place, as last seen.
    pub browser: Browser,
    /// When first seen.
    pub created_at_ms: u64,
    /// When last seen.
    pub seen_at_ms: u64,
    /// The last visits, newest first.
    pub visits: Vec<Visit>,
}

/// What a page says of its visitor without proof: a claim, shown as such.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Claim {
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The site's own id for the customer.
    pub customer_id: Option<String>,
    /// The company.
    pub company: Option<String>,
    /// Anything else (plan, order, …), at most `PROPERTIES_MAX`.
    #[serde(flatten)]
    pub attributes: BTreeMap<String, AttributeValue>,
}

impl Claim {
    /// What is claimed once this was said after `before`: both together. This alone where it is of somebody
    /// else, by the address or the id of the customer, or where both have too many attributes.
    #[must_use]
    pub fn after(&self, before: &Self) -> Self {
        let differs = |new: &Option<String>, old: &Option<String>| {
            new.is_some() && old.is_some() && new != old
        };
        let is_another =
            differs(&self.email, &before.email) || differs(&self.customer_id, &before.customer_id);
        let mut attributes = before.attributes.clone();
        attributes.extend(self.attributes.clone());
        if is_another || attributes.len() > limit::PROPERTIES_MAX {
            return self.clone();
        }
        let both =
            |new: &Option<String>, old: &Option<String>| new.as_ref().or(old.as_ref()).cloned();
        Self {
            name: both(&self.name, &before.name),
            email: both(&self.email, &before.email),
            phone: both(&self.phone, &before.phone),
            customer_id: both(&self.customer_id, &before.customer_id),
            company: both(&self.company, &before.company),
            attributes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(names: std::ops::Range<usize>) -> BTreeMap<String, AttributeValue> {
        let pair = |n: usize| (format!("p{n}"), AttributeValue::Flag(true));
        names.map(pair).collect()
    }

    #[test]
    fn what_is_claimed_adds_up_unless_it_is_of_somebody_else() {
        let text = |text: &str| Some(text.to_owned());
        let page = Claim {
            name: text("ana"),
            email: text("ana@example.com"),
            attributes: attributes(0..2),
            ..Claim::default()
        };
        let form = Claim {
            name: text("Ana Kovač"),
            phone: text("112"),
            attributes: attributes(1..3),
            ..Claim::default()
        };
        let both = form.after(&page);
        let expected = Claim {
            email: text("ana@example.com"),
            attributes: attributes(0..3),
            ..form.clone()
        };
        assert_eq!(both, expected);
        assert_eq!(both.after(&both), both);
        assert_eq!(form.after(&Claim::default()), form);
        for other in [
            Claim {
                email: text("ben@example.com"),
                ..Claim::default()
            },
            Claim {
                customer_id: text("c-2"),
                ..Claim::default()
            },
        ] {
            let first = Claim {
                customer_id: text("c-1"),
                ..page.clone()
            };
            assert_eq!(other.after(&first), other);
        }
        let many = Claim {
            attributes: attributes(2..2 + limit::PROPERTIES_MAX),
            ..Claim::default()
        };
        assert_eq!(many.after(&page), many);
    }
}
