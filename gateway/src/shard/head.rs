//! The first request head of a connection, read by ourselves: bounded in size and time, and with no
//! more memory than it has bytes. Sockets never meet the HTTP library.

use std::time::Duration;

use base64::Engine;
use http::{HeaderMap, HeaderName, HeaderValue};
use protocol::rejection::{ErrorCode, Problem, Rejection};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Headers of a request.
const HEADERS_MAX: usize = 64;
/// How long a client may take for its first head.
pub(crate) const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// The door of sockets.
pub(crate) const SOCKET_PATH: &str = "/api/v1/socket";
/// The one subprotocol.
pub(crate) const SUBPROTOCOL: &str = "switchboard.v1";

/// What a connection begins with.
#[derive(Debug)]
pub(crate) enum Head {
    /// A request for the doors; these bytes were read.
    Http(Vec<u8>),
    /// A request for a socket.
    Socket {
        /// All headers.
        headers: HeaderMap,
        /// Bytes behind the head.
        rest: Vec<u8>,
    },
}

/// Reads the first head.
///
/// # Errors
/// The answer to give before hanging up; nothing where nobody would read one.
pub(crate) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Head, Option<Vec<u8>>> {
    let mut bytes = Vec::with_capacity(1_024);
    loop {
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return Err(None),
            Ok(_) => {}
        }
        if let Some(head) = parse(&bytes)? {
            return Ok(head.unwrap_or(Head::Http(bytes)));
        }
        if bytes.len() > HEAD_BYTES_MAX {
            return Err(Some(refusal(431, &ErrorCode::TooLarge.into(), "")));
        }
        bytes.reserve(512);
    }
}

/// Nothing while the head is not whole; then a socket's head, or nothing for the doors' to read.
fn parse(bytes: &[u8]) -> Result<Option<Option<Head>>, Option<Vec<u8>>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Some(refusal(431, &ErrorCode::TooMany.into(), "")));
        }
        Err(_) => return Err(Some(refusal(400, &ErrorCode::Malformed.into(), ""))),
    };
    if let Some(part) = unreadable(&request) {
        let rejection = Rejection::of(ErrorCode::Malformed, part);
        return Err(Some(refusal(400, &rejection, "")));
    }
    let path = request.path.unwrap_or_default();
    if path.split('?').next() != Some(SOCKET_PATH) {
        return Ok(Some(None));
    }
    let mut map = HeaderMap::with_capacity(request.headers.len());
    for header in request.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let value = HeaderValue::from_bytes(header.value);
        if let (Ok(name), Ok(value)) = (name, value) {
            map.append(name, value);
        }
    }
    if request.method != Some("GET") || !asks_for_socket(&map) {
        return Ok(Some(None));
    }
    Ok(Some(Some(Head::Socket {
        headers: map,
        rest: bytes[length..].to_vec(),
    })))
}

/// What the HTTP library would refuse of a head without a word: a target that is none, or a body that nobody can
/// tell the end of.
fn unreadable(request: &httparse::Request<'_, '_>) -> Option<&'static str> {
    let target = request.path.unwrap_or_default();
    if target.parse::<http::Uri>().is_err() {
        return Some("target");
    }
    let values = |name: &'static str| {
        let is_it = move |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case(name);
        let found = request.headers.iter().filter(is_it);
        found.map(|header| header.value)
    };
    if let Some(encoding) = values("transfer-encoding").next_back() {
        let last = encoding
            .rsplit(|byte| *byte == b',')
            .next()
            .unwrap_or(encoding);
        let is_chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
        return (!is_chunked || request.version == Some(0)).then_some("transfer-encoding");
    }
    let mut lengths = values("content-length");
    let first = lengths.next()?;
    let is_number = first.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(first).is_ok_and(|text| text.parse::<u64>().is_ok());
    (!is_number || lengths.any(|other| other != first)).then_some("content-length")
}

