//! The lists of the inbox, change by change.

use protocol::conversation::{Channel, Handler};
use protocol::id::{ContactId, ConversationId, Id, SiteId};
use protocol::news::AgentNews;
use protocol::view::InboxOrder;

use super::*;

fn agent(bits: u128) -> AgentId {
    AgentId::from_bits(bits)
}

fn row(version: u64, state: State, assignee: Option<u128>) -> Conversation {
    Conversation {
        id: ConversationId::from_bits(1),
        number: 1,
        version,
        channel: Channel::Chat,
        site_id: SiteId::from_bits(1),
        contact_id: ContactId::from_bits(1),
        contact_name: "Ana \"the\" first".to_owned(),
        contact_version: 1,
        contact_erased: false,
        visitor_id: None,
        state,
        handler: Handler::Queue,
        assignee_id: assignee.map(agent),
        department_id: None,
        priority: 2,
        language: None,
        previous_id: None,
        waiting_on: WaitingOn::Agent,
        waiting_since_at_ms: 1,
        snoozed_until_ms: None,
        spam: false,
        seq: 1,
        customer_seq: 1,
        preview: None,
        created_at_ms: 1,
        active_at_ms: 1,
    }
}

fn change(before: Before, row: &Conversation) -> RowChange {
    RowChange::new(before, row.clone())
}

fn there(row: &Conversation) -> Before {
    Before::There(Membership::from(row))
}

/// How a list hears of a change: `+` as a row, `-` as gone, nothing otherwise.
fn heard(filter: InboxFilter, change: &RowChange) -> &'static str {
    let list = changes_of(filter.into(), agent(1), std::iter::once(change));
    match (list.rows.len(), list.gone.len()) {
        (1, 0) => "+",
        (0, 1) => "-",
        (0, 0) => "",
        _ => unreachable!("a change is told once"),
    }
}

fn check(change: &RowChange, expected: [(InboxFilter, &str); 7]) {
    for (filter, sign) in expected {
        assert_eq!(heard(filter, change), sign, "{filter:?}");
    }
}

#[test]
fn an_assignment_moves_a_row_from_unassigned_to_mine() {
    let change = change(
        there(&row(1, State::Open, None)),
        &row(2, State::Open, Some(1)),
    );
    assert!(change.moves());
    check(
        &change,
        [
            (InboxFilter::All, "+"),
            (InboxFilter::Mine, "+"),
            (InboxFilter::Unassigned, "-"),
            (InboxFilter::Waiting, "+"),
            (InboxFilter::Snoozed, ""),
            (InboxFilter::Closed, ""),
            (InboxFilter::Spam, ""),
        ],
    );
}

#[test]
fn closing_takes_a_row_out_of_the_living_lists_with_the_version_that_did() {
    let closed = row(9, State::Closed, Some(1));
    let change = change(there(&row(1, State::Open, Some(1))), &closed);
    check(
        &change,
        [
            (InboxFilter::All, "-"),
            (InboxFilter::Mine, "-"),
            (InboxFilter::Unassigned, ""),
            (InboxFilter::Waiting, "-"),
            (InboxFilter::Snoozed, ""),
            (InboxFilter::Closed, "+"),
            (InboxFilter::Spam, ""),
        ],
    );
    let list = changes_of(InboxFilter::All.into(), agent(1), std::iter::once(&change));
    assert_eq!(list.gone[0].version, 9);
}

#[test]
fn spam_stands_nowhere_else() {
    let spam = Conversation {
        spam: true,
        ..row(2, State::Open, None)
    };
    let change = change(there(&row(1, State::Open, None)), &spam);
    check(
        &change,
        [
            (InboxFilter::All, "-"),
            (InboxFilter::Mine, ""),
            (InboxFilter::Unassigned, "-"),
            (InboxFilter::Waiting, "-"),
            (InboxFilter::Snoozed, ""),
            (InboxFilter::Closed, ""),
            (InboxFilter::Spam, "+"),
        ],
    );
}

