//! The doors of connections without sockets: `stream` down, `frames` up.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, StatusCode, header};
use protocol::agent::Sight;
use protocol::frame::{ClientFrame, StreamRequest};
use protocol::id::ConnectionId;
use protocol::limit;
use protocol::permission::Actor;
use protocol::rejection::{ErrorCode, Rejection};
use tokio::sync::{mpsc, oneshot};

use crate::Doors;
use crate::connection::frame;
use crate::connection::job::{self, Asker, Done, Job, Said};
use crate::connection::stream::{CHUNKS_MAX, OpenStream, ShardDoor};
use crate::connection::unidentified::Caller;
use crate::http::auth::{self, Visitor};
use crate::http::extract::{Json, decoded, small_body};
use crate::http::line::{Line, user_agent};
use crate::http::problem::{Answer, Failure};
use crate::metric::Metric;
use crate::shard::errand::Errand;
use crate::token::Claims;

/// The header that says which stream a frame belongs to.
const CONNECTION: HeaderName = HeaderName::from_static("switchboard-connection");

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/stream", post(stream))
        .route("/frames", post(frames))
        .route("/socket", get(socket))
}

/// Opens a socket. Requests that ask for one are answered by the shard itself; only those that do not
/// come here.
#[utoipa::path(get, path = "/api/v1/socket", operation_id = "open_socket", tag = "realtime",
    params(("sec-websocket-protocol" = String, Header, description = "`switchboard.v1`")),
    responses((status = 101, description = "A socket."), (status = 426, description = "Not asked for one.")))]
pub(crate) async fn socket() -> Response {
    let rejection = Rejection::of(ErrorCode::Malformed, "upgrade");
    let failure = Failure::with_status(rejection, StatusCode::UPGRADE_REQUIRED);
    ([(header::UPGRADE, "websocket")], failure).into_response()
}

#[utoipa::path(post, path = "/api/v1/stream", operation_id = "open_stream", tag = "realtime",
    request_body = StreamRequest, responses((status = 200, body = Vec<serde_json::Value>,
        content_type = "application/x-ndjson")))]
pub(crate) async fn stream(
    State(doors): State<Doors>,
    Extension(shard): Extension<ShardDoor>,
    line: Line,
    headers: HeaderMap,
    Json(asked): Json<StreamRequest>,
) -> Answer<Response> {
    if !doors.is_ready() {
        return Err(Rejection::after(ErrorCode::Unavailable, 2_000).into());
    }
    if asked.watch.len() > limit::WATCHES_MAX {
        return Err(Rejection::of(ErrorCode::TooMany, "watch").into());
    }
    let permit = doors.limits.connect(&line)?;
    let place = doors.geo.place(&line, &headers);
    let caller = Box::new(Caller {
        line,
        origin: auth::origin(&headers).map(Into::into),
        user_agent: user_agent(&headers).into(),
        place,
    });
    let (started, has_started) = oneshot::channel();
    let (chunks, taken) = mpsc::channel(CHUNKS_MAX);
    let media_type = match asked.wait_ms {
        Some(_) => "application/json",
        None => "application/x-ndjson",
    };
    let open = OpenStream {
        hello: asked.hello,
        watch: asked.watch,
        wait_ms: asked.wait_ms,
        caller,
        permit,
        started,
        chunks,
    };
    let unavailable = |()| Failure::from(ErrorCode::Unavailable);
    shard
        .send_async(Errand::Stream(Box::new(open)))
        .await
        .map_err(|_| unavailable(()))?;
    has_started.await.map_err(|_| unavailable(()))??;
    let body = futures_util::stream::unfold(taken, |mut taken| async move {
        let chunk = taken.recv().await?;
        Some((Ok::<Bytes, std::convert::Infallible>(chunk), taken))
    });
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-store, no-transform"),
        // Asks proxies of the nginx family to pass each line on at once.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Frames as one JSON array. They are JSON already.
fn array(frames: &[Bytes]) -> Response {
    let mut body = BytesMut::with_capacity(frames.iter().map(Bytes::len).sum::<usize>() + 64);
    body.put_u8(b'[');
    for (index, text) in frames.iter().enumerate() {
        if index > 0 {
            body.put_u8(b',');
        }
        body.put_slice(text);
    }
    body.put_u8(b']');
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from(body.freeze())).into_response()
}

/// Takes one frame. The answer holds what a socket would have said to it.
#[utoipa::path(post, path = "/api/v1/frames", operation_id = "send_frame", tag = "realtime",
    security(("visitor" = []), ("login_bearer" = [])),
    request_body = ClientFrame, responses((status = 200, body = Vec<serde_json::Value>)))]
