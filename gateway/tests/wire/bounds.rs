//! Limits of single texts and counts: what is at the limit passes, one more is refused with its own code and
//! changes nothing.

use protocol::limit;
use serde_json::{Value, json};

use crate::stack::{Answer, PAGE, Socket, Stack};

const PUBLIC_KEY: &str = include_str!("../identity/public.pem");

fn x(count: usize) -> String {
    "x".repeat(count)
}

fn say(body: &str) -> Value {
    json!({"do": "send_message", "body": body})
}

fn identify(claim: Value) -> Value {
    json!({"do": "identify", "claim": claim})
}

fn email(bytes: usize) -> String {
    let domain = "@example.com";
    x(bytes - domain.len()) + domain
}

fn properties(count: usize, name: &str, value: &str) -> Value {
    let one = |index| (format!("{name}{index}"), json!(value));
    Value::Object((10..10 + count).map(one).collect())
}

/// What a command came to: the code and the field of a refusal, or nothing.
async fn outcome(
    socket: &mut Socket,
    client_id: &str,
    command: &Value,
) -> Option<(String, String)> {
    socket.says(client_id, command.clone()).await;
    let told = socket.until_any(&["ack", "rejected", "error"]).await;
    (told["type"] != "ack").then(|| refusal(&told["problem"]))
}

fn refusal(problem: &Value) -> (String, String) {
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("field"))
}

fn told(code: &str, field: &str) -> (String, String) {
    (code.to_owned(), field.to_owned())
}

async fn upload(stack: &Stack, token: &str, content: &str) -> Value {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("origin", PAGE),
        ("content-type", "text/plain"),
    ];
    let door = "/api/v1/attachments";
    let answer = stack.request("POST", door, &headers, content.as_bytes());
    answer.await.json()["id"].clone()
}

#[tokio::test]
async fn what_a_visitor_says_passes_at_the_limit_and_one_more_is_refused() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let mut socket = stack.visitor(&token).await;
    let (name, value) = (limit::PROPERTY_NAME_BYTES_MAX, limit::PROPERTY_BYTES_MAX);
    let line = limit::NAME_BYTES_MAX;
    let cases = [
        (
            say(&x(limit::BODY_BYTES_MAX)),
            say(&x(limit::BODY_BYTES_MAX + 1)),
            "too_long",
            "body",
        ),
        (
            identify(json!({"name": x(line)})),
            identify(json!({"name": x(line + 1)})),
            "too_long",
            "name",
        ),
        (
            identify(json!({"phone": x(line)})),
            identify(json!({"phone": x(line + 1)})),
            "too_long",
            "phone",
        ),
        (
            identify(json!({"email": email(limit::EMAIL_BYTES_MAX)})),
            identify(json!({"email": email(limit::EMAIL_BYTES_MAX + 1)})),
            "too_long",
            "email",
        ),
        (
            identify(properties(limit::PROPERTIES_MAX, "p", "v")),
            identify(properties(limit::PROPERTIES_MAX + 1, "p", "v")),
            "too_many",
            "attributes",
        ),
        (
            identify(properties(1, &x(name - 2), "v")),
            identify(properties(1, &x(name - 1), "v")),
            "too_long",
            "attributes",
        ),
        (
            identify(properties(1, "p", &x(value))),
            identify(properties(1, "p", &x(value + 1))),
            "too_long",
            "attributes",
        ),
    ];
    for (index, (good, bad, code, field)) in cases.iter().enumerate() {
        let refused = outcome(&mut socket, &format!("bad-{index}"), bad).await;
        assert_eq!(refused, Some(told(code, field)), "{index}");
        let taken = outcome(&mut socket, &format!("good-{index}"), good).await;
        assert_eq!(taken, None, "{index}");
    }
    let long = outcome(&mut socket, &x(limit::CLIENT_ID_LENGTH_MAX + 1), &say("hi")).await;
    assert_eq!(long, Some(told("too_long", "client_id")));
    assert_eq!(
        outcome(&mut socket, &x(limit::CLIENT_ID_LENGTH_MAX), &say("hi")).await,
        None
    );

    // Two messages passed, and of what was refused nothing is there.
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let history = stack.get("/api/v1/visitor/history", &headers).await.json();
    let entries = history["conversations"][0]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{entries:?}");
}

#[tokio::test]
async fn a_message_has_so_many_files_and_no_more() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let mut socket = stack.visitor(&token).await;
    let mut files = Vec::new();
    for index in 0..=limit::ATTACHMENTS_MAX {
        files.push(upload(&stack, &token, &format!("file {index}")).await);
    }
    let with = |count: usize| json!({"do": "send_message", "attachment_ids": files[..count]});
    let many = outcome(&mut socket, "many", &with(limit::ATTACHMENTS_MAX + 1)).await;
    assert_eq!(many, Some(told("too_many", "attachment_ids")));
    assert_eq!(
        outcome(&mut socket, "ten", &with(limit::ATTACHMENTS_MAX)).await,
        None
    );
}

