//! The states of visitors, one sentence each.

use proptest::prelude::*;
use protocol::id::Id;
use protocol::visitor::{Browser, Device, Source};

use super::*;

fn workspace() -> WorkspaceId {
    WorkspaceId::from_bits(1)
}

fn visitor(number: u128) -> VisitorId {
    VisitorId::from_bits(number)
}

fn connection(number: u128) -> ConnectionId {
    ConnectionId::from_bits(number)
}

fn sight(url: &str, at_ms: u64) -> Sight {
    Sight {
        page: PageView {
            url: url.to_owned(),
            title: String::new(),
            at_ms,
        },
        source: Source {
            referrer: Some(format!("https://search.example{url}")),
            ..Source::default()
        },
    }
}

const MEASURES: Measures = Measures {
    active_threshold_ms: 90_000,
    session_timeout_ms: 1_800_000,
};

fn arrival(number: u128, visible: bool) -> Box<Arrival> {
    Box::new(Arrival {
        workspace_id: workspace(),
        visitor_id: visitor(number),
        site_id: SiteId::from_bits(1),
        facts: Facts::default(),
        browser: Browser {
            device: Device::Desktop,
            name: "Firefox".to_owned(),
            system: "Linux".to_owned(),
            language: None,
            time_zone: None,
            country: None,
            city: None,
        },
        source: Source::default(),
        visit_count: 0,
        entered_at_ms: 1_000,
        page_count: 0,
        trail: Vec::new(),
        event_count: 0,
        last_event: None,
        viewed_at_ms: 0,
        visible,
        measures: MEASURES,
    })
}

fn enter(visitors: &mut Visitors, tab: u128, who: u128, url: &str, now_ms: u64) -> Vec<Change> {
    let input = Input::Enter {
        connection_id: connection(tab),
        arrival: arrival(who, true),
        sight: Some(sight(url, now_ms)),
    };
    visitors.apply(input, now_ms)
}

fn turn(visitors: &mut Visitors, tab: u128, url: &str, now_ms: u64) -> Vec<Change> {
    let input = Input::Page {
        connection_id: connection(tab),
        sight: sight(url, now_ms),
    };
    visitors.apply(input, now_ms)
}

#[test]
fn several_tabs_are_one_visitor() {
    let mut visitors = Visitors::new();
    assert_eq!(
        enter(&mut visitors, 1, 7, "/a", 0)[0].kind,
        ChangeKind::Entered
    );
    let second = enter(&mut visitors, 2, 7, "/b", 10);
    assert_eq!(second[0].kind, ChangeKind::Updated);
    assert_eq!(second[0].row.tab_count, 2);
    assert_eq!(visitors.counts(workspace()), Counts { active: 1, idle: 0 });
}

#[test]
fn a_visitor_is_found_by_his_own_workspace_alone() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 1, "/a", 0);
    let found = |workspace_id, number| visitors.find(workspace_id, visitor(number));
    assert_eq!(found(workspace(), 1), visitors.get(visitor(1)));
    assert!(found(workspace(), 1).is_some());
    assert_eq!(found(workspace(), 2), None);
    assert_eq!(found(WorkspaceId::from_bits(2), 1), None);
}

#[test]
fn a_reader_with_the_page_in_sight_stays_active_for_ever() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/a", 0);
    assert_eq!(visitors.next_deadline_ms(), None);
    assert!(visitors.advance(10_000_000).is_empty());
    assert_eq!(
        visitors.get(visitor(7)).unwrap().state,
        PresenceState::Active
    );
}

#[test]
fn out_of_sight_becomes_idle_after_the_threshold_and_active_again_on_return() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/a", 0);
    visitors.apply(
        Input::Activity {
            connection_id: connection(1),
            visible: false,
        },
        1_000,
    );
    assert_eq!(visitors.next_deadline_ms(), Some(91_000));
    assert!(visitors.advance(90_999).is_empty());
    let idle = visitors.advance(91_000);
    assert_eq!(idle[0].row.state, PresenceState::Idle);
    assert_eq!(visitors.counts(workspace()), Counts { active: 0, idle: 1 });
    let back = visitors.apply(
        Input::Activity {
            connection_id: connection(1),
            visible: true,
        },
        95_000,
    );
    assert_eq!(back[0].row.state, PresenceState::Active);
}

