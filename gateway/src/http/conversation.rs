//! Conversations: lists, search, entries, and the one door for everything that is done to them.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use http::HeaderMap;
use protocol::command::{Ack, Command};
use protocol::conversation::Conversation;
use protocol::entry::Entry;
use protocol::id::{AgentId, ConversationId, SiteId};
use protocol::language::Language;
use protocol::limit;
use protocol::news::{Batch, Continuity};
use protocol::page::Page;
use protocol::permission::{Actor, Permission, Principal};
use protocol::position::Position;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::search::Match;
use protocol::text::ClientId;
use protocol::view::{InboxFilter, InboxList, InboxOrder};
use serde::Deserialize;
use storage::entry::Numbering;
use storage::inbox::ListQuery;
use storage::log::Bound;

use crate::Doors;
use crate::connection::command::note_acknowledgement;
use crate::http::auth::Team;
use crate::http::extract::{Json, Path, Query, Versioned};
use crate::http::page::{Window, bounded};
use crate::http::problem::Answer;
use crate::http::search;

/// Entries of a page where the request names no number.
const ENTRIES: usize = 50;

/// The header that carries the client's name for a command.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/conversations", get(list))
        .route("/conversations/{id}", get(find))
        .route("/conversations/{id}/entries", get(list_entries))
        .route("/conversations/{id}/matches", get(find_in))
        .route("/commands", post(command))
}

/// Which conversations are asked for.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listing {
    /// Which list; `all` when absent.
    filter: Option<InboxFilter>,
    /// Of one site; of all when absent.
    site_id: Option<SiteId>,
    /// Of one member of the team.
    assignee_id: Option<AgentId>,
    /// Of customers who speak one language, as its two or three letters.
    language: Option<Language>,
    /// Of one priority, from 1 (low) to 4 (urgent).
    priority: Option<u8>,
    /// Of this priority or a higher one.
    priority_min: Option<u8>,
    /// Last active at this time or later, in milliseconds since 1970.
    since_ms: Option<u64>,
    /// Last active before this time.
    until_ms: Option<u64>,
    /// What stands first: `newest` when absent. With `search` there is no other.
    order: Option<InboxOrder>,
    /// Words that messages, notes or the contact hold; the last one may be a beginning.
    search: Option<String>,
    /// Where the page begins: the `cursor` of the page before.
    cursor: Option<String>,
    /// Rows, at most 100; 50 when absent.
    limit: Option<usize>,
}

/// A list of the inbox, narrowed and ordered as asked; with `search`, what of it holds the words.
#[utoipa::path(get, path = "/api/v1/conversations", operation_id = "list_conversations",
    tag = "conversations",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    params(Listing), responses((status = 200, body = Page<Conversation>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
    Query(listing): Query<Listing>,
) -> Answer<Json<Page<Conversation>>> {
    let scope = actor.may(Permission::ConversationsRead)?;
    let window = Window {
        cursor: listing.cursor,
        limit: listing.limit,
    };
    let filter = listing.filter.unwrap_or(InboxFilter::All);
    let list = InboxList {
        filter,
        site_id: listing.site_id,
        assignee_id: listing.assignee_id,
        language: listing.language,
        priority: listing.priority,
        priority_min: listing.priority_min,
        since_ms: listing.since_ms,
        until_ms: listing.until_ms,
        order: listing.order.unwrap_or_default(),
    };
    let text = searched(listing.search.as_deref())?;
    if text.is_some() && list.order != InboxOrder::Newest {
        return Err(Rejection::of(ErrorCode::Invalid, "order").into());
    }
    let query = ListQuery {
        list: list.check()?,
        agent_id: whose(&actor, filter)?,
        limit: window.rows()?,
        cursor: window.cursor(storage::inbox::cursors(list.order))?,
    };
    let page = match text {
        Some(text) => storage::search::conversations(&doors.reader, &scope, text, &query).await?,
        None => storage::inbox::list(&doors.reader, &scope, &query).await?,
    };
    Ok(Json(page))
}

/// The agent whose list it is. A program has none of its own.
fn whose(actor: &Actor, filter: InboxFilter) -> Result<Option<AgentId>, Rejection> {
    match (actor.principal, filter) {
        (Principal::Agent(agent), _) => Ok(Some(agent.agent_id)),
        (Principal::Key(_) | Principal::System | Principal::Visitor(_), InboxFilter::Mine) => {
            Err(Rejection::of(ErrorCode::Invalid, "filter"))
        }
        (
            Principal::Key(_) | Principal::System | Principal::Visitor(_),
            InboxFilter::All
            | InboxFilter::Unassigned
            | InboxFilter::Waiting
            | InboxFilter::Snoozed
            | InboxFilter::Closed
            | InboxFilter::Spam,
        ) => Ok(None),
    }
}

fn searched(text: Option<&str>) -> Result<Option<&str>, Rejection> {
    let text = text
        .map(|text| search::checked(text, "search"))
        .transpose()?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// One conversation.
#[utoipa::path(get, path = "/api/v1/conversations/{id}", operation_id = "get_conversation",
    tag = "conversations",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    params(("id" = ConversationId, Path)), responses((status = 200, body = Conversation)))]
