//! What is asked of a member: he is told, finds it, and says that it is done.

use http::Method;
use loadtest::client::News;
use loadtest::client::http::Call;
use protocol::command::Command;
use protocol::id::{AgentId, EntryId};
use protocol::news::AgentNews;
use protocol::page::Page;
use protocol::rejection::ErrorCode;
use protocol::todo::{Todo, TodoKind};
use serde_json::json;
use tests::person::draft;
use tests::{Agent, Stack};

tests::stories! {
    who_is_named_in_a_note_is_told_and_finds_it
    who_is_given_a_conversation_is_told_and_says_when_it_is_done
}

async fn todos(stack: &Stack, agent: &Agent) -> Vec<Todo> {
    let list = Call::get("/api/v1/todos");
    let listed = stack.asks(&agent.access().call(list)).await;
    let page: Page<Todo> = listed.into_value().expect("a member may read his own");
    page.items
}

/// Whether a member is told that what is asked of him changed.
fn of_todos(news: &News) -> Option<()> {
    match news {
        News::Agent(AgentNews::Changed { part, .. }) => (part == "todos").then_some(()),
        News::Agent(_) | News::Visitor(_) => None,
    }
}

async fn who_is_named_in_a_note_is_told_and_finds_it(stack: Stack) -> Stack {
    let mut mira = stack.agent().await;
    let mut jon = stack.colleague("Jon").await;
    let mut visitor = stack.visitor().await;
    visitor.says("where is my parcel?").await;
    let id = visitor.conversation();
    mira.opens(id).await;
    let add = |text: &str, mentions: Vec<AgentId>| Command::AddNote {
        conversation_id: id,
        draft: draft(text),
        mentions,
    };
    let (me, him) = (mira.access().agent_id, jon.access().agent_id);
    let noted = mira.does(add("@Jon, zanzibar?", vec![him, me])).await;
    let heard = jon.client.hears("that a note names him", of_todos).await;
    heard.expect("it comes");
    let found = todos(&stack, &jon).await;
    assert_eq!(found.len(), 1);
    assert_eq!(Some(found[0].entry_id), noted.entry_id);
    assert_eq!(
        (found[0].text.as_str(), found[0].read),
        ("@Jon, zanzibar?", false)
    );
    assert!(
        todos(&stack, &mira).await.is_empty(),
        "nobody tells himself"
    );

    // Who is no member, or none any more, cannot be told; nothing is stored.
    let last = stack.last(id).await;
    let unknown: AgentId = stack.world.ids.next();
    let refused = mira.tries(add("@nobody", vec![unknown])).await;
    let refused = refused.expect_err("nobody is called so");
    assert_eq!(refused.code(), Some(ErrorCode::Invalid));
    let path = format!("/api/v1/agents/{him}");
    let leave = Call::new(Method::PATCH, path)
        .header("if-match", "\"1\"")
        .json(&json!({"deactivated": true}));
    let left = stack.asks(&mira.access().call(leave)).await;
    assert_eq!(left.status, 200);
    let refused = mira.tries(add("@Jon again", vec![him])).await;
    let refused = refused.expect_err("he is not in the team any more");
    assert_eq!(refused.code(), Some(ErrorCode::Invalid));
    assert_eq!(stack.last(id).await, last);

    // None of it is the customer's.
    let answer = stack
        .asks(&visitor.client.access().call(Call::get("/api/v1/todos")))
        .await;
    assert_eq!(answer.status, 401);
    mira.says(id, "on its way").await;
    visitor.sees("on its way").await;
    let log = visitor.client.log(id).expect("it is followed");
    assert!(!format!("{:?}", log.lines()).contains("zanzibar"));
    stack
}

/// Says of some that they are read, done or open; gives the status of the answer.
async fn marks(stack: &Stack, agent: &Agent, entry_ids: &[EntryId], mark: &str) -> u16 {
    let call = Call::new(Method::POST, "/api/v1/todos/mark")
        .json(&json!({"entry_ids": entry_ids, "mark": mark}));
    stack.asks(&agent.access().call(call)).await.status
}

async fn who_is_given_a_conversation_is_told_and_says_when_it_is_done(stack: Stack) -> Stack {
    let mut mira = stack.agent().await;
    let mut jon = stack.colleague("Jon").await;
    let mut visitor = stack.visitor().await;
    visitor.says("where is my parcel?").await;
    let id = visitor.conversation();
    let assign = |agent: &Agent| Command::Assign {
        conversation_id: id,
        agent_id: Some(agent.access().agent_id),
    };
    mira.does(assign(&mira)).await;
    let given = mira.does(assign(&jon)).await;
    let heard = jon.client.hears("that it was given to him", of_todos).await;
    heard.expect("it comes");
    assert!(todos(&stack, &mira).await.is_empty(), "she took it herself");
    let found = todos(&stack, &jon).await;
    assert_eq!(found.len(), 1);
    let entry_id = found[0].entry_id;
    assert_eq!(Some(entry_id), given.entry_id);
    assert_eq!(
        (found[0].kind, found[0].text.as_str(), found[0].done),
        (TodoKind::Assignment, "where is my parcel?", false)
    );

    // Nobody but he can say that it is done, and all of his consoles hear of it.
    assert_eq!(marks(&stack, &mira, &[entry_id], "done").await, 404);
    assert_eq!(todos(&stack, &jon).await, found);
    assert_eq!(marks(&stack, &jon, &[entry_id], "done").await, 204);
    let heard = jon.client.hears("that it is done", of_todos).await;
    heard.expect("it comes");
    assert!(todos(&stack, &jon).await.is_empty());
    assert_eq!(marks(&stack, &jon, &[entry_id], "open").await, 204);
    let heard = jon.client.hears("that it is open again", of_todos).await;
    heard.expect("it comes");
    assert_eq!(todos(&stack, &jon).await.len(), 1);

    // Whose it is no longer hears of it.
    mira.does(assign(&mira)).await;
    let heard = jon.client.hears("that it is another's", of_todos).await;
    heard.expect("it comes");
    assert!(todos(&stack, &jon).await.is_empty());
    stack
}
