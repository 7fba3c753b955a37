//! A connection over plain HTTP: the same state machine, its texts as the body of an answer. What the
//! client says comes over `POST /frames`.
//!
//! The body goes out in small chunks, each when the HTTP library has taken the one before, which it does
//! as the client reads: what a slow client has not taken waits in the connection and is counted there.

use std::rc::Rc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
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
/// Chunks that may wait for the HTTP library.
pub(crate) const CHUNKS_MAX: usize = 1;
/// Bytes of a chunk.
const CHUNK_BYTES_MAX: usize = 16 * 1024;

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
    /// Where the body goes. Bounded: a full channel is a client that does not read.
    pub(crate) chunks: mpsc::Sender<Bytes>,
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
        chunks: open.chunks,
        front_written: 0,
        form: match open.wait_ms {
            Some(_) => Form::Array { is_empty: true },
            None => Form::Lines,
        },
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

/// How texts stand in the body. They are JSON already.
#[derive(Debug)]
enum Form {
    /// One a line.
    Lines,
    /// As one array.
    Array { is_empty: bool },
}

impl Form {
    /// What stands before the next text.
    fn before(&mut self) -> &'static [u8] {
        match self {
            Self::Lines => b"",
            Self::Array { is_empty } => match std::mem::replace(is_empty, false) {
                true => b"[",
                false => b",",
            },
        }
    }

    /// What stands behind a text.
    fn after(&self) -> &'static [u8] {
        match self {
            Self::Lines => b"\n",
            Self::Array { .. } => b"",
        }
    }

    /// What stands behind all.
    fn end(&self) -> &'static [u8] {
        match self {
            Self::Lines => b"",
            Self::Array { is_empty: true } => b"[]",
            Self::Array { is_empty: false } => b"]",
        }
    }
}

/// The answer's body, seen from the connection.
struct Feed {
    shard: Rc<Shard>,
    mailbox: Rc<Mailbox>,
    chunks: mpsc::Sender<Bytes>,
    /// Bytes of the first text in line that are in a chunk already.
    front_written: usize,
    form: Form,
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
                biased;
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
            () = self.chunks.closed() => return Err(Ending::Theirs),
            done = connection.job_done() => connection.on_done(done),
        }
        Ok(())
    }

    async fn write_out(&mut self, connection: &mut Identified) -> Result<(), Ending> {
        while !connection.out().is_empty() {
            self.mailbox
                .stalled(self.shard.now(), connection.out_bytes());
            let permit = tokio::select! {
                biased;
                permit = self.chunks.reserve() => permit.map_err(|_| Ending::Theirs)?,
                code = std::future::poll_fn(|context| self.mailbox.poll_ending(context)) => {
                    return Err(Ending::Ours(code));
                }
            };
            permit.send(chunk(connection, &mut self.front_written, &mut self.form));
            self.mailbox.wrote(self.shard.now(), connection.out_bytes());
        }
        Ok(())
    }

    /// The last text says why it is the last.
    async fn close(&mut self, ending: Ending) {
        if self.front_written > 0 {
            // Cut off in the middle, the body cannot be ended in order.
            return;
        }
        let mut last = BytesMut::new();
        if let Ending::Ours(code) = ending {
            last.put_slice(self.form.before());
            last.put(frame::error(&rejection_of(code)));
            last.put_slice(self.form.after());
        }
        last.put_slice(self.form.end());
        if last.is_empty() {
            return;
        }
        let clock = &self.shard.doors.world.clock;
        // Who does not take it sees a broken answer, which means the same.
        let _said = clock
            .timeout(Duration::from_secs(1), self.chunks.send(last.freeze()))
            .await;
    }
}

/// The next piece of the body: as many texts as fit, and of the one after them what does.
fn chunk(connection: &mut Identified, front_written: &mut usize, form: &mut Form) -> Bytes {
    let mut chunk = BytesMut::with_capacity(connection.out_bytes().min(CHUNK_BYTES_MAX));
    // What stands before a text is a byte at most: at least one of the text goes with it.
    while let Some(text) = connection.out().front_text()
        && chunk.len() + 1 < CHUNK_BYTES_MAX
    {
        if *front_written == 0 {
            chunk.put_slice(form.before());
        }
        let left = &text[*front_written..];
        let part = &left[..left.len().min(CHUNK_BYTES_MAX - chunk.len())];
        chunk.put_slice(part);
        if part.len() < left.len() {
            *front_written += part.len();
            break;
        }
        chunk.put_slice(form.after());
        *front_written = 0;
        connection.written();
    }
    chunk.freeze()
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
pub(crate) struct Streams(std::sync::Mutex<world::HashMap<ConnectionId, String>>);

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

    fn lock(&self) -> std::sync::MutexGuard<'_, world::HashMap<ConnectionId, String>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The errand channel of the shard that serves a request, in its extensions.
pub(crate) type ShardDoor = flume::Sender<crate::shard::errand::Errand>;
