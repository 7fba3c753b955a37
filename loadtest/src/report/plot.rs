//! Plots as inline SVG: lines over time, and how latencies are spread.

use std::fmt::Write as _;

use crate::measure::{Latencies, Series};

/// The drawing's size in units of its own; the page scales it.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;
/// Room for the words around it.
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 28.0;
const TOP: f64 = 10.0;
const RIGHT: f64 = 10.0;

/// The end of a drawing: a narrow screen scrolls it.
const CLOSED: &str = "</svg></div>";

/// Colours that the page has, told apart also without seeing red and green.
const TONE_COUNT: usize = 6;

/// Ranges of a distribution: these steps in every power of ten.
const STEPS: &[u64] = &[100, 126, 158, 200, 251, 316, 398, 501, 631, 794];

/// Quantiles of a percentile plot, as the number of nines grows.
const QUANTILES: &[(f64, &str)] = &[
    (0.0, "min"),
    (0.5, "p50"),
    (0.75, "p75"),
    (0.9, "p90"),
    (0.95, "p95"),
    (0.99, "p99"),
    (0.995, "p99.5"),
    (0.999, "p99.9"),
    (0.9999, "p99.99"),
    (1.0, "max"),
];

/// The class of the page that colours the one at this place.
pub(super) fn tone(index: usize) -> String {
    format!("c{}", index % TONE_COUNT)
}

/// Lines over time: a plot for each unit, all of them over the same time.
#[must_use]
pub fn over_time(series: &[Series]) -> String {
    let points = series.iter().flat_map(|one| one.points.iter());
    let x_max = points.map(|(x, _)| *x).fold(1.0, f64::max);
    let mut by_unit: Vec<Vec<&Series>> = Vec::new();
    for one in series {
        match by_unit.iter_mut().find(|some| some[0].unit == one.unit) {
            Some(some) => some.push(one),
            None => by_unit.push(vec![one]),
        }
    }
    by_unit.iter().map(|some| lines(some, x_max)).collect()
}

/// Lines of one unit.
fn lines(series: &[&Series], x_max: f64) -> String {
    let points = series.iter().flat_map(|one| one.points.iter());
    let y_max = round_up(points.map(|(_, y)| *y).fold(1.0, f64::max));
    let unit = match series[0].unit {
        "/s" => "/s".to_owned(),
        unit => format!(" {unit}"),
    };
    let mut svg = open(&format!("over time, in{unit}"));
    axes(&mut svg, y_max, &unit);
    for tenth in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let x = LEFT + tenth * (WIDTH - LEFT - RIGHT);
        word(
            &mut svg,
            x,
            HEIGHT - 10.0,
            "middle",
            &format!("{:.0} s", x_max * tenth),
        );
    }
    for (index, one) in series.iter().enumerate() {
        let place = |(x, y): &(f64, f64)| {
            let x = LEFT + x / x_max * (WIDTH - LEFT - RIGHT);
            format!("{x:.1},{:.1}", height_of(*y, y_max))
        };
        let path: Vec<String> = one.points.iter().map(place).collect();
        // Writing to a text cannot fail, here and below.
        let _ = write!(
            svg,
            r#"<polyline class="{}" points="{}"/>"#,
            tone(index),
            path.join(" ")
        );
    }
    svg.push_str(CLOSED);
    svg.push_str(&legend(series.iter().map(|one| one.name.as_str())));
    svg
}

/// How often each latency occurred, on a logarithmic scale.
#[must_use]
pub fn histogram(latencies: &Latencies) -> String {
    let (ends, counts) = bars(latencies);
    let most = round_up(counts.iter().copied().max().unwrap_or(1) as f64);
    let mut svg = open("histogram of latencies");
    axes(&mut svg, most, "");
    let width = (WIDTH - LEFT - RIGHT) / counts.len().max(1) as f64;
    for (index, count) in counts.iter().enumerate() {
        let x = LEFT + index as f64 * width;
        let y = height_of(*count as f64, most);
        let _ = write!(
            svg,
            r#"<rect class="c0" x="{x:.1}" y="{y:.1}" width="{:.1}" height="{:.1}"><title>up to {}: {count}</title></rect>"#,
            (width - 1.0).max(0.5),
            HEIGHT - BOTTOM - y,
            time(ends[index]),
        );
        if ends[index].to_string().trim_end_matches('0') == "1" {
            word(
                &mut svg,
                x + width,
                HEIGHT - 10.0,
                "middle",
                &time(ends[index]),
            );
        }
    }
    svg.push_str(CLOSED);
    svg
}