pub(crate) async fn find(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<ConversationId>,
) -> Answer<Versioned<Conversation>> {
    let conversation = read(&doors, &actor, id).await?;
    Ok(Versioned(conversation.version, conversation))
}

async fn read(doors: &Doors, actor: &Actor, id: ConversationId) -> Answer<Conversation> {
    let scope = actor.may(Permission::ConversationsRead)?;
    let workspace_id = scope.workspace_id();
    let found = storage::conversation::find(&doors.reader, workspace_id, id).await?;
    found.ok_or_else(|| ErrorCode::NotFound.into())
}

/// Which entries are asked for.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntryWindow {
    /// The entries before this `seq`; the newest when absent.
    before: Option<u64>,
    /// Entries, at most 200; 50 when absent.
    limit: Option<usize>,
}

/// Entries of a conversation in number order: the newest, or those before a number.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/entries", operation_id = "list_entries",
    tag = "conversations",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    params(("id" = ConversationId, Path), EntryWindow),
    responses((status = 200, body = Batch<Entry>)))]
pub(crate) async fn list_entries(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<ConversationId>,
    Query(window): Query<EntryWindow>,
) -> Answer<Json<Batch<Entry>>> {
    let conversation = read(&doors, &actor, id).await?;
    let count = bounded(window.limit, ENTRIES, limit::PAGE_ENTRIES_MAX)?;
    let entries = storage::log::before(
        &doors.reader,
        actor.workspace_id,
        conversation.id,
        Numbering::Team,
        window.before,
        Bound::of(count),
    )
    .await?;
    let position = entries.last().map(|last| Position {
        epoch: doors.reader.epoch(),
        number: last.seq,
        entry_id: last.id,
    });
    Ok(Json(Batch {
        conversation_id: conversation.id,
        continuity: Continuity::Afresh,
        older: entries.first().is_some_and(|first| first.seq > 1),
        entries,
        position,
    }))
}

/// What is searched for in a conversation.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SoughtIn {
    /// Words that one message or note holds, the last one perhaps as a beginning. Without any nothing is found.
    #[serde(default)]
    text: String,
}

/// Where a conversation's messages and notes hold the words, newest first: the first 50.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/matches", operation_id = "search_conversation",
    tag = "conversations",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    params(("id" = ConversationId, Path), SoughtIn), responses((status = 200, body = Page<Match>)))]
pub(crate) async fn find_in(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<ConversationId>,
    Query(sought): Query<SoughtIn>,
) -> Answer<Json<Page<Match>>> {
    let scope = actor.may(Permission::ConversationsRead)?;
    let text = search::checked(&sought.text, "text")?;
    let conversation = read(&doors, &actor, id).await?;
    let found = storage::found::in_conversation(&doors.reader, &scope, conversation.id, text);
    Ok(Json(Page {
        items: found.await?,
        cursor: None,
    }))
}

/// Do something, once: answer, note, assign, snooze, close … The same key always means the same
/// command: a retry gets the first answer.
#[utoipa::path(post, path = "/api/v1/commands", operation_id = "do_command", tag = "conversations",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.write"])),
    params(("idempotency-key" = ClientId, Header,
        description = "The client's own name for the command, the same for every try.")),
    request_body = Command, responses((status = 200, body = Ack)))]
pub(crate) async fn command(
    State(doors): State<Doors>,
    Team(actor): Team,
    headers: HeaderMap,
    Json(command): Json<Command>,
) -> Answer<Json<Ack>> {
    let client_id = client_id(&headers)?;
    let since = doors.world.clock.elapsed();
    let outcome = doors.router.handle(&actor, client_id, command).await;
    note_acknowledgement(&doors, since, &outcome);
    Ok(Json(outcome?))
}

fn client_id(headers: &HeaderMap) -> Result<ClientId, Rejection> {
    let missing = || Rejection::of(ErrorCode::Empty, "client_id");
    let value = headers.get(IDEMPOTENCY_KEY).ok_or_else(missing)?;
    let invalid = |_| Rejection::of(ErrorCode::Invalid, "client_id");
    ClientId::parse(value.to_str().map_err(invalid)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_search_is_trimmed_and_bounded() {
        assert_eq!(searched(None), Ok(None));
        assert_eq!(searched(Some("  ")), Ok(None));
        assert_eq!(searched(Some(" invoice ")), Ok(Some("invoice")));
        let long = "x".repeat(limit::SEARCH_BYTES_MAX + 1);
        assert_eq!(searched(Some(&long)).unwrap_err().code, ErrorCode::TooLong);
        assert_eq!(searched(Some("a\0b")).unwrap_err().code, ErrorCode::Invalid);
    }

    #[test]
    fn a_command_needs_a_name_of_its_clients() {
        let mut headers = HeaderMap::new();
        let missing = client_id(&headers).unwrap_err();
        assert_eq!(missing, Rejection::of(ErrorCode::Empty, "client_id"));
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("a b"));
        assert_eq!(client_id(&headers).unwrap_err().code, ErrorCode::Invalid);
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("a-1"));
        assert_eq!(client_id(&headers).unwrap().as_str(), "a-1");
    }
}
