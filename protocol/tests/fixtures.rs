//! Every frame has a fixture, and every fixture is exactly what the types write.
//!
//! The files are shared with the documentation and the browser's tests. A file is named after its
//! variant; a word after a dot tells several of one variant apart (`entry.note.json`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use protocol::attachment::Attachment;
use protocol::command::Command;
use protocol::entry::{Content, VisitorContent};
use protocol::frame::{ClientFrame, StreamRequest};
use protocol::news::{AgentNews, VisitorNews};
use protocol::rejection::Problem;
use protocol::setup::SocketToken;
use protocol::widget::{NewVisitorSession, VisitorHistory, VisitorSession};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Lists the variants of an enum with their words. The `match` does not compile while a variant is
/// missing, so none can be forgotten.
macro_rules! variants {
    ($list:ident, $word_of:ident, $enum:ident { $($variant:ident = $word:literal)* }) => {
        const $list: &[&str] = &[$($word),*];

        fn $word_of(value: &$enum) -> &'static str {
            match value { $($enum::$variant { .. } => $word,)* }
        }
    };
}

variants! { CLIENT_FRAMES, client_frame, ClientFrame {
    Hello = "hello" Command = "command" Follow = "follow" Unfollow = "unfollow" Watch = "watch"
    Unwatch = "unwatch" Typing = "typing" Viewing = "viewing" Read = "read" Page = "page"
    Activity = "activity" Track = "track" Availability = "availability" Screen = "screen"
    Beat = "beat"
} }

variants! { VISITOR_NEWS, visitor_news, VisitorNews {
    Welcome = "welcome" Ack = "ack" Rejected = "rejected" Conversation = "conversation"
    Entry = "entry" Entries = "entries" Typing = "typing" Marks = "marks" Unread = "unread"
    Staff = "staff" Config = "config" Beat = "beat" GoingAway = "going_away" Error = "error"
} }

variants! { AGENT_NEWS, agent_news, AgentNews {
    Welcome = "welcome" Ack = "ack" Rejected = "rejected" Entry = "entry" Entries = "entries"
    Typing = "typing" Marks = "marks" Viewing = "viewing" Conversation = "conversation"
    Inbox = "inbox" InboxChanges = "inbox_changes" Read = "read" Visitors = "visitors"
    VisitorChanges = "visitor_changes" VisitorPresence = "visitor_presence" Team = "team"
    TeamPresence = "team_presence"
    Contact = "contact" Changed = "changed" Beat = "beat" GoingAway = "going_away" Error = "error"
} }

variants! { COMMANDS, command, Command {
    SendMessage = "send_message" AddNote = "add_note" EditMessage = "edit_message"
    DeleteMessage = "delete_message" Identify = "identify"
    StartConversation = "start_conversation" Assign = "assign" Move = "move" Join = "join"
    Leave = "leave" Snooze = "snooze" Close = "close" Reopen = "reopen"
    Prioritize = "prioritize" MarkSpam = "mark_spam" BlockVisitor = "block_visitor"
} }

variants! { CONTENTS, content, Content {
    Message = "message" Note = "note" Edited = "edited" Deleted = "deleted" Joined = "joined"
    Left = "left" Assigned = "assigned" Moved = "moved" Snoozed = "snoozed"
    Reopened = "reopened" Closed = "closed" Prioritized = "prioritized"
    SpamMarked = "spam_marked" VisitorBlocked = "visitor_blocked"
} }

variants! { VISITOR_CONTENTS, visitor_content, VisitorContent {
    Message = "message" Edited = "edited" Deleted = "deleted" Joined = "joined" Left = "left"
    Reopened = "reopened" Closed = "closed"
} }

/// The fixtures of a folder by file name without `.json`.
fn fixtures(folder: &str) -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(folder);
    let paths = fs::read_dir(&folder).expect("the folder exists");
    let read = |path: PathBuf| {
        let name = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy();
        let text = fs::read_to_string(&path).expect("a fixture can be read");
        let value = serde_json::from_str(&text).expect("a fixture is JSON");
        (name.into_owned(), value)
    };
    paths
        .map(|entry| read(entry.expect("the folder can be read").path()))
        .collect()
}

/// Decodes, re-encodes and compares one value.
fn round_trip<T: DeserializeOwned + Serialize>(name: &str, value: &Value) -> T {
    let decoded: T = serde_json::from_value(value.clone())
        .unwrap_or_else(|error| panic!("{name} does not decode: {error}"));
    let encoded = serde_json::to_value(&decoded).expect("a frame can be written");
    assert_eq!(&encoded, value, "{name} is written differently");
    decoded
}

/// Checks a folder: every file round-trips and bears its variant's name, every variant has a file.
fn check<T: DeserializeOwned + Serialize>(
    folder: &str,
    words: &[&str],
    word_of: fn(&T) -> &'static str,
) {
    let mut seen = BTreeSet::new();
    for (name, value) in fixtures(folder) {
        let word = word_of(&round_trip::<T>(&name, &value));
        assert_eq!(
            name.split('.').next(),
            Some(word),
            "{folder}/{name} is misnamed"
        );
        seen.insert(word);
    }
    let wanted: BTreeSet<&str> = words.iter().copied().collect();
    assert_eq!(seen, wanted, "a variant of {folder} lacks a fixture");
}

#[test]
fn every_client_frame_has_a_fixture_that_reads_back() {
    check("client", CLIENT_FRAMES, client_frame);
}

