//! What no compiler checks: where SQL may stand, how long a file may be, whom the web apps may call,
//! and that the contract's words, document and types were changed together.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Lines of a source file.
const LINES_MAX: usize = 600;

/// Folders that hold what others wrote or what a build made.
const FOREIGN: &[&str] = &["node_modules", "target", "dist", "output", ".git", "data"];

/// Written by a program, so no length counts.
const GENERATED: &[&str] = &["widget-js/src/protocol.ts"];

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("the checkout is there")
}

/// All our files below a folder with one of the endings, by their path in the checkout.
fn files(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{} cannot be listed: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("the folder is readable").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.is_dir() {
                if !FOREIGN.contains(&name) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let text = fs::read_to_string(&path)
                    .unwrap_or_else(|error| panic!("{} is no text: {error}", path.display()));
                let path = path.strip_prefix(&root).expect("it is below the root");
                found.push((path.to_str().expect("our names are ASCII").to_owned(), text));
            }
        }
    }
    assert!(
        !found.is_empty(),
        "no files with {endings:?} in {folder}: the test looks past them"
    );
    found.sort();
    found
}

fn rust() -> Vec<(String, String)> {
    files("", &[".rs"])
}

/// The lines that hold what is looked for, as `path:line`.
fn lines_with(text: &str, path: &str, is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let lines = text.lines().enumerate();
    let wrong = lines.filter(|(_, line)| is_wrong(line));
    wrong
        .map(|(index, line)| format!("{path}:{}: {}", index + 1, line.trim()))
        .collect()
}

fn none(wrong: &[String], law: &str) {
    assert!(wrong.is_empty(), "{law}:\n{}", wrong.join("\n"));
}

#[test]
fn no_source_file_is_longer_than_its_reader_likes() {
    let endings = [".rs", ".ts", ".tsx", ".js", ".css", ".html"];
    let mut wrong = Vec::new();
    for (path, text) in files("", &endings) {
        let lines = text.lines().count();
        if lines > LINES_MAX && !GENERATED.contains(&path.as_str()) {
            wrong.push(format!("{path} has {lines} lines"));
        }
    }
    none(&wrong, "a file has at most 600 lines: divide it by noun");
}

#[test]
fn every_rust_file_opens_with_what_it_is_for() {
    let files = rust().into_iter();
    let wrong: Vec<_> = files
        .filter(|(_, text)| !text.starts_with("//! ") && !text.starts_with("//!\n"))
        .map(|(path, _)| path)
        .collect();
    none(&wrong, "a file opens with //! and what it is for");
}

/// What the simulation runs. Whatever is decided there by chance, a seed must decide.
const SIMULATED: &[&str] = &["router/src", "presence/src", "gateway/src"];

#[test]
fn what_is_simulated_leaves_nothing_to_chance() {
    let mut wrong = Vec::new();
    for folder in SIMULATED {
        for (path, text) in files(folder, &[".rs"]) {
            let lines: Vec<&str> = text.lines().collect();
            // Without it, the macro asks its branches in a random order.
            let is_by_chance = |index: usize| {
                lines[index].contains("tokio::select! {")
                    && !lines[index..]
                        .iter()
                        .take(5)
                        .any(|line| line.trim() == "biased;")
            };
            let chances = (0..lines.len()).filter(|index| is_by_chance(*index));
            wrong.extend(chances.map(|index| format!("{path}:{}: not biased", index + 1)));
            // Their order is another in every process; `world` has some whose order a seed repeats.
            let is_random =
                |line: &str| line.contains("std::collections::") && line.contains("Hash");
            wrong.extend(lines_with(&text, &path, is_random));
        }
    }
    none(&wrong, "a seed decides all that the simulation runs");
}

#[test]
fn sql_stands_in_storage_alone() {
    // Put together here, or this file would break its own law.
    let words = [
        ["SELECT", " "],
        ["INSERT", " INTO"],
        ["DELETE", " FROM"],
        ["CREATE", " TABLE"],
        ["ALTER", " TABLE"],
        ["ON", " CONFLICT"],
    ]
    .map(|word| word.concat());
    let mut wrong = Vec::new();
    for (path, text) in rust() {
        // Set-up of the suite makes and drops a database for each test, as an operator would, and damages one.
        let is_test = path.starts_with("tests/") || path.starts_with("loadtest/tests/");
        if path.starts_with("storage/") || is_test {
            continue;
        }
        let is_sql = |line: &str| {
            let code = line.split("//").next().unwrap_or_default();
            words.iter().any(|word| code.contains(word.as_str()))
        };
        wrong.extend(lines_with(&text, &path, is_sql));
    }
    none(&wrong, "SQL stands in storage alone");
}

