//! The arrows between crates point one way, licences fit, and what must not be linked is not.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Which of our crates each of our crates may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("world", &["protocol"]),
    ("bus", &["protocol", "world"]),
    ("storage", &["protocol", "world"]),
    ("presence", &["protocol", "world", "bus"]),
    (
        "router",
        &["protocol", "world", "bus", "storage", "presence"],
    ),
    ("desk", &["protocol", "world", "storage", "router"]),
    (
        "gateway",
        &["protocol", "world", "storage", "router", "desk"],
    ),
    (
        "server",
        &[
            "protocol", "world", "bus", "storage", "presence", "router", "desk", "gateway",
        ],
    ),
    ("loadtest", &["protocol", "world"]),
    (
        "tests",
        &["protocol", "world", "storage", "server", "loadtest"],
    ),
    ("simulation", &[]),
];

/// Licences under which a dependency may come: they ask for no more than a notice.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What must not be linked, and why.
const BANS: &[(&str, &str)] = &[
    ("openssl", "TLS is rustls"),
    ("openssl-sys", "TLS is rustls"),
    ("native-tls", "TLS is rustls"),
    (
        "aws-lc-rs",
        "rustls has ring; two providers clash, and this one builds for minutes",
    ),
    ("swagger-ui", "it downloads while building"),
];

/// Crates that come in several versions because their users have not met yet. A new one needs a look:
/// it costs build time and size.
const DOUBLES: &[&str] = &[
    "base64",
    "block-buffer",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "digest",
    "fallible-iterator",
    "getrandom",
    "hashbrown",
    "itertools",
    "nom",
    "rand",
    "rand_core",
    "spin",
    "syn",
    "synstructure",
    "winnow",
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

fn texts<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} is a text in {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key]
        .as_array()
        .unwrap_or_else(|| panic!("{key} is a list"))
}

/// The packages of this workspace by name.
fn ours(metadata: &Value) -> BTreeMap<&str, &Value> {
    let members: BTreeSet<_> = list(metadata, "workspace_members")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    list(metadata, "packages")
        .iter()
        .filter(|package| members.contains(texts(package, "id")))
        .map(|package| (texts(package, "name"), package))
        .collect()
}

/// The packages that are part of the build, without those of other platforms.
fn linked(metadata: &Value) -> Vec<&Value> {
    let nodes = list(&metadata["resolve"], "nodes");
    let ids: BTreeSet<_> = nodes.iter().map(|node| texts(node, "id")).collect();
    let packages = list(metadata, "packages").iter();
    packages
        .filter(|package| ids.contains(texts(package, "id")))
        .collect()
}

#[test]
fn the_arrows_between_crates_point_one_way() {
    let metadata = metadata();
    let ours = ours(&metadata);
    let arrows: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let known: BTreeSet<_> = arrows.keys().copied().collect();
    let found: BTreeSet<_> = ours.keys().copied().collect();
    assert_eq!(
        found, known,
        "a crate came or went: say in ARROWS what it may use"
    );
    for (name, package) in ours {
        for dependency in list(package, "dependencies") {
            // A crate's own tests may build more than what it ships.
            if dependency["kind"] == "dev" {
                continue;
            }
            let used = texts(dependency, "name");
            let allowed = !known.contains(used) || arrows[name].contains(&used);
            assert!(allowed, "{name} must not use {used}: see ARCHITECTURE.md");
        }
    }
}

#[test]
fn the_arrows_have_no_cycle() {
    // Each crate comes after all it may use, so a cycle cannot be written down.
    let mut earlier = BTreeSet::new();
    let mut later: Vec<_> = ARROWS.to_vec();
    while !later.is_empty() {
        let count = later.len();
        later.retain(|(name, used)| {
            let ready = used.iter().all(|name| earlier.contains(name));
            if ready {
                earlier.insert(*name);
            }
            !ready
        });
        assert!(later.len() < count, "a cycle among {later:?}");
    }
}

#[test]
fn every_dependency_comes_under_a_licence_that_fits() {
    let metadata = metadata();
    for package in linked(&metadata) {
        let name = texts(package, "name");
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(fits(licence), "{name} comes under {licence:?}");
    }
}

/// Whether a licence expression can be met: one of each "or", all of each "and".
fn fits(expression: &str) -> bool {
    let expression = expression.trim().replace('/', " OR ");
    let parts = |word: &str| split(&expression, word);
    let (any, all) = (parts(" OR "), parts(" AND "));
    if all.len() > 1 {
        // "AND" binds less than the brackets that we split around, and our expressions bracket "OR".
        return all.iter().all(|part| fits(part));
    }
    if any.len() > 1 {
        return any.iter().any(|part| fits(part));
    }
    let inner = expression
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    inner.map_or_else(|| LICENCES.contains(&expression.trim()), fits)
}

/// Splits at a word outside brackets.
fn split(text: &str, word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if depth == 0 && rest.starts_with(word) {
            parts.push(String::new());
            rest = &rest[word.len()..];
            continue;
        }
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        parts.last_mut().expect("there is always one").push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    parts
}

#[test]
fn licence_expressions_are_understood() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
    ] {
        assert!(fits(good), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(GPL-2.0 OR GPL-3.0) AND MIT",
    ] {
        assert!(!fits(bad), "{bad}");
    }
}

#[test]
fn nothing_that_is_banned_is_linked() {
    let metadata = metadata();
    for package in linked(&metadata) {
        let name = texts(package, "name");
        if let Some((_, reason)) = BANS.iter().find(|(banned, _)| *banned == name) {
            panic!("{name} is banned: {reason}");
        }
    }
}

#[test]
fn no_crate_comes_in_two_versions_but_the_known_ones() {
    let metadata = metadata();
    let mut versions = BTreeMap::<_, BTreeSet<_>>::new();
    for package in linked(&metadata) {
        versions
            .entry(texts(package, "name"))
            .or_default()
            .insert(texts(package, "version"));
    }
    let doubles = versions
        .into_iter()
        .filter(|(_, versions)| versions.len() > 1);
    for (name, versions) in doubles {
        assert!(
            DOUBLES.contains(&name),
            "{name} comes in versions {versions:?}"
        );
    }
}

/// Names and versions in a lock file.
fn locked<'a>(text: &'a str) -> BTreeSet<(&'a str, &'a str)> {
    let lines: Vec<_> = text.lines().collect();
    let pair = |two: &[&'a str]| {
        let name = two[0].strip_prefix("name = ")?;
        let version = two[1].strip_prefix("version = ")?;
        Some((name.trim_matches('"'), version.trim_matches('"')))
    };
    lines.windows(2).filter_map(pair).collect()
}

/// It is a workspace of its own, with a lock file of its own that nothing else would keep up.
#[test]
fn the_fuzzer_is_built_of_the_same_versions() {
    let locked_here = locked(include_str!("../../Cargo.lock"));
    let fuzzed = locked(include_str!("../fuzz/Cargo.lock"));
    let has = |all: &BTreeSet<(&str, &str)>, name: &str| all.iter().any(|(one, _)| *one == name);
    for one in &fuzzed {
        let is_same = !has(&locked_here, one.0) || locked_here.contains(one);
        assert!(is_same, "{one:?} in tests/fuzz/Cargo.lock");
    }
    let metadata = metadata();
    for dependency in list(ours(&metadata)["protocol"], "dependencies") {
        let name = texts(dependency, "name");
        let is_there = !dependency["kind"].is_null() || has(&fuzzed, name);
        assert!(is_there, "{name} is missing in tests/fuzz/Cargo.lock");
    }
}
