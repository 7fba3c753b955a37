//! The team: who may change whom, and how. Nobody touches or makes somebody who may more than
//! himself: so agents cannot rise, and admins cannot touch owners.

use protocol::agent::{Agent, AgentChange};
use protocol::id::AgentId;
use protocol::permission::{Actor, Permission, Permissions, Principal, Role};
use protocol::rejection::{ErrorCode, Rejection};
use router::Part;
use storage::agent::Member;
use storage::picture::NewPicture;

use crate::audit::{By, Differences};
use crate::error::Result;
use crate::{Caller, Desk, field, stored};

/// How often former owners are looked for when another became owner.
const HAND_OVER_ROUNDS: usize = 3;

/// What a speaker may.
pub(crate) fn permissions_of(actor: &Actor) -> Permissions {
    match actor.principal {
        Principal::Agent(agent) => agent.permissions,
        Principal::Key(key) => key.permissions,
        Principal::System => Permissions::of_role(Role::Owner),
        Principal::Visitor(_) => Permissions::default(),
    }
}

/// Whether a speaker may give a role.
///
/// # Errors
/// `forbidden` without the right to change the team, or where the role allows more than the speaker
/// may himself.
pub(crate) fn may_give(actor: &Actor, role: Role) -> Result<(), Rejection> {
    actor.may(Permission::TeamWrite)?;
    if permissions_of(actor).covers(Permissions::of_role(role)) {
        Ok(())
    } else {
        Err(Rejection::of(ErrorCode::Forbidden, "role"))
    }
}

/// Whether a speaker may make a change of a member.
///
/// # Errors
/// `forbidden`.
fn may_change(actor: &Actor, target: &Member, change: &AgentChange) -> Result<(), Rejection> {
    let oneself = matches!(actor.principal, Principal::Agent(me) if me.agent_id == target.agent.id);
    let is_harmless =
        change.role.is_none() && change.grants.is_none() && change.deactivated.is_none();
    if oneself && is_harmless {
        return Ok(());
    }
    actor.may(Permission::TeamWrite)?;
    if !permissions_of(actor).covers(target.permissions) {
        return Err(ErrorCode::Forbidden.into());
    }
    if let Some(grants) = &change.grants {
        may_grant(actor, grants)?;
    }
    change.role.map_or(Ok(()), |role| may_give(actor, role))
}

/// Whether a speaker may grant rights: nobody gives what he has not.
///
/// # Errors
/// `forbidden`; `invalid` for the owner's right, which comes with the role alone, so that the last
/// owner is known by it.
fn may_grant(actor: &Actor, grants: &[Permission]) -> Result<(), Rejection> {
    let grants = Permissions::of(grants);
    if grants.has(Permission::OwnerOnly) {
        return Err(Rejection::of(ErrorCode::Invalid, "grants"));
    }
    if permissions_of(actor).covers(grants) {
        Ok(())
    } else {
        Err(Rejection::of(ErrorCode::Forbidden, "grants"))
    }
}

fn differences(agent: &Agent, change: &AgentChange) -> Differences {
    let mut differences = Differences::default();
    if let Some(name) = &change.name {
        differences.note("name", &agent.name.as_str(), &name.as_str());
    }
    if let Some(role) = change.role {
        differences.note("role", &agent.role, &role);
    }
    if let Some(grants) = &change.grants {
        differences.note("grants", &agent.grants, &Permissions::of(grants).list());
    }
    if let Some(time_zone) = &change.time_zone {
        differences.note("time_zone", &agent.time_zone, time_zone);
    }
    if let Some(deactivated) = change.deactivated {
        differences.note("deactivated", &agent.deactivated, &deactivated);
    }
    differences
}

fn action(agent: &Agent, change: &AgentChange) -> &'static str {
    match (agent.deactivated, change.deactivated) {
        (false, Some(true)) => "agent.deactivated",
        (true, Some(false)) => "agent.reactivated",
        (_, Some(_) | None) => "agent.changed",
    }
}

