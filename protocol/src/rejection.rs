//! Rejections: what was asked is refused, nothing changed, and the client may know why.
//!
//! A fault of ours is not a rejection: it is logged where it is handled, and the client sees
//! [`ErrorCode::Internal`]. Codes are stable; texts are for people and may change.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Whether sending the same again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "protocol.ts")]
pub enum Retry {
    /// The same request will be refused again.
    Never,
    /// The same request, unchanged and with the same `client_id`, may succeed later.
    Later,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $retry:ident, $message:literal;)*) => {
        /// Why something was refused. Stable; clients decide by it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
        #[ts(export_to = "protocol.ts")]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl ErrorCode {
            /// All codes, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it stands on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Whether the same request may succeed later.
            #[must_use]
            pub fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry,)* }
            }

            /// One sentence for people: what happened and what to do.
            #[must_use]
            pub fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

codes! {
    /// Not JSON, not of the documented shape, or an unknown command.
    Malformed = "malformed", 400, Never, "This request is not of the documented form.";
    /// A field's value is not allowed; `field` names it.
    Invalid = "invalid", 422, Never, "A value is not allowed here.";
    /// The frame or request body is larger than the limit.
    TooLarge = "too_large", 413, Never, "This is larger than the limit.";
    /// A text is longer than the limit.
    TooLong = "too_long", 422, Never, "This text is longer than the limit.";
    /// More items than the limit allows.
    TooMany = "too_many", 422, Never, "There are more items than the limit allows.";
    /// A text that must say something is empty.
    Empty = "empty", 422, Never, "This text is empty.";
    /// A frame came in a state that does not allow it.
    OutOfOrder = "out_of_order", 409, Never, "This was not expected now.";
    /// No token, or one that is unreadable, tampered with, or for something else.
    Unauthenticated = "unauthenticated", 401, Never, "Sign in to do this.";
    /// The token was good once.
    TokenExpired = "token_expired", 401, Never, "This token has expired. Get a new one.";
    /// The signed identity token is unreadable, tampered with, expired, or of another site.
    IdentityInvalid = "identity_invalid", 401, Never, "This identity token is not valid for this site.";
    /// E-mail address or password is wrong. Does not say which.
    WrongCredentials = "wrong_credentials", 401, Never, "E-mail address or password is wrong.";
    /// Known, but not allowed.
    Forbidden = "forbidden", 403, Never, "You may not do this.";
    /// The page's origin is not among the site's allowed origins.
    OriginRefused = "origin_refused", 403, Never, "This page's origin is not allowed for the site.";
    /// The visitor is blocked.
    Blocked = "blocked", 403, Never, "This conversation cannot be continued.";
    /// It does not exist, or not for you.
    NotFound = "not_found", 404, Never, "This does not exist.";
    /// No site has this key.
    UnknownSite = "unknown_site", 404, Never, "No site has this key.";
    /// The record changed since it was read (`If-Match`).
    VersionConflict = "version_conflict", 412, Never, "Somebody changed this in the meantime. Read it again.";
    /// The same `client_id` was used with other content.
    ClientIdReused = "client_id_reused", 409, Never, "This client id was used for something else.";
    /// It exists already.
    AlreadyExists = "already_exists", 409, Never, "This exists already.";
    /// The conversation is closed, or its state does not allow this.
    ConversationState = "conversation_state", 409, Never, "The conversation's state does not allow this.";
    /// The message can no longer be edited or deleted.
    EditWindowOver = "edit_window_over", 409, Never, "This message can no longer be changed.";
    /// The last owner cannot leave or be demoted.
    LastOwner = "last_owner", 409, Never, "A workspace needs at least one owner.";
    /// Set-up was done already.
    AlreadySetUp = "already_set_up", 409, Never, "This Switchboard is set up already.";
    /// The one-time link was used, revoked, or has expired.
    LinkInvalid = "link_invalid", 410, Never, "This link is no longer valid. Ask for a new one.";
    /// The password does not meet the rules.
    PasswordWeak = "password_weak", 422, Never, "Use at least 12 characters that are not easy to guess.";
    /// The file's type is not accepted, or is not what it says.
    FileType = "file_type", 415, Never, "Files of this type are not accepted.";
    /// Too many requests; wait `retry_after_ms`.
    RateLimited = "rate_limited", 429, Later, "Too many requests. Wait a moment.";
    /// The request's body came too slowly: send the same again.
    TooSlow = "too_slow", 408, Later, "This came too slowly. It is safe to send it again.";
    /// Too many failed sign-ins from here; wait `retry_after_ms`.
    LockedOut = "locked_out", 429, Later, "Too many failed attempts. Try again later.";
    /// The outcome is unknown or the store cannot take it now: send the same again.
    Unavailable = "unavailable", 503, Later, "This could not be stored right now. It is safe to send it again.";
    /// The disk is full. Nothing is lost; nothing can be added.
    StorageFull = "storage_full", 507, Later, "The server has no space left.";
    /// A fault of ours, logged under the request's id.
    Internal = "internal", 500, Later, "Something went wrong on our side. It is safe to try again.";
}

