//! Sockets: who gets in, who is told what, and how it ends.

use std::time::Duration;

use gateway::token::{AgentClaims, Claims, Tokens};
use protocol::id::Id;
use protocol::limit;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::plain::figure;
use crate::stack::{Heard, PAGE, Stack};

#[tokio::test]
async fn a_request_that_is_none_for_a_socket_of_ours_is_refused() {
    let stack = Stack::start().await;
    let answer = stack.get("/api/v1/socket", &[]).await;
    assert_eq!((answer.status, answer.code().as_str()), (426, "malformed"));
    assert_eq!(answer.headers["upgrade"], "websocket");
    let headers = [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let answer = stack.get("/api/v1/socket", &headers).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["field"], "sec-websocket-protocol");
}

#[tokio::test]
async fn only_a_good_hello_gets_in() {
    let stack = Stack::start().await;
    let good = stack.visitor_token().await;
    let end = if good.ends_with('A') { 'Q' } else { 'A' };
    let tampered = format!("{}{end}", &good[..good.len() - 1]);
    let mut claims = stack.tokens().read(&good, 0).unwrap();
    let Claims::Visitor(visitor) = &mut claims else {
        panic!("a visitor's token");
    };
    visitor.expires_at_ms = 1;
    let expired = stack.tokens().sign(&claims);
    let Claims::Visitor(visitor) = &mut claims else {
        panic!("a visitor's token");
    };
    visitor.expires_at_ms = u64::MAX;
    visitor.visitor_id = Id::from_bits(1);
    let unknown = stack.tokens().sign(&claims);
    let foreign = Tokens::new([9; 32]).sign(&claims);
    let no_session = stack.tokens().sign(&Claims::Agent(AgentClaims {
        workspace_id: Id::from_bits(1),
        agent_id: Id::from_bits(2),
        user_id: Id::from_bits(3),
        session_id: Id::from_bits(4),
        expires_at_ms: u64::MAX,
    }));
    for (token, code) in [
        (tampered, 4201),
        (foreign, 4201),
        (unknown, 4201),
        (no_session, 4201),
        (expired, 4100),
        (String::new(), 4201),
    ] {
        // Programs, which say no origin, are told apart by their token alone.
        let mut socket = stack.open(None).await;
        socket.hello(json!({"token": token})).await;
        socket.until("error").await;
        assert_eq!(socket.end().await, Some(code), "{token}");
    }
    assert_eq!(figure(&stack, "switchboard_topics").await, 0);
    let mut socket = stack.open(Some("https://evil.example")).await;
    socket.hello(json!({"token": good})).await;
    assert_eq!(
        socket.until("error").await["problem"]["code"],
        "origin_refused"
    );
    assert_eq!(socket.end().await, Some(4202));
    let mut agent = stack.open(Some(PAGE)).await;
    agent
        .hello(json!({"token": stack.agent_token().await}))
        .await;
    assert_eq!(agent.end().await, Some(4202));
}

