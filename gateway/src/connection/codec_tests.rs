//! What the decoder reads is what the library reads, wherever the bytes are cut.

use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};
use world::{Clock, Ids};

use super::*;
use crate::connection::wire;

#[path = "codec_oracle.rs"]
mod oracle;

use oracle::{Brought, Outcome, check, frame, ours};

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
