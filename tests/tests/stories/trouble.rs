//! What an admin is told while a part of the installation does not work: that it does not, since when and why,
//! and nothing once it does.

use loadtest::client::http::Call;
use protocol::page::Page;
use protocol::rejection::ErrorCode;
use protocol::trouble::{Trouble, TroubleKind};
use tests::{Agent, Stack};

tests::stories! {
    admins_are_told_that_backups_fail_until_one_is_written
}

async fn troubles(stack: &Stack, agent: &Agent) -> Vec<Trouble> {
    let call = agent.access().call(Call::get("/api/v1/troubles"));
    let page: Page<Trouble> = stack
        .asks(&call)
        .await
        .into_value()
        .expect("admins may ask");
    page.items
}

async fn admins_are_told_that_backups_fail_until_one_is_written(mut stack: Stack) -> Stack {
    // A file lies where the folder of backups would be made.
    let blocked = stack.path().join("backups");
    std::fs::write(&blocked, "in the way").expect("a file can be written");
    let owner = stack.agent().await;
    let colleague = stack.colleague("Ana").await;
    assert_eq!(troubles(&stack, &owner).await, []);

    let before_ms = stack.world.clock.now_ms();
    let failed = stack.tries_command(&["backup"]).await;
    failed.expect_err("there is no folder for it");
    let told = troubles(&stack, &owner).await;
    let [first] = told.as_slice() else {
        panic!("not one trouble: {told:?}");
    };
    assert_eq!(first.kind, TroubleKind::BackupFailed);
    assert!(first.since_at_ms.abs_diff(before_ms) < 10 * 60_000);
    assert!(first.reason.contains("backup"), "{}", first.reason);
    // Since when is that of the first.
    let again = stack.tries_command(&["backup"]).await;
    again.expect_err("there is no folder for it");
    let told = troubles(&stack, &owner).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].since_at_ms, first.since_at_ms);
    // Whoever cannot help is not told.
    let call = colleague.access().call(Call::get("/api/v1/troubles"));
    let refused = stack.asks(&call).await;
    assert_eq!(refused.status, ErrorCode::Forbidden.status());

    // It is known also after a restart, until a backup is written.
    stack.restarts().await;
    assert_eq!(troubles(&stack, &owner).await, told);
    std::fs::remove_file(&blocked).expect("the file is there");
    stack.command(&["backup"]).await;
    assert_eq!(troubles(&stack, &owner).await, []);
    stack
}
