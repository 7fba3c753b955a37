//! Languages by their codes, whatever the region, and those that the widget speaks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;
use crate::rejection::{ErrorCode, Rejection};

words! {
    /// A language that the widget speaks, by its code.
    WidgetLanguage {
        /// English.
        English = "en",
        /// Ukrainian.
        Ukrainian = "uk",
        /// German.
        German = "de",
        /// French.
        French = "fr",
        /// Spanish.
        Spanish = "es",
        /// Portuguese.
        Portuguese = "pt",
        /// Polish.
        Polish = "pl",
        /// Turkish.
        Turkish = "tr",
        /// Japanese.
        Japanese = "ja",
        /// Arabic.
        Arabic = "ar",
    }
}

/// Letters of a code.
const LENGTH_MAX: usize = 3;

/// A language: the two or three letters that a BCP 47 tag begins with, small.
// Invariant: small ASCII letters, then zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, TS, ToSchema)]
#[ts(type = "string", export_to = "protocol.ts")]
#[schema(value_type = String)]
pub struct Language([u8; LENGTH_MAX]);

impl Language {
    /// The language of a tag like `de-AT`; nothing for what is no tag.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let code = tag.split(['-', '_']).next()?;
        code.to_ascii_lowercase().parse().ok()
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = std::str::from_utf8(&self.0).unwrap_or_default();
        text.trim_end_matches('\0')
    }
}

impl FromStr for Language {
    type Err = Rejection;

    /// # Errors
    /// `invalid` for anything but two or three small letters.
    fn from_str(text: &str) -> Result<Self, Rejection> {
        let bytes = text.as_bytes();
        let is_code =
            (2..=LENGTH_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_lowercase);
        if !is_code {
            return Err(Rejection::of(ErrorCode::Invalid, "language"));
        }
        let mut code = [0; LENGTH_MAX];
        code[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(code))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| de::Error::custom("no language: two or three small letters"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_begins_with_its_language() {
        let check = |tag: &str, code: Option<&str>| {
            let language = Language::of_tag(tag);
            assert_eq!(language.as_ref().map(Language::as_str), code, "{tag}");
        };
        check("de-AT", Some("de"));
        check("DE", Some("de"));
        check("pt_BR", Some("pt"));
        check("haw-US", Some("haw"));
        check("*", None);
        check("", None);
        check("x-klingon", None);
        check("deutsch", None);
    }

    #[test]
    fn a_language_is_two_or_three_small_letters() {
        for bad in ["", "d", "DE", "de-AT", "deut", "d1", "d'", "é"] {
            assert!(bad.parse::<Language>().is_err(), "{bad}");
        }
        assert_eq!(
            "de".parse::<Language>().map(|code| code.to_string()),
            Ok("de".to_owned())
        );
    }
}
