//! What a lane owes grows, wakes it, and is settled.

use std::time::Duration;

use super::debt::{Debt, Owed};

fn owed(first: u64, last: u64) -> Owed {
    Owed {
        first,
        last,
        is_beginning: first == 1,
        since: Duration::from_secs(first),
    }
}

#[test]
fn what_is_told_more_often_is_owed_from_the_first_to_the_last() {
    let debt = Debt::default();
    for more in [owed(5, 5), owed(9, 9), owed(1, 2)] {
        debt.add(more);
    }
    assert_eq!(debt.owed(), Some(owed(1, 9)));
}

#[tokio::test]
async fn what_grows_while_it_is_read_stays_owed_and_wakes() {
    let debt = Debt::default();
    debt.add(owed(5, 5));
    debt.grown().await;
    debt.add(owed(6, 6));
    debt.settle(owed(5, 5));
    let all = owed(5, 6);
    assert_eq!(debt.owed(), Some(all));
    debt.grown().await;
    debt.settle(all);
    assert_eq!(debt.owed(), None);
}
