//! A connection over plain HTTP: the same state machine, its texts as lines of an answer. What the
//! client says comes over `POST /frames`.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use protocol::frame::{Hello, Watch};
use protocol::id::ConnectionId;
use protocol::rejection::{CloseCode, ErrorCode, Rejection};
use tokio::sync::{mpsc, oneshot};

use crate::connection::frame;
use crate::connection::identified::Identified;
use crate::connection::socket::{Ending, count};
use crate::connection::unidentified::{Caller, Unidentified};
use crate::limits::ConnectionPermit;
use crate::metric::Metric;
use crate::shard::Shard;
use crate::shard::mailbox::{Beats, Mailbox};

/// The longest wait of a long poll.
const WAIT_MAX: Duration = Duration::from_secs(55);
/// Lines that may wait for the HTTP library. It takes them as the client does.
pub(crate) const LINES_MAX: usize = 16;

/// A request that becomes a stream.
#[derive(Debug)]
pub(crate) struct OpenStream {
    pub(crate) hello: Hello,
    pub(crate) watch: Vec<Watch>,
    /// A single answer after at most so long.
    pub(crate) wait_ms: Option<u64>,
    pub(crate) caller: Box<Caller>,
    pub(crate) permit: ConnectionPermit,
    /// Whether the client was let in.
    pub(crate) started: oneshot::Sender<Result<(), Rejection>>,
    /// Where frames go. Bounded: a full channel is a client that does not read.
    pub(crate) lines: mpsc::Sender<Bytes>,
}

/// Serves a stream in a task of its own.
pub(crate) fn open(shard: &Rc<Shard>, open: OpenStream) {
    let shard = Rc::clone(shard);
    let tracker = shard.doors.world.tracker.clone();
    tracker.spawn_local(async move { serve(&shard, open).await });
}

async fn serve(shard: &Rc<Shard>, open: OpenStream) {
    let doors = shard.doors.clone();
    let _permit = open.permit;
    let mailbox = shard.enter();
    let unidentified = Unidentified::new(Rc::clone(shard), Rc::clone(&mailbox), open.caller);
    let mut connection = match unidentified.on_hello(open.hello).await {
        Ok(connection) => connection,
        Err(refused) => {
            // A client that hung up meanwhile does not wait for this.
            let _told = open.started.send(Err(refused.rejection));
            shard.exit(&mailbox);
            return;
        }
    };
    doors.metrics.add(Metric::Connections, 1);
    let connection_id = connection.connection_id();
    let is_let_in = open.started.send(Ok(())).is_ok();
    doors.streams.enter(&connection);
    for watch in &open.watch {
        if let Err(rejection) = connection.watch(watch) {
            connection.say(frame::error(&rejection));
        }
    }
    mailbox.set_beats(match open.wait_ms {
        Some(_) => Beats::None,
        None => Beats::Spoken,
    });
    let mut feed = Feed {
        shard: Rc::clone(shard),
        mailbox: Rc::clone(&mailbox),
        lines: open.lines,
    };
    let ending = match open.wait_ms {
        _ if !is_let_in => Ending::Theirs,
        None => feed.stream(&mut connection).await,
        Some(wait_ms) => {
            let wait = Duration::from_millis(wait_ms).min(WAIT_MAX);
            feed.poll(&mut connection, wait).await
        }
    };
    feed.close(ending).await;
    mailbox.closing();
    doors.streams.exit(connection_id);
    connection.leave().await;
    shard.exit(&mailbox);
    doors.metrics.add(Metric::Connections, -1);
    count(&doors, ending);
}

/// The answer's body, seen from the connection.
struct Feed {
    shard: Rc<Shard>,
    mailbox: Rc<Mailbox>,
    lines: mpsc::Sender<Bytes>,
}

impl Feed {
    /// Writes lines until somebody ends it.
    async fn stream(&mut self, connection: &mut Identified) -> Ending {
        loop {
            if let Err(ending) = self.turn(connection).await {
                return ending;
            }
        }
    }

