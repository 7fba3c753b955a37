//! Texts from outside, checked once at the edge. Holding one of these types is the proof.

use serde::Serialize;

use crate::limit;
use crate::rejection::{ErrorCode, Rejection};

/// How a text may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A name, a title: one line that stands among others' words and must not turn or hide them.
    Line,
    /// What somebody wrote, shown in a place of its own: line feeds and tabs, and the marks and isolates
    /// that texts written from the right need.
    Lines,
}

/// Checks a text from outside: no control characters, and nothing that makes it read as what it is not
/// (Trojan Source, CVE-2021-42574). Every door that takes a text asks here.
///
/// # Errors
/// `invalid`, with the field.
pub fn check(text: &str, form: Form, field: &'static str) -> Result<(), Rejection> {
    let is_bad = |c: char| match form {
        Form::Line => c.is_control() || is_direction_control(c),
        Form::Lines => (c.is_control() && c != '\n' && c != '\t') || is_override(c),
    };
    match text.chars().any(is_bad) {
        true => Err(Rejection::of(ErrorCode::Invalid, field)),
        false => Ok(()),
    }
}

/// Characters that show what follows in another order than it was written, whatever it is. No language
/// needs them: what is written from the right turns by itself.
fn is_override(c: char) -> bool {
    matches!(c, '\u{202d}' | '\u{202e}')
}

/// Whether anything of a text can be seen. Fillers, joiners and marks of direction are no words.
fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_whitespace() || is_direction_control(c) || is_filler(c))
}

