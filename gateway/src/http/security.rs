//! Headers that keep browsers from harm. Every answer gets the strict ones; the few that other pages
//! must be able to load are loosened by name, here.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use crate::http::line::Line;

/// What may stand in a path as it is.
pub(crate) const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.');

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const COEP: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// Two years, the least that browsers' lists ask for.
const HSTS: &str = "max-age=63072000";

/// Adds what an answer does not say itself.
pub(crate) async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert_with(|| HeaderValue::from_static(value));
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::REFERRER_POLICY, "no-referrer");
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    default(CORP, "same-origin");
    default(COOP, "same-origin");
    default(
        PERMISSIONS,
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
    );
    response
}

/// For answers on encrypted lines: the browser asks by HTTPS alone from now on.
pub(crate) fn keep_encrypted(headers: &mut HeaderMap) {
    set(headers, header::STRICT_TRANSPORT_SECURITY, HSTS);
}

/// For files that any page may load: the loader and the panel's scripts.
pub(crate) fn for_any_page(headers: &mut HeaderMap) {
    set(headers, CORP, "cross-origin");
    set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
}

/// For the panel: framed by exactly the pages of its site.
pub(crate) fn for_panel(headers: &mut HeaderMap, ancestors: &str, line: &Line) {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
         media-src 'self' blob:; font-src 'self'; connect-src 'self'{}; base-uri 'none'; \
         form-action 'none'; frame-ancestors {ancestors}",
        socket_origin(line)
    );
    set_policy(headers, &policy);
    set(headers, CORP, "cross-origin");
    set(headers, COEP, "require-corp");
}

/// For the console: nobody frames it, and nothing of others runs in it.
pub(crate) fn for_console(headers: &mut HeaderMap, line: &Line) {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
         img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'{}; \
         frame-src 'self' blob:; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
        socket_origin(line)
    );
    set_policy(headers, &policy);
    set(headers, header::X_FRAME_OPTIONS, "DENY");
}

/// For the demo page that shows the widget under a strict policy.
pub(crate) fn for_strict_demo(headers: &mut HeaderMap, line: &Line) {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'{}; frame-src 'self'; base-uri 'none'; form-action 'self'",
        socket_origin(line)
    );
    set_policy(headers, &policy);
}

/// For the demo pages, which stand for a customer's own: they choose no policy.
pub(crate) fn for_demo(headers: &mut HeaderMap) {
    set_policy(headers, "frame-ancestors 'self'");
    set(headers, COOP, "same-origin-allow-popups");
}

/// Our sockets by name: some browsers do not count them as `'self'`.
fn socket_origin(line: &Line) -> String {
    let socket = line.own_origin.replacen("http", "ws", 1);
    let is_plain = socket
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b":/.-[]".contains(&byte));
    if is_plain && !line.own_origin.ends_with('/') {
        format!(" {socket}")
    } else {
        String::new()
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

fn set_policy(headers: &mut HeaderMap, policy: &str) {
    let value = HeaderValue::from_str(policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
    headers.insert(header::CONTENT_SECURITY_POLICY, value);
}
