//! Sign-in: password checked in constant time, one attempt at a time from one address, lockout, and
//! the log of what failed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use protocol::agent::Me;
use protocol::audit::FailedLogin;
use protocol::id::{UserId, WorkspaceId};
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::setup::{Login, PasswordChange};
use storage::user::UserRow;

use crate::error::Result;
use crate::lockout::{LockoutRule, counted_as};
use crate::password::NewPassword;
use crate::session::UserSession;
use crate::{Caller, Desk, stored};

/// Attempts from one address that may wait for each other; more are told to slow down.
const WAITING_MAX: usize = 16;

/// Bytes of a tried address that the log keeps.
const TRIED_BYTES_MAX: usize = limit::EMAIL_BYTES_MAX;

/// Somebody who has just signed in.
pub struct SignedIn {
    /// Who, and where.
    pub me: Me,
    /// The session's secret: for the cookie, or for a program that keeps it.
    pub secret: String,
    /// The session.
    pub session: UserSession,
}

/// Why an attempt failed, in the log's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    WrongPassword,
    Locked,
    NotFound,
    Deactivated,
    Blocked,
}

impl Failure {
    fn as_str(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong_password",
            Self::Locked => "locked",
            Self::NotFound => "not_found",
            Self::Deactivated => "deactivated",
            Self::Blocked => "blocked",
        }
    }
}

/// What somebody needs besides the right password.
#[derive(Debug, Clone, Copy)]
enum Needs {
    /// Nothing.
    Account,
    /// A place in a team.
    Membership,
}

/// One attempt at a time from one address: many at once would all see the count of before.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl Attempts {
    /// The address' turn, after those before it.
    async fn turn(&self, address: &str) -> Result<tokio::sync::OwnedMutexGuard<()>> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = turns
                .get(address)
                .and_then(Weak::upgrade)
                .unwrap_or_default();
            // Bound: those who wait; a turn that nobody holds or awaits is dropped here.
            turns.retain(|_, turn| turn.strong_count() > 0);
            turns.insert(address.to_owned(), Arc::downgrade(&turn));
            turn
        };
        // One handle is ours; the others hold the turn or wait for it.
        if Arc::strong_count(&turn) > WAITING_MAX + 1 {
            return Err(Rejection::after(ErrorCode::RateLimited, 2_000).into());
        }
        Ok(turn.lock_owned().await)
    }
}

impl Desk {
    /// Signs in.
    ///
    /// # Errors
    /// `wrong_credentials` whether the address, the password or the membership is missing;
    /// `locked_out`, `rate_limited` or `unavailable` with the time to wait.
    pub async fn log_in(&self, login: &Login, caller: &Caller) -> Result<SignedIn> {
        let user = self
            .check_password(login.email.as_str(), &login.password, caller)
            .await?;
        let (row, secret) = self.new_session(user.id, caller);
        let begun = storage::session::create(&self.0.db, &row, &user.password_hash).await?;
        match stored(begun) {
            Ok(ended) => self.sessions_ended(user.id, &ended).await?,
            Err(_) => return self.overtaken(&user, caller).await,
        }
        Ok(SignedIn {
            me: self.me_of(&user).await?,
            secret,
            session: UserSession {
                session_id: row.id,
                user_id: user.id,
                expires_at_ms: row.expires_at_ms,
            },
        })
    }

    /// While the password was checked, the user got another one or left his last team.
    async fn overtaken<T>(&self, user: &UserRow, caller: &Caller) -> Result<T> {
        let missing = self.missing(user.id, Needs::Membership, caller).await?;
        let failure = missing.unwrap_or(Failure::WrongPassword);
        self.note_failure(&user.email, Some(user), failure, caller)
            .await?;
        Err(ErrorCode::WrongCredentials.into())
    }

    /// The user with this address, if the password is his and he is a member anywhere.
    async fn check_password(
        &self,
        email: &str,
        password: &str,
        caller: &Caller,
    ) -> Result<UserRow> {
        self.check_guess(email, password, Needs::Membership, caller)
            .await
    }

    /// The user as he was read for it, if a password is his. He may be a member nowhere: he was invited.
    pub(crate) async fn check_own_password(
        &self,
        user: &UserRow,
        password: &str,
        caller: &Caller,
    ) -> Result<UserRow> {
        self.check_guess(&user.email, password, Needs::Account, caller)
            .await
    }

