//! The process as an operator meets it: start, ports, bad files, signals, subcommands, backups.

mod process;
mod store;
mod tls;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use process::{EMAIL, PASSWORD, directory, output, said, start_fresh, start_set_up, switchboard};

#[test]
fn a_first_start_without_configuration_is_ready_and_prints_the_set_up_link() {
    let home = directory();
    let server = start_fresh(&home.path().join("data"));
    assert_eq!(server.get("/readyz").0, 200);
    assert_eq!(server.get("/healthz").0, 200);
    let link = server.lines.last().expect("it was printed");
    let start = format!("set up: http://{}/console/setup#token=", server.address);
    assert!(
        link.starts_with(&start) && link.len() > start.len() + 20,
        "{link}"
    );
    assert!(server.stop().success());
}

#[test]
fn faults_on_purpose_spare_the_start() {
    let home = directory();
    let mut always = switchboard(home.path());
    always
        .env("SWITCHBOARD_ALLOW_FAULTS", "1")
        .env("SWITCHBOARD_DEBUG_FAIL_ONE_IN", "1");
    let server = process::Server::start(&mut always, "set up: ");
    assert_eq!(server.get("/healthz").0, 200);
    assert_eq!(server.get("/readyz").0, 503);
}

#[test]
fn sigterm_and_sigint_end_it_with_code_0_and_free_the_directory() {
    let home = directory();
    for signal in ["-TERM", "-INT"] {
        let mut server = start_fresh(home.path());
        server.signal(signal);
        assert!(
            server.child.wait().expect("it is our child").success(),
            "{signal}"
        );
    }
}

#[test]
fn a_taken_port_is_a_clear_error() {
    let home = directory();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it listens").to_string();
    for name in ["SWITCHBOARD_LISTEN", "SWITCHBOARD_METRICS_LISTEN"] {
        let output = output(switchboard(home.path()).env(name, &address));
        assert_eq!(output.status.code(), Some(1), "{name}");
        let error = said(&output.stderr);
        assert!(
            error.contains(&address) && error.contains("taken"),
            "{name}: {error}"
        );
        assert!(
            !home.path().join("switchboard.db").exists(),
            "it touched the store"
        );
    }
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let home = directory();
    let server = start_fresh(home.path());
    let output = output(&mut switchboard(home.path()));
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output.stderr).contains("in use"),
        "{}",
        said(&output.stderr)
    );
    assert_eq!(server.get("/readyz").0, 200);
}

#[test]
fn a_bad_configuration_ends_with_64_before_anything_is_touched() {
    let home = directory();
    let data_dir = home.path().join("data");
    for (name, text) in [
        ("SWITCHBOARD_LISTEN", "nowhere"),
        ("SWITCHBOARD_DATABASE_URL", "mysql://host"),
        ("SWITCHBOARD_REDIS_URL", "redis://127.0.0.1"),
        ("SWITCHBOARD_BACKUP_DAILY_AT", "at night"),
        ("SWITCHBOARD_CONFIG", "/no/such/file.toml"),
    ] {
        for subcommand in ["serve", "check-config"] {
            let output = output(switchboard(&data_dir).env(name, text).arg(subcommand));
            assert_eq!(output.status.code(), Some(64), "{name} with {subcommand}");
            assert!(!said(&output.stderr).is_empty());
        }
    }
    assert!(!data_dir.exists());
    assert_eq!(
        output(switchboard(&data_dir).arg("dance")).status.code(),
        Some(64)
    );
    assert!(
        output(switchboard(&data_dir).arg("check-config"))
            .status
            .success()
    );
    assert!(!data_dir.exists());
}

#[test]
fn a_configuration_file_is_read_and_a_variable_wins_over_it() {
    let home = directory();
    let file = home.path().join("switchboard.toml");
    fs::write(&file, "listen = \"nowhere\"\n[backup]\nkeep = 3\n").expect("it is written");
    let mut command = switchboard(home.path());
    command.arg("--config").arg(&file).arg("check-config");
    // SWITCHBOARD_LISTEN is right, so the file's mistake does not count.
    assert!(output(&mut command).status.success());
    let wrong = output(command.env_remove("SWITCHBOARD_LISTEN"));
    assert_eq!(wrong.status.code(), Some(64));
    assert!(said(&wrong.stderr).contains("nowhere"));
}