    /// Writes what there is; where nothing is new, waits for news, but not longer than told.
    async fn poll(&mut self, connection: &mut Identified, wait: Duration) -> Ending {
        let clock = self.shard.doors.world.clock.clone();
        let mut time_is_up = std::pin::pin!(clock.sleep(wait));
        let mut is_up = wait.is_zero();
        // The greeting is no news; it is over when all that was asked for has been answered.
        while !connection.is_settled() {
            if let Err(ending) = self.turn(connection).await {
                return ending;
            }
        }
        let mut before = connection.said_count();
        if connection.has_missed() {
            before = 0;
        }
        while connection.said_count() == before && !is_up {
            tokio::select! {
                () = &mut time_is_up => is_up = true,
                turned = self.turn(connection) => if let Err(ending) = turned {
                    return ending;
                },
            }
        }
        while !connection.is_settled() {
            if let Err(ending) = self.turn(connection).await {
                return ending;
            }
        }
        Ending::Theirs
    }

    /// One turn: notices, then lines, then the wait for more. Cancel-safe while nothing is in line.
    async fn turn(&mut self, connection: &mut Identified) -> Result<(), Ending> {
        connection.on_notices();
        if !connection.out().is_empty() {
            return self.write_out(connection).await;
        }
        if let Some(code) = self.mailbox.ending().or(self.mailbox.last()) {
            return Err(Ending::Ours(code));
        }
        tokio::select! {
            biased;
            () = self.mailbox.news() => {}
            () = self.lines.closed() => return Err(Ending::Theirs),
            done = connection.job_done() => connection.on_done(done),
        }
        Ok(())
    }

    async fn write_out(&mut self, connection: &mut Identified) -> Result<(), Ending> {
        while !connection.out().is_empty() {
            self.mailbox
                .stalled(self.shard.now(), connection.out_bytes());
            let permit = tokio::select! {
                permit = self.lines.reserve() => permit.map_err(|_| Ending::Theirs)?,
                code = std::future::poll_fn(|context| self.mailbox.poll_ending(context)) => {
                    return Err(Ending::Ours(code));
                }
            };
            if let Some(text) = connection.out().front() {
                permit.send(text.clone());
            }
            connection.written();
            self.mailbox.wrote(self.shard.now(), connection.out_bytes());
        }
        Ok(())
    }

    /// The last line says why it is the last.
    async fn close(&mut self, ending: Ending) {
        let Ending::Ours(code) = ending else {
            return;
        };
        let last = frame::error(&rejection_of(code));
        let clock = &self.shard.doors.world.clock;
        // Who does not take it sees a broken answer, which means the same.
        let _said = clock
            .timeout(Duration::from_secs(1), self.lines.send(last))
            .await;
    }
}

/// What a close code is in words of HTTP, where there are no close codes.
fn rejection_of(code: CloseCode) -> Rejection {
    match code {
        CloseCode::GoingAway
        | CloseCode::TooSlow
        | CloseCode::Silent
        | CloseCode::Unavailable
        | CloseCode::Replaced => ErrorCode::Unavailable.into(),
        CloseCode::TokenExpired => ErrorCode::TokenExpired.into(),
        CloseCode::IdentityChanged | CloseCode::Unauthenticated => {
            ErrorCode::Unauthenticated.into()
        }
        CloseCode::ProtocolError => ErrorCode::Malformed.into(),
        CloseCode::OriginRefused => ErrorCode::OriginRefused.into(),
        CloseCode::Revoked => ErrorCode::Forbidden.into(),
        CloseCode::Flooding => ErrorCode::RateLimited.into(),
    }
}

/// Which streams are open, so that frames which come by themselves find their connection.
#[derive(Debug, Default)]
pub(crate) struct Streams(std::sync::Mutex<std::collections::HashMap<ConnectionId, String>>);

impl Streams {
    fn enter(&self, connection: &Identified) {
        self.lock()
            .insert(connection.connection_id(), connection.principal_key());
    }

    fn exit(&self, connection_id: ConnectionId) {
        self.lock().remove(&connection_id);
    }

    /// Whether this open stream is the speaker's own.
    pub(crate) fn is_of(&self, connection_id: ConnectionId, principal_key: &str) -> bool {
        self.lock()
            .get(&connection_id)
            .is_some_and(|owner| owner == principal_key)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<ConnectionId, String>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The errand channel of the shard that serves a request, in its extensions.
pub(crate) type ShardDoor = flume::Sender<crate::shard::errand::Errand>;
