//! Tokens for sockets and visitors' HTTP: stateless, signed by a key that only this installation has.
//!
//! `v1.<claims as base64url JSON>.<HMAC-SHA256 as base64url>`. The signature covers the text before
//! the second dot, and is compared in constant time before a byte of the claims is read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use protocol::id::{AgentId, ContactId, LoginSessionId, SiteId, UserId, VisitorId, WorkspaceId};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::setup::SocketToken;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How long a visitor's token opens sockets and HTTP doors.
pub const VISITOR_TOKEN_MS: u64 = 24 * 60 * 60 * 1_000;
/// How old a visitor's token may be to go on as the same visitor.
pub const VISITOR_RENEWAL_MS: u64 = 400 * 24 * 60 * 60 * 1_000;
/// How long an agent's token opens a connection.
pub const AGENT_TOKEN_MS: u64 = 15 * 60 * 1_000;
/// No token of ours is longer.
const TOKEN_BYTES_MAX: usize = 1_024;

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "k")]
pub enum Claims {
    /// A visitor's.
    #[serde(rename = "v")]
    Visitor(VisitorClaims),
    /// An agent's.
    #[serde(rename = "a")]
    Agent(AgentClaims),
}

/// Whose claims they are. Read before them: a tag that is read along with its fields has them all copied first.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "k")]
    name: KindName,
}

#[derive(Deserialize)]
enum KindName {
    #[serde(rename = "v")]
    Visitor,
    #[serde(rename = "a")]
    Agent,
}

/// What a visitor's token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitorClaims {
    /// The workspace.
    #[serde(rename = "w")]
    pub workspace_id: WorkspaceId,
    /// The site.
    #[serde(rename = "s")]
    pub site_id: SiteId,
    /// The browser.
    #[serde(rename = "v")]
    pub visitor_id: VisitorId,
    /// The contact whom a signed identity proved.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<ContactId>,
    /// The visitor row's generation: a logout or an erasure makes older tokens worthless.
    #[serde(rename = "g")]
    pub generation: u64,
    /// When sockets stop accepting it.
    #[serde(rename = "e")]
    pub expires_at_ms: u64,
}

impl VisitorClaims {
    /// When the session answered that gave it.
    #[must_use]
    pub fn begun_at_ms(&self) -> u64 {
        self.expires_at_ms.saturating_sub(VISITOR_TOKEN_MS)
    }
}

/// What an agent's token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentClaims {
    /// The workspace.
    #[serde(rename = "w")]
    pub workspace_id: WorkspaceId,
    /// The member.
    #[serde(rename = "a")]
    pub agent_id: AgentId,
    /// The user behind it.
    #[serde(rename = "u")]
    pub user_id: UserId,
    /// The login session that it hangs on.
    #[serde(rename = "l")]
    pub session_id: LoginSessionId,
    /// Until when it opens a connection.
    #[serde(rename = "e")]
    pub expires_at_ms: u64,
}

impl Claims {
    fn read(json: &[u8]) -> serde_json::Result<Self> {
        match serde_json::from_slice::<Kind>(json)?.name {
            KindName::Visitor => serde_json::from_slice(json).map(Self::Visitor),
            KindName::Agent => serde_json::from_slice(json).map(Self::Agent),
        }
    }

    fn expires_at_ms(&self) -> u64 {
        match self {
            Self::Visitor(claims) => claims.expires_at_ms,
            Self::Agent(claims) => claims.expires_at_ms,
        }
    }
}

/// Signs and reads tokens.
#[derive(Clone)]
pub struct Tokens {
    /// With the key taken in already, which costs as much as a token.
    keyed: Hmac<Sha256>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(secret)")
    }
}