    /// All ways to guess a password lead through here.
    async fn check_guess(
        &self,
        email: &str,
        password: &str,
        needs: Needs,
        caller: &Caller,
    ) -> Result<UserRow> {
        let counted = counted_as(caller.address);
        let _turn = self.0.attempts.turn(&counted).await?;
        let user = storage::user::by_email(&self.0.db, email).await?;
        if let Err(refused) = self.check_lockout(&counted, caller).await? {
            self.note_failure(email, user.as_ref(), Failure::Locked, caller)
                .await?;
            return Err(refused.into());
        }
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let matches = self.0.hashing.matches(password, hash).await?;
        let failure = match &user {
            None => Failure::NotFound,
            Some(_) if !matches => Failure::WrongPassword,
            Some(user) => match self.missing(user.id, needs, caller).await? {
                None => return Ok(user.clone()),
                Some(failure) => failure,
            },
        };
        self.note_failure(email, user.as_ref(), failure, caller)
            .await?;
        Err(ErrorCode::WrongCredentials.into())
    }

    async fn check_lockout(
        &self,
        counted: &str,
        caller: &Caller,
    ) -> Result<std::result::Result<(), Rejection>> {
        if caller.exempt {
            return Ok(Ok(()));
        }
        let rule = LockoutRule {
            failures: self.0.config.lockout_failures,
            lock_ms: self.0.config.lockout_ms,
        };
        let now_ms = self.now_ms();
        let since_ms = now_ms.saturating_sub(rule.lock_ms);
        let attempts = storage::failed_login::of_address(&self.0.db, counted, since_ms).await?;
        let newest_at_ms = attempts.newest_at_ms.unwrap_or_default();
        Ok(rule.check(attempts.count, newest_at_ms, now_ms))
    }

    /// What somebody with the right password lacks. That his address is blocked he hears no more than that his
    /// password is wrong: it could be guessed by that.
    async fn missing(
        &self,
        user_id: UserId,
        needs: Needs,
        caller: &Caller,
    ) -> Result<Option<Failure>> {
        match needs {
            Needs::Account => Ok(None),
            Needs::Membership => {
                let mut missing = Some(Failure::Deactivated);
                for membership in storage::agent::memberships(&self.0.db, user_id).await? {
                    let router = &self.0.router;
                    let workspace_id = membership.workspace_id;
                    match router.may_come_from(workspace_id, caller.address).await {
                        Ok(()) => return Ok(None),
                        Err(refused) if refused.code == ErrorCode::Blocked => {
                            missing = Some(Failure::Blocked);
                        }
                        Err(refused) => return Err(refused.into()),
                    }
                }
                Ok(missing)
            }
        }
    }

    async fn note_failure(
        &self,
        email: &str,
        user: Option<&UserRow>,
        failure: Failure,
        caller: &Caller,
    ) -> Result<()> {
        let failed = FailedLogin {
            at_ms: self.now_ms(),
            email: protocol::text::cut(email, TRIED_BYTES_MAX),
            address: counted_as(caller.address),
            country: caller.country.clone(),
            user_agent: protocol::text::cut(&caller.user_agent, 512),
            reason: failure.as_str().to_owned(),
        };
        let workspace_id = self.who_may_see(user).await?;
        storage::failed_login::create(&self.0.db, workspace_id, &failed).await?;
        Ok(())
    }

    /// The workspace whose team may see a failed sign-in: the user's first, or the only one there is.
    /// On an installation of several, a guess at an unknown address belongs to none of them.
    async fn who_may_see(&self, user: Option<&UserRow>) -> Result<Option<WorkspaceId>> {
        if let Some(user) = user {
            let memberships = storage::agent::memberships(&self.0.db, user.id).await?;
            if let Some(first) = memberships.first() {
                return Ok(Some(first.workspace_id));
            }
        }
        let workspaces = storage::workspace::list(&self.0.db).await?;
        Ok(match workspaces.as_slice() {
            [only] => Some(only.id),
            [] | [_, _, ..] => None,
        })
    }

    /// Who is signed in, and where.
    ///
    /// # Errors
    /// `unauthenticated` where the user is gone.
    pub async fn me(&self, session: &UserSession) -> Result<Me> {
        let user = self.user_of(session).await?;
        self.me_of(&user).await
    }

