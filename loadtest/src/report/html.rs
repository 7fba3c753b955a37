//! A report for a browser: one file that asks nobody for anything.

use std::fmt::Write as _;

use super::text::{label, line, shown, verdict};
use super::{Report, arms, plot};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c1f23;--soft:#5c6269;--line:#d5d9dd;--shade:#f4f5f6;--good:#1b7f5c;--bad:#a3195b;--paper:#fff}\
.c0{--c:#0f5c99}.c1{--c:#c25700}.c2{--c:#1b7f5c}.c3{--c:#7a3e9d}.c4{--c:#666}.c5{--c:#a3195b}\
@media(prefers-color-scheme:dark){:root{--ink:#e6eaee;--soft:#a0a8b0;--line:#3b424a;--shade:#20252a;--good:#4cc597;--bad:#ee79b0;--paper:#14181c}\
.c0{--c:#5aaee8}.c1{--c:#f0934a}.c2{--c:#4cc597}.c3{--c:#c193e6}.c4{--c:#a8b0b8}.c5{--c:#ee79b0}}\
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:46rem;padding:0 1rem;color:var(--ink);background:var(--paper)}\
h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}h3{font-size:.95rem;margin:1.2rem 0 0}\
small{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}\
table{border-collapse:collapse}td,th{padding:.1rem 1.2rem .1rem 0;border-bottom:1px solid var(--line)}\
td+td{text-align:right;font-variant-numeric:tabular-nums}\
.arms{width:100%;margin:.3rem 0 .8rem}.arms tr>*{border:0;padding:.2rem 0}\
.arms th{font-weight:400;text-align:left;width:6.5rem;overflow-wrap:anywhere;padding-right:.6rem}\
.arms td+td{width:8.5rem;padding-left:.6rem}.arms td+td small{display:block;line-height:1.2}\
.arms .track{position:relative;background:var(--shade)}.track i{position:absolute;top:50%}\
.bar{left:0;height:1rem;margin-top:-.5rem;background:var(--c)}\
.dot{width:.4rem;height:.4rem;margin:-.2rem;border-radius:50%;background:var(--ink);box-shadow:0 0 0 1.5px var(--paper)}\
.goal{height:100%;top:0!important;border-left:2px dashed var(--ink);margin-left:-1px}\
@media(max-width:30rem){.arms th{width:5.6rem}.arms td+td{width:5.2rem}}\
.plot{overflow-x:auto}svg{display:block;width:100%;min-width:34rem;height:auto}svg text{font-size:11px;fill:var(--soft)}\
svg line{stroke:var(--line);stroke-width:.5}polyline{fill:none;stroke:var(--c);stroke-width:1.5}rect{fill:var(--c)}\
.legend span{margin-right:1rem;font-size:.85rem;color:var(--c)}\
pre{white-space:pre-wrap;background:var(--shade);padding:.6rem;font-size:.85rem}";

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
    compared(&mut page, report);
    figures(&mut page, report);
    if !report.series.is_empty() {
        page.push_str("<h2>Over time</h2>");
        page.push_str(&plot::over_time(&report.series));
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

fn compared(page: &mut String, report: &Report) {
    if report.compared.is_empty() {
        return;
    }
    page.push_str("<h2>Compared</h2>");
    for one in &report.compared {
        page.push_str(&arms::bars(one));
    }
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

/// A text as a page shows it.
pub(super) fn escaped(text: &str) -> String {
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
