//! What follows from a commit, beside the entries themselves: facts, lists, counts, timers, closed doors.

use presence::input::Facts;
use protocol::conversation::{Conversation, State, VisitorConversation};
use protocol::entry::{Author, Content, Entry};
use protocol::id::{ConversationId, WorkspaceId};
use protocol::permission::VisitorActor;
use protocol::rejection::CloseCode;
use storage::entry::Stored;

use crate::nodes::Commit;
use crate::person;
use crate::router::Router;
use crate::signal::{Heard, Typist};
use crate::unread::Counts;
use crate::view::inbox::{Before, Membership};

/// What a lane remembers of what it told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What the list of visitors was last told to show anew for.
    facts: Option<Facts>,
    /// How much the visitor was told he has not read.
    pub(crate) unread: Counts,
}

/// After a commit of this node. `before` is where the conversation stood, where the lane knows; `heard` what had
/// been typed when it was stored.
pub(crate) async fn after(
    router: &Router,
    workspace_id: WorkspaceId,
    before: Option<Membership>,
    stored: &Stored,
    told: &mut Told,
    heard: Heard,
) {
    let conversation = &stored.conversation;
    changed(router, workspace_id, before, conversation, stored.created).await;
    router.learning().said(&stored.entries);
    of_entries(
        router,
        workspace_id,
        conversation,
        &stored.entries,
        told,
        heard,
    )
    .await;
    if let Some(facts) = &stored.visitor_conversation {
        tell_devices(router, workspace_id, conversation, Some(facts)).await;
    }
}

/// After another node told of its commit.
pub(crate) async fn elsewhere(
    router: &Router,
    workspace_id: WorkspaceId,
    before: Option<Membership>,
    commit: &Commit,
    told: &mut Told,
    heard: Heard,
) {
    let conversation = &commit.conversation;
    changed(router, workspace_id, before, conversation, commit.created).await;
    of_entries(
        router,
        workspace_id,
        conversation,
        &commit.entries,
        told,
        heard,
    )
    .await;
    if let Some(facts) = &commit.visitor_conversation {
        tell_devices(router, workspace_id, conversation, Some(facts)).await;
    }
}

/// Shows what a conversation is now to those who follow it, and in the lists.
async fn changed(
    router: &Router,
    workspace_id: WorkspaceId,
    before: Option<Membership>,
    conversation: &Conversation,
    is_new: bool,
) {
    router.hub().facts(conversation).await;
    let before = match before {
        _ if is_new => Before::Nowhere,
        Some(before) => Before::There(before),
        None => Before::Unknown,
    };
    router.inboxes().changed(workspace_id, before, conversation);
}

/// After the log told of entries that did not come by here: another node's, or a lost commit's.
pub(crate) async fn healed(
    router: &Router,
    workspace_id: WorkspaceId,
    conversation: &Conversation,
    entries: &[Entry],
    told: &mut Told,
) {
    router.hub().facts(conversation).await;
    let before = Before::Unknown;
    router.inboxes().changed(workspace_id, before, conversation);
    if entries.iter().any(begins_or_ends) {
        tell_devices(router, workspace_id, conversation, None).await;
    }
    let heard = router.signals().heard();
    of_entries(router, workspace_id, conversation, entries, told, heard).await;
}

/// After the log told of a conversation that another lane began: the visitor's tabs follow it.
///
/// # Errors
/// The store's.
pub(crate) async fn began(
    router: &Router,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
) -> storage::Result<()> {
    let found = storage::conversation::find(router.db(), workspace_id, conversation_id).await?;
    if let Some(conversation) = found {
        tell_devices(router, workspace_id, &conversation, None).await;
    }
    Ok(())
}

/// Whether an entry changes what the visitor sees of the conversation itself.
fn begins_or_ends(entry: &Entry) -> bool {
    entry.public_seq.is_some()
        && matches!(entry.content, Content::Closed | Content::Reopened { .. })
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
    told: &mut Told,
    heard: Heard,
) {
    let mut said = Vec::new();
    for entry in entries {
        match &entry.content {
            Content::Message { .. } => {
                if let Some(typist) = Typist::of(entry.author) {
                    router.signals().spoke(conversation.id, typist, heard);
                }
                if !matches!(entry.author, Author::Visitor { .. }) {
                    said.extend(entry.public_seq.map(|number| (number, entry.id)));
                }
            }
            Content::Snoozed { .. } => router.timers().ring(),
            Content::VisitorBlocked { blocked } => {
                if let (true, Some(visitor_id)) = (blocked, conversation.visitor_id) {
                    let code = CloseCode::Revoked;
                    router.hub().close_visitor(visitor_id, code).await;
                }
            }
            // What was taken back may have been counted.
            Content::Deleted { .. } => told.unread.forget(),
            Content::Note { .. }
            | Content::Edited { .. }
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
    if !said.is_empty() {
        let devices = devices(router, workspace_id, conversation).await;
        let place = (workspace_id, conversation.id);
        told.unread.tell(router, place, &devices, &said).await;
    }
    if let Some(visitor_id) = conversation.visitor_id {
        let facts = Facts {
            contact_id: Some(conversation.contact_id),
            name: conversation.contact_name.clone(),
            conversation_id: ongoing(conversation),
        };
        if told.facts.as_ref() != Some(&facts) {
            router.live().outdated(workspace_id, visitor_id).await;
            told.facts = Some(facts);
        }
    }
}

/// The conversation that goes on with a visitor, after this one changed.
fn ongoing(conversation: &Conversation) -> Option<ConversationId> {
    match conversation.state {
        State::Open | State::Snoozed => Some(conversation.id),
        State::Closed => None,
    }
}
