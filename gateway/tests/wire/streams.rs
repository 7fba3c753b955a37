//! Connections without sockets.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::stack::{PAGE, Stack};

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

async fn frame(stack: &Stack, token: &str, frame: &Value) -> Value {
    let bearer = bearer(token);
    let headers = [("authorization", bearer.as_str()), ("origin", PAGE)];
    let answer = stack.post("/api/v1/frames", &headers, frame).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn poll(stack: &Stack, token: &str, resume: Value, wait_ms: u64) -> Vec<Value> {
    let body = json!({"hello": {"token": token, "resume": resume}, "wait_ms": wait_ms});
    let answer = stack
        .post("/api/v1/stream", &[("origin", PAGE)], &body)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers["access-control-allow-origin"], PAGE);
    answer.json().as_array().unwrap().clone()
}

#[tokio::test]
async fn a_visitor_chats_by_long_polls() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let first = poll(&stack, &token, json!([]), 0).await;
    assert_eq!(first[0]["type"], "welcome");
    let message = json!({"type": "command", "client_id": "one",
        "command": {"do": "send_message", "body": "by post"}});
    let ack = frame(&stack, &token, &message).await;
    assert_eq!(ack[0]["type"], "ack");
    let conversation = ack[0]["conversation_id"].clone();
    // What is missing is answered at once, however long the wait may be.
    let second = poll(
        &stack,
        &token,
        json!([{"conversation_id": conversation}]),
        50_000,
    )
    .await;
    let batch = second.iter().find(|one| one["type"] == "entries").unwrap();
    assert_eq!(batch["entries"][0]["content"]["message"]["body"], "by post");
    // Nothing is missing: the answer comes with the news.
    let resume = json!([{"conversation_id": conversation, "position": batch["position"]}]);
    let mut agent = stack.agent().await;
    let news = poll(&stack, &token, resume, 50_000);
    let reply = async {
        let command =
            json!({"do": "send_message", "conversation_id": conversation, "body": "reply"});
        agent.says("two", command).await;
        agent.until("ack").await;
    };
    let (news, ()) = tokio::join!(news, reply);
    assert!(news.len() > 1, "{news:?}");
}

#[tokio::test]
async fn a_stream_is_a_line_for_each_frame() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let body = json!({"hello": {"token": token}}).to_string();
    let stream = TcpStream::connect(stack.address).await.unwrap();
    let mut stream = BufReader::new(stream);
    let head = format!(
        "POST /api/v1/stream HTTP/1.1\r\nHost: {}\r\nOrigin: {PAGE}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        stack.address,
        body.len()
    );
    stream.get_mut().write_all(head.as_bytes()).await.unwrap();
    let mut lines = stream.lines();
    let mut until = async |part: &str| loop {
        let line = tokio::time::timeout(std::time::Duration::from_secs(60), lines.next_line());
        let line = line
            .await
            .expect("a line in time")
            .unwrap()
            .expect("more lines");
        if line.contains(part) {
            return line;
        }
    };
    until("application/x-ndjson").await;
    until(r#""type":"welcome""#).await;
    let message = json!({"type": "command", "client_id": "one",
        "command": {"do": "send_message", "body": "down the stream"}});
    frame(&stack, &token, &message).await;
    until("down the stream").await;
    stack.gateway.drain(std::time::Duration::from_secs(5)).await;
    until(r#""type":"going_away""#).await;
    until(r#""code":"unavailable""#).await;
}

#[tokio::test]
async fn streams_and_frames_ask_for_the_same_proof_as_sockets() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let hello = |token: &str| json!({"hello": {"token": token}, "wait_ms": 0});
    let evil = [("origin", "https://evil.example")];
    let answer = stack.post("/api/v1/stream", &evil, &hello(&token)).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "origin_refused")
    );
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    let answer = stack.post("/api/v1/stream", &[], &hello("v1.x.y")).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "unauthenticated")
    );
    let beat = json!({"type": "beat"});
    assert_eq!(stack.post("/api/v1/frames", &[], &beat).await.status, 401);
    assert_eq!(frame(&stack, &token, &beat).await, json!([]));
    let refused = frame(&stack, &token, &json!({"type": "unwatch", "view": "inbox"})).await;
    assert_eq!(refused[0]["problem"]["code"], "out_of_order");
}
