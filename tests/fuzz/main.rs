//! Coverage-guided fuzzing of whatever reads what comes from outside: `ops/fuzz`.
//!
//! The decoders' own files are read a second time here, so that the rest of the gateway and of the bus, and what they
//! are built of, is neither compiled nor watched. Where nobody fuzzes, the same is a program that hands every target its
//! seeds; `tests/tests/decoders.rs` runs it.

#![cfg_attr(fuzzing, no_main)]
#![expect(
    unreachable_pub,
    reason = "the files are written for crates that others use"
)]

use bytes::Bytes;
use connection::codec_oracle;
use gateway::{cookie, identity, token};
use target::{TARGETS, Target};

#[path = "../../bus/src"]
mod bus {
    pub(crate) mod envelope;
}
#[path = "../../gateway/src"]
#[expect(dead_code, reason = "the gateway uses more of them")]
mod gateway {
    pub(crate) mod cookie;
    pub(crate) mod identity;
    pub(crate) mod token;
}
#[path = "../../gateway/src/connection"]
#[expect(dead_code, reason = "the gateway uses more of them")]
mod connection {
    use codec::{Broken, Decoder, Said};

    pub(crate) mod codec;
    pub(crate) mod codec_oracle;
}
#[path = "../src/signing.rs"]
mod signing;
mod target;

/// Those that no other crate may read.
const OWN: &[Target] = &[
    Target {
        name: "socket",
        seeds: sockets,
        is_read: |bytes| {
            codec_oracle::check(bytes);
            true
        },
    },
    Target {
        name: "close",
        seeds: || vec![b"\x03\xe8bye".to_vec(), b"\x10\x04gr\xc3\xbcn".to_vec()],
        is_read: |reason| {
            codec_oracle::check(&codec_oracle::frame(0x88, reason));
            true
        },
    },
    Target {
        name: "envelope",
        seeds: || vec![sealed(&envelope())],
        is_read: is_envelope,
    },
];

const TOPIC: &str = "workspace:1";

fn sockets() -> Vec<Vec<u8>> {
    let frames = [
        codec_oracle::frame(0x81, br#"{"type":"beat"}"#),
        codec_oracle::frame(0x01, b"gr\xc3"),
        codec_oracle::frame(0x89, b"?"),
        codec_oracle::frame(0x80, b"\xbcn"),
        codec_oracle::frame(0x82, &[b'b'; 126]),
        codec_oracle::frame(0x88, b"\x03\xe8bye"),
    ];
    [frames.to_vec(), vec![frames.concat()]].concat()
}

fn seal() -> bus::envelope::Seal {
    bus::envelope::Seal::new(b"key")
}

fn envelope() -> bus::envelope::Envelope {
    bus::envelope::Envelope {
        sender: 7 << 90,
        number: 3,
        news: Bytes::from_static(b"news"),
    }
}

fn sealed(envelope: &bus::envelope::Envelope) -> Vec<u8> {
    seal().wrap(TOPIC, envelope)
}

/// What is opened is what was wrapped, and says so before it is opened.
fn is_envelope(bytes: &[u8]) -> bool {
    let alleged = bus::envelope::alleged_sender(bytes);
    let Ok(envelope) = seal().open(TOPIC, Bytes::copy_from_slice(bytes)) else {
        return false;
    };
    assert_eq!(alleged, Some(envelope.sender));
    assert_eq!(sealed(&envelope), bytes);
    true
}

fn all() -> impl Iterator<Item = &'static Target> {
    TARGETS.iter().chain(OWN)
}

/// Hands every target its seeds: each must read one of them, and nothing may fail to hold of any.
#[cfg(not(fuzzing))]
fn main() {
    for target in all() {
        let seeds = (target.seeds)();
        let read_count = seeds.iter().filter(|seed| (target.is_read)(seed)).count();
        assert!(read_count > 0, "{} reads none of its seeds", target.name);
    }
}

/// The one that `SWITCHBOARD_FUZZ_TARGET` names. Its seeds are laid where `SWITCHBOARD_FUZZ_SEEDS` says.
#[cfg(fuzzing)]
fn chosen() -> &'static Target {
    static CHOSEN: std::sync::OnceLock<&Target> = std::sync::OnceLock::new();
    CHOSEN.get_or_init(|| {
        let name = std::env::var("SWITCHBOARD_FUZZ_TARGET").unwrap_or_default();
        let target = all().find(|one| one.name == name).unwrap_or_else(|| {
            let names: Vec<_> = all().map(|one| one.name).collect();
            panic!("SWITCHBOARD_FUZZ_TARGET is none of {names:?}")
        });
        if let Some(folder) = std::env::var_os("SWITCHBOARD_FUZZ_SEEDS") {
            for (number, seed) in (target.seeds)().into_iter().enumerate() {
                let file = std::path::Path::new(&folder).join(format!("seed-{number}"));
                std::fs::write(file, seed).expect("a seed can be written");
            }
        }
        target
    })
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(
    init: {
        chosen();
    },
    |bytes: &[u8]| {
        (chosen().is_read)(bytes);
    }
);
