//! The process as an operator meets it: start, ports, bad files, signals, subcommands, backups.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

const EMAIL: &str = "owner@example.com";
const PASSWORD: &str = "correct-horse-battery";

/// The program with a data directory and a free port, and no variables of the person testing.
fn switchboard(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command
        .env_clear()
        .env("SWITCHBOARD_DATA_DIR", data_dir)
        .env("SWITCHBOARD_LISTEN", "127.0.0.1:0")
        .env("SWITCHBOARD_LOG_FILTER", "warn")
        .stdin(Stdio::null());
    command
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the program starts")
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server in a process of its own, killed at the latest with this value.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
    lines: Vec<String>,
}

impl Server {
    /// Starts, and reads until the last line that a start prints.
    fn start(command: &mut Command, last: &str) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut server = Self {
            child,
            stdout,
            address: String::new(),
            lines: Vec::new(),
        };
        loop {
            let mut line = String::new();
            let count = server.stdout.read_line(&mut line).expect("it is text");
            assert!(
                count > 0,
                "it ended before it printed {last:?}: {:?}",
                server.lines
            );
            let line = line.trim_end().to_owned();
            if let Some(address) = line.strip_prefix("listening on http://") {
                server.address = address.to_owned();
            }
            let is_last = line.starts_with(last);
            server.lines.push(line);
            if is_last {
                return server;
            }
        }
    }

    /// Status and body of one request.
    fn get(&self, path: &str) -> (u16, String) {
        self.request(&format!("GET {path} HTTP/1.1\r\n"), "")
    }

    fn post(&self, path: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\norigin: http://{}\r\nswitchboard-csrf: 1\r\n",
            self.address
        );
        self.request(&head, body)
    }

    fn request(&self, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let host = &self.address;
        write!(
            stream,
            "{head}host: {host}\r\nconnection: close\r\n\r\n{body}"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("it answers in text");
        let status = answer.get(9..12).and_then(|status| status.parse().ok());
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        (
            status.unwrap_or_else(|| panic!("a status in {answer:?}")),
            body.to_owned(),
        )
    }

    fn may_sign_in(&self, password: &str) -> bool {
        let body = format!("{{\"email\":\"{EMAIL}\",\"password\":\"{password}\"}}");
        let (status, answer) = self.post("/api/v1/login", &body);
        assert!(matches!(status, 200 | 401), "{status} {answer}");
        status == 200
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill")
            .args([name, &id])
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    fn stop(mut self) -> ExitStatus {
        self.signal("-TERM");
        self.child.wait().expect("it is our child")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start_fresh(data_dir: &Path) -> Server {
    Server::start(&mut switchboard(data_dir), "set up: ")
}

/// Starts with an owner, made at the first start.
fn start_set_up(data_dir: &Path) -> Server {
    let mut command = switchboard(data_dir);
    command
        .env("SWITCHBOARD_SETUP_EMAIL", EMAIL)
        .env("SWITCHBOARD_SETUP_PASSWORD", PASSWORD);
    Server::start(&mut command, "site key: ")
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

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
fn sigterm_and_sigint_end_it_with_code_0_and_free_the_directory() {
    let home = directory();
    for signal in ["-TERM", "-INT"] {
        let mut server = start_fresh(home.path());
        server.signal(signal);
        assert!(
            server.child.wait().expect("it is our child").success(),
            "{signal}"
        );
        assert!(TcpStream::connect(&server.address).is_err());
    }
}

#[test]
fn a_taken_port_is_a_clear_error() {
    let home = directory();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it listens").to_string();
    let output = output(switchboard(home.path()).env("SWITCHBOARD_LISTEN", &address));
    assert_eq!(output.status.code(), Some(1));
    let error = said(&output.stderr);
    assert!(
        error.contains(&address) && error.contains("taken"),
        "{error}"
    );
    assert!(
        !home.path().join("switchboard.db").exists(),
        "it touched the store"
    );
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
fn migrate_makes_a_store_and_serves_nothing() {
    let home = directory();
    let migrated = output(switchboard(home.path()).arg("migrate"));
    assert!(migrated.status.success(), "{}", said(&migrated.stderr));
    assert!(home.path().join("switchboard.db").is_file());
}
