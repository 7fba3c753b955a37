//! `docs/protocol.md` says what the code does: its examples are the fixtures, and its tables hold every
//! code, limit and word.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use protocol::limit;
use protocol::rejection::{CloseCode, ErrorCode, Retry};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/protocol.md")).expect("the page can be read")
}

/// The fixtures by folder and name, `client/hello`.
fn fixtures() -> BTreeMap<String, Value> {
    let mut fixtures = BTreeMap::new();
    let folders = fs::read_dir(root().join("protocol/fixtures")).expect("the folder exists");
    for folder in folders {
        let folder = folder.expect("it can be read").path();
        for file in fs::read_dir(&folder).expect("it can be read") {
            let file = file.expect("it can be read").path();
            let name = |path: &Path| {
                let name = path.file_stem().expect("it has a name");
                name.to_string_lossy().into_owned()
            };
            let text = fs::read_to_string(&file).expect("it can be read");
            let value = serde_json::from_str(&text).expect("it is JSON");
            fixtures.insert(format!("{}/{}", name(&folder), name(&file)), value);
        }
    }
    fixtures
}

#[test]
fn every_example_is_a_fixture_and_every_fixture_is_an_example() {
    let page = page();
    let mut fixtures = fixtures();
    for part in page.split("<!-- fixture: ").skip(1) {
        let (name, rest) = part
            .split_once(" -->\n```json\n")
            .expect("a block follows the mark");
        let (text, _) = rest.split_once("\n```").expect("the block ends");
        let shown: Value = serde_json::from_str(text).expect("an example is JSON");
        let fixture = fixtures.remove(name);
        assert_eq!(
            Some(shown),
            fixture,
            "the example {name} is not the fixture"
        );
    }
    let left: Vec<&String> = fixtures.keys().collect();
    assert!(
        left.is_empty(),
        "fixtures that the page does not show: {left:?}"
    );
}

#[test]
fn every_error_code_stands_in_its_table() {
    let page = page();
    for code in ErrorCode::ALL {
        let retry = match code.retry() {
            Retry::Never => "never",
            Retry::Later => "later",
        };
        let row = format!("| `{}` | {} | {retry} | ", code.as_str(), code.status());
        assert!(page.contains(&row), "no row {row}");
    }
}

#[test]
fn every_close_code_stands_in_its_table() {
    let page = page();
    for code in CloseCode::ALL {
        let row = format!("| {} | `{}` | ", code.number(), code.reason());
        assert!(page.contains(&row), "no row {row}");
    }
}

#[test]
fn every_limit_stands_in_its_table_with_its_value() {
    let page = page();
    let source = fs::read_to_string(root().join("protocol/src/limit.rs")).expect("it is there");
    let names = source.lines().filter_map(|line| {
        let rest = line.strip_prefix("pub const ")?;
        rest.split_once(':').map(|(name, _)| name)
    });
    for name in names {
        assert!(
            page.contains(&format!("| `{name}` | ")),
            "no row for {name}"
        );
    }
    let values: [(&str, u64); 12] = [
        ("FRAME_BYTES_MAX", bytes(limit::FRAME_BYTES_MAX)),
        ("BODY_BYTES_MAX", bytes(limit::BODY_BYTES_MAX)),
        ("ATTACHMENT_BYTES_MAX", limit::ATTACHMENT_BYTES_MAX),
        ("PAGE_ENTRIES_MAX", bytes(limit::PAGE_ENTRIES_MAX)),
        ("PAGE_BYTES_MAX", bytes(limit::PAGE_BYTES_MAX)),
        ("WINDOW_BYTES_MAX", bytes(limit::WINDOW_BYTES_MAX)),
        (
            "TEAM_MEMBERS_BYTES_MAX",
            bytes(limit::TEAM_MEMBERS_BYTES_MAX),
        ),
        ("TEAM_KEYS_BYTES_MAX", bytes(limit::TEAM_KEYS_BYTES_MAX)),
        ("BEAT_MS", limit::BEAT_MS),
        ("SILENCE_MS_MAX", limit::SILENCE_MS_MAX),
        ("HELLO_MS_MAX", limit::HELLO_MS_MAX),
        ("RESEND_MS", limit::RESEND_MS),
    ];
    for (name, value) in values {
        let row = format!("| `{name}` | {} | ", grouped(value));
        assert!(page.contains(&row), "no row {row}");
    }
}

fn bytes(count: usize) -> u64 {
    u64::try_from(count).expect("a limit fits")
}

/// A number with commas, `65,536`.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