/// The names of a line that stand between backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn an_index_that_a_comment_names_is_in_the_schema() {
    let schema = files("storage/src/schema", &[".sql"]);
    let lines = schema.iter().flat_map(|(_, text)| text.lines());
    let indexes: BTreeSet<&str> = lines
        .filter(|line| line.starts_with("CREATE "))
        .filter_map(|line| line.split_once(" INDEX ")?.1.split(' ').next())
        .collect();
    let mut wrong = Vec::new();
    for (path, text) in files("storage/src", &[".rs"]) {
        let is_wrong = |line: &str| {
            let line = line.trim_start();
            let says = ["Uses `", "They use `", "By `"];
            line.starts_with("//")
                && says.iter().any(|word| line.contains(word))
                && quoted(line).any(|name| name.contains('_') && !indexes.contains(name))
        };
        wrong.extend(lines_with(&text, &path, is_wrong));
    }
    none(&wrong, "an index that a statement uses is in the schema");
}

#[test]
fn only_the_driver_layer_asks_which_database_it_is() {
    let may_ask = ["storage/src/db/", "storage/src/search.rs"];
    let word = ["Backend", "::"].concat();
    let mut wrong = Vec::new();
    for (path, text) in rust() {
        if !may_ask.iter().any(|place| path.starts_with(place)) {
            wrong.extend(lines_with(&text, &path, |line| line.contains(&word)));
        }
    }
    none(
        &wrong,
        "which database it is, is asked in storage/src/db and search.rs alone",
    );
}

#[test]
fn no_test_is_ignored_and_no_lint_is_silenced_without_a_reason() {
    let words = [
        ["#[", "ignore"].concat(),
        ["#[", "allow("].concat(),
        ["#![", "allow("].concat(),
    ];
    let mut wrong = Vec::new();
    for (path, text) in rust() {
        wrong.extend(lines_with(&text, &path, |line| {
            words
                .iter()
                .any(|word| line.trim_start().starts_with(word.as_str()))
        }));
    }
    none(
        &wrong,
        "no ignored tests; #[expect(…, reason)] in the place of allow",
    );
}

#[test]
fn every_limit_is_named_in_a_test_that_passes_it() {
    /// They tell of limits, and cross none.
    const LISTS: [&str; 3] = [
        "protocol/tests/documentation.rs",
        "protocol/tests/typescript.rs",
        "server/tests/reach.rs",
    ];
    /// What the operator sets, as the parts that hold it name it, and what its names begin with.
    const STRUCTS: [(&str, &str, &[&str]); 3] = [
        ("gateway/src/config.rs", "LimitConfig", &[""]),
        ("desk/src/lib.rs", "DeskConfig", &["lockout_", "session_"]),
        ("router/src/config.rs", "RouterConfig", &["visitor_"]),
    ];
    let text = |path: &str| fs::read_to_string(root().join(path)).expect("limits are there");
    let name = |line: &str, prefix: &str| {
        let (name, _) = line.trim().strip_prefix(prefix)?.split_once(':')?;
        Some(name.to_owned())
    };
    let fixed = text("protocol/src/limit.rs");
    let fixed = fixed.lines().filter_map(|line| name(line, "pub const "));
    let configured = STRUCTS.iter().flat_map(|(path, of, prefixes)| {
        let whole = text(path);
        let (_, fields) = whole
            .split_once(&format!("pub struct {of} {{"))
            .expect("it is there");
        let (fields, _) = fields.split_once("\n}").expect("it ends");
        let fields = fields.lines().filter_map(|line| name(line, "pub "));
        let is_limit = |name: &String| prefixes.iter().any(|prefix| name.starts_with(prefix));
        fields.filter(is_limit).collect::<Vec<_>>()
    });
    let tests: Vec<String> = rust()
        .into_iter()
        .filter(|(path, _)| !LISTS.contains(&path.as_str()))
        .filter_map(|(path, text)| tests_in(&path, text))
        .collect();
    let is_in_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let named: BTreeSet<&str> = tests
        .iter()
        .flat_map(|text| text.split(|letter| !is_in_a_name(letter)))
        .collect();
    let names: Vec<String> = fixed.chain(configured).collect();
    assert!(names.len() > 75, "the test looks past them: {names:?}");
    let wrong: Vec<_> = names
        .into_iter()
        .filter(|name| !named.contains(name.as_str()))
        .collect();
    none(&wrong, "a limit is passed by one in a test, which names it");
}

