//! Bad input on the wire: each gets a clear, stable answer and changes nothing.

use http::Method;
use loadtest::Error;
use loadtest::client::connection::Connection;
use loadtest::client::http::Call;
use loadtest::client::news::{News, Side};
use protocol::command::Command;
use protocol::frame::{ClientFrame, Hello, Purpose};
use protocol::id::Id;
use protocol::limit;
use protocol::news::VisitorNews;
use protocol::rejection::{ErrorCode, Problem};
use serde_json::json;
use tests::person::message;
use tests::{Stack, Visitor};

tests::stories! {
    frames_that_are_none_are_refused_and_the_line_stays
    a_frame_that_is_too_large_ends_the_line
    nothing_goes_before_hello
    a_token_that_is_none_opens_nothing
    only_pages_of_allowed_origins_begin_a_session
    hostile_words_stay_words
    a_file_that_lies_is_found_out
    an_agent_changes_no_settings
    a_blocked_visitor_is_sent_away
    who_says_much_at_once_is_slowed_down_and_stays_in_order
    who_says_far_too_much_is_refused_and_stays_in_order
}

/// What the team has: conversations, sites, invitations and keys, and what the workspace is called. What was
/// refused changed none of it.
async fn belongings(stack: &Stack) -> serde_json::Value {
    let owner = stack.agent().await;
    let mut all = serde_json::Map::new();
    for path in [
        "conversations?filter=all",
        "sites",
        "invitations",
        "keys",
        "workspace",
    ] {
        let call = Call::get(format!("/api/v1/{path}"));
        let answer = stack.asks(&owner.access().call(call)).await;
        let value: serde_json::Value = answer.into_value().expect("the owner may read it");
        all.insert(path.to_owned(), value);
    }
    all.into()
}

/// Status and code of a refusal.
fn told(answer: loadtest::client::http::Answer) -> (u16, Option<ErrorCode>) {
    let status = answer.status;
    let refused = answer.into_body().expect_err("it is refused");
    (status, refused.code())
}

async fn refusal(visitor: &mut Visitor, text: &str) -> Problem {
    visitor
        .client
        .signal_text(text)
        .await
        .expect("the line is up");
    let heard = |news: &News| match news {
        News::Visitor(VisitorNews::Error { problem }) => Some(problem.clone()),
        News::Visitor(VisitorNews::Rejected(rejected)) => Some(rejected.problem.clone()),
        News::Visitor(_) | News::Agent(_) => None,
    };
    let heard = visitor
        .client
        .hears(&format!("the refusal of {text:.60}"), heard)
        .await;
    heard.expect("it comes")
}

async fn frames_that_are_none_are_refused_and_the_line_stays(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    let connection_id = visitor.client.connection_id();
    let long = "x".repeat(limit::BODY_BYTES_MAX + 1);
    let say = |client_id: &str, body: &str| {
        let command = json!({ "do": "send_message", "body": body });
        json!({ "type": "command", "client_id": client_id, "command": command }).to_string()
    };
    let hello = json!({ "type": "hello", "token": visitor.access().session.token }).to_string();
    let elsewhere = protocol::id::ConversationId::from_bits(1);
    let read = json!({ "type": "read", "conversation_id": elsewhere, "number": 1 }).to_string();
    let cases = [
        ("{\"type\":", ErrorCode::Malformed),
        ("[1,2,3]", ErrorCode::Malformed),
        ("{\"type\":\"dance\"}", ErrorCode::Malformed),
        (
            "{\"type\":\"command\",\"client_id\":\"a\",\"command\":{\"do\":\"dance\"}}",
            ErrorCode::Malformed,
        ),
        (&say("blank", " \n "), ErrorCode::Empty),
        (&say("long", &long), ErrorCode::TooLong),
        (&say("control", "a\u{7}b"), ErrorCode::Invalid),
        (&say("not an id!", "words"), ErrorCode::Invalid),
        (&hello, ErrorCode::OutOfOrder),
        (&read, ErrorCode::NotFound),
        (
            "{\"type\":\"watch\",\"view\":\"inbox\",\"filter\":\"all\"}",
            ErrorCode::Forbidden,
        ),
    ];
    for (text, code) in cases {
        assert_eq!(refusal(&mut visitor, text).await.code, code, "{text:.80}");
        // A good frame between the bad ones: a clumsy client is not an attacker.
        visitor
            .client
            .signal(&ClientFrame::Activity { visible: true })
            .await
            .expect("it is up");
    }
    assert_eq!(
        visitor.client.connection_id(),
        connection_id,
        "the line stays"
    );
    visitor.says("still here").await;
    assert_eq!(stack.stored(id).await.len(), 2, "nothing else was stored");
    stack
}

