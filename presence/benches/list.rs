//! What the live list of a busy site costs: a page view, somebody who comes and goes, and telling many who look at
//! parts of their own. Each window costs a look at its rows, the list a step for each change, however many watch.

use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use presence::state::{Change, ChangeKind, Counts};
use presence::view::VisitorView;
use presence::window::Window;
use protocol::id::{Id, SiteId, VisitorId, WorkspaceId};
use protocol::view::{VisitorFilter, VisitorList, VisitorOrder};
use protocol::visitor::{Browser, Device, LiveVisitor, PageView, PresenceState, Source};

const VISITORS: u128 = 20_000;
const WINDOWS: u32 = 50;
/// Page views from one telling to the next, of 3,600 a second.
const CHANGES: u128 = 900;

const HERE: Counts = Counts {
    active: 20_000,
    idle: 0,
};

fn row(number: u128, version: u64) -> LiveVisitor {
    let url = format!("https://shop.example/tea/{version}");
    LiveVisitor {
        id: VisitorId::from_bits(number),
        version,
        site_id: SiteId::from_bits(1),
        state: PresenceState::Active,
        contact_id: None,
        name: "Visitor 4F2A".to_owned(),
        conversation_id: None,
        page: Some(PageView {
            url: url.clone(),
            title: "Smoky black".to_owned(),
            at_ms: version,
        }),
        trail: vec![url; 4],
        page_count: 4,
        event_count: 0,
        last_event: None,
        tab_count: 1,
        visit_count: 2,
        source: Source::default(),
        browser: Browser {
            device: Device::Desktop,
            name: "Firefox".to_owned(),
            system: "Linux".to_owned(),
            language: Some("sl".to_owned()),
            time_zone: Some("Europe/Ljubljana".to_owned()),
            country: Some("SI".to_owned()),
            city: None,
        },
        entered_at_ms: u64::try_from(number).expect("small"),
        active_at_ms: version,
        stale: false,
    }
}

fn change(kind: ChangeKind, row: LiveVisitor) -> Change {
    Change {
        workspace_id: WorkspaceId::from_bits(1),
        kind,
        row: Arc::new(row),
        page_viewed: None,
        visit_began: false,
    }
}

fn list(order: VisitorOrder) -> VisitorView {
    let rows: Vec<_> = (0..VISITORS)
        .map(|number| Arc::new(row(number, 1)))
        .collect();
    VisitorView::new(VisitorFilter::default(), order, rows.iter())
}

/// Windows from the top to the end, each told already.
fn windows(view: &VisitorView) -> Vec<Window> {
    let step = u32::try_from(VISITORS).expect("small") / WINDOWS;
    let window = |index| {
        let list = VisitorList {
            first: index * step,
            ..VisitorList::default()
        };
        Window::new(list, view, HERE)
    };
    (0..WINDOWS).map(window).collect()
}

fn changes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a change in a list of 20,000");
    for order in [VisitorOrder::Active, VisitorOrder::Pages] {
        let mut view = list(order);
        let mut version = 1;
        group.bench_function(
            BenchmarkId::new("a page view", format!("{order:?}")),
            |bench| {
                let next = || {
                    version += 1;
                    let number = u128::from(version) * 7_919 % VISITORS;
                    let mut row = row(number, version);
                    row.page_count = u32::try_from(version % 100).expect("small");
                    change(ChangeKind::Updated, row)
                };
                bench.iter_batched(next, |change| view.take(&change), BatchSize::SmallInput);
            },
        );
    }
    let mut view = list(VisitorOrder::Active);
    let (comes, goes) = (
        change(ChangeKind::Entered, row(VISITORS, 1)),
        change(ChangeKind::Left, row(VISITORS, 2)),
    );
    group.bench_function("somebody comes and goes", |bench| {
        bench.iter(|| {
            view.take(&comes);
            view.take(&goes);
        });
    });
    group.finish();
}

fn telling(criterion: &mut Criterion) {
    let mut view = list(VisitorOrder::Active);
    let mut windows = windows(&view);
    let mut version = 1;
    criterion.bench_function("tell 50 windows what 900 page views changed", |bench| {
        bench.iter(|| {
            version += 1;
            let first = u128::from(version) * CHANGES;
            for number in (first..first + CHANGES).map(|number| number * 7_919 % VISITORS) {
                view.take(&change(ChangeKind::Updated, row(number, version)));
            }
            let told = windows.iter_mut().map(|window| window.flush(&view, HERE));
            told.flatten()
                .map(|changes| changes.rows.len())
                .sum::<usize>()
        });
    });
}

criterion_group!(benches, changes, telling);
criterion_main!(benches);
