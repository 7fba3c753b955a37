//! What the decoder reads is what the library reads, wherever the bytes are cut.

use std::io::{self, Read, Write};

use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};
use world::{Clock, Ids};

use super::*;
use crate::connection::wire;

/// What was read of some bytes: everything whole, and whether it goes on.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    said: Vec<Said>,
    is_broken: bool,
}

/// A frame of a client.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
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

fn ours(bytes: &[u8], step: usize) -> Outcome {
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
struct Brought<'a>(&'a [u8]);

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
fn check(bytes: &[u8]) {
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

#[test]
fn every_kind_of_frame_is_read_as_the_library_reads_it() {
    let long = "x".repeat(limit::FRAME_BYTES_MAX);
    let texts: [&[u8]; 6] = [
        b"",
        b"a",
        &[b'b'; 125],
        &[b'c'; 126],
        &[b'd'; 300],
        long.as_bytes(),
    ];
    for text in texts {
        check(&frame(0x81, text));
        check(&[frame(0x81, text), frame(0x82, text)].concat());
    }
    let too_long = format!("{long}x");
    check(&frame(0x81, too_long.as_bytes()));
    check(&[frame(0x01, long.as_bytes()), frame(0x80, b"x")].concat());
    for first in 0..=255 {
        for payload in [&b""[..], b"\x03\xe8", b"\x03\xe8bye", b"\x03", &[b'p'; 126]] {
            check(&[frame(first, payload), frame(0x81, b"after")].concat());
            check(&[frame(0x01, b"begun "), frame(first, payload)].concat());
        }
    }
    check(&[0x81, 0x02, b'h', b'i']);
    check(&[
        0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
    ]);
}

#[test]
fn a_text_is_one_also_where_a_letter_is_cut_between_fragments() {
    for text in ["grün", "日本", "🙂"] {
        let bytes = text.as_bytes();
        for cut in 0..=bytes.len() {
            let ping = frame(0x89, b"between");
            check(&[frame(0x01, &bytes[..cut]), ping, frame(0x80, &bytes[cut..])].concat());
            check(&[frame(0x81, &bytes[..cut])].concat());
        }
    }
    check(&frame(0x01, b"\xff"));
    check(&frame(0x88, b"\x03\xe8\xff"));
}

#[test]
fn whatever_comes_is_read_as_the_library_reads_it() {
    let ids = Ids::seeded(7, Clock::manual(0));
    let pick = |end: usize| usize::try_from(ids.below(end as u64)).unwrap();
    for _ in 0..3_000 {
        let mut bytes = Vec::new();
        for _ in 0..=pick(5) {
            let first = [0x81, 0x01, 0x00, 0x80, 0x82, 0x89, 0x8a, 0x88][pick(8)];
            let length = [0, 1, 2, 7, 125, 126, 200][pick(7)];
            let letter = [b'a', 0xc3, 0xbc, 0x03][pick(4)];
            bytes.extend(frame(first, &vec![letter; length]));
        }
        if pick(3) == 0 {
            let at = pick(bytes.len());
            bytes[at] ^= 1 << pick(8);
        }
        bytes.truncate(bytes.len() - pick(2) * pick(bytes.len()));
        check(&bytes);
    }
}

/// What a client is answered who closes, as the library reads it.
fn echo(said: &Said) -> Option<Message> {
    let Said::Close(code) = said else {
        return None;
    };
    let bytes = wire::control_frame(wire::CLOSE, code);
    let mut socket = WebSocket::from_raw_socket(Brought(&bytes), Role::Client, None);
    Some(socket.read().expect("an answer that can be read"))
}

#[test]
fn every_close_is_read_as_the_library_reads_it_and_answered_by_its_code() {
    for code in 0..=5_100_u16 {
        let bytes = frame(0x88, &[&code.to_be_bytes()[..], b"bye"].concat());
        check(&bytes);
        let Outcome { said, .. } = ours(&bytes, bytes.len());
        assert_eq!(said, [Said::Close(code.to_be_bytes().to_vec())]);
        assert!(
            matches!(echo(&said[0]), Some(Message::Close(Some(_)))),
            "{code}"
        );
    }
    let ids = Ids::seeded(7, Clock::manual(0));
    let pick = |end: usize| usize::try_from(ids.below(end as u64)).unwrap();
    let reasons = [
        "",
        "bye",
        "grün",
        "\u{10ffff}",
        "\0",
        "zu lang für einen Rahmen, der nur steuert: ",
    ];
    for _ in 0..5_000 {
        let mut payload = 4_000_u16.to_be_bytes().to_vec();
        for _ in 0..=pick(4) {
            payload.extend(reasons[pick(reasons.len())].as_bytes());
        }
        for _ in 0..=pick(2) {
            let at = pick(payload.len());
            payload[at] ^= 1 << pick(8);
        }
        payload.truncate(payload.len() - pick(2) * pick(payload.len()));
        let bytes = frame(0x88, &payload);
        check(&[&bytes[..], &frame(0x81, b"after")].concat());
        if let [said] = &ours(&bytes, bytes.len()).said[..] {
            assert!(
                matches!(echo(said), Some(Message::Close(_))),
                "{payload:02x?}"
            );
        }
    }
}

#[test]
fn a_decoder_at_rest_holds_nothing() {
    let mut decoder = Decoder::default();
    decoder.feed(&frame(0x81, &[b'x'; 1_000]));
    assert_eq!(decoder.next(), Ok(Some(Said::Text(vec![b'x'; 1_000]))));
    assert_eq!(decoder.next(), Ok(None));
    assert_eq!(decoder.bytes.capacity(), 0);
    assert!(decoder.open.is_none());
}

/// What ends the reading of a text, control frames apart.
fn past_asides(decoder: &mut Decoder) -> Result<Option<Said>, Broken> {
    loop {
        match decoder.next() {
            Ok(Some(Said::Ping(_) | Said::Pong)) => {}
            other => return other,
        }
    }
}

#[test]
fn so_much_comes_beside_a_text_and_no_more() {
    let [ping, begun, empty] = [frame(0x89, b""), frame(0x01, b"a"), frame(0x00, b"")];
    let pings = ping.repeat(limit::ASIDES_MAX);
    let fragments = [begun, empty.repeat(limit::ASIDES_MAX - 1)].concat();
    for (allowed, end, more) in [
        (&pings, frame(0x81, b"a"), &ping),
        (&fragments, frame(0x80, b""), &empty),
    ] {
        let mut decoder = Decoder::default();
        for _ in 0..2 {
            decoder.feed(&[&allowed[..], &end].concat());
            let said = past_asides(&mut decoder);
            assert_eq!(said, Ok(Some(Said::Text(b"a".to_vec()))));
        }
        decoder.feed(allowed);
        assert_eq!(past_asides(&mut decoder), Ok(None));
        decoder.feed(more);
        assert_eq!(past_asides(&mut decoder), Err(Broken::Flood));
    }
}

#[test]
fn a_close_tells_its_code() {
    let mut decoder = Decoder::default();
    decoder.feed(&frame(0x88, b"\x03\xe8bye"));
    assert_eq!(decoder.next(), Ok(Some(Said::Close(vec![3, 0xe8]))));
}