fn threshold(visitors: &mut Visitors, active_threshold_ms: u64, now_ms: u64) -> Vec<Change> {
    let input = Input::Measures {
        site_id: SiteId::from_bits(1),
        measures: Measures {
            active_threshold_ms,
            ..MEASURES
        },
    };
    visitors.apply(input, now_ms)
}

fn hide(visitors: &mut Visitors, tab: u128, now_ms: u64) -> Vec<Change> {
    let input = Input::Activity {
        connection_id: connection(tab),
        visible: false,
    };
    visitors.apply(input, now_ms)
}

#[test]
fn the_first_arrival_brings_the_threshold_and_a_change_outlives_the_next() {
    let mut visitors = Visitors::new();
    let short = |number| Input::Enter {
        connection_id: connection(number),
        arrival: Box::new(Arrival {
            measures: Measures {
                active_threshold_ms: 5_000,
                ..MEASURES
            },
            ..*arrival(number, false)
        }),
        sight: None,
    };
    visitors.apply(short(1), 0);
    assert_eq!(visitors.next_deadline_ms(), Some(5_000));
    threshold(&mut visitors, 7_000, 0);
    visitors.apply(short(2), 0);
    assert_eq!(visitors.next_deadline_ms(), Some(7_000));
}

#[test]
fn another_threshold_counts_for_those_who_are_here() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/a", 0);
    enter(&mut visitors, 2, 8, "/a", 0);
    hide(&mut visitors, 1, 0);
    let idle = threshold(&mut visitors, 5_000, 6_000);
    assert_eq!(idle.len(), 1, "who looks at the page stays active");
    assert_eq!(
        (idle[0].row.id, idle[0].row.state),
        (visitor(7), PresenceState::Idle)
    );
    assert_eq!(visitors.counts(workspace()), Counts { active: 1, idle: 1 });
    let active = threshold(&mut visitors, 10_000, 6_000);
    assert_eq!(active[0].row.state, PresenceState::Active);
    assert_eq!(visitors.next_deadline_ms(), Some(10_000));
    assert!(threshold(&mut visitors, 10_000, 6_000).is_empty());
}

#[test]
fn another_threshold_leaves_those_on_their_way_out() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/a", 0);
    let gone = Input::Leave {
        connection_id: connection(1),
    };
    visitors.apply(gone, 1_000);
    assert!(threshold(&mut visitors, 5_000, 2_000).is_empty());
    assert_eq!(visitors.next_deadline_ms(), Some(1_000 + GRACE_MS));
}

#[test]
fn a_reload_within_the_grace_is_no_leave_and_no_new_page_view() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/a", 0);
    assert!(
        visitors
            .apply(
                Input::Leave {
                    connection_id: connection(1)
                },
                1_000
            )
            .is_empty()
    );
    assert!(visitors.advance(10_999).is_empty());
    let back = enter(&mut visitors, 2, 7, "/a", 10_999);
    assert_eq!(back[0].kind, ChangeKind::Updated);
    assert_eq!(back[0].page_viewed, None);
    assert_eq!(back[0].row.page_count, 1);
    assert!(visitors.advance(60_000).is_empty());
}

#[test]
fn without_a_connection_for_the_grace_he_has_left_once() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/a", 0);
    visitors.apply(
        Input::Leave {
            connection_id: connection(1),
        },
        1_000,
    );
    let left = visitors.advance(11_000);
    assert_eq!(left.len(), 1);
    assert_eq!(
        (left[0].kind, left[0].row.state),
        (ChangeKind::Left, PresenceState::Left)
    );
    assert!(visitors.advance(50_000).is_empty());
    assert_eq!(visitors.get(visitor(7)), None);
    assert_eq!(visitors.counts(workspace()), Counts::default());
}

#[test]
fn a_page_is_counted_and_remembered_in_a_short_trail() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/0", 0);
    for number in 1..=TRAIL_MAX {
        let changes = turn(&mut visitors, 1, &format!("/{number}"), 1);
        assert!(changes[0].page_viewed.is_some());
    }
    let row = visitors.get(visitor(7)).unwrap();
    assert_eq!(row.page_count, 9);
    assert_eq!(row.trail.len(), TRAIL_MAX);
    assert_eq!(
        (
            row.trail[0].as_str(),
            row.page.as_ref().unwrap().url.as_str()
        ),
        ("/1", "/8")
    );
}

