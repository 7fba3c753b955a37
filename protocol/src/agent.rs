//! Agents: the members of a team.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;
use crate::id::{AgentId, ConversationId, InvitationId, PictureId, UserId, WorkspaceId};
use crate::permission::{Permission, Role};
use crate::text::{Email, Name};

words! {
    /// Whether an agent can be reached.
    Availability {
        /// Connected and willing.
        Online = "online",
        /// Connected, but not to be given work.
        Away = "away",
        /// Not connected.
        Offline = "offline",
    }
}

words! {
    /// A page of the console.
    Screen {
        /// A list of conversations.
        Inbox = "inbox",
        /// What is asked of this agent.
        Todo = "todo",
        /// One of the conversations.
        Conversation = "conversation",
        /// The visitors who are here.
        Visitors = "visitors",
        /// What is set.
        Settings = "settings",
    }

    /// A page of the settings.
    SettingsPage {
        /// The workspace's.
        Workspace = "workspace",
        /// The sites.
        Sites = "sites",
        /// The members, and who is invited.
        Team = "team",
        /// Canned responses.
        Canned = "canned",
        /// Keys for programs.
        Keys = "keys",
        /// Who changed what.
        Audit = "audit",
        /// Who was there when.
        Activity = "activity",
        /// How the servers are.
        System = "system",
        /// The password, sign-ins, and who is kept out.
        Security = "security",
        /// What calls this agent.
        Notifications = "notifications",
        /// What others see of this agent.
        Profile = "profile",
    }
}

/// A member of the team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Grows with every change (`If-Match`).
    pub version: u64,
    /// The user behind it.
    pub user_id: UserId,
    /// The name the team and visitors see.
    pub name: String,
    /// The picture the team and visitors see, at `/api/v1/pictures/{id}`; initials where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureId>,
    /// The address to sign in with. Never shown to visitors.
    pub email: String,
    /// What the member may do.
    pub role: Role,
    /// What the member may do besides, each right once and in the order of the documentation.
    pub grants: Vec<Permission>,
    /// The IANA time zone.
    pub time_zone: String,
    /// Whether the member was deactivated; the name stays on what was said.
    pub deactivated: bool,
    /// When the member joined.
    pub created_at_ms: u64,
}

/// What an agent does right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct AgentPresence {
    /// Who.
    pub agent_id: AgentId,
    /// Whether the agent can be reached.
    pub availability: Availability,
    /// What the agent has in sight; absent where that is not known, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<Screen>,
    /// Which conversation, where one is in sight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// Which page of the settings, where one is in sight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_page: Option<SettingsPage>,
}

/// What an agent has in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// Which page.
    pub screen: Screen,
    /// Of a conversation, which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// Of the settings, which page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_page: Option<SettingsPage>,
}

impl Sight {
    /// What a client says that it shows; only a conversation has an id, and only the settings have pages.
    #[must_use]
    pub fn of(
        screen: Option<Screen>,
        conversation_id: Option<ConversationId>,
        settings_page: Option<SettingsPage>,
    ) -> Option<Self> {
        screen.map(|screen| Self {
            screen,
            conversation_id: conversation_id.filter(|_| screen == Screen::Conversation),
            settings_page: settings_page.filter(|_| screen == Screen::Settings),
        })
    }
}

impl AgentPresence {
    /// What an agent does who has this in sight.
    #[must_use]
    pub fn new(agent_id: AgentId, availability: Availability, sight: Option<Sight>) -> Self {
        Self {
            agent_id,
            availability,
            screen: sight.map(|sight| sight.screen),
            conversation_id: sight.and_then(|sight| sight.conversation_id),
            settings_page: sight.and_then(|sight| sight.settings_page),
        }
    }
}

/// What a change of a member may set; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct AgentChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new picture: a square PNG or JPEG as a `data:` address, its bytes at most [`crate::limit::AGENT_PICTURE_BYTES_MAX`] and its
    /// sides at most [`crate::limit::AGENT_PICTURE_SIDE_MAX`]; empty takes it away.
    pub picture: Option<String>,
    /// A new role.
    pub role: Option<Role>,
    /// New rights besides those of the role, whole: only such as the giver has, and never `owner`.
    pub grants: Option<Vec<Permission>>,
    /// A new time zone.
    pub time_zone: Option<String>,
    /// Deactivate, or take back.
    pub deactivated: Option<bool>,
}

/// An open invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// For whom.
    pub email: String,
    /// As what.
    pub role: Role,
    /// When it lapses.
    pub expires_at_ms: u64,
    /// The link, only in the answer that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Invites somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts")]
pub struct NewInvitation {
    /// Whom.
    pub email: Email,
    /// As what.
    pub role: Role,
}

/// Asks what an invitation offers. The secret is in the body, so that no log of addresses holds it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts")]
pub struct InvitationLookup {
    /// The link's secret.
    pub token: String,
}

/// What an invitation's link shows before it is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct InvitationOffer {
    /// The workspace's name.
    pub workspace_name: String,
    /// For whom.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Whether the address has an account already, whose password is then asked.
    pub has_account: bool,
}

/// Accepts an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct AcceptInvitation {
    /// The link's secret.
    pub token: String,
    /// The name to be seen.
    pub name: Name,
    /// A new password, or that of the account that exists.
    pub password: String,
    /// The IANA time zone of the browser.
    pub time_zone: Option<String>,
}

/// Who is signed in, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct Me {
    /// The user.
    pub user_id: UserId,
    /// The address.
    pub email: String,
    /// The workspaces, with what the user is there.
    pub memberships: Vec<Membership>,
}

/// A user's place in a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct Membership {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Its name.
    pub workspace_name: String,
    /// The user as a member of it.
    pub agent_id: AgentId,
    /// The name there.
    pub name: String,
    /// The role there.
    pub role: Role,
    /// What the role and the grants allow.
    pub permissions: Vec<Permission>,
}