async fn a_frame_that_is_too_large_ends_the_line(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let large = "x".repeat(limit::FRAME_BYTES_MAX + 1);
    let text = json!({ "type": "track", "name": large }).to_string();
    // The server may hang up before all of it is sent.
    let _ = visitor.client.signal_text(&text).await;
    let end = loop {
        match visitor.client.next().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(end, Error::Closed { code: 4200, .. }), "{end}");
    stack
}

/// Opens a socket, sends one frame first, and gives the refusal and how the line ends.
async fn first_frame(stack: &Stack, frame: &ClientFrame) -> (Option<ErrorCode>, Error) {
    first_frame_from(stack, &stack.origin(), frame).await
}

/// The same, from a page of this origin.
async fn first_frame_from(
    stack: &Stack,
    origin: &str,
    frame: &ClientFrame,
) -> (Option<ErrorCode>, Error) {
    let opened = Connection::socket(stack.server(), Some(origin)).await;
    let mut connection = opened.expect("the socket opens");
    connection.send(frame).await.expect("the line is up");
    let mut code = None;
    loop {
        match connection.receive(Side::Visitor).await {
            Ok(News::Visitor(VisitorNews::Error { problem })) => code = Some(problem.code),
            Ok(other) => panic!("{other:?} for nobody"),
            Err(end) => return (code, end),
        }
    }
}

async fn nothing_goes_before_hello(stack: Stack) -> Stack {
    let frame = ClientFrame::Command {
        client_id: protocol::text::ClientId::parse("early").expect("an id"),
        command: message(None, "nobody said this"),
    };
    let before = belongings(&stack).await;
    let (code, end) = first_frame(&stack, &frame).await;
    assert_eq!(code, Some(ErrorCode::OutOfOrder));
    assert!(matches!(end, Error::Closed { code: 4200, .. }), "{end}");
    assert_eq!(belongings(&stack).await, before);
    stack
}

async fn a_token_that_is_none_opens_nothing(stack: Stack) -> Stack {
    let visitor = stack.visitor().await;
    let good = visitor.access().session.token.clone();
    let mut tampered = good.clone().into_bytes();
    let middle = tampered.len() / 2;
    tampered[middle] = if tampered[middle] == b'A' { b'B' } else { b'A' };
    let tampered = String::from_utf8(tampered).expect("it stays ASCII");
    let cases = [
        tampered,
        String::new(),
        "v1.e30.AAAA".to_owned(),
        "x".repeat(9_000),
        good[1..].to_owned(),
    ];
    for token in cases {
        let hello = ClientFrame::Hello(Hello {
            token: token.clone(),
            purpose: Purpose::Full,
            page: None,
            resume: Vec::new(),
        });
        let (code, end) = first_frame(&stack, &hello).await;
        assert_eq!(code, Some(ErrorCode::Unauthenticated), "{token:.40}");
        assert!(matches!(end, Error::Closed { code: 4201, .. }), "{end}");
        let call = Call::get("/api/v1/visitor/history").bearer(&token);
        let told = told(stack.asks(&call).await);
        assert_eq!(told, (401, Some(ErrorCode::Unauthenticated)), "{token:.40}");
    }
    stack
}

async fn only_pages_of_allowed_origins_begin_a_session(stack: Stack) -> Stack {
    let begin = |site_key: String, origin: Option<&str>| {
        let body = json!({ "site_key": site_key });
        let call = Call::post("/api/v1/visitor/session", &body);
        match origin {
            Some(origin) => call.header("origin", origin),
            None => call,
        }
    };
    let site = stack.site_key().to_string();
    for origin in [
        Some("https://evil.example"),
        Some("http://localhost.evil.example"),
        Some("http://localhost@evil.example"),
        Some("null"),
        None,
    ] {
        let told = told(stack.asks(&begin(site.clone(), origin)).await);
        assert_eq!(told, (403, Some(ErrorCode::OriginRefused)), "{origin:?}");
    }
    let unknown = protocol::id::SiteId::from_bits(9).to_string();
    let refused = stack.asks(&begin(unknown, Some(&stack.origin()))).await;
    assert_eq!(told(refused), (404, Some(ErrorCode::UnknownSite)));

    // A token that leaked to another page opens no socket there.
    let visitor = stack.visitor().await;
    let hello = ClientFrame::Hello(Hello {
        token: visitor.access().session.token.clone(),
        purpose: Purpose::Full,
        page: None,
        resume: Vec::new(),
    });
    let (code, end) = first_frame_from(&stack, "https://evil.example", &hello).await;
    assert_eq!(code, Some(ErrorCode::OriginRefused));
    assert!(matches!(end, Error::Closed { code: 4202, .. }), "{end}");
    stack
}

