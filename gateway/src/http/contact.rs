//! Contacts.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use http::StatusCode;
use protocol::contact::{Contact, ContactChange, ContactMerge};
use protocol::conversation::Conversation;
use protocol::id::ContactId;
use protocol::page::{List, Page};
use protocol::permission::Permission;
use protocol::rejection::ErrorCode;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{IfMatch, Json, Path, Query, Versioned};
use crate::http::line::Caller;
use crate::http::page::Window;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/contacts/{id}", get(find).patch(change).delete(erase))
        .route("/contacts/{id}/conversations", get(list_conversations))
        .route("/contacts/{id}/merge", post(merge))
        .route("/contacts/{id}/unmerge", post(unmerge))
}

/// One contact.
#[utoipa::path(get, path = "/api/v1/contacts/{id}", operation_id = "get_contact", tag = "contacts",
    security(("session" = []), ("login_bearer" = []), ("key" = ["contacts.read"])),
    params(("id" = ContactId, Path)), responses((status = 200, body = Contact)))]
pub(crate) async fn find(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<ContactId>,
) -> Answer<Versioned<Contact>> {
    let contact = doors.desk.contact(&actor, id).await?;
    Ok(Versioned(contact.version, contact))
}

/// Change a contact. An empty text takes the fact away.
#[utoipa::path(patch, path = "/api/v1/contacts/{id}", operation_id = "change_contact",
    tag = "contacts", security(("session" = []), ("login_bearer" = []), ("key" = ["contacts.write"])),
    params(("id" = ContactId, Path),
        ("if-match" = String, Header, description = "The version it is based on, in quotes.")),
    request_body = ContactChange, responses((status = 200, body = Contact)))]
pub(crate) async fn change(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<ContactId>,
    IfMatch(version): IfMatch,
    Json(change): Json<ContactChange>,
) -> Answer<Versioned<Contact>> {
    let contact = doors
        .desk
        .change_contact(&actor, id, version, &change, Some(&caller))
        .await?;
    Ok(Versioned(contact.version, contact))
}

/// Erase a contact for good, with the words of its conversations. Cannot be undone.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}", operation_id = "erase_contact",
    tag = "contacts", security(("session" = []), ("login_bearer" = []), ("key" = ["contacts.erase"])),
    params(("id" = ContactId, Path)), responses((status = 204)))]
pub(crate) async fn erase(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<ContactId>,
) -> Answer<StatusCode> {
    doors.desk.erase_contact(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The conversations of a contact and of those merged into it, newest first.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/conversations",
    operation_id = "list_contact_conversations", tag = "contacts",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    params(("id" = ContactId, Path), Window),
    responses((status = 200, body = Page<Conversation>)))]
pub(crate) async fn list_conversations(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<ContactId>,
    Query(window): Query<Window>,
) -> Answer<Json<Page<Conversation>>> {
    let scope = actor.may(Permission::ConversationsRead)?;
    let limit = window.rows()?;
    let contact = storage::contact::find(&doors.reader, &scope, id).await?;
    contact.ok_or(ErrorCode::NotFound)?;
    let cursor = window.cursor(List::OfContact)?;
    let cursor = cursor.as_ref();
    let page = storage::conversation::of_contact(&doors.reader, &scope, id, cursor, limit).await?;
    Ok(Json(page))
}

/// Merge a contact into another, which then speaks for both. Can be taken back.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/merge", operation_id = "merge_contact",
    tag = "contacts", security(("session" = []), ("login_bearer" = []), ("key" = ["contacts.write"])),
    params(("id" = ContactId, Path)), request_body = ContactMerge,
    responses((status = 200, body = Contact)))]
pub(crate) async fn merge(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<ContactId>,
    Json(merge): Json<ContactMerge>,
) -> Answer<Versioned<Contact>> {
    let contact = doors
        .desk
        .merge_contact(&actor, id, merge.into_id, Some(&caller))
        .await?;
    Ok(Versioned(contact.version, contact))
}

/// Take a merge back.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/unmerge", operation_id = "unmerge_contact",
    tag = "contacts", security(("session" = []), ("login_bearer" = []), ("key" = ["contacts.write"])),
    params(("id" = ContactId, Path)), responses((status = 200, body = Contact)))]
pub(crate) async fn unmerge(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<ContactId>,
) -> Answer<Versioned<Contact>> {
    let contact = doors
        .desk
        .unmerge_contact(&actor, id, Some(&caller))
        .await?;
    Ok(Versioned(contact.version, contact))
}
