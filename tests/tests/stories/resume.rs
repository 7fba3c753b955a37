//! Broken lines and killed servers: what was acknowledged is there, once, in order.

use std::collections::BTreeSet;
use std::time::Duration;

use loadtest::Error;
use loadtest::client::http::Call;
use loadtest::client::{Client, News};
use protocol::attachment::Attachment;
use protocol::command::Command;
use protocol::frame::ClientFrame;
use protocol::id::{AttachmentId, ConversationId, EntryId};
use protocol::news::{AgentNews, Continuity, VisitorNews};
use protocol::text::{Body, ClientId};
use tests::person::{draft, message};
use tests::{Agent, Stack, Visitor};

tests::stories! {
    a_cut_in_mid_stream_is_resumed_without_a_gap
    who_missed_too_much_reads_afresh
    a_killed_server_keeps_what_it_acknowledged
    a_restart_in_good_order_tells_clients_when_to_return
    a_slow_reader_falls_behind_and_misses_nothing
    a_foreign_position_is_answered_afresh
    a_restored_backup_gets_back_what_clients_had_said_since
    a_store_that_fails_once_is_asked_again
}

/// The answer to following a conversation again from where the client stands.
async fn continuity(visitor: &mut Visitor) -> Continuity {
    let heard = |news: &News| match news {
        News::Visitor(VisitorNews::Entries(batch)) => Some(batch.continuity),
        News::Visitor(_) | News::Agent(_) => None,
    };
    let heard = visitor.client.hears("entries", heard).await;
    heard.expect("they come")
}

async fn a_cut_in_mid_stream_is_resumed_without_a_gap(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    visitor.has(1).await;
    agent.opens(id).await;
    for round in 0..30 {
        let sent = agent
            .client
            .send(message(Some(id), &format!("line {round}")))
            .await;
        if round % 3 == 0 {
            visitor.client.cut();
            visitor.connects().await;
            assert_eq!(continuity(&mut visitor).await, Continuity::Resumed);
        }
        if round % 7 == 0 {
            // The cut comes between the sending and the answer: the command waits in the outbox.
            agent.client.cut();
        }
        agent.client.outcome(&sent).await.expect("accepted");
    }
    visitor.sees("line 29").await;
    agent.sees(id, "line 29").await;
    stack
        .agree(id, &mut [&mut visitor.client, &mut agent.client])
        .await;
    let lines: Vec<String> = (0..30).map(|round| format!("line {round}")).collect();
    assert_eq!(
        visitor.screen()[1..],
        lines,
        "each line once, in the order it was said"
    );
    stack
}

async fn who_missed_too_much_reads_afresh(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    visitor.client.cut();
    for round in 0..230 {
        agent
            .client
            .send(message(Some(id), &format!("line {round}")))
            .await;
    }
    let last = agent.client.send(message(Some(id), "the last line")).await;
    agent.client.outcome(&last).await.expect("accepted");
    visitor.connects().await;
    assert_eq!(continuity(&mut visitor).await, Continuity::Afresh);
    assert_eq!(
        visitor.screen().last().map(String::as_str),
        Some("the last line")
    );
    stack.agree(id, &mut [&mut visitor.client]).await;

    // What lies before comes page by page, and joins without a gap.
    let first = visitor.client.log(id).expect("it is followed").lines()[0].number;
    let path = format!("/api/v1/visitor/conversations/{id}/entries?before={first}&limit=200");
    let call = visitor.client.access().call(Call::get(path));
    let page: protocol::news::Batch<protocol::entry::VisitorEntry> =
        stack.asks(&call).await.into_value().expect("a page");
    let numbers: Vec<u64> = page.entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..first).collect::<Vec<u64>>());
    assert!(!page.older);
    stack
}

/// One who talks without waiting, until told to end.
async fn talks(visitor: &mut Visitor, rounds: std::ops::Range<u32>) -> Vec<ClientId> {
    let mut sent = Vec::new();
    for round in rounds {
        sent.push(
            visitor
                .client
                .send(message(None, &format!("word {round}")))
                .await,
        );
        // Reads a little, so that answers come in between.
        let clock = visitor.client.clock().clone();
        let heard = clock
            .timeout(Duration::from_millis(2), visitor.client.step())
            .await;
        if let Some(Err(error)) = heard {
            assert!(error.is_passing(), "{error}");
        }
    }
    sent
}

