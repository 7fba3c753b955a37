//! Whatever comes from outside is read or refused, and never ends in a panic: good texts of every kind, spoilt
//! in every way. What is read says the same when it is written and read again.
//!
//! What must hold of each kind stands in `tests/fuzz/target.rs`, for the fuzzer asks the same. The sockets' own frames,
//! and with what they are closed, are compared with the library's in `gateway/src/connection/codec_tests.rs`.

#[path = "../fuzz/target.rs"]
mod target;

use std::net::IpAddr;

use gateway::browser::Place;
use gateway::{cookie, identity, token};
use protocol::network::Network;
use target::{NOW_MS, TARGETS};
use tests::signing;
use world::{Clock, Ids};

/// Spoilt texts of each kind. `SWITCHBOARD_FUZZ_CASES` asks for others.
const CASE_COUNT: u64 = 20_000;

/// What texts are spoilt with: what parsers trip over.
const SPLINTERS: &[&str] = &[
    "null",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "-1",
    "1e999",
    "18446744073709551616",
    "\\ud800",
    "\\u0000",
    "\u{0}",
    "\u{feff}",
    "é",
    "\u{10ffff}",
    ".",
    "..",
    "=",
    "true",
    "{\"type\":\"beat\"}",
];

struct Spoiler {
    dice: Ids,
    good: Vec<Vec<u8>>,
}

impl Spoiler {
    fn new(good: Vec<Vec<u8>>) -> Self {
        assert!(!good.is_empty(), "there is something to spoil");
        Self {
            dice: Ids::seeded(7, Clock::manual(NOW_MS)),
            good,
        }
    }

    fn below(&self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a length fits");
        usize::try_from(self.dice.below(end)).expect("below a length")
    }

    fn any_good(&self) -> &[u8] {
        &self.good[self.below(self.good.len())]
    }

    /// A good text, changed in one to four places.
    fn spoilt(&self) -> Vec<u8> {
        let mut text = self.any_good().to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(text.len() + 1);
            let end = (at + 1 + self.below(8)).min(text.len());
            match self.below(7) {
                0 if at < text.len() => text[at] ^= 1 << self.below(8),
                1 if at < text.len() => text[at] = u8::try_from(self.below(256)).expect("a byte"),
                2 if at < text.len() => drop(text.drain(at..end)),
                3 => text.truncate(at),
                4 => {
                    let splinter = SPLINTERS[self.below(SPLINTERS.len())];
                    text.splice(at..at, splinter.bytes());
                }
                5 if at < text.len() => {
                    let again = text[at..end].to_vec();
                    text.splice(at..at, again);
                }
                _ => {
                    let other = self.any_good();
                    let from = self.below(other.len() + 1);
                    text.truncate(at);
                    text.extend_from_slice(&other[from..]);
                }
            }
        }
        text
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how many cases to try is asked for where the test is started"
)]
fn case_count() -> u64 {
    let asked = std::env::var("SWITCHBOARD_FUZZ_CASES");
    asked
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(CASE_COUNT)
}

/// Tries spoilt texts and gives how many were read all the same.
fn try_all(spoiler: &Spoiler, is_read: impl Fn(&[u8]) -> bool) -> usize {
    let cases = (0..case_count()).filter(|_| is_read(&spoiler.spoilt()));
    cases.count()
}

/// As above, for what is read from texts alone.
fn try_texts(good: &[&str], is_read: impl Fn(&str) -> bool) -> usize {
    let good = good.iter().map(|text| text.as_bytes().to_vec());
    try_all(&Spoiler::new(good.collect()), |bytes| {
        std::str::from_utf8(bytes).is_ok_and(&is_read)
    })
}

/// Every target of the fuzzer, those too that no other crate may read.
#[test]
fn what_is_fuzzed_reads_what_it_begins_with() {
    let read = std::process::Command::new(env!("CARGO_BIN_EXE_fuzz-seeds")).output();
    let read = read.expect("it was built beside this test");
    let said = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{said}");
}

#[test]
fn whatever_is_said_is_read_or_refused() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(
            seeds.iter().any(|one| (target.is_read)(one)),
            "{}",
            target.name
        );
        let read_count = try_all(&Spoiler::new(seeds), target.is_read);
        // Of what is signed, nothing is when it was spoilt.
        let is_signed = ["token", "identity"].contains(&target.name);
        assert!(
            read_count > 0 || is_signed,
            "some are still a {}",
            target.name
        );
    }
}

#[test]
fn what_browsers_say_of_themselves_is_taken_as_it_is() {
    let good = [
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
    ];
    try_texts(&good, |text| {
        let browser = gateway::browser::of_user_agent(text, Place::default());
        !browser.name.is_empty()
    });
    try_texts(&["en-GB,en;q=0.9,de;q=0.8", "uk", "zh-Hant-TW"], |text| {
        gateway::browser::tag(Some(text)).is_some()
    });
}

#[test]
fn a_network_of_addresses_is_read_or_refused() {
    let good = [
        "10.0.0.0/8",
        "192.168.1.7",
        "2001:db8::/32",
        "::ffff:10.0.0.1/104",
    ];
    let read_count = try_texts(&good, |text| {
        let read: Result<Network, _> = text.parse();
        read.is_ok_and(|network| {
            // Whatever its length is, nobody counts beyond the end of an address.
            let addresses = [IpAddr::from([10, 0, 0, 1]), IpAddr::from([0; 16])];
            addresses.iter().filter(|one| network.has(**one)).count() < 2
        })
    });
    assert!(read_count > 0, "some are still networks");
}

#[test]
fn a_configuration_is_read_or_refused() {
    let good = [
        "[http]\naddress = \"127.0.0.1:8080\"\n",
        "[database]\nurl = \"sqlite:data/switchboard.db\"\ntimeout_ms = 5000\n",
        "[tls]\ncertificate = 'a.pem'\nkey = 'b.pem'\n[retention]\ndays = 1_0\n",
        "a = [1, 2.5, 1979-05-27T07:32:00Z, { b = \"\"\"c\"\"\" }]\n[[d]]\n",
    ];
    try_texts(&good, |text| server::Config::parse(text).is_ok());
}