#[tokio::test]
async fn traces_of_a_page_are_bounded() {
    let stack = Stack::start().await;
    let mut socket = stack.visitor(&stack.visitor_token().await).await;
    let track = |name: &str, properties: Value| json!({"type": "track", "name": name, "properties": properties});
    let (name, value) = (limit::PROPERTY_NAME_BYTES_MAX, limit::PROPERTY_BYTES_MAX);
    for (frame, code, field) in [
        (track(&x(name + 1), json!({})), "too_long", "name"),
        (
            track("bought", properties(limit::PROPERTIES_MAX + 1, "p", "v")),
            "too_many",
            "properties",
        ),
        (
            track("bought", properties(1, &x(name - 1), "v")),
            "too_long",
            "properties",
        ),
        (
            track("bought", properties(1, "p", &x(value + 1))),
            "too_long",
            "properties",
        ),
    ] {
        socket.send(frame.clone()).await;
        let error = socket.until("error").await;
        assert_eq!(refusal(&error["problem"]), told(code, field), "{frame:.80}");
    }
    // At the limit nothing is said; what is answered next is the next frame.
    socket
        .send(track(&x(name), properties(limit::PROPERTIES_MAX, "p", "v")))
        .await;
    socket.send(json!({"type": "dance"})).await;
    let error = socket.until("error").await;
    assert_eq!(error["problem"]["code"], "malformed");
}

#[tokio::test]
async fn a_stream_watches_a_list_of_each_kind_and_no_more() {
    let stack = Stack::start().await;
    let inbox = json!({"view": "inbox", "filter": "all"});
    for count in [limit::WATCHES_MAX, limit::WATCHES_MAX + 1] {
        let watch = vec![inbox.clone(); count];
        let hello = json!({"token": stack.agent_token().await});
        let body = json!({"hello": hello, "watch": watch, "wait_ms": 1});
        let answer = stack.post("/api/v1/stream", &[], &body).await;
        if count == limit::WATCHES_MAX {
            assert_eq!(answer.status, 200, "{answer:?}");
        } else {
            assert_eq!(refusal(&answer.json()), told("too_many", "watch"));
        }
    }
}

#[tokio::test]
async fn a_connection_follows_so_many_conversations_and_no_more() {
    let stack = Stack::start().await;
    let mut conversations = Vec::new();
    for _ in 0..=limit::FOLLOWS_MAX {
        let bearer = format!("Bearer {}", stack.visitor_token().await);
        let headers = [("authorization", bearer.as_str()), ("origin", PAGE)];
        let frame = json!({"type": "command", "client_id": "one", "command": say("hello")});
        let answer = stack.post("/api/v1/frames", &headers, &frame).await.json();
        conversations.push(answer[0]["conversation_id"].clone());
    }
    let follow = |id: &Value| json!({"type": "follow", "conversation_id": id});
    let (last, first) = conversations.split_last().unwrap();
    let mut agent = stack.agent().await;
    for id in first {
        agent.send(follow(id)).await;
        agent.until("entries").await;
    }
    agent.send(follow(last)).await;
    let error = agent.until_any(&["error", "entries"]).await;
    assert_eq!(
        refusal(&error["problem"]),
        told("too_many", "conversation_id")
    );
    // Following one again takes no place, and one that is left makes room.
    agent.send(follow(&first[0])).await;
    agent.until("entries").await;
    agent
        .send(json!({"type": "unfollow", "conversation_id": first[0]}))
        .await;
    agent.send(follow(last)).await;
    let entries = agent.until_any(&["error", "entries"]).await;
    assert_eq!(entries["conversation_id"], *last);

    // Marks for more than can be followed belong to nobody, and so does resuming more.
    let numbers = |count: usize| -> Value {
        let one = |index: usize| (conversations[index].as_str().unwrap().to_owned(), json!(1));
        Value::Object((0..count).map(one).collect())
    };
    agent
        .send(json!({"type": "beat", "delivered": numbers(limit::FOLLOWS_MAX + 1)}))
        .await;
    let error = agent.until("error").await;
    assert_eq!(refusal(&error["problem"]), told("too_many", "delivered"));
    let resume = |count: usize| -> Value {
        let one = |index: usize| json!({"conversation_id": conversations[index]});
        (0..count).map(one).collect()
    };
    let token = stack.agent_token().await;
    let mut other = stack.open(None).await;
    other
        .hello(json!({"token": token, "resume": resume(limit::RESUMES_MAX + 1)}))
        .await;
    let error = other.until("error").await;
    assert_eq!(refusal(&error["problem"]), told("too_many", "resume"));
    assert_eq!(other.end().await, Some(4200));
    stack
        .join(
            None,
            json!({"token": token, "resume": resume(limit::RESUMES_MAX)}),
        )
        .await;
}