pub(crate) async fn frames(State(doors): State<Doors>, request: Request) -> Answer<Response> {
    let (mut parts, body) = request.into_parts();
    let actor = speaker(&doors, &mut parts).await?;
    let exempt = Line::from_request_parts(&mut parts, &doors).await?.exempt;
    let request = Request::from_parts(parts, body);
    let headers = request.headers().clone();
    let bytes = small_body(request, &doors).await?;
    let client_frame: ClientFrame = decoded(&bytes)?;
    doors.metrics.add(Metric::FramesIn, 1);
    let connection_id = connection(&doors, &headers, &actor);
    let came = doors.world.clock.elapsed();
    let job = match job_of(client_frame, connection_id, came) {
        Ok(Some(job)) => job,
        Ok(None) => return Ok(array(&[])),
        Err(rejection) => return Ok(array(&[frame::error(&rejection)])),
    };
    // Signals that belong to no stream need no connection; the zero id is nobody's.
    let connection_id = connection_id.unwrap_or_else(|| protocol::id::Id::from_bits(0));
    let asker = Asker {
        doors: doors.clone(),
        actor,
        connection_id,
        exempt,
        queue: None,
        pasts: None,
    };
    let done = job::run(job, &asker).await;
    Ok(match done {
        Done::Commands { outcomes, .. } => {
            let told = |(client_id, outcome)| frame::outcome(&doors.metrics, client_id, outcome);
            array(&outcomes.into_iter().map(told).collect::<Vec<_>>())
        }
        Done::Signal(Err(rejection)) => array(&[frame::error(&rejection)]),
        Done::Signal(Ok(())) | Done::Attached { .. } | Done::Snapshot(..) => array(&[]),
    })
}

/// Who says a frame: the same token as in `hello`.
async fn speaker(doors: &Doors, parts: &mut http::request::Parts) -> Answer<Actor> {
    let token = auth::bearer(&parts.headers).ok_or(ErrorCode::Unauthenticated)?;
    match doors.tokens.read(token, doors.world.clock.now_ms())? {
        Claims::Visitor(_) => {
            let Visitor(actor) = Visitor::from_request_parts(parts, doors).await?;
            Ok(actor)
        }
        Claims::Agent(claims) => {
            let line = Line::from_request_parts(parts, doors).await?;
            if auth::origin(&parts.headers).is_some_and(|origin| origin != line.own_origin) {
                return Err(ErrorCode::OriginRefused.into());
            }
            let actor = doors
                .desk
                .agent_by_session(claims.workspace_id, claims.agent_id, claims.session_id)
                .await?;
            Ok(actor.ok_or(ErrorCode::Unauthenticated)?)
        }
    }
}

/// The open stream that a frame names, if it is the speaker's own.
fn connection(doors: &Doors, headers: &HeaderMap, actor: &Actor) -> Option<ConnectionId> {
    let named = headers.get(CONNECTION)?.to_str().ok()?.parse().ok()?;
    doors
        .streams
        .is_of(named, &actor.principal_key())
        .then_some(named)
}

/// What a frame asks for. Frames about a page are dropped where their stream is gone: the next stream
/// begins with the page.
fn job_of(
    client_frame: ClientFrame,
    connection_id: Option<ConnectionId>,
    came: Duration,
) -> Result<Option<Job>, Rejection> {
    let on_stream = |job| Ok(connection_id.map(|_| job));
    match client_frame {
        ClientFrame::Hello(_)
        | ClientFrame::Follow(_)
        | ClientFrame::Unfollow { .. }
        | ClientFrame::Watch(_)
        | ClientFrame::Unwatch { .. } => Err(ErrorCode::OutOfOrder.into()),
        ClientFrame::Command { client_id, command } => Ok(Some(Job::Command(Box::new(Said {
            client_id,
            command,
            came,
        })))),
        ClientFrame::Typing {
            conversation_id,
            text,
            active,
        } => Ok(Some(Job::Typing {
            conversation_id,
            text: text.map(|text| protocol::text::cut(&text, limit::TYPING_BYTES_MAX)),
            active,
        })),
        ClientFrame::Read {
            conversation_id,
            number,
        } => Ok(Some(Job::Read {
            conversation_id,
            number,
        })),
        ClientFrame::Beat { delivered } => {
            if delivered.len() > limit::FOLLOWS_MAX {
                return Err(Rejection::of(ErrorCode::TooMany, "delivered"));
            }
            Ok((!delivered.is_empty()).then_some(Job::Delivered(delivered)))
        }
        ClientFrame::Availability { availability } => Ok(Some(Job::Availability(availability))),
        ClientFrame::Screen {
            screen,
            conversation_id,
            settings_page,
        } => {
            let sight = Sight::of(screen, conversation_id, settings_page);
            on_stream(Job::Screen(sight))
        }
        ClientFrame::Viewing { conversation_id } => on_stream(Job::Viewing(conversation_id)),
        ClientFrame::Page(page) => on_stream(Job::Page(page)),
        ClientFrame::Activity { visible } => on_stream(Job::Activity(visible)),
        ClientFrame::Track { name, properties } => on_stream(Job::Track { name, properties }),
    }
}