/// Latency by quantile: the tail is as wide as the body.
#[must_use]
pub fn percentiles(all: &[(&str, &Latencies)]) -> String {
    let longest = all
        .iter()
        .map(|(_, one)| one.figures().max_us)
        .max()
        .unwrap_or(1);
    let y_max = round_up(longest as f64 / 1_000.0);
    let mut svg = open("latency by percentile");
    axes(&mut svg, y_max, " ms");
    let step = (WIDTH - LEFT - RIGHT - 20.0) / (QUANTILES.len() - 1) as f64;
    let x_of = |index: usize| LEFT + 10.0 + index as f64 * step;
    for (index, (_, name)) in QUANTILES.iter().enumerate() {
        word(&mut svg, x_of(index), HEIGHT - 10.0, "middle", name);
    }
    for (index, (_, latencies)) in all.iter().enumerate() {
        let place = |(at, (quantile, _)): (usize, &(f64, &str))| {
            let y = height_of(latencies.at(*quantile) as f64 / 1_000.0, y_max);
            format!("{:.1},{y:.1}", x_of(at))
        };
        let path: Vec<String> = QUANTILES.iter().enumerate().map(place).collect();
        let _ = write!(
            svg,
            r#"<polyline class="{}" points="{}"/>"#,
            tone(index),
            path.join(" ")
        );
    }
    svg.push_str(CLOSED);
    svg.push_str(&legend(all.iter().map(|(name, _)| *name)));
    svg
}

/// The ranges from the smallest latency to the largest, and how many lie in each.
fn bars(latencies: &Latencies) -> (Vec<u64>, Vec<u64>) {
    let ends: Vec<u64> = (0..7)
        .flat_map(|power| STEPS.iter().map(move |step| step * 10_u64.pow(power)))
        .collect();
    let counts = latencies.counts_until(&ends);
    let first = counts.iter().position(|count| *count > 0).unwrap_or(0);
    let last = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
    let last = last.min(ends.len() - 1);
    let first = first.min(last);
    (ends[first..=last].to_vec(), counts[first..=last].to_vec())
}

fn open(what: &str) -> String {
    format!(
        r#"<div class="plot" role="group" aria-label="{what}" tabindex="0"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{what}">"#
    )
}

fn height_of(value: f64, max: f64) -> f64 {
    HEIGHT - BOTTOM - value / max * (HEIGHT - BOTTOM - TOP)
}

fn axes(svg: &mut String, y_max: f64, unit: &str) {
    for quarter in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let value = y_max * quarter;
        let y = height_of(value, y_max);
        let _ = write!(
            svg,
            r#"<line x1="{LEFT}" x2="{:.1}" y1="{y:.1}" y2="{y:.1}"/>"#,
            WIDTH - RIGHT
        );
        let text = if y_max < 10.0 {
            format!("{value:.2}{unit}")
        } else {
            format!("{value:.0}{unit}")
        };
        word(svg, LEFT - 6.0, y + 4.0, "end", &text);
    }
}

fn word(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = write!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#
    );
}

fn legend<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let item = |(index, name): (usize, &str)| {
        let tone = tone(index);
        format!(
            r#"<span class="{tone}">&#9632; {}</span>"#,
            name.replace('_', " ")
        )
    };
    let items: Vec<String> = names.enumerate().map(item).collect();
    format!(r#"<p class="legend">{}</p>"#, items.join(" "))
}

/// The next of 1, 2, 5, 10, 20, …: a top for an axis.
fn round_up(value: f64) -> f64 {
    let mut top = 0.01;
    loop {
        for step in [1.0, 2.0, 5.0] {
            if top * step >= value {
                return top * step;
            }
        }
        top *= 10.0;
    }
}

/// A time as people say it.
fn time(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} us"),
        1_000..1_000_000 => format!("{} ms", us as f64 / 1_000.0),
        1_000_000.. => format!("{} s", us as f64 / 1_000_000.0),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_latency_stands_in_a_bar() {
        let mut latencies = Latencies::default();
        for us in [3, 120, 4_500, 4_600, 900_000, 30_000_000] {
            latencies.add(Duration::from_micros(us));
        }
        let (ends, counts) = bars(&latencies);
        assert_eq!(ends.len(), counts.len());
        assert_eq!(counts.iter().sum::<u64>(), 6);
    }

    #[test]
    fn lines_of_different_units_have_plots_of_their_own_over_the_same_time() {
        let line = |name: &str, unit, points: &[(f64, f64)]| Series {
            name: name.to_owned(),
            unit,
            points: points.to_vec(),
        };
        let plots = over_time(&[
            line("p50_ms", "ms", &[(1.0, 3.0), (2.0, 400.0)]),
            line("sent", "/s", &[(1.0, 60_000.0), (4.0, 70_000.0)]),
            line("p99_ms", "ms", &[(2.0, 450.0)]),
        ]);
        let plots: Vec<&str> = plots.split("<svg").skip(1).collect();
        let [latencies, rates] = plots[..] else {
            panic!("{} plots", plots.len());
        };
        assert_eq!(latencies.matches("<polyline").count(), 2);
        assert!(latencies.contains(">500 ms<") && latencies.contains("p99 ms"));
        assert!(rates.contains(">100000/s<") && !rates.contains(" ms<"));
        // Both end with the run, though latencies do before it.
        assert!(latencies.contains(">4 s<") && rates.contains(">4 s<"));
    }

    #[test]
    fn the_top_of_an_axis_is_a_round_number() {
        for (value, top) in [(0.3, 0.5), (1.0, 1.0), (41.0, 50.0), (1_234.0, 2_000.0)] {
            assert!((round_up(value) - top).abs() < 1e-6, "{value}");
        }
    }
}
