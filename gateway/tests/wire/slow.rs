//! Clients that read slowly, or not at all: what waits for them is little, and nobody misses anything.

use std::time::Duration;

use gateway::metric::Metric;
use protocol::limit;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::stack::{PAGE, Socket, Stack};

/// Messages that are a page by count, and many by bytes.
const MESSAGES: u64 = 190;
/// What a stalled reader may cost, beside what the kernel takes.
const STALLED_BYTES_MAX: i64 = 2 * 64 * 1024;

fn narrow() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket
}

/// A visitor with a long conversation, and the position after its first entry.
async fn long_conversation(stack: &Stack) -> (String, Value, Value) {
    let token = stack.visitor_token().await;
    let mut writer = stack.visitor(&token).await;
    let body = "y\\".repeat(limit::BODY_BYTES_MAX / 2);
    let mut position = Value::Null;
    let mut conversation = Value::Null;
    for number in 1..=MESSAGES {
        let command = json!({"do": "send_message", "body": body});
        writer.says(&format!("line-{number}"), command).await;
        let ack = writer.until("ack").await;
        if number == 1 {
            conversation = ack["conversation_id"].clone();
            let batch = writer.until("entries").await;
            let epoch = &batch["position"]["epoch"];
            position = json!({"epoch": epoch, "number": 1, "entry_id": ack["entry_id"]});
        }
    }
    (token, conversation, position)
}

/// The numbers of the batches up to the conversation's facts, each batch on its own.
async fn batches(socket: &mut Socket) -> Vec<(Value, Vec<u64>, usize)> {
    let mut batches = Vec::new();
    loop {
        let frame = socket.until_any(&["entries", "conversation"]).await;
        if frame["type"] == "conversation" {
            return batches;
        }
        let entries = frame["entries"].as_array().unwrap();
        let numbers = entries.iter().map(|one| one["number"].as_u64().unwrap());
        let bytes = frame["entries"].to_string().len();
        batches.push((frame["continuity"].clone(), numbers.collect(), bytes));
    }
}

#[tokio::test]
async fn what_is_missing_comes_in_pages_that_are_bounded_by_their_bytes() {
    let stack = Stack::start().await;
    let (token, conversation, position) = long_conversation(&stack).await;
    let resume = json!([{"conversation_id": conversation, "position": position}]);
    let hello = json!({"token": token, "resume": resume});
    let mut socket = stack.join(Some(PAGE), hello).await;
    let pages = batches(&mut socket).await;
    assert!(pages.len() > 50, "{}", pages.len());
    let mut numbers = Vec::new();
    for (continuity, page, bytes) in pages {
        assert_eq!(continuity, "resumed");
        assert!(bytes <= limit::PAGE_BYTES_MAX || page.len() == 1, "{bytes}");
        numbers.extend(page);
    }
    assert_eq!(numbers, (2..=MESSAGES).collect::<Vec<_>>());
    // Who begins has the newest page, bounded in the same way.
    let mut socket = stack.visitor(&token).await;
    let pages = batches(&mut socket).await;
    assert_eq!(pages.len(), 1);
    let (continuity, numbers, bytes) = &pages[0];
    assert_eq!(continuity, "afresh");
    assert!(*bytes <= limit::PAGE_BYTES_MAX, "{bytes}");
    assert_eq!(numbers.last(), Some(&MESSAGES));
}

#[tokio::test]
async fn one_conversation_is_resumed_once_however_often_it_is_named() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let mut writer = stack.visitor(&token).await;
    writer
        .says("one", json!({"do": "send_message", "body": "one"}))
        .await;
    let ack = writer.until("ack").await;
    let (conversation, entry) = (&ack["conversation_id"], &ack["entry_id"]);
    let batch = writer.until("entries").await;
    let position = json!({"epoch": batch["position"]["epoch"], "number": 1, "entry_id": entry});
    let mut resume = vec![json!({"conversation_id": conversation}); limit::RESUMES_MAX - 1];
    resume.push(json!({"conversation_id": conversation, "position": position}));
    let hello = json!({"token": token, "resume": resume});
    let mut socket = stack.join(Some(PAGE), hello).await;
    let pages = batches(&mut socket).await;
    // The last one counts.
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0].0, "resumed");
    // What is asked is answered in order: nothing more of the past comes before this.
    socket
        .says("two", json!({"do": "send_message", "body": "two"}))
        .await;
    let next = socket.until_any(&["entries", "ack"]).await;
    assert_eq!(next["type"], "ack");
}