/// A refusal: expected, safe to show, nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .code.as_str())]
pub struct Rejection {
    /// Why.
    pub code: ErrorCode,
    /// The field at fault, where one is.
    pub field: Option<Cow<'static, str>>,
    /// When the same request may succeed, in milliseconds from now, where that is known.
    pub retry_after_ms: Option<u64>,
}

impl Rejection {
    /// A refusal of one field.
    #[must_use]
    pub fn of(code: ErrorCode, field: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            field: Some(field.into()),
            retry_after_ms: None,
        }
    }

    /// A refusal that may be tried again after a while.
    #[must_use]
    pub fn after(code: ErrorCode, retry_after_ms: u64) -> Self {
        Self {
            code,
            field: None,
            retry_after_ms: Some(retry_after_ms),
        }
    }
}

impl From<ErrorCode> for Rejection {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            field: None,
            retry_after_ms: None,
        }
    }
}

/// A rejection as clients get it, over HTTP (RFC 9457) and inside frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Problem {
    /// The stable code.
    pub code: ErrorCode,
    /// One sentence for people.
    pub title: String,
    /// The HTTP status, also inside frames.
    pub status: u16,
    /// Whether the same request may succeed later.
    pub retry: Retry,
    /// The field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// When the same request may succeed, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The request's id in the server's log, for faults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl From<&Rejection> for Problem {
    fn from(rejection: &Rejection) -> Self {
        Self {
            code: rejection.code,
            title: rejection.code.message().to_owned(),
            status: rejection.code.status(),
            retry: rejection.code.retry(),
            field: rejection.field.as_deref().map(str::to_owned),
            retry_after_ms: rejection.retry_after_ms,
            request_id: None,
        }
    }
}

/// Why the server ends a connection. The range says what a client must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// 4000–4099, come back and resume: the server is going away.
    GoingAway,
    /// The client read too slowly; what it missed is in the log.
    TooSlow,
    /// Nothing was heard from the client.
    Silent,
    /// The node cannot serve now.
    Unavailable,
    /// 4100–4199, come back afresh: get a new token first.
    TokenExpired,
    /// The identity or the rights behind this connection have changed.
    IdentityChanged,
    /// A newer stream took this one's place.
    Replaced,
    /// 4200–4299, do not come back unchanged: malformed, oversized or unknown frame.
    ProtocolError,
    /// The token is not valid.
    Unauthenticated,
    /// The origin is not allowed.
    OriginRefused,
    /// Access was taken away, or the visitor blocked.
    Revoked,
    /// Far too many frames.
    Flooding,
}

impl CloseCode {
    /// All codes.
    pub const ALL: &[Self] = &[
        Self::GoingAway,
        Self::TooSlow,
        Self::Silent,
        Self::Unavailable,
        Self::TokenExpired,
        Self::IdentityChanged,
        Self::Replaced,
        Self::ProtocolError,
        Self::Unauthenticated,
        Self::OriginRefused,
        Self::Revoked,
        Self::Flooding,
    ];

    /// The number in the close frame.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::GoingAway => 4000,
            Self::TooSlow => 4001,
            Self::Silent => 4002,
            Self::Unavailable => 4003,
            Self::TokenExpired => 4100,
            Self::IdentityChanged => 4101,
            Self::Replaced => 4102,
            Self::ProtocolError => 4200,
            Self::Unauthenticated => 4201,
            Self::OriginRefused => 4202,
            Self::Revoked => 4203,
            Self::Flooding => 4204,
        }
    }

    /// The reason in the close frame: short, for people who debug.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::GoingAway => "going_away",
            Self::TooSlow => "too_slow",
            Self::Silent => "silent",
            Self::Unavailable => "unavailable",
            Self::TokenExpired => "token_expired",
            Self::IdentityChanged => "identity_changed",
            Self::Replaced => "replaced",
            Self::ProtocolError => "protocol_error",
            Self::Unauthenticated => "unauthenticated",
            Self::OriginRefused => "origin_refused",
            Self::Revoked => "revoked",
            Self::Flooding => "flooding",
        }
    }
}