#[test]
fn a_snoozed_row_stays_in_all_but_is_nobodys_work() {
    let change = change(
        there(&row(1, State::Open, None)),
        &row(2, State::Snoozed, None),
    );
    assert_eq!(heard(InboxFilter::All, &change), "+");
    assert_eq!(heard(InboxFilter::Unassigned, &change), "-");
    assert_eq!(heard(InboxFilter::Waiting, &change), "-");
    assert_eq!(heard(InboxFilter::Snoozed, &change), "+");
}

#[test]
fn an_answer_takes_a_row_out_of_those_that_wait_and_the_customers_next_words_bring_it_back() {
    let waiting = row(1, State::Open, Some(1));
    let answered = Conversation {
        waiting_on: WaitingOn::Customer,
        ..row(2, State::Open, Some(1))
    };
    let answer = change(there(&waiting), &answered);
    assert!(answer.moves());
    assert_eq!(heard(InboxFilter::Waiting, &answer), "-");
    assert_eq!(heard(InboxFilter::Mine, &answer), "+");
    let again = change(there(&answered), &row(3, State::Open, Some(1)));
    assert_eq!(heard(InboxFilter::Waiting, &again), "+");
}

#[test]
fn what_nobody_knows_of_is_gone_and_what_never_was_is_not() {
    let closed = row(3, State::Closed, None);
    let unknown = change(Before::Unknown, &closed);
    assert_eq!(heard(InboxFilter::All, &unknown), "-");
    let new = change(Before::Nowhere, &closed);
    assert_eq!(heard(InboxFilter::All, &new), "");
}

#[test]
fn changes_told_together_keep_the_first_place_and_the_newest_row() {
    let mut merged = change(
        there(&row(1, State::Open, None)),
        &row(3, State::Closed, None),
    );
    merged.merge(change(Before::Unknown, &row(2, State::Open, Some(1))));
    assert_eq!(merged.row.version, 3);
    assert_eq!(heard(InboxFilter::Unassigned, &merged), "-");
    merged.merge(change(Before::Unknown, &row(4, State::Open, None)));
    assert_eq!(heard(InboxFilter::Unassigned, &merged), "+");
    // Who looked meanwhile was told of other lists, and of other numbers.
    assert_eq!(heard(InboxFilter::Closed, &merged), "-");
    assert_eq!(heard(InboxFilter::Mine, &merged), "-");
    assert_eq!(heard(InboxFilter::Snoozed, &merged), "");
    assert!(merged.moves());
}

#[test]
fn what_began_and_ended_between_two_tellings_is_gone_for_who_looked_meanwhile() {
    let mut merged = change(Before::Nowhere, &row(1, State::Open, None));
    merged.merge(change(Before::Unknown, &row(2, State::Closed, None)));
    assert_eq!(heard(InboxFilter::All, &merged), "-");
    assert_eq!(heard(InboxFilter::Closed, &merged), "+");
    assert_eq!(heard(InboxFilter::Spam, &merged), "");
}

#[test]
fn of_a_conversation_that_moves_on_and_on_nobody_knows_where_it_stood() {
    let mut merged = change(
        there(&row(1, State::Open, None)),
        &row(2, State::Open, None),
    );
    let said = |n: u64| Conversation {
        active_at_ms: n,
        ..row(n, State::Open, None)
    };
    for n in 3..=10 {
        merged.merge(change(Before::Unknown, &said(n)));
        assert_eq!(heard(InboxFilter::Closed, &merged), "");
        assert!(!merged.moves());
    }
    merged.merge(change(Before::Unknown, &said(11)));
    assert_eq!(heard(InboxFilter::Closed, &merged), "-");
    assert!(merged.moves());
    assert!(merged.between.len() <= BETWEEN_MAX);
}

