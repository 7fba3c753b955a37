//! A report for a browser: one file that asks nobody for anything.

use std::fmt::Write as _;

use super::text::{label, line, shown, verdict};
use super::{Report, plot};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:46rem;padding:0 1rem;\
color:#1c1f23;background:#fff}h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}\
table{border-collapse:collapse}td{padding:.1rem 1.2rem .1rem 0;border-bottom:1px solid #eee}\
td+td{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto}svg text{font-size:11px;fill:#555}\
.legend span{margin-right:1rem;font-size:.85rem}.good{color:#1b7f5c}.bad{color:#a3195b}pre{white-space:pre-wrap;\
background:#f6f6f6;padding:.6rem;font-size:.85rem}small{color:#666}";

/// The whole page.
#[must_use]
pub fn page(report: &Report) -> String {
    let verdict_class = if report.is_good() { "good" } else { "bad" };
    let word = if report.is_good() { "good" } else { "not good" };
    let name = escaped(report.scenario);
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\">\
<title>Load test: {name}</title><style>{STYLE}</style>\
<h1>{name}: <span class=\"{verdict_class}\">{word}</span></h1>\
<small>{} &middot; {:.0} s &middot; seed {} &middot; switchboard-loadtest {}</small>",
        escaped(&report.targets.join(", ")),
        report.seconds,
        report.seed,
        env!("CARGO_PKG_VERSION"),
    );
    expectations(&mut page, report);
    figures(&mut page, report);
    if !report.series.is_empty() {
        page.push_str("<h2>Over time</h2>");
        page.push_str(&plot::lines(&report.series));
    }
    latencies(&mut page, report);
    broken(&mut page, report);
    page.push_str("</html>\n");
    page
}

fn expectations(page: &mut String, report: &Report) {
    if report.expectations.is_empty() {
        return;
    }
    page.push_str("<h2>Expected</h2><ul>");
    for one in &report.expectations {
        let class = if one.met { "good" } else { "bad" };
        // Writing to a text cannot fail, here and below.
        let _ = write!(
            page,
            "<li class=\"{class}\">{}</li>",
            escaped(&verdict(one))
        );
    }
    page.push_str("</ul>");
}

fn figures(page: &mut String, report: &Report) {
    page.push_str("<h2>Figures</h2><table>");
    for one in &report.figures {
        let name = escaped(&label(&one.key));
        let _ = write!(
            page,
            "<tr><td>{name}</td><td>{}</td></tr>",
            escaped(&shown(one))
        );
    }
    page.push_str("</table>");
}

fn latencies(page: &mut String, report: &Report) {
    if report.latencies.is_empty() {
        return;
    }
    page.push_str("<h2>Latency by percentile</h2>");
    let all: Vec<_> = report
        .latencies
        .iter()
        .map(|(name, one)| (*name, one))
        .collect();
    page.push_str(&plot::percentiles(&all));
    for (name, one) in &report.latencies {
        let text = escaped(&line(&one.figures()));
        let _ = write!(
            page,
            "<h2>{}</h2><small>{text}</small>",
            escaped(&label(name))
        );
        page.push_str(&plot::histogram(one));
    }
}

fn broken(page: &mut String, report: &Report) {
    if report.broken_count == 0 {
        return;
    }
    let _ = write!(
        page,
        "<h2 class=\"bad\">{} broken promises</h2>",
        report.broken_count
    );
    for one in &report.broken {
        let _ = write!(page, "<pre>{}</pre>", escaped(one));
    }
}

fn escaped(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::Latencies;

    #[test]
    fn the_page_asks_nobody_for_anything_and_shows_text_as_text() {
        let mut report = Report::new("chat", 1, vec!["http://<evil>".to_owned()]);
        let mut latencies = Latencies::default();
        latencies.add(Duration::from_millis(3));
        report.latency("delivery", latencies);
        report.broke(["<script>alert(1)</script>".to_owned()]);
        let page = page(&report);
        assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href="));
        assert!(!page.contains("<evil>"));
        assert!(page.contains("<svg") && page.contains("1 broken promises"));
    }
}