async fn settle(visitor: &mut Visitor, sent: &[ClientId]) {
    for client_id in sent {
        visitor
            .client
            .outcome(client_id)
            .await
            .expect("accepted in the end");
    }
}

async fn a_killed_server_keeps_what_it_acknowledged(mut stack: Stack) -> Stack {
    stack.becomes_a_process().await;
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    agent.opens(id).await;
    let mut sent = Vec::new();
    for life in 0..3 {
        sent.extend(talks(&mut visitor, life * 50..life * 50 + 50).await);
        let acknowledged_before: Vec<ClientId> = sent
            .iter()
            .filter(|client_id| visitor.client.outbox().outcome(client_id).is_some())
            .cloned()
            .collect();
        stack.is_killed().await;
        stack.starts_as_a_process().await;
        let stored = stack.stored(id).await;
        for client_id in acknowledged_before {
            let count = stored
                .iter()
                .filter(|entry| entry.client_id.as_ref() == Some(&client_id))
                .count();
            assert_eq!(count, 1, "an acknowledged message is there once");
        }
    }
    settle(&mut visitor, &sent).await;
    let stored = stack.stored(id).await;
    visitor.has(stack.last_public(id).await).await;
    agent
        .has(id, stored.last().expect("it is not empty").seq)
        .await;
    stack
        .agree(id, &mut [&mut visitor.client, &mut agent.client])
        .await;
    let words: Vec<String> = (0..150).map(|round| format!("word {round}")).collect();
    assert_eq!(
        agent.screen(id)[1..],
        words,
        "each word once, in the order it was said"
    );
    stack
}

async fn a_restart_in_good_order_tells_clients_when_to_return(mut stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    visitor.says("before").await;
    let id = visitor.conversation();
    let stopping = stack.stops();
    let told = async {
        let mut return_after_ms = None;
        loop {
            match visitor.client.next().await {
                Ok(News::Visitor(VisitorNews::GoingAway(away))) => {
                    return_after_ms = Some(away.return_after_ms);
                }
                Ok(News::Visitor(_) | News::Agent(_)) => {}
                Err(error) => return (return_after_ms, error),
            }
        }
    };
    let ((), (return_after_ms, error)) = tokio::join!(stopping, told);
    let return_after_ms = return_after_ms.expect("it says when to return");
    assert!(
        (1_000..=5_000).contains(&return_after_ms),
        "{return_after_ms}"
    );
    assert!(matches!(error, Error::Closed { code: 4000, .. }), "{error}");
    stack.comes_back().await;
    visitor.says("after").await;
    assert_eq!(visitor.conversation(), id);
    visitor.sees("after").await;
    assert_eq!(visitor.screen(), ["before", "after"]);
    stack.agree(id, &mut [&mut visitor.client]).await;
    stack
}

/// Sends until the other side's queue must have run over.
async fn floods(agent: &mut Agent, id: ConversationId) {
    let words = "x".repeat(15_000);
    for round in 0..400 {
        agent
            .client
            .send(message(Some(id), &format!("{round} {words}")))
            .await;
        if round % 20 == 19 {
            let sent = agent.client.outbox().items().last().expect("just sent");
            let client_id = sent.client_id.clone();
            agent.client.outcome(&client_id).await.expect("accepted");
        }
    }
}

async fn a_slow_reader_falls_behind_and_misses_nothing(stack: Stack) -> Stack {
    let narrow = stack.server().with_receive_buffer(4_096);
    let mut visitor = stack.visitor_with(None).await;
    visitor.client.move_to(narrow);
    visitor.connects().await;
    let mut agent = stack.agent().await;
    visitor.says("tell me everything").await;
    let id = visitor.conversation();
    // The visitor reads nothing while six megabytes come for him.
    floods(&mut agent, id).await;
    visitor.has(stack.last_public(id).await).await;
    stack.agree(id, &mut [&mut visitor.client]).await;
    stack
}

