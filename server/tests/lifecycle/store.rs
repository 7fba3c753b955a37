//! Stores that cannot be used: read-only, damaged, newer. The message says what it is, the code is 1, and nothing
//! of them changes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::process::{directory, output, said, start_set_up, switchboard};

/// The store, byte by byte.
fn contents(home: &Path) -> Vec<u8> {
    fs::read(home.join("switchboard.db")).expect("it is there")
}

/// A data directory that a server has set up and left in good order.
fn set_up() -> tempfile::TempDir {
    let home = directory();
    assert!(start_set_up(home.path()).stop().success());
    home
}

/// Starts a server, and each subcommand that opens the store: all refuse, say why, and change nothing.
fn is_refused(home: &Path, start: impl Fn(&Path) -> Command, why: &str) {
    let before = contents(home);
    let backup = home.join("backup");
    let backup = backup.to_str().expect("a path in UTF-8");
    for arguments in [&["serve"][..], &["migrate"], &["backup", backup]] {
        let refused = output(start(home).args(arguments));
        let error = said(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {error}");
        assert!(error.contains(why), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{arguments:?}: {error}");
        let changed = contents(home) != before;
        assert!(!changed, "{arguments:?} changed something");
        assert!(!home.join("backup").exists(), "{arguments:?}");
    }
}

/// The program as somebody for whom permissions count, which root is not.
fn without_privileges(data_dir: &Path) -> Command {
    let plain = switchboard(data_dir);
    if !rustix::process::geteuid().is_root() {
        return plain;
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--bounding-set", "-dac_override", "--"])
        .arg(plain.get_program())
        .env_clear();
    for (name, value) in plain.get_envs() {
        command.env(name, value.expect("only set ones"));
    }
    command
}

#[test]
fn a_read_only_store_is_refused() {
    let home = set_up();
    let file = home.path().join("switchboard.db");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).expect("it is ours");
    is_refused(home.path(), without_privileges, "read-only");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("it is ours");
    assert!(start_set_up(home.path()).stop().success());
}

#[test]
fn a_data_directory_that_cannot_be_written_is_refused() {
    let home = directory();
    let data_dir = home.path().join("closed");
    fs::create_dir(&data_dir).expect("a directory");
    fs::set_permissions(&data_dir, fs::Permissions::from_mode(0o555)).expect("it is ours");
    let refused = output(&mut without_privileges(&data_dir));
    assert_eq!(refused.status.code(), Some(1));
    let error = said(&refused.stderr);
    assert!(error.contains("the data directory"), "{error}");
    assert!(error.contains("ermission denied"), "{error}");
    assert_eq!(fs::read_dir(&data_dir).expect("it is there").count(), 0);
}

/// Only what served before waits for its store: the URL of a first start may be wrong.
#[test]
fn a_first_start_without_its_store_says_so_at_once() {
    let home = directory();
    let mut start = switchboard(home.path());
    start.env(
        "SWITCHBOARD_DATABASE_URL",
        "postgres://nobody@127.0.0.1:1/none",
    );
    let refused = output(&mut start);
    let error = said(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains("the store is not available"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_store_that_was_cut_off_is_refused() {
    let home = set_up();
    let file = home.path().join("switchboard.db");
    let whole = fs::read(&file).expect("it is there");
    fs::write(&file, &whole[..whole.len() / 2]).expect("it is ours");
    is_refused(home.path(), switchboard, "damaged");
    fs::write(&file, whole).expect("it is ours");
    assert!(start_set_up(home.path()).stop().success());
}

#[test]
fn a_store_with_a_spoilt_page_is_refused() {
    let home = set_up();
    let file = home.path().join("switchboard.db");
    let mut spoilt = fs::read(&file).expect("it is there");
    // The first page says what tables there are; its head alone tells that it is a database.
    spoilt[100..4_000].fill(0xa5);
    fs::write(&file, spoilt).expect("it is ours");
    is_refused(home.path(), switchboard, "damaged");
}

#[test]
fn a_store_of_a_newer_program_is_refused() {
    let home = set_up();
    let file = home.path().join("switchboard.db");
    let store = rusqlite::Connection::open(&file).expect("it opens");
    let newer = store.execute(
        "UPDATE migration SET number = 999, readable_from = 999 WHERE name = 'begin'",
        [],
    );
    assert_eq!(newer.expect("it is written"), 1);
    store.close().expect("it closes");
    is_refused(home.path(), switchboard, "the store has schema 999");
}
