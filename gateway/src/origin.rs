//! Origins: which pages may carry a site's widget.

use protocol::rejection::{ErrorCode, Rejection};
use protocol::site::Site;
use url::{Host, Url};

/// The word that stands for every port of this machine.
pub const LOOPBACK: &str = "loopback";

/// Whether a page of `origin` may carry the site's widget: one of its allowed origins, or our own,
/// where the panel lives.
#[must_use]
pub fn is_allowed(site: &Site, origin: &str, own_origin: &str) -> bool {
    if origin.eq_ignore_ascii_case(own_origin) {
        return true;
    }
    site.allowed_origins.iter().any(|allowed| {
        if allowed == LOOPBACK {
            is_loopback(origin)
        } else {
            allowed.trim_end_matches('/').eq_ignore_ascii_case(origin)
        }
    })
}

/// Refuses a browser's request from elsewhere. Programs, which say no origin, are told apart by
/// their token alone: an origin is a browser's promise and no secret.
///
/// # Errors
/// `origin_refused`.
pub(crate) fn check(site: &Site, origin: Option<&str>, own_origin: &str) -> Result<(), Rejection> {
    match origin {
        Some(origin) if !is_allowed(site, origin, own_origin) => {
            Err(ErrorCode::OriginRefused.into())
        }
        Some(_) | None => Ok(()),
    }
}

fn is_loopback(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    let is_plain = matches!(url.scheme(), "http" | "https") && url.path() == "/";
    is_plain
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

/// What `frame-ancestors` says so that exactly the site's pages may frame the panel.
#[must_use]
pub fn frame_ancestors(site: &Site) -> String {
    let mut ancestors = String::from("'self'");
    for allowed in &site.allowed_origins {
        if allowed == LOOPBACK {
            ancestors.push_str(
                " http://localhost:* https://localhost:* http://127.0.0.1:* https://127.0.0.1:*",
            );
        } else if let Ok(url) = Url::parse(allowed) {
            // Written anew from its parts: nothing of what was stored can add a directive.
            ancestors.push(' ');
            ancestors.push_str(&url.origin().ascii_serialization());
        }
    }
    ancestors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_this_machine_at_any_port_and_nothing_that_looks_like_it() {
        for good in [
            "http://localhost",
            "http://localhost:5173",
            "https://127.0.0.1:8443",
            "http://[::1]:80",
        ] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "null",
            "",
            "file:///",
            "ftp://localhost",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
