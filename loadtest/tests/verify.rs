//! `verify --faults` as its user runs it, for a few seconds: nodes are killed, paused and cut off, and
//! what was acknowledged is what is stored and what everybody was shown.

use std::process::{Command, Stdio};

use serde_json::Value;

/// Builds the server beside the program: a test of this crate alone would leave it as it was.
fn build_server() {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--package", "server"])
        .args(["--bin", "switchboard"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    let built = built.expect("cargo runs");
    assert!(built.success(), "the server does not build");
}

/// Runs a scenario and gives its report.
fn run(arguments: &[&str]) -> Value {
    build_server();
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let file = folder.path().join("report.json");
    let output = Command::new(env!("CARGO_BIN_EXE_switchboard-loadtest"))
        .args(arguments)
        .arg("--json")
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}{errors}");
    let text = std::fs::read_to_string(&file).expect("a report was written");
    serde_json::from_str(&text).expect("the report is JSON")
}

#[test]
fn nothing_is_lost_doubled_or_reordered_while_a_node_is_being_broken() {
    let report = run(&[
        "verify",
        "--faults",
        "--duration",
        "8s",
        "--seed",
        "11",
        "--rate",
        "60",
    ]);
    let count = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("no {name}"));
    for name in ["lost", "doubled", "reordered", "refused", "unfinished"] {
        assert_eq!(count(name), 0, "{name} in {report:#}");
    }
    assert!(count("acknowledged") > 0);
    assert_eq!(count("acknowledged"), count("stored"));
    assert!(count("faults") > 0);
    assert_eq!(count("seed"), 11);
}
