//! Listeners: one acceptor that hands sockets to the shards in turn, and the two small ones beside it.
//!
//! In turn, and from one place: the load is even, and a port that is taken is an error. On a thread of its own: where several
//! threads share a runtime, each connection that comes wakes a second one to look for more. The small ones answer
//! one request to a connection, within a time, and so many at a time: who else comes waits in the backlog.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::response::{IntoResponse, Redirect, Response};
use http::{Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use world::World;
use world::net::{Acceptor, TcpListener};

use crate::http::health;
use crate::metric::Metric;
use crate::shard::errand::{Accepted, Errand};
use crate::{Doors, Error, Listeners};

/// How long the acceptor rests when the system has no more descriptors.
const REST: Duration = Duration::from_millis(100);
/// Connections at a time that are sent on to TLS.
const REDIRECTS_MAX: usize = 256;
/// Connections at a time for metrics alone: there are few programs that look after a server.
const METRICS_MAX: usize = 32;
/// How long a connection of a small listener may last.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// Bytes that are read of a request there.
const REQUEST_BUFFER_MAX: usize = 16 * 1024;
/// How often limits forget who has been quiet.
const FORGET: Duration = Duration::from_secs(60);

/// Starts all listeners; gives the acceptor's thread, which ends when no more is accepted.
///
/// # Errors
/// The thread cannot be started, or has no runtime.
pub(crate) fn start(
    doors: &Doors,
    listeners: Listeners,
    errands: Vec<flume::Sender<Errand>>,
    accepting: &CancellationToken,
) -> Result<JoinHandle<()>, Error> {
    let tracker = &doors.world.tracker;
    let accept = accept(doors.clone(), listeners.http, errands, accepting.clone());
    // A runtime that this thread alone works for.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Thread)?;
    let acceptor = std::thread::Builder::new()
        .name("acceptor".to_owned())
        .spawn(move || runtime.block_on(accept))
        .map_err(Error::Thread)?;
    if let Some(listener) = listeners.redirect {
        let sent_on = {
            let doors = doors.clone();
            move |request| {
                let origin = doors.config.public_origin.as_deref();
                std::future::ready(redirect(origin, &request))
            }
        };
        let (world, until) = (doors.world.clone(), accepting.clone());
        tracker.spawn(answer_each(world, listener, REDIRECTS_MAX, until, sent_on));
    }
    if let Some(listener) = listeners.metrics {
        let router = health::metrics_only(doors.clone());
        let asked = move |request: Request<Incoming>| {
            let answered = router.clone().oneshot(request);
            async move { answered.await.unwrap_or_else(|never| match never {}) }
        };
        // Until the end: it tells how the end goes, too.
        let (world, until) = (doors.world.clone(), tracker.soft().clone());
        tracker.spawn(answer_each(world, listener, METRICS_MAX, until, asked));
    }
    tracker.spawn(forget(doors.clone()));
    Ok(acceptor)
}

async fn accept(
    doors: Doors,
    listener: TcpListener,
    errands: Vec<flume::Sender<Errand>>,
    accepting: CancellationToken,
) {
    let acceptor = match Acceptor::new(listener) {
        Ok(acceptor) => acceptor,
        Err(error) => {
            tracing::error!("no connection can be accepted: {error}");
            return;
        }
    };
    let mut turn = 0_usize;
    loop {
        let accepted = tokio::select! {
            biased;
            () = accepting.cancelled() => return,
            accepted = acceptor.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                doors.world.clock.sleep(REST).await;
                continue;
            }
        };
        doors.metrics.add(Metric::Accepted, 1);
        turn = (turn + 1) % errands.len();
        let errand = Errand::Accept(Box::new(Accepted { socket, peer }));
        if errands[turn].send_async(errand).await.is_err() {
            return;
        }
    }
}

