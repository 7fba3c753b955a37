//! Windows into the live list, one sentence each.

use std::sync::Arc;

use proptest::prelude::*;
use protocol::id::Id;
use protocol::limit::{PAGE_ROWS_MAX, WINDOW_BYTES_MAX};
use protocol::view::{VisitorFilter, VisitorOrder};
use protocol::visitor::{PageView, PresenceState};

use super::*;
use crate::bytes;
use crate::sample::{change, ids, row};
use crate::state::ChangeKind;
use crate::view::folded;

/// A list with one window, and those who watch it.
struct Watched {
    view: VisitorView,
    window: Window,
}

impl Watched {
    fn of(list: VisitorList, rows: &[LiveVisitor]) -> Self {
        let rows: Vec<_> = rows.iter().cloned().map(Arc::new).collect();
        let view = VisitorView::new(folded(list.filter.clone()), list.order, rows.iter());
        let window = Window::new(list, &view, Counts::default());
        Self { view, window }
    }

    fn all(rows: &[LiveVisitor]) -> Self {
        Self::of(VisitorList::default(), rows)
    }

    fn filtered(filter: VisitorFilter, rows: &[LiveVisitor]) -> Self {
        let list = VisitorList {
            filter,
            ..VisitorList::default()
        };
        Self::of(list, rows)
    }

    fn take(&mut self, kind: ChangeKind, row: LiveVisitor) {
        self.view.take(&change(kind, row));
    }

    fn snapshot(&mut self) -> Snapshot {
        self.window.snapshot(&self.view, Counts::default())
    }

    fn flush(&mut self) -> Option<Changes> {
        self.window.flush(&self.view, Counts::default())
    }

    fn changes(&mut self) -> Changes {
        self.flush().expect("there is something to tell")
    }
}

fn numbered(numbers: impl Iterator<Item = u128>) -> Vec<LiveVisitor> {
    numbers.map(|number| row(number, 1, 1_000)).collect()
}

fn visitor(number: u128) -> VisitorId {
    VisitorId::from_bits(number)
}

#[test]
fn a_snapshot_has_the_window_in_order_and_the_numbers() {
    let mut watched = Watched::all(&[row(1, 1, 10), row(2, 2, 30), row(3, 3, 20)]);
    let here = Counts { active: 3, idle: 1 };
    let told = watched.window.snapshot(&watched.view, here);
    assert_eq!(ids(&told.rows), [2, 3, 1]);
    let counts = VisitorCounts {
        listed: 3,
        active: 3,
        idle: 1,
    };
    assert_eq!((told.counts, told.list), (counts, VisitorList::default()));
    assert_eq!(told.countries, ["HR"]);
}

#[test]
fn a_window_begins_where_it_is_wanted_and_may_be_beyond_the_end() {
    let rows = numbered(0..250);
    for (first, expected) in [
        (0, 100),
        (1, 100),
        (150, 100),
        (249, 1),
        (250, 0),
        (u32::MAX, 0),
    ] {
        let list = VisitorList {
            first,
            ..VisitorList::default()
        };
        let told = Watched::of(list, &rows).snapshot();
        let wanted: Vec<_> = (0..250).rev().skip(first as usize).take(expected).collect();
        assert_eq!(ids(&told.rows), wanted, "{first}");
        assert_eq!((told.counts.listed, told.list.first), (250, first));
    }
}

#[test]
fn only_what_changed_is_told_and_only_once() {
    let mut watched = Watched::all(&[row(1, 1, 10), row(2, 2, 20)]);
    watched.take(ChangeKind::Updated, row(1, 3, 10));
    let changes = watched.changes();
    assert_eq!((ids(&changes.rows), changes.gone.len()), (vec![1], 0));
    assert_eq!(changes.countries, None);
    assert_eq!(watched.flush(), None);
}

#[test]
fn who_leaves_or_no_longer_matches_is_gone() {
    let filter = VisitorFilter {
        state: Some(PresenceState::Active),
        ..VisitorFilter::default()
    };
    let mut watched = Watched::filtered(filter, &[row(1, 1, 10), row(2, 2, 20)]);
    let idle = LiveVisitor {
        state: PresenceState::Idle,
        ..row(1, 3, 10)
    };
    watched.take(ChangeKind::Updated, idle);
    watched.take(ChangeKind::Left, row(2, 4, 20));
    let changes = watched.changes();
    assert_eq!(changes.gone, [visitor(1), visitor(2)]);
    assert_eq!((changes.beyond.len(), changes.counts.listed), (0, 0));
}

