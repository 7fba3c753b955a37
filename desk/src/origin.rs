//! The origins that may load a site's widget: one exact form each, so that comparing is equality.

use std::net::{Ipv4Addr, Ipv6Addr};

use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use url::{Host, Url};

/// The word that stands for every port of this machine's own names.
pub const LOOPBACK: &str = "loopback";

/// Brings a site's origins into their exact form, in the order given, each once.
///
/// # Errors
/// `too_many` over [`limit::ORIGINS_MAX`], `invalid` for what is no origin.
pub fn normalise_all(texts: &[String]) -> Result<Vec<String>, Rejection> {
    if texts.len() > limit::ORIGINS_MAX {
        return Err(Rejection::of(ErrorCode::TooMany, "allowed_origins"));
    }
    let mut origins = Vec::with_capacity(texts.len());
    for text in texts {
        let origin = normalise(text)?;
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    Ok(origins)
}

/// The exact form of one origin, as browsers write it in their `Origin` header: lower case, names
/// in their ASCII form, no default port, no path. A trailing slash is forgiven.
///
/// # Errors
/// `invalid` for anything but `http` and `https`, and for whatever names more than an origin:
/// paths, patterns, users.
pub fn normalise(text: &str) -> Result<String, Rejection> {
    let invalid = || Rejection::of(ErrorCode::Invalid, "allowed_origins");
    let text = text.trim();
    if text == LOOPBACK {
        return Ok(LOOPBACK.to_owned());
    }
    if text.len() > limit::URL_BYTES_MAX
        || text.chars().any(|c| c.is_control() || "*\\ ".contains(c))
    {
        return Err(invalid());
    }
    let url = Url::parse(text).map_err(|_| invalid())?;
    let named = match url.host() {
        Some(Host::Domain(name)) => !name.is_empty() && !name.ends_with('.'),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    };
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && !text.contains('@');
    if named && bare && matches!(url.scheme(), "http" | "https") {
        Ok(url.origin().ascii_serialization())
    } else {
        Err(invalid())
    }
}

/// Whether a page's origin, exactly as its browser sent it, is among a site's.
#[must_use]
pub fn is_allowed(allowed: &[String], origin: &str) -> bool {
    allowed.iter().any(|known| {
        if known == LOOPBACK {
            is_loopback(origin)
        } else {
            known == origin
        }
    })
}

/// Whether a page is of this machine: `localhost`, names below it, `127.0.0.1` or `[::1]`, over `http` or
/// `https`, at any port. The rest of `127.0.0.0/8` is not meant: nobody could frame the panel there.
fn is_loopback(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    // What a browser sends is its own exact form; anything else only looks like an origin.
    if url.origin().ascii_serialization() != origin || !matches!(url.scheme(), "http" | "https") {
        return false;
    }
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address == Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_gets_the_form_that_browsers_send() {
        for (text, origin) in [
            ("https://www.example.com", "https://www.example.com"),
            (" HTTPS://WWW.Example.COM/ ", "https://www.example.com"),
            ("https://example.com:443", "https://example.com"),
            ("http://example.com:8080", "http://example.com:8080"),
            ("https://müller.example", "https://xn--mller-kva.example"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("loopback", "loopback"),
        ] {
            assert_eq!(normalise(text).as_deref(), Ok(origin));
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for bad in [
            "",
            "*",
            "null",
            "example.com",
            "//example.com",
            "https://",
            "https://*.example.com",
            "https://example.com/path",
            "https://example.com?x",
            "https://example.com#x",
            "https://user@example.com",
            "https://@example.com",
            "https://example.com.",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "ftp://example.com",
            "data:text/html,x",
            "https://exa mple.com",
            "https://example.com\\@evil.example",
            "https:example\n.com",
        ] {
            assert_eq!(
                normalise(bad),
                Err(Rejection::of(ErrorCode::Invalid, "allowed_origins")),
                "{bad}"
            );
        }
    }

    #[test]
    fn origins_are_kept_once_and_bounded() {
        let twice = [
            "https://a.example".to_owned(),
            "https://A.example/".to_owned(),
        ];
        assert_eq!(normalise_all(&twice).unwrap(), ["https://a.example"]);
        let many: Vec<String> = (0..=limit::ORIGINS_MAX)
            .map(|n| format!("https://{n}.example"))
            .collect();
        assert!(normalise_all(&many[1..]).is_ok());
        assert_eq!(normalise_all(&many).unwrap_err().code, ErrorCode::TooMany);
    }

    #[test]
    fn an_origin_is_allowed_exactly_or_as_loopback() {
        let allowed = ["https://www.example.com".to_owned(), LOOPBACK.to_owned()];
        for good in [
            "https://www.example.com",
            "http://localhost:3000",
            "http://127.0.0.1:8080",
            "https://127.0.0.1",
            "http://[::1]",
            "http://[::1]:65535",
            "https://shop.localhost",
        ] {
            assert!(is_allowed(&allowed, good), "{good}");
        }
        for bad in [
            "https://example.com",
            "http://www.example.com",
            "https://www.example.com:444",
            "https://www.example.com.evil.example",
            "https://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "http://localhost:3000/",
            "http://localhost:80",
            "HTTP://localhost",
            "http://LOCALHOST:3000",
            "http://localhost.",
            "http://user@localhost",
            "http://127.0.0.2",
            "http://127.1",
            "http://2130706433",
            "http://0.0.0.0",
            "http://[::]",
            "http://[::ffff:127.0.0.1]",
            "http://10.0.0.1",
            "ftp://localhost",
            "ws://localhost",
            "file:///",
            "null",
            "",
            "loopback",
        ] {
            assert!(!is_allowed(&allowed, bad), "{bad}");
        }
    }
}
