//! Values that both databases understand.

/// Any error, as the drivers pass them on.
pub(crate) type Boxed = Box<dyn std::error::Error + Sync + Send>;

/// A value on its way to or from the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Text, compared by bytes.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Flag(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A number with a fraction.
    Real(f64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Value {
    /// Our numbers count milliseconds, entries and bytes: none comes near the end of `i64`, where this stops.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! ids {
    ($($id:ident),* $(,)?) => {$(
        impl From<protocol::id::$id> for Value {
            fn from(id: protocol::id::$id) -> Self {
                Self::Text(id.to_string())
            }
        }
    )*};
}

ids!(
    WorkspaceId,
    SiteId,
    SiteSecretId,
    IdentityKeyId,
    UserId,
    AgentId,
    PictureId,
    DepartmentId,
    InvitationId,
    LoginSessionId,
    ApiKeyId,
    CannedResponseId,
    SavedViewId,
    BlockedAddressId,
    VisitorId,
    VisitId,
    ContactId,
    ConversationId,
    EntryId,
    AttachmentId,
    EventId,
    JobId,
    TimerId,
    NodeId,
    AuditId,
);
