//! A full disk: what cannot be stored is refused and may be tried again, what was acknowledged stays, and the
//! server goes on by itself once there is room.
//!
//! The kernel refuses the writes: a limit for the size of files holds for each file of the process, also where
//! nobody may mount a small disk.

use std::path::PathBuf;

use loadtest::Error;
use loadtest::client::http::Call;
use protocol::attachment::Attachment;
use protocol::rejection::{ErrorCode, Retry};
use tests::person::draft;
use tests::{Stack, Visitor};

tests::stories! {
    uploads_and_backups_find_no_room_and_leave_nothing_behind
}

/// Uploads a file of a length as a visitor.
async fn uploads(stack: &Stack, visitor: &Visitor, length: usize) -> Result<Attachment, Error> {
    let text = b"a line of text that is long enough.\n";
    let body: Vec<u8> = text.iter().copied().cycle().take(length).collect();
    let upload = Call::new(http::Method::POST, "/api/v1/attachments")
        .bytes("text/plain", body)
        .header("switchboard-file-name", "lines.txt");
    let answer = stack.asks(&visitor.client.access().call(upload)).await;
    answer.into_value()
}

async fn uploads_and_backups_find_no_room_and_leave_nothing_behind(mut stack: Stack) -> Stack {
    const SMALL: usize = 1_000;
    const LARGE: usize = 700_000;
    stack.becomes_a_process().await;
    let mut visitor = stack.visitor().await;
    let kept = uploads(&stack, &visitor, SMALL).await;
    let kept = kept.expect("there is room").id;
    let backup = |name: &str| -> PathBuf { stack.path().with_extension(name) };
    let (first, second) = (backup("first"), backup("second"));
    let path = |path: &PathBuf| path.to_str().expect("a path in UTF-8").to_owned();

    stack.process().limit_files(Some(0));
    for length in [SMALL + 1, LARGE] {
        let refused = uploads(&stack, &visitor, length).await;
        let Err(Error::Refused(problem)) = refused else {
            panic!("{length} bytes were not refused: {refused:?}");
        };
        assert_eq!(problem.code, ErrorCode::StorageFull, "{length} bytes");
        assert_eq!(problem.retry, Retry::Later);
    }
    assert!(stack.metric("switchboard_refused_full_total").await >= 2);
    let failed = stack.tries_command(&["backup", &path(&first)]).await;
    let failed = failed.expect_err("there is no room for a backup");
    assert!(
        failed.contains("full") || failed.contains("too large"),
        "{failed}"
    );
    assert!(!first.exists() && !first.with_extension("first.partial").exists());

    assert_eq!(stack.metric("switchboard_backups_failed_total").await, 1);
    assert!(
        stack
            .metric("switchboard_backup_failed_timestamp_seconds")
            .await
            > 0
    );
    assert_eq!(
        stack
            .metric("switchboard_backup_written_timestamp_seconds")
            .await,
        0
    );

    stack.process().limit_files(None);
    let large = uploads(&stack, &visitor, LARGE).await;
    let large = large.expect("there is room").id;
    let mut draft = draft("two files");
    draft.attachment_ids = vec![kept, large];
    let command = protocol::command::Command::SendMessage {
        conversation_id: None,
        draft,
    };
    visitor.tries(command).await.expect("both are there");
    stack.keeps_files(2).await;
    stack.command(&["backup", &path(&second)]).await;
    let written = stack.metric("switchboard_backup_written_timestamp_seconds");
    assert!(written.await > 0);
    std::fs::remove_dir_all(second).expect("the backup was written");
    stack
}
