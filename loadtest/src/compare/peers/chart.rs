//! What was found out as a drawing, readable on light and dark pages, and as a table. Pure: made from the report alone, so that
//! a test can hold the documents to it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// The drawing's width, and the places of its parts, in units of its own.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 90.0;
const BAR: f64 = 16.0;
const STEP: f64 = 22.0;
const HEAD: f64 = 34.0;
const GAP: f64 = 14.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}.h{font-weight:600}\
.p{fill:#8c959f}.o{fill:#0f5c99}\
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.p{fill:#6e7681}.o{fill:#4da3e0}}";

/// What was found out of one program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Found {
    /// Its name for programs.
    pub(super) name: String,
    /// Its name for people.
    pub(super) title: String,
    /// What ran.
    pub(super) version: String,
    /// Whether it is Switchboard.
    pub(super) is_ours: bool,
    /// Growth of memory for each who is just there.
    pub(super) bytes_per_visitor: f64,
    /// Seconds of processor time for 100,000 messages that arrived.
    pub(super) cpu_s_per_100k: f64,
    /// From due to heard, half of them.
    pub(super) p50_us: f64,
    /// From due to heard, 99 of 100.
    pub(super) p99_us: f64,
}

/// A panel of the drawing: less is better in all.
struct Panel {
    title: &'static str,
    value: fn(&Found) -> f64,
    written: fn(f64) -> String,
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "Memory of an idle connection",
        value: |found| found.bytes_per_visitor,
        written: |bytes| format!("{:.1} KB", bytes / 1_000.0),
    },
    Panel {
        title: "Processor time for 100,000 delivered messages",
        value: |found| found.cpu_s_per_100k,
        written: |seconds| format!("{seconds:.1} s"),
    },
    Panel {
        title: "99 of 100 messages arrive within",
        value: |found| found.p99_us,
        written: milliseconds,
    },
];

fn milliseconds(us: f64) -> String {
    format!("{:.2} ms", us / 1_000.0)
}

/// The drawing: a panel for each figure, a bar for each program.
pub(super) fn svg(all: &[Found]) -> String {
    let step = HEAD + STEP * all.len() as f64 + GAP;
    let height = step * PANELS.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Switchboard beside other programs: memory, processor time, latency\">\n\
         <style>{STYLE}</style>\n"
    );
    for (index, panel) in PANELS.iter().enumerate() {
        draw(&mut svg, panel, all, step * index as f64);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, panel: &Panel, all: &[Found], top: f64) {
    let values = all.iter().map(panel.value);
    let most = values.fold(f64::MIN_POSITIVE, f64::max);
    // Writing to a text cannot fail, here and below.
    let _ = writeln!(
        svg,
        r#"<text class="h" x="0" y="{:.0}">{}</text>"#,
        top + 20.0,
        panel.title
    );
    for (place, found) in all.iter().enumerate() {
        let y = top + HEAD + STEP * place as f64;
        let value = (panel.value)(found);
        let length = value / most * (WIDTH - LEFT - RIGHT);
        let class = if found.is_ours { "o" } else { "p" };
        let _ = writeln!(
            svg,
            r#"<text x="{:.0}" y="{:.0}" text-anchor="end">{}</text><rect class="{class}" x="{LEFT}" y="{y:.0}" width="{:.1}" height="{BAR}" rx="2"/><text x="{:.1}" y="{:.0}">{}</text>"#,
            LEFT - 8.0,
            y + 13.0,
            found.title,
            length.max(1.0),
            LEFT + length + 6.0,
            y + 13.0,
            (panel.written)(value),
        );
    }
}

/// The table, in Markdown.
pub(super) fn table(all: &[Found]) -> String {
    let mut table = "| program | version | bytes of an idle connection | processor time for 100,000 messages | p50 | p99 |\n\
                     |---|---|---|---|---|---|\n"
        .to_owned();
    for found in all {
        let _ = writeln!(
            table,
            "| {} | {} | {} | {:.1} s | {} | {} |",
            found.title,
            found.version,
            thousands(found.bytes_per_visitor),
            found.cpu_s_per_100k,
            milliseconds(found.p50_us),
            milliseconds(found.p99_us),
        );
    }
    table
}

/// A whole number with its thousands set apart.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> [Found; 2] {
        [("one", false), ("two", true)].map(|(title, is_ours)| Found {
            name: title.to_owned(),
            title: title.to_owned(),
            version: "1.2".to_owned(),
            is_ours,
            bytes_per_visitor: 1_017_787.4,
            cpu_s_per_100k: 24.1,
            p50_us: 80.0,
            p99_us: 7_776.0,
        })
    }

    #[test]
    fn every_program_has_a_bar_in_every_panel() {
        let svg = svg(&two());
        assert_eq!(svg.matches("<rect").count(), 6);
        for words in [
            "1017.8 KB",
            "24.1 s",
            "7.78 ms",
            "prefers-color-scheme:dark",
        ] {
            assert!(svg.contains(words), "{words}");
        }
    }

    #[test]
    fn every_program_has_a_row() {
        let table = table(&two());
        assert_eq!(table.lines().count(), 4);
        let row = "| two | 1.2 | 1,017,787 | 24.1 s | 0.08 ms | 7.78 ms |\n";
        assert!(table.ends_with(row), "{table}");
        assert_eq!(thousands(999.0), "999");
    }
}
