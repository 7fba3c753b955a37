//! The admin socket: how a subcommand asks the running server. One line of JSON each way.
//!
//! The socket stands in a directory that only the operator's own user may enter, so whoever reaches it
//! could read the data anyway: nothing else is asked of him.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use world::World;
use world::net::{UnixListener, UnixStream};

use crate::directory::make_private;
use crate::error::{Error, Result};
use crate::order::{Clerk, Order};

/// Bytes of one line.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// How long the other side may take to say what it wants.
const ASK_MAX: Duration = Duration::from_secs(10);

/// The longest path that the operating system takes for a socket.
const PATH_BYTES_MAX: usize = 100;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done(String),
    Refused(String),
}

/// The listening socket. Its file goes with it.
pub(crate) struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AdminSocket {
    /// Listens in the data directory, whose lock the caller holds.
    pub(crate) fn listen(data_dir: &Path) -> Result<Self> {
        let failed = |source| Error::System {
            what: "the admin socket",
            source,
        };
        let path = socket_path(data_dir);
        let directory = path.parent().expect("the path was made with a parent");
        make_private(directory).map_err(failed)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        let listener = with_short_path(&path, |path| UnixListener::bind(path)).map_err(failed)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { listener, path })
    }

    /// Answers one caller after the other until the server stops.
    pub(crate) async fn serve(self, clerk: Clerk, world: World) {
        let stop = world.tracker.soft().clone();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            let answered = match accepted {
                Ok((stream, _)) => answer(stream, &clerk, &world).await,
                Err(error) => Err(error),
            };
            if let Err(error) = answered {
                tracing::warn!(%error, "an admin caller went away");
            }
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // A file that stays is replaced at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

async fn answer(mut stream: UnixStream, clerk: &Clerk, world: &World) -> io::Result<()> {
    let asked = world.clock.timeout(ASK_MAX, read_line(&mut stream)).await;
    let line = asked.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))?;
    let answer = match serde_json::from_str::<Order>(&line) {
        Err(error) => Answer::Refused(format!("not an order: {error}")),
        Ok(order) => match clerk.carry_out(order).await {
            Ok(done) => Answer::Done(done),
            Err(error) => Answer::Refused(error.to_string()),
        },
    };
    write_line(&mut stream, &answer).await
}

/// Asks the server that runs on a data directory.
///
/// # Errors
///
/// `Unanswered` where none listens, `Answered` where it refuses.
pub async fn ask(data_dir: &Path, order: &Order) -> Result<String> {
    let path = socket_path(data_dir);
    let asked = async {
        let mut stream = connect(&path).await?;
        write_line(&mut stream, order).await?;
        read_line(&mut stream).await
    };
    let line = asked.await.map_err(Error::Unanswered)?;
    match serde_json::from_str(&line) {
        Ok(Answer::Done(done)) => Ok(done),
        Ok(Answer::Refused(why)) => Err(Error::Answered(why)),
        Err(error) => Err(Error::Unanswered(io::Error::other(error))),
    }
}

async fn connect(path: &Path) -> io::Result<UnixStream> {
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return UnixStream::connect(path).await;
    }
    let stream = with_short_path(path, |path| std::os::unix::net::UnixStream::connect(path))?;
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join("admin").join("socket")
}

/// Reaches a path that is too long for a socket by way of its open directory.
fn with_short_path<T>(path: &Path, open: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return open(path);
    };
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return open(path);
    }
    let directory = File::open(directory)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
    open(&short.join(name))
}

async fn read_line(stream: &mut UnixStream) -> io::Result<String> {
    let mut line = String::new();
    let mut reader = BufReader::new(stream.take(LINE_BYTES_MAX));
    reader.read_line(&mut line).await?;
    if line.ends_with('\n') {
        Ok(line)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

async fn write_line(stream: &mut UnixStream, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    line.push(b'\n');
    stream.write_all(&line).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_works_under_a_path_longer_than_the_system_takes() {
        let parent = tempfile::tempdir().expect("a directory");
        for length in [10, 90] {
            let data_dir = parent.path().join("x".repeat(length));
            let socket = AdminSocket::listen(&data_dir).expect("it listens");
            let path = socket_path(&data_dir);
            let mode = path.metadata().expect("it exists").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let (client, server) = tokio::join!(connect(&path), socket.listener.accept());
            let (mut client, mut server) = (client.expect("connects"), server.expect("accepts").0);
            write_line(&mut client, &"hello").await.expect("it is open");
            assert_eq!(read_line(&mut server).await.expect("a line"), "\"hello\"\n");
            drop(socket);
            assert!(!path.exists());
        }
    }

    #[tokio::test]
    async fn asking_where_no_server_runs_says_so() {
        let data_dir = tempfile::tempdir().expect("a directory");
        let order = Order::Backup { directory: None };
        let error = ask(data_dir.path(), &order)
            .await
            .expect_err("nobody listens");
        assert!(matches!(error, Error::Unanswered(_)), "{error}");
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_refused() {
        let (mut client, mut server) = UnixStream::pair().expect("a pair");
        client.write_all(b"{\"order\"").await.expect("it is open");
        drop(client);
        let error = read_line(&mut server).await.expect_err("no whole line");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