#[tokio::test]
async fn what_comes_before_hello_ends_the_connection() {
    let stack = Stack::start().await;
    for (text, code) in [
        (r#"{"type":"beat"}"#, "out_of_order"),
        (r#"{"type":"hello"}"#, "malformed"),
        (r#"{"type":"nonsense"}"#, "malformed"),
        ("not json", "malformed"),
    ] {
        let mut socket = stack.open(Some(PAGE)).await;
        socket.raw(Message::text(text)).await;
        assert_eq!(
            socket.until("error").await["problem"]["code"],
            code,
            "{text}"
        );
        assert_eq!(socket.end().await, Some(4200), "{text}");
    }
}

#[tokio::test]
async fn bad_frames_are_refused_and_too_many_end_it() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let mut socket = stack.visitor(&token).await;
    let refused = |frame: Value| frame["problem"]["code"].clone();
    socket.send(json!({"type": "teleport"})).await;
    assert_eq!(refused(socket.until("error").await), "malformed");
    socket.hello(json!({"token": token})).await;
    assert_eq!(refused(socket.until("error").await), "out_of_order");
    socket
        .send(json!({"type": "watch", "view": "inbox", "filter": "all"}))
        .await;
    assert_eq!(refused(socket.until("error").await), "forbidden");
    socket.says("a", json!({"do": "fly"})).await;
    let rejected = socket.until("rejected").await;
    assert_eq!(
        (&rejected["client_id"], refused(rejected.clone())),
        (&json!("a"), json!("malformed"))
    );
    socket
        .says("b", json!({"do": "send_message", "body": " "}))
        .await;
    assert_eq!(refused(socket.until("rejected").await), "empty");
    let long = "x".repeat(limit::BODY_BYTES_MAX + 1);
    socket
        .says("c", json!({"do": "send_message", "body": long}))
        .await;
    assert_eq!(refused(socket.until("rejected").await), "too_long");
    for _ in 0..10 {
        socket.raw(Message::text("{")).await;
    }
    assert_eq!(socket.end().await, Some(4200));
}

#[tokio::test]
async fn oversized_binary_and_endless_frames_end_it_at_once() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    for message in [
        Message::text("x".repeat(limit::FRAME_BYTES_MAX + 1)),
        Message::binary(vec![1, 2, 3]),
    ] {
        let mut socket = stack.visitor(&token).await;
        socket.raw(message).await;
        assert_eq!(socket.end().await, Some(4200));
    }
    let mut socket = stack.visitor(&token).await;
    for _ in 0..=limit::ASIDES_MAX {
        socket.raw(Message::Pong("".into())).await;
    }
    assert_eq!(socket.end().await, Some(4204));
}

#[tokio::test]
async fn a_visitor_and_an_agent_chat() {
    let stack = Stack::start().await;
    let mut visitor = stack.visitor(&stack.visitor_token().await).await;
    visitor
        .says("one", json!({"do": "send_message", "body": "hello"}))
        .await;
    let ack = visitor.until("ack").await;
    assert_eq!(
        (&ack["client_id"], &ack["number"]),
        (&json!("one"), &json!(1))
    );
    let conversation = ack["conversation_id"].clone();
    let mut agent = stack.agent().await;
    agent
        .send(json!({"type": "follow", "conversation_id": conversation}))
        .await;
    let batch = agent.until("entries").await;
    assert_eq!(batch["entries"][0]["content"]["message"]["body"], "hello");
    agent
        .says(
            "two",
            json!({"do": "send_message", "conversation_id": conversation, "body": "hi there"}),
        )
        .await;
    agent.until("ack").await;
    loop {
        let entry = visitor.until("entry").await;
        if entry["entry"]["content"]["message"]["body"] == "hi there" {
            break;
        }
    }
    // The same command again gets the same outcome and makes nothing new.
    visitor
        .says("one", json!({"do": "send_message", "body": "hello"}))
        .await;
    let again = visitor.until("ack").await;
    assert_eq!(again["entry_id"], ack["entry_id"]);
}

#[tokio::test]
async fn another_visitors_conversation_does_not_exist() {
    let stack = Stack::start().await;
    let mut owner = stack.visitor(&stack.visitor_token().await).await;
    owner
        .says(
            "one",
            json!({"do": "send_message", "body": "for the team only"}),
        )
        .await;
    let conversation = owner.until("ack").await["conversation_id"].clone();
    let mut other = stack.visitor(&stack.visitor_token().await).await;
    other
        .send(json!({"type": "follow", "conversation_id": conversation}))
        .await;
    assert_eq!(other.until("error").await["problem"]["code"], "not_found");
    owner
        .says("two", json!({"do": "send_message", "body": "still"}))
        .await;
    owner.until("ack").await;
    other
        .send(json!({"type": "typing", "conversation_id": conversation, "active": true}))
        .await;
    other
        .says(
            "x",
            json!({"do": "send_message", "conversation_id": conversation, "body": "me too"}),
        )
        .await;
    // Nothing of the conversation comes before the refusal.
    loop {
        match other.next().await {
            Heard::Frame(frame) if frame["type"] == "rejected" => {
                assert_eq!(frame["problem"]["code"], "not_found");
                break;
            }
            Heard::Frame(frame) => assert!(!frame.to_string().contains("still"), "{frame}"),
            Heard::Closed(code) => panic!("closed with {code:?}"),
        }
    }
}

#[tokio::test]
async fn who_signs_out_is_disconnected_everywhere() {
    let stack = Stack::start().await;
    let mut agent = stack.agent().await;
    let answer = stack.as_owner("/api/v1/logout", &json!({})).await;
    assert!(answer.status < 300, "{answer:?}");
    let code = agent.end().await;
    assert!(matches!(code, Some(4100..4300)), "{code:?}");
}

#[tokio::test]
async fn a_drain_says_when_to_come_back() {
    let stack = Stack::start().await;
    let mut agent = stack.agent().await;
    let mut visitor = stack.visitor(&stack.visitor_token().await).await;
    stack.gateway.drain(Duration::from_secs(7)).await;
    let mut back = Vec::new();
    for socket in [&mut agent, &mut visitor] {
        let frame = socket.until("going_away").await;
        back.push(frame["return_after_ms"].as_u64().unwrap());
        assert_eq!(socket.end().await, Some(4000));
    }
    // One of each: an agent in the first half of the window, a visitor in the second.
    assert!((1_000..4_000).contains(&back[0]), "{back:?}");
    assert!((4_000..7_000).contains(&back[1]), "{back:?}");
    stack.gateway.stop().await;
    stack.world.tracker.stop();
}

#[tokio::test]
async fn whoever_cannot_follow_just_now_is_told_to_come_back() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let mut socket = stack.visitor(&token).await;
    socket
        .says("a", json!({"do": "send_message", "body": "hello"}))
        .await;
    let conversation = socket.until("ack").await["conversation_id"].clone();
    let position = socket.until("entries").await["position"].clone();
    let resume = json!([{"conversation_id": conversation, "position": position}]);
    // Whichever read of a beginning connection it is that fails.
    for skip in 0..12 {
        let mut socket = stack.open(Some(PAGE)).await;
        stack.world.faults.fail("storage.read", skip, 1);
        socket
            .hello(json!({"token": token, "resume": resume}))
            .await;
        loop {
            match socket.next().await {
                Heard::Frame(frame) if frame["type"] == "entries" => {
                    assert_eq!(frame["continuity"], "resumed");
                    break;
                }
                Heard::Frame(_) => {}
                Heard::Closed(code) => {
                    assert_eq!(code, Some(4003));
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn all_who_come_back_at_once_are_let_in_and_get_what_they_missed() {
    let stack = Stack::with_store(|config| {
        config.reader_count = 1;
        config.queue_length = 16;
    })
    .await;
    let token = stack.visitor_token().await;
    let mut first = stack.visitor(&token).await;
    first
        .says("a", json!({"do": "send_message", "body": "hello"}))
        .await;
    let conversation = first.until("ack").await["conversation_id"].clone();
    first.until("entries").await;
    let mut sockets = Vec::new();
    for _ in 0..100 {
        sockets.push(stack.open(Some(PAGE)).await);
    }
    let resume = json!([{"conversation_id": conversation, "position": null}]);
    for socket in &mut sockets {
        socket
            .hello(json!({"token": token, "resume": resume}))
            .await;
    }
    for socket in &mut sockets {
        socket.until("welcome").await;
        let entries = socket.until("entries").await;
        let message = &entries["entries"][0]["content"]["message"];
        assert_eq!(message["body"], "hello", "{entries}");
    }
}
