//! Ids: one newtype per noun, written as a visible prefix and 26 characters that sort by time.
//!
//! The 128 bits are a millisecond timestamp (48 bits, high) and randomness (80 bits). `world::Ids`
//! makes them; nothing here draws a random number.

use std::fmt;
use std::marker::PhantomData;
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

/// Bytes of the longest id: the longest prefix, an underscore and the digits.
const TEXT_BYTES_MAX: usize = 4 + 1 + DIGITS;

/// The place of a character in the alphabet, and [`NO_DIGIT`] for what is not in it.
const GROUPS: [u8; 256] = {
    let mut groups = [NO_DIGIT; 256];
    let mut group = 0_u8;
    while (group as usize) < ALPHABET.len() {
        groups[ALPHABET[group as usize] as usize] = group;
        group += 1;
    }
    groups
};

const NO_DIGIT: u8 = u8::MAX;

/// An id as text, without an allocation: a message passes some sixty of them on its way.
struct Text {
    bytes: [u8; TEXT_BYTES_MAX],
    length: usize,
}

impl Text {
    fn of(prefix: &str, bits: u128) -> Self {
        let mut bytes = [b'_'; TEXT_BYTES_MAX];
        let length = prefix.len() + 1 + DIGITS;
        bytes[..prefix.len()].copy_from_slice(prefix.as_bytes());
        // Twelve digits fit into 64 bits, which shift faster than 128.
        let mut rest = bits;
        for digits in bytes[length - DIGITS..length].rchunks_mut(12) {
            let mut low = u64::try_from(rest & u128::from(u64::MAX)).expect("64 bits fit");
            for digit in digits.iter_mut().rev() {
                *digit = ALPHABET[usize::try_from(low & 31).expect("five bits fit")];
                low >>= 5;
            }
            rest >>= 60;
        }
        Self { bytes, length }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).expect("prefix and alphabet are ASCII")
    }
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
    digits
        .bytes()
        .try_fold(0_u128, |bits, byte| match GROUPS[usize::from(byte)] {
            NO_DIGIT => Err(wrong),
            group => Ok(bits << 5 | u128::from(group)),
        })
}

/// Reads an id from where its text stands.
struct Reading<I>(PhantomData<I>);

impl<I: Id + FromStr<Err = IdError>> de::Visitor<'_> for Reading<I> {
    type Value = I;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an id of the form {}_…", I::PREFIX)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<I, E> {
        text.parse().map_err(de::Error::custom)
    }
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
                f.write_str(Text::of($prefix, self.0).as_str())
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
                serializer.serialize_str(Text::of($prefix, self.0).as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Reading(PhantomData))
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
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(json, format!("\"{id}\""));
            assert_eq!(serde_json::from_str::<ConversationId>(&json).unwrap(), id);
        }
    }

    #[test]
    fn every_digit_stands_in_its_place() {
        let digits = "0123456789abcdefghjkmnpqrs";
        for prefix in ["con", "site"] {
            let text = format!("{prefix}_{digits}");
            let bits = read(&text, prefix).unwrap();
            assert_eq!(Text::of(prefix, bits).as_str(), text);
            let group =
                |place: usize| usize::try_from(bits >> (5 * (DIGITS - 1 - place)) & 31).unwrap();
            for (place, digit) in digits.bytes().enumerate() {
                assert_eq!(ALPHABET[group(place)], digit, "{place}");
            }
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
