//! Variables: `SWITCHBOARD_` and the key in capitals, `backup.daily_at` as `SWITCHBOARD_BACKUP_DAILY_AT`.
//!
//! The keys are those of the file, so that a new key needs nothing here. A list is written with commas.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Config, ConfigError, Mistake};

const PREFIX: &str = "SWITCHBOARD_";

/// Says that the configuration may ask for faults. No key, so that no file can say it.
const ALLOW_FAULTS: &str = "SWITCHBOARD_ALLOW_FAULTS";

/// Ours too, but not keys: the file's name, where `copy` goes, and what only tests read.
const OTHERS: [&str; 3] = [
    "SWITCHBOARD_CONFIG",
    "SWITCHBOARD_COPY_TO",
    "SWITCHBOARD_TEST_",
];

pub(super) fn apply(
    written: &Config,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(Config, Vec<String>), ConfigError> {
    let mut table = Table::try_from(written).expect("the configuration is plain values");
    let mut unknown = Vec::new();
    let mut mistakes = Vec::new();
    let mut faults_allowed = false;
    let paths = paths(&table);
    for (name, text) in variables {
        if name == ALLOW_FAULTS {
            faults_allowed = text == "1";
            continue;
        }
        if !name.starts_with(PREFIX) || OTHERS.iter().any(|other| name.starts_with(other)) {
            continue;
        }
        let Some((section, key)) = paths.get(&name) else {
            unknown.push(name);
            continue;
        };
        let target = match section {
            None => table.get_mut(key),
            Some(section) => table.get_mut(section).and_then(|value| value.get_mut(key)),
        };
        let value = target.expect("the path was taken from this table");
        match read(value, &text) {
            Ok(new) => *value = new,
            Err(problem) => mistakes.push(Mistake { key: name, problem }),
        }
    }
    if !mistakes.is_empty() {
        return Err(ConfigError { mistakes });
    }
    let config = table
        .try_into::<Config>()
        .map_err(|error| ConfigError::one("environment", error.message()))?;
    let config = Config {
        faults_allowed,
        ..config
    };
    Ok((config, unknown))
}

/// Every key by the name of its variable.
fn paths(table: &Table) -> BTreeMap<String, (Option<String>, String)> {
    let mut paths = BTreeMap::new();
    for (key, value) in table {
        if let Value::Table(section) = value {
            for inner in section.keys() {
                let name = format!("{PREFIX}{key}_{inner}").to_uppercase();
                paths.insert(name, (Some(key.clone()), inner.clone()));
            }
        } else {
            paths.insert(format!("{PREFIX}{key}").to_uppercase(), (None, key.clone()));
        }
    }
    paths
}

/// The text as a value of the same type as the present one.
fn read(present: &Value, text: &str) -> Result<Value, String> {
    match present {
        Value::String(_) => Ok(Value::String(text.to_owned())),
        Value::Integer(_) => {
            let number = text.trim().parse();
            let number = number.map_err(|_| format!("must be a whole number, not {text:?}"))?;
            Ok(Value::Integer(number))
        }
        Value::Array(_) => {
            let items = text.split(',').map(str::trim);
            let items = items.filter(|item| !item.is_empty());
            let items = items.map(|item| Value::String(item.to_owned()));
            Ok(Value::Array(items.collect()))
        }
        Value::Boolean(_) | Value::Float(_) | Value::Datetime(_) | Value::Table(_) => {
            Err("cannot be set by a variable".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<(Config, Vec<String>), ConfigError> {
        let variables = variables
            .iter()
            .map(|(name, text)| (name.to_string(), text.to_string()));
        Config::load(None, variables)
    }

    #[test]
    fn variables_set_texts_numbers_and_lists() {
        let (config, unknown) = load(&[
            ("SWITCHBOARD_LISTEN", "0.0.0.0:80"),
            ("SWITCHBOARD_BACKUP_KEEP", "3"),
            ("SWITCHBOARD_LIMITS_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
            ("PATH", "/bin"),
        ])
        .expect("all are right");
        assert_eq!(config.listen, "0.0.0.0:80");
        assert_eq!(config.backup.keep, 3);
        assert_eq!(config.limits.trusted_proxies, ["10.0.0.0/8", "::1"]);
        assert!(unknown.is_empty());
    }

    #[test]
    fn faults_are_refused_unless_a_variable_allows_them() {
        let check = |allow: &str, key: &str, text: &str| {
            let variables = [("SWITCHBOARD_ALLOW_FAULTS", allow), (key, text)];
            let (config, unknown) = load(&variables).expect("well-formed");
            assert!(unknown.is_empty());
            config.check().err().map(|error| error.to_string())
        };
        for (key, text) in [
            ("SWITCHBOARD_DEBUG_CLOCK_SKEW_MS", "-300000"),
            ("SWITCHBOARD_DEBUG_FAIL_ONE_IN", "100"),
        ] {
            for allow in ["", "0", "true"] {
                let refused = check(allow, key, text).expect("nobody allowed it");
                assert!(refused.contains("SWITCHBOARD_ALLOW_FAULTS=1"), "{refused}");
            }
            assert_eq!(check("1", key, text), None);
            assert_eq!(check("", key, "0"), None);
        }
        let far = check("1", "SWITCHBOARD_DEBUG_CLOCK_SKEW_MS", "99999999999");
        assert!(far.expect("years").contains("a day"));
    }

    #[test]
    fn a_number_that_is_none_is_a_mistake_with_the_variables_name() {
        let error = load(&[("SWITCHBOARD_BACKUP_KEEP", "many")])
            .err()
            .expect("no number");
        assert_eq!(error.mistakes[0].key, "SWITCHBOARD_BACKUP_KEEP");
        let error = load(&[("SWITCHBOARD_BACKUP_KEEP", "-1")])
            .err()
            .expect("below zero");
        assert!(error.to_string().contains("-1"), "{error}");
    }

    #[test]
    fn a_variable_that_means_nothing_is_reported_and_not_refused() {
        let (_, unknown) = load(&[
            ("SWITCHBOARD_SERVICE_HOST", "10.1.1.1"),
            ("SWITCHBOARD_TEST_POSTGRES_URL", "postgres://"),
        ])
        .expect("a cluster sets such names for its own reasons");
        assert_eq!(unknown, ["SWITCHBOARD_SERVICE_HOST"]);
    }

    #[test]
    fn the_variables_of_the_fixed_points_exist() {
        let table = Table::try_from(Config::default()).expect("plain values");
        let paths = paths(&table);
        for name in [
            "LISTEN",
            "DATA_DIR",
            "DATABASE_URL",
            "REDIS_URL",
            "SETUP_EMAIL",
            "SETUP_PASSWORD",
        ] {
            assert!(paths.contains_key(&format!("{PREFIX}{name}")), "{name}");
        }
    }
}