async fn a_foreign_position_is_answered_afresh(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    visitor.says("one").await;
    visitor.says("two").await;
    let id = visitor.conversation();
    let mut position = visitor
        .client
        .log(id)
        .and_then(|log| log.position())
        .expect("two lines");
    let follow = |position| {
        ClientFrame::Follow(protocol::frame::Follow {
            conversation_id: id,
            position: Some(position),
        })
    };
    visitor
        .client
        .signal(&follow(position))
        .await
        .expect("the line is up");
    assert_eq!(continuity(&mut visitor).await, Continuity::Resumed);

    // Ahead of the store, another entry at that number, another life of the store.
    position.number += 5;
    visitor
        .client
        .signal(&follow(position))
        .await
        .expect("the line is up");
    assert_eq!(continuity(&mut visitor).await, Continuity::Afresh);
    position.number -= 6;
    visitor
        .client
        .signal(&follow(position))
        .await
        .expect("the line is up");
    assert_eq!(continuity(&mut visitor).await, Continuity::Afresh);
    position.number += 1;
    position.epoch += 1;
    visitor
        .client
        .signal(&follow(position))
        .await
        .expect("the line is up");
    assert_eq!(continuity(&mut visitor).await, Continuity::Afresh);
    assert_eq!(visitor.screen(), ["one", "two"]);
    stack.agree(id, &mut [&mut visitor.client]).await;
    stack
}

/// What a file of the story holds.
fn lines(whose: &str) -> String {
    format!("{whose}\n").repeat(2_000)
}

/// Sends a file, and gives which.
async fn sends_a_file(
    stack: &Stack,
    client: &mut Client,
    conversation_id: Option<ConversationId>,
    whose: &str,
) -> AttachmentId {
    let upload = Call::new(http::Method::POST, "/api/v1/attachments")
        .bytes("text/plain", lines(whose))
        .header("switchboard-file-name", "lines.txt");
    let kept = stack.asks(&client.access().call(upload)).await;
    let kept: Attachment = kept.into_value().expect("there is room");
    let mut draft = draft(&format!("a file of the {whose}"));
    draft.attachment_ids = vec![kept.id];
    let command = Command::SendMessage {
        conversation_id,
        draft,
    };
    client.settle(command).await.expect("it is accepted");
    kept.id
}

/// Both sides say several things, change some and take some back, with notes and files between them. Gives the
/// files.
async fn talk(stack: &Stack, visitor: &mut Visitor, agent: &mut Agent) -> [AttachmentId; 2] {
    let id = visitor.conversation();
    let edit = |entry_id: Option<EntryId>, text: &str| Command::EditMessage {
        conversation_id: id,
        entry_id: entry_id.expect("a message makes an entry"),
        body: Body::parse(text).expect("a text"),
    };
    let take_back = |entry_id: Option<EntryId>| Command::DeleteMessage {
        conversation_id: id,
        entry_id: entry_id.expect("a message makes an entry"),
    };
    for round in 0..3 {
        let asked = visitor.says(&format!("question {round}")).await;
        let noted = agent.notes(id, &format!("note {round}")).await;
        let answered = agent.says(id, &format!("anser {round}")).await;
        agent
            .does(edit(answered.entry_id, &format!("answer {round}")))
            .await;
        if round == 1 {
            let asked = take_back(asked.entry_id);
            visitor.tries(asked).await.expect("it is his");
            agent.does(edit(noted.entry_id, "a better note")).await;
            let slip = agent.says(id, "not for you").await;
            agent.does(take_back(slip.entry_id)).await;
        }
    }
    [
        sends_a_file(stack, &mut visitor.client, Some(id), "visitor").await,
        sends_a_file(stack, &mut agent.client, Some(id), "agent").await,
    ]
}

/// A client comes back to a restored server, and is told to read afresh.
async fn lives_another_life(client: &mut Client, epoch: u64) {
    client.cut();
    client
        .connect()
        .await
        .expect("the restored server lets it in");
    assert_ne!(client.epoch(), epoch, "a restored store lives another life");
    let afresh = |news: &News| match news {
        News::Visitor(VisitorNews::Entries(batch)) => Some(batch.continuity),
        News::Agent(AgentNews::Entries(batch)) => Some(batch.continuity),
        News::Visitor(_) | News::Agent(_) => None,
    };
    let heard = client.hears("entries", afresh).await.expect("they come");
    assert_eq!(heard, Continuity::Afresh);
}

