//! The servers that Switchboard is compared with: arm N as one writes a WebSocket server at first, arm T
//! as one writes it who has measured. Both upgrade, check a token and subscribe as Switchboard does, and
//! pass on what it would pass on; both keep nothing and know nobody's presence.

mod guest;
mod hall;
mod naive;
mod tuned;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use clap::ValueEnum;
use http::{StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use world::World;

use super::token::Key;
use crate::Error;
use crate::client::connection::SUBPROTOCOL;

/// The door of sockets, as at Switchboard.
const SOCKET_PATH: &str = "/api/v1/socket";

/// A socket that axum has upgraded.
type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The library's default buffer, two tasks and a channel without a bound for each socket.
    Naive,
    /// A small buffer, one task and a channel with a bound for each socket.
    Tuned,
}

/// Options of `arm`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Which one.
    #[arg(value_enum)]
    pub kind: Kind,
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// What tokens are signed with, as 64 digits.
    #[arg(long)]
    pub key: Key,
}

/// Serves until the process is ended. Says first where it listens.
///
/// # Errors
/// The address is taken.
pub async fn run(world: &World, options: &Options) -> Result<(), Error> {
    let listener = world::net::listen(options.listen)?;
    crate::fleet::worker::say_line(&format!("listening on http://{}", listener.local_addr()?))?;
    let router = match options.kind {
        Kind::Naive => naive::router(world, options.key.clone()),
        Kind::Tuned => tuned::router(world, options.key.clone()),
    };
    let served = axum::serve(
        axum::serve::ListenerExt::tap_io(listener, |stream| {
            // A socket that cannot be told so is gone already.
            let _ = stream.set_nodelay(true);
        }),
        router,
    );
    Ok(served.await?)
}

/// A router whose socket door hands every upgraded socket to `serve`.
fn router<F>(
    world: &World,
    buffer_bytes: usize,
    serve: impl Fn(Socket) -> F + Send + Sync + 'static,
) -> axum::Router
where
    F: Future<Output = ()> + Send + 'static,
{
    let (world, serve) = (world.clone(), Arc::new(serve));
    let door = move |request: Request| {
        let (world, serve) = (world.clone(), Arc::clone(&serve));
        async move { upgrade(&world, buffer_bytes, request, move |socket| serve(socket)) }
    };
    axum::Router::new().route(SOCKET_PATH, axum::routing::get(door))
}

/// What axum's own extractor does, with the same version of the library that Switchboard uses.
fn upgrade<F>(
    world: &World,
    buffer_bytes: usize,
    mut request: Request,
    serve: impl FnOnce(Socket) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
    let accept = key.map(|key| derive_accept_key(key.as_bytes()));
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let (Some(accept), Some(upgrade)) = (accept, upgrade) else {
        return answer(StatusCode::BAD_REQUEST, &[]);
    };
    world.tracker.spawn(async move {
        // A client that hung up meanwhile gets nothing.
        let Ok(upgraded) = upgrade.await else { return };
        let config = WebSocketConfig::default().read_buffer_size(buffer_bytes);
        let stream = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        serve(socket).await;
    });
    let headers = [
        (header::UPGRADE, "websocket"),
        (header::CONNECTION, "Upgrade"),
        (header::SEC_WEBSOCKET_ACCEPT, accept.as_str()),
        (header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL),
    ];
    answer(StatusCode::SWITCHING_PROTOCOLS, &headers)
}

fn answer(status: StatusCode, headers: &[(http::HeaderName, &str)]) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, *value);
    }
    let response = response.body(Body::empty());
    response.expect("these headers are texts of our own")
}
