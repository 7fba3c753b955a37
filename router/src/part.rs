//! Parts: what desk changed, as consoles and caches hear of it.

use protocol::id::{
    AgentId, ApiKeyId, BlockedAddressId, CannedResponseId, ContactId, LoginSessionId, SavedViewId,
    SiteId, VisitorId,
};

/// Something that was changed outside the realtime path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A site, its look or its secrets.
    Site(SiteId),
    /// The workspace's name or settings.
    Workspace,
    /// A member: joined, changed, deactivated.
    Agent(AgentId),
    /// A login session: ended.
    Session(LoginSessionId),
    /// An API key: made or revoked.
    Key(ApiKeyId),
    /// A canned response: made, changed, taken away.
    CannedResponse(CannedResponseId),
    /// A saved view: made, changed, taken away.
    SavedView(SavedViewId),
    /// A network: blocked, let in again.
    BlockedAddress(BlockedAddressId),
    /// A contact: changed, merged, erased.
    Contact(ContactId),
    /// A visitor: tied to a contact, blocked, logged out.
    Visitor(VisitorId),
}

impl Part {
    /// The word in `changed` news, and the id that goes with it; nothing where no console shows it, or
    /// where other news tell of it.
    #[must_use]
    pub fn news(&self) -> Option<(&'static str, Option<String>)> {
        match self {
            Self::Site(id) => Some(("sites", Some(id.to_string()))),
            Self::Workspace => Some(("workspace", None)),
            Self::Agent(_) | Self::Session(_) | Self::Visitor(_) | Self::Contact(_) => None,
            Self::Key(id) => Some(("keys", Some(id.to_string()))),
            Self::CannedResponse(id) => Some(("canned_responses", Some(id.to_string()))),
            Self::SavedView(id) => Some(("saved_views", Some(id.to_string()))),
            Self::BlockedAddress(id) => Some(("blocked_addresses", Some(id.to_string()))),
        }
    }
}
