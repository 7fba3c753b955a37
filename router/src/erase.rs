//! Erasing a contact: the store forgets, then everybody who still shows the words is told.

use protocol::command::Command;
use protocol::id::{ContactId, ConversationId, WorkspaceId};
use protocol::permission::{Actor, Permission, Principal};
use protocol::rejection::{CloseCode, ErrorCode, Rejection};
use protocol::text::ClientId;
use storage::audit::Change;

use crate::error::refused_by;
use crate::nodes::News;
use crate::part::Part;
use crate::router::Router;
use crate::view::inbox::Before;

/// The line for the audit log.
///
/// # Errors
/// `forbidden`.
pub(crate) fn change_of(
    actor: &Actor,
    contact_id: ContactId,
    at_ms: u64,
) -> Result<Change, Rejection> {
    match actor.principal {
        Principal::System => {}
        Principal::Agent(_) | Principal::Key(_) | Principal::Visitor(_) => {
            actor.may(Permission::ContactsErase)?;
        }
    }
    Ok(Change {
        workspace_id: actor.workspace_id,
        actor: actor.principal_key(),
        action: "contact.erased",
        target: contact_id.to_string(),
        fields: Vec::new(),
        changes_json: None,
        address: None,
        at_ms,
    })
}

/// Erases, inside the contact's lane. Safe to repeat until it succeeds.
pub(crate) async fn run(
    router: &Router,
    contact_id: ContactId,
    change: &Change,
) -> Result<(), Rejection> {
    let erased = storage::contact::erase(router.db(), contact_id, change).await;
    let erased = erased
        .map_err(|error| refused_by(&error))?
        .ok_or(ErrorCode::NotFound)?;
    for visitor_id in &erased.visitor_ids {
        // The visitor's tokens no longer count; whoever sits there begins as somebody new.
        let code = CloseCode::IdentityChanged;
        router.hub().close_visitor(*visitor_id, code).await;
    }
    for conversation_id in &erased.conversation_ids {
        end(router, change, *conversation_id).await?;
        show_afresh(router, change.workspace_id, *conversation_id).await;
        let conversation_id = *conversation_id;
        router
            .nodes()
            .tell(router, change.workspace_id, || News::Afresh {
                conversation_id,
            });
    }
    router.changed(change.workspace_id, Part::Contact(contact_id));
    Ok(())
}

/// Ends a conversation of the erased: nobody waits in it any more. By its own lane, behind all that was on
/// its way there; what that left is erased too, and after it the lane takes no more words.
async fn end(
    router: &Router,
    change: &Change,
    conversation_id: ConversationId,
) -> Result<(), Rejection> {
    let system = Actor {
        workspace_id: change.workspace_id,
        principal: Principal::System,
    };
    let client_id = ClientId::parse(&format!("erase-{conversation_id}"))?;
    let close = Command::Close { conversation_id };
    router.handle(&system, client_id, close).await?;
    storage::contact::erase_words(
        router.db(),
        change.workspace_id,
        conversation_id,
        change.at_ms,
    )
    .await
    .map_err(|error| refused_by(&error))
}

/// Lets everybody who follows a conversation read its newest page again, with what is left of it. Each reads
/// for himself, after this: a page that was read before it and is still on its way is told no more.
pub(crate) async fn show_afresh(
    router: &Router,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
) {
    match storage::conversation::find(router.db(), workspace_id, conversation_id).await {
        Ok(Some(conversation)) => {
            router.hub().facts(&conversation).await;
            let before = Before::Unknown;
            router
                .inboxes()
                .changed(workspace_id, before, &conversation);
        }
        Ok(None) => return,
        Err(error) => tracing::warn!(%error, "an erased conversation could not be read"),
    }
    router.hub().afresh(conversation_id).await;
}
