//! The live list, one sentence each.

use protocol::id::{Id, SiteId, WorkspaceId};
use protocol::visitor::{Browser, Device, PageView, PresenceState, Source};

use super::*;

fn row(number: u128, version: u64, active_at_ms: u64) -> LiveVisitor {
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
        entered_at_ms: 0,
        active_at_ms,
        stale: false,
    }
}

fn change(kind: ChangeKind, row: LiveVisitor) -> Change {
    Change {
        workspace_id: WorkspaceId::from_bits(1),
        kind,
        row: row.into(),
        page_viewed: None,
        visit_began: false,
    }
}

fn ids(rows: &[LiveVisitor]) -> Vec<u128> {
    rows.iter().map(|row| row.id.bits()).collect()
}

fn view_of(filter: VisitorFilter, rows: &[LiveVisitor]) -> VisitorView {
    VisitorView::new(filter, rows.iter(), Counts::default())
}

#[test]
fn a_snapshot_is_sorted_by_who_was_active_last() {
    let mut view = view_of(
        VisitorFilter::default(),
        &[row(1, 1, 10), row(2, 2, 30), row(3, 3, 20)],
    );
    let (rows, counts) = view.snapshot(Counts { active: 3, idle: 1 });
    assert_eq!(ids(&rows), [2, 3, 1]);
    assert_eq!(
        counts,
        VisitorCounts {
            listed: 3,
            active: 3,
            idle: 1
        }
    );
}

#[test]
fn only_what_changed_is_told_and_only_once() {
    let mut view = view_of(VisitorFilter::default(), &[row(1, 1, 10), row(2, 2, 20)]);
    view.take(&change(ChangeKind::Updated, row(1, 3, 40)));
    let changes = view.flush(Counts::default()).unwrap();
    assert_eq!((ids(&changes.rows), changes.gone.len()), (vec![1], 0));
    assert_eq!(view.flush(Counts::default()), None);
}

#[test]
fn who_leaves_or_no_longer_matches_is_gone() {
    let filter = VisitorFilter {
        state: Some(PresenceState::Active),
        ..VisitorFilter::default()
    };
    let mut view = view_of(filter, &[row(1, 1, 10), row(2, 2, 20)]);
    view.take(&change(
        ChangeKind::Updated,
        LiveVisitor {
            state: PresenceState::Idle,
            ..row(1, 3, 10)
        },
    ));
    view.take(&change(ChangeKind::Left, row(2, 4, 20)));
    let changes = view.flush(Counts::default()).unwrap();
    assert_eq!(changes.gone.len(), 2);
    assert_eq!(changes.counts.listed, 0);
}

#[test]
fn churn_below_the_window_is_told_as_a_number_only() {
    let first: Vec<_> = (0..PAGE_ROWS_MAX as u128)
        .map(|number| row(number, 1, 1_000))
        .collect();
    let mut view = view_of(VisitorFilter::default(), &first);
    view.take(&change(ChangeKind::Entered, row(999, 2, 1)));
    let changes = view.flush(Counts::default()).unwrap();
    assert!(changes.rows.is_empty() && changes.gone.is_empty());
    assert_eq!(changes.counts.listed as usize, PAGE_ROWS_MAX + 1);
}

