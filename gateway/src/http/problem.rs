//! What a door answers when it does not answer what was asked: RFC 9457 problems.
//!
//! A rejection is safe to show. A fault is logged here, once, under the request's id, and the client
//! sees `internal` with that id. The body is written by [`finish`], which knows the id.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use protocol::rejection::{ErrorCode, Problem, Rejection};

use crate::metric::Metric;

/// The header under which every answer names its request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("switchboard-request-id");

/// What every door returns.
pub(crate) type Answer<T> = Result<T, Failure>;

/// Why a request was not answered.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    rejection: Rejection,
    status: StatusCode,
    fault: Option<String>,
}

impl Failure {
    /// A refusal under another status than its code's own: 428 where `If-Match` is missing.
    pub(crate) fn with_status(rejection: Rejection, status: StatusCode) -> Self {
        Self {
            rejection,
            status,
            fault: None,
        }
    }

    /// A fault of ours. `what` goes to the log and never to the client.
    pub(crate) fn fault(what: impl std::fmt::Display) -> Self {
        Self {
            fault: Some(what.to_string()),
            ..Self::from(ErrorCode::Internal)
        }
    }

    /// Writes a fault to the log; refusals are no news. For those who answer with frames.
    pub(crate) fn log(&self) {
        if let Some(fault) = &self.fault {
            tracing::error!("a connection failed: {fault}");
        }
    }

    /// The refusal, for those who answer with frames.
    pub(crate) fn rejection(&self) -> &Rejection {
        &self.rejection
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        let status = StatusCode::from_u16(rejection.code.status())
            .expect("the statuses of the codes are statuses of HTTP");
        Self::with_status(rejection, status)
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Rejection::from(code).into()
    }
}

impl From<desk::Error> for Failure {
    fn from(error: desk::Error) -> Self {
        let fault = error.is_fault().then(|| error.to_string());
        Self {
            fault,
            ..Self::from(error.rejection())
        }
    }
}

impl From<storage::Error> for Failure {
    fn from(error: storage::Error) -> Self {
        if error.is_full() {
            ErrorCode::StorageFull.into()
        } else if error.is_unavailable() {
            ErrorCode::Unavailable.into()
        } else {
            Self::fault(error)
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives every request its id, and writes the body of every failure.
pub(crate) async fn finish(
    axum::extract::State(doors): axum::extract::State<crate::Doors>,
    request: Request,
    next: Next,
) -> Response {
    let id = protocol::id::Id::bits(doors.world.ids.next::<protocol::id::EventId>());
    let id = format!("req_{id:032x}");
    doors.metrics.add(Metric::HttpRequests, 1);
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        if let Some(fault) = &failure.fault {
            doors.metrics.add(Metric::Faults, 1);
            tracing::error!(request.id = id, "a request failed: {fault}");
        }
        response = written(&failure, &id, response);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn written(failure: &Failure, id: &str, response: Response) -> Response {
    let mut problem = Problem::from(&failure.rejection);
    problem.status = failure.status.as_u16();
    problem.request_id = (failure.fault.is_some()).then(|| id.to_owned());
    let body = serde_json::to_vec(&problem).expect("a problem is always JSON");
    let (mut parts, _) = response.into_parts();
    parts.status = failure.status;
    let headers = &mut parts.headers;
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(wait_ms) = failure.rejection.retry_after_ms {
        headers.insert(header::RETRY_AFTER, wait_ms.div_ceil(1_000).max(1).into());
    } else if matches!(failure.status.as_u16(), 429 | 503) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    Response::from_parts(parts, Body::from(body))
}