#[test]
fn a_frame_made_of_parts_is_the_frame_of_the_protocol() {
    let row = row(2, State::Open, Some(1));
    let gone = vec![GoneRow {
        id: ConversationId::from_bits(5),
        version: 7,
    }];
    let counts = InboxCounts {
        all: 3,
        mine: 1,
        unassigned: 2,
        waiting: 1,
        mine_anywhere: 2,
        waiting_anywhere: 4,
    };
    let list = InboxList {
        site_id: Some(row.site_id),
        language: "de".parse().ok(),
        order: InboxOrder::Oldest,
        ..InboxFilter::Unassigned.into()
    };
    for counts in [Some(counts), None] {
        let made = frame(
            list,
            &serde_json::to_string(&[&row]).unwrap(),
            &serde_json::to_string(&gone).unwrap(),
            counts,
        );
        let news = AgentNews::InboxChanges {
            list,
            rows: vec![row.clone()],
            gone: gone.clone(),
            counts,
        };
        assert_eq!(made, serde_json::to_string(&news).unwrap());
    }
}

#[test]
fn a_list_of_one_site_holds_no_other_sites_rows() {
    let row = row(1, State::Open, None);
    let of = |site_id| InboxList {
        site_id: Some(site_id),
        ..InboxFilter::All.into()
    };
    let new = change(Before::Nowhere, &row);
    let heard = |list| {
        let told = changes_of(list, agent(1), std::iter::once(&new));
        (told.rows.len(), told.gone.len())
    };
    assert_eq!(heard(of(row.site_id)), (1, 0));
    assert_eq!(heard(of(SiteId::from_bits(99))), (0, 0));
    assert_eq!(heard(InboxFilter::All.into()), (1, 0));
}

#[test]
fn a_row_enters_and_leaves_a_narrowed_list() {
    let was = row(1, State::Open, Some(2));
    let now = Conversation {
        language: Some("de-AT".to_owned()),
        priority: 3,
        active_at_ms: 9,
        ..row(2, State::Open, Some(1))
    };
    let change = change(there(&was), &now);
    let all = InboxList::from(InboxFilter::All);
    let heard = |list| {
        let told = changes_of(list, agent(1), std::iter::once(&change));
        (told.rows.len(), told.gone.len())
    };
    let of = |assignee| InboxList {
        assignee_id: Some(agent(assignee)),
        ..all
    };
    assert_eq!(heard(of(1)), (1, 0));
    assert_eq!(heard(of(2)), (0, 1));
    assert_eq!(heard(of(3)), (0, 0));
    let in_language = |code: &str| InboxList {
        language: code.parse().ok(),
        ..all
    };
    assert_eq!(heard(in_language("de")), (1, 0));
    assert_eq!(heard(in_language("fr")), (0, 0));
    let of_priority = |priority| InboxList {
        priority: Some(priority),
        ..all
    };
    assert_eq!(heard(of_priority(3)), (1, 0));
    assert_eq!(heard(of_priority(2)), (0, 1));
    assert_eq!(heard(of_priority(4)), (0, 0));
    let up_from = |priority| InboxList {
        priority_min: Some(priority),
        ..all
    };
    assert_eq!(heard(up_from(3)), (1, 0));
    assert_eq!(heard(up_from(4)), (0, 0));
    let since = |since_ms| InboxList {
        since_ms: Some(since_ms),
        ..all
    };
    assert_eq!(heard(since(9)), (1, 0));
    assert_eq!(heard(since(10)), (0, 0));
    let until = |until_ms| InboxList {
        until_ms: Some(until_ms),
        ..all
    };
    assert_eq!(heard(until(10)), (1, 0));
    assert_eq!(heard(until(9)), (0, 1));
}

#[test]
fn being_active_again_moves_no_count() {
    let was = row(1, State::Open, None);
    let now = Conversation {
        active_at_ms: 9,
        ..row(2, State::Open, None)
    };
    assert!(!change(there(&was), &now).moves());
}