#[test]
fn who_moves_up_into_the_window_pushes_the_last_one_out() {
    let first: Vec<_> = (0..PAGE_ROWS_MAX as u128)
        .map(|number| row(number, 1, 1_000))
        .collect();
    let mut view = view_of(VisitorFilter::default(), &first);
    view.take(&change(ChangeKind::Entered, row(999, 2, 2_000)));
    let changes = view.flush(Counts::default()).unwrap();
    assert_eq!(ids(&changes.rows), [999]);
    assert_eq!(
        changes.gone,
        [VisitorId::from_bits(PAGE_ROWS_MAX as u128 - 1)]
    );
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
        assert_eq!(
            matches(&folded(filter.clone()), &it),
            expected,
            "{filter:?}"
        );
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

#[test]
fn who_goes_to_another_page_leaves_a_list_of_the_first() {
    let filter = VisitorFilter {
        page: Some("pricing".to_owned()),
        ..VisitorFilter::default()
    };
    let mut view = view_of(filter, &[row(1, 1, 10), row(2, 2, 20)]);
    let mut gone = row(1, 3, 30);
    gone.page.as_mut().unwrap().url = "https://shop.example/about".to_owned();
    gone.page.as_mut().unwrap().title = "About".to_owned();
    view.take(&change(ChangeKind::Updated, gone));
    let changes = view.flush(Counts::default()).unwrap();
    assert_eq!(ids(&changes.rows), [0_u128; 0]);
    assert_eq!(changes.gone, [VisitorId::from_bits(1)]);
    assert_eq!(changes.counts.listed, 1);
}

#[test]
fn who_begins_to_watch_between_two_tellings_is_left_with_nobody_who_is_gone() {
    let mut view = view_of(VisitorFilter::default(), &[row(1, 1, 10)]);
    view.take(&change(ChangeKind::Entered, row(2, 2, 20)));
    let here = Counts { active: 2, idle: 0 };
    let (rows, counts) = view.snapshot(here);
    assert_eq!(ids(&rows), [2, 1]);
    assert_eq!(counts.active, 2);
    // He goes before anybody else hears of him.
    view.take(&change(ChangeKind::Left, row(2, 3, 20)));
    let alone = Counts { active: 1, idle: 0 };
    let changes = view.flush(alone).unwrap();
    assert_eq!(ids(&changes.rows), [0_u128; 0]);
    assert_eq!(changes.gone, [VisitorId::from_bits(2)]);
    assert_eq!(changes.counts.active, 1);
    // One who stays is told to those who were there before.
    view.take(&change(ChangeKind::Entered, row(3, 4, 30)));
    assert_eq!(ids(&view.snapshot(here).0), [3, 1]);
    assert_eq!(ids(&view.flush(here).unwrap().rows), [3]);
    assert_eq!(view.flush(here), None);
}

#[test]
fn numbers_that_some_were_told_are_told_again_though_they_are_as_before() {
    let filter = VisitorFilter {
        country: Some("SI".to_owned()),
        ..VisitorFilter::default()
    };
    let mut view = view_of(filter, &[]);
    let mut elsewhere = row(1, 1, 10);
    elsewhere.browser.country = None;
    view.take(&change(ChangeKind::Entered, elsewhere.clone()));
    let (_, counts) = view.snapshot(Counts { active: 1, idle: 0 });
    assert_eq!(counts.active, 1);
    view.take(&change(ChangeKind::Left, elsewhere));
    let changes = view.flush(Counts::default()).unwrap();
    assert_eq!((changes.counts.active, changes.gone.len()), (0, 0));
}

/// A row whose pages call themselves as much as they may, quotes and all.
fn wordy(number: u128, active_at_ms: u64) -> LiveVisitor {
    let url = format!("https://shop.example/{}", "x".repeat(2_000));
    let mut row = row(number, 1, active_at_ms);
    row.page = Some(PageView {
        url: url.clone(),
        title: "\"".repeat(300),
        at_ms: u64::MAX,
    });
    row.trail = vec![url.clone(); crate::TRAIL_MAX];
    row.source.referrer = Some(url);
    row.source.utm = [("source".to_owned(), "news\\letter".to_owned())].into();
    row.name = "Ana Kovač".to_owned();
    row.browser.city = Some("São Paulo".to_owned());
    row
}

fn json_bytes(rows: &[LiveVisitor]) -> usize {
    serde_json::to_string(rows).unwrap().len()
}

#[test]
fn a_window_has_as_many_rows_as_fit_and_the_rest_is_a_number() {
    // The last of them was active last.
    let rows: Vec<_> = (0..50)
        .map(|number| wordy(u128::from(number), number))
        .collect();
    let mut view = view_of(VisitorFilter::default(), &rows);
    let (shown, counts) = view.snapshot(Counts::default());
    assert_eq!(counts.listed, 50);
    let bytes = json_bytes(&shown);
    assert!(bytes <= WINDOW_BYTES_MAX, "{bytes}");
    assert!(
        bytes + bytes::of_row(&rows[0]) + 1_400 * shown.len() > WINDOW_BYTES_MAX,
        "{bytes}"
    );
    // Who moves up pushes the last one out.
    view.take(&change(ChangeKind::Updated, wordy(0, 1_000)));
    let changes = view.flush(Counts::default()).unwrap();
    let last = shown.last().unwrap();
    assert_eq!((ids(&changes.rows), changes.gone), (vec![0], vec![last.id]));
    // Who leaves makes place.
    view.take(&change(ChangeKind::Left, wordy(0, 1_000)));
    let changes = view.flush(Counts::default()).unwrap();
    assert_eq!(changes.rows, std::slice::from_ref(last));
    assert_eq!(changes.gone, [VisitorId::from_bits(0)]);
}

#[test]
fn one_row_comes_whatever_its_size() {
    let mut large = row(1, 1, 1);
    large.name = "x".repeat(2 * WINDOW_BYTES_MAX);
    let mut view = view_of(VisitorFilter::default(), &[large, row(2, 1, 0)]);
    assert_eq!(ids(&view.snapshot(Counts::default()).0), [1]);
}

#[test]
fn a_row_is_no_larger_than_it_is_taken_for_and_not_much_smaller() {
    for row in [row(1, 1, 1), wordy(u128::MAX, u64::MAX)] {
        let real = json_bytes(std::slice::from_ref(&row));
        let taken = bytes::of_row(&row);
        assert!((real..real + 1_400).contains(&taken), "{real} {taken}");
    }
}
