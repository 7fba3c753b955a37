//! Listeners: one acceptor that hands sockets to the shards in turn, and the two small ones beside it.
//!
//! In turn, and from one place: the load is even, and a port that is taken is an error.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use tokio_util::sync::CancellationToken;
use world::net::TcpListener;

use crate::http::health;
use crate::metric::Metric;
use crate::shard::errand::{Accepted, Errand};
use crate::{Doors, Listeners};

/// How long the acceptor rests when the system has no more descriptors.
const REST: Duration = Duration::from_millis(100);
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
        let router = Router::new()
            .fallback(redirect)
            .with_state(doors.config.public_origin.clone());
        tracker.spawn(serve(listener, router, accepting.clone()));
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

/// Sends a browser from plain HTTP to TLS.
async fn redirect(
    State(public_origin): State<Option<String>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let origin = public_origin.or_else(|| {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        // The port of the plain listener is not that of the other one.
        let name = host.rsplit_once(':').map_or(host, |(name, port)| {
            if port.bytes().all(|byte| byte.is_ascii_digit()) {
                name
            } else {
                host
            }
        });
        let is_plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-[]:".contains(&byte));
        (is_plain && !name.is_empty()).then(|| format!("https://{name}"))
    });
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    match origin {
        Some(origin) if path.starts_with('/') => {
            Redirect::permanent(&format!("{origin}{path}")).into_response()
        }
        Some(_) | None => StatusCode::BAD_REQUEST.into_response(),
    }
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