impl Desk {
    /// The whole team, also the deactivated: their names stand on what they said.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn agents(&self, actor: &Actor) -> Result<Vec<Agent>> {
        actor.may(Permission::ConversationsRead)?;
        Ok(storage::agent::list(&self.0.db, actor.workspace_id).await?)
    }

    /// One member.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn agent(&self, actor: &Actor, agent_id: AgentId) -> Result<Agent> {
        actor.may(Permission::ConversationsRead)?;
        Ok(self.member(actor, agent_id).await?.agent)
    }

    async fn member(&self, actor: &Actor, agent_id: AgentId) -> Result<Member> {
        let member = storage::agent::find(&self.0.db, actor.workspace_id, agent_id).await?;
        member.ok_or_else(|| ErrorCode::NotFound.into())
    }

    /// Changes a member. One's own name, picture and time zone anybody may change. Who is deactivated loses
    /// sessions and connections at once.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `version_conflict`, `last_owner`, `invalid` of `time_zone`, `file_type` or `too_large` of
    /// `picture`.
    pub async fn change_agent(
        &self,
        actor: &Actor,
        agent_id: AgentId,
        version: u64,
        change: &AgentChange,
        caller: Option<&Caller>,
    ) -> Result<Agent> {
        // Who may not even read the team learns nothing of who exists; a program has nothing of its own there.
        let may_read = match actor.principal {
            Principal::Agent(_) | Principal::System => actor.may(Permission::ConversationsRead),
            Principal::Key(_) | Principal::Visitor(_) => Err(ErrorCode::Forbidden.into()),
        };
        may_read.or_else(|_| actor.may(Permission::TeamWrite))?;
        let target = self.member(actor, agent_id).await?;
        may_change(actor, &target, change)?;
        if let Some(time_zone) = &change.time_zone {
            field::time_zone(time_zone)?;
        }
        if target.agent.version != version {
            return Err(ErrorCode::VersionConflict.into());
        }
        let picture = self.picture_of(change)?;
        let mut differences = differences(&target.agent, change);
        if let Some(new) = &picture
            && new.id() != target.agent.picture
        {
            differences.name("picture");
        }
        if differences.is_empty() {
            return Ok(target.agent);
        }
        let action = action(&target.agent, change);
        let line = By { actor, caller }.change(action, agent_id, differences, self.now_ms());
        let sessions = self.sessions_at_stake(&target.agent, change).await?;
        let written = storage::agent::change_with_picture(
            &self.0.db,
            agent_id,
            version,
            change,
            picture.as_ref(),
            &line,
        )
        .await?;
        let agent = stored(written)?;
        self.changed(actor.workspace_id, Part::Agent(agent_id));
        for session_id in sessions {
            self.changed(actor.workspace_id, Part::Session(session_id));
        }
        if change.role.is_some() {
            self.hand_over(&agent, By { actor, caller }).await?;
        }
        Ok(agent)
    }

    /// Where a workspace has one owner, the former ones become admins after another became owner. Whoever
    /// sees the moment between sees two.
    ///
    /// # Errors
    /// The store's: then two stay owners, until one of them is made owner or admin again.
    pub(crate) async fn hand_over(&self, owner: &Agent, by: By<'_>) -> Result<()> {
        let workspace_id = by.actor.workspace_id;
        if owner.role != Role::Owner {
            return Ok(());
        }
        let workspace = storage::workspace::find(&self.0.db, workspace_id).await?;
        if !workspace.is_some_and(|workspace| workspace.settings.single_owner) {
            return Ok(());
        }
        let change = AgentChange {
            role: Some(Role::Admin),
            ..AgentChange::default()
        };
        // Again where somebody was changed at this very moment.
        for _ in 0..HAND_OVER_ROUNDS {
            let mut team = storage::agent::list(&self.0.db, workspace_id).await?;
            team.retain(|agent| agent.role == Role::Owner && agent.id != owner.id);
            if team.is_empty() {
                break;
            }
            for former in team {
                let line = by.change(
                    "agent.changed",
                    former.id,
                    differences(&former, &change),
                    self.now_ms(),
                );
                let version = former.version;
                storage::agent::change(&self.0.db, former.id, version, &change, &line).await?;
                self.changed(workspace_id, Part::Agent(former.id));
            }
        }
        Ok(())
    }

    /// What a change makes of the picture, under a new id.
    fn picture_of(&self, change: &AgentChange) -> Result<Option<NewPicture>> {
        let Some(text) = &change.picture else {
            return Ok(None);
        };
        Ok(Some(self.new_picture(text, "picture")?))
    }

    /// The sessions that a deactivation may end; the router looks which of them really ended.
    async fn sessions_at_stake(
        &self,
        agent: &Agent,
        change: &AgentChange,
    ) -> Result<Vec<protocol::id::LoginSessionId>> {
        if change.deactivated != Some(true) {
            return Ok(Vec::new());
        }
        let rows = storage::session::list(&self.0.db, agent.user_id, self.now_ms()).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::id::{Id, LoginSessionId, UserId, WorkspaceId};
    use protocol::permission::{AgentActor, KeyActor};
    use protocol::text::Name;

    fn actor(id: u128, permissions: Permissions) -> Actor {
        Actor {
            workspace_id: WorkspaceId::from_bits(1),
            principal: Principal::Agent(AgentActor {
                agent_id: AgentId::from_bits(id),
                user_id: UserId::from_bits(id),
                session_id: LoginSessionId::from_bits(id),
                permissions,
            }),
        }
    }

    fn member(id: u128, role: Role) -> Member {
        Member {
            agent: Agent {
                id: AgentId::from_bits(id),
                version: 1,
                user_id: UserId::from_bits(id),
                name: "Ana".to_owned(),
                picture: None,
                email: "ana@example.com".to_owned(),
                role,
                grants: Vec::new(),
                time_zone: "UTC".to_owned(),
                deactivated: false,
                created_at_ms: 0,
            },
            permissions: Permissions::of_role(role),
        }
    }

    fn check(speaker: Role, target: Role, change: AgentChange, allowed: bool) {
        let actor = actor(1, Permissions::of_role(speaker));
        let answer = may_change(&actor, &member(2, target), &change);
        assert_eq!(answer.is_ok(), allowed, "{speaker:?} {target:?} {change:?}");
    }

    fn to(role: Role) -> AgentChange {
        AgentChange {
            role: Some(role),
            ..AgentChange::default()
        }
    }

    fn off() -> AgentChange {
        AgentChange {
            deactivated: Some(true),
            ..AgentChange::default()
        }
    }

    fn named() -> AgentChange {
        AgentChange {
            name: Some(Name::parse("Eve").unwrap()),
            ..AgentChange::default()
        }
    }

    #[test]
    fn who_may_change_whom() {
        use Role::{Admin, Agent, Owner};
        for change in [to(Admin), to(Owner), off(), named()] {
            check(Owner, Owner, change.clone(), true);
            check(Owner, Agent, change.clone(), true);
            check(Admin, Owner, change.clone(), false);
            check(Agent, Agent, change.clone(), false);
            check(Agent, Owner, change, false);
        }
        check(Admin, Agent, to(Admin), true);
        check(Admin, Admin, off(), true);
        check(Admin, Agent, to(Owner), false);
        check(Admin, Admin, to(Owner), false);
    }

    #[test]
    fn one_may_rename_oneself_and_not_raise_oneself() {
        let me = actor(2, Permissions::of_role(Role::Agent));
        let myself = member(2, Role::Agent);
        assert!(may_change(&me, &myself, &named()).is_ok());
        for change in [to(Role::Owner), to(Role::Agent), off()] {
            assert!(may_change(&me, &myself, &change).is_err());
        }
    }

    #[test]
    fn a_granted_right_over_the_team_raises_nobody_above_its_holder() {
        let permissions =
            Permissions::of_role(Role::Agent).and(Permissions::of(&[Permission::TeamWrite]));
        let granted = actor(1, permissions);
        assert!(may_change(&granted, &member(2, Role::Agent), &off()).is_ok());
        assert!(may_change(&granted, &member(2, Role::Agent), &to(Role::Admin)).is_err());
        assert!(may_change(&granted, &member(2, Role::Admin), &off()).is_err());
    }

    #[test]
    fn nobody_grants_what_he_has_not_nor_the_owners_right() {
        let granting = |grants: &[Permission]| AgentChange {
            grants: Some(grants.to_vec()),
            ..AgentChange::default()
        };
        let sites = granting(&[Permission::SitesWrite]);
        check(Role::Admin, Role::Agent, sites.clone(), true);
        check(Role::Agent, Role::Agent, sites.clone(), false);
        check(Role::Admin, Role::Owner, sites, false);
        let owner = granting(&[Permission::OwnerOnly]);
        check(Role::Admin, Role::Agent, owner.clone(), false);
        check(Role::Owner, Role::Agent, owner, false);
        let team = Permissions::of_role(Role::Agent).and(Permissions::of(&[Permission::TeamWrite]));
        let granted = actor(1, team);
        let change = granting(&[Permission::SitesWrite, Permission::TeamWrite]);
        let refused = may_change(&granted, &member(2, Role::Agent), &change);
        assert_eq!(refused, Err(Rejection::of(ErrorCode::Forbidden, "grants")));
        // Not even to himself, nor may he take his own rights for a harmless change.
        assert!(may_change(&granted, &member(1, Role::Agent), &change).is_err());
        let myself = actor(2, Permissions::of_role(Role::Agent));
        assert!(may_change(&myself, &member(2, Role::Agent), &granting(&[])).is_err());
    }

    #[test]
    fn a_key_gives_no_role_above_its_scopes() {
        let key = |scopes: &[Permission]| Actor {
            workspace_id: WorkspaceId::from_bits(1),
            principal: Principal::Key(KeyActor {
                key_id: protocol::id::ApiKeyId::from_bits(1),
                permissions: Permissions::of(scopes),
            }),
        };
        assert!(may_give(&key(&[Permission::TeamWrite]), Role::Agent).is_err());
        assert!(may_give(&key(Permission::ALL), Role::Admin).is_ok());
        assert!(may_give(&key(&[Permission::SitesWrite]), Role::Agent).is_err());
    }
}