    pub(crate) async fn me_of(&self, user: &UserRow) -> Result<Me> {
        Ok(Me {
            user_id: user.id,
            email: user.email.clone(),
            memberships: storage::agent::memberships(&self.0.db, user.id).await?,
        })
    }

    async fn user_of(&self, session: &UserSession) -> Result<UserRow> {
        let user = storage::user::find(&self.0.db, session.user_id).await?;
        user.ok_or_else(|| ErrorCode::Unauthenticated.into())
    }

    /// Changes one's own password. All other sessions of the user end, with their connections.
    ///
    /// # Errors
    /// `wrong_credentials` of `current`, `password_weak`, and those of signing in: a stolen session must not be a
    /// way to guess the password.
    pub async fn change_password(
        &self,
        session: &UserSession,
        change: &PasswordChange,
        caller: &Caller,
    ) -> Result<()> {
        let user = self.user_of(session).await?;
        let wrong = Rejection::of(ErrorCode::WrongCredentials, "current");
        let user = self
            .check_password(&user.email, &change.current, caller)
            .await
            .map_err(|error| error.told_as(ErrorCode::WrongCredentials, wrong.clone()))?;
        let me = self.me_of(&user).await?;
        let password = NewPassword::parse(&change.new, &hints(&me))?;
        let checked = Some(user.password_hash.as_str());
        self.store_password(user.id, &password, checked, Some(session))
            .await
            .map_err(|error| error.told_as(ErrorCode::OutOfOrder, wrong))
    }

    /// Sets a user's password without asking for the old one, and ends all his sessions:
    /// `switchboard user reset-password`.
    ///
    /// # Errors
    /// `not_found`, `password_weak`.
    pub async fn reset_password(&self, email: &str, password: &str) -> Result<()> {
        let user = storage::user::by_email(&self.0.db, email).await?;
        let user = user.ok_or_else(|| Rejection::of(ErrorCode::NotFound, "email"))?;
        let me = self.me_of(&user).await?;
        let password = NewPassword::parse(password, &hints(&me))?;
        self.store_password(user.id, &password, None, None).await
    }

    async fn store_password(
        &self,
        user_id: UserId,
        password: &NewPassword,
        checked: Option<&str>,
        kept: Option<&UserSession>,
    ) -> Result<()> {
        let hash = self.0.hashing.hash(password).await?;
        let now_ms = self.now_ms();
        let keep = kept.map(|session| session.session_id);
        let before = storage::session::list(&self.0.db, user_id, now_ms).await?;
        let db = &self.0.db;
        stored(storage::user::set_password(db, user_id, &hash, checked, keep, now_ms).await?)?;
        let ended: Vec<_> = before
            .into_iter()
            .map(|row| row.id)
            .filter(|id| Some(*id) != keep)
            .collect();
        self.sessions_ended(user_id, &ended).await
    }
}

/// What everybody may guess for this person.
fn hints(me: &Me) -> Vec<&str> {
    let mut hints = vec![me.email.as_str()];
    for membership in &me.memberships {
        hints.extend([membership.name.as_str(), membership.workspace_name.as_str()]);
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn attempts_from_one_address_come_one_after_another() {
        let attempts = Attempts::default();
        let first = attempts.turn("192.0.2.1").await.unwrap();
        attempts.turn("192.0.2.2").await.unwrap();
        let mut second = Box::pin(attempts.turn("192.0.2.1"));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(first);
        assert!(second.await.is_ok());
    }

    #[tokio::test]
    async fn a_crowd_at_one_address_is_told_to_slow_down_and_leaves_no_trace() {
        let attempts = Attempts::default();
        let held = attempts.turn("192.0.2.1").await.unwrap();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let crowd: Vec<_> = (0..WAITING_MAX)
            .map(|_| {
                let mut one = Box::pin(attempts.turn("192.0.2.1"));
                assert!(one.as_mut().poll(&mut context).is_pending());
                one
            })
            .collect();
        let refused = attempts.turn("192.0.2.1").await.unwrap_err();
        assert_eq!(refused.rejection().code, ErrorCode::RateLimited);
        drop((crowd, held));
        assert!(attempts.turn("192.0.2.1").await.is_ok());
        attempts.turn("192.0.2.9").await.unwrap();
        assert_eq!(attempts.0.lock().unwrap().len(), 1);
    }
}
