//! Saved views: who sees which, and who may change them. The team's are part of its settings; what a member
//! keeps for himself nobody else reads, whatever he may.

use protocol::canned_response::Whose;
use protocol::id::{AgentId, SavedViewId};
use protocol::permission::{Actor, Permission};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::saved_view::{NewSavedView, SavedView, SavedViewChange};
use router::Part;
use storage::Written;

use crate::audit::{By, Differences};
use crate::canned_response::member;
use crate::error::{Error, Result};
use crate::{Caller, Desk, stored};

/// Whose a new one will be.
///
/// # Errors
/// `forbidden`, also for a program that wants to keep one for itself.
fn owner_of_new(actor: &Actor, whose: Whose) -> Result<Option<AgentId>, Rejection> {
    match (whose, member(actor)) {
        (Whose::Own, Some(agent_id)) => {
            actor.may(Permission::ConversationsRead)?;
            Ok(Some(agent_id))
        }
        (Whose::Own, None) => Err(Rejection::of(ErrorCode::Forbidden, "whose")),
        (Whose::Team, _) => {
            actor.may(Permission::SettingsWrite)?;
            Ok(None)
        }
    }
}

/// What the log keeps; of what is one's own only that it is another one.
fn differences(before: Option<&SavedView>, after: &SavedView) -> Differences {
    let mut differences = Differences::default();
    let was = before.map_or("", |before| before.name.as_str());
    match after.agent_id {
        None => differences.note("name", &was, &after.name.as_str()),
        Some(_) if was != after.name => differences.name("name"),
        Some(_) => {}
    }
    if before.is_none_or(|before| before.list != after.list) {
        differences.name("list");
    }
    differences
}

impl Desk {
    /// The team's, and the speaker's own.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn saved_views(&self, actor: &Actor) -> Result<Vec<SavedView>> {
        let scope = actor.may(Permission::ConversationsRead)?;
        Ok(storage::saved_view::list(&self.0.db, &scope, member(actor)).await?)
    }

    /// Saves one.
    ///
    /// # Errors
    /// `forbidden`; `invalid` of `order`; `already_exists` of `name`; `too_many`.
    pub async fn create_saved_view(
        &self,
        actor: &Actor,
        new: &NewSavedView,
        caller: Option<&Caller>,
    ) -> Result<SavedView> {
        let agent_id = owner_of_new(actor, new.whose)?;
        new.list.check()?;
        let made = SavedView {
            id: self.0.world.ids.next(),
            version: 1,
            agent_id,
            name: new.name.as_str().to_owned(),
            list: new.list.clone(),
        };
        let by = By { actor, caller };
        let differences = differences(None, &made);
        let change = by.change("saved_view.created", made.id, differences, self.now_ms());
        told(storage::saved_view::create(&self.0.db, &made, &change).await?)?;
        self.changed(actor.workspace_id, Part::SavedView(made.id));
        Ok(made)
    }

    /// Changes one.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `version_conflict`; `invalid` of `order`; `already_exists` of `name`.
    pub async fn change_saved_view(
        &self,
        actor: &Actor,
        id: SavedViewId,
        version: u64,
        new: &SavedViewChange,
        caller: Option<&Caller>,
    ) -> Result<SavedView> {
        let before = self.saved_view_to_change(actor, id).await?;
        if let Some(list) = &new.list {
            list.check()?;
        }
        if version != before.version {
            return Err(ErrorCode::VersionConflict.into());
        }
        let mut after = before.clone();
        if let Some(name) = &new.name {
            name.as_str().clone_into(&mut after.name);
        }
        if let Some(list) = &new.list {
            after.list = list.clone();
        }
        let differences = differences(Some(&before), &after);
        if differences.is_empty() {
            return Ok(before);
        }
        let by = By { actor, caller };
        let change = by.change("saved_view.changed", id, differences, self.now_ms());
        let changed =
            told(storage::saved_view::change(&self.0.db, id, version, new, &change).await?)?;
        self.changed(actor.workspace_id, Part::SavedView(id));
        Ok(changed)
    }

    /// Takes one away for good. Conversations stay as they are.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn remove_saved_view(
        &self,
        actor: &Actor,
        id: SavedViewId,
        caller: Option<&Caller>,
    ) -> Result<()> {
        self.saved_view_to_change(actor, id).await?;
        let none = Differences::default();
        let change = By { actor, caller }.change("saved_view.removed", id, none, self.now_ms());
        if !storage::saved_view::remove(&self.0.db, id, &change).await? {
            return Err(ErrorCode::NotFound.into());
        }
        self.changed(actor.workspace_id, Part::SavedView(id));
        Ok(())
    }

    /// One that the speaker may change. Another member's own does not exist for him.
    async fn saved_view_to_change(&self, actor: &Actor, id: SavedViewId) -> Result<SavedView> {
        let me = member(actor);
        if me.is_none() {
            actor.may(Permission::SettingsWrite)?;
        }
        let found = storage::saved_view::find(&self.0.db, actor.workspace_id, id).await?;
        match found {
            Some(found) if found.agent_id.is_none() => {
                actor.may(Permission::SettingsWrite)?;
                Ok(found)
            }
            Some(found) if found.agent_id == me => {
                actor.may(Permission::ConversationsRead)?;
                Ok(found)
            }
            Some(_) | None => Err(ErrorCode::NotFound.into()),
        }
    }
}

/// A refusal of the store names the name, where that is what was refused.
fn told<T>(written: Written<T>) -> Result<T> {
    let taken = Rejection::of(ErrorCode::AlreadyExists, "name");
    stored(written).map_err(|error: Error| error.told_as(ErrorCode::AlreadyExists, taken))
}
