//! CORS: pages of a site's allowed origins may use the doors of visitors, and no others. There are no
//! cookies on these doors, so an answer that a page may read shows nothing but what its token opens.
//!
//! A preflight says no site, so every page may ask. What it may read is decided by the answer: each
//! door checks the origin against the site of the token, and an answer that refused the origin is
//! not readable.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use protocol::rejection::ErrorCode;

use crate::http::auth;
use crate::http::problem::Failure;

const ALLOWED_HEADERS: &str =
    "authorization, content-type, switchboard-file-name, switchboard-connection, idempotency-key";

/// The doors that pages of sites may use.
fn is_for_pages(path: &str) -> bool {
    path.strip_prefix("/api/v1/").is_some_and(|door| {
        door.starts_with("visitor/")
            || door == "attachments"
            || door.starts_with("attachments/")
            || door == "stream"
            || door == "frames"
    })
}

/// Answers preflights, and marks answers as readable by the page that asked.
pub(crate) async fn answer(request: Request, next: Next) -> Response {
    let Some(origin) = auth::origin(request.headers()).map(str::to_owned) else {
        return next.run(request).await;
    };
    if !is_for_pages(request.uri().path()) {
        return next.run(request).await;
    }
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let refused = response
        .extensions()
        .get::<Failure>()
        .map(|failure| failure.rejection().code);
    if !matches!(
        refused,
        Some(ErrorCode::OriginRefused | ErrorCode::UnknownSite)
    ) {
        allow(response.headers_mut(), &origin, is_preflight);
    }
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("origin"));
    response
}

/// Marks an answer as readable by pages of this origin.
pub(crate) fn allow(headers: &mut HeaderMap, origin: &str, is_preflight: bool) {
    let Ok(origin) = HeaderValue::from_str(origin) else {
        return;
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    if is_preflight {
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(ALLOWED_HEADERS),
        );
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static("600"),
        );
    } else {
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after, switchboard-request-id"),
        );
    }
}
