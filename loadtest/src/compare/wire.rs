//! The lean client of a comparison: a socket without a buffer of its own, and no more of the wire than a
//! measurement needs. It costs the machine little, and the same whatever server it speaks to.

use std::cell::RefCell;
use std::io::ErrorKind;

use bytes::Bytes;
use protocol::frame::{ClientFrame, Follow, Hello, Page, Purpose};
use protocol::id::ConversationId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::net::TcpStream;

use crate::Error;
use crate::client::Server;
use crate::client::connection::SUBPROTOCOL;

/// Bytes that are read at a time, through a buffer that all clients of a thread share.
const READ_BYTES: usize = 64 * 1024;

/// Bytes of the answer to an upgrade.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// What clients mask their frames with. The wire asks for a mask, the servers undo whatever it is.
const MASK: [u8; 4] = [0x5a, 0x13, 0x7c, 0x2e];

thread_local! {
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// The door of an upgrade.
pub struct Upgrade<'a> {
    /// Its path.
    pub path: &'a str,
    /// What both are to speak.
    pub subprotocol: Option<&'a str>,
}

impl Upgrade<'static> {
    /// Switchboard's, which the plain servers have too.
    pub(super) const SOCKET: Self = Self {
        path: "/api/v1/socket",
        subprotocol: Some(SUBPROTOCOL),
    };
}

impl Upgrade<'_> {
    /// The request.
    pub(super) fn head(&self, server: &Server) -> Vec<u8> {
        let subprotocol = self.subprotocol.map_or(String::new(), |name| {
            format!("Sec-WebSocket-Protocol: {name}\r\n")
        });
        let head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {subprotocol}Origin: {}\r\n\r\n",
            self.path,
            server.authority(),
            server.origin(),
        );
        head.into_bytes()
    }
}

/// Bytes of the head of an answer that upgrades; nothing while its end has not come.
pub(super) fn upgraded(answer: &[u8]) -> Result<Option<usize>, Error> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        if answer.len() > HEAD_BYTES_MAX {
            return Err(Error::Malformed("an answer without an end".to_owned()));
        }
        return Ok(None);
    };
    if !answer.starts_with(b"HTTP/1.1 101 ") {
        let said = String::from_utf8_lossy(answer);
        let line = said.lines().next().unwrap_or_default();
        return Err(Error::Malformed(format!("no upgrade: {line}")));
    }
    Ok(Some(end + 4))
}

/// A socket that was upgraded and has said who it is.
pub struct Wire {
    stream: TcpStream,
    /// The beginning of a frame whose end has not come yet.
    rest: Vec<u8>,
}

/// The first frame of a visitor or an agent.
#[must_use]
pub(super) fn hello(token: &str, origin: Option<&str>, follows: &[ConversationId]) -> Vec<u8> {
    let follow = |id: &ConversationId| Follow {
        conversation_id: *id,
        position: None,
    };
    frame(&ClientFrame::Hello(Hello {
        token: token.to_owned(),
        purpose: Purpose::Full,
        page: origin.map(|origin| Page {
            url: format!("{origin}/demo/"),
            title: "Load test".to_owned(),
            referrer: None,
        }),
        resume: follows.iter().map(follow).collect(),
    }))
}

/// A frame as text.
#[must_use]
pub(super) fn frame(frame: &ClientFrame) -> Vec<u8> {
    serde_json::to_vec(frame).expect("our types can be written as JSON")
}

