//! Who is on the line: the network address behind trusted proxies, whether the line is encrypted, and
//! which origin is our own. Computed once per request, before any door.
//!
//! Whether the browser's side is encrypted is told by the socket, else by `X-Forwarded-Proto` of a trusted
//! proxy, else by our own address as configured. HSTS, the cookies and the way to HTTPS follow from that alone.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use protocol::network;
use protocol::rejection::ErrorCode;
use protocol::time_zone;

use crate::Doors;
use crate::address;
use crate::http::problem::Failure;
use crate::http::{auth, body, security};

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
        let proxied = network::is_in(peer.address, &config.trusted_proxies);
        let address = address::behind_proxies(peer.address, headers, &config.trusted_proxies);
        let secure = peer.tls || (proxied && is_forwarded_from(headers, "https"));
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
            exempt: network::is_in(address, &config.limits.trusted_addresses),
            secure: secure || own_origin.starts_with("https://"),
            own_origin,
            proxied,
        }
    }
}

/// Whether the nearest proxy says that it was asked by this scheme. What others said before it never counts.
fn is_forwarded_from(headers: &HeaderMap, scheme: &str) -> bool {
    let said = headers.get_all("x-forwarded-proto").iter().next_back();
    let said = said.and_then(|value| value.to_str().ok());
    let nearest = said.and_then(|value| value.rsplit(',').next());
    nearest.is_some_and(|nearest| nearest.trim().eq_ignore_ascii_case(scheme))
}

/// Where a page is to be asked for instead, when a trusted proxy says that it was asked for in plain text
/// and our own address is an encrypted one. Programs that look after the server are never sent elsewhere.
///
/// A proxy behind one that ended TLS may say so wrongly; a browser marks what it asks for by HTTPS, so it
/// is not sent round and round.
fn encrypted(request: &Request, line: &Line, public_origin: Option<&str>) -> Option<String> {
    let origin = public_origin.filter(|origin| origin.starts_with("https://"))?;
    let headers = request.headers();
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD)
        && !matches!(request.uri().path(), "/healthz" | "/readyz" | "/metrics");
    let is_plain = line.proxied && is_forwarded_from(headers, "http");
    let is_marked =
        headers.contains_key("sec-fetch-mode") || headers.contains_key("sec-fetch-site");
    let path = request.uri().path_and_query()?.as_str();
    (is_page && is_plain && !is_marked && path.starts_with('/')).then(|| format!("{origin}{path}"))
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

impl Caller {
    /// Where nothing else says a country, that of the time zone that the browser says.
    pub(crate) fn or_of_zone(self, time_zone: Option<&str>) -> desk::Caller {
        let zone = time_zone.and_then(time_zone::named);
        let of_zone = || zone.and_then(time_zone::country).map(str::to_owned);
        desk::Caller {
            country: self.0.country.or_else(of_zone),
            ..self.0
        }
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
    if !peer.tls
        && let Some(address) = encrypted(&request, &line, doors.config.public_origin.as_deref())
    {
        return Redirect::permanent(&address).into_response();
    }
    let secure = line.secure;
    request.extensions_mut().insert(line.clone());
    let mut response = answered(&doors, &line, request, next).await;
    if secure {
        security::keep_encrypted(response.headers_mut());
    }
    response
}

async fn answered(doors: &Doors, line: &Line, request: Request, next: Next) -> Response {
    if line.own_origin.len() > 300 {
        return Failure::from(ErrorCode::Malformed).into_response();
    }
    if request.uri().path().starts_with("/api/")
        && let Err(rejection) = doors.limits.address_request(line)
    {
        return Failure::from(rejection).into_response();
    }
    if let Err(rejection) = auth::check_origin(request.headers()) {
        return Failure::from(rejection).into_response();
    }
    let permit = match doors.limits.proxied_request(line) {
        Ok(permit) => permit,
        Err(rejection) => return Failure::from(rejection).into_response(),
    };
    let response = next.run(request).await;
    match permit {
        // Until the answer is out, not only until it is made.
        Some(permit) => response.map(|body| body::counted(body, permit)),
        None => response,
    }
}
