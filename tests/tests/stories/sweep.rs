//! What belongs to the team stays with the team: every visitor-facing door is searched for it.

use http::Method;
use loadtest::client::Transport;
use loadtest::client::connection::Connection;
use loadtest::client::http::Call;
use loadtest::client::news::{News, Side};
use protocol::attachment::Attachment;
use protocol::command::{Command, Draft};
use protocol::frame::{ClientFrame, Follow, Hello, Purpose, StreamRequest};
use protocol::id::{ConversationId, EntryId};
use protocol::message::Format;
use protocol::news::VisitorNews;
use protocol::text::Body;
use tests::person::draft;
use tests::{Agent, Stack, Visitor};

tests::stories! { a_note_appears_at_no_door_for_visitors }

/// In every note, its file and its file's name.
const SECRET: &str = "zanzibar";

/// What a visitor's connection says until a marker comes, as text.
async fn heard(stack: &Stack, visitor: &Visitor, purpose: Purpose, transport: Transport) -> String {
    let hello = Hello {
        token: visitor.access().session.token.clone(),
        purpose,
        page: None,
        resume: vec![Follow {
            conversation_id: visitor.conversation(),
            position: None,
        }],
    };
    let origin = stack.origin();
    let server = stack.server();
    let mut connection = match transport {
        Transport::Socket => {
            let opened = Connection::socket(server, Some(&origin)).await;
            let mut connection = opened.expect("the socket opens");
            let sent = connection.send(&ClientFrame::Hello(hello)).await;
            sent.expect("the line is up");
            connection
        }
        Transport::Stream => {
            let request = StreamRequest {
                hello,
                watch: Vec::new(),
                wait_ms: None,
            };
            let opened = Connection::stream(server, Some(&origin), Side::Visitor, &request).await;
            opened.expect("the stream opens")
        }
    };
    let mut said = String::new();
    loop {
        let news = connection
            .receive(Side::Visitor)
            .await
            .expect("the line is up");
        let News::Visitor(news) = news else {
            panic!("a visitor hears visitors' news");
        };
        said += &serde_json::to_string(&news).expect("JSON");
        // The launcher ends with the facts in its welcome, the panel with its entries.
        let is_end = match purpose {
            Purpose::Launcher => matches!(news, VisitorNews::Welcome { .. }),
            Purpose::Full => matches!(news, VisitorNews::Entries(_)),
        };
        if is_end {
            return said;
        }
    }
}

fn is_clean(door: &str, said: &str) {
    assert!(!said.is_empty(), "{door} says nothing at all");
    for inner in [
        SECRET,
        "\"note\"",
        "\"seq\"",
        "\"public_seq\"",
        "owner@example.com",
    ] {
        assert!(!said.contains(inner), "{door} says {inner}: {said}");
    }
}

/// Everything that only the team may know of, in one conversation. Gives a note and its file.
async fn writes_notes_of_every_form(
    stack: &Stack,
    agent: &mut Agent,
    id: ConversationId,
) -> (EntryId, Attachment) {
    let upload = Call::new(Method::POST, "/api/v1/attachments")
        .bytes("text/plain", format!("{SECRET} in a file").into_bytes())
        .header("switchboard-file-name", format!("{SECRET}.txt"));
    let uploaded = stack.asks(&agent.access().call(upload)).await;
    let file: Attachment = uploaded.into_value().expect("it is taken");
    let made = |ack: protocol::command::Ack| ack.entry_id.expect("it makes an entry");
    let note_id = made(agent.notes(id, &format!("{SECRET} plain")).await);
    let deleted_id = made(agent.notes(id, &format!("{SECRET} to be deleted")).await);
    let with_file = Draft {
        body: Some(Body::parse(&format!("{SECRET} with a file")).expect("a text")),
        format: Format::Markdown,
        reply_to_id: stack.stored(id).await.first().map(|entry| entry.id),
        attachment_ids: vec![file.id],
    };
    let spam = |spam| Command::MarkSpam {
        conversation_id: id,
        spam,
    };
    for command in [
        Command::AddNote {
            conversation_id: id,
            draft: with_file,
            mentions: vec![],
        },
        Command::EditMessage {
            conversation_id: id,
            entry_id: note_id,
            body: Body::parse(&format!("{SECRET} edited")).expect("a text"),
        },
        Command::DeleteMessage {
            conversation_id: id,
            entry_id: deleted_id,
        },
        Command::Prioritize {
            conversation_id: id,
            priority: 3,
        },
        spam(true),
        spam(false),
    ] {
        agent.does(command).await;
    }
    (note_id, file)
}