#[test]
fn every_refusal_is_provoked_over_the_wire() {
    let text = |path: &str| fs::read_to_string(root().join(path)).expect("codes are there");
    let rejections = text("protocol/src/rejection.rs");
    let (_, codes) = rejections.split_once("codes! {").expect("they are there");
    let (codes, _) = codes.split_once("\n}").expect("they end");
    let codes: Vec<(&str, &str)> = codes
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.trim().split_once(" = \"")?;
            Some((name, rest.split_once('"')?.0))
        })
        .collect();
    assert!(codes.len() > 30, "the test looks past them: {codes:?}");
    let mut tests = files("gateway/tests", &[".rs"]);
    tests.extend(files("tests/tests/stories", &[".rs"]));
    let wrong: Vec<_> = codes
        .into_iter()
        .filter(|(name, word)| {
            let spoken = format!("\"{word}\"");
            let named = format!("ErrorCode::{name}");
            let has = |text: &str| text.contains(&spoken) || text.contains(&named);
            !tests.iter().any(|(_, text)| has(text))
        })
        .map(|(_, word)| word.to_owned())
        .collect();
    none(&wrong, "a refusal is met by a test over the wire");
}

/// The part of a file that is tests.
fn tests_in(path: &str, text: String) -> Option<String> {
    if path.contains("/tests/") || path.ends_with("tests.rs") {
        return Some(text);
    }
    let (_, tests) = text.split_once("#[cfg(test)]\nmod ")?;
    Some(tests.to_owned())
}

#[test]
fn the_web_apps_name_no_host_but_examples() {
    /// Names for documentation (RFC 2606), namespaces, and the machine itself.
    const FINE: &[&str] = &[
        "example.com",
        "example.org",
        "example.net",
        "127.0.0.1",
        "localhost",
        "www.w3.org/",
        "[::1]",
        "${",
    ];
    let mut wrong = Vec::new();
    for folder in ["widget-js/src", "widget-js/demo", "console/src"] {
        for (path, text) in files(folder, &[".ts", ".tsx", ".js", ".css", ".html"]) {
            // Tests are not shipped, and name hosts as data.
            if path.contains(".test.") {
                continue;
            }
            let names_a_host = |line: &str| {
                let is_comment = ["*", "//", "/*"]
                    .iter()
                    .any(|start| line.trim().starts_with(start));
                !is_comment
                    && hosts(line).any(|host| {
                        let host = host.strip_prefix("www.").unwrap_or(host);
                        !FINE.iter().any(|fine| {
                            let fine = fine.strip_prefix("www.").unwrap_or(fine);
                            host.starts_with(fine) || is_below(host, fine)
                        })
                    })
            };
            wrong.extend(lines_with(&text, &path, names_a_host));
        }
    }
    none(&wrong, "widget and console speak to our own server alone");
}

/// What follows each scheme in a line.
fn hosts(line: &str) -> impl Iterator<Item = &str> {
    ["https://", "http://", "wss://", "ws://"]
        .into_iter()
        .flat_map(|scheme| line.split(scheme).skip(1))
        .filter(|rest| rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '['))
}

/// Whether a host is a name below a domain.
fn is_below(host: &str, domain: &str) -> bool {
    let name = host
        .split(['/', ':', '"', '\'', '`', ' ', '<', ')', ','])
        .next()
        .unwrap_or(host);
    name.ends_with(&format!(".{domain}"))
}

#[test]
fn the_contract_changes_in_one_piece() {
    let hash = fixtures_hash();
    for (path, line) in [
        ("docs/protocol.md", format!("<!-- fixtures: {hash} -->")),
        ("widget-js/src/protocol.ts", format!("// fixtures: {hash}")),
    ] {
        let text = fs::read_to_string(root().join(path))
            .unwrap_or_else(|error| panic!("{path} cannot be read: {error}"));
        assert!(
            text.lines().any(|found| found.trim() == line),
            "protocol/fixtures changed: bring {path} up to date, then let it carry the line\n{line}"
        );
    }
}

