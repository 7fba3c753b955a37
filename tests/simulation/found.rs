//! Plans that once failed, as small as they could be made.

use crate::plan::{Act, Plan, Step};
use crate::shop::Shop;
use crate::{files, run};

fn check(plan: Plan) {
    let (shop, files) = (Shop::open(), files());
    let outcome = run::run(&shop, &plan, files.path());
    let told = outcome.told.join("\n");
    assert!(
        outcome.findings.is_empty(),
        "{:#?}\n{told}",
        outcome.findings
    );
}

fn step(at_ms: u64, act: Act) -> Step {
    Step { at_ms, act }
}

#[test]
fn what_is_sent_again_on_a_broken_line_is_sent_again_on_the_next() {
    check(Plan {
        seed: 70,
        node_count: 1,
        visitor_count: 2,
        tab_count: 0,
        agent_count: 2,
        is_list_open: true,
        steps: vec![
            step(599, Act::Say { who: 0 }),
            step(1_176, Act::FailCommit { count: 3 }),
            step(2_208, Act::Say { who: 2 }),
            step(2_291, Act::Rest { who: 2, ms: 6_382 }),
            step(5_030, Act::Kill { node: 0, ms: 217 }),
        ],
    });
}

#[test]
fn who_left_while_news_were_lost_leaves_every_list() {
    check(Plan {
        seed: 1_386,
        node_count: 3,
        visitor_count: 1,
        tab_count: 1,
        agent_count: 2,
        is_list_open: true,
        steps: vec![
            step(3_564, Act::Say { who: 1 }),
            step(6_383, Act::Drain { node: 2, ms: 82 }),
            step(6_639, Act::Say { who: 1 }),
            step(7_993, Act::Say { who: 2 }),
            step(8_501, Act::Say { who: 1 }),
            step(19_283, Act::Cut { who: 0 }),
            step(20_081, Act::Say { who: 1 }),
            step(20_715, Act::Erase),
            step(20_726, Act::LoseNews { node: 1, count: 6 }),
        ],
    });
}

#[test]
fn a_list_that_could_not_be_read_is_read_later() {
    check(Plan {
        seed: 1_433,
        node_count: 3,
        visitor_count: 3,
        tab_count: 1,
        agent_count: 1,
        is_list_open: true,
        steps: vec![
            step(119, Act::Cut { who: 0 }),
            step(
                967,
                Act::Kill {
                    node: 0,
                    ms: 49_121,
                },
            ),
            step(1_720, Act::Blind { node: 1, count: 3 }),
            step(2_602, Act::Say { who: 2 }),
        ],
    });
}

/// A message was stored whose answer was lost, and a note passed before the event log told of it: nothing showed the
/// visitor that something was missing.
#[test]
fn what_was_said_before_a_note_reaches_the_visitor() {
    check(Plan {
        seed: 1_441,
        node_count: 3,
        visitor_count: 3,
        tab_count: 0,
        agent_count: 2,
        is_list_open: false,
        steps: vec![
            step(996, Act::Kill { node: 1, ms: 251 }),
            step(1_112, Act::Say { who: 1 }),
            step(2_111, Act::LoseNews { node: 0, count: 2 }),
            step(8_573, Act::Leave { who: 4, ms: 11_795 }),
            step(11_603, Act::LoseNews { node: 0, count: 1 }),
            step(12_231, Act::Say { who: 0 }),
            step(15_706, Act::Cut { who: 4 }),
            step(16_233, Act::Cut { who: 1 }),
            step(16_846, Act::Erase),
            step(16_871, Act::Say { who: 4 }),
            step(16_912, Act::Note { who: 3 }),
            step(19_462, Act::Read { who: 1 }),
            step(21_080, Act::LoseAnswer { count: 2 }),
            step(21_563, Act::Erase),
            step(21_585, Act::Note { who: 3 }),
            step(21_874, Act::Note { who: 3 }),
        ],
    });
}

/// The list of visitors is closed: a node of which nobody watches the visitors said nothing more of its agents.
#[test]
fn an_agent_whose_coming_was_lost_is_seen_by_all() {
    check(Plan {
        seed: 171,
        node_count: 2,
        visitor_count: 2,
        tab_count: 1,
        agent_count: 2,
        is_list_open: false,
        steps: vec![
            step(2_614, Act::Say { who: 0 }),
            step(2_956, Act::Type { who: 4 }),
            step(3_677, Act::Leave { who: 4, ms: 15_134 }),
            step(4_311, Act::Say { who: 3 }),
            step(4_693, Act::Kill { node: 0, ms: 4_733 }),
            step(5_527, Act::Kill { node: 1, ms: 489 }),
            step(5_642, Act::Say { who: 3 }),
            step(11_474, Act::Say { who: 1 }),
            step(11_483, Act::LoseNews { node: 0, count: 3 }),
            step(12_307, Act::Leave { who: 2, ms: 10_202 }),
        ],
    });
}