/// No time is too long: neither a token that opens nothing any more, nor how much was missed.
#[tokio::test]
async fn who_was_away_for_a_month_goes_on_as_the_same_visitor_where_he_was() {
    let stack = Stack::with_own_time().await;
    let begun = stack.session(json!({})).await;
    let mut writer = stack.visitor(begun["token"].as_str().unwrap()).await;
    let mut resume = Value::Null;
    for number in 1..=3 {
        let command = json!({"do": "send_message", "body": "one of three"});
        writer.says(&format!("line-{number}"), command).await;
        let ack = writer.until("ack").await;
        if number == 1 {
            let batch = writer.until("entries").await;
            let epoch = &batch["position"]["epoch"];
            let position = json!({"epoch": epoch, "number": 1, "entry_id": ack["entry_id"]});
            resume = json!([{"conversation_id": ack["conversation_id"], "position": position}]);
        }
    }
    stack
        .world
        .clock
        .advance(Duration::from_secs(30 * 24 * 60 * 60));
    let mut socket = stack.open(Some(PAGE)).await;
    socket
        .hello(json!({"token": begun["token"], "resume": resume}))
        .await;
    let refused = socket.until("error").await;
    assert_eq!(refused["problem"]["code"], "token_expired");
    let renewed = stack.session(json!({"token": begun["token"]})).await;
    assert_eq!(renewed["visitor_id"], begun["visitor_id"]);
    let hello = json!({"token": renewed["token"], "resume": resume});
    let mut socket = stack.join(Some(PAGE), hello).await;
    let pages = batches(&mut socket).await;
    assert_eq!(pages.len(), 1);
    assert_eq!((&pages[0].0, &pages[0].1), (&json!("resumed"), &vec![2, 3]));
}

/// Waits until the bytes that wait for clients were counted, and gives the most that was seen until
/// all of them were sent away.
async fn most_waiting_bytes(stack: &Stack, readers: i64) -> i64 {
    let metrics = stack.gateway.metrics();
    let mut most = 0;
    while metrics.get(Metric::TooSlow) < readers {
        most = most.max(metrics.get(Metric::WaitingBytes));
        tokio::task::yield_now().await;
        stack.world.clock.sleep(Duration::from_millis(5)).await;
    }
    most
}

