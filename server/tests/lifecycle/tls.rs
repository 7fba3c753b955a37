//! TLS of our own: certificates good and bad, HTTPS and secure sockets, plain HTTP, renewal.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{ChildStderr, Command, Stdio};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::process::{EMAIL, PASSWORD, Server, directory, output, said, switchboard};

/// A certificate for `localhost`, and its key.
struct Pair {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key_pem: String,
}

impl Pair {
    fn new() -> Self {
        let names = vec!["localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        Self {
            certificate: made.cert.der().clone(),
            certificate_pem: made.cert.pem(),
            key_pem: made.signing_key.serialize_pem(),
        }
    }

    fn write(&self, home: &Path) {
        fs::write(home.join("cert.pem"), &self.certificate_pem).expect("it is written");
        fs::write(home.join("key.pem"), &self.key_pem).expect("it is written");
    }
}

/// The program with the certificate that lies in a directory.
fn with_tls(home: &Path) -> Command {
    let mut command = switchboard(&home.join("data"));
    command
        .env("SWITCHBOARD_TLS_CERTIFICATE", home.join("cert.pem"))
        .env("SWITCHBOARD_TLS_KEY", home.join("key.pem"))
        .env("SWITCHBOARD_SETUP_EMAIL", EMAIL)
        .env("SWITCHBOARD_SETUP_PASSWORD", PASSWORD);
    command
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// Connects as a client that trusts one certificate.
fn connect(server: &Server, trusted: &Pair) -> std::io::Result<Tls> {
    let mut roots = RootCertStore::empty();
    roots
        .add(trusted.certificate.clone())
        .expect("it may sign itself");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let mut session = ClientConnection::new(Arc::new(config), name).expect("a session");
    let mut stream = TcpStream::connect(&server.address)?;
    while session.is_handshaking() {
        session.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(session, stream))
}

fn host(server: &Server) -> String {
    let (_, port) = server.address.rsplit_once(':').expect("a port");
    format!("localhost:{port}")
}

/// Head and body of the answer to one request.
fn ask(server: &Server, trusted: &Pair, head: &str, body: &Value) -> (String, Value) {
    let host = host(server);
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let mut stream = connect(server, trusted).expect("it is trusted");
    write!(
        stream,
        "{head} HTTP/1.1\r\nhost: {host}\r\norigin: https://{host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("it says good-bye");
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    (
        head.to_ascii_lowercase(),
        serde_json::from_str(body).unwrap_or(Value::Null),
    )
}

#[test]
fn a_taken_port_for_plain_http_is_a_clear_error() {
    let home = directory();
    Pair::new().write(home.path());
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it listens").to_string();
    let mut command = with_tls(home.path());
    command.env("SWITCHBOARD_TLS_REDIRECT_LISTEN", &address);
    let output = output(&mut command);
    assert_eq!(output.status.code(), Some(1));
    let error = said(&output.stderr);
    assert!(
        error.contains(&address) && error.contains("taken"),
        "{error}"
    );
    let store = home.path().join("data/switchboard.db");
    assert!(!store.exists(), "it touched the store");
}

#[test]
fn a_certificate_makes_https_and_secure_sockets() {
    let home = directory();
    let pair = Pair::new();
    pair.write(home.path());
    let server = Server::start(&mut with_tls(home.path()), "site key: ");
    let url = format!("listening on https://{}", server.address);
    assert!(server.lines.contains(&url), "{:?}", server.lines);
    let (head, _) = ask(&server, &pair, "GET /healthz", &Value::Null);
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(
        head.contains("\r\nstrict-transport-security: max-age="),
        "{head}"
    );
    let login = json!({"email": EMAIL, "password": PASSWORD});
    let (head, _) = ask(&server, &pair, "POST /api/v1/login", &login);
    let cookie = head.lines().find(|line| line.starts_with("set-cookie: "));
    let cookie = cookie.unwrap_or_else(|| panic!("a cookie in {head}"));
    assert!(
        cookie.starts_with("set-cookie: __host-switchboard_session="),
        "{cookie}"
    );
    for word in ["; secure", "; httponly", "; samesite=lax", "; path=/"] {
        assert!(cookie.contains(word), "{word} in {cookie}");
    }
    assert!(!cookie.contains("domain"), "{cookie}");
    let (_, welcome) = talk(&server, &pair);
    assert_eq!(welcome["type"], "welcome");
    assert!(
        connect(&server, &Pair::new()).is_err(),
        "another certificate is trusted"
    );
}

/// A visitor's socket over TLS, and the first thing it says.
fn talk(server: &Server, trusted: &Pair) -> (tungstenite::WebSocket<Tls>, Value) {
    let key = server
        .lines
        .last()
        .and_then(|line| line.strip_prefix("site key: "));
    let body = json!({"site_key": key});
    let (head, session) = ask(server, trusted, "POST /api/v1/visitor/session", &body);
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let host = host(server);
    let mut request = format!("wss://{host}/api/v1/socket")
        .into_client_request()
        .expect("an address");
    let headers = request.headers_mut();
    let origin = format!("https://{host}").parse().expect("a header");
    headers.insert("origin", origin);
    let protocol = "switchboard.v1".parse().expect("a header");
    headers.insert("sec-websocket-protocol", protocol);
    let stream = connect(server, trusted).expect("it is trusted");
    let (mut socket, _) = tungstenite::client(request, stream).expect("it is upgraded");
    let hello = json!({"type": "hello", "token": session["token"], "purpose": "launcher"});
    socket
        .send(Message::text(hello.to_string()))
        .expect("it reads");
    let news = socket
        .read()
        .expect("it answers")
        .into_text()
        .expect("text");
    (socket, serde_json::from_str(&news).expect("JSON"))
}

#[test]
fn plain_http_is_refused_where_tls_is_spoken_and_sent_on_from_its_own_port() {
    let home = directory();
    let pair = Pair::new();
    pair.write(home.path());
    let mut command = with_tls(home.path());
    command
        .env("SWITCHBOARD_TLS_REDIRECT_LISTEN", "127.0.0.1:0")
        .env("SWITCHBOARD_PUBLIC_URL", "https://chat.example.com");
    let server = Server::start(&mut command, "site key: ");
    let ask = |address: &str| {
        let mut stream = TcpStream::connect(address).expect("it listens");
        let request = "GET /console/?a=1 HTTP/1.1\r\nhost: chat.example.com\r\n\r\n";
        stream
            .write_all(request.as_bytes())
            .expect("it takes bytes");
        let mut answer = Vec::new();
        // It may hang up with or without reading what was sent.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).to_ascii_lowercase()
    };
    assert!(
        !ask(&server.address).contains("http/1.1"),
        "it speaks plain HTTP"
    );
    let line = server
        .lines
        .iter()
        .find_map(|line| line.strip_prefix("plain HTTP at http://"));
    let redirect = line
        .and_then(|line| line.strip_suffix(" is sent on"))
        .expect("it is said");
    let answer = ask(redirect);
    assert!(answer.starts_with("http/1.1 308"), "{answer}");
    assert!(
        answer.contains("\r\nlocation: https://chat.example.com/console/?a=1\r\n"),
        "{answer}"
    );
}

#[test]
fn a_certificate_that_cannot_be_used_ends_it_with_64_and_the_file_at_fault() {
    let home = directory();
    let (pair, other) = (Pair::new(), Pair::new());
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (certificate, key, told) in [
        (
            pair.certificate_pem.as_str(),
            other.key_pem.as_str(),
            "key.pem: not the key of the certificate in",
        ),
        (nonsense, &pair.key_pem, "cert.pem: "),
        ("", &pair.key_pem, "cert.pem: no certificate in it"),
        (
            &pair.key_pem,
            &pair.key_pem,
            "cert.pem: no certificate in it",
        ),
        (&pair.certificate_pem, "", "key.pem: "),
        (&pair.certificate_pem, &pair.certificate_pem, "key.pem: "),
    ] {
        fs::write(home.path().join("cert.pem"), certificate).expect("it is written");
        fs::write(home.path().join("key.pem"), key).expect("it is written");
        for subcommand in ["serve", "check-config"] {
            let ended = output(with_tls(home.path()).arg(subcommand));
            let error = said(&ended.stderr);
            assert_eq!(ended.status.code(), Some(64), "{error}");
            assert!(
                error.contains(told) && error.contains("tls"),
                "{told} in {error}"
            );
        }
    }
    assert!(!home.path().join("data").exists());
}

/// Reads the log until it says something.
fn hears(log: &mut BufReader<ChildStderr>, words: &str) {
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(
            log.read_line(&mut line).expect("it is text") > 0,
            "it never said {words:?}"
        );
    }
}

#[test]
fn a_renewed_certificate_is_shown_after_sighup_and_nobody_is_cut_off() {
    let home = directory();
    let (old, new) = (Pair::new(), Pair::new());
    old.write(home.path());
    let mut command = with_tls(home.path());
    command
        .env("SWITCHBOARD_LOG_FILTER", "info")
        .stderr(Stdio::piped());
    let mut server = Server::start(&mut command, "site key: ");
    let mut log = BufReader::new(server.child.stderr.take().expect("it is piped"));
    let (mut socket, _) = talk(&server, &old);

    new.write(home.path());
    assert!(
        connect(&server, &old).is_ok(),
        "it reads files that nobody spoke of"
    );
    server.signal("-HUP");
    hears(&mut log, "the certificate was read again");
    assert!(connect(&server, &new).is_ok() && connect(&server, &old).is_err());
    socket
        .send(Message::Ping("still there".into()))
        .expect("the line is up");
    while !matches!(socket.read().expect("the line is up"), Message::Pong(_)) {}

    // Half a renewal: what cannot be used is told, and changes nothing.
    fs::write(home.path().join("key.pem"), &old.key_pem).expect("it is written");
    server.signal("-HUP");
    hears(&mut log, "the certificate of before stays");
    assert!(connect(&server, &new).is_ok());
    assert!(server.stop().success());
}
