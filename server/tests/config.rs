//! The configuration as an operator meets it: the example file, mistakes, and what they say.

use server::Config;
use server::config::ConfigError;

const EXAMPLE: &str = include_str!("../../ops/switchboard.example.toml");

/// The mistakes that a file's text has, as shown.
fn mistakes(text: &str) -> String {
    let config = Config::parse(text).expect("the form is right");
    config
        .check()
        .err()
        .as_ref()
        .map(ConfigError::to_string)
        .unwrap_or_default()
}

fn keys(table: &toml::Table) -> Vec<String> {
    let mut keys = Vec::new();
    for (key, value) in table {
        keys.push(key.clone());
        if let toml::Value::Table(section) = value {
            keys.extend(section.keys().map(|inner| format!("{key}.{inner}")));
        }
    }
    keys
}

#[test]
fn the_example_names_every_key_with_its_default() {
    let example: toml::Table = EXAMPLE.parse().expect("the example is TOML");
    let default = toml::Table::try_from(Config::default()).expect("plain values");
    assert_eq!(keys(&example), keys(&default));
    assert_eq!(example, default);
    let parsed = Config::parse(EXAMPLE).expect("the example is a configuration");
    assert!(parsed == Config::default());
}

#[test]
fn the_defaults_are_right() {
    assert_eq!(mistakes(""), "");
}

#[test]
fn an_unknown_key_is_refused_with_its_place() {
    let problem = Config::parse("[backup]\ndaily = \"03:00\"\n")
        .err()
        .expect("unknown");
    assert!(
        problem.contains("line 2") && problem.contains("daily"),
        "{problem}"
    );
    let problem = Config::parse("listen = 8080").err().expect("not a text");
    assert!(problem.contains("line 1"), "{problem}");
}

/// A configuration with one mistake, and the key that is named.
const MISTAKES: &[(&str, &str)] = &[
    ("listen = \"8080\"", "listen"),
    ("data_dir = \"\"", "data_dir"),
    ("database_url = \"mysql://host\"", "database_url"),
    ("public_url = \"chat.example.com\"", "public_url"),
    (
        "public_url = \"https://chat.example.com/path\"",
        "public_url",
    ),
    ("assets_dir = \"/does/not/exist\"", "assets_dir"),
    ("[setup]\nemail = \"a@example.com\"", "setup"),
    (
        "[setup]\nemail = \"nobody\"\npassword = \"correct-horse\"",
        "setup.email",
    ),
    (
        "[setup]\nemail = \"a@example.com\"\npassword = \"short\"",
        "setup.password",
    ),
    ("[tls]\ncertificate = \"cert.pem\"", "tls"),
    (
        "[tls]\nredirect_listen = \"0.0.0.0:80\"",
        "tls.redirect_listen",
    ),
    (
        "[tls]\ncertificate = \"/no/cert\"\nkey = \"/no/key\"",
        "tls.certificate",
    ),
    (
        "[limits]\ntrusted_proxies = [\"10.0.0.0/33\"]",
        "limits.trusted_proxies",
    ),
    (
        "[limits]\ntrusted_addresses = [\"host\"]",
        "limits.trusted_addresses",
    ),
    ("[limits]\nconnections_max = 0", "limits.connections_max"),
    (
        "[limits]\nhttp_connections_max = 0",
        "limits.http_connections_max",
    ),
    ("[limits]\nkey_requests_burst = 0", "limits.key_requests"),
    (
        "[limits]\nattachment_bytes_max = 20971521",
        "limits.attachment_bytes_max",
    ),
    (
        "[limits]\nvisitor_upload_bytes_burst = 20971519",
        "limits.visitor_upload_bytes",
    ),
    (
        "[limits]\naddress_upload_bytes_per_minute = 0",
        "limits.address_upload_bytes",
    ),
    (
        "[limits]\nvisitor_unclaimed_bytes_max = 1000",
        "limits.visitor_unclaimed_bytes_max",
    ),
    ("shards = 65", "shards"),
    ("[login]\nsession_days = 0", "login"),
    ("[login]\nlockout_minutes = 0", "login.lockout_minutes"),
    ("[login]\nlockout_minutes = 600000", "login"),
    ("[attachments]\ns3_bucket = \"files\"", "attachments"),
    ("[geo]\ndatabase = \"/no/such.mmdb\"", "geo.database"),
    ("[retention]\nvisitor_days = 0", "retention.visitor_days"),
    ("[retention]\ncommand_days = 89", "retention.command_days"),
    ("[retention]\nevent_days = 40000", "retention.event_days"),
    (
        "[retention]\nfailed_login_days = 0",
        "retention.failed_login_days",
    ),
    (
        "[retention]\nfailed_login_days = 1\n[login]\nlockout_minutes = 1441",
        "retention.failed_login_days",
    ),
    ("[metrics]\nlisten = \"9090\"", "metrics.listen"),
    ("[backup]\ndaily_at = \"24:00\"", "backup.daily_at"),
    ("[backup]\nkeep = 0", "backup.keep"),
    ("[log]\nfilter = \"shout=[\"", "log.filter"),
    ("[log]\nformat = \"xml\"", "log.format"),
];