#[tokio::test]
async fn a_stalled_reader_costs_little_and_is_sent_away() {
    let stack = Stack::start().await;
    let (token, conversation, position) = long_conversation(&stack).await;
    let resume = json!([{"conversation_id": conversation, "position": position}]);
    let mut sockets = Vec::new();
    for _ in 0..10 {
        let mut socket = stack.open_on(narrow(), Some(PAGE)).await;
        socket
            .hello(json!({"token": token, "resume": resume}))
            .await;
        sockets.push(socket);
    }
    let body = json!({"hello": {"token": token, "resume": resume}});
    let poll = json!({"hello": {"token": token, "resume": resume}, "wait_ms": 0});
    let mut streams: Vec<TcpStream> = Vec::new();
    for body in [&body, &poll] {
        let body = body.to_string();
        let mut stream = narrow().connect(stack.address).await.unwrap();
        let head = format!(
            "POST /api/v1/stream HTTP/1.1\r\nHost: {}\r\nOrigin: {PAGE}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            stack.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    let most = most_waiting_bytes(&stack, 12).await;
    assert!(most > 0, "nothing was counted");
    assert!(most <= 12 * STALLED_BYTES_MAX, "{most}");
    // Who has been sent away costs nothing.
    while stack.gateway.metrics().get(Metric::WaitingBytes) > 0 {
        stack.world.clock.sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_slow_reader_is_told_to_resume_and_misses_nothing() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let mut writer = stack.visitor(&token).await;
    writer
        .says("first", json!({"do": "send_message", "body": "first"}))
        .await;
    let conversation = writer.until("ack").await["conversation_id"].clone();
    let mut slow = stack.open_on(narrow(), Some(PAGE)).await;
    slow.hello(json!({"token": token})).await;
    let position = slow.until("entries").await["position"].clone();
    // It reads no more. The others go on until what waits for it is given up, and it is itself.
    let body = "y".repeat(16_000);
    let mut count = 0_u64;
    let metrics = stack.gateway.metrics();
    while metrics.get(Metric::TooSlow) == 0 {
        if metrics.get(Metric::Behind) > 0 {
            stack.world.clock.sleep(Duration::from_millis(5)).await;
            continue;
        }
        count += 1;
        writer
            .says(
                &format!("more-{count}"),
                json!({"do": "send_message", "body": body}),
            )
            .await;
        writer.until("ack").await;
    }
    drop(slow);
    let follow = json!([{"conversation_id": conversation, "position": position}]);
    let mut again = stack.open(Some(PAGE)).await;
    again.hello(json!({"token": token, "resume": follow})).await;
    let pages = batches(&mut again).await;
    let numbers: Vec<u64> = pages.iter().flat_map(|page| page.1.clone()).collect();
    let first = if pages[0].0 == "resumed" {
        position["number"].as_u64().unwrap() + 1
    } else {
        numbers[0]
    };
    assert_eq!(numbers, (first..=1 + count).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_that_stood_still_for_a_while_misses_nothing() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let mut writer = stack.visitor(&token).await;
    writer
        .says("first", json!({"do": "send_message", "body": "first"}))
        .await;
    let conversation = writer.until("ack").await["conversation_id"].clone();
    let mut slow = stack.open_on(narrow(), Some(PAGE)).await;
    slow.hello(json!({"token": token})).await;
    slow.until("entries").await;
    let metrics = stack.gateway.metrics();
    let body = "z".repeat(limit::BODY_BYTES_MAX);
    let mut last = 1;
    // It takes nothing until something had to be given up, which is read again for it.
    while metrics.get(Metric::WaitingBytes) == 0 || metrics.get(Metric::Behind) == 0 {
        last += 1;
        assert!(last < 2_000, "it never fell behind");
        let command = json!({"do": "send_message", "conversation_id": conversation, "body": body});
        writer.says(&format!("more-{last}"), command).await;
        writer.until("ack").await;
    }
    let mut next = 2;
    while next <= last {
        let frame = slow.until_any(&["entry", "entries"]).await;
        let entries = match frame["entries"].as_array() {
            Some(entries) => {
                assert_eq!(frame["continuity"], "resumed");
                entries.clone()
            }
            None => vec![frame["entry"].clone()],
        };
        for entry in entries {
            assert_eq!(entry["number"], next);
            next += 1;
        }
    }
    assert_eq!(metrics.get(Metric::TooSlow), 0);
}

#[tokio::test]
async fn a_slow_download_of_the_past_is_bounded_too() {
    let stack = Stack::start().await;
    let (token, conversation, _) = long_conversation(&stack).await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let conversation = conversation.as_str().unwrap();
    let path = format!("/api/v1/visitor/conversations/{conversation}/entries?limit=200");
    let page = stack.get(&path, &headers).await;
    assert!(
        page.body.len() < 2 * limit::PAGE_BYTES_MAX,
        "{}",
        page.body.len()
    );
    assert_eq!(page.json()["older"], true);
    let history = stack.get("/api/v1/visitor/history", &headers).await;
    assert!(
        history.body.len() < 2 * limit::PAGE_BYTES_MAX,
        "{}",
        history.body.len()
    );
    let path = format!("/api/v1/conversations/{conversation}/entries?limit=200");
    let bearer = format!("Bearer {}", stack.secret);
    let page = stack.get(&path, &[("authorization", &bearer)]).await;
    assert!(
        page.body.len() < 2 * limit::PAGE_BYTES_MAX,
        "{}",
        page.body.len()
    );
    assert_eq!(page.json()["older"], true);
}
