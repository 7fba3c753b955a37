//! A new connection: TLS where it is ours, the first head, then a socket or the doors.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use protocol::network;
use protocol::rejection::{ErrorCode, Problem, Rejection};
use tokio::io::AsyncWriteExt;
use tower::ServiceExt;

use crate::connection::socket::{self, OpenSocket};
use crate::connection::unidentified::Caller;
use crate::http::auth;
use crate::http::body::{self, Lent};
use crate::http::line::{Line, Peer, user_agent};
use crate::limits::ConnectionPermit;
use crate::metric::Metric;
use crate::shard::Shard;
use crate::shard::errand::Accepted;
use crate::shard::head::{self, HEAD_TIME_MAX, Head, NoSocket, SOCKET_PATH, SUBPROTOCOL};
use crate::shard::stream::{Rewound, Stream};
use crate::shard::timer::Timer;

/// How long a connection may wait between two requests, and a client may take for a head.
const IDLE_TIME_MAX: Duration = Duration::from_secs(30);
/// Bytes that the HTTP library buffers of one connection.
const HTTP_BUFFER_MAX: usize = 32 * 1024;

/// Serves a connection in a task of its own.
pub(crate) fn open(shard: &Rc<Shard>, accepted: Box<Accepted>) {
    let tracker = shard.doors.world.tracker.clone();
    tracker.spawn_local(serve(Rc::clone(shard), accepted));
}

async fn serve(shard: Rc<Shard>, accepted: Box<Accepted>) {
    // The future of a rare and large stage has a box of its own, which is gone with the stage: the task
    // stays as small as a socket.
    let begun = Box::pin(begin(&shard, accepted)).await;
    match begun {
        Some(Begun::Http(open)) => {
            let metrics = &shard.doors.metrics;
            metrics.add(Metric::HttpConnections, 1);
            Box::pin(serve_http(&shard, open)).await;
            metrics.add(Metric::HttpConnections, -1);
        }
        Some(Begun::Socket(open)) => socket::serve(shard, open).await,
        None => {}
    }
}

/// How a connection goes on.
enum Begun {
    Http(Box<OpenHttp>),
    Socket(Box<OpenSocket>),
}

/// A connection for the doors.
struct OpenHttp {
    stream: Rewound,
    peer: Peer,
    permit: ConnectionPermit,
}

async fn begin(shard: &Rc<Shard>, accepted: Box<Accepted>) -> Option<Begun> {
    let clock = &shard.doors.world.clock;
    let tls = shard.doors.tls.clone();
    let peer = Peer {
        address: accepted.peer.ip(),
        tls: tls.is_some(),
    };
    let stream = accepted.socket.take().ok()?;
    let mut stream = match tls {
        Some(acceptor) => {
            let handshake = acceptor.accept(stream);
            let stream = clock.timeout(HEAD_TIME_MAX, handshake).await?.ok()?;
            Stream::Tls(Box::new(stream))
        }
        None => Stream::Plain(stream),
    };
    let head = match clock.timeout(HEAD_TIME_MAX, head::read(&mut stream)).await {
        Some(Ok(head)) => head,
        Some(Err(answer)) => {
            refuse(shard, stream, &answer?).await;
            return None;
        }
        None => {
            let answer = head::refusal(408, &ErrorCode::Malformed.into(), "");
            refuse(shard, stream, &answer).await;
            return None;
        }
    };
    match head {
        Head::Http(read) => match http_permit(shard, peer) {
            Ok(permit) => Some(Begun::Http(Box::new(OpenHttp {
                stream: Rewound::new(read, stream, clock),
                peer,
                permit,
            }))),
            Err(no) => {
                shard.doors.metrics.add(Metric::HttpRefused, 1);
                refuse(shard, stream, &NoSocket::from(no).bytes()).await;
                None
            }
        },
        Head::Socket { headers, rest } => match upgrade(shard, peer, &headers) {
            Ok((accept, upgraded)) => {
                stream.write_all(&head::switching(&accept)).await.ok()?;
                Some(Begun::Socket(Box::new(upgraded.open(stream, rest))))
            }
            Err(no) => {
                refuse(shard, stream, &no.bytes()).await;
                None
            }
        },
    }
}

/// Room for a connection for plain HTTP. Those of trusted proxies are shared by many clients: there
/// requests are counted.
fn http_permit(shard: &Shard, peer: Peer) -> Result<ConnectionPermit, Rejection> {
    let config = &shard.doors.config;
    let is_free = network::is_in(peer.address, &config.trusted_proxies)
        || network::is_in(peer.address, &config.limits.trusted_addresses);
    let counted = (!is_free).then_some(peer.address);
    shard.doors.limits.http_connection(counted)
}

/// A socket that may be opened, without its bytes.
struct Upgraded {
    caller: Box<Caller>,
    permit: ConnectionPermit,
}

impl Upgraded {
    fn open(self, stream: Stream, rest: Vec<u8>) -> OpenSocket {
        OpenSocket {
            stream,
            rest,
            caller: self.caller,
            permit: self.permit,
        }
    }
}

