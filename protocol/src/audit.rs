//! The audit log: who changed what, when. Field names and ids; values only in a part that an erasure
//! can empty.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::{
    AgentId, ApiKeyId, AuditId, BlockedAddressId, CannedResponseId, ContactId, Id, InvitationId,
    SavedViewId, SiteId, WorkspaceId,
};

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at_ms: u64,
    /// Who: an agent's, visitor's or key's id, or `system`.
    pub actor: String,
    /// What, dotted and in the past tense: `site.changed`, `agent.deactivated`.
    pub action: String,
    /// The id of what it was done to.
    pub target: String,
    /// The names of the fields that changed.
    pub fields: Vec<String>,
    /// From what to what, as far as not erased: a JSON object of `field: [before, after]`. Of a field that is a
    /// record itself it holds what differs.
    pub changes_json: Option<String>,
    /// The address it came from.
    pub address: Option<String>,
    /// What the things behind the ids of this line are called now, as far as known: the actor, the target,
    /// and ids among the changes.
    pub names: BTreeMap<String, String>,
}

/// What a line of the log can be about: its id tells of which kind it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A member of the team.
    Agent(AgentId),
    /// A network that is or was blocked.
    BlockedAddress(BlockedAddressId),
    /// A canned response.
    CannedResponse(CannedResponseId),
    /// A person.
    Contact(ContactId),
    /// An invitation to the team.
    Invitation(InvitationId),
    /// A key for programs.
    Key(ApiKeyId),
    /// A list of the inbox that has a name.
    SavedView(SavedViewId),
    /// A site, its look, secrets and public keys.
    Site(SiteId),
    /// The workspace.
    Workspace(WorkspaceId),
}

/// A text that is not the id of anything that the log tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of anything that the log tells of")]
pub struct TargetError;

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (kind, _) = text.split_once('_').ok_or(TargetError)?;
        match kind {
            AgentId::PREFIX => text.parse().map(Self::Agent),
            BlockedAddressId::PREFIX => text.parse().map(Self::BlockedAddress),
            CannedResponseId::PREFIX => text.parse().map(Self::CannedResponse),
            ContactId::PREFIX => text.parse().map(Self::Contact),
            InvitationId::PREFIX => text.parse().map(Self::Invitation),
            ApiKeyId::PREFIX => text.parse().map(Self::Key),
            SavedViewId::PREFIX => text.parse().map(Self::SavedView),
            SiteId::PREFIX => text.parse().map(Self::Site),
            WorkspaceId::PREFIX => text.parse().map(Self::Workspace),
            _ => return Err(TargetError),
        }
        .map_err(|_| TargetError)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(id) => id.fmt(f),
            Self::BlockedAddress(id) => id.fmt(f),
            Self::CannedResponse(id) => id.fmt(f),
            Self::Contact(id) => id.fmt(f),
            Self::Invitation(id) => id.fmt(f),
            Self::Key(id) => id.fmt(f),
            Self::SavedView(id) => id.fmt(f),
            Self::Site(id) => id.fmt(f),
            Self::Workspace(id) => id.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A sign-in that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct FailedLogin {
    /// When.
    pub at_ms: u64,
    /// The address that was tried.
    pub email: String,
    /// The network address it came from.
    pub address: String,
    /// Its country, where known.
    pub country: Option<String>,
    /// The browser.
    pub user_agent: String,
    /// `wrong_password`, `locked`, `not_found`, `deactivated` or `blocked`.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_log_tells_of_is_known_by_its_id() {
        let digits = "01k00000000000000000000009";
        for kind in [
            "agt", "blk", "cnr", "con", "inv", "key", "svw", "site", "wsp",
        ] {
            let text = format!("{kind}_{digits}");
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "site",
            "site_",
            "site_01k",
            "cnv_01k00000000000000000000009",
        ] {
            assert_eq!(text.parse::<Target>(), Err(TargetError), "{text}");
        }
    }
}
