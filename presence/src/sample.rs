//! Believable rows for tests.

use protocol::id::{Id, SiteId, VisitorId, WorkspaceId};
use protocol::visitor::{Browser, Device, LiveVisitor, PageView, PresenceState, Source};

use crate::state::{Change, ChangeKind};

/// Somebody who came at a time, and is active.
pub(crate) fn row(number: u128, version: u64, entered_at_ms: u64) -> LiveVisitor {
    LiveVisitor {
        id: VisitorId::from_bits(number),
        version,
        site_id: SiteId::from_bits(1),
        state: PresenceState::Active,
        contact_id: None,
        name: String::new(),
        conversation_id: None,
        page: Some(PageView {
            url: "https://shop.example/Pricing".to_owned(),
            title: "Prices".to_owned(),
            at_ms: 0,
        }),
        trail: Vec::new(),
        event_count: 0,
        last_event: None,
        page_count: 1,
        tab_count: 1,
        visit_count: 0,
        source: Source::default(),
        browser: Browser {
            device: Device::Mobile,
            name: "Safari".to_owned(),
            system: "iOS".to_owned(),
            language: None,
            time_zone: None,
            country: Some("HR".to_owned()),
            city: None,
        },
        entered_at_ms,
        active_at_ms: entered_at_ms,
        stale: false,
    }
}

/// What the state tells of him.
pub(crate) fn change(kind: ChangeKind, row: LiveVisitor) -> Change {
    Change {
        workspace_id: WorkspaceId::from_bits(1),
        kind,
        row: row.into(),
        page_viewed: None,
        visit_began: false,
    }
}

/// The numbers of the ids.
pub(crate) fn ids<'a>(rows: impl IntoIterator<Item = &'a LiveVisitor>) -> Vec<u128> {
    rows.into_iter().map(|row| row.id.bits()).collect()
}