/// Answers each connection once, within `ANSWER_TIME_MAX`; those beyond `connections_max` wait.
async fn answer_each<A, F>(
    world: World,
    listener: TcpListener,
    connections_max: usize,
    until: CancellationToken,
    answer: A,
) where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(connections_max));
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = until.cancelled() => return,
            next = next => next,
        };
        let Ok((stream, _)) = accepted else {
            world.clock.sleep(REST).await;
            continue;
        };
        let (clock, answer) = (world.clock.clone(), answer.clone());
        world.tracker.spawn(async move {
            let _place = place;
            let service = service_fn(move |request| {
                let answered = answer(request);
                async move { Ok::<_, Infallible>(answered.await) }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .keep_alive(false)
                .max_buf_size(REQUEST_BUFFER_MAX)
                .serve_connection(TokioIo::new(stream), service);
            // Who speaks no HTTP, or takes too long, goes without.
            let _served = clock.timeout(ANSWER_TIME_MAX, served).await;
        });
    }
}

/// Where a request over plain HTTP is to be made instead: at our own origin where it is configured,
/// else at the standard port of the host that was asked.
fn redirect(public_origin: Option<&str>, request: &Request<Incoming>) -> Response {
    let asked = request.headers().get(header::HOST);
    let origin = match public_origin {
        Some(origin) => Some(origin.to_owned()),
        None => asked
            .and_then(|host| host.to_str().ok())
            .and_then(secure_origin),
    };
    let path = request.uri().path_and_query();
    let path = path.map_or("/", |path| path.as_str());
    match origin {
        Some(origin) if path.starts_with('/') => {
            Redirect::permanent(&format!("{origin}{path}")).into_response()
        }
        Some(_) | None => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// The origin over TLS of a host: the port of the plain listener is not that of the other one.
fn secure_origin(host: &str) -> Option<String> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-[]:".contains(&byte));
    (is_plain && !name.is_empty()).then(|| format!("https://{name}"))
}

async fn forget(doors: Doors) {
    let soft = doors.world.tracker.soft();
    loop {
        tokio::select! {
            biased;
            () = soft.cancelled() => return,
            () = doors.world.clock.sleep(FORGET) => doors.limits.forget_quiet(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_small_listener_answers_so_many_at_a_time_and_in_the_end_all() {
        const MOST: usize = 2;
        let world = World::system();
        let listener = world::net::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let (present, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (came, mut comes) = tokio::sync::mpsc::channel(10);
        let leave = Arc::new(Semaphore::new(0));
        let answer = {
            let (present, most, leave) = (present.clone(), most.clone(), leave.clone());
            move |_| {
                let (present, most) = (present.clone(), most.clone());
                let (came, leave) = (came.clone(), leave.clone());
                async move {
                    let now = present.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    came.send(()).await.unwrap();
                    leave.acquire().await.unwrap().forget();
                    present.fetch_sub(1, Ordering::SeqCst);
                    StatusCode::NO_CONTENT.into_response()
                }
            }
        };
        let until = CancellationToken::new();
        let serving = answer_each(world.clone(), listener, MOST, until.clone(), answer);
        let serving = world.tracker.spawn(serving);
        let mut streams = Vec::new();
        for _ in 0..5 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream
                .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                .await
                .unwrap();
            streams.push(stream);
        }
        for _ in 0..MOST {
            comes.recv().await.unwrap();
        }
        leave.add_permits(5);
        for mut stream in streams {
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 204"), "{answer:?}");
        }
        assert_eq!(most.load(Ordering::SeqCst), MOST);
        until.cancel();
        serving.await.unwrap();
    }

    #[test]
    fn a_host_is_asked_for_at_the_standard_port_and_nothing_else_gets_into_the_address() {
        for (host, origin) in [
            ("chat.example.com", Some("https://chat.example.com")),
            ("chat.example.com:8080", Some("https://chat.example.com")),
            ("[::1]", Some("https://[::1]")),
            ("[::1]:80", Some("https://[::1]")),
            ("", None),
            (":80", None),
            ("a/b", None),
            ("a@b", None),
            ("a b", None),
            ("a?b", None),
        ] {
            assert_eq!(secure_origin(host).as_deref(), origin, "{host}");
        }
    }
}
