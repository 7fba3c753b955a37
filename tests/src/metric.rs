//! What a server says of itself at `/metrics`.

use loadtest::client::http::{Call, Http};

/// What opens it.
pub const TOKEN: &str = "token-of-the-stories-for-metrics";

/// The value of a metric of a server that has this token.
///
/// # Panics
/// Where it has none of that name.
pub(crate) async fn of(http: &mut Http, name: &str) -> u64 {
    let call = Call::get("/metrics").bearer(TOKEN);
    let answer = http.send(&call).await.expect("the server answers");
    let text = answer.into_body().expect("the token is right");
    let text = String::from_utf8_lossy(&text).into_owned();
    value(&text, name).unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// The value of a metric, by its name and labels.
pub(crate) fn value(text: &str, name: &str) -> Option<u64> {
    let value = |line: &str| line.strip_prefix(name)?.trim().parse().ok();
    text.lines().find_map(value)
}
