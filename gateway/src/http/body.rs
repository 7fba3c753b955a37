//! Bodies on their way. A request's comes in not larger than is allowed, and not slower than a pace. What
//! has come is copied out at once: a part of a few bytes keeps the whole buffer that it was read into. What no
//! door wants of it is read away, so that the answer can be read. An answer's may keep a place until it is out.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use protocol::limit;
use protocol::rejection::ErrorCode;
use world::World;

use crate::http::problem::Failure;
use crate::limits::ConnectionPermit;

/// A body that is being read.
pub(crate) struct Incoming {
    body: Body,
    bytes_left: u64,
    clock: world::Clock,
    /// When all of it must have come, on the world's clock.
    until: Duration,
}

impl Incoming {
    /// Begins to read a body of at most `bytes_max` bytes.
    pub(crate) fn new(request: Request, bytes_max: u64, clock: &world::Clock) -> Self {
        let pace = Duration::from_millis(bytes_max * 1_000 / limit::REQUEST_BYTES_PER_SECOND_MIN);
        let idle = Duration::from_millis(limit::REQUEST_IDLE_MS_MAX);
        Self {
            body: request.into_body(),
            bytes_left: bytes_max,
            clock: clock.clone(),
            until: clock.elapsed() + idle + pace,
        }
    }

    /// The next part; nothing at the end. Small parts should not be kept.
    ///
    /// # Errors
    /// `too_large`, `too_slow`, or `malformed` when the client stopped in the middle.
    pub(crate) async fn part(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let left = self.until.saturating_sub(self.clock.elapsed());
            let wait = left.min(Duration::from_millis(limit::REQUEST_IDLE_MS_MAX));
            let frame = self.clock.timeout(wait, self.body.frame()).await;
            let Some(frame) = frame.ok_or(ErrorCode::TooSlow)? else {
                return Ok(None);
            };
            let frame = frame.map_err(|_| ErrorCode::Malformed)?;
            // Trailers say nothing that is wanted here.
            if let Ok(part) = frame.into_data() {
                let length = u64::try_from(part.len()).expect("a length fits into 64 bits");
                let left = self.bytes_left.checked_sub(length);
                self.bytes_left = left.ok_or(ErrorCode::TooLarge)?;
                return Ok(Some(part));
            }
        }
    }

    /// The whole body. For small ones.
    ///
    /// # Errors
    /// As [`Incoming::part`].
    pub(crate) async fn whole(mut self) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        while let Some(part) = self.part().await? {
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }
}

/// How long a client may go on sending what nobody wants.
const READ_AWAY_TIME_MAX: Duration = Duration::from_secs(30);

/// A request's body, lent to a door: what the door leaves of it comes back.
#[derive(Clone)]
pub(crate) struct Lent(Arc<Mutex<Option<hyper::body::Incoming>>>);

impl Lent {
    pub(crate) fn new(body: hyper::body::Incoming) -> Self {
        Self(Arc::new(Mutex::new(Some(body))))
    }

    /// What is left of it, if anything. The door sees its end from here on.
    pub(crate) fn rest(&self) -> Option<hyper::body::Incoming> {
        self.body().take().filter(|body| !body.is_end_stream())
    }

    fn body(&self) -> MutexGuard<'_, Option<hyper::body::Incoming>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut lent = self.body();
        let Some(body) = lent.as_mut() else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            *lent = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body().as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body();
        body.as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

/// Reads and forgets what is left of a body: who hangs up on a client that still sends destroys the answer
/// on its way, and proxies say something of their own. Who sends more than a file may have, or for too long,
/// is hung up on, and so is everybody at the end.
pub(crate) async fn read_away(rest: hyper::body::Incoming, world: World) {
    let request = Request::new(Body::new(rest));
    let mut rest = Incoming::new(request, limit::ATTACHMENT_BYTES_MAX, &world.clock);
    let read = async { while let Ok(Some(_)) = rest.part().await {} };
    tokio::select! {
        biased;
        () = world.tracker.soft().cancelled() => {}
        _read = world.clock.timeout(READ_AWAY_TIME_MAX, read) => {}
    }
}

/// A body that keeps a place until it is out.
pub(crate) fn counted(body: Body, permit: ConnectionPermit) -> Body {
    Body::new(Counted {
        body,
        _permit: permit,
    })
}

struct Counted {
    body: Body,
    _permit: ConnectionPermit,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::{StreamExt, stream};

    use super::*;

    /// A buffer of the HTTP library, counted while it lives.
    struct Buffer(Arc<AtomicUsize>, Vec<u8>);

