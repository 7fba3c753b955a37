//! Who is on the line: the network address behind trusted proxies, whether the line is encrypted, and
//! which origin is our own. Computed once per request, before any door.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header;
use http::request::Parts;
use protocol::rejection::ErrorCode;

use crate::Doors;
use crate::address;
use crate::http::body;
use crate::http::problem::Failure;

/// What the socket itself says: put into every request by the shard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// The other end of the TCP connection.
    pub(crate) address: IpAddr,
    /// Whether we ended TLS ourselves.
    pub(crate) tls: bool,
}

/// Who is on the line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The client's address: that of the socket, or what trusted proxies say.
    pub(crate) address: IpAddr,
    /// Whether the address is exempt from limits.
    pub(crate) exempt: bool,
    /// Whether the browser's side of the line is encrypted.
    pub(crate) secure: bool,
    /// Our own origin, as this client reaches us.
    pub(crate) own_origin: String,
    /// Whether the socket's other end is a trusted proxy.
    pub(crate) proxied: bool,
}

impl Line {
    /// Reads the line from the socket and the headers.
    pub(crate) fn of(peer: Peer, headers: &HeaderMap, doors: &Doors) -> Self {
        let config = &doors.config;
        let proxied = address::is_in(peer.address, &config.trusted_proxies);
        let address = address::behind_proxies(peer.address, headers, &config.trusted_proxies);
        let secure = peer.tls || (proxied && forwarded_proto(headers) == Some("https"));
        let own_origin = config.public_origin.clone().unwrap_or_else(|| {
            let host = headers
                .get(header::HOST)
                .and_then(|host| host.to_str().ok())
                .unwrap_or_default();
            let scheme = if secure { "https" } else { "http" };
            format!("{scheme}://{}", host.to_ascii_lowercase())
        });
        Self {
            address,
            exempt: address::is_in(address, &config.limits.trusted_addresses),
            secure: secure || own_origin.starts_with("https://"),
            own_origin,
            proxied,
        }
    }
}

fn forwarded_proto(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("x-forwarded-proto")?.to_str().ok()?;
    Some(value.rsplit(',').next()?.trim())
}

impl<S: Send + Sync> FromRequestParts<S> for Line {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Failure::fault("a request came past the line"))
    }
}

/// The caller as desk wants him, for lockouts, audit and failed sign-ins.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) desk::Caller);

impl FromRequestParts<Doors> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Failure> {
        let line = Line::from_request_parts(parts, doors).await?;
        let place = doors.geo.place(&line, &parts.headers);
        Ok(Self(desk::Caller {
            address: line.address,
            exempt: line.exempt,
            user_agent: user_agent(&parts.headers),
            country: place.country,
        }))
    }
}

/// The browser's own words, cut.
pub(crate) fn user_agent(headers: &HeaderMap) -> String {
    let text = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    protocol::text::cut(text, 512)
}

/// Reads the line of each request and counts it against its address.
pub(crate) async fn read(State(doors): State<Doors>, mut request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().copied() else {
        return Failure::fault("a request without a socket").into_response();
    };
    let line = Line::of(peer, request.headers(), &doors);
    if line.own_origin.len() > 300 {
        return Failure::from(ErrorCode::Malformed).into_response();
    }
    if request.uri().path().starts_with("/api/")
        && let Err(rejection) = doors.limits.address_request(&line)
    {
        return Failure::from(rejection).into_response();
    }
    let permit = match doors.limits.proxied_request(&line) {
        Ok(permit) => permit,
        Err(rejection) => return Failure::from(rejection).into_response(),
    };
    request.extensions_mut().insert(line);
    let response = next.run(request).await;
    match permit {
        // Until the answer is out, not only until it is made.
        Some(permit) => response.map(|body| body::counted(body, permit)),
        None => response,
    }
}
