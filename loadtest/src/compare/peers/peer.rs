//! How each program is spoken to over its WebSocket: entering, listening to a topic, saying something there. Pure but for
//! entering.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::super::crowd::due_of;
use super::super::wire::{Upgrade, Wire, is_a};
use crate::Error;
use crate::client::Server;
use crate::scenario::plan::planned;

/// What NATS says to know whether a client is there, and what it waits for.
const NATS_PING: &[u8] = b"PING\r\n";
const NATS_PONG: &[u8] = b"PONG\r\n";

/// A program that Switchboard is held beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// Engine.IO 4 and Socket.IO 5 as text, one node alone.
    SocketIo,
    /// The same with its Redis adapter, as where there are several nodes.
    SocketIoRedis,
    /// Bare texts; the address says which topic, and who speaks.
    Nchan,
    /// The text protocol of NATS.
    Nats,
}

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compare) enum Dialect {
    /// Ours, which N and T speak too.
    Switchboard,
    /// Another program's.
    Peer(Peer),
}

/// Whether a connection listens to its topic or speaks there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It hears what is said.
    Listener,
    /// It says.
    Speaker,
}

impl Peer {
    /// All of them, as they are shown.
    pub const ALL: [Self; 4] = [Self::SocketIo, Self::SocketIoRedis, Self::Nchan, Self::Nats];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SocketIo => "socket_io",
            Self::SocketIoRedis => "socket_io_redis",
            Self::Nchan => "nchan",
            Self::Nats => "nats",
        }
    }

    /// Its name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::SocketIo => "Socket.IO",
            Self::SocketIoRedis => "Socket.IO + Redis",
            Self::Nchan => "Nchan",
            Self::Nats => "NATS",
        }
    }

    /// Connects and enters; returns when the program has confirmed it.
    ///
    /// # Errors
    /// The network's failure, or a refusal.
    pub async fn enter(
        self,
        server: &Server,
        secret: &str,
        topic: &str,
        role: Role,
    ) -> Result<Wire, Error> {
        let path = match (self, role) {
            (Self::SocketIo | Self::SocketIoRedis, _) => {
                "/socket.io/?EIO=4&transport=websocket".to_owned()
            }
            (Self::Nchan, Role::Listener) => format!("/listen/{topic}"),
            (Self::Nchan, Role::Speaker) => format!("/say/{topic}"),
            (Self::Nats, _) => "/".to_owned(),
        };
        let upgrade = Upgrade {
            path: &path,
            subprotocol: None,
        };
        let mut wire = Wire::upgrade(server, &upgrade).await?;
        match self {
            // Who was upgraded is in.
            Self::Nchan => {}
            Self::SocketIo | Self::SocketIoRedis => {
                wire.until(|text| text.starts_with(b"0{")).await?;
                let speaks = role == Role::Speaker;
                let proof = proof(secret, topic);
                let hello =
                    format!(r#"40{{"topic":"{topic}","proof":"{proof}","speaks":{speaks}}}"#);
                wire.say(hello.as_bytes()).await?;
                self.confirmed(&mut wire, b"40").await?;
            }
            Self::Nats => {
                wire.until(|text| text.starts_with(b"INFO ")).await?;
                let mut hello = format!(
                    "CONNECT {{\"verbose\":false,\"pedantic\":false,\"auth_token\":\"{secret}\"}}\r\n"
                );
                if role == Role::Listener {
                    hello += &format!("SUB {topic} 1\r\n");
                }
                hello += "PING\r\n";
                wire.say(hello.as_bytes()).await?;
                self.confirmed(&mut wire, NATS_PONG).await?;
            }
        }
        Ok(wire)
    }

    async fn confirmed(self, wire: &mut Wire, begin: &[u8]) -> Result<(), Error> {
        let mut refused = None;
        wire.until(|text| {
            refused = Dialect::Peer(self).refusal(text);
            refused.is_some() || text.starts_with(begin)
        })
        .await?;
        refused.map_or(Ok(()), |words| Err(Error::Broken(words)))
    }

    /// A text as it is said to a topic.
    #[must_use]
    pub fn said(self, topic: &str, text: &str) -> Vec<u8> {
        match self {
            Self::SocketIo | Self::SocketIoRedis => format!(r#"42["say","{text}"]"#).into_bytes(),
            Self::Nats => format!("PUB {topic} {}\r\n{text}\r\n", text.len()).into_bytes(),
            Self::Nchan => text.as_bytes().to_vec(),
        }
    }
}

impl Dialect {
    /// The answer to the question whether one is still there; nothing for other texts.
    #[must_use]
    pub(in crate::compare) fn answer(self, text: &[u8]) -> Option<&'static [u8]> {
        match self {
            Self::Switchboard => is_a(text, "beat").then_some(br#"{"type":"beat"}"#),
            Self::Peer(Peer::SocketIo | Peer::SocketIoRedis) => (text == b"2").then_some(b"3"),
            Self::Peer(Peer::Nats) => text.starts_with(NATS_PING).then_some(NATS_PONG),
            // It asks by pings of WebSocket, and only where it is told to.
            Self::Peer(Peer::Nchan) => None,
        }
    }

    /// What a text says where it refuses something.
    #[must_use]
    pub(in crate::compare) fn refusal(self, text: &[u8]) -> Option<String> {
        let is_one = match self {
            Self::Switchboard => is_a(text, "rejected") || is_a(text, "error"),
            Self::Peer(Peer::SocketIo | Peer::SocketIoRedis) => text.starts_with(b"44"),
            Self::Peer(Peer::Nats) => text.starts_with(b"-ERR"),
            Self::Peer(Peer::Nchan) => false,
        };
        is_one.then(|| String::from_utf8_lossy(text).into_owned())
    }

    /// Gives the moments when the messages in a text were due: NATS writes several in one.
    pub(in crate::compare) fn dues(self, text: &[u8], mut each: impl FnMut(Duration)) {
        if self == Self::Switchboard {
            due_of(text).into_iter().for_each(each);
            return;
        }
        let mut rest = std::str::from_utf8(text).unwrap_or_default();
        while let Some(at) = rest.find("load ") {
            rest = &rest[at..];
            if let Some((_, due)) = planned(rest) {
                each(due);
            }
            rest = &rest[1..];
        }
    }
}

/// What shows that a topic may be entered.
fn proof(secret: &str, topic: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.expect("a key of any length is a key for HMAC");
    mac.update(topic.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_in_a_text_tells_when_it_was_due() {
        let check = |dialect: Dialect, text: &[u8], expected: &[u128]| {
            let mut dues = Vec::new();
            dialect.dues(text, |due| dues.push(due.as_micros()));
            assert_eq!(dues, expected, "{dialect:?}");
        };
        let nats = b"MSG a 1 20\r\nload 7 due 5 xxx.\r\nMSG a 1 20\r\nload 8 due 6 xxx.\r\n";
        check(Dialect::Peer(Peer::Nats), nats, &[5, 6]);
        let said = br#"42["said","load 7 due 5700000 xxx."]"#;
        check(Dialect::Peer(Peer::SocketIo), said, &[5_700_000]);
        check(Dialect::Peer(Peer::Nchan), b"load 7 due 9 xxx.", &[9]);
        let typing = br#"{"type":"typing","text":"load 7 due 9 xxx."}"#;
        check(Dialect::Switchboard, typing, &[9]);
        check(Dialect::Switchboard, br#"{"type":"ack"}"#, &[]);
    }

    #[test]
    fn whoever_is_asked_whether_he_is_there_answers() {
        let check = |dialect: Dialect, text: &[u8], answer: Option<&[u8]>| {
            assert_eq!(dialect.answer(text), answer, "{dialect:?}");
        };
        check(Dialect::Peer(Peer::SocketIo), b"2", Some(b"3"));
        check(Dialect::Peer(Peer::SocketIoRedis), b"40", None);
        check(Dialect::Peer(Peer::Nats), b"PING\r\n", Some(b"PONG\r\n"));
        let beat = br#"{"type":"beat"}"#;
        check(Dialect::Switchboard, beat, Some(beat));
    }

    #[test]
    fn a_refusal_is_told_in_its_words() {
        let wrong = b"-ERR 'Authorization Violation'\r\n";
        let told = Dialect::Peer(Peer::Nats).refusal(wrong);
        assert_eq!(told.unwrap(), "-ERR 'Authorization Violation'\r\n");
        assert_eq!(Dialect::Peer(Peer::SocketIo).refusal(b"40{}"), None);
        let rejected = Dialect::Switchboard.refusal(br#"{"type":"rejected"}"#);
        assert!(rejected.is_some());
    }
}
