//! Set-up, once: who owns this Switchboard, and the first site.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use protocol::setup::{Setup, SetupDone, SetupState};

use crate::Doors;
use crate::http::extract::Json;
use crate::http::line::{Caller, Line};
use crate::http::login::with_cookie;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new().route("/setup", get(state).post(set_up))
}

/// Whether this Switchboard was set up.
#[utoipa::path(get, path = "/api/v1/setup", operation_id = "get_setup", tag = "setup",
    responses((status = 200, body = SetupState)))]
pub(crate) async fn state(State(doors): State<Doors>) -> Answer<Json<SetupState>> {
    Ok(Json(doors.desk.setup_state().await?))
}

/// Set up: owner, workspace and first site together, by the one-time link that the server printed.
/// Signs the owner in.
#[utoipa::path(post, path = "/api/v1/setup", operation_id = "set_up", tag = "setup",
    request_body = Setup, responses((status = 201, body = SetupDone)))]
pub(crate) async fn set_up(
    State(doors): State<Doors>,
    line: Line,
    caller: Caller,
    Json(setup): Json<Setup>,
) -> Answer<Response> {
    let caller = caller.or_of_zone(setup.time_zone.as_deref());
    let (done, signed_in) = doors.desk.set_up(setup, &caller).await?;
    let answer = (StatusCode::CREATED, Json(done)).into_response();
    Ok(with_cookie(answer, &doors, &line, &signed_in))
}
