//! What a server does beside the talk: files of the erased go, and what was kept long enough is forgotten.

use loadtest::client::http::Call;
use protocol::attachment::Attachment;
use protocol::command::Command;
use protocol::id::{Id, VisitId, VisitorId, WorkspaceId};
use protocol::text::ClientId;
use protocol::visitor::{Browser, Device, PageView, Source};
use storage::Db;
use storage::command::CommandKey;
use storage::visit::{self, Trace};
use storage::visitor::{self, NewVisitor};
use tests::{Stack, Visitor};

tests::stories! {
    the_files_of_an_erased_contact_go
    a_kill_after_an_erasure_leaves_no_file
    the_old_is_forgotten_and_the_rest_is_not
}

/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Somebody who sent a file.
async fn visitor_with_file(stack: &Stack) -> Visitor {
    let mut visitor = stack.visitor().await;
    let upload = Call::new(http::Method::POST, "/api/v1/attachments")
        .bytes("text/plain", b"my secret file".to_vec())
        .header("switchboard-file-name", "secret.txt");
    let answer = stack.asks(&visitor.client.access().call(upload)).await;
    let file: Attachment = answer.into_value().expect("it is kept");
    let mut draft = tests::person::draft("see here");
    draft.attachment_ids = vec![file.id];
    let command = Command::SendMessage {
        conversation_id: None,
        draft,
    };
    let ack = visitor.tries(command).await.expect("it is accepted");
    visitor.conversation = ack.conversation_id;
    stack.keeps_files(1).await;
    visitor
}

/// Has the team erase the contact whom a visitor is.
pub(crate) async fn erase(stack: &Stack, visitor: &Visitor) {
    let agent = stack.agent().await;
    let path = format!("/api/v1/conversations/{}", visitor.conversation());
    let call = agent.access().call(Call::get(path));
    let conversation: serde_json::Value = stack.asks(&call).await.into_value().expect("it exists");
    let contact_id = conversation["contact_id"].as_str().expect("it has one");
    let path = format!("/api/v1/contacts/{contact_id}");
    let call = Call::new(http::Method::DELETE, path);
    let answer = stack.asks(&agent.access().call(call)).await;
    answer.into_body().expect("the contact is erased");
}

async fn the_files_of_an_erased_contact_go(stack: Stack) -> Stack {
    let visitor = visitor_with_file(&stack).await;
    // The disk refuses at first: the sweep comes again.
    stack.inside().faults.fail("blob.remove", 0, 1);
    erase(&stack, &visitor).await;
    stack.keeps_files(0).await;
    stack
        .counts("switchboard_file_removals_failed_total", 1)
        .await;
    stack.counts("switchboard_files_removed_total", 1).await;
    stack
}

async fn a_kill_after_an_erasure_leaves_no_file(mut stack: Stack) -> Stack {
    stack.becomes_a_process().await;
    let visitor = visitor_with_file(&stack).await;
    erase(&stack, &visitor).await;
    stack.is_killed().await;
    stack.starts_as_a_process().await;
    stack.keeps_files(0).await;
    stack
}

/// The id that something made at this time has.
fn id<I: Id>(at_ms: u64, number: u64) -> I {
    I::from_bits((u128::from(at_ms) << 80) | u128::from(number))
}

/// A visitor who came once, looked at a page and never said anything; and what he once asked.
async fn comes_and_goes(stack: &Stack, db: &Db, workspace: WorkspaceId, number: u64, at_ms: u64) {
    let visitor_id: VisitorId = id(at_ms, number);
    let new = NewVisitor {
        id: visitor_id,
        site_id: stack.site_key(),
        browser: Browser {
            device: Device::Desktop,
            name: String::new(),
            system: String::new(),
            language: None,
            time_zone: None,
            country: None,
            city: None,
        },
        address: None,
    };
    let made = visitor::create(db, workspace, &new, at_ms).await;
    made.expect("the store works");
    let visit_id: VisitId = id(at_ms, number);
    let began = Trace::Began {
        visit_id,
        visitor_id,
        site_id: stack.site_key(),
        source: Source::default(),
        at_ms,
    };
    let page = PageView {
        url: "https://shop.example/".to_owned(),
        title: "Shop".to_owned(),
        at_ms,
    };
    let page = Trace::Page {
        visit_id,
        visitor_id,
        page,
    };
    let traces = [(workspace, began), (workspace, page)];
    visit::store(db, &traces).await.expect("the store works");
    let key = CommandKey {
        principal: visitor_id.to_string(),
        client_id: ClientId::parse("once").expect("a good client id"),
        digest: [7; 32],
    };
    let remembered = storage::command::remember(db, workspace, &key, None, at_ms).await;
    remembered.expect("the store works");
}

async fn the_old_is_forgotten_and_the_rest_is_not(mut stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    visitor.says("hello").await;
    stack.stops().await;
    let db = stack.store().await;
    let workspaces = storage::workspace::list(&db).await;
    let workspace = workspaces.expect("the store works")[0].id;
    let now_ms = stack.world.clock.now_ms();
    let (old_ms, young_ms) = (now_ms - 91 * DAY_MS, now_ms - 89 * DAY_MS);
    for number in 0..600 {
        comes_and_goes(&stack, &db, workspace, number, old_ms).await;
    }
    comes_and_goes(&stack, &db, workspace, 0, young_ms).await;
    drop(db);
    stack.comes_back().await;
    // Visitor, visit, page and command of each.
    let forgotten = "switchboard_rows_forgotten_total";
    stack.counts(forgotten, 4 * 600).await;
    visitor.connects().await;
    visitor.says("I am still here").await;
    stack.stops().await;
    let db = stack.store().await;
    for (at_ms, number, is_there) in [
        (old_ms, 0, false),
        (old_ms, 599, false),
        (young_ms, 0, true),
    ] {
        let id: VisitorId = id(at_ms, number);
        let found = visitor::find(&db, workspace, id).await;
        assert_eq!(found.expect("the store works").is_some(), is_there);
    }
    let found = visitor::find(&db, workspace, visitor.id()).await;
    assert!(found.expect("the store works").is_some());
    drop(db);
    stack.comes_back().await;
    stack
}