#[test]
fn every_frame_for_visitors_has_a_fixture_that_reads_back() {
    check("visitor", VISITOR_NEWS, visitor_news);
}

#[test]
fn every_frame_for_agents_has_a_fixture_that_reads_back() {
    check("agent", AGENT_NEWS, agent_news);
}

#[test]
fn every_command_has_a_fixture_that_reads_back() {
    check("command", COMMANDS, command);
}

#[test]
fn every_kind_of_entry_has_a_fixture_on_both_sides() {
    let agents: BTreeSet<&str> = fixtures("agent")
        .into_iter()
        .filter_map(|(name, value)| {
            let AgentNews::Entry { entry } = round_trip(&name, &value) else {
                return None;
            };
            Some(content(&entry.content))
        })
        .collect();
    assert_eq!(agents, CONTENTS.iter().copied().collect());
    let visitors: BTreeSet<&str> = fixtures("visitor")
        .into_iter()
        .filter_map(|(name, value)| {
            let VisitorNews::Entry { entry } = round_trip(&name, &value) else {
                return None;
            };
            Some(visitor_content(&entry.content))
        })
        .collect();
    assert_eq!(visitors, VISITOR_CONTENTS.iter().copied().collect());
}

#[test]
fn what_goes_over_http_beside_the_frames_reads_back() {
    let mut bodies = fixtures("http");
    let mut take = |name: &str| bodies.remove(name).expect("the fixture exists");
    round_trip::<Attachment>("attachment", &take("attachment"));
    round_trip::<Problem>("problem", &take("problem"));
    round_trip::<SocketToken>("socket_token", &take("socket_token"));
    round_trip::<StreamRequest>("stream_request", &take("stream_request"));
    round_trip::<VisitorHistory>("visitor_history", &take("visitor_history"));
    round_trip::<VisitorSession>("visitor_session", &take("visitor_session"));
    // Only ever read: clients write it.
    serde_json::from_value::<NewVisitorSession>(take("new_visitor_session")).expect("it decodes");
    assert!(bodies.is_empty(), "a fixture without a test: {bodies:?}");
}

/// All names of fields and all values of `kind` and `type` in a JSON value.
fn words_in(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                words.insert(name.clone());
                if let ("kind" | "type", Value::String(word)) = (name.as_str(), field) {
                    words.insert(word.clone());
                }
                words_in(field, words);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| words_in(item, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What belongs to the team alone. No name or kind in a visitor's frame may be one of these.
const INNER: &[&str] = &[
    "seq",
    "public_seq",
    "note",
    "assigned",
    "moved",
    "snoozed",
    "snoozed_until_ms",
    "prioritized",
    "priority",
    "spam",
    "spam_marked",
    "visitor_blocked",
    "assignee_id",
    "department_id",
    "email",
];

#[test]
fn a_frame_for_visitors_has_no_seq_and_no_note() {
    for (name, mut value) in fixtures("visitor") {
        // What a site asks of its visitors is nothing that it knows of one.
        if let Some(Value::Object(theme)) = value.get_mut("theme") {
            for asked in ["asks", "questions", "consent"] {
                assert!(theme.remove(asked).is_some(), "{name} has a theme");
            }
        }
        let mut words = BTreeSet::new();
        words_in(&value, &mut words);
        for inner in INNER {
            assert!(!words.contains(*inner), "{name} says {inner}");
        }
    }
}

#[test]
fn a_visitors_entry_cannot_be_made_from_what_only_the_team_sees() {
    struct Names;
    impl protocol::entry::AgentNames for Names {
        fn name_of(&self, _: protocol::id::AgentId) -> String {
            "Mira".to_owned()
        }

        fn picture_of(&self, _: protocol::id::AgentId) -> Option<protocol::id::PictureId> {
            Some(protocol::id::Id::from_bits(1))
        }
    }
    for (name, value) in fixtures("agent") {
        let AgentNews::Entry { mut entry } = round_trip::<AgentNews>(&name, &value) else {
            continue;
        };
        let numbered = entry.public_seq.is_some();
        let seen = entry.for_visitor(&Names);
        assert_eq!(
            seen.is_some(),
            numbered,
            "{name} has a public number and is hidden, or the reverse"
        );
        if let Some(seen) = seen {
            let mut words = BTreeSet::new();
            words_in(
                &serde_json::to_value(&seen).expect("an entry can be written"),
                &mut words,
            );
            assert!(INNER.iter().all(|inner| !words.contains(*inner)), "{name}");
        }
        // Even an inner entry that wrongly got a public number stays inside.
        entry.public_seq = Some(1);
        assert_eq!(
            entry.for_visitor(&Names).is_some(),
            numbered,
            "{name} leaks"
        );
    }
}

#[test]
fn a_client_frame_of_an_unknown_kind_is_refused() {
    for text in [
        r#"{"type":"dance"}"#,
        r#"{"type":"command","client_id":"a","command":{"do":"dance"}}"#,
        r#"{"type":"command","client_id":"","command":{"do":"close","conversation_id":"x"}}"#,
        r#"[]"#,
        r#"{"type":"read","conversation_id":"cnv_0","number":1}"#,
        r#"{"type":"read","number":-1}"#,
    ] {
        assert!(serde_json::from_str::<ClientFrame>(text).is_err(), "{text}");
    }
}
