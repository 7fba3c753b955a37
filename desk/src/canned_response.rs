//! Canned responses: who sees which, and who may change them. The team's need a right of their own; what a
//! member keeps for himself nobody else reads, whatever he may.

use protocol::canned_response::{CannedResponse, CannedResponseChange, NewCannedResponse, Whose};
use protocol::id::{AgentId, CannedResponseId};
use protocol::limit;
use protocol::permission::{Actor, Permission, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::Body;
use router::Part;
use storage::Written;

use crate::audit::{By, Differences};
use crate::error::{Error, Result};
use crate::{Caller, Desk, stored};

/// The member who speaks; programs and the system keep nothing for themselves.
pub(crate) fn member(actor: &Actor) -> Option<AgentId> {
    match actor.principal {
        Principal::Agent(agent) => Some(agent.agent_id),
        Principal::Key(_) | Principal::Visitor(_) | Principal::System => None,
    }
}

/// Whose a new one will be.
///
/// # Errors
/// `forbidden`, also for a program that wants to keep one for itself.
fn owner_of_new(actor: &Actor, whose: Whose) -> Result<Option<AgentId>, Rejection> {
    match (whose, member(actor)) {
        (Whose::Own, Some(agent_id)) => {
            actor.may(Permission::ConversationsWrite)?;
            Ok(Some(agent_id))
        }
        (Whose::Own, None) => Err(Rejection::of(ErrorCode::Forbidden, "whose")),
        (Whose::Team, _) => {
            actor.may(Permission::CannedWrite)?;
            Ok(None)
        }
    }
}

/// Letters and digits of any language, `-`, `_` and `.`; nothing at all is no nickname.
fn nickname(text: &str) -> Result<String, Rejection> {
    let text = text.trim();
    if text.len() > limit::NICKNAME_BYTES_MAX {
        return Err(Rejection::of(ErrorCode::TooLong, "nickname"));
    }
    let fine = text
        .chars()
        .all(|c| c.is_alphanumeric() || c == '-' || c == '_' || c == '.');
    match fine {
        true => Ok(text.to_owned()),
        false => Err(Rejection::of(ErrorCode::Invalid, "nickname")),
    }
}

fn body(text: &Body) -> Result<&str, Rejection> {
    match text.as_str() {
        text if text.len() > limit::CANNED_BODY_BYTES_MAX => {
            Err(Rejection::of(ErrorCode::TooLong, "body"))
        }
        text => Ok(text),
    }
}

/// What the log keeps: that the text is another one, not the text; and of what is one's own no nickname either.
fn differences(before: Option<&CannedResponse>, after: &CannedResponse) -> Differences {
    let mut differences = Differences::default();
    let was = before.map_or("", |before| before.nickname.as_str());
    match after.agent_id {
        None => differences.note("nickname", &was, &after.nickname.as_str()),
        Some(_) if was != after.nickname => differences.name("nickname"),
        Some(_) => {}
    }
    if before.is_none_or(|before| before.body != after.body) {
        differences.name("body");
    }
    differences
}

impl Desk {
    /// The team's, and the speaker's own.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn canned_responses(&self, actor: &Actor) -> Result<Vec<CannedResponse>> {
        let scope = actor.may(Permission::ConversationsRead)?;
        Ok(storage::canned_response::list(&self.0.db, &scope, member(actor)).await?)
    }

    /// Makes one.
    ///
    /// # Errors
    /// `forbidden`; `too_long` of `nickname` or `body`, `invalid` of `nickname`; `already_exists` of `nickname`;
    /// `too_many`.
    pub async fn create_canned_response(
        &self,
        actor: &Actor,
        new: &NewCannedResponse,
        caller: Option<&Caller>,
    ) -> Result<CannedResponse> {
        let agent_id = owner_of_new(actor, new.whose)?;
        let now_ms = self.now_ms();
        let made = CannedResponse {
            id: self.0.world.ids.next(),
            version: 1,
            agent_id,
            nickname: nickname(new.nickname.as_deref().unwrap_or_default())?,
            body: body(&new.body)?.to_owned(),
            created_at_ms: now_ms,
            changed_at_ms: now_ms,
        };
        let change = By { actor, caller }.change(
            "canned_response.created",
            made.id,
            differences(None, &made),
            now_ms,
        );
        told(storage::canned_response::create(&self.0.db, &made, &change).await?)?;
        self.changed(actor.workspace_id, Part::CannedResponse(made.id));
        Ok(made)
    }

    /// Changes one.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `version_conflict`; `too_long` of `nickname` or `body`, `invalid` of `nickname`;
    /// `already_exists` of `nickname`.
    pub async fn change_canned_response(
        &self,
        actor: &Actor,
        id: CannedResponseId,
        version: u64,
        new: &CannedResponseChange,
        caller: Option<&Caller>,
    ) -> Result<CannedResponse> {
        let before = self.canned_response_to_change(actor, id).await?;
        let nickname = new.nickname.as_deref().map(nickname).transpose()?;
        let after = CannedResponse {
            nickname: nickname.clone().unwrap_or_else(|| before.nickname.clone()),
            body: match &new.body {
                Some(text) => body(text)?.to_owned(),
                None => before.body.clone(),
            },
            ..before.clone()
        };
        if version != before.version {
            return Err(ErrorCode::VersionConflict.into());
        }
        let differences = differences(Some(&before), &after);
        if differences.is_empty() {
            return Ok(before);
        }
        let by = By { actor, caller };
        let change = by.change("canned_response.changed", id, differences, self.now_ms());
        let new = CannedResponseChange {
            nickname,
            body: new.body.clone(),
        };
        let written =
            storage::canned_response::change(&self.0.db, id, version, &new, &change).await?;
        let changed = told(written)?;
        self.changed(actor.workspace_id, Part::CannedResponse(id));
        Ok(changed)
    }

    /// Takes one away for good. What was sent with it stays as it is.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn remove_canned_response(
        &self,
        actor: &Actor,
        id: CannedResponseId,
        caller: Option<&Caller>,
    ) -> Result<()> {
        self.canned_response_to_change(actor, id).await?;
        let none = Differences::default();
        let change =
            By { actor, caller }.change("canned_response.removed", id, none, self.now_ms());
        if !storage::canned_response::remove(&self.0.db, id, &change).await? {
            return Err(ErrorCode::NotFound.into());
        }
        self.changed(actor.workspace_id, Part::CannedResponse(id));
        Ok(())
    }

    /// One that the speaker may change. Another member's own does not exist for him.
    async fn canned_response_to_change(
        &self,
        actor: &Actor,
        id: CannedResponseId,
    ) -> Result<CannedResponse> {
        let me = member(actor);
        if me.is_none() {
            actor.may(Permission::CannedWrite)?;
        }
        let found = storage::canned_response::find(&self.0.db, actor.workspace_id, id).await?;
        match found {
            Some(found) if found.agent_id.is_none() => {
                actor.may(Permission::CannedWrite)?;
                Ok(found)
            }
            Some(found) if found.agent_id == me => {
                actor.may(Permission::ConversationsWrite)?;
                Ok(found)
            }
            Some(_) | None => Err(ErrorCode::NotFound.into()),
        }
    }
}

/// A refusal of the store names the nickname, where that is what was refused.
fn told<T>(written: Written<T>) -> Result<T> {
    let taken = Rejection::of(ErrorCode::AlreadyExists, "nickname");
    stored(written).map_err(|error: Error| error.told_as(ErrorCode::AlreadyExists, taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nickname_is_one_word_or_nothing() {
        let check = |text: &str, expected: Result<&str, ErrorCode>| {
            let found = nickname(text).map_err(|refused| refused.code);
            assert_eq!(found, expected.map(str::to_owned), "{text:?}");
        };
        check("  ", Ok(""));
        check(" refund.eu-2 ", Ok("refund.eu-2"));
        check("привіт", Ok("привіт"));
        for bad in [
            "two words",
            "\\hi",
            "a/b",
            "{{x}}",
            "a\u{202e}b",
            "a\u{200b}",
        ] {
            check(bad, Err(ErrorCode::Invalid));
        }
        let longest = "x".repeat(limit::NICKNAME_BYTES_MAX);
        check(&longest, Ok(&longest));
        check(&(longest.clone() + "x"), Err(ErrorCode::TooLong));
    }
}