/// All that both sides said stands there, each once, as it reads today.
fn shows_all_once(screen: &[String]) {
    // What was taken back reads as nothing.
    let words: Vec<&str> = screen
        .iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    let said: BTreeSet<&str> = words.iter().copied().collect();
    assert_eq!(
        said.len(),
        words.len(),
        "everything is there, once: {screen:?}"
    );
    for gone in ["question 1", "not for you", "anser 0", "note 0"] {
        assert!(!said.contains(gone), "{screen:?}");
    }
    for there in ["question 0", "answer 2", "a file of the agent"] {
        assert!(said.contains(there), "{screen:?}");
    }
}

async fn a_restored_backup_gets_back_what_clients_had_said_since(mut stack: Stack) -> Stack {
    stack.becomes_a_process().await;
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    visitor.says("before the backup").await;
    let id = visitor.conversation();
    agent.opens(id).await;
    let files = talk(&stack, &mut visitor, &mut agent).await;
    agent.says(id, "an answer before the backup").await;
    visitor.sees("an answer before the backup").await;
    let stored = stack.stored(id).await;
    let epoch = visitor.client.epoch();
    let backup = stack.path().with_extension("backup");
    let backup = backup.to_str().expect("a path in UTF-8");
    stack.command(&["backup", backup]).await;
    agent.says(id, "an answer after the backup").await;
    visitor.says("after the backup").await;
    visitor.sees("after the backup").await;
    agent.sees(id, "after the backup").await;

    // The machine is lost; another one, with the other store, begins with the backup.
    stack.loses_its_machine().await;
    stack.command(&["restore", backup]).await;
    stack.starts_as_a_process().await;
    std::fs::remove_dir_all(backup).expect("the backup can be removed");
    assert_eq!(
        stack.stored(id).await,
        stored,
        "all of the backup, in its order"
    );
    for (file, whose) in files.into_iter().zip(["visitor", "agent"]) {
        let read = Call::get(format!("/api/v1/attachments/{file}"));
        let read = stack.asks(&agent.access().call(read)).await;
        assert_eq!(read.into_body().expect("it is there"), lines(whose));
    }

    // Each side comes back, is told to read afresh, and says again what the store had lost.
    let has_both = |client: &Client| {
        let screen = tests::person::messages(client, id);
        let has = |text: &str| screen.iter().any(|body| body == text);
        let is_elsewhere = client.is_connected() && client.epoch() != epoch;
        let has_both = has("after the backup") && has("an answer after the backup");
        (is_elsewhere && has_both).then_some(())
    };
    for client in [&mut agent.client, &mut visitor.client] {
        lives_another_life(client, epoch).await;
    }
    // Each waits for what the other one has to say again.
    let (of_agent, of_visitor) = tokio::join!(
        agent.client.until("what was lost", has_both),
        visitor.client.until("what was lost", has_both)
    );
    of_agent.expect("it comes back");
    of_visitor.expect("it comes back");
    let now = stack.stored(id).await;
    let (before, since) = now.split_at(stored.len());
    assert_eq!(
        before, stored,
        "what was in the backup is as it was, and once"
    );
    assert_eq!(since.len(), 2, "and what came since, once: {since:?}");
    shows_all_once(&visitor.screen());
    stack
}

async fn a_store_that_fails_once_is_asked_again(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    // The fault may meet another writer of the server; then it is planted again.
    let mut said = vec!["hello".to_owned()];
    loop {
        let words = format!("despite a fault, line {}", said.len());
        stack.inside().faults.fail("storage.commit", 0, 1);
        let sent = visitor.client.send(message(None, &words)).await;
        said.push(words);
        let answer = |news: &News| match news {
            News::Visitor(VisitorNews::Rejected(rejected)) => Some(Some(rejected.problem.retry)),
            News::Visitor(VisitorNews::Ack(ack)) => (ack.client_id == sent).then_some(None),
            News::Visitor(_) | News::Agent(_) => None,
        };
        let answer = visitor.client.hears("an answer", answer).await;
        // The client sends it again by itself, on the same line and under the same id.
        let outcome = visitor.client.outcome(&sent).await;
        outcome.expect("accepted, at the second try at the latest");
        if let Some(retry) = answer.expect("it comes") {
            assert_eq!(retry, protocol::rejection::Retry::Later);
            break;
        }
    }
    visitor.sees(said.last().expect("something was said")).await;
    assert_eq!(visitor.screen(), said);
    stack.agree(id, &mut [&mut visitor.client]).await;
    stack
}
