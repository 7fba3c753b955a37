//! What an operator sees of a server that serves: how long acknowledgements and commits take, and whether the
//! store is well.

use loadtest::client::http::Call;
use tests::Stack;

tests::stories! {
    slowness_and_the_store_are_in_the_metrics
}

const ACKNOWLEDGED: &str = "switchboard_acknowledgement_seconds_count";

async fn slowness_and_the_store_are_in_the_metrics(mut stack: Stack) -> Stack {
    stack.becomes_a_process().await;
    assert_eq!(stack.metric(ACKNOWLEDGED).await, 0);
    assert_eq!(stack.metric("switchboard_ready ").await, 1);
    assert_eq!(stack.metric("switchboard_store_up ").await, 1);
    let mut visitor = stack.visitor().await;
    for line in ["one", "two", "three"] {
        visitor.says(line).await;
    }
    // Whoever was told that it is stored was counted before.
    assert_eq!(stack.metric(ACKNOWLEDGED).await, 3);
    let up_to = "switchboard_acknowledgement_seconds_bucket{le=\"+Inf\"}";
    assert_eq!(stack.metric(up_to).await, 3);
    let commits = stack.metric("switchboard_store_commit_seconds_count").await;
    assert!(commits > 0);
    assert!(stack.metric("switchboard_store_commit_writes_sum").await >= 3);
    assert!(stack.metric("switchboard_store_read_seconds_count").await > 0);
    assert_eq!(stack.metric("switchboard_store_failures_total").await, 0);
    assert_eq!(stack.metric("switchboard_store_writes_waiting").await, 0);
    let ready = stack.asks(&Call::get("/readyz")).await;
    assert_eq!(ready.into_body().expect("it is ready"), "ready\n");
    stack
}