#[test]
fn each_mistake_names_its_key() {
    for (text, named) in MISTAKES {
        let found = mistakes(text);
        assert!(
            found.starts_with(&format!("{named}:")),
            "{text} gave {found:?}"
        );
    }
}

#[test]
fn a_lockout_is_what_the_operator_says() {
    let text = "[login]\nlockout_failures = 3\nlockout_minutes = 2\n";
    let config = Config::parse(text).expect("the form is right");
    let checked = config.check().expect("it has no mistakes");
    assert_eq!(checked.desk.lockout_failures, 3);
    assert_eq!(checked.desk.lockout_ms, 120_000);
    assert_eq!(checked.retention.lockout_ms, 120_000);
}

#[test]
fn all_mistakes_are_named_at_once() {
    let found = mistakes("listen = \"x\"\n[backup]\nkeep = 0\n");
    assert_eq!(found.lines().count(), 2, "{found}");
}

#[test]
fn a_bus_needs_postgres_and_a_well_formed_address() {
    let found = mistakes("redis_url = \"redis://127.0.0.1\"");
    assert!(found.contains("SQLite"), "{found}");
    let with = |redis: &str| mistakes(&format!("database_url = \"postgres://host/db\"\n{redis}"));
    assert_eq!(with("redis_url = \"redis://127.0.0.1\""), "");
    let found = with("redis_url = \"redis://:secret@host/3\"");
    assert!(found.starts_with("redis_url:"), "{found}");
    assert!(!found.contains("secret"), "{found}");
    let found = with("redis_prefix = \"a b\"");
    assert!(found.starts_with("redis_prefix:"), "{found}");
}

#[test]
fn files_that_hold_no_certificate_are_told() {
    let found = mistakes("[tls]\ncertificate = \"Cargo.toml\"\nkey = \"Cargo.toml\"");
    assert!(
        found.contains("tls") && found.contains("Cargo.toml"),
        "{found}"
    );
}

#[test]
fn the_way_to_postgres_is_checked_before_a_start() {
    let found = mistakes("database_url = \"postgres://host/db?sslmode=maybe\"");
    assert!(found.contains("sslmode is disable, prefer"), "{found}");
}

#[test]
fn no_message_repeats_a_password() {
    for url in [
        "mysql://user:secret@host",
        "postgres://user:secret@host:port/db",
        "postgres://user:secret@host/db?sslmode=verify-ca",
        "postgres://user:se?secret@host/db?connect_timeout=x",
    ] {
        let found = mistakes(&format!("database_url = \"{url}\""));
        assert!(found.contains("database_url"), "{found}");
        assert!(!found.contains("secret"), "{found}");
    }
}