async fn hostile_words_stay_words(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    let words = "<script>alert(1)</script><img src=x onerror=alert(2)> \u{2067}exe.png\u{2069} '; DROP TABLE entry; --";
    visitor.says(words).await;
    let id = visitor.conversation();
    agent.opens(id).await;
    agent.sees(id, words).await;
    assert_eq!(
        agent.screen(id),
        [words],
        "a body is text: it comes as it was said"
    );

    // Names are one line, and cannot turn the text around them.
    let claim = json!({
        "type": "command", "client_id": "turned", "command": {
            "do": "identify", "claim": { "name": "Ana\u{202e}nimda" },
        },
    });
    let problem = refusal(&mut visitor, &claim.to_string()).await;
    assert_eq!(
        (problem.code, problem.field.as_deref()),
        (ErrorCode::Invalid, Some("name"))
    );
    // What turns the order of all that follows is no word of any language.
    let turned = json!({
        "type": "command", "client_id": "turned-2",
        "command": { "do": "send_message", "body": "\u{202e}gnp.exe" },
    });
    let problem = refusal(&mut visitor, &turned.to_string()).await;
    assert_eq!(
        (problem.code, problem.field.as_deref()),
        (ErrorCode::Invalid, Some("body"))
    );
    stack
        .agree(id, &mut [&mut visitor.client, &mut agent.client])
        .await;
    stack
}

async fn a_file_that_lies_is_found_out(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let upload = |media_type: &str, name: &str, bytes: &[u8]| {
        Call::new(Method::POST, "/api/v1/attachments")
            .bytes(media_type, bytes.to_vec())
            .header("switchboard-file-name", name)
    };
    let page = b"<!doctype html><script>alert(document.domain)</script>";
    for (said, bytes) in [
        ("image/png", &page[..]),
        ("application/pdf", &page[..]),
        ("text/plain", b"MZ\x90\0\x03\0\0\0"),
        ("image/jpeg", b"\x7fELF\x02\x01\x01\0"),
    ] {
        let lie = upload(said, "a%2F..%2Fme.png", bytes);
        let answer = stack.asks(&visitor.client.access().call(lie)).await;
        assert_eq!(told(answer), (415, Some(ErrorCode::FileType)), "{said}");
    }
    stack.keeps_files(0).await;
    // A page that says what it is, is a text and is never shown as a page.
    let honest = upload("text/html", "a%2F..%2Fme%E2%80%AEgnp.html", page);
    let answer = stack.asks(&visitor.client.access().call(honest)).await;
    let file: protocol::attachment::Attachment = answer.into_value().expect("a file");
    assert_eq!(file.media_type, "text/plain");
    assert_eq!(file.name, "megnp.html");
    let path = format!("/api/v1/attachments/{}", file.id);
    let call = visitor.client.access().call(Call::get(path));
    let answer = stack.asks(&call).await;
    let disposition = answer.header("content-disposition");
    assert!(disposition.starts_with("attachment"), "{disposition}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").contains("sandbox"));
    assert_eq!(answer.header("content-type"), "text/plain");

    // Another's file opens for nobody else, and cannot be sent as one's own.
    let mine = upload("text/plain", "mine.txt", b"my file");
    let mine = stack.asks(&visitor.client.access().call(mine)).await;
    let mine: protocol::attachment::Attachment = mine.into_value().expect("a file");
    let mut thief = stack.visitor().await;
    let path = format!("/api/v1/attachments/{}", mine.id);
    let answer = stack
        .asks(&thief.client.access().call(Call::get(path)))
        .await;
    assert_eq!(told(answer), (404, Some(ErrorCode::NotFound)));
    let steal = |id| {
        let mut draft = tests::person::draft("look what I have");
        draft.attachment_ids = vec![id];
        Command::SendMessage {
            conversation_id: None,
            draft,
        }
    };
    let before = belongings(&stack).await;
    let refused = thief.tries(steal(mine.id)).await;
    let refused = refused.expect_err("it is not his");
    assert_eq!(refused.code(), Some(ErrorCode::Invalid));
    assert_eq!(belongings(&stack).await, before, "he began no conversation");
    let ack = visitor.tries(steal(mine.id)).await.expect("it is his");
    let id = ack.conversation_id.expect("a conversation begins");
    let mut agent = stack.agent().await;
    agent.opens(id).await;
    let path = format!("/api/v1/attachments/{}", mine.id);
    let answer = stack.asks(&agent.access().call(Call::get(path))).await;
    assert_eq!(
        (answer.status, answer.body.as_ref()),
        (200, &b"my file"[..])
    );
    stack
}

