//! Runs as their user makes them, small ones, on servers of the tool's own.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::Duration;

use serde_json::Value;
use world::Clock;

mod named;

const TOOL: &str = env!("CARGO_BIN_EXE_switchboard-loadtest");

/// Builds the server beside the program, unless `SWITCHBOARD_BIN` says that it is built: a test of this
/// crate alone would leave it as it was.
fn build_server() {
    static BUILT: Once = Once::new();
    BUILT.call_once(build);
}

fn build() {
    if std::env::var_os("SWITCHBOARD_BIN").is_some() {
        return;
    }
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--package", "server"])
        .args(["--bin", "switchboard"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    let built = built.expect("cargo runs");
    assert!(built.success(), "the server does not build");
}

/// Runs a scenario that is good and gives its report.
fn run(arguments: &[&str]) -> Value {
    let (report, is_good, told) = outcome(arguments);
    assert!(is_good, "{arguments:?}: {told}");
    report
}

/// Runs a scenario and gives its report, whether it ended as good, and what it told.
fn outcome(arguments: &[&str]) -> (Value, bool, String) {
    let (report, code, told) = outcome_by(Path::new(TOOL), arguments);
    (report, code == Some(0), told)
}

/// The same by a program that may lie elsewhere, with the code that it ended with.
fn outcome_by(tool: &Path, arguments: &[&str]) -> (Value, Option<i32>, String) {
    build_server();
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let file = folder.path().join("report.json");
    let output = Command::new(tool)
        .args(arguments)
        .arg("--json")
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    let text = std::fs::read_to_string(&file);
    let text = text.unwrap_or_else(|error| panic!("no report, {error}: {told}"));
    let report = serde_json::from_str(&text).expect("the report is JSON");
    (report, output.status.code(), told)
}

/// Checks that a node was killed in a run, and that what was broken is counted.
fn check_that_a_node_was_killed(report: &Value) {
    let log = report["fault_log"].as_array().expect("a log of faults");
    let is_kill = |done: &&Value| {
        let subject = done["subject"].as_str().expect("each has a subject");
        done["fault"] == "kill" && subject.starts_with("node ")
    };
    let kill_count = log.iter().filter(is_kill).count() as u64;
    assert!(kill_count > 0, "{log:#?}");
    let counted = |count: &Value| count.as_u64().expect("a count");
    assert!(counted(&report["faults_by_kind"]["kill"]) >= kill_count);
    // What clients do to themselves besides.
    assert!(counted(&report["faults"]) >= log.len() as u64);
}

/// What a plan of this length and seed has for one node: it stands still, is cut off, and is killed.
#[test]
fn nothing_is_lost_doubled_or_reordered_while_a_node_is_being_broken() {
    let report = run(&[
        "verify",
        "--faults",
        "--duration",
        "8s",
        "--seed",
        "15",
        "--rate",
        "60",
    ]);
    let count = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("no {name}"));
    for name in ["lost", "doubled", "reordered", "refused", "unfinished"] {
        assert_eq!(count(name), 0, "{name} in {report:#}");
    }
    assert!(count("acknowledged") > 0);
    assert_eq!(count("acknowledged"), count("stored"));
    check_that_a_node_was_killed(&report);
    assert_eq!(count("seed"), 15);
}

/// What a plan of this length and seed has for two nodes, their Postgres and their Redis; a failover needs longer.
#[test]
fn nothing_is_lost_doubled_or_reordered_while_two_nodes_and_what_they_share_are_being_broken() {
    build_server();
    let clock = Clock::system();
    let began = clock.elapsed();
    let report = run(&[
        "verify",
        "--faults",
        "--nodes",
        "2",
        "--duration",
        "20s",
        "--seed",
        "12",
        "--rate",
        "40",
    ]);
    let took = clock.elapsed() - began;
    assert!(took < Duration::from_secs(20 + 20), "{took:?}");
    let count = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("no {name}"));
    for name in ["lost", "doubled", "reordered", "refused", "unfinished"] {
        assert_eq!(count(name), 0, "{name} in {report:#}");
    }
    assert!(count("acknowledged") > 0);
    assert_eq!(count("acknowledged"), count("stored"));
    check_that_a_node_was_killed(&report);
    let log = report["fault_log"].as_array().expect("a log of faults");
    for subject in ["node 0", "node 1", "store", "bus"] {
        let is_broken = log.iter().any(|done| done["subject"] == subject);
        assert!(is_broken, "{subject} in {log:#?}");
    }
    let is_parted = log.iter().any(|done| done["fault"] == "partition");
    assert!(is_parted, "{log:#?}");
}