/// The answer to a beat.
#[must_use]
pub(super) fn beat() -> Bytes {
    Bytes::from_static(br#"{"type":"beat"}"#)
}

/// Whether a text is a frame of this type.
#[must_use]
pub(super) fn is_a(text: &[u8], kind: &str) -> bool {
    let rest = text.strip_prefix(br#"{"type":""#);
    let rest = rest.and_then(|rest| rest.strip_prefix(kind.as_bytes()));
    rest.is_some_and(|rest| rest.starts_with(b"\""))
}

impl Wire {
    /// Connects and upgrades. Whoever said `hello` hears the answer by [`Wire::hear`].
    ///
    /// # Errors
    /// The network's failure, or a refused upgrade.
    pub async fn open(server: &Server) -> Result<Self, Error> {
        Self::upgrade(server, &Upgrade::SOCKET).await
    }

    /// One that was opened by calls that wait, with what was read of a frame whose end has not come yet.
    ///
    /// # Errors
    /// The system does not take it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(super) fn of(stream: std::net::TcpStream, rest: Vec<u8>) -> Result<Self, Error> {
        stream.set_nonblocking(true)?;
        let stream = TcpStream::from_std(stream)?;
        Ok(Self { stream, rest })
    }

    /// As [`Wire::open`], at any door.
    ///
    /// # Errors
    /// The network's failure, or a refused upgrade.
    pub async fn upgrade(server: &Server, upgrade: &Upgrade<'_>) -> Result<Self, Error> {
        let mut stream = server.connect_by_system().await?;
        stream.write_all(&upgrade.head(server)).await?;
        let mut answer = Vec::with_capacity(512);
        let end = loop {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(Error::Network(ErrorKind::UnexpectedEof.into()));
            }
            if let Some(end) = upgraded(&answer)? {
                break end;
            }
        };
        answer.drain(..end);
        let rest = if answer.is_empty() {
            Vec::new()
        } else {
            answer
        };
        Ok(Self { stream, rest })
    }

    /// Says `hello` and waits for the welcome and for the past of so many conversations.
    ///
    /// # Errors
    /// How the connection ended.
    pub async fn enter(&mut self, hello: &[u8], follow_count: usize) -> Result<(), Error> {
        self.say(hello).await?;
        let mut missing = 1 + follow_count;
        while missing > 0 {
            self.hear(|text| {
                if is_a(text, "welcome") || is_a(text, "entries") {
                    missing = missing.saturating_sub(1);
                }
            })
            .await?;
        }
        Ok(())
    }

    /// Says a text.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn say(&mut self, text: &[u8]) -> Result<(), Error> {
        Ok(self.stream.write_all(&masked(text)).await?)
    }

    /// Reads once what has come, and gives each whole text or bytes to `each`. Cancel-safe.
    ///
    /// # Errors
    /// How the connection ended.
    pub async fn hear(&mut self, mut each: impl FnMut(&[u8])) -> Result<(), Error> {
        // What came together with the answer to the upgrade: nothing more may ever come.
        let taken = whole_frames(&self.rest, &mut each)?;
        if taken > 0 {
            self.rest.drain(..taken);
            return Ok(());
        }
        loop {
            self.stream.readable().await?;
            let (stream, rest) = (&self.stream, &mut self.rest);
            let read = READ.with_borrow_mut(|buffer| match stream.try_read(buffer) {
                Ok(0) => Err(Error::Network(ErrorKind::UnexpectedEof.into())),
                Ok(count) => take(rest, &buffer[..count], &mut each).map(|()| true),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
                Err(error) => Err(error.into()),
            });
            if read? {
                return Ok(());
            }
        }
    }

    /// Reads until a text is what was waited for.
    ///
    /// # Errors
    /// How the connection ended.
    pub async fn until(&mut self, mut is_it: impl FnMut(&[u8]) -> bool) -> Result<(), Error> {
        let mut found = false;
        while !found {
            self.hear(|text| found = found || is_it(text)).await?;
        }
        Ok(())
    }
}