#[test]
fn a_store_that_is_no_store_is_refused_and_left_as_it_is() {
    let home = directory();
    let file = home.path().join("switchboard.db");
    let rubbish = "this is no database, however long one looks at it. ".repeat(200);
    fs::write(&file, &rubbish).expect("it is written");
    let output = output(&mut switchboard(home.path()));
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output.stderr).contains("damaged"),
        "{}",
        said(&output.stderr)
    );
    assert_eq!(fs::read_to_string(&file).expect("it is there"), rubbish);
}

#[test]
fn unattended_set_up_prints_the_same_key_each_time_and_the_owner_can_sign_in() {
    let home = directory();
    let server = start_set_up(home.path());
    let key = server.lines.last().expect("it was printed").clone();
    assert!(key.starts_with("site key: site_"), "{key}");
    assert!(!server.lines.iter().any(|line| line.starts_with("set up:")));
    assert!(server.may_sign_in(PASSWORD));
    assert!(server.stop().success());
    let again = start_set_up(home.path());
    assert_eq!(again.lines.last(), Some(&key));
}

#[test]
fn a_running_server_is_asked_to_write_and_a_stopped_one_is_not_needed() {
    let home = directory();
    let server = start_set_up(home.path());
    let mut command = switchboard(home.path());
    command.args(["user", "reset-password", "--email", EMAIL]);
    let asked = output(&mut command);
    assert!(asked.status.success(), "{}", said(&asked.stderr));
    let told = said(&asked.stdout);
    let password = told
        .lines()
        .find_map(|line| line.strip_prefix("password: "));
    assert!(!server.may_sign_in(PASSWORD));
    assert!(server.may_sign_in(password.expect("a password was made up and printed")));
    assert!(server.stop().success());

    let mut command = switchboard(home.path());
    command.args([
        "user",
        "reset-password",
        "--email",
        EMAIL,
        "--password-stdin",
    ]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    writeln!(stdin, "{PASSWORD}").expect("it reads");
    drop(stdin);
    assert!(child.wait().expect("it is our child").success());
    assert!(start_set_up(home.path()).may_sign_in(PASSWORD));
}

#[test]
fn an_order_that_is_refused_says_why_and_ends_with_1() {
    let home = directory();
    let _server = start_set_up(home.path());
    let nobody = "con_00000000000000000000000000";
    for order in [
        vec!["user", "reset-password", "--email", "nobody@example.com"],
        vec!["erase", "contact", nobody],
    ] {
        let refused = output(switchboard(home.path()).args(&order));
        assert_eq!(refused.status.code(), Some(1), "{order:?}");
        assert!(!said(&refused.stderr).is_empty(), "{order:?}");
    }
    let misspelt = output(switchboard(home.path()).args(["erase", "contact", "somebody"]));
    assert_eq!(misspelt.status.code(), Some(64));
}

#[test]
fn a_member_is_added_with_a_role() {
    let home = directory();
    let server = start_set_up(home.path());
    let mut command = switchboard(home.path());
    command.args([
        "user",
        "add",
        "--email",
        "agent@example.com",
        "--name",
        "Ann",
    ]);
    let added = output(command.args(["--role", "agent"]));
    assert!(added.status.success(), "{}", said(&added.stderr));
    let told = said(&added.stdout);
    let password = told
        .lines()
        .find_map(|line| line.strip_prefix("password: "));
    let password = password.expect("it was printed");
    let body = format!("{{\"email\":\"agent@example.com\",\"password\":\"{password}\"}}");
    assert_eq!(server.post("/api/v1/login", &body).0, 200);
}

/// Writes a backup of a server and gives its directory.
fn back_up(home: &Path, data_dir: &Path) -> PathBuf {
    let backup = home.join("backup");
    let written = output(switchboard(data_dir).arg("backup").arg(&backup));
    assert!(written.status.success(), "{}", said(&written.stderr));
    assert!(backup.join("switchboard.db").is_file());
    backup
}

#[test]
fn a_backup_of_a_running_server_restores_into_another_directory() {
    let home = directory();
    let first = home.path().join("first");
    let server = start_set_up(&first);
    let key = server.lines.last().expect("it was printed").clone();
    let backup = back_up(home.path(), &first);
    let again = output(switchboard(&first).arg("backup").arg(&backup));
    assert_eq!(
        again.status.code(),
        Some(1),
        "a backup is never written over"
    );

    let second = home.path().join("second");
    let restored = output(switchboard(&second).arg("restore").arg(&backup));
    assert!(restored.status.success(), "{}", said(&restored.stderr));
    let other = start_set_up(&second);
    assert_eq!(other.lines.last(), Some(&key));
    assert!(other.may_sign_in(PASSWORD));
}

#[test]
fn a_restore_over_data_is_refused_unless_it_is_moved_aside() {
    let home = directory();
    let data_dir = home.path().join("data");
    let server = start_set_up(&data_dir);
    let key = server.lines.last().expect("it was printed").clone();
    let backup = back_up(home.path(), &data_dir);
    let running = output(switchboard(&data_dir).arg("restore").arg(&backup));
    assert!(
        said(&running.stderr).contains("in use"),
        "{}",
        said(&running.stderr)
    );
    assert!(server.stop().success());

    let refused = output(switchboard(&data_dir).arg("restore").arg(&backup));
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused.stderr).contains("--replace"),
        "{}",
        said(&refused.stderr)
    );
    let replaced = output(
        switchboard(&data_dir)
            .arg("restore")
            .arg("--replace")
            .arg(&backup),
    );
    assert!(replaced.status.success(), "{}", said(&replaced.stderr));
    let aside = fs::read_dir(&data_dir).expect("it is there").flatten();
    let mut aside =
        aside.filter(|entry| entry.file_name().to_string_lossy().starts_with("replaced-"));
    let aside = aside.next().expect("the former data is kept").path();
    assert!(aside.join("switchboard.db").is_file());
    assert_eq!(start_set_up(&data_dir).lines.last(), Some(&key));

    let nothing = output(switchboard(&data_dir).arg("restore").arg(home.path()));
    assert_eq!(nothing.status.code(), Some(1));
}

