//! Cookies that come with a request: the one of a name among all that a browser sends. It checks nothing of
//! what they say. Called by the doors' authentication.

use http::{HeaderMap, header};

/// The value of the first cookie of a name. Others on the same host may hold what is no text: they take
/// nothing away from it.
#[must_use]
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .filter_map(|pair| pair.trim_ascii().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(lines: &[&[u8]], expected: Option<&str>) {
        let line = |bytes: &&[u8]| HeaderValue::from_bytes(bytes).expect("a line of a header");
        let headers = lines.iter().map(|bytes| (header::COOKIE, line(bytes)));
        assert_eq!(find(&headers.collect(), "session"), expected, "{lines:?}");
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name_wherever_it_stands() {
        check(&[], None);
        check(&[b"session=a"], Some("a"));
        check(&[b"other=b; session=a=b;session=c"], Some("a=b"));
        check(&[b"other=b", b"session=a"], Some("a"));
        check(&[b"my_session=b; sessions=c; session"], None);
    }

    #[test]
    fn what_another_page_of_the_host_set_takes_no_cookie_away() {
        check(&["theme=grün; session=a".as_bytes()], Some("a"));
        check(&[b"theme=gr\xfcn; session=a"], Some("a"));
        check(&[b"session=\xfc; session=a"], Some("a"));
    }
}