#[test]
fn a_page_after_the_session_timeout_begins_a_visit_on_the_same_connection() {
    const TIMEOUT_MS: u64 = MEASURES.session_timeout_ms;
    let mut visitors = Visitors::new();
    assert!(!enter(&mut visitors, 1, 7, "/a", 10)[0].visit_began);
    let still = turn(&mut visitors, 1, "/b", 9 + TIMEOUT_MS);
    assert_eq!((still[0].visit_began, still[0].row.page_count), (false, 2));
    let entered_at_ms = still[0].row.entered_at_ms;
    // The pages are what counts: a look at the one that is there is none.
    let look = Input::Activity {
        connection_id: connection(1),
        visible: true,
    };
    visitors.apply(look, 2 * TIMEOUT_MS);
    let now_ms = 9 + 2 * TIMEOUT_MS;
    let anew = &turn(&mut visitors, 1, "/c", now_ms)[0];
    assert_eq!((anew.kind, anew.visit_began), (ChangeKind::Updated, true));
    let row = &anew.row;
    assert_eq!((row.page_count, row.visit_count), (1, 1));
    assert_eq!(row.trail, ["/c"]);
    assert_ne!(row.entered_at_ms, entered_at_ms);
    assert_eq!(row.entered_at_ms, now_ms);
    let referrer = row.source.referrer.as_deref();
    assert_eq!(referrer, Some("https://search.example/c"));
    assert!(!turn(&mut visitors, 1, "/d", now_ms + 1)[0].visit_began);
}

#[test]
fn another_tab_begins_a_visit_after_the_timeout_and_a_reconnect_does_not() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/a", 0);
    let late_ms = MEASURES.session_timeout_ms;
    let same = &enter(&mut visitors, 2, 7, "/a", late_ms)[0];
    assert_eq!((same.visit_began, same.row.page_count), (false, 1));
    let other = &enter(&mut visitors, 3, 7, "/b", late_ms)[0];
    assert_eq!((other.visit_began, other.row.page_count), (true, 1));
}

#[test]
fn another_session_timeout_counts_for_those_who_are_here() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/a", 0);
    let set = Input::Measures {
        site_id: SiteId::from_bits(1),
        measures: Measures {
            session_timeout_ms: 5_000,
            ..MEASURES
        },
    };
    assert!(visitors.apply(set, 1_000).is_empty());
    assert!(turn(&mut visitors, 1, "/b", 5_000)[0].visit_began);
}

fn happen(visitors: &mut Visitors, tab: u128, name: &str, at_ms: u64) -> Vec<Change> {
    let input = Input::Event {
        connection_id: connection(tab),
        event: LastEvent {
            name: name.to_owned(),
            at_ms,
        },
    };
    visitors.apply(input, at_ms)
}

#[test]
fn a_custom_event_shows_in_the_row_and_ends_with_the_visit() {
    let mut visitors = Visitors::new();
    assert!(happen(&mut visitors, 1, "early", 0).is_empty());
    enter(&mut visitors, 1, 7, "/a", 0);
    let changes = happen(&mut visitors, 1, "plan_selected", 5);
    let row = &changes[0].row;
    assert_eq!((changes[0].kind, row.event_count), (ChangeKind::Updated, 1));
    let last = row.last_event.as_ref().unwrap();
    assert_eq!((last.name.as_str(), last.at_ms), ("plan_selected", 5));
    let anew = turn(&mut visitors, 1, "/b", MEASURES.session_timeout_ms);
    assert_eq!(
        (anew[0].row.event_count, &anew[0].row.last_event),
        (0, &None)
    );
}

#[test]
fn a_visit_takes_in_so_many_pages_and_events() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/a", 0);
    for _ in 1..VISIT_PAGES_MAX {
        assert_eq!(turn(&mut visitors, 1, "/b", 1).len(), 1);
    }
    assert!(turn(&mut visitors, 1, "/c", 1).is_empty());
    for _ in 0..VISIT_EVENTS_MAX {
        assert_eq!(happen(&mut visitors, 1, "scrolled", 1).len(), 1);
    }
    assert!(happen(&mut visitors, 1, "scrolled", 1).is_empty());
    let row = visitors.get(visitor(7)).unwrap();
    assert_eq!(row.page.as_ref().unwrap().url, "/b");
    assert_eq!(
        (row.page_count, row.event_count),
        (VISIT_PAGES_MAX, VISIT_EVENTS_MAX)
    );
    // The next visit has its own.
    assert!(turn(&mut visitors, 1, "/d", 1 + MEASURES.session_timeout_ms)[0].visit_began);
}

