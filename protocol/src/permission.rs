//! Who may do what: pure rules over roles and grants.
//!
//! Doors find out *who*; router and desk ask here whether they *may*, because workers and the
//! assistant pass no door. Custom roles are then rows: nothing asks for a role by name but this file.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;
use crate::id::{
    AgentId, ApiKeyId, ContactId, LoginSessionId, SiteId, UserId, VisitorId, WorkspaceId,
};
use crate::rejection::{ErrorCode, Rejection};

words! {
    /// The built-in roles (C5).
    Role {
        /// Everything, also the danger zone. A workspace has at least one.
        Owner = "owner",
        /// Everything but the danger zone and owners.
        Admin = "admin",
        /// Conversations, visitors and contacts.
        Agent = "agent",
    }

    /// What may be allowed; also the scopes of API keys.
    Permission {
        /// See conversations, their contacts and visitors.
        ConversationsRead = "conversations.read",
        /// Answer, assign, snooze, close, block, mark as spam.
        ConversationsWrite = "conversations.write",
        /// See who is on the sites.
        VisitorsRead = "visitors.read",
        /// See contacts.
        ContactsRead = "contacts.read",
        /// Change contacts.
        ContactsWrite = "contacts.write",
        /// Erase contacts for good.
        ContactsErase = "contacts.erase",
        /// Change sites and their secrets.
        SitesWrite = "sites.write",
        /// Invite, change and deactivate members.
        TeamWrite = "team.write",
        /// Change the workspace's settings.
        SettingsWrite = "settings.write",
        /// See the audit log and failed sign-ins.
        AuditRead = "audit.read",
        /// Make and revoke API keys.
        KeysWrite = "keys.write",
        /// Make, change and take away canned responses of the team. One's own need no right but to answer.
        CannedWrite = "canned.write",
        /// Make owners, erase the workspace.
        OwnerOnly = "owner",
    }
}

impl Permission {
    /// All of them, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::ConversationsRead,
        Self::ConversationsWrite,
        Self::VisitorsRead,
        Self::ContactsRead,
        Self::ContactsWrite,
        Self::ContactsErase,
        Self::SitesWrite,
        Self::TeamWrite,
        Self::SettingsWrite,
        Self::AuditRead,
        Self::KeysWrite,
        Self::CannedWrite,
        Self::OwnerOnly,
    ];

    fn bit(self) -> u32 {
        match self {
            Self::ConversationsRead => 1,
            Self::ConversationsWrite => 1 << 1,
            Self::VisitorsRead => 1 << 2,
            Self::ContactsRead => 1 << 3,
            Self::ContactsWrite => 1 << 4,
            Self::ContactsErase => 1 << 5,
            Self::SitesWrite => 1 << 6,
            Self::TeamWrite => 1 << 7,
            Self::SettingsWrite => 1 << 8,
            Self::AuditRead => 1 << 9,
            Self::KeysWrite => 1 << 10,
            Self::OwnerOnly => 1 << 11,
            Self::CannedWrite => 1 << 12,
        }
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    /// The set of these.
    #[must_use]
    pub fn of(permissions: &[Permission]) -> Self {
        Self(
            permissions
                .iter()
                .fold(0, |bits, permission| bits | permission.bit()),
        )
    }

    /// What a role allows by itself.
    #[must_use]
    pub fn of_role(role: Role) -> Self {
        match role {
            Role::Owner => Self::of(Permission::ALL),
            Role::Admin => Self(Self::of(Permission::ALL).0 & !Permission::OwnerOnly.bit()),
            Role::Agent => Self::of(&[
                Permission::ConversationsRead,
                Permission::ConversationsWrite,
                Permission::VisitorsRead,
                Permission::ContactsRead,
                Permission::ContactsWrite,
            ]),
        }
    }

    /// Both sets together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the set holds a permission.
    #[must_use]
    pub fn has(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Whether the set holds all of another.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The members of the set.
    #[must_use]
    pub fn list(self) -> Vec<Permission> {
        Permission::ALL
            .iter()
            .copied()
            .filter(|permission| self.has(*permission))
            .collect()
    }
}

/// Who speaks: found out by a door, carried by every command and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// Where. Every query begins with it.
    pub workspace_id: WorkspaceId,
    /// Who.
    pub principal: Principal,
}

/// The kinds of speakers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// A visitor, by a token of the widget.
    Visitor(VisitorActor),
    /// A member of the team, by a login session.
    Agent(AgentActor),
    /// A program, by an API key.
    Key(KeyActor),
    /// Switchboard itself: timers and jobs.
    System,
}

/// A visitor who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitorActor {
    /// The browser.
    pub visitor_id: VisitorId,
    /// The site.
    pub site_id: SiteId,
    /// The contact whom a signed identity proved; claims do not count.
    pub contact_id: Option<ContactId>,
}

/// A member who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentActor {
    /// The member.
    pub agent_id: AgentId,
    /// The user behind it.
    pub user_id: UserId,
    /// The login session, whose end ends the connection.
    pub session_id: LoginSessionId,
    /// What role and grants allow.
    pub permissions: Permissions,
}

/// A program that speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyActor {
    /// The key.
    pub key_id: ApiKeyId,
    /// Its scopes.
    pub permissions: Permissions,
}

impl Actor {
    /// Proves that this speaker may do something, and gives the scope for reads.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may(&self, permission: Permission) -> Result<Scope, Rejection> {
        let allowed = match self.principal {
            Principal::Agent(agent) => agent.permissions.has(permission),
            Principal::Key(key) => key.permissions.has(permission),
            Principal::System => true,
            Principal::Visitor(_) => false,
        };
        if allowed {
            Ok(Scope {
                workspace_id: self.workspace_id,
            })
        } else {
            Err(ErrorCode::Forbidden.into())
        }
    }

    /// The stable name under which this speaker's commands are remembered.
    #[must_use]
    pub fn principal_key(&self) -> String {
        match self.principal {
            Principal::Visitor(visitor) => visitor.visitor_id.to_string(),
            Principal::Agent(agent) => agent.agent_id.to_string(),
            Principal::Key(key) => key.key_id.to_string(),
            Principal::System => "system".to_owned(),
        }
    }
}

/// The proof that a permission check took place: reads of the team's data take one.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    workspace_id: WorkspaceId,
}

impl Scope {
    /// The workspace that may be read.
    #[must_use]
    pub fn workspace_id(&self) -> WorkspaceId {
        self.workspace_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_answers_but_changes_no_settings() {
        let agent = Permissions::of_role(Role::Agent);
        assert!(agent.has(Permission::ConversationsWrite));
        for hidden in [
            Permission::SitesWrite,
            Permission::TeamWrite,
            Permission::AuditRead,
        ] {
            assert!(!agent.has(hidden));
        }
    }

    #[test]
    fn a_set_covers_itself_and_less_but_not_more() {
        let [owner, admin, agent] =
            [Role::Owner, Role::Admin, Role::Agent].map(Permissions::of_role);
        assert!(owner.covers(admin) && admin.covers(agent) && agent.covers(agent));
        assert!(!admin.covers(owner) && !agent.covers(admin));
        assert!(agent.covers(Permissions::default()));
    }

    #[test]
    fn an_admin_may_all_but_what_is_the_owners() {
        let admin = Permissions::of_role(Role::Admin);
        assert!(!admin.has(Permission::OwnerOnly));
        assert_eq!(admin.list().len() + 1, Permission::ALL.len());
    }
}
