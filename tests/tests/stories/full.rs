//! A full disk, and a store that may only be read by now: what cannot be stored is refused and may be tried again, what
//! was acknowledged stays, and the server goes on by itself once there is room, or writes are taken again.
//!
//! The kernel refuses the writes: a limit for the size of files holds for each file of the process, also where
//! nobody may mount a small disk, and files that may not be changed are not, also by who has them open.

use std::path::PathBuf;

use loadtest::Error;
use loadtest::check;
use loadtest::client::http::Call;
use loadtest::client::{Client, News};
use protocol::attachment::Attachment;
use protocol::news::{AgentNews, VisitorNews};
use protocol::rejection::{ErrorCode, Retry};
use tests::person::{draft, message};
use tests::{Home, Stack, Visitor};

tests::stories! {
    a_full_disk_refuses_what_it_cannot_keep_and_nothing_is_lost
    a_store_that_may_only_be_read_refuses_what_is_said_and_nothing_is_lost
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

/// Says something and waits for the refusal, after which the client keeps it for later.
async fn is_refused(client: &mut Client, command: protocol::command::Command) -> ErrorCode {
    let sent = client.send(command).await;
    let refusal = |news: &News| match news {
        News::Visitor(VisitorNews::Rejected(rejected))
        | News::Agent(AgentNews::Rejected(rejected)) => {
            (rejected.client_id == sent).then(|| rejected.problem.clone())
        }
        News::Visitor(_) | News::Agent(_) => None,
    };
    let problem = client.hears("a refusal", refusal).await;
    let problem = problem.expect("it is refused");
    assert_eq!(problem.retry, Retry::Later);
    problem.code
}

/// Why nothing can be stored for a while.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    FullDisk,
    ReadOnlyStore,
}

impl Trouble {
    /// It begins. Gives the code of the refusals, and the metric that counts them; nothing where what is said is stored
    /// all the same.
    async fn begins(self, stack: &mut Stack) -> Option<(ErrorCode, &'static str)> {
        match self {
            Self::FullDisk => {
                stack.process().limit_files(Some(0));
                let refused = (ErrorCode::StorageFull, "switchboard_refused_full_total");
                // The rows of Postgres are on another machine, which has room.
                (stack.home() == Home::Sqlite).then_some(refused)
            }
            Self::ReadOnlyStore => {
                let refused = (ErrorCode::Unavailable, "switchboard_store_failures_total");
                stack.freezes_the_store().await.then_some(refused)
            }
        }
    }

    async fn ends(self, stack: &mut Stack) {
        match self {
            Self::FullDisk => stack.process().limit_files(None),
            Self::ReadOnlyStore => stack.thaws_the_store().await,
        }
    }
}

async fn a_full_disk_refuses_what_it_cannot_keep_and_nothing_is_lost(stack: Stack) -> Stack {
    they_talk_through(stack, Trouble::FullDisk).await
}

async fn a_store_that_may_only_be_read_refuses_what_is_said_and_nothing_is_lost(
    stack: Stack,
) -> Stack {
    they_talk_through(stack, Trouble::ReadOnlyStore).await
}

async fn they_talk_through(mut stack: Stack, trouble: Trouble) -> Stack {
    stack.becomes_a_process().await;
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    visitor.says("before").await;
    let id = visitor.conversation();
    agent.opens(id).await;
    agent.says(id, "an answer before").await;
    visitor.sees("an answer before").await;

    if let Some((code, metric)) = trouble.begins(&mut stack).await {
        let question = message(None, "meanwhile");
        assert_eq!(is_refused(&mut visitor.client, question).await, code);
        let answer = message(Some(id), "an answer meanwhile");
        assert_eq!(is_refused(&mut agent.client, answer).await, code);
        assert!(stack.metric(metric).await >= 2);
    } else {
        visitor.says("meanwhile").await;
        agent.says(id, "an answer meanwhile").await;
    }
    // Who was there reads on, also over new connections.
    let entries = check::read_all(&mut stack.http(), agent.access(), id).await;
    assert!(entries.expect("it can be read").len() >= 2);
    for client in [&mut visitor.client, &mut agent.client] {
        client.cut();
        client.connect().await.expect("nobody is turned away");
    }
    assert_eq!(stack.asks(&Call::get("/readyz")).await.status, 200);

    // It is over: what was refused comes by itself, and once.
    trouble.ends(&mut stack).await;
    visitor.sees("meanwhile").await;
    agent.sees(id, "an answer meanwhile").await;
    visitor.sees("an answer meanwhile").await;
    agent.sees(id, "meanwhile").await;
    visitor.says("after").await;
    agent.sees(id, "after").await;
    let people = &mut [&mut visitor.client, &mut agent.client];
    stack.agree(id, people).await;

    // Nothing of it was in memory alone.
    stack.is_killed().await;
    stack.starts_as_a_process().await;
    stack.agree(id, people).await;
    let mut said = visitor.screen();
    said.sort_unstable();
    let once = [
        "after",
        "an answer before",
        "an answer meanwhile",
        "before",
        "meanwhile",
    ];
    assert_eq!(said, once);
    stack
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
