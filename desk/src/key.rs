//! API keys: made with a part of what their maker may, shown once, known by their hash.

use protocol::id::ApiKeyId;
use protocol::key::{API_KEY_PREFIX, ApiKey, NewApiKey};
use protocol::permission::{Actor, KeyActor, Permission, Permissions, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use router::Part;

use crate::agent::permissions_of;
use crate::audit::{By, Differences};
use crate::error::Result;
use crate::session::is_noted;
use crate::{Caller, Desk, secret, stored};

/// How exactly the last use of a key is kept.
const USED_MS: u64 = 60 * 1_000;

/// The last moment that a key may be accepted: the end of the year 9999.
const EXPIRY_MS_MAX: u64 = 253_402_300_799_999;

/// The scopes a speaker may give to a key, each once and in the order of the documentation.
fn checked_scopes(actor: &Actor, scopes: &[Permission]) -> Result<Vec<Permission>, Rejection> {
    if scopes.is_empty() {
        return Err(Rejection::of(ErrorCode::Empty, "scopes"));
    }
    let scopes = Permissions::of(scopes);
    if permissions_of(actor).covers(scopes) {
        Ok(scopes.list())
    } else {
        Err(Rejection::of(ErrorCode::Forbidden, "scopes"))
    }
}

/// When a key shall lapse, if at all.
fn checked_expiry(expires_at_ms: Option<u64>, now_ms: u64) -> Result<Option<u64>, Rejection> {
    match expires_at_ms {
        // One that lapses at once is a mistake, and so is a time that no calendar has.
        Some(at_ms) if !(now_ms + USED_MS..=EXPIRY_MS_MAX).contains(&at_ms) => {
            Err(Rejection::of(ErrorCode::Invalid, "expires_at_ms"))
        }
        other => Ok(other),
    }
}

impl Desk {
    /// The keys, without themselves.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn keys(&self, actor: &Actor) -> Result<Vec<ApiKey>> {
        let scope = actor.may(Permission::KeysWrite)?;
        Ok(storage::key::list(&self.0.db, &scope).await?)
    }

    /// Makes a key. The answer holds it; nothing shows it again.
    ///
    /// # Errors
    /// `forbidden`, also for a scope that the maker has not; `empty` without scopes; `invalid` of `expires_at_ms`;
    /// `too_many`.
    pub async fn create_key(
        &self,
        actor: &Actor,
        new: &NewApiKey,
        caller: Option<&Caller>,
    ) -> Result<ApiKey> {
        actor.may(Permission::KeysWrite)?;
        let plain = secret::make(&self.0.world.ids, API_KEY_PREFIX);
        let now_ms = self.now_ms();
        let key = ApiKey {
            id: self.0.world.ids.next(),
            name: new.name.as_str().to_owned(),
            hint: secret::first_characters(&plain, API_KEY_PREFIX),
            scopes: checked_scopes(actor, &new.scopes)?,
            key: None,
            created_at_ms: now_ms,
            used_at_ms: None,
            expires_at_ms: checked_expiry(new.expires_at_ms, now_ms)?,
        };
        let mut differences = Differences::default();
        differences.note("name", &None, &Some(&key.name));
        differences.note("scopes", &Vec::new(), &key.scopes);
        differences.note("expires_at_ms", &None, &key.expires_at_ms);
        let change = By { actor, caller }.change("key.created", key.id, differences, now_ms);
        stored(storage::key::create(&self.0.db, &key, &secret::hash(&plain), &change).await?)?;
        self.changed(actor.workspace_id, Part::Key(key.id));
        Ok(ApiKey {
            key: Some(plain),
            ..key
        })
    }

    /// Revokes a key at once.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn revoke_key(
        &self,
        actor: &Actor,
        key_id: ApiKeyId,
        caller: Option<&Caller>,
    ) -> Result<()> {
        actor.may(Permission::KeysWrite)?;
        let by = By { actor, caller };
        let change = by.change("key.revoked", key_id, Differences::default(), self.now_ms());
        if !storage::key::revoke(&self.0.db, key_id, &change).await? {
            return Err(ErrorCode::NotFound.into());
        }
        self.changed(actor.workspace_id, Part::Key(key_id));
        Ok(())
    }

    /// The program behind a key; nothing where the key is unknown, revoked or expired. One read; its use is
    /// noted to the minute.
    ///
    /// # Errors
    /// The store's.
    pub async fn key_actor(&self, key: &str) -> Result<Option<Actor>> {
        if !secret::has_form(key, API_KEY_PREFIX) {
            return Ok(None);
        }
        let found = storage::key::by_hash(&self.0.db, &secret::hash(key), self.now_ms()).await?;
        let Some((workspace_id, key)) = found else {
            return Ok(None);
        };
        let minute_ms = self.now_ms() / USED_MS * USED_MS;
        if key
            .used_at_ms
            .is_none_or(|used_at_ms| used_at_ms < minute_ms)
        {
            let noted = storage::key::touch(&self.0.db, workspace_id, key.id, minute_ms).await;
            is_noted(noted)?;
        }
        Ok(Some(Actor {
            workspace_id,
            principal: Principal::Key(KeyActor {
                key_id: key.id,
                permissions: Permissions::of(&key.scopes),
            }),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::id::{AgentId, Id, LoginSessionId, UserId, WorkspaceId};
    use protocol::permission::{AgentActor, Role};

    fn actor(role: Role) -> Actor {
        Actor {
            workspace_id: WorkspaceId::from_bits(1),
            principal: Principal::Agent(AgentActor {
                agent_id: AgentId::from_bits(1),
                user_id: UserId::from_bits(1),
                session_id: LoginSessionId::from_bits(1),
                permissions: Permissions::of_role(role),
            }),
        }
    }

    #[test]
    fn a_key_may_what_its_maker_may_and_no_more() {
        let scopes = [Permission::SitesWrite, Permission::ConversationsRead];
        assert_eq!(
            checked_scopes(&actor(Role::Admin), &scopes).unwrap(),
            [Permission::ConversationsRead, Permission::SitesWrite]
        );
        let refused = checked_scopes(&actor(Role::Agent), &scopes).unwrap_err();
        assert_eq!(refused, Rejection::of(ErrorCode::Forbidden, "scopes"));
        assert!(checked_scopes(&actor(Role::Admin), &[Permission::OwnerOnly]).is_err());
        assert!(checked_scopes(&actor(Role::Owner), &[Permission::OwnerOnly]).is_ok());
        let none = checked_scopes(&actor(Role::Owner), &[]).unwrap_err();
        assert_eq!(none.code, ErrorCode::Empty);
    }
}
