//! Listeners: one acceptor that hands sockets to the shards in turn, and the two small ones beside it.
//!
//! In turn, and from one place: the load is even, and a port that is taken is an error.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use http::{Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use world::net::TcpListener;

use crate::http::health;
use crate::metric::Metric;
use crate::shard::errand::{Accepted, Errand};
use crate::{Doors, Listeners};

/// How long the acceptor rests when the system has no more descriptors.
const REST: Duration = Duration::from_millis(100);
/// Connections at a time that are sent on to TLS.
const REDIRECTS_MAX: usize = 256;
/// How long such a connection may last.
const REDIRECT_TIME_MAX: Duration = Duration::from_secs(5);
/// Bytes that are read of a request that is sent on.
const REDIRECT_BUFFER_MAX: usize = 16 * 1024;
/// How often limits forget who has been quiet.
const FORGET: Duration = Duration::from_secs(60);

/// Starts all listeners.
pub(crate) fn start(
    doors: &Doors,
    listeners: Listeners,
    errands: Vec<flume::Sender<Errand>>,
    accepting: &CancellationToken,
) {
    let tracker = &doors.world.tracker;
    tracker.spawn(accept(
        doors.clone(),
        listeners.http,
        errands,
        accepting.clone(),
    ));
    if let Some(listener) = listeners.redirect {
        tracker.spawn(send_on(doors.clone(), listener, accepting.clone()));
    }
    if let Some(listener) = listeners.metrics {
        let router = health::metrics_only(doors.clone());
        tracker.spawn(serve(listener, router, tracker.soft().clone()));
    }
    tracker.spawn(forget(doors.clone()));
}

async fn accept(
    doors: Doors,
    listener: TcpListener,
    errands: Vec<flume::Sender<Errand>>,
    accepting: CancellationToken,
) {
    let mut turn = 0_usize;
    loop {
        let accepted = tokio::select! {
            biased;
            () = accepting.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                doors.world.clock.sleep(REST).await;
                continue;
            }
        };
        doors.metrics.add(Metric::Accepted, 1);
        // Frames are small and wait for nothing. A socket that cannot be told so is gone already.
        let Ok(stream) = stream.set_nodelay(true).and_then(|()| stream.into_std()) else {
            continue;
        };
        turn = (turn + 1) % errands.len();
        let errand = Errand::Accept(Box::new(Accepted { stream, peer }));
        if errands[turn].send_async(errand).await.is_err() {
            return;
        }
    }
}

async fn serve(listener: TcpListener, router: Router, until: CancellationToken) {
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(async move { until.cancelled().await })
        .await;
    if let Err(error) = served {
        tracing::error!("a listener ended: {error}");
    }
}

/// Sends everybody who speaks plain HTTP on to TLS: one answer to a connection, and within
/// `REDIRECT_TIME_MAX`. Strangers reach this port, so connections beyond `REDIRECTS_MAX` wait.
async fn send_on(doors: Doors, listener: TcpListener, accepting: CancellationToken) {
    let room = Arc::new(Semaphore::new(REDIRECTS_MAX));
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = accepting.cancelled() => return,
            next = next => next,
        };
        let Ok((stream, _)) = accepted else {
            doors.world.clock.sleep(REST).await;
            continue;
        };
        let doors = doors.clone();
        let world = doors.world.clone();
        world.tracker.spawn(async move {
            let _place = place;
            let service = service_fn(|request: Request<Incoming>| {
                let answer = redirect(doors.config.public_origin.as_deref(), &request);
                async move { Ok::<_, Infallible>(answer) }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .keep_alive(false)
                .max_buf_size(REDIRECT_BUFFER_MAX)
                .serve_connection(TokioIo::new(stream), service);
            // Who speaks no HTTP, or takes too long, goes without.
            let _served = doors.world.clock.timeout(REDIRECT_TIME_MAX, served).await;
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
            () = soft.cancelled() => return,
            () = doors.world.clock.sleep(FORGET) => doors.limits.forget_quiet(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
