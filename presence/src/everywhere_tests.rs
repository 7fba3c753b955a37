//! Visitors over several nodes, one sentence each.

use proptest::prelude::*;
use protocol::id::{Id, SiteId};
use protocol::visitor::{Browser, Device, Source};

use super::*;

fn workspace() -> WorkspaceId {
    WorkspaceId::from_bits(1)
}

fn node(bits: u128) -> NodeId {
    NodeId::from_bits(bits)
}

fn visitor(bits: u128) -> VisitorId {
    VisitorId::from_bits(bits)
}

fn row(bits: u128, state: PresenceState, active_at_ms: u64) -> LiveVisitor {
    LiveVisitor {
        id: visitor(bits),
        version: 1,
        site_id: SiteId::from_bits(1),
        state,
        contact_id: None,
        name: String::new(),
        conversation_id: None,
        page: None,
        trail: Vec::new(),
        page_count: 1,
        event_count: 0,
        last_event: None,
        tab_count: 1,
        visit_count: 0,
        source: Source::default(),
        browser: Browser {
            device: Device::Desktop,
            name: "Firefox".to_owned(),
            system: "Linux".to_owned(),
            language: None,
            time_zone: None,
            country: None,
            city: None,
        },
        entered_at_ms: 1,
        active_at_ms,
        stale: false,
    }
}

fn active(bits: u128) -> LiveVisitor {
    row(bits, PresenceState::Active, 5)
}

fn tell(all: &mut Everywhere, from: u128, rows: Vec<LiveVisitor>) -> Vec<Change> {
    all.told(node(from), workspace(), rows, &[])
}

fn here(all: &mut Everywhere, kind: ChangeKind, row: LiveVisitor) -> Option<Change> {
    all.here(&change(workspace(), kind, row.into()))
}

fn kinds(changes: &[Change]) -> Vec<ChangeKind> {
    changes.iter().map(|change| change.kind).collect()
}

#[test]
fn a_visitor_is_found_by_his_own_workspace_alone() {
    let mut all = Everywhere::new();
    tell(&mut all, 1, vec![active(1)]);
    let found = all.find(workspace(), visitor(1));
    assert_eq!(found.map(|row| row.id), Some(visitor(1)));
    assert_eq!(all.find(workspace(), visitor(2)), None);
    assert_eq!(all.find(WorkspaceId::from_bits(2), visitor(1)), None);
}

#[test]
fn a_visitor_is_one_however_many_nodes_show_him() {
    let mut all = Everywhere::new();
    here(
        &mut all,
        ChangeKind::Entered,
        row(7, PresenceState::Idle, 3),
    )
    .expect("he is new");
    let changes = tell(&mut all, 2, vec![active(7)]);
    assert_eq!(kinds(&changes), [ChangeKind::Updated]);
    let shown = &changes[0].row;
    assert_eq!(
        (shown.state, shown.tab_count, shown.active_at_ms),
        (PresenceState::Active, 2, 5)
    );
    let one = Counts { active: 1, idle: 0 };
    assert_eq!(all.counts(workspace()), one);
    let left = here(&mut all, ChangeKind::Left, row(7, PresenceState::Left, 3));
    assert_eq!(left.map(|change| change.kind), Some(ChangeKind::Updated));
    let gone = all.told(node(2), workspace(), Vec::new(), &[visitor(7)]);
    assert_eq!(kinds(&gone), [ChangeKind::Left]);
    assert_eq!(all.counts(workspace()), Counts::default());
    assert_eq!(all.of_workspace(workspace()).count(), 0);
}

#[test]
fn the_ghosts_of_a_dead_node_leave_once_and_who_is_elsewhere_stays() {
    let mut all = Everywhere::new();
    tell(&mut all, 2, vec![active(7), active(8)]);
    tell(&mut all, 3, vec![active(8)]);
    let changes = all.lose(node(2));
    let mut told: Vec<_> = changes.iter().map(|one| (one.row.id, one.kind)).collect();
    told.sort_by_key(|(id, _)| *id);
    let expected = [
        (visitor(7), ChangeKind::Left),
        (visitor(8), ChangeKind::Updated),
    ];
    assert_eq!(told, expected);
    assert!(all.lose(node(2)).is_empty());
}

