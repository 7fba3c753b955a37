//! What is given to operators belongs together: each alert has its line in the runbook, each link there leads to a
//! heading, and store, bus and slowness are watched by alerts and shown on the dashboard.

use std::collections::BTreeSet;

use serde_json::Value;

const ALERTS: &str = include_str!("../../ops/prometheus-alerts.yml");
const DASHBOARD: &str = include_str!("../../ops/grafana-dashboard.json");
const RUNBOOK: &str = include_str!("../../ops/runbook.md");

/// What must be watched, and shown.
const WATCHED: [&str; 6] = [
    "switchboard_acknowledgement_seconds_bucket",
    "switchboard_store_up",
    "switchboard_store_failures_total",
    "switchboard_bus_up",
    "switchboard_ready",
    "switchboard_settings_differing",
];

/// What the runbook tells how to do, or how to end.
const HEADINGS: [&str; 8] = [
    "Install",
    "Update",
    "Drain a node",
    "Back up and restore",
    "Scale",
    "Messages are slow",
    "The store is away",
    "Redis is gone",
];

/// What hands settings over by variables.
const EXAMPLES: [&str; 3] = [
    include_str!("../../ops/compose.yaml"),
    include_str!("../../ops/Dockerfile"),
    include_str!("../../ops/switchboard.service"),
];

/// The variables of all keys, by the file that documents them.
fn variables() -> BTreeSet<String> {
    let mut section = String::new();
    let mut variables = BTreeSet::new();
    for line in include_str!("../../ops/switchboard.example.toml").lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}_", name.trim_end_matches(']'));
        } else if let Some((key, _)) = line.split_once(" = ") {
            variables.insert(format!("switchboard_{section}{key}").to_uppercase());
        }
    }
    variables
}

/// The name of each alert, and its rule.
fn alerts() -> Vec<(&'static str, &'static str)> {
    let rules = ALERTS.split("- alert: ").skip(1);
    rules
        .map(|rule| rule.split_once('\n').expect("a rule has lines"))
        .collect()
}

/// The headings of the runbook.
fn headings() -> BTreeSet<&'static str> {
    let lines = RUNBOOK.lines();
    lines.filter_map(|line| line.strip_prefix("## ")).collect()
}

#[test]
fn each_alert_says_what_it_is_about_and_has_its_line_in_the_runbook() {
    let alerts = alerts();
    assert!(alerts.len() >= 19);
    for (name, rule) in &alerts {
        let row = |line: &&str| {
            let cell = line.split('|').nth(1).map(str::trim);
            cell.is_some_and(|cell| cell.trim_matches('*') == *name)
        };
        let row = RUNBOOK.lines().find(row);
        let row = row.unwrap_or_else(|| panic!("{name} is not in the runbook"));
        let pages = rule.contains("severity: page");
        assert_eq!(row.contains("**"), pages, "{name}: bold says that it pages");
        for word in ["expr:", "severity:", "summary:", "description:"] {
            assert_eq!(rule.matches(word).count(), 1, "{name}: {word}");
        }
    }
    let names: BTreeSet<_> = alerts.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), alerts.len(), "each name is there once");
    let rows = RUNBOOK.lines().filter_map(|line| line.split('|').nth(1));
    for row in rows.map(|cell| cell.trim().trim_matches('*')) {
        if row.starts_with("Switchboard") {
            assert!(names.contains(&row), "{row} is no alert");
        }
    }
}

#[test]
fn store_bus_and_slowness_are_watched_and_shown() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("it has panels");
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    let shown: Vec<_> = targets
        .filter_map(|target| target["expr"].as_str())
        .collect();
    for name in WATCHED {
        assert!(
            alerts().iter().any(|(_, rule)| rule.contains(name)),
            "{name}"
        );
        assert!(shown.iter().any(|query| query.contains(name)), "{name}");
    }
    let ids: BTreeSet<_> = panels
        .iter()
        .filter_map(|panel| panel["id"].as_u64())
        .collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
}

#[test]
fn the_runbook_tells_what_to_do_and_how_one_knows_that_it_is_over() {
    let headings = headings();
    for heading in HEADINGS {
        assert!(headings.contains(heading), "{heading}");
    }
    for trouble in ["Messages are slow", "The store is away", "Redis is gone"] {
        let (_, text) = RUNBOOK
            .split_once(&format!("\n## {trouble}\n"))
            .expect("it is a heading");
        let text = text.split("\n## ").next().unwrap_or_default();
        for part in ["**Sign:**", "switchboard_", "**It is over**"] {
            assert!(text.contains(part), "{trouble}: {part}");
        }
    }
}

#[test]
fn links_within_the_runbook_lead_to_headings() {
    let anchor = |heading: &str| heading.to_lowercase().replace(' ', "-");
    let anchors: BTreeSet<_> = headings().into_iter().map(anchor).collect();
    let links = RUNBOOK.split("](#").skip(1);
    let links: Vec<_> = links.filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 5);
    for link in links {
        assert!(anchors.contains(link), "{link}");
    }
}

#[test]
fn examples_set_variables_that_exist() {
    let variables = variables();
    let is_of_name = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let mut count = 0;
    for example in EXAMPLES {
        for rest in example.split("SWITCHBOARD_").skip(1) {
            let name = rest.split(|letter| !is_of_name(letter)).next();
            let name = format!("SWITCHBOARD_{}", name.unwrap_or_default());
            assert!(variables.contains(&name), "{name}");
            count += 1;
        }
    }
    assert!(count > 10);
}
