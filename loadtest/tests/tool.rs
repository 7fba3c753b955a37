//! The program as its user meets it, where no server is needed: what it refuses, and with what words.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Output, Stdio};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_switchboard-loadtest"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

/// Checks that a run cannot be made, and what is said about it.
fn check(arguments: &[&str], words: &str) {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
    assert!(errors.contains(words), "{arguments:?}: {errors}");
}

#[test]
fn a_target_where_nothing_listens_is_told() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port exists");
    let address = listener.local_addr().expect("it listens");
    drop(listener);
    let url = format!("http://{address}");
    check(
        &["--target", &url, "idle"],
        "nothing answers at http://127.0.0.1:",
    );
}

#[test]
fn a_target_that_is_another_program_is_told() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port exists");
    let url = format!("http://{}", listener.local_addr().expect("it listens"));
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the program connects");
        let read = stream.read(&mut [0; 1_024]).expect("a request comes");
        assert!(read > 0);
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        stream.write_all(answer.as_bytes()).expect("it listens");
    });
    check(&["--target", &url, "idle"], "is no Switchboard");
    other.join().expect("it answered");
}

#[test]
fn what_is_written_wrongly_is_told() {
    check(
        &["--target", "ftp://127.0.0.1:21", "idle"],
        "http://host:port",
    );
    check(&["--expect", "p99<5", "idle"], "NAME<=VALUE");
    check(&["chat", "--rate", "0"], "--rate");
    check(&["worker"], "is started by the coordinator alone");
    check(&["arm", "naive", "--key", "07"], "64 digits");
    check(&["compare", "idle", "--visitors", "19001"], "--visitors");
    let crowd = ["compare", "connect", "--connections", "4000"];
    check(&crowd, "19000 connections to each server");
    let foreign = ["--target", "http://127.0.0.1:9", "verify", "--faults"];
    check(&foreign, "leave --target out");
    check(&["verify", "--nodes", "2"], "go with --faults");
    let both = ["--own-nodes", "2", "verify", "--faults"];
    check(&both, "and --own-nodes");
    check(&["--own-nodes", "17", "idle"], "--own-nodes");
    check(&["--own", "ghosts"], "--own-nodes 2");
    let few = ["--own-nodes", "3", "ghosts", "--visitors", "2"];
    check(&few, "each node needs one");
    check(
        &["--own-nodes", "2", "--own", "idle"],
        "cannot be used with",
    );
}