#[tokio::test]
async fn a_preview_of_what_is_typed_is_cut() {
    let stack = Stack::start().await;
    let mut visitor = stack.visitor(&stack.visitor_token().await).await;
    let settings = json!({"settings": {"typing_preview": true}});
    stack.change("/api/v1/workspace", &settings).await;
    while visitor.until("config").await["typing_preview"] != true {}
    visitor.says("one", say("hello")).await;
    let conversation = visitor.until("ack").await["conversation_id"].clone();
    let mut agent = stack.agent().await;
    agent
        .send(json!({"type": "follow", "conversation_id": conversation}))
        .await;
    agent.until("entries").await;
    let typing = json!({"type": "typing", "conversation_id": conversation, "active": true,
        "text": x(limit::TYPING_BYTES_MAX + 1)});
    visitor.send(typing).await;
    let seen = agent.until("typing").await;
    assert_eq!(seen["text"], x(limit::TYPING_BYTES_MAX));
}

async fn as_owner(stack: &Stack, path: &str) -> Answer {
    let bearer = format!("Bearer {}", stack.secret);
    stack.get(path, &[("authorization", &bearer)]).await
}

#[tokio::test]
async fn a_page_of_a_list_has_no_more_than_its_limit() {
    let stack = Stack::start().await;
    let mut visitor = stack.visitor(&stack.visitor_token().await).await;
    visitor.says("one", say("hello")).await;
    let ack = visitor.until("ack").await;
    let id = ack["conversation_id"].as_str().unwrap();
    for (path, most) in [
        (
            format!("/api/v1/conversations/{id}/entries?limit="),
            limit::PAGE_ENTRIES_MAX,
        ),
        (
            "/api/v1/conversations?limit=".to_owned(),
            limit::PAGE_ROWS_MAX,
        ),
        ("/api/v1/audit?limit=".to_owned(), limit::PAGE_ROWS_MAX),
        (
            "/api/v1/search?text=hello&limit=".to_owned(),
            limit::FOUND_ROWS_MAX,
        ),
    ] {
        assert_eq!(
            as_owner(&stack, &format!("{path}{most}")).await.status,
            200,
            "{path}"
        );
        let over = as_owner(&stack, &format!("{path}{}", most + 1)).await;
        assert_eq!(
            (over.status, refusal(&over.json())),
            (422, told("too_many", "limit")),
            "{path}"
        );
    }
    for path in ["search?text=", "conversations?search="] {
        let text = |count: usize| format!("/api/v1/{path}{}", x(count));
        let over = as_owner(&stack, &text(limit::SEARCH_BYTES_MAX + 1)).await;
        let field = path.trim_end_matches('=').split('?').nth(1).unwrap();
        assert_eq!(
            (over.status, refusal(&over.json())),
            (422, told("too_long", field)),
            "{path}"
        );
        assert_eq!(
            as_owner(&stack, &text(limit::SEARCH_BYTES_MAX))
                .await
                .status,
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn keys_addresses_and_origins_of_the_team_are_bounded() {
    let stack = Stack::start().await;
    let door = format!("/api/v1/sites/{}/identity-keys", stack.site);
    let padded = |bytes: usize| PUBLIC_KEY.to_owned() + &"\n".repeat(bytes - PUBLIC_KEY.len());
    let long = json!({"public_key": padded(limit::PUBLIC_KEY_BYTES_MAX + 1)});
    let over = stack.as_owner(&door, &long).await;
    assert_eq!(
        (over.status, refusal(&over.json())),
        (422, told("too_long", "public_key"))
    );
    assert_eq!(as_owner(&stack, &door).await.json()["items"], json!([]));
    let fine = json!({"public_key": padded(limit::PUBLIC_KEY_BYTES_MAX)});
    assert_eq!(stack.as_owner(&door, &fine).await.status, 201);

    let invite = |bytes: usize| json!({"email": email(bytes), "role": "agent"});
    let door = "/api/v1/invitations";
    let over = stack
        .as_owner(door, &invite(limit::EMAIL_BYTES_MAX + 1))
        .await;
    assert_eq!(
        (over.status, refusal(&over.json())),
        (422, told("too_long", "email"))
    );
    assert_eq!(as_owner(&stack, door).await.json()["items"], json!([]));
    assert_eq!(
        stack
            .as_owner(door, &invite(limit::EMAIL_BYTES_MAX))
            .await
            .status,
        201
    );

    let site = |count: usize| {
        let origins: Vec<_> = (0..count)
            .map(|n| format!("https://s{n}.example.com"))
            .collect();
        json!({"name": "Many", "allowed_origins": origins})
    };
    let over = stack
        .as_owner("/api/v1/sites", &site(limit::ORIGINS_MAX + 1))
        .await;
    assert_eq!(
        (over.status, refusal(&over.json())),
        (422, told("too_many", "allowed_origins"))
    );
    assert_eq!(
        as_owner(&stack, "/api/v1/sites").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        stack
            .as_owner("/api/v1/sites", &site(limit::ORIGINS_MAX))
            .await
            .status,
        201
    );
}