fn upgrade(shard: &Shard, peer: Peer, headers: &HeaderMap) -> Result<(String, Upgraded), NoSocket> {
    let accept = head::accept(headers)?;
    if shard.is_draining() {
        return Err(Rejection::after(ErrorCode::Unavailable, 2_000).into());
    }
    let line = Line::of(peer, headers, &shard.doors);
    let permit = shard.doors.limits.connect(&line)?;
    auth::check_origin(headers)?;
    let caller = Box::new(Caller {
        place: shard.doors.geo.place(&line, headers),
        origin: auth::origin(headers).map(Into::into),
        user_agent: user_agent(headers).into(),
        line,
    });
    Ok((accept, Upgraded { caller, permit }))
}

/// Says no and hangs up so that the answer arrives: what the client still sends is read away first.
async fn refuse(shard: &Shard, mut stream: Stream, answer: &[u8]) {
    let say = async {
        if stream.write_all(answer).await.is_ok() && stream.shutdown().await.is_ok() {
            socket::read_away(&mut stream).await;
        }
    };
    // Who does not take the answer goes without.
    let _said = shard
        .doors
        .world
        .clock
        .timeout(Duration::from_secs(2), say)
        .await;
}

async fn serve_http(shard: &Rc<Shard>, open: Box<OpenHttp>) {
    let OpenHttp {
        stream,
        peer,
        permit: _permit,
    } = *open;
    let service = service_fn({
        let shard = Rc::clone(shard);
        move |request: Request<Incoming>| {
            let shard = Rc::clone(&shard);
            async move { Ok::<_, Infallible>(answer(&shard, request, peer).await) }
        }
    });
    let mut connection = std::pin::pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(Timer::new(&shard.doors.world.clock))
            .header_read_timeout(IDLE_TIME_MAX)
            .max_buf_size(HTTP_BUFFER_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let soft = shard.doors.world.tracker.soft();
    tokio::select! {
        biased;
        // Errors of a connection are the client's: it hung up, or spoke no HTTP.
        _ended = &mut connection => return,
        () = soft.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await;
}

async fn answer(shard: &Rc<Shard>, request: Request<Incoming>, peer: Peer) -> Response<Body> {
    if request.uri().path() == SOCKET_PATH && head::asks_for_socket(request.headers()) {
        return late_socket(shard, request, peer);
    }
    let waits_for_us = request.headers().contains_key(header::EXPECT);
    let (head, body) = request.into_parts();
    let body = Lent::new(body);
    let mut request = Request::from_parts(head, Body::new(body.clone()));
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(shard.errand_sender.clone());
    let response = match shard.http.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let rest = body.rest();
    // Who waits to be asked for his body sends none, or something else in its place.
    if let Some(rest) = rest.filter(|_| !waits_for_us) {
        let world = &shard.doors.world;
        world
            .tracker
            .spawn_local(body::read_away(rest, world.clone()));
    }
    response
}

/// A socket that is not asked for by the first request of a connection: proxies send requests of
/// several clients over one.
fn late_socket(shard: &Rc<Shard>, request: Request<Incoming>, peer: Peer) -> Response<Body> {
    let (accept, upgraded) = match upgrade(shard, peer, request.headers()) {
        Ok(upgrade) => upgrade,
        Err(no) => return no_socket(&no),
    };
    let task = {
        let shard = Rc::clone(shard);
        async move {
            let Ok(taken) = hyper::upgrade::on(request).await else {
                return;
            };
            let Ok(parts) = taken.downcast::<TokioIo<Rewound>>() else {
                return;
            };
            let (mut rest, stream) = parts.io.into_inner().into_parts();
            rest.extend_from_slice(&parts.read_buf);
            socket::serve(shard, Box::new(upgraded.open(stream, rest))).await;
        }
    };
    shard.doors.world.tracker.spawn_local(task);
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::UPGRADE, "websocket")
        .header(header::CONNECTION, "Upgrade")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .header(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL)
        .body(Body::empty())
        .expect("these headers are texts of our own")
}

fn no_socket(no: &NoSocket) -> Response<Body> {
    let mut problem = Problem::from(&no.rejection);
    problem.status = no.status;
    let body = serde_json::to_vec(&problem).expect("a problem is always JSON");
    let mut response = Response::builder()
        .status(no.status)
        .header(header::CONTENT_TYPE, "application/problem+json");
    if let Some((name, value)) = no.header {
        response = response.header(name, value);
    }
    response
        .body(Body::from(body))
        .expect("these headers are texts of our own")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of what a function waits with.
    fn size_of_future<I, F: Future>(_: impl Fn(I) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn the_task_of_a_connection_is_as_small_as_a_socket() {
        let bytes = size_of_future(|(shard, accepted)| serve(shard, accepted));
        assert!(bytes <= 640, "{bytes} bytes for every idle visitor");
    }
}
