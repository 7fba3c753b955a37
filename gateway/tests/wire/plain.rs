//! Connections for plain HTTP: slow ones, idle ones, and too many of them.

use std::time::Duration;

use gateway::metric::Metric;
use protocol::limit;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::stack::{PAGE, Stack, parse};

const IDLE: Duration = Duration::from_millis(limit::REQUEST_IDLE_MS_MAX);

/// Sends a head that promises a body of so many bytes.
async fn promise(stack: &Stack, path: &str, token: &str, bytes: usize) -> TcpStream {
    let mut stream = TcpStream::connect(stack.address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nOrigin: {PAGE}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {bytes}\r\n\r\n",
        stack.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// What the server says before it hangs up.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let read = tokio::time::timeout(Duration::from_secs(60), read).await;
    // A server that gives up may not say so in order.
    let _read = read.expect("it ends");
    bytes
}

async fn until(stack: &Stack, metric: Metric, value: i64) {
    for _ in 0..4_000 {
        if stack.gateway.metrics().get(metric) == value {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{metric:?} is not {value}");
}

/// Lets time pass until something has come of it.
async fn passes<T>(stack: &Stack, what: impl Future<Output = T>) -> T {
    let mut what = std::pin::pin!(what);
    loop {
        tokio::select! {
            biased;
            output = &mut what => return output,
            () = tokio::time::sleep(Duration::from_millis(5)) => {
                stack.world.clock.advance(IDLE / 50);
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let stack = Stack::with_own_time().await;
    let token = stack.visitor_token().await;
    for path in ["/api/v1/frames", "/api/v1/stream", "/api/v1/attachments"] {
        let mut stream = promise(&stack, path, &token, 1_000).await;
        stream.write_all(b"{").await.unwrap();
        let answer = parse(&passes(&stack, rest(&mut stream)).await);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (408, "too_slow"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn who_is_refused_in_the_middle_of_a_large_body_can_read_the_answer() {
    const LARGE: usize = 8 << 20;
    let stack = Stack::with(|config| config.limits.attachment_bytes_max = 1_000).await;
    let token = stack.visitor_token().await;
    let next = format!(
        "GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        stack.address
    );
    for (token, status) in [(token.as_str(), "413"), ("v1.e30.AAAA", "401")] {
        let mut stream = promise(&stack, "/api/v1/attachments", token, LARGE).await;
        let sent = stream.write_all(&vec![b'x'; LARGE]).await;
        sent.expect("proxies that meet a wall here say 502");
        // What comes behind the body is the next request, and not a part of it.
        stream.write_all(next.as_bytes()).await.unwrap();
        let said = String::from_utf8(rest(&mut stream).await).unwrap();
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        assert!(said.ends_with("alive\n"), "{said}");
    }
    // Who asks before he sends is told no, and nothing is waited for.
    let head = format!(
        "POST /api/v1/attachments HTTP/1.1\r\nHost: {}\r\nOrigin: {PAGE}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: text/plain\r\nContent-Length: {LARGE}\r\nExpect: 100-continue\r\n\r\n",
        stack.address
    );
    let mut stream = TcpStream::connect(stack.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = parse(&rest(&mut stream).await);
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
}

#[tokio::test]
async fn a_connection_that_asks_nothing_more_is_hung_up() {
    /// What the server allows between two requests.
    const BETWEEN: Duration = Duration::from_secs(30);
    let stack = Stack::with_own_time().await;
    let ask = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", stack.address);
    let mut stream = TcpStream::connect(stack.address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"alive\n") {
            let read = stream.read_buf(&mut answer).await.unwrap();
            assert_ne!(read, 0, "it stays open between requests");
        }
        stack.world.clock.advance(BETWEEN - Duration::from_secs(1));
    }
    until(&stack, Metric::HttpConnections, 1).await;
    assert_eq!(passes(&stack, rest(&mut stream)).await, b"");
    until(&stack, Metric::HttpConnections, 0).await;
}

/// A figure, as `/metrics` tells it.
pub(crate) async fn figure(stack: &Stack, name: &str) -> u64 {
    let mut stream = TcpStream::connect(stack.metrics).await.unwrap();
    let ask = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let body = parse(&rest(&mut stream).await).body;
    let text = String::from_utf8(body).unwrap();
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let line = lines.find(|(said, _)| *said == name);
    line.unwrap().1.parse().unwrap()
}

/// The reads of the store so far.
async fn store_reads(stack: &Stack) -> u64 {
    figure(stack, "switchboard_store_read_seconds_count").await
}

#[tokio::test]
async fn reads_of_the_store_are_counted() {
    let stack = Stack::with_own_time().await;
    let before = store_reads(&stack).await;
    for _ in 0..3 {
        stack.agent_token().await;
    }
    let after = store_reads(&stack).await;
    assert!(after >= before + 3, "{before}, {after}");
}

#[tokio::test]
async fn the_listener_for_metrics_answers_once_and_waits_for_nobody() {
    let stack = Stack::with_own_time().await;
    let ask = async |request: &str| {
        let mut stream = TcpStream::connect(stack.metrics).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        parse(&rest(&mut stream).await)
    };
    let answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("switchboard_accepted_total "), "{text}");
    for (request, status) in [
        (
            "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
            405,
        ),
        ("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("GET /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("no HTTP at all\r\n\r\n", 400),
    ] {
        assert_eq!(ask(request).await.status, status, "{request}");
    }
    for begun in [
        "",
        "GET /metrics HTTP/1.1\r\nHost:",
        "POST /metrics HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
    ] {
        let mut stream = TcpStream::connect(stack.metrics).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let said = passes(&stack, rest(&mut stream)).await;
        assert!(said.is_empty() || parse(&said).status == 405, "{begun}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_not_kept() {
    let stack = Stack::with_own_time().await;
    let token = stack.visitor_token().await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("origin", PAGE)];
    let file = vec![b'x'; 12 << 20];
    let kept = stack
        .request("POST", "/api/v1/attachments", &headers, &file)
        .await;
    assert_eq!(kept.status, 201);
    let id = kept.json()["id"].as_str().unwrap().to_owned();
    until(&stack, Metric::HttpConnections, 0).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(stack.address).await.unwrap();
    let head = format!(
        "GET /api/v1/attachments/{id} HTTP/1.1\r\nHost: {}\r\nAuthorization: {bearer}\r\n\r\n",
        stack.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    until(&stack, Metric::HttpConnections, 1).await;
    passes(&stack, until(&stack, Metric::HttpConnections, 0)).await;
    let rest = rest(&mut stream).await;
    assert!(rest.len() < file.len(), "{}", rest.len());
}

#[tokio::test]
async fn an_address_has_so_many_connections_for_plain_http() {
    let stack = Stack::with(|config| {
        config.limits.http_connections_per_address_max = 3;
    })
    .await;
    let token = stack.visitor_token().await;
    until(&stack, Metric::HttpConnections, 0).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(promise(&stack, "/api/v1/frames", &token, 1_000).await);
    }
    until(&stack, Metric::HttpConnections, 3).await;
    let answer = stack.get("/healthz", &[]).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (429, "rate_limited")
    );
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    // Sockets are counted by themselves.
    let _socket = stack.visitor(&token).await;
    held.pop();
    until(&stack, Metric::HttpConnections, 2).await;
    assert_eq!(stack.get("/healthz", &[]).await.status, 200);
}

#[tokio::test]
async fn behind_a_proxy_addresses_are_counted_and_not_the_proxy() {
    let stack = Stack::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        config.limits.http_connections_per_address_max = 2;
    })
    .await;
    let token = stack.visitor_token().await;
    let ask = async |address: &str| {
        let mut stream = TcpStream::connect(stack.address).await.unwrap();
        let head = format!(
            "POST /api/v1/frames HTTP/1.1\r\nHost: {}\r\nOrigin: {PAGE}\r\n\
             Authorization: Bearer {token}\r\nX-Forwarded-For: {address}\r\n\
             Content-Length: 1000\r\n\r\n",
            stack.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    };
    let health = async |address: &str| {
        let headers = [("x-forwarded-for", address)];
        stack.get("/healthz", &headers).await.status
    };
    until(&stack, Metric::HttpConnections, 0).await;
    let mut held = Vec::new();
    for address in ["1.1.1.1", "1.1.1.1", "2.2.2.2"] {
        held.push(ask(address).await);
    }
    until(&stack, Metric::HttpConnections, 3).await;
    while health("1.1.1.1").await != 429 {
        tokio::task::yield_now().await;
    }
    assert_eq!(health("2.2.2.2").await, 200);
    assert_eq!(health("3.3.3.3").await, 200);
    drop(held);
    until(&stack, Metric::HttpConnections, 0).await;
    assert_eq!(health("1.1.1.1").await, 200);
}

#[tokio::test]
async fn all_together_have_so_many_connections_for_plain_http() {
    let stack = Stack::with(|config| {
        config.limits.trusted_addresses = vec!["127.0.0.0/8".parse().unwrap()];
        config.limits.http_connections_max = 2;
    })
    .await;
    let token = stack.visitor_token().await;
    until(&stack, Metric::HttpConnections, 0).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(promise(&stack, "/api/v1/frames", &token, 1_000).await);
    }
    until(&stack, Metric::HttpConnections, 2).await;
    let answer = stack.get("/healthz", &[]).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "unavailable")
    );
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    drop(held);
    until(&stack, Metric::HttpConnections, 0).await;
    assert_eq!(stack.get("/healthz", &[]).await.status, 200);
}

/// What the listener for metrics says.
async fn metrics(stack: &Stack) -> String {
    let mut stream = TcpStream::connect(stack.metrics).await.unwrap();
    let ask = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let answer = parse(&rest(&mut stream).await);
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.body).unwrap()
}

#[tokio::test]
async fn a_store_that_does_not_answer_shows_in_the_metrics_until_it_does() {
    let stack = Stack::start().await;
    let shows = |text: &str, up: u8| {
        for name in ["switchboard_store_up", "switchboard_ready"] {
            assert!(text.contains(&format!("\n{name} {up}\n")), "{text}");
        }
    };
    let well = metrics(&stack).await;
    shows(&well, 1);
    assert!(well.contains("\nswitchboard_store_failures_total 0\n"));
    stack.world.faults.fail("storage.read", 0, u64::MAX);
    let away = metrics(&stack).await;
    shows(&away, 0);
    assert!(!away.contains("\nswitchboard_store_failures_total 0\n"));
    assert_eq!(stack.get("/readyz", &[]).await.status, 503);
    stack.world.faults.heal();
    shows(&metrics(&stack).await, 1);
    assert_eq!(stack.get("/readyz", &[]).await.status, 200);
}