#[test]
fn a_copy_says_what_is_in_its_way_and_changes_nothing() {
    let home = directory();
    let data_dir = home.path().join("data");
    let to = home.path().join("to.db");
    let url = format!("sqlite:{}", to.display());
    let copy = |arguments: &[&str]| {
        let ended = output(switchboard(&data_dir).arg("copy").args(arguments));
        (ended.status.code(), said(&ended.stderr))
    };
    let (code, why) = copy(&[]);
    assert_eq!(code, Some(64));
    assert!(why.contains("SWITCHBOARD_COPY_TO"), "{why}");
    assert_eq!(copy(&["mysql://db"]).0, Some(64));
    let (code, why) = copy(&[&url]);
    assert_eq!(code, Some(1));
    assert!(why.contains("nothing was set up"), "{why}");

    let server = start_set_up(&data_dir);
    let (code, why) = copy(&[&url]);
    assert_eq!(code, Some(1));
    assert!(why.contains("in use"), "{why}");
    assert!(server.stop().success());
    assert!(!to.exists());

    let mut by_variable = switchboard(&data_dir);
    by_variable.arg("copy").env("SWITCHBOARD_COPY_TO", &url);
    let copied = output(&mut by_variable);
    assert!(copied.status.success(), "{}", said(&copied.stderr));
    assert!(said(&copied.stdout).contains("alike"));
    assert!(said(&copied.stderr).is_empty(), "{}", said(&copied.stderr));
    let (code, why) = copy(&[&url]);
    assert_eq!(code, Some(64));
    assert!(why.contains("exists already"), "{why}");
    assert!(!data_dir.join("copying").exists());
}

#[test]
fn migrate_makes_a_store_and_serves_nothing() {
    let home = directory();
    let migrated = output(switchboard(home.path()).arg("migrate"));
    assert!(migrated.status.success(), "{}", said(&migrated.stderr));
    assert!(home.path().join("switchboard.db").is_file());
}
