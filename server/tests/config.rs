//! The configuration as an operator meets it: the example file, mistakes, and what they say.

use protocol::limit;
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

/// A configuration with one mistake, the key that is named, and what is said of it.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "[debug]\nfail_one_in = 100",
        "debug.fail_one_in",
        "refused unless SWITCHBOARD_ALLOW_FAULTS=1",
    ),
    ("listen = \"8080\"", "listen", "an address and a port"),
    ("data_dir = \"\"", "data_dir", "must name a directory"),
    ("database_url = \"mysql://host\"", "database_url", "sqlite:"),
    (
        "database_timeout_ms = 99",
        "database_timeout_ms",
        "100 to 600000",
    ),
    (
        "database_timeout_ms = 600001",
        "database_timeout_ms",
        "100 to 600000",
    ),
    ("redis_prefix = \"a b\"", "redis_prefix", "1 to 64 letters"),
    ("redis_prefix = \"\"", "redis_prefix", "1 to 64 letters"),
    (
        "redis_url = \"redis://host\"",
        "redis_url",
        "needs Postgres",
    ),
    (
        "public_url = \"chat.example.com\"",
        "public_url",
        "scheme and host alone",
    ),
    (
        "public_url = \"https://chat.example.com/path\"",
        "public_url",
        "scheme and host alone",
    ),
    (
        "assets_dir = \"/does/not/exist\"",
        "assets_dir",
        "is not a directory",
    ),
    ("shards = 65", "shards", "must be 64 at most"),
    ("[setup]\nemail = \"a@example.com\"", "setup", "needs both"),
    (
        "[setup]\nemail = \"nobody\"\npassword = \"correct-horse\"",
        "setup.email",
        "is not an e-mail address",
    ),
    (
        "[setup]\nemail = \"a@example.com\"\npassword = \"short\"",
        "setup.password",
        "at least 12 characters",
    ),
    (
        "[tls]\ncertificate = \"cert.pem\"",
        "tls",
        "needs both certificate and key",
    ),
    (
        "[tls]\nredirect_listen = \"0.0.0.0:80\"",
        "tls.redirect_listen",
        "needs certificate and key",
    ),
    (
        "[tls]\ncertificate = \"Cargo.toml\"\nkey = \"/no/key\"",
        "tls.key",
        "cannot be read",
    ),
    (
        "[tls]\ncertificate = \"/no/cert\"\nkey = \"Cargo.toml\"",
        "tls.certificate",
        "cannot be read",
    ),
    (
        "[tls]\ncertificate = \"Cargo.toml\"\nkey = \"Cargo.toml\"",
        "tls",
        "Cargo.toml",
    ),
    (
        "[limits]\ntrusted_proxies = [\"10.0.0.0/33\"]",
        "limits.trusted_proxies",
        "not a network",
    ),
    (
        "[limits]\ntrusted_addresses = [\"host\"]",
        "limits.trusted_addresses",
        "not a network",
    ),
    (
        "[limits]\nconnections_max = 0",
        "limits.connections_max",
        "must be 1 or more",
    ),
    (
        "[limits]\nconnections_per_address_max = 0",
        "limits.connections_per_address_max",
        "must be 1 or more",
    ),
    (
        "[limits]\nhttp_connections_max = 0",
        "limits.http_connections_max",
        "must be 1 or more",
    ),
    (
        "[limits]\nhttp_connections_per_address_max = 0",
        "limits.http_connections_per_address_max",
        "must be 1 or more",
    ),
    (
        "[limits]\nconnection_frames_per_minute = 0",
        "limits.connection_frames",
        "begin at 1",
    ),
    (
        "[limits]\nconnection_frames_burst = 0",
        "limits.connection_frames",
        "begin at 1",
    ),
    (
        "[limits]\nvisitor_requests_per_minute = 0",
        "limits.visitor_requests",
        "begin at 1",
    ),
    (
        "[limits]\nvisitor_requests_burst = 0",
        "limits.visitor_requests",
        "begin at 1",
    ),
    (
        "[limits]\naddress_requests_per_minute = 0",
        "limits.address_requests",
        "begin at 1",
    ),
    (
        "[limits]\naddress_requests_burst = 0",
        "limits.address_requests",
        "begin at 1",
    ),
    (
        "[limits]\naddress_connections_per_minute = 0",
        "limits.address_connections",
        "begin at 1",
    ),
    (
        "[limits]\naddress_connections_burst = 0",
        "limits.address_connections",
        "begin at 1",
    ),
    (
        "[limits]\nsite_sessions_per_minute = 0",
        "limits.site_sessions",
        "begin at 1",
    ),
    (
        "[limits]\nsite_sessions_burst = 0",
        "limits.site_sessions",
        "begin at 1",
    ),
    (
        "[limits]\nvisitor_traces_per_minute = 0",
        "limits.visitor_traces",
        "begin at 1",
    ),
    (
        "[limits]\nvisitor_traces_burst = 0",
        "limits.visitor_traces",
        "begin at 1",
    ),
    (
        "[limits]\nsite_traces_per_minute = 0",
        "limits.site_traces",
        "begin at 1",
    ),
    (
        "[limits]\nsite_traces_burst = 0",
        "limits.site_traces",
        "begin at 1",
    ),
    (
        "[limits]\nkey_requests_per_minute = 0",
        "limits.key_requests",
        "begin at 1",
    ),
    (
        "[limits]\nkey_requests_burst = 0",
        "limits.key_requests",
        "begin at 1",
    ),
    (
        "[limits]\nmetrics_requests_per_minute = 0",
        "limits.metrics_requests",
        "begin at 1",
    ),
    (
        "[limits]\nmetrics_requests_burst = 0",
        "limits.metrics_requests",
        "begin at 1",
    ),
    (
        "[limits]\nattachment_bytes_max = 0",
        "limits.attachment_bytes_max",
        "must be 1 to 20971520",
    ),
    (
        "[limits]\nattachment_bytes_max = 20971521",
        "limits.attachment_bytes_max",
        "must be 1 to 20971520",
    ),
    (
        "[limits]\nvisitor_upload_bytes_per_minute = 0",
        "limits.visitor_upload_bytes",
        "begins at 1",
    ),
    (
        "[limits]\nvisitor_upload_bytes_burst = 20971519",
        "limits.visitor_upload_bytes",
        "the burst at 20971520",
    ),
    (
        "[limits]\naddress_upload_bytes_per_minute = 0",
        "limits.address_upload_bytes",
        "begins at 1",
    ),
    (
        "[limits]\naddress_upload_bytes_burst = 20971519",
        "limits.address_upload_bytes",
        "the burst at 20971520",
    ),
    (
        "[limits]\nvisitor_unclaimed_bytes_max = 1000",
        "limits.visitor_unclaimed_bytes_max",
        "at least 20971520",
    ),
    ("[login]\nsession_days = 0", "login", "begin at 1"),
    ("[login]\nsession_idle_days = 0", "login", "begin at 1"),
    ("[login]\nsession_days = 3651", "login", "at most ten years"),
    (
        "[login]\nlockout_minutes = 0",
        "login.lockout_minutes",
        "begins at 1",
    ),
    (
        "[login]\nlockout_minutes = 600000",
        "login",
        "at most ten years for sessions and one for a lockout",
    ),
    (
        "[attachments]\nmedia_types = [\"image/jpg\"]",
        "attachments.media_types",
        "no file is ever found to be \"image/jpg\"",
    ),
    (
        "[attachments]\ns3_bucket = \"files\"",
        "attachments",
        "a bucket needs",
    ),
    (
        "[geo]\ndatabase = \"/no/such.mmdb\"",
        "geo.database",
        "cannot be read",
    ),
    (
        "[retention]\nvisitor_days = 0",
        "retention.visitor_days",
        "must be 1 to 36500 days",
    ),
    (
        "[retention]\nevent_days = 40000",
        "retention.event_days",
        "must be 1 to 36500 days",
    ),
    (
        "[retention]\nsign_in_days = 0",
        "retention.sign_in_days",
        "must be 1 to 36500 days",
    ),
    (
        "[retention]\nfailed_login_days = 0",
        "retention.failed_login_days",
        "must be 1 to 36500 days",
    ),
    (
        "[retention]\naudit_days = 36501",
        "retention.audit_days",
        "must be 0 to 36500 days",
    ),
    (
        "[retention]\nfailed_login_days = 1\n[login]\nlockout_minutes = 1441",
        "retention.failed_login_days",
        "as long as login.lockout_minutes",
    ),
    (
        "[metrics]\nlisten = \"9090\"",
        "metrics.listen",
        "an address and a port",
    ),
    (
        "[backup]\ndaily_at = \"24:00\"",
        "backup.daily_at",
        "a time in UTC like 03:00",
    ),
    (
        "[backup]\ndaily_at = \"3:00\"",
        "backup.daily_at",
        "a time in UTC like 03:00",
    ),
    ("[backup]\nkeep = 0", "backup.keep", "at least 1"),
    (
        "[log]\nfilter = \"shout=[\"",
        "log.filter",
        "must be levels like",
    ),
    (
        "[log]\nformat = \"xml\"",
        "log.format",
        "must be text or json",
    ),
];

#[test]
fn each_mistake_names_its_key_and_the_reason() {
    for (text, named, reason) in MISTAKES {
        let found = mistakes(text);
        assert!(
            found.starts_with(&format!("{named}:")) && found.contains(reason),
            "{text} gave {found:?}"
        );
    }
}

#[test]
fn what_commands_came_to_is_remembered_as_long_as_clients_may_retry() {
    let days = |days: u64| mistakes(&format!("[retention]\ncommand_days = {days}"));
    assert_eq!(days(limit::COMMAND_DAYS_MIN), "");
    let found = days(limit::COMMAND_DAYS_MIN - 1);
    assert!(
        found.starts_with("retention.command_days: must be 90 to"),
        "{found}"
    );
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
    let found = with("redis_url = \"rediss://host?sslrootcert=/no/authority\"");
    assert!(
        found.starts_with("redis_url: sslrootcert /no/authority"),
        "{found}"
    );
    let found = with("redis_url = \"redis://:secret@host/3\"");
    assert!(found.starts_with("redis_url:"), "{found}");
    assert!(!found.contains("secret"), "{found}");
    let found = with("redis_prefix = \"a b\"");
    assert!(found.starts_with("redis_prefix:"), "{found}");
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
