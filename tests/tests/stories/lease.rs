//! Two servers that know nothing of each other: one has the store, the other one says so and touches nothing.

use server::{Config, Error};
use tests::Stack;
use world::World;

tests::stories_alone! {
    two_servers_do_not_share_a_store
    the_place_of_a_killed_server_is_taken
}

/// The configuration of another server, with a data directory of its own, on the same store.
fn other(stack: &Stack, data_dir: &tempfile::TempDir) -> Config {
    let mut config = stack.config();
    if config.database_url.is_empty() {
        config.database_url = format!("sqlite:{}/switchboard.db", config.data_dir);
    }
    config.data_dir = data_dir.path().display().to_string();
    config.listen = "127.0.0.1:0".to_owned();
    config
}

async fn two_servers_do_not_share_a_store(mut stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    visitor.says("hello").await;
    let data_dir = tempfile::tempdir().expect("a directory");
    let refused = server::serve(other(&stack, &data_dir), World::system()).await;
    let error = refused.err().expect("the store is in use");
    assert!(matches!(error, Error::StoreInUse { .. }), "{error}");
    let holder = stack.path().display().to_string();
    assert!(error.to_string().contains(&holder), "{error}");
    visitor.says("nothing happened").await;
    // An orderly end gives the store to whoever comes next.
    stack.stops().await;
    let second = server::serve(other(&stack, &data_dir), World::system()).await;
    second.expect("the store is free").stop().await;
    stack.refuses_a_newer_store().await;
    stack.comes_back().await;
    visitor.connects().await;
    visitor.says("still here").await;
    stack
}

async fn the_place_of_a_killed_server_is_taken(mut stack: Stack) -> Stack {
    stack.becomes_a_process().await;
    let mut visitor = stack.visitor().await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    stack.is_killed().await;
    let data_dir = tempfile::tempdir().expect("a directory");
    let second = server::serve(other(&stack, &data_dir), World::system()).await;
    second.expect("its place is taken").stop().await;
    stack.comes_back().await;
    assert_eq!(stack.stored(id).await.len(), 1);
    stack
}
