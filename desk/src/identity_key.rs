//! Identity keys of a site: public keys by which tokens of its own server are checked (ES256).
//!
//! A private key never belongs here, and is refused where one is sent. Keys come as PEM or as JSON Web
//! Key and are stored as the point on the curve, which says the same in one form.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::id::{IdentityKeyId, SiteId};
use protocol::identity_key::{IdentityKey, NewIdentityKey};
use protocol::limit;
use protocol::permission::{Actor, Permission};
use protocol::rejection::{ErrorCode, Rejection};
use ring::agreement;
use router::Part;
use rustls_pki_types::pem::{PemObject, SectionKind};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use storage::identity_key::StoredKey;

use crate::audit::{By, Differences};
use crate::error::Result;
use crate::site::SECRET_OVERLAP_MS;
use crate::{Caller, Desk, stored};

/// A point of P-256 as it is stored: the byte 4, then both coordinates (SEC 1, 2.3.3).
type Point = [u8; 65];

/// What stands before the point in a key's DER form (RFC 5480): DER writes each value in one way only,
/// so every uncompressed key of P-256 begins with these bytes.
const DER_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A key of RFC 7517, with what says that it is of another kind or for another purpose.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    /// The private half.
    d: Option<IgnoredAny>,
}

impl Desk {
    /// The keys that are accepted now.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn identity_keys(&self, actor: &Actor, site_id: SiteId) -> Result<Vec<IdentityKey>> {
        actor.may(Permission::SitesWrite)?;
        self.site_in(actor, site_id).await?;
        let now_ms = self.now_ms();
        let keys =
            storage::identity_key::list(&self.0.db, actor.workspace_id, site_id, now_ms).await?;
        Ok(keys.into_iter().map(|key| key.shown).collect())
    }

    /// Adds a key; with `replace` those of before are accepted for another 24 hours.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `already_exists`, `too_many`, and `invalid` or `too_long` of `public_key`.
    pub async fn add_identity_key(
        &self,
        actor: &Actor,
        site_id: SiteId,
        new: &NewIdentityKey,
        caller: Option<&Caller>,
    ) -> Result<IdentityKey> {
        actor.may(Permission::SitesWrite)?;
        let point = point(&new.public_key)?;
        self.site_in(actor, site_id).await?;
        let now_ms = self.now_ms();
        let key = StoredKey {
            shown: IdentityKey {
                id: self.0.world.ids.next(),
                fingerprint: fingerprint(&point),
                created_at_ms: now_ms,
                expires_at_ms: None,
            },
            point: point.to_vec(),
        };
        let mut differences = Differences::default();
        differences.note("identity_key", &None, &Some(&key.shown.fingerprint));
        let change =
            By { actor, caller }.change("site.identity_key_added", site_id, differences, now_ms);
        let others_expire_at_ms = new.replace.then_some(now_ms + SECRET_OVERLAP_MS);
        let db = &self.0.db;
        let written =
            storage::identity_key::add(db, site_id, &key, others_expire_at_ms, &change).await?;
        stored(written)?;
        self.changed(actor.workspace_id, Part::Site(site_id));
        Ok(key.shown)
    }

    /// Stops accepting a key at once.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn drop_identity_key(
        &self,
        actor: &Actor,
        site_id: SiteId,
        key_id: IdentityKeyId,
        caller: Option<&Caller>,
    ) -> Result<()> {
        actor.may(Permission::SitesWrite)?;
        let none = Differences::default();
        let change =
            By { actor, caller }.change("site.identity_key_dropped", site_id, none, self.now_ms());
        stored(storage::identity_key::remove(&self.0.db, site_id, key_id, &change).await?)?;
        self.changed(actor.workspace_id, Part::Site(site_id));
        Ok(())
    }
}

/// The point that a text says.
fn point(text: &str) -> Result<Point, Rejection> {
    if text.len() > limit::PUBLIC_KEY_BYTES_MAX {
        return Err(Rejection::of(ErrorCode::TooLong, "public_key"));
    }
    let text = text.trim();
    let point = if text.starts_with('{') {
        point_in_jwk(text)
    } else {
        point_in_pem(text)
    };
    point
        .filter(is_on_curve)
        .ok_or_else(|| Rejection::of(ErrorCode::Invalid, "public_key"))
}

/// One section, of the one kind: a text with more in it was put together by mistake.
fn point_in_pem(text: &str) -> Option<Point> {
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes());
    let (SectionKind::PublicKey, der) = sections.next()?.ok()? else {
        return None;
    };
    if sections.next().is_some() {
        return None;
    }
    der.strip_prefix(&DER_HEAD)?.try_into().ok()
}

fn point_in_jwk(text: &str) -> Option<Point> {
    let jwk: Jwk = serde_json::from_str(text).ok()?;
    let is_for_us = jwk.kty == "EC"
        && jwk.crv == "P-256"
        && jwk.d.is_none()
        && jwk.alg.is_none_or(|alg| alg == "ES256")
        && jwk.purpose.is_none_or(|purpose| purpose == "sig")
        && jwk
            .key_ops
            .is_none_or(|uses| uses.iter().any(|one| one == "verify"));
    if !is_for_us {
        return None;
    }
    let mut point = [4; 65];
    for (half, text) in point[1..].chunks_mut(32).zip([jwk.x, jwk.y]) {
        let number = URL_SAFE_NO_PAD.decode(text).ok()?;
        if number.len() != half.len() {
            return None;
        }
        half.copy_from_slice(&number);
    }
    Some(point)
}

/// Whether the point is one of P-256: the library tells only by agreeing on a secret with it, which is
/// thrown away.
fn is_on_curve(point: &Point) -> bool {
    let curve = &agreement::ECDH_P256;
    let own = agreement::EphemeralPrivateKey::generate(curve, &ring::rand::SystemRandom::new())
        .expect("the system has randomness");
    let other = agreement::UnparsedPublicKey::new(curve, point);
    agreement::agree_ephemeral(own, &other, |_| ()).is_ok()
}

fn fingerprint(point: &Point) -> String {
    let digest = Sha256::new()
        .chain_update(DER_HEAD)
        .chain_update(point)
        .finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