/// Why a request opens no socket.
#[derive(Debug)]
pub(crate) struct NoSocket {
    pub(crate) status: u16,
    pub(crate) rejection: Rejection,
    /// A header that says what would.
    pub(crate) header: Option<(&'static str, &'static str)>,
}

impl NoSocket {
    /// The answer, whole.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let header = self
            .header
            .map_or_else(String::new, |(name, value)| format!("{name}: {value}\r\n"));
        refusal(self.status, &self.rejection, &header)
    }
}

impl From<Rejection> for NoSocket {
    fn from(rejection: Rejection) -> Self {
        Self {
            status: rejection.code.status(),
            rejection,
            header: None,
        }
    }
}

/// The proof that we understood a request for a socket: `Sec-WebSocket-Accept`.
///
/// # Errors
/// What is wrong with the request.
pub(crate) fn accept(headers: &HeaderMap) -> Result<String, NoSocket> {
    let wrong = |status, field, header| NoSocket {
        status,
        rejection: Rejection::of(ErrorCode::Malformed, field),
        header,
    };
    let has = |name, word| has(headers, name, word);
    if !asks_for_socket(headers) || !has("connection", "upgrade") {
        return Err(wrong(426, "upgrade", Some(("Upgrade", "websocket"))));
    }
    if !has("sec-websocket-version", "13") {
        let header = Some(("Sec-WebSocket-Version", "13"));
        return Err(wrong(426, "sec-websocket-version", header));
    }
    if !has("sec-websocket-protocol", SUBPROTOCOL) {
        return Err(wrong(400, "sec-websocket-protocol", None));
    }
    let key = headers
        .get("sec-websocket-key")
        .filter(|key| {
            let key = base64::engine::general_purpose::STANDARD.decode(key.as_bytes());
            key.is_ok_and(|key| key.len() == 16)
        })
        .ok_or_else(|| wrong(400, "sec-websocket-key", None))?;
    Ok(derive_accept_key(key.as_bytes()))
}

/// Whether a request wants to become a socket.
pub(crate) fn asks_for_socket(headers: &HeaderMap) -> bool {
    has(headers, "upgrade", "websocket")
}

/// Whether a header with a list holds a word.
fn has(headers: &HeaderMap, name: &str, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case(word))
}

/// The answer that opens a socket.
pub(crate) fn switching(accept: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    )
    .into_bytes()
}