/// Lays the program into a folder, beside a `switchboard` that starts once and then only stands still. Gives the program,
/// and the file in which the one that stands still says its process.
fn tool_beside_one_who_starts_once(folder: &Path) -> (PathBuf, PathBuf) {
    let (tool, pid) = (folder.join("switchboard-loadtest"), folder.join("pid"));
    // By another process, so that none that is started meanwhile holds the copy open for writing.
    let copied = Command::new("cp").arg(TOOL).arg(&tool).status();
    assert!(copied.expect("there is cp").success());
    let server = Path::new(TOOL).with_file_name("switchboard");
    let script = format!(
        "#!/bin/sh\n[ -e {pid} ] && echo $$ >{pid} && exec sleep 600\n: >{pid}\nexec {server}\n",
        pid = pid.display(),
        server = server.display(),
    );
    let beside = folder.join("switchboard");
    std::fs::write(&beside, script).expect("there is room for a script");
    let may_run = Permissions::from_mode(0o755);
    std::fs::set_permissions(&beside, may_run).expect("it is ours");
    (tool, pid)
}

#[test]
fn a_run_whose_node_does_not_start_again_is_ended_in_time_and_says_so() {
    build_server();
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let (tool, pid) = tool_beside_one_who_starts_once(folder.path());
    let clock = Clock::system();
    let began = clock.elapsed();
    let faults = ["verify", "--faults", "--duration", "8s", "--seed", "15"];
    let rest = ["--rate", "60", "--overtime", "6s"];
    let (report, code, told) = outcome_by(&tool, &[&faults[..], &rest[..]].concat());
    let took = clock.elapsed() - began;
    // A node is waited for a minute: that is not what ended it.
    assert!(took < Duration::from_secs(8 + 6 + 15), "{took:?}");
    assert_eq!(code, Some(1), "{told}");
    let words = "not done in time: the run was ended while it was breaking";
    assert!(told.contains(words), "{told}");
    assert_eq!(report["good"], false);
    assert_eq!(report["seed"], 15);
    assert!(report["sent"].as_u64() > Some(0), "{report:#}");
    // What was not compared is not told as found whole.
    assert!(report["lost"].is_null() && report["stored"].is_null());
    assert!(told.contains("FAILED lost = 0  (was not measured)"));
    let pid = std::fs::read_to_string(pid).expect("it was started again");
    let command = std::fs::read(format!("/proc/{}/cmdline", pid.trim()));
    assert!(command.unwrap_or_default().is_empty(), "{pid} is left");
}

#[test]
fn every_scenario_runs_and_finds_a_small_server_good() {
    let runs: [&[&str]; 5] = [
        &[
            "idle",
            "--visitors",
            "60",
            "--hold-s",
            "1",
            "--workers",
            "2",
        ],
        &["connect", "--connections", "80", "--full"],
        &[
            "room",
            "--followers",
            "30",
            "--rate",
            "5",
            "--seconds",
            "1",
            "--by",
            "tabs",
        ],
        &[
            "feed",
            "--visitors",
            "30",
            "--page-every-ms",
            "500",
            "--watchers",
            "2",
            "--seconds",
            "2",
        ],
        &[
            "inbox",
            "--watchers",
            "4",
            "--conversations",
            "6",
            "--rate",
            "40",
            "--seconds",
            "2",
        ],
    ];
    for arguments in runs {
        let report = run(&[&["--own"], arguments].concat());
        assert_eq!(report["scenario"], arguments[0]);
        assert_eq!(report["good"], true, "{report:#}");
    }
}

#[test]
fn a_talk_tells_its_latency_over_time() {
    let options = ["--pairs", "12", "--rate", "24", "--seconds", "2"];
    let workers = ["--workers", "2", "--pairs-per-agent", "3"];
    let report = run(&[&["--own", "chat"], &options[..], &workers[..]].concat());
    assert_eq!(report["good"], true, "{report:#}");
    // The longest interval's p99 is the longest of all but for its last digits.
    let line = latencies_over_time(&report);
    assert!((7..=8).contains(&line.len()), "{line:?}");
    let top = line.iter().fold(0.0_f64, |top, ms| top.max(*ms));
    let max_us = report["latencies"]["acknowledgement"]["max_us"].as_f64();
    let ratio = top * 1_000.0 / max_us.expect("it was measured");
    assert!((0.99..=1.01).contains(&ratio), "{report:#}");
}

