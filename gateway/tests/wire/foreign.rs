//! What is somebody else's: conversations that do not exist for who asks, and tokens that are none here.

use gateway::token::{Claims, Tokens};
use protocol::id::Id;
use serde_json::{Value, json};

use crate::proved::{ask, visitors_doors};
use crate::stack::{PAGE, Stack};

/// Every command of the protocol, as its fixtures write it, about one conversation and one entry of it.
fn commands(conversation: &str, entry: &str) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/fixtures/command");
    let mut commands = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let mut command: Value = serde_json::from_str(&text).unwrap();
        // What names no conversation is about the speaker himself.
        if command.get("conversation_id").is_none() {
            continue;
        }
        command["conversation_id"] = json!(conversation);
        for (field, value) in [
            ("entry_id", json!(entry)),
            ("reply_to_id", json!(entry)),
            ("attachment_ids", json!([])),
        ] {
            if command.get(field).is_some() {
                command[field] = value;
            }
        }
        if command.get("format").is_some() {
            command["format"] = json!("plain");
        }
        commands.push(command);
    }
    assert!(commands.len() >= 14, "{commands:?}");
    commands.sort_by_key(Value::to_string);
    commands
}

/// What the team sees of a conversation.
async fn seen(stack: &Stack, conversation: &str) -> [Value; 2] {
    let bearer = format!("Bearer {}", stack.secret);
    let headers = [("authorization", bearer.as_str())];
    let path = format!("/api/v1/conversations/{conversation}");
    let row = stack.get(&path, &headers).await.json();
    let entries = stack.get(&format!("{path}/entries"), &headers).await.json();
    assert!(!entries["entries"].as_array().unwrap().is_empty());
    [row, entries]
}

#[tokio::test]
async fn no_command_of_a_visitor_reaches_anothers_conversation() {
    let stack = Stack::start().await;
    let mut owner = stack.visitor(&stack.visitor_token().await).await;
    owner
        .says("one", json!({"do": "send_message", "body": "mine"}))
        .await;
    let ack = owner.until("ack").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (conversation, entry) = (text(&ack["conversation_id"]), text(&ack["entry_id"]));
    let nothing = "cnv_00000000000000000000000001";
    let token = stack.visitor_token().await;
    let before = seen(&stack, &conversation).await;

    let refusal = async |name: &str, command: Value| {
        let frame = json!({"type": "command", "client_id": name, "command": command});
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("origin", PAGE)];
        let answer = stack.post("/api/v1/frames", &headers, &frame).await.json();
        assert_eq!(answer[0]["type"], "rejected", "{command}");
        answer[0]["problem"].clone()
    };
    let about_nothing = commands(nothing, &entry);
    for (index, command) in commands(&conversation, &entry).into_iter().enumerate() {
        let told = refusal(&format!("there-{index}"), command.clone()).await;
        let code = told["code"].as_str().unwrap();
        assert!(
            ["not_found", "forbidden"].contains(&code),
            "{command} {code}"
        );
        // Nor does the answer tell that it is there.
        let of_nothing = refusal(&format!("nowhere-{index}"), about_nothing[index].clone()).await;
        assert_eq!(told, of_nothing, "{command}");
    }
    let mut thief = stack.visitor(&token).await;
    for frame in [
        json!({"type": "follow", "conversation_id": conversation}),
        json!({"type": "read", "conversation_id": conversation, "number": 1}),
        json!({"type": "typing", "conversation_id": conversation, "active": true, "text": "boo"}),
        json!({"type": "viewing", "conversation_id": conversation}),
    ] {
        thief.send(frame.clone()).await;
        let code = thief.until("error").await["problem"]["code"].clone();
        let is_refused = code == "not_found" || code == "forbidden";
        assert!(is_refused, "{frame} {code}");
    }
    // A mark of what was delivered is taken from whoever follows, and is nothing from others.
    thief
        .send(json!({"type": "beat", "delivered": { &conversation: 1 }}))
        .await;
    thief
        .says(
            "last",
            json!({"do": "close", "conversation_id": conversation}),
        )
        .await;
    thief.until("rejected").await;
    assert_eq!(
        seen(&stack, &conversation).await,
        before,
        "nothing of it was touched"
    );
}

/// A visitor's token, and what it is not: each with the code that it is refused by.
fn forged(stack: &Stack, token: &str) -> Vec<(Value, &'static str)> {
    let claims = stack.tokens().read(token, 0).unwrap();
    let with = |change: &dyn Fn(&mut gateway::token::VisitorClaims)| {
        let Claims::Visitor(mut visitor) = claims else {
            panic!("a visitor's token");
        };
        change(&mut visitor);
        json!(stack.tokens().sign(&Claims::Visitor(visitor)))
    };
    // Another letter in the middle of the claims, and of the signature.
    let [head, body, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts");
    };
    let turned = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    vec![
        (
            json!(format!("{head}.{}.{signature}", turned(body))),
            "unauthenticated",
        ),
        (
            json!(format!("{head}.{body}.{}", turned(signature))),
            "unauthenticated",
        ),
        (json!(format!("{head}.{body}")), "unauthenticated"),
        (json!(Tokens::new([9; 32]).sign(&claims)), "unauthenticated"),
        (
            with(&|visitor| visitor.visitor_id = Id::from_bits(1)),
            "unauthenticated",
        ),
        (
            with(&|visitor| visitor.site_id = Id::from_bits(1)),
            "unauthenticated",
        ),
        (
            with(&|visitor| visitor.workspace_id = Id::from_bits(1)),
            "unauthenticated",
        ),
        (with(&|visitor| visitor.generation += 1), "unauthenticated"),
        (with(&|visitor| visitor.expires_at_ms = 1), "token_expired"),
    ]
}

#[tokio::test]
async fn a_token_that_is_none_of_a_visitors_opens_no_door_of_visitors() {
    let stack = Stack::start().await;
    let good = stack.session(json!({})).await;
    let mut socket = stack.visitor(good["token"].as_str().unwrap()).await;
    socket
        .says("one", json!({"do": "send_message", "body": "mine"}))
        .await;
    let ack = socket.until("ack").await;
    let conversation = ack["conversation_id"].as_str().unwrap();
    let file = ask(&stack, "POST", "/api/v1/attachments", &good["token"], "{}").await;
    let file = file.json()["id"].as_str().unwrap().to_owned();
    let doors = visitors_doors(&stack, conversation, &file).await;
    let (before, files) = (seen(&stack, conversation).await, stack.file_count());

    let cases = forged(&stack, good["token"].as_str().unwrap());
    let message = json!({"type": "command", "client_id": "two",
        "command": {"do": "send_message", "body": "not mine"}});
    for (token, code) in &cases {
        for (method, path) in &doors {
            let answer = ask(&stack, method, path, token, &message.to_string()).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (401, *code),
                "{method} {path} {token}"
            );
        }
        let hello = json!({"hello": {"token": token}, "wait_ms": 0});
        let stream = stack
            .post("/api/v1/stream", &[("origin", PAGE)], &hello)
            .await;
        assert_eq!(
            (stream.status, stream.code().as_str()),
            (401, *code),
            "{token}"
        );
    }
    // The team's doors know no visitors, whatever their token.
    for path in [
        "/api/v1/me",
        "/api/v1/conversations",
        "/api/v1/sites",
        "/api/v1/audit",
    ] {
        let answer = ask(&stack, "GET", path, &good["token"], "").await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "unauthenticated"),
            "{path}"
        );
    }
    assert_eq!(seen(&stack, conversation).await, before);
    assert_eq!(stack.file_count(), files);
}
