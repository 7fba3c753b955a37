//! The program as a process: started, spoken to over plain HTTP, signalled.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

pub(crate) const EMAIL: &str = "owner@example.com";
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// The program with a data directory and a free port, and no variables of the person testing.
pub(crate) fn switchboard(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command
        .env_clear()
        .env("SWITCHBOARD_DATA_DIR", data_dir)
        .env("SWITCHBOARD_LISTEN", "127.0.0.1:0")
        .env("SWITCHBOARD_LOG_FILTER", "warn")
        .stdin(Stdio::null());
    command
}

pub(crate) fn output(command: &mut Command) -> Output {
    command.output().expect("the program starts")
}

pub(crate) fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server in a process of its own, killed at the latest with this value.
pub(crate) struct Server {
    pub(crate) child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) address: String,
    pub(crate) lines: Vec<String>,
}

impl Server {
    /// Starts, and reads until the last line that a start prints.
    pub(crate) fn start(command: &mut Command, last: &str) -> Self {
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
            if let Some((_, address)) = line
                .strip_prefix("listening on ")
                .and_then(|url| url.split_once("://"))
            {
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
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.request(&format!("GET {path} HTTP/1.1\r\n"), "")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\norigin: http://{}\r\nswitchboard-csrf: 1\r\n",
            self.address
        );
        self.request(&head, body)
    }

    pub(crate) fn request(&self, head: &str, body: &str) -> (u16, String) {
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

    pub(crate) fn may_sign_in(&self, password: &str) -> bool {
        let body = format!("{{\"email\":\"{EMAIL}\",\"password\":\"{password}\"}}");
        let (status, answer) = self.post("/api/v1/login", &body);
        assert!(matches!(status, 200 | 401), "{status} {answer}");
        status == 200
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill")
            .args([name, &id])
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    pub(crate) fn stop(mut self) -> ExitStatus {
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

pub(crate) fn start_fresh(data_dir: &Path) -> Server {
    Server::start(&mut switchboard(data_dir), "set up: ")
}

/// Starts with an owner, made at the first start.
pub(crate) fn start_set_up(data_dir: &Path) -> Server {
    let mut command = switchboard(data_dir);
    command
        .env("SWITCHBOARD_SETUP_EMAIL", EMAIL)
        .env("SWITCHBOARD_SETUP_PASSWORD", PASSWORD);
    Server::start(&mut command, "site key: ")
}

pub(crate) fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}