/// The p99 of acknowledgement in each interval, in milliseconds.
fn latencies_over_time(report: &Value) -> Vec<f64> {
    let series = report["series"].as_array().expect("a list");
    let is_it = |one: &&Value| one["name"] == "acknowledgement_p99_ms";
    let line = series.iter().find(is_it).expect("a line of latencies");
    let points = line["points"].as_array().expect("a list");
    let latency = |point: &Value| point[1].as_f64().expect("a number");
    points.iter().map(latency).collect()
}

#[test]
fn a_node_that_drains_is_found_to_send_its_visitors_back_evenly() {
    let report = run(&["--own", "drain", "--visitors", "600"]);
    assert_eq!(report["good"], true, "{report:#}");
    assert_eq!(report["told"], 600);
    assert_eq!(report["back"], 600);
    let expected = report["expectations"].as_array().expect("a list");
    let is_peak = |one: &&Value| one["name"] == "peak_over_even" && one["met"] == true;
    assert!(expected.iter().any(|one| is_peak(&one)), "{report:#}");
    // Who really came back has figures of his own.
    let figure = |name: &str| report[name].as_f64().unwrap_or_else(|| panic!("no {name}"));
    assert!(figure("back_peak_over_even") >= 1.0, "{report:#}");
    assert!(figure("back_window_seconds") >= 1.0, "{report:#}");
    assert!(figure("all_back_seconds") >= figure("back_window_seconds"));
}

#[test]
fn who_was_at_a_node_that_dies_is_told_as_gone_once_and_in_time() {
    let report = run(&["--own-nodes", "2", "ghosts", "--visitors", "230"]);
    assert_eq!(report["good"], true, "{report:#}");
    assert_eq!(report["ghosts"], 115);
    assert_eq!(report["told_gone"], 115);
    assert_eq!(report["leaves_per_ghost"], 1.0);
    assert_eq!(report["others_told_gone"], 0);
    // Nobody is taken for dead at once.
    let ghosts = &report["latencies"]["ghost"];
    assert_eq!(ghosts["count"], 115);
    assert!(ghosts["p50_us"].as_u64() >= Some(1_000_000), "{report:#}");
}

#[test]
fn at_a_terminal_a_line_tells_how_it_goes_and_a_page_tells_what_came_of_it() {
    build_server();
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let page = folder.path().join("report.html");
    let idle = ["--own", "idle", "--visitors", "5", "--hold-s", "2"];
    let line = format!("{TOOL} {} --html {}", idle.join(" "), page.display());
    // `script` gives a program a terminal, and writes down what it says there.
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .expect("Debian has `script`");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
    let is_progress = |line: &str| line.starts_with("idle ") && line.contains("connected 5");
    let mut lines = told.split("\r\u{1b}[2K");
    assert!(lines.any(is_progress), "{told}");
    let page = std::fs::read_to_string(page).expect("it was written");
    assert!(page.starts_with("<!doctype html>") && page.contains("<svg"));
    assert!(page.contains("idle: <span class=\"good\">good</span>"));
    // It asks nobody for anything: what it names is where the run went.
    for from_elsewhere in ["<script", "<link", "<img", "src=", "url(", "@import"] {
        assert!(!page.contains(from_elsewhere), "{from_elsewhere}");
    }
}

#[test]
fn a_storm_tells_how_often_the_store_was_read_for_each_who_came_back() {
    let report = run(&["--own", "storm", "--visitors", "10", "--missed", "20"]);
    assert_eq!(report["good"], true, "{report:#}");
    let reads = report["reads_per_resume"].as_f64().expect("it is told");
    // What was missed stands in the store, and a few reads get it.
    assert!(reads > 0.0 && reads < 20.0, "{report:#}");
}

#[test]
fn an_inbox_of_more_conversations_than_a_list_shows_is_checked_whole() {
    let report = run(&[
        "--own",
        "inbox",
        "--watchers",
        "3",
        "--conversations",
        "230",
        "--rate",
        "100",
        "--seconds",
        "2",
    ]);
    assert_eq!(report["good"], true, "{report:#}");
    assert_eq!(report["conversations"], 230);
    assert_eq!(report["conversations_written_to"], 200);
    assert_eq!(report["acknowledged"], 200);
    assert_eq!(report["stale_rows"], 0);
    // Each of them to each watcher, also of those that no list showed when it was opened.
    assert!(report["rows"].as_u64() >= Some(600), "{report:#}");
}

