//! Checks of single values that records have in common: short and long texts, time zones, currencies, colours.
//! Nothing here knows which record it is; the caller names the field for the rejection.

use protocol::currency;
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::{Form, Name, check};
use protocol::time_zone;

/// Bytes of a text of a few lines: a description, a greeting.
const LINES_BYTES_MAX: usize = 2_000;

/// The time zone of those who name none.
pub(crate) const TIME_ZONE_DEFAULT: &str = "UTC";

/// A one-line text that may be empty: without control and text-direction characters, within
/// [`limit::NAME_BYTES_MAX`].
pub(crate) fn line(text: &str, field: &'static str) -> Result<String, Rejection> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    Name::parse(text)
        .map(|name| name.as_str().to_owned())
        .map_err(|refused| Rejection::of(refused.code, field))
}

/// A text of a few lines that may be empty, at most 2,000 bytes, and as [`Form::Lines`].
pub(crate) fn lines(text: &str, field: &'static str) -> Result<String, Rejection> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    if text.len() > LINES_BYTES_MAX {
        return Err(Rejection::of(ErrorCode::TooLong, field));
    }
    check(text, Form::Lines, field)?;
    Ok(text.to_owned())
}

/// A time zone of the database, as it spells it.
pub(crate) fn time_zone(text: &str) -> Result<String, Rejection> {
    time_zone::named(text)
        .map(str::to_owned)
        .ok_or_else(|| Rejection::of(ErrorCode::Invalid, "time_zone"))
}

/// A time zone that a browser reports: taken if it is one, the default otherwise, for a browser's
/// oddity must not stop a person from signing up.
pub(crate) fn time_zone_or_default(text: Option<&str>) -> String {
    text.and_then(|text| time_zone(text).ok())
        .unwrap_or_else(|| TIME_ZONE_DEFAULT.to_owned())
}

/// A currency of ISO 4217 as it spells it, or nothing.
pub(crate) fn currency(text: &str) -> Result<String, Rejection> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    currency::named(text)
        .map(str::to_owned)
        .ok_or_else(|| Rejection::of(ErrorCode::Invalid, "currency"))
}

/// A colour of the form `#rrggbb`, in lower case.
pub(crate) fn color(text: &str) -> Result<String, Rejection> {
    let fine = text
        .strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if fine {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Rejection::of(ErrorCode::Invalid, "color"))
    }
}

/// A number within its bounds.
pub(crate) fn within(
    number: u64,
    bounds: std::ops::RangeInclusive<u64>,
    field: &'static str,
) -> Result<u64, Rejection> {
    if bounds.contains(&number) {
        Ok(number)
    } else {
        Err(Rejection::of(ErrorCode::Invalid, field))
    }
}

/// A host's name, or nothing: `www.example.com`.
pub(crate) fn domain(text: &str) -> Result<String, Rejection> {
    let text = text.trim().trim_end_matches('.').to_lowercase();
    let fine = text.len() <= limit::EMAIL_BYTES_MAX
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || c == '-' || c == '.' || c == ':')
        && (text.is_empty() || text.split('.').all(|label| !label.is_empty()));
    if fine {
        Ok(text)
    } else {
        Err(Rejection::of(ErrorCode::Invalid, "domain"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_exists_or_a_browser_gets_the_default() {
        assert_eq!(time_zone("Europe/Zagreb").as_deref(), Ok("Europe/Zagreb"));
        let refused = Err(Rejection::of(ErrorCode::Invalid, "time_zone"));
        assert_eq!(time_zone("Europe/Atlantis"), refused);
        assert_eq!(time_zone_or_default(Some("europe/zagreb")), "Europe/Zagreb");
        assert_eq!(time_zone_or_default(Some("Europe/Atlantis")), "UTC");
        assert_eq!(time_zone_or_default(None), "UTC");
    }

    #[test]
    fn a_currency_exists_or_none_is_chosen() {
        assert_eq!(currency(" eur ").as_deref(), Ok("EUR"));
        assert_eq!(currency(" ").as_deref(), Ok(""));
        let refused = Err(Rejection::of(ErrorCode::Invalid, "currency"));
        assert_eq!(currency("DEM"), refused);
    }

    #[test]
    fn a_color_is_six_hex_digits() {
        assert_eq!(color("#0F4C5C").as_deref(), Ok("#0f4c5c"));
        for bad in [
            "",
            "#fff",
            "0f4c5c",
            "#0f4c5g",
            "red",
            "#0f4c5c;x",
            "url(x)",
        ] {
            assert!(color(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lines_and_texts_are_clean_and_bounded() {
        assert_eq!(line("  ", "title").as_deref(), Ok(""));
        assert_eq!(
            line("a\u{202e}b", "title"),
            Err(Rejection::of(ErrorCode::Invalid, "title"))
        );
        let long = "x".repeat(limit::NAME_BYTES_MAX + 1);
        assert_eq!(
            line(&long, "title"),
            Err(Rejection::of(ErrorCode::TooLong, "title"))
        );
        assert_eq!(lines("a\r\nb", "greeting").as_deref(), Ok("a\nb"));
        for bad in ["a\0", "a\u{202e}b"] {
            let refused = Rejection::of(ErrorCode::Invalid, "greeting");
            assert_eq!(lines(bad, "greeting"), Err(refused));
        }
        assert!(lines(&"x".repeat(LINES_BYTES_MAX + 1), "greeting").is_err());
    }

    #[test]
    fn a_domain_is_a_hosts_name_or_nothing() {
        assert_eq!(domain(" Example.COM. ").as_deref(), Ok("example.com"));
        assert_eq!(domain("").as_deref(), Ok(""));
        assert_eq!(domain("localhost:8080").as_deref(), Ok("localhost:8080"));
        for bad in ["a..b", "a b", "<script>", "a/b", "http://a.b"] {
            assert!(domain(bad).is_err(), "{bad}");
        }
    }
}