/// An answer before any door, whole.
pub(crate) fn refusal(status: u16, rejection: &Rejection, more_headers: &str) -> Vec<u8> {
    let mut problem = Problem::from(rejection);
    problem.status = status;
    let body = serde_json::to_string(&problem).expect("a problem is always JSON");
    let reason = http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Refused");
    let wait = rejection.retry_after_ms.map_or_else(String::new, |wait| {
        format!("Retry-After: {}\r\n", wait.div_ceil(1_000).max(1))
    });
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/problem+json\r\n\
         Content-Length: {}\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n\
         Cache-Control: no-store\r\n{wait}{more_headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn head(text: &str) -> Result<Head, Option<Vec<u8>>> {
        read(&mut text.as_bytes()).await
    }

    async fn refused(text: &str) -> String {
        let bytes = head(text).await.unwrap_err().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn socket_request(change: impl Fn(String) -> String) -> HeaderMap {
        let text = change(format!(
            "GET {SOCKET_PATH} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
             Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: other, {SUBPROTOCOL}\r\n\r\n"
        ));
        match parse(text.as_bytes()).unwrap().unwrap().unwrap() {
            Head::Socket { headers, .. } => headers,
            Head::Http(_) => panic!("a socket was asked for"),
        }
    }

    #[tokio::test]
    async fn sockets_are_told_from_doors_and_nothing_read_is_lost() {
        let text = "POST /api/v1/login HTTP/1.1\r\nHost: a\r\n\r\n{\"rest";
        match head(text).await.unwrap() {
            Head::Http(bytes) => assert_eq!(bytes, text.as_bytes()),
            Head::Socket { .. } => panic!("a door was asked for"),
        }
        let text = "GET /api/v1/socket?x HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\nrest";
        match head(text).await.unwrap() {
            Head::Socket { rest, .. } => assert_eq!(rest, b"rest"),
            Head::Http(_) => panic!("a socket was asked for"),
        }
    }

    #[tokio::test]
    async fn a_head_is_bounded_and_must_be_one() {
        let long = format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(HEAD_BYTES_MAX));
        assert!(refused(&long).await.starts_with("HTTP/1.1 431 "));
        let many = format!(
            "GET / HTTP/1.1\r\n{}\r\n",
            "A: b\r\n".repeat(HEADERS_MAX + 1)
        );
        assert!(refused(&many).await.starts_with("HTTP/1.1 431 "));
        let garbage = refused("\u{16}\u{3}\u{1}hello\r\n\r\n").await;
        assert!(garbage.starts_with("HTTP/1.1 400 "));
        assert!(garbage.ends_with('}') && garbage.contains("\"code\":\"malformed\""));
        assert!(head("GET / HT").await.unwrap_err().is_none());
    }

    #[tokio::test]
    async fn what_the_http_library_would_refuse_without_a_word_is_refused_with_one() {
        for (line, more, field) in [
            ("GET /demo/?site=< HTTP/1.1", "", "target"),
            (
                "GET /api/v1/socket?< HTTP/1.1",
                "Upgrade: websocket\r\n",
                "target",
            ),
            (
                "POST / HTTP/1.1",
                "Content-Length: +1\r\n",
                "content-length",
            ),
            (
                "POST / HTTP/1.1",
                "Content-Length: 99999999999999999999\r\n",
                "content-length",
            ),
            (
                "POST / HTTP/1.1",
                "Content-Length: 1\r\ncontent-length: 2\r\n",
                "content-length",
            ),
            (
                "POST / HTTP/1.1",
                "Transfer-Encoding: chunked, gzip\r\n",
                "transfer-encoding",
            ),
            (
                "POST / HTTP/1.0",
                "Transfer-Encoding: chunked\r\n",
                "transfer-encoding",
            ),
        ] {
            let told = refused(&format!("{line}\r\n{more}\r\n")).await;
            assert!(told.starts_with("HTTP/1.1 400 "), "{line} {more}");
            assert!(told.contains(&format!("\"field\":\"{field}\"")), "{told}");
        }
        for (line, more) in [
            ("GET /demo/?site=%3C HTTP/1.1", ""),
            ("OPTIONS * HTTP/1.1", ""),
            ("GET http://a/ HTTP/1.1", ""),
            (
                "POST / HTTP/1.1",
                "Content-Length: 1\r\nContent-Length: 1\r\n",
            ),
            ("POST / HTTP/1.1", "Transfer-Encoding: gzip, Chunked\r\n"),
        ] {
            let head = head(&format!("{line}\r\n{more}\r\n")).await;
            assert!(matches!(head, Ok(Head::Http(_))), "{line} {more}");
        }
    }

    #[test]
    fn a_socket_is_opened_as_the_rfc_says() {
        // The key and its answer are the example of RFC 6455, section 1.3.
        let accept = accept(&socket_request(|text| text)).unwrap();
        let answer = String::from_utf8(switching(&accept)).unwrap();
        assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert!(answer.contains("Sec-WebSocket-Protocol: switchboard.v1\r\n"));
    }

    #[test]
    fn what_is_no_request_for_a_socket_of_ours_is_refused() {
        for (from, to, status) in [
            ("keep-alive, Upgrade", "keep-alive", "426"),
            ("Version: 13", "Version: 8", "426"),
            ("switchboard.v1", "switchboard.v0", "400"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "short", "400"),
        ] {
            let headers = socket_request(|text| text.replace(from, to));
            let answer = String::from_utf8(accept(&headers).unwrap_err().bytes()).unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{from}");
        }
    }
}