#[test]
fn churn_outside_the_window_is_told_as_a_number_only() {
    let last = PAGE_ROWS_MAX as u128;
    let mut watched = Watched::all(&numbered(1..=last));
    watched.take(ChangeKind::Entered, row(0, 2, 1));
    let changes = watched.changes();
    assert!(changes.rows.is_empty() && changes.gone.is_empty() && changes.beyond.is_empty());
    assert_eq!(changes.counts.listed as usize, PAGE_ROWS_MAX + 1);
}

#[test]
fn who_comes_into_the_window_pushes_the_last_one_beyond_it() {
    let mut watched = Watched::all(&numbered(0..PAGE_ROWS_MAX as u128));
    watched.take(ChangeKind::Entered, row(999, 2, 2_000));
    let changes = watched.changes();
    assert_eq!(ids(&changes.rows), [999]);
    assert_eq!((changes.beyond, changes.gone), (vec![visitor(0)], vec![]));
}

#[test]
fn who_comes_before_the_window_shifts_it_by_one() {
    let list = VisitorList {
        first: 10,
        ..VisitorList::default()
    };
    let mut watched = Watched::of(list, &numbered(0..200));
    watched.take(ChangeKind::Entered, row(999, 2, 2_000));
    let changes = watched.changes();
    // Ranks 10 to 109 held 189 to 90.
    assert_eq!(ids(&changes.rows), [190]);
    assert_eq!((changes.beyond, changes.gone), (vec![visitor(90)], vec![]));
}

#[test]
fn who_goes_to_another_page_leaves_a_list_of_the_first() {
    let filter = VisitorFilter {
        page: Some("pricing".to_owned()),
        ..VisitorFilter::default()
    };
    let mut watched = Watched::filtered(filter, &[row(1, 1, 10), row(2, 2, 20)]);
    let mut other = row(1, 3, 30);
    other.page.as_mut().unwrap().url = "https://shop.example/about".to_owned();
    other.page.as_mut().unwrap().title = "About".to_owned();
    watched.take(ChangeKind::Updated, other);
    let changes = watched.changes();
    assert_eq!(ids(&changes.rows), [0_u128; 0]);
    assert_eq!(changes.gone, [visitor(1)]);
    assert_eq!(changes.counts.listed, 1);
}

#[test]
fn the_countries_are_those_of_all_whom_the_filter_would_let_in_from_anywhere() {
    let from = |number, country: &str| {
        let mut row = row(number, 1, 10);
        row.browser.country = Some(country.to_owned());
        row
    };
    let filter = VisitorFilter {
        country: Some("SI".to_owned()),
        state: Some(PresenceState::Active),
        ..VisitorFilter::default()
    };
    let mut watched = Watched::filtered(filter, &[from(1, "SI"), from(2, "HR")]);
    let told = watched.snapshot();
    assert_eq!((ids(&told.rows), told.counts.listed), (vec![1], 1));
    assert_eq!(told.countries, ["HR", "SI"]);
    watched.take(ChangeKind::Entered, from(3, "AT"));
    let changes = watched.changes();
    assert_eq!(changes.countries.unwrap(), ["AT", "HR", "SI"]);
    // One who is idle does not fit, wherever he is from.
    let idle = LiveVisitor {
        state: PresenceState::Idle,
        ..from(2, "HR")
    };
    watched.take(ChangeKind::Updated, idle);
    assert_eq!(watched.changes().countries.unwrap(), ["AT", "SI"]);
    // Whoever begins to watch now knows more than the others, who are told later.
    watched.take(ChangeKind::Left, from(3, "AT"));
    assert_eq!(watched.snapshot().countries, ["SI"]);
    watched.take(ChangeKind::Entered, from(3, "AT"));
    assert_eq!(watched.changes().countries.unwrap(), ["AT", "SI"]);
    assert_eq!(watched.flush(), None);
}

