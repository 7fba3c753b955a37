//! What is expected of a run. A violated expectation makes the program end with 1.

use std::str::FromStr;

use serde::Serialize;

/// How a figure must lie to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Not above it.
    AtMost,
    /// Not below it.
    AtLeast,
    /// Just it.
    Exactly,
}

impl Relation {
    /// Whether a figure lies so to its limit.
    #[must_use]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::AtMost => value <= limit,
            Self::AtLeast => value >= limit,
            Self::Exactly => (value - limit).abs() < f64::EPSILON,
        }
    }

    /// The sign between figure and limit.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Exactly => "=",
        }
    }
}

/// An expectation and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expectation {
    /// Of which figure.
    pub name: String,
    /// How it must lie.
    pub relation: Relation,
    /// To what.
    pub limit: f64,
    /// What it was; nothing where it was not measured.
    pub value: Option<f64>,
    /// Whether it was kept. What was not measured was not kept.
    pub met: bool,
}

impl Expectation {
    /// Compares a figure with its limit.
    #[must_use]
    pub fn of(name: &str, value: Option<f64>, relation: Relation, limit: f64) -> Self {
        Self {
            name: name.to_owned(),
            relation,
            limit,
            value,
            met: value.is_some_and(|value| relation.holds(value, limit)),
        }
    }
}

/// An expectation as it was asked for: `delivery_p99_ms<=25`.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// Of which figure.
    pub name: String,
    /// How it must lie.
    pub relation: Relation,
    /// To what.
    pub limit: f64,
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let signs = [Relation::AtMost, Relation::AtLeast, Relation::Exactly];
        let found = signs.into_iter().find_map(|relation| {
            let (name, limit) = text.split_once(relation.sign())?;
            Some((name.trim(), relation, limit.trim()))
        });
        let (name, relation, limit) =
            found.ok_or("write it as NAME<=VALUE, NAME>=VALUE or NAME=VALUE")?;
        let limit: f64 = limit.parse().map_err(|_| "the value is no number")?;
        if name.is_empty() || !limit.is_finite() {
            return Err("the name is empty or the value is no number".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            relation,
            limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, Relation, f64)>) {
        let expected = expected.map(|(name, relation, limit)| Wish {
            name: name.to_owned(),
            relation,
            limit,
        });
        assert_eq!(text.parse::<Wish>().ok(), expected, "{text}");
    }

    #[test]
    fn wishes_are_written_as_comparisons() {
        let p99 = ("delivery_p99_ms", Relation::AtMost, 25.0);
        check("delivery_p99_ms<=25", Some(p99));
        check(" delivery_p99_ms <= 25 ", Some(p99));
        check("rate>=1.5", Some(("rate", Relation::AtLeast, 1.5)));
        check("lost=0", Some(("lost", Relation::Exactly, 0.0)));
        for text in [
            "",
            "rate",
            "rate<5",
            "<=5",
            "rate<=",
            "rate<=fast",
            "rate<=NaN",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn what_was_not_measured_was_not_kept() {
        assert!(!Expectation::of("rate", None, Relation::AtMost, 5.0).met);
        assert!(Expectation::of("rate", Some(5.0), Relation::AtMost, 5.0).met);
        assert!(Expectation::of("lost", Some(0.0), Relation::Exactly, 0.0).met);
        assert!(!Expectation::of("lost", Some(1.0), Relation::Exactly, 0.0).met);
    }
}
