//! Login sessions: who a secret belongs to, for how long, and what he may where.

use protocol::id::{AgentId, LoginSessionId, UserId, WorkspaceId};
use protocol::page::Page;
use protocol::permission::{Actor, AgentActor, Permission, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::setup::{Attendance, LoginSession, SignIn};
use router::Part;
use storage::session::{SessionRow, SignInQuery};

use crate::error::Result;
use crate::{Caller, Desk, DeskConfig, secret};

/// How often the use of a session is noted. Less than a write per request, close enough for people.
const NOTE_MS: u64 = 5 * 60 * 1_000;

/// Bytes of a browser's description of itself that are kept.
const USER_AGENT_BYTES_MAX: usize = 512;

/// Whether a use was noted. While the store takes no writes a later one is: who may only look, looks on.
///
/// # Errors
/// A fault of the store.
pub(crate) fn is_noted(noted: storage::Result<()>) -> Result<bool> {
    match noted {
        Ok(()) => Ok(true),
        Err(error) if error.is_full() || error.is_unavailable() => {
            tracing::debug!(%error, "a use could not be noted");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// A session that is alive: proof that somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSession {
    /// The session.
    pub session_id: LoginSessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// When it ends, unless it is used before.
    pub expires_at_ms: u64,
}

/// When a session ends: after a time without use, and at the latest some time after it began.
fn expires_at_ms(config: &DeskConfig, created_at_ms: u64, seen_at_ms: u64) -> u64 {
    (created_at_ms.saturating_add(config.session_ms))
        .min(seen_at_ms.saturating_add(config.session_idle_ms))
}

impl Desk {
    /// How long a session lives at most, in milliseconds: how long a cookie need be kept.
    #[must_use]
    pub fn session_ms(&self) -> u64 {
        self.0.config.session_ms
    }

    /// The session behind a secret; nothing where it is unknown or over. One read; its use is noted
    /// at most every five minutes.
    ///
    /// # Errors
    /// The store's.
    pub async fn session(&self, session_secret: &str) -> Result<Option<UserSession>> {
        if !secret::has_form(session_secret, secret::SESSION_PREFIX) {
            return Ok(None);
        }
        let now_ms = self.now_ms();
        let hash = secret::hash(session_secret);
        let Some(row) = storage::session::by_secret(&self.0.db, &hash, now_ms).await? else {
            return Ok(None);
        };
        let mut session = UserSession {
            session_id: row.id,
            user_id: row.user_id,
            expires_at_ms: row.expires_at_ms,
        };
        if now_ms >= row.seen_at_ms.saturating_add(NOTE_MS) {
            let until_ms = expires_at_ms(&self.0.config, row.created_at_ms, now_ms);
            let noted = storage::session::touch(&self.0.db, &row, now_ms, until_ms).await;
            if is_noted(noted)? {
                session.expires_at_ms = until_ms;
            }
        }
        Ok(Some(session))
    }

    /// A signed-in user as a member of a workspace; of his only one when none is named.
    ///
    /// # Errors
    /// `forbidden` where he is no active member; `invalid` of `workspace` where he has several and
    /// names none.
    pub async fn agent_actor(
        &self,
        session: &UserSession,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<Actor> {
        let workspace_id = match workspace_id {
            Some(workspace_id) => workspace_id,
            None => self.only_workspace(session.user_id).await?,
        };
        let member = storage::agent::of_user(&self.0.db, workspace_id, session.user_id).await?;
        let member = member
            .filter(|member| !member.agent.deactivated)
            .ok_or(ErrorCode::Forbidden)?;
        Ok(actor_of(workspace_id, &member, session.session_id))
    }

    async fn only_workspace(&self, user_id: UserId) -> Result<WorkspaceId> {
        let memberships = storage::agent::memberships(&self.0.db, user_id).await?;
        match memberships.as_slice() {
            [] => Err(ErrorCode::Forbidden.into()),
            [only] => Ok(only.workspace_id),
            [_, _, ..] => Err(Rejection::of(ErrorCode::Invalid, "workspace").into()),
        }
    }

    /// The member behind a socket token, as he is now; nothing where the session is over or the
    /// member was deactivated.
    ///
    /// # Errors
    /// The store's.
    pub async fn agent_by_session(
        &self,
        workspace_id: WorkspaceId,
        agent_id: AgentId,
        session_id: LoginSessionId,
    ) -> Result<Option<Actor>> {
        let session = storage::session::find(&self.0.db, session_id, self.now_ms()).await?;
        let member = storage::agent::find(&self.0.db, workspace_id, agent_id).await?;
        let (Some(session), Some(member)) = (session, member) else {
            return Ok(None);
        };
        let in_order = !member.agent.deactivated && member.agent.user_id == session.user_id;
        Ok(in_order.then(|| actor_of(workspace_id, &member, session_id)))
    }

    /// The living sessions of the user, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn sessions(&self, session: &UserSession) -> Result<Vec<LoginSession>> {
        let rows = storage::session::list(&self.0.db, session.user_id, self.now_ms()).await?;
        Ok(rows
            .into_iter()
            .map(|row| LoginSession {
                id: row.id,
                current: row.id == session.session_id,
                address: row.address,
                country: row.country,
                user_agent: row.user_agent,
                created_at_ms: row.created_at_ms,
                seen_at_ms: row.seen_at_ms,
                expires_at_ms: row.expires_at_ms,
            })
            .collect())
    }

    /// Sign-ins of the team, newest first, also those that are over.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn sign_ins(&self, actor: &Actor, query: &SignInQuery) -> Result<Page<SignIn>> {
        let scope = actor.may(Permission::AuditRead)?;
        let now_ms = self.now_ms();
        Ok(storage::session::sign_ins(&self.0.db, &scope, query, now_ms).await?)
    }

    /// How long each member of the team was there since a time; who was not is left out.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn attendance(&self, actor: &Actor, since_ms: u64) -> Result<Vec<Attendance>> {
        let scope = actor.may(Permission::AuditRead)?;
        Ok(storage::session::attendance(&self.0.db, &scope, since_ms).await?)
    }

    /// Ends one of the user's own sessions, with its connections.
    ///
    /// # Errors
    /// `not_found` for a session that is over, or another's.
    pub async fn end_session(
        &self,
        session: &UserSession,
        session_id: LoginSessionId,
    ) -> Result<()> {
        let now_ms = self.now_ms();
        let ended = storage::session::end(&self.0.db, session.user_id, session_id, now_ms).await?;
        if !ended {
            return Err(ErrorCode::NotFound.into());
        }
        self.sessions_ended(session.user_id, &[session_id]).await
    }

    /// Ends all of the user's sessions but this one, with their connections.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_other_sessions(&self, session: &UserSession) -> Result<()> {
        let (user_id, now_ms) = (session.user_id, self.now_ms());
        let listed = storage::session::list(&self.0.db, user_id, now_ms).await?;
        let keep = Some(session.session_id);
        storage::session::end_all(&self.0.db, user_id, keep, now_ms).await?;
        let ended: Vec<_> = listed
            .into_iter()
            .map(|row| row.id)
            .filter(|id| *id != session.session_id)
            .collect();
        self.sessions_ended(user_id, &ended).await
    }

    /// Signs out: ends the session itself. Signing out twice is no mistake.
    ///
    /// # Errors
    /// The store's.
    pub async fn log_out(&self, session: &UserSession) -> Result<()> {
        let now_ms = self.now_ms();
        let (user_id, session_id) = (session.user_id, session.session_id);
        storage::session::end(&self.0.db, user_id, session_id, now_ms).await?;
        self.sessions_ended(user_id, &[session_id]).await
    }

    /// Rings for sessions that ended, wherever the user is a member.
    pub(crate) async fn sessions_ended(
        &self,
        user_id: UserId,
        session_ids: &[LoginSessionId],
    ) -> Result<()> {
        for membership in storage::agent::memberships(&self.0.db, user_id).await? {
            for session_id in session_ids {
                self.changed(membership.workspace_id, Part::Session(*session_id));
            }
        }
        Ok(())
    }

    /// A new session and its secret.
    pub(crate) fn new_session(&self, user_id: UserId, caller: &Caller) -> (SessionRow, String) {
        let now_ms = self.now_ms();
        let secret = secret::make(&self.0.world.ids, secret::SESSION_PREFIX);
        let row = SessionRow {
            id: self.0.world.ids.next(),
            user_id,
            secret_hash: secret::hash(&secret),
            created_at_ms: now_ms,
            seen_at_ms: now_ms,
            expires_at_ms: expires_at_ms(&self.0.config, now_ms, now_ms),
            address: caller.address.to_canonical().to_string(),
            country: caller.country.clone(),
            user_agent: protocol::text::cut(&caller.user_agent, USER_AGENT_BYTES_MAX),
        };
        (row, secret)
    }
}

fn actor_of(
    workspace_id: WorkspaceId,
    member: &storage::agent::Member,
    session_id: LoginSessionId,
) -> Actor {
    Actor {
        workspace_id,
        principal: Principal::Agent(AgentActor {
            agent_id: member.agent.id,
            user_id: member.agent.user_id,
            session_id,
            permissions: member.permissions,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_slides_while_used_and_ends_for_good_after_its_life() {
        let config = DeskConfig {
            session_ms: 30,
            session_idle_ms: 7,
            ..DeskConfig::default()
        };
        assert_eq!(expires_at_ms(&config, 100, 100), 107);
        assert_eq!(expires_at_ms(&config, 100, 106), 113);
        assert_eq!(expires_at_ms(&config, 100, 129), 130);
    }
}
