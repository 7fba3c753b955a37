//! A whole gateway over a real store, and clients that speak to it over real sockets.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use gateway::{Gateway, GatewayConfig, Listeners, Parts};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use storage::DatabaseConfig;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use world::World;

/// The origin of a page that may carry the widget.
pub(crate) const PAGE: &str = "http://localhost:5173";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
const TOKEN_KEY: [u8; 32] = [7; 32];
pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct Stack {
    pub(crate) gateway: Gateway,
    pub(crate) address: SocketAddr,
    /// The listener for metrics alone.
    pub(crate) metrics: SocketAddr,
    pub(crate) site: String,
    pub(crate) world: World,
    pub(crate) secret: String,
    dir: TempDir,
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A request's headers.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

impl Stack {
    pub(crate) async fn start() -> Self {
        Self::with(|config| {
            config.limits.trusted_addresses = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        Self::of(World::system_with_faults(), change, |_| {}).await
    }

    /// One whose time passes only as the test lets it.
    pub(crate) async fn with_own_time() -> Self {
        Self::with_own_time_and(|config| {
            config.limits.trusted_addresses = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await
    }

    pub(crate) async fn with_own_time_and(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let mut world = World::system_with_faults();
        world.clock = world::Clock::manual(world.clock.now_ms());
        Self::of(world, change, |_| {}).await
    }

    /// One with another store.
    pub(crate) async fn with_store(change: impl FnOnce(&mut DatabaseConfig)) -> Self {
        let trusted = |config: &mut GatewayConfig| {
            config.limits.trusted_addresses = vec!["127.0.0.0/8".parse().unwrap()];
        };
        Self::of(World::system_with_faults(), trusted, change).await
    }

    async fn of(
        world: World,
        change: impl FnOnce(&mut GatewayConfig),
        change_store: impl FnOnce(&mut DatabaseConfig),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("test.db").display());
        let mut database = DatabaseConfig::of_url(&url).unwrap();
        change_store(&mut database);
        let db = storage::open(&database, &world).await.unwrap();
        let bus = bus::Bus::local();
        let router = router::Router::start(world.clone(), bus, db.clone(), Default::default());
        let router = router.await.unwrap();
        let desk = desk::Desk::new(
            world.clone(),
            db.clone(),
            router.clone(),
            desk::DeskConfig::default(),
        );
        let made = desk.set_up_unattended("owner@example.com", PASSWORD).await;
        let site = made.unwrap().site_key.unwrap().to_string();
        let blobs = storage::blob::BlobConfig::Directory(dir.path().join("files"));
        let mut config = GatewayConfig {
            token_key: TOKEN_KEY,
            shards: 2,
            assets_dir: Some(dir.path().to_owned()),
            ..GatewayConfig::default()
        };
        change(&mut config);
        let parts = Parts {
            world: world.clone(),
            reader: db.reader(),
            router,
            desk,
            blobs: storage::blob::open(&blobs)
                .unwrap()
                .with_faults(world.faults.clone()),
            metrics: std::sync::Arc::default(),
        };
        make_assets(dir.path());
        let listen = || world::net::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let for_metrics = listen();
        let metrics = for_metrics.local_addr().unwrap();
        let listeners = Listeners {
            http: listen(),
            redirect: None,
            metrics: Some(for_metrics),
        };
        let gateway = Gateway::start(config, parts, listeners).unwrap();
        let mut stack = Self {
            address: gateway.address(),
            metrics,
            gateway,
            site,
            world,
            secret: String::new(),
            dir,
        };
        let login = json!({"email": "owner@example.com", "password": PASSWORD});
        let answer = stack.post("/api/v1/login?bearer=true", &[], &login).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        stack.secret = answer.json()["secret"].as_str().unwrap().to_owned();
        stack
    }

    pub(crate) fn tokens(&self) -> gateway::token::Tokens {
        gateway::token::Tokens::new(TOKEN_KEY)
    }

    pub(crate) fn own_origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many uploaded files lie on the disk, and what is left of others.
    pub(crate) fn file_count(&self) -> usize {
        fn count(directory: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(directory).unwrap();
            entries
                .map(|entry| entry.unwrap().path())
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        count(&self.dir.path().join("files"))
    }

    /// One request on a connection of its own.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        body: &[u8],
    ) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses early may hang up while we still send.
        let _sent = stream.write_all(body).await;
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
        let _read = read.expect("an answer in time");
        parse(&bytes)
    }

    pub(crate) async fn get(&self, path: &str, headers: Headers<'_>) -> Answer {
        self.request("GET", path, headers, b"").await
    }

    pub(crate) async fn post(&self, path: &str, headers: Headers<'_>, body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        let body = serde_json::to_vec(body).unwrap();
        self.request("POST", path, &all, &body).await
    }

    pub(crate) async fn as_owner(&self, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.secret);
        self.post(path, &[("authorization", &bearer)], body).await
    }

    /// The owner changes a record, whatever its version is.
    pub(crate) async fn change(&self, path: &str, body: &Value) {
        let bearer = format!("Bearer {}", self.secret);
        let record = self.get(path, &[("authorization", &bearer)]).await.json();
        let version = format!("\"{}\"", record["version"]);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("if-match", version.as_str()),
        ];
        let body = body.to_string();
        let answer = self.request("PATCH", path, &headers, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// A new visitor's session.
    pub(crate) async fn session(&self, more: Value) -> Value {
        let mut body = json!({"site_key": self.site});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = self
            .post("/api/v1/visitor/session", &[("origin", PAGE)], &body)
            .await;
        assert_eq!(
            answer.status,
            200,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.json()
    }

    pub(crate) async fn visitor_token(&self) -> String {
        self.session(json!({})).await["token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) async fn agent_token(&self) -> String {
        let answer = self.as_owner("/api/v1/socket-token", &json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// A socket before `hello`.
    pub(crate) async fn open(&self, origin: Option<&str>) -> Socket {
        let socket = TcpSocket::new_v4().unwrap();
        self.open_on(socket, origin).await
    }

    pub(crate) async fn open_on(&self, socket: TcpSocket, origin: Option<&str>) -> Socket {
        let origin: Vec<_> = origin
            .map(|origin| ("origin", origin))
            .into_iter()
            .collect();
        self.open_with(socket, &origin).await
    }

    /// A socket whose request has more headers, before `hello`.
    pub(crate) async fn open_with(&self, socket: TcpSocket, more: Headers<'_>) -> Socket {
        let stream = socket.connect(self.address).await.unwrap();
        let url = format!("ws://{}/api/v1/socket", self.address);
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "switchboard.v1".parse().unwrap());
        for (name, value) in more {
            let name: HeaderName = name.parse().unwrap();
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let (socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .unwrap();
        Socket(socket)
    }

    /// A visitor's socket, welcomed.
    pub(crate) async fn visitor(&self, token: &str) -> Socket {
        self.join(Some(PAGE), json!({"token": token})).await
    }

    /// An agent's socket, welcomed.
    pub(crate) async fn agent(&self) -> Socket {
        let token = self.agent_token().await;
        self.join(None, json!({"token": token})).await
    }

    pub(crate) async fn join(&self, origin: Option<&str>, hello: Value) -> Socket {
        let mut socket = self.open(origin).await;
        socket.hello(hello).await;
        socket.until("welcome").await;
        socket
    }
}

fn make_assets(root: &std::path::Path) {
    for (path, text) in [
        ("widget-js/dist/loader.js", "loader()"),
        ("widget-js/dist/panel.html", "<title>panel</title>"),
        ("widget-js/dist/assets/panel-1a2b.js", "panel()"),
        ("console/dist/index.html", "<title>console</title>"),
        ("console/dist/assets/app-1a2b.js", "app()"),
        ("widget-js/demo/index.html", "<p>%SITE_KEY%</p>"),
        ("widget-js/demo/shop/index.html", "<p>shop</p>"),
        ("secret.txt", "secret"),
    ] {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Answer {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        other => panic!("no answer: {other:?} {}", String::from_utf8_lossy(bytes)),
    };
    let headers: HashMap<String, String> = response
        .headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_ascii_lowercase(), value)
        })
        .collect();
    let mut body = bytes[length..].to_vec();
    if headers
        .get("transfer-encoding")
        .is_some_and(|coding| coding == "chunked")
    {
        body = unchunked(&body);
    }
    Answer {
        status: response.code.unwrap(),
        headers,
        body,
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
    body
}

/// A client's end of a socket.
pub(crate) struct Socket(WebSocketStream<TcpStream>);

/// What a client hears.
#[derive(Debug)]
pub(crate) enum Heard {
    Frame(Value),
    /// The code; nothing where the line broke.
    Closed(Option<u16>),
}

impl Socket {
    pub(crate) async fn raw(&mut self, message: Message) {
        // The server may have closed already.
        let _sent = self.0.send(message).await;
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.raw(Message::text(frame.to_string())).await;
    }

    pub(crate) async fn hello(&mut self, mut hello: Value) {
        hello["type"] = json!("hello");
        self.send(hello).await;
    }

    pub(crate) async fn says(&mut self, client_id: &str, command: Value) {
        self.send(json!({"type": "command", "client_id": client_id, "command": command}))
            .await;
    }

    pub(crate) async fn next(&mut self) -> Heard {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
        match next.expect("something in time") {
            Some(Ok(Message::Text(text))) => Heard::Frame(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(frame))) => {
                Heard::Closed(frame.map(|frame| u16::from(frame.code)))
            }
            Some(Ok(other)) => panic!("unexpected: {other:?}"),
            Some(Err(_)) | None => Heard::Closed(None),
        }
    }

    /// The next frame of this type; others are passed over.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        self.until_any(&[kind]).await
    }

    /// The next frame of one of these types; others are passed over.
    pub(crate) async fn until_any(&mut self, kinds: &[&str]) -> Value {
        loop {
            match self.next().await {
                Heard::Frame(frame) if kinds.iter().any(|kind| frame["type"] == *kind) => {
                    return frame;
                }
                Heard::Frame(_) => {}
                Heard::Closed(code) => panic!("closed with {code:?}, waiting for {kinds:?}"),
            }
        }
    }

    /// How it ends; frames are passed over.
    pub(crate) async fn end(&mut self) -> Option<u16> {
        loop {
            if let Heard::Closed(code) = self.next().await {
                return code;
            }
        }
    }
}