#[test]
fn who_begins_to_watch_between_two_tellings_is_left_with_nobody_who_is_gone() {
    let mut watched = Watched::all(&[row(1, 1, 10)]);
    watched.take(ChangeKind::Entered, row(2, 2, 20));
    let here = Counts { active: 2, idle: 0 };
    let told = watched.window.snapshot(&watched.view, here);
    assert_eq!((ids(&told.rows), told.counts.active), (vec![2, 1], 2));
    // He goes before anybody else hears of him.
    watched.take(ChangeKind::Left, row(2, 3, 20));
    let alone = Counts { active: 1, idle: 0 };
    let changes = watched.window.flush(&watched.view, alone).unwrap();
    assert_eq!(ids(&changes.rows), [0_u128; 0]);
    assert_eq!(changes.gone, [visitor(2)]);
    assert_eq!(changes.counts.active, 1);
    // One who stays is told to those who were there before.
    watched.take(ChangeKind::Entered, row(3, 4, 30));
    let told = watched.window.snapshot(&watched.view, here);
    assert_eq!(ids(&told.rows), [3, 1]);
    let changes = watched.window.flush(&watched.view, here).unwrap();
    assert_eq!(ids(&changes.rows), [3]);
    assert_eq!(watched.window.flush(&watched.view, here), None);
}

#[test]
fn numbers_that_some_were_told_are_told_again_though_they_are_as_before() {
    let filter = VisitorFilter {
        country: Some("SI".to_owned()),
        ..VisitorFilter::default()
    };
    let mut watched = Watched::filtered(filter, &[]);
    let mut elsewhere = row(1, 1, 10);
    elsewhere.browser.country = None;
    watched.take(ChangeKind::Entered, elsewhere.clone());
    let here = Counts { active: 1, idle: 0 };
    let told = watched.window.snapshot(&watched.view, here);
    assert_eq!(told.counts.active, 1);
    watched.take(ChangeKind::Left, elsewhere);
    let changes = watched.changes();
    assert_eq!((changes.counts.active, changes.gone.len()), (0, 0));
}

/// A row whose pages call themselves as much as they may, quotes and all.
fn wordy(number: u128, entered_at_ms: u64) -> LiveVisitor {
    let url = format!("https://shop.example/{}", "x".repeat(2_000));
    let mut row = row(number, 1, entered_at_ms);
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
    // The last of them came last.
    let rows: Vec<_> = (0..50)
        .map(|number| wordy(u128::from(number), number))
        .collect();
    let mut watched = Watched::all(&rows);
    let told = watched.snapshot();
    assert_eq!(told.counts.listed, 50);
    let bytes = json_bytes(&told.rows);
    assert!(bytes <= WINDOW_BYTES_MAX, "{bytes}");
    assert!(
        bytes + bytes::of_row(&rows[0]) + 1_400 * told.rows.len() > WINDOW_BYTES_MAX,
        "{bytes}"
    );
    // Who comes up pushes the last one out.
    watched.take(ChangeKind::Updated, wordy(0, 1_000));
    let changes = watched.changes();
    let last = told.rows.last().unwrap();
    assert_eq!(
        (ids(&changes.rows), changes.beyond),
        (vec![0], vec![last.id])
    );
    // Who leaves makes place.
    watched.take(ChangeKind::Left, wordy(0, 1_000));
    let changes = watched.changes();
    assert_eq!(changes.rows, std::slice::from_ref(last));
    assert_eq!(changes.gone, [visitor(0)]);
}

#[test]
fn one_row_comes_whatever_its_size() {
    let mut large = row(1, 1, 1);
    large.name = "x".repeat(2 * WINDOW_BYTES_MAX);
    let mut watched = Watched::all(&[large, row(2, 1, 0)]);
    assert_eq!(ids(&watched.snapshot().rows), [1]);
}

#[test]
fn a_row_is_no_larger_than_it_is_taken_for_and_not_much_smaller() {
    for row in [row(1, 1, 1), wordy(u128::MAX, u64::MAX)] {
        let real = json_bytes(std::slice::from_ref(&row));
        let taken = bytes::of_row(&row);
        assert!((real..real + 1_400).contains(&taken), "{real} {taken}");
    }
}

/// What a client holds of a window: as it was told.
#[derive(Default)]
struct Client {
    rows: BTreeMap<VisitorId, LiveVisitor>,
    counts: VisitorCounts,
    countries: Vec<String>,
}

impl Client {
    fn replace(&mut self, told: Snapshot) {
        self.rows = told.rows.into_iter().map(|row| (row.id, row)).collect();
        self.counts = told.counts;
        self.countries = told.countries;
    }