    impl Buffer {
        fn new(alive: &Arc<AtomicUsize>) -> Self {
            alive.fetch_add(1, Ordering::Relaxed);
            Self(Arc::clone(alive), vec![b'x'; 8_192])
        }
    }

    impl AsRef<[u8]> for Buffer {
        fn as_ref(&self) -> &[u8] {
            &self.1
        }
    }

    impl Drop for Buffer {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A body of so many parts, each after a while.
    fn slow(clock: &world::Clock, parts: usize, part: &'static [u8], pause: Duration) -> Request {
        let clock = clock.clone();
        let parts = stream::unfold(0, move |count| {
            let clock = clock.clone();
            async move {
                clock.sleep(pause).await;
                let part = Ok::<_, std::convert::Infallible>(Bytes::from_static(part));
                (count < parts).then_some((part, count + 1))
            }
        });
        Request::new(Body::from_stream(parts))
    }

    /// Reads a body while time passes in steps of a second.
    async fn read(
        clock: &world::Clock,
        request: Request,
        bytes_max: u64,
    ) -> Result<usize, ErrorCode> {
        let body = Incoming::new(request, bytes_max, clock).whole();
        let mut body = std::pin::pin!(body);
        loop {
            tokio::select! {
                biased;
                whole = &mut body => {
                    return whole.map(|whole| whole.len()).map_err(|failure| failure.rejection().code);
                }
                () = tokio::task::yield_now() => clock.advance(Duration::from_secs(1)),
            }
        }
    }

    #[tokio::test]
    async fn a_body_in_small_pieces_keeps_none_of_the_buffers_they_came_in() {
        let alive = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let parts = stream::iter(0..1_000).map({
            let (alive, most) = (Arc::clone(&alive), Arc::clone(&most));
            move |_| {
                let part = Bytes::from_owner(Buffer::new(&alive)).split_to(1);
                most.fetch_max(alive.load(Ordering::Relaxed), Ordering::Relaxed);
                Ok::<_, std::convert::Infallible>(part)
            }
        });
        let clock = world::Clock::manual(0);
        let request = Request::new(Body::from_stream(parts));
        let whole = Incoming::new(request, 2_000, &clock).whole().await;
        assert_eq!(whole.ok().map(|whole| whole.len()), Some(1_000));
        assert!(most.load(Ordering::Relaxed) <= 2, "{most:?}");
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_body_that_stands_still_is_given_up() {
        let clock = world::Clock::manual(0);
        let idle = Duration::from_millis(limit::REQUEST_IDLE_MS_MAX);
        let request = slow(&clock, 2, b"x", idle + Duration::from_secs(1));
        assert_eq!(
            read(&clock, request, 1 << 20).await,
            Err(ErrorCode::TooSlow)
        );
        let request = slow(&clock, 2, b"x", idle - Duration::from_secs(1));
        assert_eq!(read(&clock, request, 1 << 20).await, Ok(2));
    }

    #[tokio::test]
    async fn a_body_that_only_trickles_is_given_up() {
        let clock = world::Clock::manual(0);
        let request = slow(&clock, 1_000, b"x", Duration::from_secs(2));
        assert_eq!(read(&clock, request, 2_000).await, Err(ErrorCode::TooSlow));
        // A large one has its time.
        let part = &[b'x'; 64 * 1_024];
        let request = slow(&clock, 100, part, Duration::from_secs(1));
        assert_eq!(read(&clock, request, 100 << 16).await, Ok(100 << 16));
    }

    #[tokio::test]
    async fn a_body_that_is_slower_than_the_slowest_allowed_is_given_up() {
        let second = usize::try_from(limit::REQUEST_BYTES_PER_SECOND_MIN).unwrap();
        let part: &'static [u8] = vec![b'x'; second].leak();
        let clock = world::Clock::manual(0);
        let pause = Duration::from_secs(1);
        let whole = 100 * limit::REQUEST_BYTES_PER_SECOND_MIN;
        let request = slow(&clock, 100, part, pause);
        assert_eq!(read(&clock, request, whole).await, Ok(100 * second));
        let request = slow(&clock, 200, &part[second / 2..], pause);
        assert_eq!(read(&clock, request, whole).await, Err(ErrorCode::TooSlow));
    }

    #[tokio::test]
    async fn a_body_has_its_bound() {
        let clock = world::Clock::manual(0);
        let body = |length: usize| Request::new(Body::from(vec![b'x'; length]));
        assert_eq!(read(&clock, body(9), 8).await, Err(ErrorCode::TooLarge));
        assert_eq!(read(&clock, body(8), 8).await, Ok(8));
    }
}