#[test]
fn stalled_loads_tell_a_ratio_only_where_the_machine_had_time_left() {
    let slow = |rate, seconds| {
        let arguments = ["--own", "slow", "--followers", "20", "--rounds", "1"];
        let rest = ["--rate", rate, "--seconds", seconds];
        outcome(&[&arguments[..], &rest[..]].concat())
    };
    let expected = |report: &Value| {
        let expectations = report["expectations"].as_array().expect("a list").clone();
        let is_ratio = |one: &Value| one["name"] == "p99_ratio";
        expectations
            .into_iter()
            .find(is_ratio)
            .expect("it is asked")
    };
    // How much a machine varies in two seconds is not what is tested: the ratio may be any.
    let (report, is_good, told) = slow("2", "2");
    assert_eq!(report["stalled"], 1);
    assert_eq!(report["missing"], 0, "{told}");
    let ratio = report["p99_ratio"].as_f64().expect("half a second is long");
    assert_eq!(expected(&report)["met"], ratio <= 1.2, "{told}");
    assert_eq!(is_good, ratio <= 1.2, "{told}");
    // In two seconds so little is said that the system's buffers take it all, and that is told.
    assert_eq!(report["found_stalled"], 0);
    assert!(told.contains("the server noticed 0 of 1"), "{told}");
    // A message is stored, framed and read 20 times: that takes longer than 2.5 ms.
    let (report, is_good, told) = slow("400", "1");
    assert!(report["p99_ratio"].is_null() && !is_good, "{told}");
    assert_eq!(expected(&report)["met"], false);
    assert!(told.contains("saturated: alone took"), "{told}");
}

/// More is said than the system's buffers take, some 4 MB: then it is the server that holds what is not read.
#[test]
fn who_stalls_is_noticed_by_the_server_and_told() {
    let (report, code, told) = outcome_by(
        Path::new(TOOL),
        &[
            "--own",
            "slow",
            "--followers",
            "10",
            "--percent",
            "10",
            "--rounds",
            "1",
            "--rate",
            "60",
            "--seconds",
            "8",
            "--expect",
            "found_stalled>=1",
            "--expect",
            "found_stalled=0",
        ],
    );
    assert_eq!(report["stalled"], 1);
    let found = report["found_stalled"].as_u64();
    assert!(found >= Some(1), "{told}");
    assert!(told.contains("found stalled"), "{told}");
    assert!(!told.contains("the server noticed 0"), "{told}");
    let expected = report["expectations"].as_array().expect("a list");
    let is_met = |relation: &str| {
        let is_it = |one: &&Value| one["name"] == "found_stalled" && one["relation"] == relation;
        expected.iter().find(is_it).expect("it was asked")["met"] == true
    };
    assert!(is_met("at_least") && !is_met("exactly"), "{told}");
    assert_eq!(code, Some(1), "an expectation was not kept: {told}");
}

#[test]
fn mixed_loads_run_too() {
    let soak = run(&[
        "--own",
        "soak",
        "--duration",
        "3s",
        "--pairs",
        "6",
        "--visitors",
        "20",
    ]);
    assert_eq!(soak["acknowledged"], soak["sent"]);
    assert!(latencies_over_time(&soak).len() >= 10, "{soak:#}");
}

#[test]
fn every_comparison_runs_small_and_names_its_ratios() {
    let runs: [&[&str]; 5] = [
        &["idle", "--visitors", "30", "--hold-s", "1"],
        &["connect", "--connections", "30", "--turns", "1"],
        &[
            "room",
            "--followers",
            "20",
            "--turns",
            "1",
            "--try-ms",
            "200",
            "--first",
            "200",
            "--p99-ms",
            "10000",
        ],
        &[
            "burst",
            "--followers",
            "10",
            "--messages",
            "4",
            "--turns",
            "1",
        ],
        &["empty", "--signals", "20", "--turns", "1"],
    ];
    for arguments in runs {
        let report = run(&[&["compare"], arguments].concat());
        assert_eq!(report["good"], true, "{report:#}");
        let figure = report["figure"].as_str().expect("a main figure");
        for ratio in ["n_over_s", "t_over_s", "s_over_n", "s_over_t"] {
            assert!(report[ratio].is_number(), "{ratio} in {report:#}");
        }
        for arm in ["naive", "tuned", "switchboard"] {
            // A few visitors may find room in what a process has already: then a median is zero.
            let median = &report["medians"][figure][arm];
            assert!(median.is_number(), "{report:#}");
            assert!(report["turns"][figure][arm].is_array(), "{report:#}");
        }
    }
}