async fn an_agent_changes_no_settings(stack: Stack) -> Stack {
    let agent = stack.colleague("Jon").await;
    let site = stack.site_key();
    let calls = [
        Call::post(
            "/api/v1/sites",
            &json!({ "name": "Mine", "allowed_origins": [] }),
        ),
        Call::new(Method::POST, format!("/api/v1/sites/{site}/secrets")),
        Call::post(
            "/api/v1/invitations",
            &json!({ "email": "a@example.com", "role": "admin" }),
        ),
        Call::post(
            "/api/v1/keys",
            &json!({ "name": "Mine", "scopes": ["conversations.read"] }),
        ),
        Call::get("/api/v1/audit"),
        Call::get("/api/v1/failed-logins"),
        Call::new(Method::PATCH, "/api/v1/workspace")
            .json(&json!({ "name": "Mine" }))
            .header("if-match", "\"1\""),
    ];
    let before = belongings(&stack).await;
    for call in calls {
        let answer = stack.asks(&agent.access().call(call.clone())).await;
        assert_eq!(told(answer), (403, Some(ErrorCode::Forbidden)), "{call:?}");
    }
    assert_eq!(belongings(&stack).await, before);
    stack
}

async fn a_blocked_visitor_is_sent_away(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    visitor.says("something rude").await;
    let id = visitor.conversation();
    let block = |blocked| Command::BlockVisitor {
        conversation_id: id,
        blocked,
    };
    agent.does(block(true)).await;
    let end = loop {
        match visitor.client.next().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(end, Error::Closed { code: 4203, .. }), "{end}");
    let refused = visitor.client.connect().await.expect_err("he is blocked");
    assert_eq!(refused.code(), Some(ErrorCode::Blocked));

    // It can be undone.
    agent.does(block(false)).await;
    visitor.connects().await;
    visitor.says("sorry").await;
    stack
}

/// Says so many lines without waiting for an answer, then waits for all of them.
async fn pours(visitor: &mut Visitor, count: usize) -> Vec<String> {
    let lines: Vec<String> = (0..count).map(|line| format!("line {line}")).collect();
    let mut sent = Vec::new();
    for line in &lines {
        sent.push(visitor.client.send(message(None, line)).await);
    }
    for client_id in &sent {
        visitor.client.outcome(client_id).await.expect("accepted");
    }
    lines
}

async fn who_says_much_at_once_is_slowed_down_and_stays_in_order(mut stack: Stack) -> Stack {
    stack
        .restarts_with(|config| {
            config.limits.trusted_addresses.clear();
            config.limits.visitor_requests_per_minute = 1_200;
            config.limits.visitor_requests_burst = 5;
            config.limits.attachment_bytes_max = 100_000;
            config.limits.visitor_unclaimed_bytes_max = 100_000;
        })
        .await;
    let mut visitor = stack.visitor().await;
    let lines = pours(&mut visitor, 100).await;
    visitor.sees("line 99").await;
    let id = visitor.conversation();
    assert_eq!(visitor.screen(), lines);
    stack.agree(id, &mut [&mut visitor.client]).await;

    // What visitors have uploaded and not sent is bounded for all of them together.
    let upload = Call::new(Method::POST, "/api/v1/attachments")
        .bytes("text/plain", "a line\n".repeat(9_000))
        .header("switchboard-file-name", "lines.txt");
    let (one, other) = (stack.visitor().await, stack.visitor().await);
    let kept = stack.asks(&one.client.access().call(upload.clone())).await;
    kept.into_body().expect("there is room");
    let refused = stack.asks(&other.client.access().call(upload)).await;
    assert_eq!(told(refused), (507, Some(ErrorCode::StorageFull)));
    stack
}

async fn who_says_far_too_much_is_refused_and_stays_in_order(mut stack: Stack) -> Stack {
    stack
        .restarts_with(|config| {
            config.limits.trusted_addresses.clear();
            // A place in less than three seconds: too long to wait for.
            config.limits.visitor_requests_per_minute = 24;
            config.limits.visitor_requests_burst = 8;
        })
        .await;
    let mut visitor = stack.visitor().await;
    let lines = pours(&mut visitor, 11).await;
    visitor.sees("line 10").await;
    let id = visitor.conversation();
    assert_eq!(visitor.screen(), lines);
    stack.agree(id, &mut [&mut visitor.client]).await;
    stack
}
