//! Plots of what was compared: a bar for each arm with a dot for each of its turns, a bar for each ratio, and the goal as
//! a line. They are tables whose cells hold the bars: words keep their size on any screen, and who sees no
//! picture is read the numbers.

use std::fmt::Write as _;

use super::html::escaped;
use super::text::{label, shown, trimmed};
use super::{Figure, Unit, plot};
use crate::measure::Relation;

/// The share of a track that the longest bar takes: a line or a dot beyond it has room.
const FULL: f64 = 96.0;

/// Which way a figure is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// It is a cost.
    Less,
    /// It is a gain.
    More,
}

/// How a bar is to lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// To its limit.
    pub relation: Relation,
    /// Which.
    pub limit: f64,
}

/// A bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it is of.
    pub name: String,
    /// Its length.
    pub value: f64,
    /// What the value is the median of.
    pub turns: Vec<f64>,
    /// How it is to lie.
    pub goal: Option<Goal>,
}

/// One figure of all that were compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Arms {
    /// Its name for programs.
    pub key: String,
    /// In what it is counted.
    pub unit: Unit,
    /// Which way it is to go.
    pub better: Better,
    /// A bar for each arm.
    pub arms: Vec<Bar>,
    /// A bar for each ratio of arms that is worth a look.
    pub ratios: Vec<Bar>,
}

/// The plots of a figure.
#[must_use]
pub fn bars(figure: &Arms) -> String {
    let better = match figure.better {
        Better::Less => "less is better",
        Better::More => "more is better",
    };
    let has_turns = figure.arms.iter().any(|arm| arm.turns.len() > 1);
    let turns = if has_turns {
        "; bars are medians, dots are turns"
    } else {
        ""
    };
    let name = escaped(&label(&figure.key));
    let mut page = format!("<h3>{name}</h3><small>{better}{turns}</small>");
    table(&mut page, &name, &figure.arms, figure.unit);
    if !figure.ratios.is_empty() {
        table(
            &mut page,
            &format!("{name}, ratios"),
            &figure.ratios,
            Unit::Ratio,
        );
    }
    page
}

fn table(page: &mut String, caption: &str, all: &[Bar], unit: Unit) {
    let top = all.iter().map(reach).fold(f64::MIN_POSITIVE, f64::max);
    let share = |value: f64| value / top * FULL;
    let written = |value: f64| {
        escaped(&shown(&Figure {
            key: String::new(),
            value,
            unit,
        }))
    };
    // Writing to a text cannot fail, here and below.
    let _ = write!(page, "<table class=\"arms\" aria-label=\"{caption}\">");
    for (index, bar) in all.iter().enumerate() {
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}</th><td class=\"track\" aria-hidden=\"true\"><i class=\"bar {}\" style=\"width:{:.2}%\"></i>",
            escaped(&bar.name),
            plot::tone(index),
            share(bar.value),
        );
        for turn in bar.turns.iter().filter(|_| bar.turns.len() > 1) {
            let _ = write!(
                page,
                "<i class=\"dot\" style=\"left:{:.2}%\" title=\"{}\"></i>",
                share(*turn),
                written(*turn)
            );
        }
        let told = bar.goal.map(|goal| {
            let _ = write!(
                page,
                "<i class=\"goal\" style=\"left:{:.2}%\"></i>",
                share(goal.limit)
            );
            kept(bar.value, goal, unit, &written)
        });
        let _ = write!(
            page,
            "</td><td>{}{}</td></tr>",
            written(bar.value),
            told.unwrap_or_default()
        );
    }
    page.push_str("</table>");
}

/// The words of a goal, and whether it was kept.
fn kept(value: f64, goal: Goal, unit: Unit, written: &impl Fn(f64) -> String) -> String {
    let (class, word) = if goal.relation.holds(value, goal.limit) {
        ("good", "kept")
    } else {
        ("bad", "not kept")
    };
    let limit = if unit == Unit::Ratio {
        trimmed(goal.limit)
    } else {
        written(goal.limit)
    };
    let sign = escaped(goal.relation.sign());
    format!("<small class=\"{class}\">goal {sign} {limit}: {word}</small>")
}

/// How far to the right anything of a bar stands.
fn reach(bar: &Bar) -> f64 {
    let goal = bar.goal.map_or(0.0, |goal| goal.limit);
    let turns = bar.turns.iter().copied();
    turns.fold(bar.value.max(goal), f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, value: f64, turns: &[f64]) -> Bar {
        Bar {
            name: name.to_owned(),
            value,
            turns: turns.to_vec(),
            goal: None,
        }
    }

    fn figure() -> Arms {
        let at_least = |limit| {
            let relation = Relation::AtLeast;
            Some(Goal { relation, limit })
        };
        Arms {
            key: "bytes_per_visitor".to_owned(),
            unit: Unit::Bytes,
            better: Better::Less,
            arms: vec![
                bar("<naive>", 4_000.0, &[3_000.0, 4_000.0, 5_000.0]),
                bar("switchboard", 1_000.0, &[1_000.0]),
            ],
            ratios: vec![
                Bar {
                    goal: at_least(2.0),
                    ..bar("N/S", 4.0, &[])
                },
                Bar {
                    goal: at_least(8.0),
                    ..bar("T/S", 0.0, &[])
                },
            ],
        }
    }

    #[test]
    fn the_furthest_thing_of_a_plot_still_stands_in_its_track() {
        let page = bars(&figure());
        // A turn of 5,000 is the furthest of the arms, a goal of 8 that of the ratios.
        for width in [
            "width:76.80%",
            "width:19.20%",
            "width:48.00%",
            "width:0.00%",
        ] {
            assert!(page.contains(width), "{width} in {page}");
        }
        for left in ["left:57.60%", "left:96.00%", "left:24.00%"] {
            assert!(page.contains(left), "{left} in {page}");
        }
        assert_eq!(
            page.matches("class=\"dot\"").count(),
            3,
            "one turn is no spread"
        );
    }

    #[test]
    fn a_goal_says_whether_it_was_kept_and_names_are_text() {
        let page = bars(&figure());
        for words in [
            "goal &gt;= 2: kept",
            "goal &gt;= 8: not kept",
            "&lt;naive&gt;",
            "4,000 B",
        ] {
            assert!(page.contains(words), "{words} in {page}");
        }
        assert!(page.contains("less is better; bars are medians, dots are turns"));
    }

    #[test]
    fn nothing_measured_is_no_fault_of_the_plot() {
        let mut figure = figure();
        figure.arms = vec![bar("naive", 0.0, &[])];
        figure.ratios = Vec::new();
        assert!(bars(&figure).contains("width:0.00%"));
    }
}