/// Characters that are shown as nothing, or as a gap, where they stand alone.
fn is_filler(c: char) -> bool {
    matches!(
        c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200c}' | '\u{200d}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// What a person wrote: not blank, no NUL, within [`limit::BODY_BYTES_MAX`]. Never HTML.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, ts_rs::TS, utoipa::ToSchema)]
#[serde(transparent)]
#[ts(type = "string", export_to = "protocol.ts")]
#[schema(value_type = String)]
pub struct Body(String);

impl Body {
    /// Checks a text and takes off blank lines and spaces around it.
    ///
    /// # Errors
    /// `empty`, `too_long`, or `invalid` for what [`Form::Lines`] does not take.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let text = text.replace("\r\n", "\n");
        let text = text.trim();
        if text.is_empty() {
            return Err(Rejection::of(ErrorCode::Empty, "body"));
        }
        if text.len() > limit::BODY_BYTES_MAX {
            return Err(Rejection::of(ErrorCode::TooLong, "body"));
        }
        check(text, Form::Lines, "body")?;
        if is_blank(text) {
            return Err(Rejection::of(ErrorCode::Empty, "body"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A one-line name: not blank, no control or text-direction characters, within [`limit::NAME_BYTES_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, ts_rs::TS, utoipa::ToSchema)]
#[serde(transparent)]
#[ts(type = "string", export_to = "protocol.ts")]
#[schema(value_type = String)]
pub struct Name(String);

impl Name {
    /// Checks a text.
    ///
    /// # Errors
    /// `empty`, `too_long`, or `invalid` for control and text-direction characters.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Rejection::of(ErrorCode::Empty, "name"));
        }
        if text.len() > limit::NAME_BYTES_MAX {
            return Err(Rejection::of(ErrorCode::TooLong, "name"));
        }
        check(text, Form::Line, "name")?;
        if is_blank(text) {
            return Err(Rejection::of(ErrorCode::Empty, "name"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address: one `@`, no blanks, within [`limit::EMAIL_BYTES_MAX`]. Whether it exists only
/// mail can tell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, ts_rs::TS, utoipa::ToSchema)]
#[serde(transparent)]
#[ts(type = "string", export_to = "protocol.ts")]
#[schema(value_type = String)]
pub struct Email(String);

impl Email {
    /// Checks an address. Case is kept; comparing goes without case, in the store.
    ///
    /// # Errors
    /// `too_long` or `invalid`.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let text = text.trim();
        if text.len() > limit::EMAIL_BYTES_MAX {
            return Err(Rejection::of(ErrorCode::TooLong, "email"));
        }
        let whole = text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.len() >= 3 && domain.contains('.') && !domain.contains('@')
        });
        let local_host = text.ends_with("@localhost") && text.len() > "@localhost".len();
        check(text, Form::Line, "email")?;
        let clean = text
            .chars()
            .all(|c| !c.is_whitespace() && !"<>,;\"()".contains(c));
        if (!whole && !local_host) || !clean {
            return Err(Rejection::of(ErrorCode::Invalid, "email"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The address as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The client's own name for a command: the same id always means the same command.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ts_rs::TS, utoipa::ToSchema,
)]
#[serde(transparent)]
#[ts(type = "string", export_to = "protocol.ts")]
#[schema(value_type = String)]
pub struct ClientId(String);

impl ClientId {
    /// Checks an id: letters, digits, `-` and `_`, within [`limit::CLIENT_ID_LENGTH_MAX`].
    ///
    /// # Errors
    /// `empty`, `too_long` or `invalid`.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        if text.is_empty() {
            return Err(Rejection::of(ErrorCode::Empty, "client_id"));
        }
        if text.len() > limit::CLIENT_ID_LENGTH_MAX {
            return Err(Rejection::of(ErrorCode::TooLong, "client_id"));
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        {
            return Err(Rejection::of(ErrorCode::Invalid, "client_id"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A file's name as it may be shown and saved: no path, no control or text-direction characters.
#[must_use]
pub fn file_name(text: &str) -> String {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|c| !c.is_control() && !is_direction_control(*c) && !"<>:\"|?*".contains(*c))
        .collect();
    let clean = clean.trim().trim_matches('.').trim();
    let mut end = clean.len().min(limit::FILE_NAME_BYTES_MAX);
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    if is_blank(&clean[..end]) {
        "file".to_owned()
    } else {
        clean[..end].to_owned()
    }
}

/// A text cut to at most `bytes_max` bytes, at a character's edge, without control characters. For
/// traces and previews, which are cut and never refused.
#[must_use]
pub fn cut(text: &str, bytes_max: usize) -> String {
    let mut kept = String::with_capacity(text.len().min(bytes_max));
    // Most begin with letters of one byte, all of which stay.
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
    let plain = text.bytes().take(bytes_max).take_while(is_plain).count();
    kept.push_str(&text[..plain]);
    for c in text[plain..].chars() {
        let c = if c.is_control() { ' ' } else { c };
        if is_direction_control(c) {
            continue;
        }
        if kept.len() + c.len_utf8() > bytes_max {
            break;
        }
        kept.push(c);
    }
    kept
}

/// Characters that change the direction of the text around them, or hide in it (Trojan Source,
/// CVE-2021-42574): they have no place in names.
fn is_direction_control(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// Reads a type by its `parse`, whose refusal comes through.
macro_rules! parse_when_read {
    ($($name:ident)*) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str> as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text)
                    .map_err(|refused| serde::de::Error::custom($crate::text::Refused(&refused)))
            }
        }
    )*};
}
pub(crate) use parse_when_read;

parse_when_read! { Body Name Email ClientId }

/// Carries a rejection through serde's error, which is only a text. [`rejection_in`] takes it out.
pub(crate) struct Refused<'a>(pub(crate) &'a Rejection);

const MARK: &str = "refused:";

impl std::fmt::Display for Refused<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{MARK}{}:{}",
            self.0.code.as_str(),
            self.0.field.as_deref().unwrap_or_default()
        )
    }
}

/// The rejection that a failed decoding stands for: that of the text at fault, `invalid` with the name of
/// a field that we do not know or for a number out of its range, and else `malformed`.
#[must_use]
pub fn rejection_in(error: &serde_json::Error) -> Rejection {
    let text = error.to_string();
    if let Some(rest) = text.strip_prefix(MARK) {
        return refused(rest).unwrap_or_else(|| ErrorCode::Malformed.into());
    }
    if let Some((name, _)) = text
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'))
    {
        let name = cut(name, limit::PROPERTY_NAME_BYTES_MAX);
        return Rejection::of(ErrorCode::Invalid, name);
    }
    if is_number_out_of_range(&text) {
        return ErrorCode::Invalid.into();
    }
    ErrorCode::Malformed.into()
}

/// Whether a number stands where one belongs, but not one that it may be. A whole number beyond 64 bits,
/// or with a fraction, reads as a floating one.
fn is_number_out_of_range(text: &str) -> bool {
    text.starts_with("invalid value: integer")
        || text.starts_with("number out of range")
        || (text.starts_with("invalid type: floating point") && text.contains(", expected u"))
}

/// What [`Refused`] wrote.
fn refused(text: &str) -> Option<Rejection> {
    let (code, rest) = text.split_once(':')?;
    let code = ErrorCode::ALL.iter().find(|known| known.as_str() == code)?;
    let field = ["body", "name", "email", "client_id", "support_hours"]
        .into_iter()
        .find(|field| rest.starts_with(field))?;
    Some(Rejection::of(*code, field))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn a_cut_text_ends_at_a_character_and_has_nothing_that_steers() {
        let check = |text: &str, bytes_max: usize, expected: &str| {
            assert_eq!(cut(text, bytes_max), expected, "{text:?} to {bytes_max}");
        };
        check("plain words", 5, "plain");
        check("plain", 5, "plain");
        check("plain", 0, "");
        check("a tab\tand\nlines\u{7f}", 99, "a tab and lines ");
        check("hid\u{200b}den \u{202e}x", 99, "hidden x");
        check("plain\u{200b} on", 7, "plain o");
        check("caf\u{e9}s", 4, "caf");
        check("caf\u{e9}s", 5, "caf\u{e9}");
    }

    #[test]
    fn a_body_says_something_and_keeps_its_lines() {
        assert_eq!(
            Body::parse("  hi\r\nthere \n").unwrap().as_str(),
            "hi\nthere"
        );
        for blank in [
            "",
            " \n\t ",
            "\u{200b}",
            "\u{3164}\n\u{2800}",
            "\u{200d}\u{fe0f}",
        ] {
            assert_eq!(Body::parse(blank).unwrap_err().code, ErrorCode::Empty);
        }
        assert_eq!(Body::parse("a\0b").unwrap_err().code, ErrorCode::Invalid);
    }

    #[test]
    fn a_body_at_the_limit_passes_and_one_byte_more_does_not() {
        let longest = "x".repeat(limit::BODY_BYTES_MAX);
        assert!(Body::parse(&longest).is_ok());
        assert_eq!(
            Body::parse(&(longest + "x")).unwrap_err().code,
            ErrorCode::TooLong
        );
    }

    #[test]
    fn a_decoding_error_names_the_text_at_fault() {
        let error = serde_json::from_str::<Body>("\" \"").unwrap_err();
        assert_eq!(
            rejection_in(&error),
            Rejection::of(ErrorCode::Empty, "body")
        );
        let error = serde_json::from_str::<Body>("{").unwrap_err();
        assert_eq!(rejection_in(&error).code, ErrorCode::Malformed);
    }

    #[test]
    fn a_decoding_error_says_only_what_it_is_about() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Order {
            #[expect(dead_code, reason = "only decoded")]
            count: u8,
        }
        let check = |json: &str, code: ErrorCode, field: Option<&str>| {
            let rejection = rejection_in(&serde_json::from_str::<Order>(json).unwrap_err());
            assert_eq!(
                (rejection.code, rejection.field.as_deref()),
                (code, field),
                "{json}"
            );
        };
        check(r#"{"cuont": 1}"#, ErrorCode::Invalid, Some("cuont"));
        check(r#"{"a\u202eb\u0007": 1}"#, ErrorCode::Invalid, Some("ab "));
        let long = "x".repeat(100);
        check(
            &format!(r#"{{"{long}": 1}}"#),
            ErrorCode::Invalid,
            Some(&long[..64]),
        );
        // A name is what the client wrote: it cannot pass for a refusal of ours.
        check(
            r#"{"refused:internal:body": 1}"#,
            ErrorCode::Invalid,
            Some("refused:internal:body"),
        );
        for number in ["256", "-1", "18446744073709551616", "1e400", "1.5"] {
            check(
                &format!(r#"{{"count": {number}}}"#),
                ErrorCode::Invalid,
                None,
            );
        }
        for other in ["\"1\"", "\"refused:internal:body\"", "null", "[1]"] {
            check(
                &format!(r#"{{"count": {other}}}"#),
                ErrorCode::Malformed,
                None,
            );
        }
        check(r#"{"count": 1, "count": 2}"#, ErrorCode::Malformed, None);
    }

    #[test]
    fn a_file_name_cannot_climb_hide_or_turn_around() {
        assert_eq!(file_name("../../etc/passwd"), "passwd");
        assert_eq!(file_name("c:\\temp\\a.txt"), "a.txt");
        assert_eq!(file_name("invoice\u{202e}fdp.exe"), "invoicefdp.exe");
        assert_eq!(
            file_name("a\u{0}b\r\n\u{85}c\u{2067}\u{61c}.txt"),
            "abc.txt"
        );
        assert_eq!(file_name("\u{202e}\u{200f}"), "file");
        assert_eq!(file_name("..."), "file");
        assert_eq!(file_name("\u{3164}"), "file");
        assert_eq!(file_name("<script>.png"), "script.png");
        assert!(file_name(&"é".repeat(300)).len() <= limit::FILE_NAME_BYTES_MAX);
    }

    #[test]
    fn a_text_holds_nothing_that_misleads() {
        let check = |text: &str, line: bool, lines: bool| {
            assert_eq!(check(text, Form::Line, "x").is_ok(), line, "{text:?}");
            assert_eq!(check(text, Form::Lines, "x").is_ok(), lines, "{text:?}");
        };
        for text in ["Ana", "", "עדי כريم", "علی\u{200c}رضا", "👩\u{200d}👧"] {
            check(text, true, true);
        }
        // What is written from the right may carry its marks, where it stands alone.
        for text in [
            "a\nb",
            "a\tb",
            "שלום \u{2067}C++\u{2069}\u{200f}!",
            "\u{61c}a",
            "\u{202b}a\u{202c}",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
        ] {
            check(text, false, true);
        }
        for c in [
            '\0', '\u{7}', '\u{1b}', '\r', '\u{7f}', '\u{85}', '\u{202d}', '\u{202e}',
        ] {
            check(&format!("a{c}b"), false, false);
        }
        let refused = super::check("a\u{202e}b", Form::Lines, "body").unwrap_err();
        assert_eq!(refused, Rejection::of(ErrorCode::Invalid, "body"));
    }

    #[test]
    fn an_address_needs_both_halves() {
        for good in ["a@b.co", "Ana.Kovač@example.com", "me@localhost"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "", "a", "@b.co", "a@", "a@b", "a b@c.de", "a@b@c.de", "<a@b.co>",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_cannot_turn_the_text_around_it() {
        assert!(Name::parse("Ana\u{202e}").is_err());
        for bad in [
            "line\nbreak",
            "a\u{2028}b",
            "a\u{61c}b",
            "a\u{200b}b",
            "a\u{2066}b",
            "\u{feff}a",
            "a\u{e0041}",
        ] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
        for blank in ["", " ", "\u{3164}", "\u{115f}\u{1160}", "\u{34f} \u{200d}"] {
            assert_eq!(Name::parse(blank).unwrap_err().code, ErrorCode::Empty);
        }
        // Joiners are letters' affair: Persian names and families of emoji need them.
        for good in ["עדי كريم", "علی\u{200c}رضا", "👩\u{200d}👧"] {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
    }
}
