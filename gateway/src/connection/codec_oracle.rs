//! The library that reads the same bytes as the decoder. The fuzzer asks it too (`tests/fuzz`).

use std::io::{self, Read, Write};

use protocol::limit;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

use super::{Broken, Decoder, Said};

/// What was read of some bytes: everything whole, and whether it goes on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) said: Vec<Said>,
    pub(crate) is_broken: bool,
}

/// A frame of a client.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let mut bytes = vec![first];
    if let Ok(length @ 0..=125) = u8::try_from(payload.len()) {
        bytes.push(0x80 | length);
    } else if let Ok(length) = u16::try_from(payload.len()) {
        bytes.push(0x80 | 126);
        bytes.extend_from_slice(&length.to_be_bytes());
    } else {
        bytes.push(0x80 | 127);
        bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    }
    bytes.extend_from_slice(&mask);
    let masked = payload.iter().zip(mask.iter().cycle());
    bytes.extend(masked.map(|(byte, mask)| byte ^ mask));
    bytes
}

pub(crate) fn ours(bytes: &[u8], step: usize) -> Outcome {
    let mut decoder = Decoder::default();
    let mut said = Vec::new();
    for piece in bytes.chunks(step) {
        decoder.feed(piece);
        loop {
            match decoder.next() {
                Ok(Some(one)) => {
                    let is_over = matches!(one, Said::Close(_));
                    said.push(one);
                    if is_over {
                        let is_broken = false;
                        return Outcome { said, is_broken };
                    }
                }
                Ok(None) => break,
                Err(Broken::Wire | Broken::Flood) => {
                    let is_broken = true;
                    return Outcome { said, is_broken };
                }
            }
        }
    }
    let is_broken = false;
    Outcome { said, is_broken }
}

/// A line that has brought some bytes, brings no more for now, and takes everything.
pub(crate) struct Brought<'a>(pub(crate) &'a [u8]);

impl Read for Brought<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Brought<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn theirs(bytes: &[u8]) -> Outcome {
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(limit::FRAME_BYTES_MAX);
    config.max_frame_size = Some(limit::FRAME_BYTES_MAX);
    let mut socket = WebSocket::from_raw_socket(Brought(bytes), Role::Server, Some(config));
    let mut said = Vec::new();
    let is_broken = loop {
        said.push(match socket.read() {
            Ok(Message::Text(text)) => Said::Text(text.as_bytes().to_vec()),
            Ok(Message::Binary(_)) => Said::Binary,
            Ok(Message::Ping(payload)) => Said::Ping(payload.to_vec()),
            Ok(Message::Pong(_)) => Said::Pong,
            Ok(Message::Close(_)) => {
                said.push(Said::Close(Vec::new()));
                break false;
            }
            Ok(Message::Frame(_)) => unreachable!("frames are only written"),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => break false,
            Err(_) => break true,
        });
    };
    Outcome { said, is_broken }
}

/// Both read the same; of a close it counts that it is one, for the library replaces some codes. Ours may
/// know from its head that a frame is wrong: then the library finds it too, once the frame is whole.
pub(crate) fn check(bytes: &[u8]) {
    let mut expected = theirs(bytes);
    if ours(bytes, bytes.len().max(1)).is_broken && !expected.is_broken {
        expected = theirs(&[bytes, &[0; limit::FRAME_BYTES_MAX]].concat());
    }
    for step in [1, 3, 17, 4_096, bytes.len().max(1)] {
        let mut outcome = ours(bytes, step);
        for said in &mut outcome.said {
            if let Said::Close(payload) = said {
                payload.clear();
            }
        }
        assert_eq!(outcome, expected, "in steps of {step}: {bytes:02x?}");
    }
}
