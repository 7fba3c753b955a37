//! The doors: thin. Each decodes, finds out who asks, calls one thing inside and encodes the answer.
//!
//! One file per noun with a `routes()` of its own. Around all of them: request ids and problem bodies,
//! the line (address, limits), CORS of the sites, security headers.

pub(crate) mod asset;
pub(crate) mod attachment;
pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod cors;
pub(crate) mod extract;
pub(crate) mod health;
pub(crate) mod identity_key;
pub(crate) mod line;
pub(crate) mod picture;
pub(crate) mod problem;
pub(crate) mod security;
pub(crate) mod session;
pub(crate) mod stream;
pub(crate) mod thread;
// Doors of the team, begin: one `mod` each, in the order of the alphabet.
pub(crate) mod agent;
pub(crate) mod audit;
pub(crate) mod blocked_address;
pub(crate) mod canned_response;
pub(crate) mod contact;
pub(crate) mod conversation;
pub(crate) mod docs;
pub(crate) mod invitation;
pub(crate) mod key;
pub(crate) mod login;
pub(crate) mod me;
pub(crate) mod node;
pub(crate) mod openapi;
pub(crate) mod page;
pub(crate) mod parameter;
pub(crate) mod saved_view;
pub(crate) mod search;
pub(crate) mod setup;
pub(crate) mod site;
pub(crate) mod todo;
pub(crate) mod trouble;
pub(crate) mod visitor;
pub(crate) mod workspace;
// Doors of the team, end.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use protocol::rejection::ErrorCode;

use crate::Doors;
use problem::Failure;

/// All doors.
pub(crate) fn router(doors: Doors) -> Router {
    let api = Router::new()
        .merge(attachment::routes())
        .merge(picture::routes())
        .merge(session::routes())
        .merge(stream::routes())
        .merge(thread::routes());
    // Doors of the team, begin: `let api = api.merge(site::routes())` and so on.
    let api = api
        .merge(agent::routes())
        .merge(audit::routes())
        .merge(blocked_address::routes())
        .merge(contact::routes())
        .merge(conversation::routes())
        .merge(invitation::routes())
        .merge(key::routes())
        .merge(login::routes())
        .merge(me::routes())
        .merge(search::routes())
        .merge(setup::routes())
        .merge(site::routes())
        .merge(identity_key::routes())
        .merge(canned_response::routes())
        .merge(saved_view::routes())
        .merge(todo::routes())
        .merge(trouble::routes())
        .merge(node::routes())
        .merge(visitor::routes())
        .merge(workspace::routes());
    // Doors of the team, end.
    Router::new()
        .nest(
            "/api/v1",
            api.route_layer(from_fn(parameter::are_known))
                .fallback(nothing_here),
        )
        .merge(asset::routes())
        .merge(health::routes())
        .merge(openapi::routes())
        .fallback(nothing_here)
        .method_not_allowed_fallback(nothing_here)
        .layer(from_fn(cors::answer))
        .layer(from_fn_with_state(doors.clone(), line::read))
        .layer(from_fn(security::add_headers))
        .layer(from_fn_with_state(doors.clone(), problem::finish))
        .with_state(doors)
}

async fn nothing_here() -> Failure {
    ErrorCode::NotFound.into()
}
