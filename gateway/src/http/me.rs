//! Who is signed in, and the token for the next connection.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use protocol::agent::Me;
use protocol::permission::Principal;
use protocol::rejection::ErrorCode;
use protocol::setup::SocketToken;

use crate::Doors;
use crate::http::auth::{SignedIn, Team};
use crate::http::extract::Json;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/me", get(me))
        .route("/socket-token", post(socket_token))
}

/// Who is signed in, and where.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "get_me", tag = "sign-in",
    security(("session" = []), ("login_bearer" = [])), responses((status = 200, body = Me)))]
pub(crate) async fn me(
    State(doors): State<Doors>,
    SignedIn(session): SignedIn,
) -> Answer<Json<Me>> {
    Ok(Json(doors.desk.me(&session).await?))
}

/// A token that opens a connection in one workspace within 15 minutes.
#[utoipa::path(post, path = "/api/v1/socket-token", operation_id = "create_socket_token",
    tag = "realtime", security(("session" = []), ("login_bearer" = [])),
    responses((status = 200, body = SocketToken)))]
pub(crate) async fn socket_token(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Json<SocketToken>> {
    // A key has no place on the team's presence; programs use the HTTP doors.
    let Principal::Agent(agent) = actor.principal else {
        return Err(ErrorCode::Forbidden.into());
    };
    Ok(Json(doors.tokens.agent(
        actor.workspace_id,
        agent.agent_id,
        agent.user_id,
        agent.session_id,
        doors.world.clock.now_ms(),
    )))
}