    fn apply(&mut self, changes: &Changes, view: &VisitorView) {
        assert!(
            changes.gone.iter().all(|id| !view.holds(*id)),
            "gone is gone"
        );
        assert!(
            changes.beyond.iter().all(|id| view.holds(*id)),
            "beyond is not"
        );
        for id in changes.gone.iter().chain(&changes.beyond) {
            self.rows.remove(id);
        }
        let rows = changes.rows.iter().map(|row| (row.id, row.clone()));
        self.rows.extend(rows);
        self.counts = changes.counts;
        if let Some(countries) = &changes.countries {
            self.countries.clone_from(countries);
        }
    }

    fn check(&self, fresh: Snapshot) {
        let mut expected = Self::default();
        expected.replace(fresh);
        assert_eq!(self.rows, expected.rows);
        assert_eq!(self.counts, expected.counts);
        assert_eq!(self.countries, expected.countries);
    }
}

/// Somebody of many, who differs from the others in all that lists look at.
fn any_row(number: u128, version: u64, mix: u64) -> LiveVisitor {
    let mut row = row(number, version, mix % 97);
    row.page_count = u32::try_from(mix % 11).unwrap();
    if mix.is_multiple_of(3) {
        row.state = PresenceState::Idle;
    }
    let country = ["SI", "HR", "AT"].get(usize::try_from(mix % 4).unwrap());
    row.browser.country = country.map(|code| (*code).to_owned());
    row
}

fn any_list() -> impl Strategy<Value = VisitorList> {
    let orders = vec![
        VisitorOrder::Active,
        VisitorOrder::Newest,
        VisitorOrder::Longest,
        VisitorOrder::Pages,
    ];
    let country = prop::option::of(Just("si".to_owned()));
    (prop::sample::select(orders), 0_u32..150, country).prop_map(|(order, first, country)| {
        VisitorList {
            filter: VisitorFilter {
                country,
                ..VisitorFilter::default()
            },
            order,
            first,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two windows into one list, each with one who watches from the beginning and one who comes at some time.
    #[test]
    fn who_takes_in_what_is_told_has_what_one_has_who_begins_to_watch(
        list in any_list(),
        other_first in 0_u32..150,
        there in proptest::collection::vec(any::<u64>(), 0..260),
        steps in proptest::collection::vec((0_u8..8, 0_u128..300, any::<u64>()), 1..300),
    ) {
        let mut here: BTreeMap<u128, LiveVisitor> = BTreeMap::new();
        for (number, mix) in (0..).zip(there) {
            here.insert(number, any_row(number, 1, mix));
        }
        let rows: Vec<_> = here.values().cloned().collect();
        let Watched { mut view, window } = Watched::of(list.clone(), &rows);
        let other = VisitorList { first: other_first, ..list };
        let other = Window::new(other, &view, Counts::default());
        let mut windows = [window, other].map(|window| (window, [Client::default(), Client::default()]));
        for (window, clients) in &mut windows {
            for client in clients {
                client.replace(window.snapshot(&view, Counts::default()));
            }
        }
        let tell = |view: &VisitorView, windows: &mut [(Window, [Client; 2])]| {
            for (window, clients) in windows {
                if let Some(changes) = window.flush(view, Counts::default()) {
                    clients.iter_mut().for_each(|client| client.apply(&changes, view));
                }
            }
        };
        for (version, (kind, number, mix)) in (2..).zip(steps) {
            match kind {
                0 => tell(&view, &mut windows),
                1 => {
                    let (window, [_, late]) = &mut windows[usize::from(mix % 2 == 0)];
                    late.replace(window.snapshot(&view, Counts::default()));
                }
                2 => if let Some(row) = here.remove(&number) {
                    view.take(&change(ChangeKind::Left, row));
                },
                _ => {
                    let row = any_row(number, version, mix);
                    here.insert(number, row.clone());
                    view.take(&change(ChangeKind::Updated, row));
                }
            }
        }
        tell(&view, &mut windows);
        let rows: Vec<_> = here.values().cloned().collect();
        for (window, clients) in &windows {
            let fresh = Watched::of(window.list.clone(), &rows).snapshot();
            prop_assert!(fresh.rows.len() <= PAGE_ROWS_MAX);
            clients.iter().for_each(|client| client.check(fresh.clone()));
        }
    }
}
