//! Canned responses: texts that agents write often, put into the composer by a nickname or by how they
//! begin. The team's own affair: no frame and no door of visitors holds one.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;
use crate::id::{AgentId, CannedResponseId};
use crate::text::Body;

words! {
    /// Who can use a canned response.
    Whose {
        /// The whole team.
        Team = "team",
        /// The member who made it, and nobody else.
        Own = "own",
    }
}

/// A text that is written often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct CannedResponse {
    /// Its id.
    pub id: CannedResponseId,
    /// Grows with every change.
    pub version: u64,
    /// Whose it is; the team's when absent.
    pub agent_id: Option<AgentId>,
    /// What it is called by, after `\`; may be empty. Without regard to case, it is one of its kind among the
    /// team's, and among one's own.
    pub nickname: String,
    /// The text, in Markdown, with variables such as `{{customer_name}}` that are filled when it is used.
    pub body: String,
    /// When it was made.
    pub created_at_ms: u64,
    /// When it was last changed.
    pub changed_at_ms: u64,
}

/// Makes a canned response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct NewCannedResponse {
    /// Who can use it.
    pub whose: Whose,
    /// What it is called by: letters, digits, `-`, `_` and `.`, at most 40 bytes; nothing when absent.
    pub nickname: Option<String>,
    /// The text, at most 4,096 bytes.
    pub body: Body,
}

/// Changes a canned response; what is absent stays. An empty nickname takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct CannedResponseChange {
    /// What it is called by.
    pub nickname: Option<String>,
    /// The text.
    pub body: Option<Body>,
}
