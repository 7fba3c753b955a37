//! Invitations into the team.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, get, post};
use http::StatusCode;
use protocol::agent::{
    AcceptInvitation, Invitation, InvitationLookup, InvitationOffer, NewInvitation,
};
use protocol::id::InvitationId;
use protocol::page::Page;
use protocol::setup::LoggedIn;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{Json, Path, Query};
use crate::http::line::{Caller, Line};
use crate::http::login::{Handover, handed_over};
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/invitations", get(list).post(create))
        .route("/invitations/lookup", post(lookup))
        .route("/invitations/accept", post(accept))
        .route("/invitations/{id}", delete(revoke))
}

/// The open invitations, newest first.
#[utoipa::path(get, path = "/api/v1/invitations", operation_id = "list_invitations", tag = "team",
    security(("session" = []), ("login_bearer" = []), ("key" = ["team.write"])),
    responses((status = 200, body = Page<Invitation>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Json<Page<Invitation>>> {
    let items = doors.desk.invitations(&actor).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// Invite somebody. The answer holds the link, which works once within seven days; nothing shows it
/// again. A second invitation to the same address replaces the first.
#[utoipa::path(post, path = "/api/v1/invitations", operation_id = "create_invitation", tag = "team",
    security(("session" = []), ("login_bearer" = []), ("key" = ["team.write"])),
    request_body = NewInvitation, responses((status = 201, body = Invitation)))]
pub(crate) async fn create(
    State(doors): State<Doors>,
    line: Line,
    Team(actor): Team,
    Caller(caller): Caller,
    Json(new): Json<NewInvitation>,
) -> Answer<(StatusCode, Json<Invitation>)> {
    let invited = doors.desk.invite(&actor, &new, Some(&caller)).await?;
    // Behind the `#`, the secret reaches no server's and no proxy's log.
    let link = format!("{}/console/join#token={}", line.own_origin, invited.token);
    let invitation = Invitation {
        link: Some(link),
        ..invited.invitation
    };
    Ok((StatusCode::CREATED, Json(invitation)))
}

/// Take an open invitation back.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", operation_id = "revoke_invitation",
    tag = "team", security(("session" = []), ("login_bearer" = []), ("key" = ["team.write"])),
    params(("id" = InvitationId, Path)), responses((status = 204)))]
pub(crate) async fn revoke(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<InvitationId>,
) -> Answer<StatusCode> {
    doors
        .desk
        .revoke_invitation(&actor, id, Some(&caller))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a link offers, to whoever holds it.
#[utoipa::path(post, path = "/api/v1/invitations/lookup", operation_id = "look_up_invitation",
    tag = "sign-in", request_body = InvitationLookup,
    responses((status = 200, body = InvitationOffer)))]
pub(crate) async fn lookup(
    State(doors): State<Doors>,
    Json(lookup): Json<InvitationLookup>,
) -> Answer<Json<InvitationOffer>> {
    Ok(Json(doors.desk.invitation_offer(&lookup.token).await?))
}

/// Accept an invitation and sign in. An address that has an account proves it by its password.
#[utoipa::path(post, path = "/api/v1/invitations/accept", operation_id = "accept_invitation",
    tag = "sign-in", params(Handover), request_body = AcceptInvitation,
    responses((status = 200, body = LoggedIn)))]
pub(crate) async fn accept(
    State(doors): State<Doors>,
    line: Line,
    caller: Caller,
    Query(handover): Query<Handover>,
    Json(accept): Json<AcceptInvitation>,
) -> Answer<Response> {
    let caller = caller.or_of_zone(accept.time_zone.as_deref());
    let signed_in = doors.desk.accept_invitation(&accept, &caller).await?;
    Ok(handed_over(signed_in, handover, &doors, &line))
}
