//! Identity keys: public keys of a site's own server, which check what it signs with the private half.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::IdentityKeyId;

/// A public key of a site. Several may be alive at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct IdentityKey {
    /// Its id.
    pub id: IdentityKeyId,
    /// SHA-256 of the key in DER, in hex: to tell keys apart, and to compare with what
    /// `openssl pkey -pubin -in key.pem -outform der | sha256sum` says.
    pub fingerprint: String,
    /// When it was added.
    pub created_at_ms: u64,
    /// When it stops being accepted, where a newer key took its place.
    pub expires_at_ms: Option<u64>,
}

/// Adds a public key to a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct NewIdentityKey {
    /// A public key of the curve P-256, as PEM (`-----BEGIN PUBLIC KEY-----`) or as a JSON Web Key.
    pub public_key: String,
    /// Whether the keys of before stop after another 24 hours.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub replace: bool,
}
