//! A network of a simulation: connections whose bytes take their time, and that can be cut or held.
//!
//! The bytes of one connection arrive in order, as TCP's do; those of two overtake each other. What is not
//! read yet is bounded, so a slow reader makes a writer wait. How long bytes take, and how they are cut into
//! pieces, a seed decides.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Clock, Ids};

/// Bytes that may be under way in one direction.
const CAPACITY: usize = 16 * 1024;

/// Connections that may wait to be accepted.
const BACKLOG: usize = 1_024;

/// Microseconds that bytes take, at most, on a line of the common kind, and on one in eight.
const DELAY_US_MAX: u64 = 5_000;
const LONG_DELAY_US_MAX: u64 = 300_000;

/// Who listens where, and all connections. Clones are one network.
#[derive(Debug, Clone)]
pub struct Network(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Clock,
    ids: Ids,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    listeners: BTreeMap<SocketAddr, flume::Sender<Pipe>>,
    cables: Vec<(SocketAddr, Cable)>,
}

impl Network {
    /// A network on which nobody listens.
    #[must_use]
    pub fn new(clock: Clock, ids: Ids) -> Self {
        Self(Arc::new(Shared {
            clock,
            ids,
            state: Mutex::default(),
        }))
    }

    /// Listens on an address, in the place of whoever did before.
    #[must_use]
    pub fn listen(&self, address: SocketAddr) -> flume::Receiver<Pipe> {
        // Bounded; past that connections are refused.
        let (sender, receiver) = flume::bounded(BACKLOG);
        self.lock().listeners.insert(address, sender);
        receiver
    }

    /// Connects.
    ///
    /// # Errors
    /// Refused where nobody listens.
    pub fn connect(&self, address: SocketAddr) -> io::Result<Pipe> {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let mut state = self.lock();
        let listener = state.listeners.get(&address).cloned();
        let listener = listener.ok_or_else(refused)?;
        let (here, there) = self.pair();
        let cable = here.cable.clone();
        listener.try_send(there).map_err(|_| refused())?;
        state.cables.retain(|(_, cable)| !cable.is_over());
        state.cables.push((address, cable));
        Ok(here)
    }

    /// The connections to an address that are open, or were cut and are not yet noticed as such; the oldest
    /// first.
    #[must_use]
    pub fn cables(&self, address: SocketAddr) -> Vec<Cable> {
        let state = self.lock();
        let to_it = state.cables.iter().filter(|(to, _)| *to == address);
        to_it.map(|(_, cable)| cable.clone()).collect()
    }

    fn pair(&self) -> (Pipe, Pipe) {
        let longest = if self.0.ids.below(8) == 0 {
            LONG_DELAY_US_MAX
        } else {
            DELAY_US_MAX
        };
        let cable = Cable(Arc::new(Mutex::new(Ends::default())));
        let pipe = |side| Pipe {
            side,
            cable: cable.clone(),
            clock: self.0.clock.clone(),
            ids: self.0.ids.clone(),
            delay_us_max: longest,
            wait: None,
        };
        (pipe(0), pipe(1))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a connection runs through. Clones are one.
#[derive(Debug, Clone)]
pub struct Cable(Arc<Mutex<Ends>>);

#[derive(Debug, Default)]
struct Ends {
    /// What was written by the end of this index.
    ways: [Way; 2],
    is_cut: bool,
    is_held: bool,
}

#[derive(Debug, Default)]
struct Way {
    pieces: VecDeque<(Duration, VecDeque<u8>)>,
    byte_count: usize,
    /// When the last piece arrives.
    last_at: Duration,
    /// When its end arrives, once it ended.
    ends_at: Option<Duration>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Way {
    fn wake(&mut self) {
        let wakers = [self.reader.take(), self.writer.take()];
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Cable {
    /// Cuts it: both ends see a reset at once, and what was under way is lost.
    pub fn cut(&self) {
        let mut ends = self.lock();
        ends.is_cut = true;
        ends.ways.iter_mut().for_each(Way::wake);
    }

    /// Nothing arrives any more, and nobody is told: until it is let go.
    pub fn hold(&self) {
        self.lock().is_held = true;
    }

    /// What was held arrives.
    pub fn let_go(&self) {
        let mut ends = self.lock();
        ends.is_held = false;
        ends.ways.iter_mut().for_each(Way::wake);
    }

    /// Whether nothing passes any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let ends = self.lock();
        ends.is_cut || ends.ways.iter().all(|way| way.ends_at.is_some())
    }

    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One end of a connection.
pub struct Pipe {
    side: usize,
    cable: Cable,
    clock: Clock,
    ids: Ids,
    delay_us_max: u64,
    /// Until the next piece arrives.
    wait: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl std::fmt::Debug for Pipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipe").finish_non_exhaustive()
    }
}

impl Pipe {
    fn arrival(&self, way: &Way) -> Duration {
        let delay = Duration::from_micros(self.ids.below(self.delay_us_max));
        way.last_at.max(self.clock.elapsed() + delay)
    }

    /// Says that nothing more is written.
    fn end(&self) {
        let mut ends = self.cable.lock();
        let way = &mut ends.ways[self.side];
        if way.ends_at.is_none() {
            let at = self.arrival(way);
            way.last_at = at;
            way.ends_at = Some(at);
            way.wake();
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let next = {
                let mut ends = this.cable.lock();
                if ends.is_cut {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                let is_held = ends.is_held;
                let now = this.clock.elapsed();
                let way = &mut ends.ways[1 - this.side];
                way.reader = Some(context.waker().clone());
                let next = way.pieces.front().map(|(at, _)| *at).or(way.ends_at);
                let Some(next) = next.filter(|_| !is_held) else {
                    return Poll::Pending;
                };
                if next <= now {
                    read(way, buffer);
                    return Poll::Ready(Ok(()));
                }
                next - now
            };
            let mut wait = Box::pin(this.clock.sleep(next));
            if wait.as_mut().poll(context).is_pending() {
                this.wait = Some(wait);
                return Poll::Pending;
            }
        }
    }
}

/// Takes what has arrived, or its end.
fn read(way: &mut Way, buffer: &mut ReadBuf<'_>) {
    let Some((_, piece)) = way.pieces.front_mut() else {
        return;
    };
    let count = piece.len().min(buffer.remaining());
    let bytes: Vec<u8> = piece.drain(..count).collect();
    buffer.put_slice(&bytes);
    way.byte_count -= count;
    if piece.is_empty() {
        way.pieces.pop_front();
    }
    if let Some(writer) = way.writer.take() {
        writer.wake();
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let mut ends = this.cable.lock();
        if ends.is_cut {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let now = this.clock.elapsed();
        let is_gone = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        if is_gone(ends.ways[1 - this.side].ends_at) || ends.ways[this.side].ends_at.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let way = &mut ends.ways[this.side];
        let room = CAPACITY - way.byte_count;
        if room == 0 {
            way.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        let mut count = bytes.len().min(room);
        if count > 1 && this.ids.below(8) == 0 {
            let part = this.ids.below(u64::try_from(count).expect("a length fits"));
            count = usize::try_from(part).expect("below a length").max(1);
        }
        let at = this.arrival(way);
        way.last_at = at;
        way.byte_count += count;
        let piece = bytes[..count].iter().copied().collect();
        way.pieces.push_back((at, piece));
        if let Some(reader) = way.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    /// A connection whose end is gone: what it wrote still arrives.
    fn drop(&mut self) {
        self.end();
        let mut ends = self.cable.lock();
        // Nobody reads here any more, so the other end's writes need not wait.
        ends.ways[1 - self.side].wake();
    }
}