impl Tokens {
    /// With the installation's key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        let keyed =
            Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length is a key for HMAC");
        Self { keyed }
    }

    /// A text that says this and nobody else can make.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        let json = serde_json::to_vec(claims).expect("claims are always JSON");
        let mut token = format!("v1.{}", URL_SAFE_NO_PAD.encode(json));
        let signature = self.mac(token.as_bytes()).finalize().into_bytes();
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        token
    }

    /// A token for an agent's next connection.
    #[must_use]
    pub fn agent(
        &self,
        workspace_id: WorkspaceId,
        agent_id: AgentId,
        user_id: UserId,
        session_id: LoginSessionId,
        now_ms: u64,
    ) -> SocketToken {
        let expires_at_ms = now_ms + AGENT_TOKEN_MS;
        let token = self.sign(&Claims::Agent(AgentClaims {
            workspace_id,
            agent_id,
            user_id,
            session_id,
            expires_at_ms,
        }));
        SocketToken {
            token,
            expires_at_ms,
        }
    }

    /// What a token says that is still good.
    ///
    /// # Errors
    /// `unauthenticated`, or `token_expired` where it was good once.
    pub fn read(&self, token: &str, now_ms: u64) -> Result<Claims, Rejection> {
        let claims = self.verified(token)?;
        if claims.expires_at_ms() <= now_ms {
            return Err(ErrorCode::TokenExpired.into());
        }
        Ok(claims)
    }

    /// What a visitor's token says that may have expired, but not longer ago than a visitor is
    /// remembered.
    ///
    /// # Errors
    /// `unauthenticated` or `token_expired`.
    pub fn read_for_renewal(&self, token: &str, now_ms: u64) -> Result<VisitorClaims, Rejection> {
        let Claims::Visitor(claims) = self.verified(token)? else {
            return Err(ErrorCode::Unauthenticated.into());
        };
        if claims.expires_at_ms + VISITOR_RENEWAL_MS <= now_ms {
            return Err(ErrorCode::TokenExpired.into());
        }
        Ok(claims)
    }

    fn verified(&self, token: &str) -> Result<Claims, Rejection> {
        let unreadable = || Rejection::from(ErrorCode::Unauthenticated);
        if token.len() > TOKEN_BYTES_MAX || !token.starts_with("v1.") {
            return Err(unreadable());
        }
        let (signed, signature) = token.rsplit_once('.').ok_or_else(unreadable)?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| unreadable())?;
        // `verify_slice` compares in constant time.
        self.mac(signed.as_bytes())
            .verify_slice(&signature)
            .map_err(|_| unreadable())?;
        let json = signed
            .strip_prefix("v1.")
            .and_then(|json| URL_SAFE_NO_PAD.decode(json).ok())
            .ok_or_else(unreadable)?;
        Claims::read(&json).map_err(|_| unreadable())
    }

    fn mac(&self, text: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        mac.update(text);
        mac
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    fn claims(expires_at_ms: u64) -> Claims {
        Claims::Visitor(VisitorClaims {
            workspace_id: WorkspaceId::from_bits(1),
            site_id: SiteId::from_bits(2),
            visitor_id: VisitorId::from_bits(3),
            contact_id: None,
            generation: 0,
            expires_at_ms,
        })
    }

    #[test]
    fn a_token_says_what_was_signed_until_it_expires() {
        let tokens = Tokens::new([7; 32]);
        let token = tokens.sign(&claims(1_000));
        assert_eq!(tokens.read(&token, 999), Ok(claims(1_000)));
        assert_eq!(
            tokens.read(&token, 1_000).unwrap_err().code,
            ErrorCode::TokenExpired
        );
        assert!(tokens.read_for_renewal(&token, 1_000).is_ok());
        let too_late = 1_000 + VISITOR_RENEWAL_MS;
        assert!(tokens.read_for_renewal(&token, too_late).is_err());
    }

    #[test]
    fn a_changed_or_foreign_token_is_refused_wherever_it_was_changed() {
        let tokens = Tokens::new([7; 32]);
        let token = tokens.sign(&claims(1_000));
        for index in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(
                tokens.read(&changed, 0).unwrap_err().code,
                ErrorCode::Unauthenticated,
                "{index}"
            );
        }
        assert!(Tokens::new([8; 32]).read(&token, 0).is_err());
        for bad in ["", "v1.", "v1..", "v2.a.b", "v1.a", &"v1.".repeat(2_000)] {
            assert!(tokens.read(bad, 0).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_agents_token_renews_no_visitor() {
        let tokens = Tokens::new([7; 32]);
        let token = tokens.agent(
            WorkspaceId::from_bits(1),
            AgentId::from_bits(2),
            UserId::from_bits(3),
            LoginSessionId::from_bits(4),
            0,
        );
        assert!(tokens.read(&token.token, 1).is_ok());
        assert!(tokens.read_for_renewal(&token.token, 1).is_err());
    }
}
