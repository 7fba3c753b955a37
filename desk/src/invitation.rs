//! Invitations: one-time links into a team, good for seven days.

use protocol::agent::{AcceptInvitation, Invitation, InvitationOffer, NewInvitation};
use protocol::id::InvitationId;
use protocol::permission::{Actor, Permission};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::Email;
use router::Part;
use storage::invitation::InvitationRow;
use storage::setup::{Account, NewMember};

use crate::agent::may_give;
use crate::audit::{By, Differences};
use crate::error::Result;
use crate::login::SignedIn;
use crate::password::NewPassword;
use crate::session::UserSession;
use crate::setup::member_actor;
use crate::{Caller, DAY_MS, Desk, field, secret, stored};

/// How long a link is good.
const LIFE_MS: u64 = 7 * DAY_MS;

/// An invitation, and the secret of its link: shown now, and never again.
pub struct Invited {
    /// The invitation, without its link.
    pub invitation: Invitation,
    /// The secret that the link carries.
    pub token: String,
}

impl Desk {
    /// The open invitations.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn invitations(&self, actor: &Actor) -> Result<Vec<Invitation>> {
        let scope = actor.may(Permission::TeamWrite)?;
        Ok(storage::invitation::list(&self.0.db, &scope, self.now_ms()).await?)
    }

    /// Invites somebody. A second invitation to an address replaces the first.
    ///
    /// # Errors
    /// `forbidden`, also for a role above one's own; `already_exists` for a member, `too_many`.
    pub async fn invite(
        &self,
        actor: &Actor,
        new: &NewInvitation,
        caller: Option<&Caller>,
    ) -> Result<Invited> {
        may_give(actor, new.role)?;
        self.check_no_member(actor, &new.email).await?;
        let now_ms = self.now_ms();
        let token = secret::make(&self.0.world.ids, secret::INVITATION_PREFIX);
        let invitation = Invitation {
            id: self.0.world.ids.next(),
            email: new.email.as_str().to_owned(),
            role: new.role,
            expires_at_ms: now_ms + LIFE_MS,
            link: None,
        };
        let row = InvitationRow {
            invitation: invitation.clone(),
            workspace_id: actor.workspace_id,
            token_hash: secret::hash(&token),
        };
        let mut differences = Differences::default();
        differences.note("email", &None, &Some(invitation.email.as_str()));
        differences.note("role", &None, &Some(invitation.role));
        let by = By { actor, caller };
        let change = by.change("invitation.created", invitation.id, differences, now_ms);
        stored(storage::invitation::create(&self.0.db, &row, &change).await?)?;
        Ok(Invited { invitation, token })
    }

    async fn check_no_member(&self, actor: &Actor, email: &Email) -> Result<()> {
        let Some(user) = storage::user::by_email(&self.0.db, email.as_str()).await? else {
            return Ok(());
        };
        let member = storage::agent::of_user(&self.0.db, actor.workspace_id, user.id).await?;
        match member {
            // A deactivated one is taken back by reactivating him, which keeps his history.
            Some(_) => Err(Rejection::of(ErrorCode::AlreadyExists, "email").into()),
            None => Ok(()),
        }
    }

    /// Takes an open invitation back.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn revoke_invitation(
        &self,
        actor: &Actor,
        invitation_id: InvitationId,
        caller: Option<&Caller>,
    ) -> Result<()> {
        actor.may(Permission::TeamWrite)?;
        let by = By { actor, caller };
        let none = Differences::default();
        let change = by.change("invitation.revoked", invitation_id, none, self.now_ms());
        if storage::invitation::revoke(&self.0.db, invitation_id, &change).await? {
            Ok(())
        } else {
            Err(ErrorCode::NotFound.into())
        }
    }

    /// What a link offers, to whoever holds it.
    ///
    /// # Errors
    /// `link_invalid` for one that was used, revoked or has lapsed.
    pub async fn invitation_offer(&self, token: &str) -> Result<InvitationOffer> {
        let row = self.open_invitation(token).await?;
        let workspace = storage::workspace::find(&self.0.db, row.workspace_id).await?;
        let account = storage::user::by_email(&self.0.db, &row.invitation.email).await?;
        Ok(InvitationOffer {
            workspace_name: workspace.ok_or(ErrorCode::LinkInvalid)?.name,
            email: row.invitation.email,
            role: row.invitation.role,
            has_account: account.is_some(),
        })
    }

    async fn open_invitation(&self, token: &str) -> Result<InvitationRow> {
        if !secret::has_form(token, secret::INVITATION_PREFIX) {
            return Err(ErrorCode::LinkInvalid.into());
        }
        let hash = secret::hash(token);
        let row = storage::invitation::by_token(&self.0.db, &hash, self.now_ms()).await?;
        row.ok_or_else(|| ErrorCode::LinkInvalid.into())
    }

    /// Accepts an invitation and signs in. Somebody with an account proves that it is his.
    ///
    /// # Errors
    /// `link_invalid`; `wrong_credentials` and what goes with it for an account that exists;
    /// `password_weak` for a new one; `too_many` for a full team.
    pub async fn accept_invitation(
        &self,
        accept: &AcceptInvitation,
        caller: &Caller,
    ) -> Result<SignedIn> {
        let row = self.open_invitation(&accept.token).await?;
        let account = self.account_of(&row, accept, caller).await?;
        let user_id = account.user_id();
        let member = NewMember {
            id: self.0.world.ids.next(),
            name: accept.name.as_str().to_owned(),
            role: row.invitation.role,
            time_zone: field::time_zone_or_default(accept.time_zone.as_deref()),
        };
        let (session, session_secret) = self.new_session(user_id, caller);
        let actor = member_actor(row.workspace_id, &member, user_id, session.id);
        let by = By {
            actor: &actor,
            caller: Some(caller),
        };
        let mut differences = Differences::default();
        differences.note("role", &None, &Some(member.role));
        let change = by.change("agent.joined", member.id, differences, self.now_ms());
        let written = storage::invitation::accept(
            &self.0.db,
            row.invitation.id,
            &account,
            &member,
            &session,
            &change,
        )
        .await?;
        // Not found means that it was accepted or revoked a moment ago; refused, that the password is another
        // one now.
        let agent = stored(written).map_err(|error| {
            error
                .told_as(ErrorCode::NotFound, ErrorCode::LinkInvalid)
                .told_as(ErrorCode::OutOfOrder, ErrorCode::WrongCredentials)
        })?;
        self.changed(row.workspace_id, Part::Agent(agent.id));
        self.hand_over(&agent, by).await?;
        let session = UserSession {
            session_id: session.id,
            user_id,
            expires_at_ms: session.expires_at_ms,
        };
        Ok(SignedIn {
            me: self.me(&session).await?,
            secret: session_secret,
            session,
        })
    }

    async fn account_of(
        &self,
        row: &InvitationRow,
        accept: &AcceptInvitation,
        caller: &Caller,
    ) -> Result<Account> {
        let email = &row.invitation.email;
        if let Some(user) = storage::user::by_email(&self.0.db, email).await? {
            let user = self
                .check_own_password(&user, &accept.password, caller)
                .await?;
            return Ok(Account::Existing(user));
        }
        let email = Email::parse(email)?;
        let password =
            NewPassword::parse(&accept.password, &[email.as_str(), accept.name.as_str()])?;
        Ok(Account::New(self.new_user(&email, &password).await?))
    }
}
