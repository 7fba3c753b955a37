//! Origins: which pages may carry a site's widget.

use desk::origin::{self, LOOPBACK};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::site::Site;
use url::{Host, Url};

/// Whether a page of `origin` may carry the site's widget: one of its allowed origins, or our own,
/// where the panel lives.
#[must_use]
pub fn is_allowed(site: &Site, origin: &str, own_origin: &str) -> bool {
    origin.eq_ignore_ascii_case(own_origin) || origin::is_allowed(&site.allowed_origins, origin)
}

/// This machine, as far as browsers can be told of it: an address is written out, and none of IPv6 is read.
const LOOPBACK_ANCESTORS: &str = " http://localhost:* https://localhost:* http://*.localhost:* \
    https://*.localhost:* http://127.0.0.1:* https://127.0.0.1:*";

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

/// What `frame-ancestors` says so that exactly the site's pages may frame the panel.
#[must_use]
pub fn frame_ancestors(site: &Site) -> String {
    let mut ancestors = String::from("'self'");
    for allowed in &site.allowed_origins {
        if allowed == LOOPBACK {
            ancestors.push_str(LOOPBACK_ANCESTORS);
        } else if let Ok(url) = Url::parse(allowed)
            // Browsers read no IPv6 address there, and pass over what they cannot read.
            && !matches!(url.host(), Some(Host::Ipv6(_)) | None)
        {
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

    fn site(allowed: &[&str]) -> Site {
        Site {
            id: protocol::id::Id::from_bits(1),
            version: 1,
            name: "Shop".to_owned(),
            domain: String::new(),
            description: String::new(),
            allowed_origins: allowed.iter().map(|&origin| origin.to_owned()).collect(),
            theme: protocol::site::Theme::default(),
            after_close: protocol::site::AfterClose::StartNew,
            reopen_within_ms: 0,
            identity_required: false,
            overrides: protocol::workspace::SiteOverrides::default(),
            archived: false,
            created_at_ms: 0,
        }
    }

    #[test]
    fn a_page_is_of_the_site_or_our_own_exactly() {
        let site = site(&["https://www.example.com", LOOPBACK]);
        let own = "https://chat.example.com";
        for good in [own, "https://www.example.com", "http://localhost:5173"] {
            assert!(is_allowed(&site, good, own), "{good}");
        }
        for bad in [
            "https://chat.example.com/",
            "https://WWW.example.com",
            "",
            "null",
        ] {
            assert!(!is_allowed(&site, bad, own), "{bad}");
        }
    }

    #[test]
    fn only_the_sites_pages_may_frame_the_panel() {
        assert_eq!(frame_ancestors(&site(&[])), "'self'");
        let shop = site(&[
            "https://a.example",
            "http://b.example:8080",
            "http://[::1]:3000",
        ]);
        assert_eq!(
            frame_ancestors(&shop),
            "'self' https://a.example http://b.example:8080"
        );
        let ancestors = frame_ancestors(&site(&[LOOPBACK]));
        for part in [
            "http://localhost:*",
            "https://*.localhost:*",
            "http://127.0.0.1:*",
        ] {
            assert!(ancestors.split(' ').any(|each| each == part), "{part}");
        }
        let hostile = site(&["https://a.example; script-src *", "javascript:alert(1)"]);
        assert_eq!(frame_ancestors(&hostile), "'self'");
    }
}
