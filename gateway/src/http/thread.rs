//! A visitor's thread over HTTP: his conversations in one scroll. Every entry that leaves here was
//! made by `Entry::for_visitor`; notes have no way through.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::entry::{AgentNames, VisitorEntry};
use protocol::id::{AgentId, ConversationId, PictureId, WorkspaceId};
use protocol::limit;
use protocol::news::{Batch, Continuity};
use protocol::page::{Cursor, List};
use protocol::permission::{Actor, Principal, VisitorActor};
use protocol::position::Position;
use protocol::rejection::ErrorCode;
use protocol::widget::{VisitorHistory, VisitorThread};
use serde::Deserialize;
use storage::entry::Numbering;
use storage::log::Bound;

use crate::Doors;
use crate::http::auth::Visitor;
use crate::http::extract::{Json, Path, Query};
use crate::http::page::bounded;
use crate::http::problem::Answer;

/// Conversations of one page.
const CONVERSATIONS_MAX: usize = 20;
/// What a page shows of each conversation but the first.
const OLDER: Bound = Bound {
    entries: 30,
    bytes: limit::PAGE_BYTES_MAX / 4,
};

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/visitor/history", get(history))
        .route("/visitor/conversations/{id}/entries", get(entries))
}

/// The names and pictures that visitors see. Somebody unknown has none.
struct Names(BTreeMap<AgentId, (String, Option<PictureId>)>);

impl AgentNames for Names {
    fn name_of(&self, agent_id: AgentId) -> String {
        let known = self.0.get(&agent_id);
        known.map(|(name, _)| name.clone()).unwrap_or_default()
    }

    fn picture_of(&self, agent_id: AgentId) -> Option<PictureId> {
        self.0.get(&agent_id).and_then(|(_, picture)| *picture)
    }
}

async fn names(doors: &Doors, workspace_id: WorkspaceId) -> Answer<Names> {
    let agents = storage::agent::list(&doors.reader, workspace_id).await?;
    Ok(Names(
        agents
            .into_iter()
            .map(|agent| (agent.id, (agent.name, agent.picture)))
            .collect(),
    ))
}

fn visitor_of(actor: &Actor) -> Answer<VisitorActor> {
    match actor.principal {
        Principal::Visitor(visitor) => Ok(visitor),
        Principal::Agent(_) | Principal::Key(_) | Principal::System => {
            Err(ErrorCode::Forbidden.into())
        }
    }
}

/// Which page of the thread is asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// Where the page begins: the `cursor` of the page before.
    cursor: Option<String>,
}

/// The visitor's thread: his conversations with their newest entries, newest first, 20 a page.
#[utoipa::path(get, path = "/api/v1/visitor/history", operation_id = "get_visitor_history",
    tag = "widget", security(("visitor" = [])), params(HistoryQuery),
    responses((status = 200, body = VisitorHistory)))]
pub(crate) async fn history(
    State(doors): State<Doors>,
    Visitor(actor): Visitor,
    Query(query): Query<HistoryQuery>,
) -> Answer<Json<VisitorHistory>> {
    let visitor = visitor_of(&actor)?;
    let workspace_id = actor.workspace_id;
    let text = query.cursor.as_deref();
    let cursor = text
        .map(|text| Cursor::read(text, List::History))
        .transpose()?;
    let page = storage::conversation::history(
        &doors.reader,
        workspace_id,
        &visitor,
        cursor.as_ref(),
        CONVERSATIONS_MAX,
    )
    .await?;
    let names = names(&doors, workspace_id).await?;
    let mut conversations = Vec::with_capacity(page.items.len());
    for (index, conversation) in page.items.into_iter().enumerate() {
        let is_newest = index == 0 && cursor.is_none();
        let bound = if is_newest {
            Bound::of(limit::PAGE_ENTRIES_MAX)
        } else {
            OLDER
        };
        let entries = visible(&doors, workspace_id, conversation.id, None, bound, &names).await?;
        let team_marks =
            storage::participant::team_marks(&doors.reader, workspace_id, conversation.id).await?;
        conversations.push(VisitorThread {
            conversation,
            epoch: doors.reader.epoch(),
            entries,
            team_marks,
        });
    }
    Ok(Json(VisitorHistory {
        conversations,
        cursor: page.cursor,
    }))
}

/// Which entries are asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntriesQuery {
    /// The entries before this `number`; the newest when absent.
    before: Option<u64>,
    /// Entries, at most 200, which is also what is taken when absent.
    limit: Option<usize>,
}

/// Older entries of one of the visitor's conversations, in number order.
#[utoipa::path(get, path = "/api/v1/visitor/conversations/{id}/entries",
    operation_id = "list_visitor_entries", tag = "widget", security(("visitor" = [])),
    params(("id" = ConversationId, Path), EntriesQuery),
    responses((status = 200, body = Batch<VisitorEntry>)))]
pub(crate) async fn entries(
    State(doors): State<Doors>,
    Visitor(actor): Visitor,
    Path(conversation_id): Path<ConversationId>,
    Query(query): Query<EntriesQuery>,
) -> Answer<Json<Batch<VisitorEntry>>> {
    let visitor = visitor_of(&actor)?;
    let workspace_id = actor.workspace_id;
    storage::conversation::of_visitor(&doors.reader, workspace_id, &visitor, conversation_id)
        .await?
        .ok_or(ErrorCode::NotFound)?;
    let names = names(&doors, workspace_id).await?;
    let most = limit::PAGE_ENTRIES_MAX;
    let limit = bounded(query.limit, most, most)?;
    let entries = visible(
        &doors,
        workspace_id,
        conversation_id,
        query.before,
        Bound::of(limit),
        &names,
    )
    .await?;
    let position = entries.last().map(|entry| Position {
        epoch: doors.reader.epoch(),
        number: entry.number,
        entry_id: entry.id,
    });
    Ok(Json(Batch {
        conversation_id,
        continuity: Continuity::Afresh,
        // Public numbers are dense from 1.
        older: entries.first().is_some_and(|entry| entry.number > 1),
        position,
        entries,
    }))
}

async fn visible(
    doors: &Doors,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    before: Option<u64>,
    bound: Bound,
    names: &Names,
) -> Answer<Vec<VisitorEntry>> {
    let entries = storage::log::before(
        &doors.reader,
        workspace_id,
        conversation_id,
        Numbering::Visitor,
        before,
        bound,
    )
    .await?;
    let mut entries: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry.for_visitor(names))
        .collect();
    entries.sort_by_key(|entry| entry.number);
    Ok(entries)
}
