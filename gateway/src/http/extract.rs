//! What a request carries, taken out with our own refusals instead of the library's texts.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::Doors;
use crate::http::body::Incoming;
use crate::http::problem::Failure;

/// A JSON body, in both directions. Coming in, it needs the content type `application/json`: pages
/// of other origins cannot send that without being asked first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Doors> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, doors: &Doors) -> Result<Self, Failure> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(Rejection::of(ErrorCode::Malformed, "content-type").into());
        }
        let bytes = small_body(request, doors).await?;
        decoded(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => (
                [
                    (
                        header::CONTENT_TYPE,
                        HeaderValue::from_static("application/json"),
                    ),
                    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
                ],
                body,
            )
                .into_response(),
            Err(error) => Failure::fault(error).into_response(),
        }
    }
}

/// The value that a JSON text stands for.
///
/// # Errors
/// `malformed`, or the refusal of the text at fault.
pub(crate) fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| protocol::text::rejection_in(&error).into())
}

/// A body of at most one frame's size, whole.
///
/// # Errors
/// `too_large`, `too_slow`, or `malformed` when the client stopped in the middle.
pub(crate) async fn small_body(request: Request, doors: &Doors) -> Result<Vec<u8>, Failure> {
    let bytes_max = u64::try_from(limit::FRAME_BYTES_MAX).expect("a limit fits into 64 bits");
    Incoming::new(request, bytes_max, &doors.world.clock)
        .whole()
        .await
}

/// The query, decoded; a wrong value is `invalid` with its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        let pairs = serde_urlencoded::Deserializer::new(pairs);
        serde_path_to_error::deserialize(pairs)
            .map(Self)
            .map_err(|error| {
                let name = error.path().to_string();
                // One that stands twice is at fault as a whole.
                let name = if name == "." {
                    "query".to_owned()
                } else {
                    name
                };
                Rejection::of(ErrorCode::Invalid, name).into()
            })
    }
}

/// The ids in the path; one that is not an id is `not_found`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|path| Self(path.0))
            .map_err(|_| ErrorCode::NotFound.into())
    }
}

/// The version that a change is based on: `If-Match: "7"`. Missing is 428.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IfMatch(pub(crate) u64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let wrong = Rejection::of(ErrorCode::Invalid, "if_match");
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Err(Failure::with_status(
                wrong,
                StatusCode::PRECONDITION_REQUIRED,
            ));
        };
        value
            .to_str()
            .ok()
            .and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"'))
            .and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(|| wrong.into())
    }
}

/// A record with its version as `ETag`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Versioned<T>(pub(crate) u64, pub(crate) T);

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.1).into_response();
        let tag = HeaderValue::from_str(&format!("\"{}\"", self.0));
        response.headers_mut().insert(
            header::ETAG,
            tag.expect("digits and quotes are a header's text"),
        );
        response
    }
}