/// A masked text frame.
pub(super) fn masked(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 14);
    bytes.push(0x81);
    if let Ok(length @ 0..=125) = u8::try_from(text.len()) {
        bytes.push(0x80 | length);
    } else if let Ok(length) = u16::try_from(text.len()) {
        bytes.push(0x80 | 126);
        bytes.extend_from_slice(&length.to_be_bytes());
    } else {
        bytes.push(0x80 | 127);
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    }
    bytes.extend_from_slice(&MASK);
    let mask = MASK.iter().cycle();
    bytes.extend(text.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Takes bytes in: what is whole goes out, the rest waits.
pub(super) fn take(
    rest: &mut Vec<u8>,
    bytes: &[u8],
    each: &mut impl FnMut(&[u8]),
) -> Result<(), Error> {
    if rest.is_empty() {
        let taken = whole_frames(bytes, each)?;
        rest.extend_from_slice(&bytes[taken..]);
        return Ok(());
    }
    rest.extend_from_slice(bytes);
    let taken = whole_frames(rest, each)?;
    *rest = rest[taken..].to_vec();
    Ok(())
}

/// Gives out the texts of whole frames; says how many bytes they were.
fn whole_frames(bytes: &[u8], each: &mut impl FnMut(&[u8])) -> Result<usize, Error> {
    let mut taken = 0;
    while let Some((kind, head, length)) = header(&bytes[taken..]) {
        let begin = taken + head;
        let Some(payload) = bytes.get(begin..begin + length) else {
            break;
        };
        match kind {
            1 | 2 => each(payload),
            8 => return Err(closed(payload)),
            _ => {}
        }
        taken = begin + length;
    }
    Ok(taken)
}

/// Kind of the first frame, bytes of its header and of its payload; nothing while the header is cut.
fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (kind, first) = (bytes.first()? & 0x0f, *bytes.get(1)?);
    let long = |count: usize| {
        let digits = bytes.get(2..2 + count)?.iter();
        let length = digits.fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
        Some((kind, 2 + count, length))
    };
    match first & 0x7f {
        126 => long(2),
        127 => long(8),
        length => Some((kind, 2, usize::from(length))),
    }
}

fn closed(payload: &[u8]) -> Error {
    let code = match payload {
        [high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 1005,
    };
    let reason = payload.get(2..).unwrap_or_default();
    Error::Closed {
        code,
        reason: String::from_utf8_lossy(reason).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_frame(text: &[u8]) -> Vec<u8> {
        let mut bytes = masked(text);
        let head = bytes.len() - text.len() - 4;
        bytes[1] &= 0x7f;
        bytes.truncate(head);
        bytes.extend_from_slice(text);
        bytes
    }

    #[test]
    fn texts_come_whole_wherever_they_are_cut() {
        let texts = [b"a".repeat(3), b"b".repeat(300), b"c".repeat(70_000)];
        let all: Vec<u8> = texts.iter().flat_map(|text| server_frame(text)).collect();
        for step in [1, 2, 7, 1_000, all.len()] {
            let (mut rest, mut heard) = (Vec::new(), Vec::new());
            for piece in all.chunks(step) {
                let mut each = |text: &[u8]| heard.push(text.to_vec());
                take(&mut rest, piece, &mut each).unwrap();
            }
            assert_eq!(heard, texts, "{step}");
            assert!(rest.is_empty(), "{step}");
        }
    }

    #[tokio::test]
    async fn what_comes_with_the_answer_to_an_upgrade_is_heard() {
        let listener = world::net::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut answer = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
            answer.extend(server_frame(b"first"));
            stream.write_all(&answer).await.unwrap();
            stream
        };
        let visit = async {
            let server = Server::find(&format!("http://{address}")).await.unwrap();
            let mut wire = Wire::open(&server).await.unwrap();
            wire.until(|text| text == b"first").await.unwrap();
        };
        tokio::join!(serve, visit);
    }

    #[test]
    fn a_close_says_why() {
        let frame = [&[0x88, 4, 0x10, 0x68][..], b"ab"].concat();
        let ended = take(&mut Vec::new(), &frame, &mut |_| {}).unwrap_err();
        assert_eq!(ended.to_string(), "closed: 4200 ab");
    }

    #[test]
    fn a_frame_is_known_by_its_type() {
        assert!(is_a(&beat(), "beat"));
        assert!(!is_a(br#"{"type":"entries","#, "entry"));
        assert!(!is_a(b"{}", "entry"));
    }
}
