//! What follows from a commit, beside the entries themselves: facts, lists, counts, timers, closed doors.

use protocol::conversation::{Conversation, State, VisitorConversation};
use protocol::entry::{Author, Content, Entry};
use protocol::id::{ConversationId, WorkspaceId};
use protocol::permission::VisitorActor;
use protocol::rejection::CloseCode;
use storage::entry::Stored;

use crate::person;
use crate::router::Router;
use crate::signal::Typist;
use crate::view::inbox::Before;
use crate::view::inboxes;

/// After a commit of this node. `before` is the conversation as it was, where the lane knows.
pub(crate) async fn after(
    router: &Router,
    workspace_id: WorkspaceId,
    before: Option<&Conversation>,
    stored: &Stored,
) {
    let conversation = &stored.conversation;
    router.hub().facts(conversation).await;
    let before = if stored.created {
        Before::Nowhere
    } else {
        inboxes::before(before)
    };
    router.inboxes().changed(workspace_id, before, conversation);
    if stored.created || stored.entries.iter().any(begins_or_ends) {
        let facts = Some(&stored.visitor_conversation);
        tell_devices(router, workspace_id, conversation, facts).await;
    }
    of_entries(router, workspace_id, conversation, &stored.entries).await;
}

/// After the log told of entries that did not come by here: another node's, or a lost commit's.
pub(crate) async fn healed(
    router: &Router,
    workspace_id: WorkspaceId,
    conversation: &Conversation,
    entries: &[Entry],
) {
    router.hub().facts(conversation).await;
    let before = Before::Unknown;
    router.inboxes().changed(workspace_id, before, conversation);
    if entries.iter().any(begins_or_ends) {
        tell_devices(router, workspace_id, conversation, None).await;
    }
    of_entries(router, workspace_id, conversation, entries).await;
}

/// After the log told of a conversation that another lane began: the visitor's tabs follow it.
pub(crate) async fn began(
    router: &Router,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
) {
    let found = storage::conversation::find(router.db(), workspace_id, conversation_id).await;
    match found {
        Ok(Some(conversation)) => tell_devices(router, workspace_id, &conversation, None).await,
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "a new conversation could not be read"),
    }
}

/// Whether an entry changes what the visitor sees of the conversation itself.
fn begins_or_ends(entry: &Entry) -> bool {
    matches!(entry.content, Content::Closed | Content::Reopened { .. })
}

/// Tells the visitor, on all his devices, what his conversation is now; what goes on they follow. `facts`
/// are what his own browser sees of it, where they are at hand.
async fn tell_devices(
    router: &Router,
    workspace_id: WorkspaceId,
    conversation: &Conversation,
    facts: Option<&VisitorConversation>,
) {
    for device in devices(router, workspace_id, conversation).await {
        let visitor_id = device.visitor_id;
        let known = facts.filter(|_| conversation.visitor_id == Some(visitor_id));
        let seen = match known {
            Some(facts) => facts.clone(),
            None => match router.owns(workspace_id, &device, conversation.id).await {
                Ok(facts) => facts,
                // Not his any more, or the store is away: he reads it when he comes back.
                Err(_) => continue,
            },
        };
        router.hub().visitor_facts(visitor_id, &seen).await;
        if !seen.closed {
            router.hub().follow(visitor_id, conversation.id).await;
        }
    }
}

/// The visitor's browser, and the connected ones on which he proved to be the same person.
async fn devices(
    router: &Router,
    workspace_id: WorkspaceId,
    conversation: &Conversation,
) -> Vec<VisitorActor> {
    let Some(visitor_id) = conversation.visitor_id else {
        return Vec::new();
    };
    let visitor = VisitorActor {
        visitor_id,
        site_id: conversation.site_id,
        contact_id: None,
    };
    match person::devices(router, workspace_id, visitor, conversation.id).await {
        Ok(devices) => devices,
        Err(error) => {
            tracing::warn!(%error, "the devices of a visitor could not be read");
            vec![visitor]
        }
    }
}

async fn of_entries(
    router: &Router,
    workspace_id: WorkspaceId,
    conversation: &Conversation,
    entries: &[Entry],
) {
    let mut has_team_spoken = false;
    for entry in entries {
        match &entry.content {
            Content::Message { .. } => {
                let typist = Typist::of(entry.author);
                router.signals().spoke(conversation.id, typist);
                has_team_spoken |= !matches!(entry.author, Author::Visitor { .. });
            }
            Content::Snoozed { .. } => router.timers().ring(),
            Content::VisitorBlocked { blocked } => {
                if let (true, Some(visitor_id)) = (blocked, conversation.visitor_id) {
                    let code = CloseCode::Revoked;
                    router.hub().close_visitor(visitor_id, code).await;
                }
            }
            Content::Note { .. }
            | Content::Edited { .. }
            | Content::Deleted { .. }
            | Content::Joined { .. }
            | Content::Left { .. }
            | Content::Assigned { .. }
            | Content::Moved { .. }
            | Content::Reopened { .. }
            | Content::Closed
            | Content::Prioritized { .. }
            | Content::SpamMarked { .. } => {}
        }
    }
    if has_team_spoken {
        for device in devices(router, workspace_id, conversation).await {
            unread(router, workspace_id, &device).await;
        }
    }
    if let Some(visitor_id) = conversation.visitor_id {
        router.live().facts_of(visitor_id, conversation).await;
    }
}

/// Tells a visitor's tabs how much he has not read, if any of them listens.
pub(crate) async fn unread(router: &Router, workspace_id: WorkspaceId, visitor: &VisitorActor) {
    if !router.hub().wants_unread(visitor.visitor_id) {
        return;
    }
    let unread = storage::conversation::unread_of_visitor(router.db(), workspace_id, visitor);
    match unread.await {
        Ok(unread) => router
            .hub()
            .unread(visitor.visitor_id, unread.count, unread.entry_id),
        Err(error) => tracing::warn!(%error, "an unread count could not be read"),
    }
}

/// The conversation that goes on with a visitor, after this one changed.
pub(crate) fn ongoing(conversation: &Conversation) -> Option<ConversationId> {
    match conversation.state {
        State::Open | State::Snoozed => Some(conversation.id),
        State::Closed => None,
    }
}
