//! Set-up and sign-in over HTTP.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::agent::Me;
use crate::id::{AgentId, LoginSessionId, WorkspaceId};
use crate::site::Site;
use crate::text::{Email, Name};

/// Whether this Switchboard was set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct SetupState {
    /// Whether an owner exists.
    pub done: bool,
}

/// Sets Switchboard up: the owner, the workspace and the first site, in one transaction.
#[derive(Clone, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Setup {
    /// The secret of the one-time link that the server printed.
    pub token: String,
    /// The owner's name.
    pub name: Name,
    /// The owner's address.
    pub email: Email,
    /// The owner's password.
    pub password: String,
    /// The business's name.
    pub workspace_name: Name,
    /// The IANA time zone of the browser.
    pub time_zone: Option<String>,
    /// The first site.
    pub site: crate::site::NewSite,
}

/// What set-up made. The answer also signs the owner in.
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct SetupDone {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The first site.
    pub site: Site,
}

/// Signs in.
#[derive(Clone, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Login {
    /// The address.
    pub email: Email,
    /// The password.
    pub password: String,
    /// The IANA time zone of the browser: says a country where nothing better does. One that does not exist counts
    /// for nothing.
    pub time_zone: Option<String>,
}

/// The answer to signing in: who, where, and for programs the secret.
#[derive(Clone, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct LoggedIn {
    /// Who is signed in, and where.
    #[serde(flatten)]
    pub me: Me,
    /// The session's secret, for `Authorization: Bearer`; only where `?bearer=true` asked for it, and
    /// then no cookie is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Changes one's own password. All other login sessions of the user end.
#[derive(Clone, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts")]
pub struct PasswordChange {
    /// The password of today.
    pub current: String,
    /// The new one.
    pub new: String,
}

/// A signed-in browser or program of the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct LoginSession {
    /// Its id.
    pub id: LoginSessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// The network address it was opened from.
    pub address: String,
    /// ISO 3166-1 alpha-2, where known: of the address, else of the time zone that the browser said.
    pub country: Option<String>,
    /// The browser, in its own words.
    pub user_agent: String,
    /// When it was opened.
    pub created_at_ms: u64,
    /// When it was last used, to a few minutes.
    pub seen_at_ms: u64,
    /// When it ends, unless it is used before.
    pub expires_at_ms: u64,
}

/// A sign-in of a member, for those who look after the team. It opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct SignIn {
    /// Its id.
    pub id: LoginSessionId,
    /// Whose.
    pub agent_id: AgentId,
    /// The network address it was opened from.
    pub address: String,
    /// ISO 3166-1 alpha-2, where known: of the address, else of the time zone that the browser said.
    pub country: Option<String>,
    /// The browser, in its own words.
    pub user_agent: String,
    /// When it was opened.
    pub created_at_ms: u64,
    /// When it was last used, to a few minutes.
    pub seen_at_ms: u64,
    /// When it ended or lapsed; absent while it lives.
    pub ended_at_ms: Option<u64>,
}

/// How long a member was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct Attendance {
    /// Who.
    pub agent_id: AgentId,
    /// Milliseconds, several browsers at once counted once.
    pub used_ms: u64,
}

/// A short-lived token for one kind of connection.
#[derive(Clone, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct SocketToken {
    /// The token for `hello`.
    pub token: String,
    /// When it stops being accepted.
    pub expires_at_ms: u64,
}