#[test]
fn facts_change_a_row_once() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/a", 0);
    let facts = Facts {
        name: "Ana".to_owned(),
        ..Facts::default()
    };
    let input = Input::Facts {
        visitor_id: visitor(7),
        facts,
    };
    assert_eq!(visitors.apply(input.clone(), 5)[0].row.name, "Ana");
    assert!(visitors.apply(input, 6).is_empty());
}

#[test]
fn who_is_erased_has_left_at_once_whatever_is_connected() {
    let mut visitors = Visitors::new();
    enter(&mut visitors, 1, 7, "/a", 0);
    enter(&mut visitors, 2, 7, "/b", 0);
    let forget = Input::Forget {
        visitor_id: visitor(7),
    };
    let gone = visitors.apply(forget.clone(), 5);
    assert_eq!((gone.len(), gone[0].kind), (1, ChangeKind::Left));
    assert_eq!(visitors.counts(workspace()), Counts::default());
    assert_eq!(visitors.next_deadline_ms(), None);
    assert!(visitors.apply(forget, 6).is_empty());
    let leave = Input::Leave {
        connection_id: connection(1),
    };
    assert!(visitors.apply(leave, 7).is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Enter(u128, u128, bool),
    Page(u128),
    Activity(u128, bool),
    Leave(u128),
    Forget(u128),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6_u128, 0..3_u128, any::<bool>())
            .prop_map(|(tab, who, seen)| Step::Enter(tab, who, seen)),
        (0..6_u128).prop_map(Step::Page),
        (0..6_u128, any::<bool>()).prop_map(|(tab, seen)| Step::Activity(tab, seen)),
        (0..6_u128).prop_map(Step::Leave),
        (0..3_u128).prop_map(Step::Forget),
        (0..120_000_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Whatever happens: counters equal a recount, versions only grow, everybody enters before he
    /// changes and leaves at most once, and when all tabs are closed nobody stays for ever.
    #[test]
    fn presence_keeps_its_books(steps in prop::collection::vec(step(), 0..60)) {
        let mut visitors = Visitors::new();
        let mut now_ms = 0;
        let mut here = BTreeMap::new();
        let closing = (0..6).map(Step::Leave).chain([Step::Wait(GRACE_MS)]);
        for step in steps.into_iter().chain(closing) {
            let changes = match step {
                Step::Enter(tab, who, visible) => visitors.apply(
                    Input::Enter {
                        connection_id: connection(tab),
                        arrival: arrival(who, visible),
                        sight: Some(sight("/", now_ms)),
                    },
                    now_ms,
                ),
                Step::Page(tab) => visitors.apply(
                    Input::Page { connection_id: connection(tab), sight: sight("/next", now_ms) },
                    now_ms,
                ),
                Step::Activity(tab, visible) => visitors.apply(
                    Input::Activity { connection_id: connection(tab), visible },
                    now_ms,
                ),
                Step::Leave(tab) => {
                    visitors.apply(Input::Leave { connection_id: connection(tab) }, now_ms)
                }
                Step::Forget(who) => {
                    visitors.apply(Input::Forget { visitor_id: visitor(who) }, now_ms)
                }
                Step::Wait(ms) => {
                    now_ms += ms;
                    visitors.advance(now_ms)
                }
            };
            for change in changes {
                let version = here.insert(change.row.id, change.row.version);
                match change.kind {
                    ChangeKind::Entered => prop_assert!(version.is_none()),
                    ChangeKind::Updated => prop_assert!(version.is_some_and(|v| v < change.row.version)),
                    ChangeKind::Left => {
                        prop_assert!(version.is_some_and(|v| v < change.row.version));
                        here.remove(&change.row.id);
                    }
                }
            }
            let states: Vec<_> = visitors.of_workspace(workspace()).map(|row| row.state).collect();
            let active = states.iter().filter(|state| **state == PresenceState::Active).count();
            let counts = visitors.counts(workspace());
            prop_assert_eq!(counts.active as usize, active);
            prop_assert_eq!(counts.idle as usize, states.len() - active);
            prop_assert_eq!(here.len(), states.len());
        }
        prop_assert!(here.is_empty());
    }
}