#[test]
fn nobody_flickers_when_a_node_says_goodbye_and_he_comes_back_to_another() {
    let mut all = Everywhere::new();
    tell(&mut all, 2, vec![active(7), active(8)]);
    all.part(node(2), 1_000);
    assert!(all.advance(1_000 + GRACE_MS - 1).is_empty());
    tell(&mut all, 3, vec![active(7)]);
    let changes = all.advance(1_000 + GRACE_MS);
    assert!(
        changes
            .iter()
            .all(|one| one.row.id != visitor(7) || one.kind == ChangeKind::Updated)
    );
    let left: Vec<_> = changes
        .iter()
        .filter(|one| one.kind == ChangeKind::Left)
        .map(|one| one.row.id)
        .collect();
    assert_eq!(left, [visitor(8)]);
}

#[test]
fn a_snapshot_takes_away_who_is_not_in_it() {
    let mut all = Everywhere::new();
    tell(&mut all, 2, vec![active(7), active(8), active(9)]);
    all.begin(node(2), workspace());
    tell(&mut all, 2, vec![active(8)]);
    // Between two parts of it.
    all.told(node(2), workspace(), vec![active(6)], &[]);
    tell(&mut all, 2, vec![active(9)]);
    let changes = all.end(node(2), workspace());
    assert_eq!(kinds(&changes), [ChangeKind::Left]);
    assert_eq!(changes[0].row.id, visitor(7));
    assert_eq!(all.of_workspace(workspace()).count(), 3);
    assert!(
        all.end(node(2), workspace()).is_empty(),
        "no snapshot began"
    );
}

#[test]
fn a_node_that_is_not_heard_makes_its_rows_stale_and_no_others() {
    let mut all = Everywhere::new();
    tell(&mut all, 2, vec![active(7), active(8)]);
    here(&mut all, ChangeKind::Entered, active(8)).expect("an update");
    let stale = all.doubt(node(2), true);
    assert_eq!(stale.len(), 1);
    assert!(stale[0].row.stale && stale[0].row.id == visitor(7));
    assert!(all.doubt(node(2), true).is_empty());
    let fresh = all.doubt(node(2), false);
    assert!(fresh.len() == 1 && !fresh[0].row.stale);
}

#[test]
fn what_nobody_watches_is_forgotten_but_for_our_own() {
    let mut all = Everywhere::new();
    tell(&mut all, 2, vec![active(7), active(8)]);
    here(&mut all, ChangeKind::Entered, active(8)).expect("an update");
    all.forget(workspace());
    let left: Vec<_> = all.of_workspace(workspace()).map(|row| row.id).collect();
    assert_eq!(left, [visitor(8)]);
}

proptest! {
    #[test]
    fn every_visitor_enters_and_leaves_in_turn_and_the_counts_are_right(
        steps in proptest::collection::vec((0_u8..6, 1_u128..4, 1_u128..6), 1..200)
    ) {
        let mut all = Everywhere::new();
        let mut present = BTreeSet::new();
        let mut versions = 0;
        for (step, from, who) in steps {
            let changes = match step {
                0 | 1 => tell(&mut all, from, vec![active(who)]),
                2 => all.told(node(from), workspace(), Vec::new(), &[visitor(who)]),
                3 => all.lose(node(from)),
                4 => here(&mut all, ChangeKind::Updated, active(who)).into_iter().collect(),
                _ => here(&mut all, ChangeKind::Left, active(who)).into_iter().collect(),
            };
            for change in changes {
                let id = change.row.id;
                prop_assert!(change.row.version > versions);
                versions = change.row.version;
                match change.kind {
                    ChangeKind::Entered => prop_assert!(present.insert(id)),
                    ChangeKind::Updated => prop_assert!(present.contains(&id)),
                    ChangeKind::Left => prop_assert!(present.remove(&id)),
                }
            }
            let shown: BTreeSet<_> = all.of_workspace(workspace()).map(|row| row.id).collect();
            prop_assert_eq!(&shown, &present);
            let counts = all.counts(workspace());
            prop_assert_eq!(usize::try_from(counts.active + counts.idle).unwrap(), present.len());
        }
    }
}

#[test]
fn who_is_on_a_node_that_goes_on_under_another_id_stays_and_is_counted_once() {
    let mut all = Everywhere::new();
    tell(&mut all, 1, vec![active(1)]);
    assert_eq!(
        kinds(&tell(&mut all, 2, vec![active(1)])),
        [ChangeKind::Updated]
    );
    let lost = all.lose(node(1));
    assert_eq!(kinds(&lost), [ChangeKind::Updated], "nobody left");
    assert_eq!(lost[0].row.tab_count, 1);
    assert!(all.lose(node(1)).is_empty(), "once");
    assert_eq!(all.counts(workspace()).active, 1);
    assert_eq!(kinds(&all.lose(node(2))), [ChangeKind::Left]);
}
