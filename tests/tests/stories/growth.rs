//! A small installation grows: its store is copied into the other kind of home, and everybody goes on there.

use tests::{Home, Stack};

tests::stories! {
    a_store_is_copied_into_another_home_and_goes_on
}

async fn a_store_is_copied_into_another_home_and_goes_on(mut stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    visitor
        .says("said before the move: naïve 你好 \u{1f600}")
        .await;
    let id = visitor.conversation();
    agent.opens(id).await;
    agent.says(id, "answered before the move").await;
    visitor.sees("answered before the move").await;
    let other = match stack.home() {
        Home::Sqlite => Home::Shared,
        Home::Postgres | Home::Shared => Home::Sqlite,
    };
    let printed = stack.moves_to(other).await;
    assert!(printed.contains("each was found alike"), "{printed}");

    // Both come back with what they had, and go on.
    for client in [&mut visitor.client, &mut agent.client] {
        client.cut();
        client.connect().await.expect("the same people get in");
    }
    agent.opens(id).await;
    visitor.says("said after the move").await;
    agent.sees(id, "said after the move").await;
    agent.says(id, "answered after the move").await;
    visitor.sees("answered after the move").await;
    stack
        .agree(id, &mut [&mut visitor.client, &mut agent.client])
        .await;
    stack
}
