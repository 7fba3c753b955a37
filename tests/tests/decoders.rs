//! Whatever comes from outside is read or refused, and never ends in a panic: good texts of every kind, spoilt
//! in every way. What is read says the same when it is written and read again.
//!
//! The sockets' own frames, and with what they are closed, are compared with the library's in
//! `gateway/src/connection/codec_tests.rs`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use gateway::browser::Place;
use gateway::cookie;
use gateway::identity::{self, SiteKeys};
use gateway::token::{Claims, Tokens, VisitorClaims};
use http::{HeaderMap, HeaderValue, header};
use protocol::frame::ClientFrame;
use protocol::id::{EntryId, Id, SiteId, VisitorId, WorkspaceId};
use protocol::network::Network;
use protocol::news::{AgentNews, VisitorNews};
use protocol::page::{Cursor, List};
use serde::Serialize;
use serde::de::DeserializeOwned;
use world::{Clock, Ids};

/// Spoilt texts of each kind. `SWITCHBOARD_FUZZ_CASES` asks for others.
const CASE_COUNT: u64 = 20_000;

/// A time at which the good tokens are good.
const NOW_MS: u64 = 1_750_000_000_000;

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

fn fixtures(folder: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/fixtures");
    let entries = std::fs::read_dir(root.join(folder)).expect("the fixtures are there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder is readable").path())
        .collect();
    paths.sort();
    let texts = paths.iter().map(std::fs::read);
    texts
        .map(|text| text.expect("a fixture is readable"))
        .collect()
}

/// Whether bytes are a frame; one that is says the same when it is written and read again.
fn is_frame<T>(bytes: &[u8]) -> bool
where
    T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug,
{
    let Ok(frame) = serde_json::from_slice::<T>(bytes) else {
        return false;
    };
    let written = serde_json::to_string(&frame).expect("a frame is always JSON");
    let again: T = serde_json::from_str(&written).expect("what we write we read");
    assert_eq!(again, frame, "{written}");
    true
}

#[test]
fn frames_of_clients_are_read_or_refused() {
    let good = [fixtures("client"), fixtures("command")].concat();
    assert!(good.iter().any(|text| is_frame::<ClientFrame>(text)));
    let read_count = try_all(&Spoiler::new(good), is_frame::<ClientFrame>);
    assert!(read_count > 0, "some are still frames");
}

#[test]
fn frames_to_visitors_are_read_or_refused() {
    let spoiler = Spoiler::new(fixtures("visitor"));
    assert!(try_all(&spoiler, is_frame::<VisitorNews>) > 0);
}

#[test]
fn frames_to_agents_are_read_or_refused() {
    let spoiler = Spoiler::new(fixtures("agent"));
    assert!(try_all(&spoiler, is_frame::<AgentNews>) > 0);
}

fn claims() -> Claims {
    Claims::Visitor(VisitorClaims {
        workspace_id: WorkspaceId::from_bits(1),
        site_id: SiteId::from_bits(2),
        visitor_id: VisitorId::from_bits(3),
        contact_id: None,
        generation: 4,
        expires_at_ms: NOW_MS + 1_000,
    })
}

#[test]
fn a_token_that_was_spoilt_says_nothing_else() {
    let tokens = Tokens::new([7; 32]);
    let good = tokens.sign(&claims());
    assert_eq!(tokens.read(&good, NOW_MS), Ok(claims()));
    let other = Tokens::new([8; 32]).sign(&claims());
    let spoiler = Spoiler::new(vec![good.into_bytes(), other.into_bytes()]);
    try_all(&spoiler, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return false;
        };
        let read = tokens.read(text, NOW_MS);
        assert!(read.as_ref().is_ok_and(|read| *read == claims()) || read.is_err());
        let renewed = tokens.read_for_renewal(text, NOW_MS);
        assert!(
            renewed.is_err() || read.is_ok(),
            "no more may be renewed than read"
        );
        read.is_ok()
    });
}

#[test]
fn an_identity_that_was_spoilt_proves_nobody_else() {
    let site_id = SiteId::from_bits(2);
    let secret = "sbi_of_the_site";
    let exp_s = NOW_MS / 1_000 + 600;
    let good = [
        tests::signing::identity(secret, site_id, "ana", NOW_MS),
        tests::signing::web_token(secret, "HS256", "ana", exp_s),
        tests::signing::web_token(secret, "none", "eve", exp_s),
        tests::signing::identity("another secret", site_id, "eve", NOW_MS),
    ];
    let keys = SiteKeys {
        secrets: vec![secret.as_bytes().to_vec()],
        public_keys: Vec::new(),
    };
    let is_ana = |text: &str| {
        let proved = identity::prove(text, site_id, &keys, NOW_MS);
        assert!(proved.as_ref().is_ok_and(|one| one.customer_id == "ana") || proved.is_err());
        proved.is_ok()
    };
    assert!(is_ana(&good[0]) && !is_ana(&good[2]) && !is_ana(&good[3]));
    let spoiler = Spoiler::new(good.map(String::into_bytes).to_vec());
    try_all(&spoiler, |bytes| {
        std::str::from_utf8(bytes).is_ok_and(is_ana)
    });
}

/// The session's cookie in a line of cookies.
fn session_in(line: &[u8]) -> Option<Option<String>> {
    let line = HeaderValue::from_bytes(line).ok()?;
    let headers = HeaderMap::from_iter([(header::COOKIE, line)]);
    Some(cookie::find(&headers, "switchboard_session").map(str::to_owned))
}

#[test]
fn a_cookie_is_read_whole_or_not_at_all_and_others_do_not_hide_it() {
    let good = [
        "switchboard_session=sbs_ana",
        "theme=gr\u{fc}n; switchboard_session=sbs_ana; _ga=GA1.2.3",
        "__Host-switchboard_session=sbs_eve; my_switchboard_session=sbs_eve;switchboard_session=",
    ];
    let good = good.map(|text| text.as_bytes().to_vec());
    let read_count = try_all(&Spoiler::new(good.to_vec()), |bytes| {
        let Some(found) = session_in(bytes) else {
            return false;
        };
        if let Some(secret) = &found {
            let pair = format!("switchboard_session={secret}");
            let mut pairs = bytes.split(|byte| *byte == b';');
            assert!(pairs.any(|one| one.trim_ascii() == pair.as_bytes()));
        }
        let own = [bytes, b"; switchboard_session=sbs_own"].concat();
        let beside = session_in(&own).expect("a line may be longer");
        assert_eq!(beside, found.clone().or(Some("sbs_own".to_owned())));
        found.is_some()
    });
    assert!(read_count > 0, "some still hold one");
}

#[test]
fn a_place_in_a_list_is_read_or_refused() {
    let cursor = Cursor {
        at_ms: NOW_MS,
        id: EntryId::from_bits(5),
    };
    let list = List::Inbox;
    let good = cursor.text(list);
    try_texts(&[&good], |text| {
        let read = Cursor::<EntryId>::read(text, list);
        read.is_ok_and(|read| Cursor::read(&read.text(list), list) == Ok(read))
    });
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
