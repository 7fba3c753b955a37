//! The team.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::agent::{Agent, AgentChange};
use protocol::id::AgentId;
use protocol::page::Page;
use protocol::setup::AgentSession;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{IfMatch, Json, Path, Versioned};
use crate::http::line::Caller;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/agents", get(list))
        .route("/agents/{id}", get(find).patch(change))
        .route("/agents/{id}/sessions", get(list_sessions))
}

/// The whole team by name, also the deactivated.
#[utoipa::path(get, path = "/api/v1/agents", operation_id = "list_agents", tag = "team",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    responses((status = 200, body = Page<Agent>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Json<Page<Agent>>> {
    let items = doors.desk.agents(&actor).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// One member.
#[utoipa::path(get, path = "/api/v1/agents/{id}", operation_id = "get_agent", tag = "team",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    params(("id" = AgentId, Path)), responses((status = 200, body = Agent)))]
pub(crate) async fn find(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<AgentId>,
) -> Answer<Versioned<Agent>> {
    let agent = doors.desk.agent(&actor, id).await?;
    Ok(Versioned(agent.version, agent))
}

/// Change a member: name, role, time zone, deactivate or take back. One's own name and time zone
/// anybody may change; nobody may touch or make somebody who may more than himself.
#[utoipa::path(patch, path = "/api/v1/agents/{id}", operation_id = "change_agent", tag = "team",
    security(("session" = []), ("login_bearer" = []), ("key" = ["team.write"])),
    params(("id" = AgentId, Path),
        ("if-match" = String, Header, description = "The version it is based on, in quotes.")),
    request_body = AgentChange, responses((status = 200, body = Agent)))]
pub(crate) async fn change(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<AgentId>,
    IfMatch(version): IfMatch,
    Json(change): Json<AgentChange>,
) -> Answer<Versioned<Agent>> {
    let agent = doors
        .desk
        .change_agent(&actor, id, version, &change, Some(&caller))
        .await?;
    Ok(Versioned(agent.version, agent))
}

/// The newest 100 sign-ins of a member: when, from where, until when.
#[utoipa::path(get, path = "/api/v1/agents/{id}/sessions", operation_id = "list_agent_sessions",
    tag = "team",
    security(("session" = []), ("login_bearer" = []), ("key" = ["audit.read"])),
    params(("id" = AgentId, Path)), responses((status = 200, body = Page<AgentSession>)))]
pub(crate) async fn list_sessions(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<AgentId>,
) -> Answer<Json<Page<AgentSession>>> {
    let items = doors.desk.sign_ins(&actor, id).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}
