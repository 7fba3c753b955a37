//! The live list, one sentence each.

use protocol::id::{Id, SiteId};
use protocol::visitor::{Device, Source};

use super::*;
use crate::sample::{change, ids, row};

#[test]
fn each_order_has_its_own_first_and_the_larger_id_decides_among_equals() {
    let idle = |number, entered_at_ms| LiveVisitor {
        state: PresenceState::Idle,
        ..row(number, 1, entered_at_ms)
    };
    let who_read = |page_count, row| LiveVisitor { page_count, ..row };
    let rows = [
        who_read(2, row(1, 1, 10)),
        who_read(7, idle(2, 90)),
        who_read(3, row(3, 1, 50)),
        who_read(7, idle(4, 60)),
        who_read(2, row(5, 1, 10)),
    ];
    let rows = rows.map(Arc::new);
    for (order, expected) in [
        (VisitorOrder::Active, [3, 5, 1, 2, 4]),
        (VisitorOrder::Newest, [2, 4, 3, 5, 1]),
        (VisitorOrder::Longest, [5, 1, 3, 4, 2]),
        (VisitorOrder::Pages, [2, 4, 3, 5, 1]),
    ] {
        let view = VisitorView::new(VisitorFilter::default(), order, rows.iter());
        assert_eq!(ids(view.window(0)), expected, "{order:?}");
        // So it is when each comes by himself, and when one becomes what he was.
        let mut view = VisitorView::new(VisitorFilter::default(), order, [].iter());
        for row in &rows {
            view.take(&change(ChangeKind::Entered, idle(row.id.bits(), 1)));
            view.take(&change(ChangeKind::Updated, LiveVisitor::clone(row)));
        }
        assert_eq!(ids(view.window(0)), expected, "{order:?}");
    }
}

#[test]
fn every_filter_decides_by_its_own_fact() {
    let default = VisitorFilter::default;
    let it = row(1, 1, 1);
    for (filter, expected) in [
        (default(), true),
        (
            VisitorFilter {
                site_id: Some(SiteId::from_bits(2)),
                ..default()
            },
            false,
        ),
        (
            VisitorFilter {
                country: Some("hr".to_owned()),
                ..default()
            },
            true,
        ),
        (
            VisitorFilter {
                country: Some("DE".to_owned()),
                ..default()
            },
            false,
        ),
        (
            VisitorFilter {
                device: Some(Device::Desktop),
                ..default()
            },
            false,
        ),
        (
            VisitorFilter {
                search: Some("pricing".to_owned()),
                ..default()
            },
            true,
        ),
        (
            VisitorFilter {
                search: Some("checkout".to_owned()),
                ..default()
            },
            false,
        ),
    ] {
        let folded = folded(filter.clone());
        let found = matches(&folded, &it) && is_from(&folded, &it);
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[test]
fn a_page_and_a_source_are_looked_for_where_they_stand_and_as_they_are_written() {
    let mut it = row(1, 1, 1);
    it.name = "Checkout".to_owned();
    it.source.referrer = Some("https://Search.example/?q=tea".to_owned());
    it.source.utm = [("campaign".to_owned(), "Autumn.*".to_owned())].into();
    let page = |text: &str| VisitorFilter {
        page: Some(text.to_owned()),
        ..VisitorFilter::default()
    };
    let source = |text: &str| VisitorFilter {
        source: Some(text.to_owned()),
        ..VisitorFilter::default()
    };
    let check = |filter: VisitorFilter, it: &LiveVisitor, expected| {
        let found = matches(&folded(filter.clone()), it);
        assert_eq!(found, expected, "{filter:?}");
    };
    for (filter, expected) in [
        (page("/pricing"), true),
        (page(" PRICES "), true),
        (page("checkout"), false),
        (page("search.example"), false),
        (source("search.EXAMPLE"), true),
        (source("autumn"), true),
        (source("pricing"), false),
        // Signs that mean something elsewhere are signs.
        (source("direct"), false),
        (source("autumn.*"), true),
        (source(".*"), true),
        (page(".*"), false),
        (page("%"), false),
        (page("("), false),
        (page("\u{0}"), false),
    ] {
        check(filter, &it, expected);
    }
    // Nothing but spaces seeks nothing, and who came from nowhere came directly.
    it.page = None;
    it.source = Source::default();
    for (filter, expected) in [
        (page(" "), true),
        (source(""), true),
        (page("p"), false),
        (source("s"), false),
        (source("Direct"), true),
        (source("dir"), true),
    ] {
        check(filter, &it, expected);
    }
    // Any word of a campaign is where one came from; one that is empty is not.
    it.source.utm = [("campaign".to_owned(), String::new())].into();
    check(source("direct"), &it, true);
    it.source.utm = [("campaign".to_owned(), "autumn".to_owned())].into();
    check(source("direct"), &it, false);
    check(source("autumn"), &it, true);
}
