//! Ids: one newtype per noun, written as a visible prefix and 26 characters that sort by time.
//!
//! The 128 bits are a millisecond timestamp (48 bits, high) and randomness (80 bits). `world::Ids`
//! makes them; nothing here draws a random number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Crockford's base 32 in lower case: sorts like the number it writes, has no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters after the prefix: 128 bits in groups of five.
const DIGITS: usize = 26;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_…")]
pub struct IdError {
    /// The prefix that was wanted.
    pub prefix: &'static str,
}

/// What all ids share, so that `world::Ids` can make any of them.
pub trait Id: Copy {
    /// The visible prefix, without the underscore.
    const PREFIX: &'static str;

    /// The id with these 128 bits.
    fn from_bits(bits: u128) -> Self;

    /// The 128 bits: time high, randomness low.
    fn bits(self) -> u128;

    /// When the id was made, in milliseconds since 1970.
    fn made_at_ms(self) -> u64 {
        u64::try_from(self.bits() >> 80).expect("48 bits fit into 64")
    }
}

fn write(f: &mut fmt::Formatter<'_>, prefix: &str, bits: u128) -> fmt::Result {
    let mut digits = [0_u8; DIGITS];
    for (index, digit) in digits.iter_mut().enumerate() {
        let group = (bits >> (5 * (DIGITS - 1 - index))) & 31;
        *digit = ALPHABET[usize::try_from(group).expect("five bits fit")];
    }
    let digits = std::str::from_utf8(&digits).expect("the alphabet is ASCII");
    write!(f, "{prefix}_{digits}")
}

fn read(text: &str, prefix: &'static str) -> Result<u128, IdError> {
    let wrong = IdError { prefix };
    let digits = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or(wrong)?;
    // The first digit holds the top three bits alone, so it is at most '7'.
    if digits.len() != DIGITS || digits.as_bytes()[0] > b'7' {
        return Err(wrong);
    }
    digits.bytes().try_fold(0_u128, |bits, byte| {
        let group = ALPHABET
            .iter()
            .position(|digit| *digit == byte)
            .ok_or(wrong)?;
        Ok(bits << 5 | u128::try_from(group).expect("an index fits"))
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ts_rs::TS, utoipa::ToSchema)]
        #[ts(type = "string", export_to = "protocol.ts")]
        #[schema(value_type = String)]
        pub struct $name(u128);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;

            fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            fn bits(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(f, $prefix, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                read(text, $prefix).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A tenant: a team, its sites and settings.
    WorkspaceId = "wsp";
    /// An installation of the widget. Public: it is the site key in the embed tag, and names the site only.
    SiteId = "site";
    /// One of the secrets of a site that sign identity tokens.
    SiteSecretId = "sec";
    /// One of the public keys of a site that check identity tokens.
    IdentityKeyId = "idk";
    /// A person who can sign in, possibly to several workspaces.
    UserId = "usr";
    /// A member of a workspace's team.
    AgentId = "agt";
    /// A picture of a member: another one with each change.
    PictureId = "pic";
    /// A department of a workspace.
    DepartmentId = "dep";
    /// An invitation to join a team.
    InvitationId = "inv";
    /// A signed-in browser.
    LoginSessionId = "ses";
    /// A key for programs.
    ApiKeyId = "key";
    /// A text that is written often.
    CannedResponseId = "cnr";
    /// A list of the inbox that has a name.
    SavedViewId = "svw";
    /// A network that is blocked.
    BlockedAddressId = "blk";
    /// A browser on a site.
    VisitorId = "vis";
    /// One stay of a visitor: page views with no gap over the session timeout.
    VisitId = "vst";
    /// A person who is a customer or may become one.
    ContactId = "con";
    /// A thread between contact and team.
    ConversationId = "cnv";
    /// A line of a conversation's log.
    EntryId = "ent";
    /// An uploaded file.
    AttachmentId = "att";
    /// Something that happened, as other programs hear of it.
    EventId = "evt";
    /// Work that may be tried again.
    JobId = "job";
    /// A deadline that fires a command.
    TimerId = "tmr";
    /// A running server process.
    NodeId = "nod";
    /// A line of the audit log.
    AuditId = "aud";
    /// A live connection, from `welcome` to its end.
    ConnectionId = "cxn";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_wrote() {
        for bits in [0, 1, u128::MAX, 0x0192_3456_789a_bcde_f012_3456_789a_bcde] {
            let id = ConversationId::from_bits(bits);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn ids_sort_as_text_like_the_time_they_were_made() {
        let early = EntryId::from_bits(1_700_000_000_000 << 80 | 0xffff);
        let late = EntryId::from_bits(1_700_000_000_001 << 80);
        assert!(early.to_string() < late.to_string());
        assert_eq!(late.made_at_ms(), 1_700_000_000_001);
    }

    #[test]
    fn a_text_of_another_kind_or_form_is_refused() {
        let good = VisitorId::from_bits(7).to_string();
        assert!(good.parse::<ContactId>().is_err());
        assert!(good.to_uppercase().parse::<VisitorId>().is_err());
        assert!(good[..good.len() - 1].parse::<VisitorId>().is_err());
        assert!(
            "vis_80000000000000000000000000"
                .parse::<VisitorId>()
                .is_err()
        );
        assert!("".parse::<VisitorId>().is_err());
        assert!(
            "vis_é000000000000000000000000"
                .parse::<VisitorId>()
                .is_err()
        );
    }
}
