//! What is read of what comes from outside: good texts of each kind, and what must hold of any other. Here they are
//! fuzzed; `tests/tests/decoders.rs` spoils the good ones.

use http::{HeaderMap, HeaderValue, header};
use protocol::frame::ClientFrame;
use protocol::id::{EntryId, Id, SiteId, VisitorId, WorkspaceId};
use protocol::news::{AgentNews, VisitorNews};
use protocol::page::{Cursor, List};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cookie;
use super::identity::{self, SiteKeys};
use super::signing;
use super::token::{Claims, Tokens, VisitorClaims};

/// A time at which the good tokens are good.
pub(crate) const NOW_MS: u64 = 1_750_000_000_000;

/// The site's secret.
const SECRET: &str = "sbi_of_the_site";

/// Texts of one kind.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Good ones, and some that are nearly.
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Whether bytes are read. Panics where something does not hold.
    pub(crate) is_read: fn(&[u8]) -> bool,
}

/// Those that clients and pages say.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "client-frame",
        seeds: || [fixtures("client"), fixtures("command")].concat(),
        is_read: is_frame::<ClientFrame>,
    },
    Target {
        name: "visitor-frame",
        seeds: || fixtures("visitor"),
        is_read: is_frame::<VisitorNews>,
    },
    Target {
        name: "agent-frame",
        seeds: || fixtures("agent"),
        is_read: is_frame::<AgentNews>,
    },
    Target {
        name: "token",
        seeds: tokens,
        is_read: is_token,
    },
    Target {
        name: "identity",
        seeds: identities,
        is_read: is_identity,
    },
    Target {
        name: "signed-identity",
        seeds: claims_of_identities,
        is_read: is_signed_identity,
    },
    Target {
        name: "cookie",
        seeds: cookies,
        is_read: holds_cookie,
    },
    Target {
        name: "cursor",
        seeds: || vec![cursor().text(List::Inbox).into_bytes()],
        is_read: is_cursor,
    },
];

fn fixtures(folder: &str) -> Vec<Vec<u8>> {
    // Two packages read this file, one below the other.
    let package = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut roots = package.ancestors().map(|one| one.join("protocol/fixtures"));
    let root = roots.find(|one| one.is_dir());
    let folder = root.expect("the fixtures are there").join(folder);
    let entries = std::fs::read_dir(folder).expect("the fixtures are there");
    let mut paths: Vec<_> = entries
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

fn tokens() -> Vec<Vec<u8>> {
    let good = Tokens::new([7; 32]).sign(&claims());
    let other = Tokens::new([8; 32]).sign(&claims());
    vec![good.into_bytes(), other.into_bytes()]
}

/// A token that was spoilt says nothing else.
fn is_token(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let tokens = Tokens::new([7; 32]);
    let read = tokens.read(text, NOW_MS);
    assert!(read.as_ref().is_ok_and(|read| *read == claims()) || read.is_err());
    let renewed = tokens.read_for_renewal(text, NOW_MS);
    assert!(
        renewed.is_err() || read.is_ok(),
        "no more may be renewed than read"
    );
    read.is_ok()
}

fn prove(text: &str) -> Option<identity::Proved> {
    let keys = SiteKeys {
        secrets: vec![SECRET.as_bytes().to_vec()],
        public_keys: Vec::new(),
    };
    identity::prove(text, SiteId::from_bits(2), &keys, NOW_MS).ok()
}

fn identities() -> Vec<Vec<u8>> {
    let site_id = SiteId::from_bits(2);
    let exp_s = NOW_MS / 1_000 + 600;
    let texts = [
        signing::identity(SECRET, site_id, "ana", NOW_MS),
        signing::web_token(SECRET, "HS256", "ana", exp_s),
        signing::web_token(SECRET, "none", "eve", exp_s),
        signing::identity("another secret", site_id, "eve", NOW_MS),
    ];
    texts.map(String::into_bytes).to_vec()
}

/// An identity that was spoilt proves nobody else.
fn is_identity(bytes: &[u8]) -> bool {
    let proved = std::str::from_utf8(bytes).ok().and_then(prove);
    assert!(proved.as_ref().is_none_or(|one| one.customer_id == "ana"));
    proved.is_some()
}

fn claims_of_identities() -> Vec<Vec<u8>> {
    let (site_key, exp) = (SiteId::from_bits(2), NOW_MS / 1_000 + 600);
    let texts = [
        format!(r#"{{"site_key":"{site_key}","customer":{{"id":"ana"}},"iat":1,"exp":{exp}}}"#),
        format!(
            r#"{{"site_key":"{site_key}","customer":{{"id":"ana","email":"a@example.com","name":"Ana"}},"exp":{exp}}}"#
        ),
    ];
    texts.map(String::into_bytes).to_vec()
}

/// Whatever a site signs is an identity or is refused; one has a name that a contact can have.
fn is_signed_identity(bytes: &[u8]) -> bool {
    let proved = prove(&signing::sealed(SECRET, bytes));
    assert!(
        proved
            .as_ref()
            .is_none_or(|one| !one.customer_id.is_empty())
    );
    proved.is_some()
}

fn cookies() -> Vec<Vec<u8>> {
    let lines = [
        "switchboard_session=sbs_ana",
        "theme=gr\u{fc}n; switchboard_session=sbs_ana; _ga=GA1.2.3",
        "__Host-switchboard_session=sbs_eve; my_switchboard_session=sbs_eve;switchboard_session=",
    ];
    lines.map(|line| line.as_bytes().to_vec()).to_vec()
}

/// The session's cookie in a line of cookies.
fn session_in(line: &[u8]) -> Option<Option<String>> {
    let line = HeaderValue::from_bytes(line).ok()?;
    let headers = HeaderMap::from_iter([(header::COOKIE, line)]);
    Some(cookie::find(&headers, "switchboard_session").map(str::to_owned))
}

/// A cookie is read whole or not at all, and others do not hide it.
fn holds_cookie(bytes: &[u8]) -> bool {
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
}

fn cursor() -> Cursor<EntryId> {
    Cursor {
        at_ms: NOW_MS,
        id: EntryId::from_bits(5),
    }
}

/// A place in a list that is read says the same when it is written and read again.
fn is_cursor(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let Ok(read) = Cursor::<EntryId>::read(text, List::Inbox) else {
        return false;
    };
    assert_eq!(Cursor::read(&read.text(List::Inbox), List::Inbox), Ok(read));
    true
}