/// What came live: the next thing after the first message is the public word.
async fn live_news_are_clean(
    stack: &Stack,
    visitor: &mut Visitor,
    launcher: &mut Visitor,
    id: ConversationId,
) {
    visitor.sees("a public word").await;
    let log = visitor.client.log(id).expect("it is followed");
    is_clean("the live socket", &format!("{:?}", log.lines()));
    let numbers: Vec<u64> = log.lines().iter().map(|line| line.number).collect();
    let dense: Vec<u64> = (1..=stack.last_public(id).await).collect();
    assert_eq!(numbers, dense);
    let unread = |news: &News| match news {
        News::Visitor(news @ VisitorNews::Unread { count, .. }) => {
            assert_eq!(*count, 1, "notes are not counted");
            serde_json::to_string(news).ok()
        }
        News::Visitor(_) | News::Agent(_) => None,
    };
    let unread = launcher.client.hears("the unread count", unread).await;
    is_clean("the live launcher", &unread.expect("it comes"));
}

/// Every door that is open to visitors.
async fn open_doors_are_clean(stack: &Stack, visitor: &Visitor, id: ConversationId) {
    for purpose in [Purpose::Launcher, Purpose::Full] {
        for transport in [Transport::Socket, Transport::Stream] {
            let said = heard(stack, visitor, purpose, transport).await;
            is_clean(&format!("{purpose:?} over {transport:?}"), &said);
        }
    }
    let access = visitor.client.access();
    for path in [
        "/api/v1/visitor/history".to_owned(),
        format!("/api/v1/visitor/conversations/{id}/entries"),
        format!("/api/v1/visitor/conversations/{id}/entries?before=99&limit=200"),
    ] {
        let answer = stack.asks(&access.call(Call::get(path.clone()))).await;
        assert_eq!(answer.status, 200, "{path}");
        is_clean(&path, &String::from_utf8_lossy(&answer.body));
    }
    let mut again = visitor.access().clone();
    again.renew(&mut stack.http()).await.expect("a session");
    let session = serde_json::to_string(&again.session).expect("JSON");
    is_clean("the session", &session);
}

/// The doors of the team are closed to a visitor's token, and so is the note's file.
async fn other_doors_are_closed(
    stack: &Stack,
    visitor: &Visitor,
    id: ConversationId,
    file: &Attachment,
) {
    let access = visitor.client.access();
    for path in [
        format!("/api/v1/attachments/{}", file.id),
        "/api/v1/conversations?filter=all".to_owned(),
        format!("/api/v1/conversations/{id}"),
        format!("/api/v1/conversations/{id}/entries"),
        "/api/v1/agents".to_owned(),
        "/api/v1/audit".to_owned(),
        "/api/v1/workspace".to_owned(),
        "/api/v1/canned-responses".to_owned(),
        "/api/v1/saved-views".to_owned(),
        "/api/v1/todos".to_owned(),
        format!("/api/v1/visitors/{}", visitor.id()),
    ] {
        let answer = stack.asks(&access.call(Call::get(path.clone()))).await;
        let status = answer.status;
        assert!((401..=404).contains(&status), "{path} answers {status}");
        let said = String::from_utf8_lossy(&answer.body);
        assert!(!said.contains(SECRET), "{path}");
    }
}

async fn a_note_appears_at_no_door_for_visitors(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    let mut launcher = stack.tab_of(visitor.access().clone());
    launcher.client = launcher.client.with_purpose(Purpose::Launcher);
    launcher.connects().await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    agent.opens(id).await;
    let (note_id, file) = writes_notes_of_every_form(&stack, &mut agent, id).await;
    agent.says(id, "a public word").await;
    live_news_are_clean(&stack, &mut visitor, &mut launcher, id).await;
    open_doors_are_clean(&stack, &visitor, id).await;
    other_doors_are_closed(&stack, &visitor, id, &file).await;

    // Nor can a visitor act on a note, or learn from the refusal that it exists.
    let on_note = Command::EditMessage {
        conversation_id: id,
        entry_id: note_id,
        body: Body::parse("mine now").expect("a text"),
    };
    let absent = Command::DeleteMessage {
        conversation_id: id,
        entry_id: stack.world.ids.next(),
    };
    let one = visitor.tries(on_note).await.expect_err("it is not his");
    let two = visitor.tries(absent).await.expect_err("it does not exist");
    assert_eq!(one.code(), two.code(), "a note looks like nothing");
    let refused = visitor.tries(Command::AddNote {
        conversation_id: id,
        draft: draft("a note of a visitor"),
        mentions: vec![],
    });
    refused.await.expect_err("visitors write no notes");
    stack
}