/// The first 16 characters of a hash over all fixtures: each path and content, a zero behind each.
fn fixtures_hash() -> String {
    let mut hash = Sha256::new();
    let folder = "protocol/fixtures/";
    for (path, text) in files("protocol/fixtures", &[""]) {
        let path = path.strip_prefix(folder).expect("it is below the folder");
        for part in [path, &text] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
    }
    let hash = hash.finalize();
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The texts between backticks in the words of a document, code that stands in lines of its own left out.
fn named(text: &str) -> Vec<&str> {
    let words = text.split("\n```").step_by(2);
    words.flat_map(str::lines).flat_map(quoted).collect()
}

/// A path as documents write it: the folder `src` of a crate may be left out.
fn without_src(path: &str) -> String {
    path.replacen("/src/", "/", 1)
}

/// Whether a path is the end of another one.
fn ends_with(path: &str, end: &str) -> bool {
    let rest = path.strip_suffix(end);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

#[test]
fn a_path_that_a_document_names_leads_somewhere() {
    /// A program makes it.
    const MADE: &str = "loadtest/peers/installed";
    let root = root();
    let is_path = |name: &&str| {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
        name.chars().all(is_letter)
    };
    let rust: Vec<String> = rust().iter().map(|(path, _)| without_src(path)).collect();
    // A Rust file is the end of a path of ours; anything else is a path where it begins with a folder of ours.
    let is_wrong = |name: &str| {
        if name.ends_with(".rs") {
            let end = without_src(name);
            return !rust.iter().any(|path| ends_with(path, &end));
        }
        let Some((folder, rest)) = name.split_once('/') else {
            return false;
        };
        let is_ours = !folder.chars().all(|letter| letter == '.') && !FOREIGN.contains(&folder);
        let folder = root.join(folder);
        let is_there = folder.join(rest).exists() || folder.join("src").join(rest).exists();
        is_ours && folder.is_dir() && !is_there && name != MADE
    };
    let mut wrong = BTreeSet::new();
    for (path, text) in files("", &[".md"]) {
        let is_ours = path.starts_with("docs/") || !path.contains('/');
        // What the changes tell of may be gone.
        if is_ours && path != "CHANGELOG.md" {
            let names = named(&text).into_iter().filter(is_path);
            wrong.extend(
                names
                    .filter(|name| is_wrong(name))
                    .map(|name| format!("{path}: {name}")),
            );
        }
    }
    let wrong: Vec<_> = wrong.into_iter().collect();
    none(&wrong, "a path in backticks leads to a file");
}

/// What a server runs. Where threads meet in it, somebody looked whether they may.
const SERVED: &[&str] = &[
    "bus/src",
    "desk/src",
    "gateway/src",
    "presence/src",
    "router/src",
    "server/src",
    "storage/src",
];

#[test]
fn whatever_is_locked_or_counted_is_in_the_table_of_what_was_read() {
    let table = fs::read_to_string(root().join("docs/reliability.md")).expect("it is there");
    let named: Vec<&str> = named(&table);
    let words = ["Mutex<", "RwLock<", "OnceLock<", "Atomic"];
    let mut wrong = Vec::new();
    for (path, text) in SERVED.iter().flat_map(|folder| files(folder, &[".rs"])) {
        let code = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        let is_shared = |line: &str| {
            let is_imported = line.contains("use ") || line.trim_start().starts_with("//");
            !is_imported && words.iter().any(|word| line.contains(word))
        };
        let is_test = path.ends_with("tests.rs") || path.ends_with("model.rs");
        let is_named = named.iter().any(|name| ends_with(&path, name));
        if !is_test && !is_named && code.lines().any(is_shared) {
            wrong.push(path);
        }
    }
    none(
        &wrong,
        "what threads share is read for races, and named in docs/reliability.md",
    );
}

#[test]
fn links_between_our_documents_lead_somewhere() {
    let root = root();
    let mut wrong = BTreeSet::new();
    for (path, text) in files("", &[".md"]) {
        let folder = root.join(&path);
        let folder = folder.parent().expect("a file has a folder");
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = target.split('#').next().unwrap_or_default();
            let is_outside = target.is_empty() || target.contains("://") || target.contains(' ');
            if !is_outside && !folder.join(target).exists() {
                wrong.insert(format!("{path}: {target}"));
            }
        }
    }
    let wrong: Vec<_> = wrong.into_iter().collect();
    none(&wrong, "a link in a document leads to a file");
}
