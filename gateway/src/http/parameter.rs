//! Query parameters that a door does not know are refused by name, as unknown fields of bodies are: a
//! misspelt one must not pass for an absent one. What a door knows stands in the document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text;
use url::form_urlencoded;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, ParameterIn};

use crate::http::openapi;
use crate::http::problem::Failure;

/// The names that each door knows, by path and method.
static KNOWN: LazyLock<BTreeMap<(&str, &str), BTreeSet<&str>>> = LazyLock::new(|| {
    let mut known = BTreeMap::new();
    for (path, item) in &openapi::document().paths.paths {
        for (method, operation) in [
            ("GET", &item.get),
            ("POST", &item.post),
            ("PUT", &item.put),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ] {
            if let Some(operation) = operation {
                known.insert((path.as_str(), method), names(operation));
            }
        }
    }
    known
});

fn names(operation: &Operation) -> BTreeSet<&str> {
    let parameters = operation.parameters.iter().flatten();
    parameters
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            // Our handlers write each of theirs out.
            RefOr::Ref(_) => None,
        })
        .filter(|parameter| parameter.parameter_in == ParameterIn::Query)
        .map(|parameter| parameter.name.as_str())
        .collect()
}

/// Lets a request pass whose parameters the door knows.
pub(crate) async fn are_known(request: Request, next: Next) -> Response {
    match unknown(&request) {
        Some(name) => {
            let name = text::cut(&name, limit::PROPERTY_NAME_BYTES_MAX);
            Failure::from(Rejection::of(ErrorCode::Invalid, name)).into_response()
        }
        None => next.run(request).await,
    }
}

/// The first name that the door does not know.
fn unknown(request: &Request) -> Option<String> {
    let query = request.uri().query()?;
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    let method = match request.method().as_str() {
        "HEAD" => "GET",
        method => method,
    };
    let known = KNOWN.get(&(path, method))?;
    let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    names
        .find(|name| !known.contains(name.as_ref()))
        .map(std::borrow::Cow::into_owned)
}
