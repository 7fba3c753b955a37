//! Every key of the configuration reaches the part that it is for: what is set alone is what changes there.
//! What each part does with it, the part's own tests show.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall stop")]

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bus::RedisConfig;
use gateway::config::{ByteRate, Rate};
use gateway::media::MediaTypes;
use server::Config;
use server::config::Checked;
use storage::Home;
use storage::blob::BlobConfig;
use toml::{Table, Value};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const MIB: u64 = 1024 * 1024;

/// What has to be set besides, so that a key means anything.
const NOTHING: &str = "";
const POSTGRES: &str = r#"database_url = "postgres://host/db""#;
const REDIS: &str = r#"
database_url = "postgres://host/db"
redis_url = "redis://host"
"#;
const SETUP: &str = r#"
[setup]
email = "olga@example.com"
password = "correct-horse"
"#;
const TLS: &str = r#"
[tls]
certificate = "$/cert.pem"
key = "$/cert.key"
"#;
const BUCKET: &str = r#"
[attachments]
s3_bucket = "files"
s3_access_key_id = "id"
s3_secret_access_key = "secret"
"#;

/// A key, a value that is not its default, what is set besides, and what is so then and not before.
/// `$` is a directory with certificates.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Checked) -> bool,
);

const KEYS: &[Row] = &[
    ("listen", r#""127.0.0.1:7001""#, NOTHING, |c| {
        c.listen.http == address(7001)
    }),
    ("data_dir", r#""elsewhere""#, NOTHING, |c| {
        c.data_dir == Path::new("elsewhere")
            && is_file_of(c, "elsewhere/switchboard.db")
            && c.backup.directory == Path::new("elsewhere/backups")
            && matches!(&c.blobs, BlobConfig::Directory(path) if path == Path::new("elsewhere/files"))
    }),
    ("database_timeout_ms", "900", NOTHING, |c| {
        c.database.timeout == Duration::from_millis(900)
    }),
    ("database_url", r#""sqlite:other.db""#, NOTHING, |c| {
        is_file_of(c, "other.db")
    }),
    ("redis_url", r#""redis://127.0.0.1:7002""#, POSTGRES, |c| {
        c.bus == Some(RedisConfig::of_url("redis://127.0.0.1:7002", "switchboard").unwrap())
    }),
    ("redis_prefix", r#""other""#, REDIS, |c| {
        c.bus == Some(RedisConfig::of_url("redis://host", "other").unwrap())
    }),
    (
        "public_url",
        r#""https://chat.example.com/""#,
        NOTHING,
        |c| c.gateway.public_origin.as_deref() == Some("https://chat.example.com"),
    ),
    ("shards", "3", NOTHING, |c| c.gateway.shards == 3),
    ("assets_dir", r#"".""#, NOTHING, |c| {
        c.gateway.assets_dir.as_deref() == Some(Path::new("."))
    }),
    ("setup.email", r#""ann@example.com""#, SETUP, |c| {
        c.setup == setup("ann@example.com", "correct-horse")
    }),
    ("setup.password", r#""battery-staple""#, SETUP, |c| {
        c.setup == setup("olga@example.com", "battery-staple")
    }),
    ("tls.certificate", r#""$/other.pem""#, TLS, |c| {
        c.gateway
            .tls
            .as_ref()
            .is_some_and(|tls| tls.certificate.ends_with("other.pem"))
    }),
    ("tls.key", r#""$/other.key""#, TLS, |c| {
        c.gateway
            .tls
            .as_ref()
            .is_some_and(|tls| tls.key.ends_with("other.key"))
    }),
    ("tls.redirect_listen", r#""127.0.0.1:7003""#, TLS, |c| {
        c.listen.redirect == Some(address(7003))
    }),
    (
        "limits.trusted_proxies",
        r#"["10.0.0.0/8"]"#,
        NOTHING,
        |c| c.gateway.trusted_proxies == ["10.0.0.0/8".parse().unwrap()],
    ),
    (
        "limits.trusted_addresses",
        r#"["10.0.0.0/8"]"#,
        NOTHING,
        |c| c.gateway.limits.trusted_addresses == ["10.0.0.0/8".parse().unwrap()],
    ),
    ("limits.connections_max", "7", NOTHING, |c| {
        c.gateway.limits.connections_max == 7
    }),
    ("limits.connections_per_address_max", "7", NOTHING, |c| {
        c.gateway.limits.connections_per_address_max == 7
    }),
    ("limits.http_connections_max", "7", NOTHING, |c| {
        c.gateway.limits.http_connections_max == 7
    }),
    (
        "limits.http_connections_per_address_max",
        "7",
        NOTHING,
        |c| c.gateway.limits.http_connections_per_address_max == 7,
    ),
    ("limits.connection_frames_per_minute", "7", NOTHING, |c| {
        c.gateway.limits.connection_frames == Rate::new(7, 200)
    }),
    ("limits.connection_frames_burst", "7", NOTHING, |c| {
        c.gateway.limits.connection_frames == Rate::new(1200, 7)
    }),
    ("limits.visitor_requests_per_minute", "7", NOTHING, |c| {
        c.gateway.limits.visitor_requests == Rate::new(7, 120)
    }),
    ("limits.visitor_requests_burst", "7", NOTHING, |c| {
        c.gateway.limits.visitor_requests == Rate::new(240, 7)
    }),
    ("limits.address_requests_per_minute", "7", NOTHING, |c| {
        c.gateway.limits.address_requests == Rate::new(7, 600)
    }),
    ("limits.address_requests_burst", "7", NOTHING, |c| {
        c.gateway.limits.address_requests == Rate::new(1200, 7)
    }),
    ("limits.address_connections_per_minute", "7", NOTHING, |c| {
        c.gateway.limits.address_connections == Rate::new(7, 300)
    }),
    ("limits.address_connections_burst", "7", NOTHING, |c| {
        c.gateway.limits.address_connections == Rate::new(600, 7)
    }),
    ("limits.site_sessions_per_minute", "7", NOTHING, |c| {
        c.gateway.limits.site_sessions == Rate::new(7, 2000)
    }),
    ("limits.site_sessions_burst", "7", NOTHING, |c| {
        c.gateway.limits.site_sessions == Rate::new(6000, 7)
    }),
    ("limits.visitor_traces_per_minute", "7", NOTHING, |c| {
        c.gateway.limits.visitor_traces == Rate::new(7, 120)
    }),
    ("limits.visitor_traces_burst", "7", NOTHING, |c| {
        c.gateway.limits.visitor_traces == Rate::new(120, 7)
    }),
    ("limits.site_traces_per_minute", "7", NOTHING, |c| {
        c.gateway.limits.site_traces == Rate::new(7, 20000)
    }),
    ("limits.site_traces_burst", "7", NOTHING, |c| {
        c.gateway.limits.site_traces == Rate::new(60000, 7)
    }),
    ("limits.key_requests_per_minute", "7", NOTHING, |c| {
        c.gateway.limits.key_requests == Rate::new(7, 60)
    }),
    ("limits.key_requests_burst", "7", NOTHING, |c| {
        c.gateway.limits.key_requests == Rate::new(60, 7)
    }),
    ("limits.metrics_requests_per_minute", "7", NOTHING, |c| {
        c.gateway.limits.metrics_requests == Rate::new(7, 30)
    }),
    ("limits.metrics_requests_burst", "7", NOTHING, |c| {
        c.gateway.limits.metrics_requests == Rate::new(60, 7)
    }),
    (
        "limits.visitor_upload_bytes_per_minute",
        "7",
        NOTHING,
        |c| c.gateway.limits.visitor_upload_bytes == ByteRate::new(7, 200 * MIB),
    ),
    (
        "limits.visitor_upload_bytes_burst",
        "31457280",
        NOTHING,
        |c| c.gateway.limits.visitor_upload_bytes == ByteRate::new(10 * MIB, 30 * MIB),
    ),
    (
        "limits.address_upload_bytes_per_minute",
        "7",
        NOTHING,
        |c| c.gateway.limits.address_upload_bytes == ByteRate::new(7, 800 * MIB),
    ),
    (
        "limits.address_upload_bytes_burst",
        "31457280",
        NOTHING,
        |c| c.gateway.limits.address_upload_bytes == ByteRate::new(40 * MIB, 30 * MIB),
    ),
    (
        "limits.visitor_unclaimed_bytes_max",
        "31457280",
        NOTHING,
        |c| c.router.visitor_unclaimed_bytes_max == 30 * MIB,
    ),
    ("limits.attachment_bytes_max", "1000", NOTHING, |c| {
        c.gateway.limits.attachment_bytes_max == 1_000
    }),
    ("login.lockout_failures", "3", NOTHING, |c| {
        c.desk.lockout_failures == 3
    }),
    ("login.lockout_minutes", "2", NOTHING, |c| {
        c.desk.lockout_ms == 120_000 && c.retention.lockout_ms == 120_000
    }),
    ("login.session_days", "2", NOTHING, |c| {
        c.desk.session_ms == 2 * DAY_MS
    }),
    ("login.session_idle_days", "2", NOTHING, |c| {
        c.desk.session_idle_ms == 2 * DAY_MS
    }),
    ("attachments.media_types", r#"["image/*"]"#, NOTHING, |c| {
        c.gateway.media_types == MediaTypes::parse(&["image/*".to_owned()]).unwrap()
    }),
    ("attachments.s3_bucket", r#""other""#, BUCKET, |c| {
        bucket(c)[0] == "other"
    }),
    ("attachments.s3_region", r#""eu-central-1""#, BUCKET, |c| {
        bucket(c)[1] == "eu-central-1"
    }),
    (
        "attachments.s3_endpoint",
        r#""https://minio.example.com""#,
        BUCKET,
        |c| bucket(c)[2] == "https://minio.example.com",
    ),
    ("attachments.s3_access_key_id", r#""other""#, BUCKET, |c| {
        bucket(c)[3] == "other"
    }),
    (
        "attachments.s3_secret_access_key",
        r#""other""#,
        BUCKET,
        |c| bucket(c)[4] == "other",
    ),
    ("geo.database", r#""Cargo.toml""#, NOTHING, |c| {
        c.gateway.geo.database.as_deref() == Some(Path::new("Cargo.toml"))
    }),
    ("geo.country_header", r#""cf-ipcountry""#, NOTHING, |c| {
        c.gateway.geo.country_header.as_deref() == Some("cf-ipcountry")
    }),
    ("geo.city_header", r#""cf-ipcity""#, NOTHING, |c| {
        c.gateway.geo.city_header.as_deref() == Some("cf-ipcity")
    }),
    ("retention.visitor_days", "91", NOTHING, |c| {
        c.retention.visitor_ms == 91 * DAY_MS
    }),
    ("retention.command_days", "91", NOTHING, |c| {
        c.retention.command_ms == 91 * DAY_MS
    }),
    ("retention.event_days", "91", NOTHING, |c| {
        c.retention.event_ms == 91 * DAY_MS
    }),
    ("retention.sign_in_days", "91", NOTHING, |c| {
        c.retention.sign_in_ms == 91 * DAY_MS
    }),
    ("retention.failed_login_days", "91", NOTHING, |c| {
        c.retention.failed_login_ms == 91 * DAY_MS
    }),
    ("retention.failed_login_count", "7", NOTHING, |c| {
        c.retention.failed_login_count == 7
    }),
    ("retention.audit_days", "91", NOTHING, |c| {
        c.retention.audit_ms == Some(91 * DAY_MS)
    }),
    ("metrics.listen", r#""127.0.0.1:7004""#, NOTHING, |c| {
        c.listen.metrics == Some(address(7004))
    }),
    ("metrics.token", r#""for the monitor""#, NOTHING, |c| {
        c.gateway.metrics.token.as_deref() == Some("for the monitor")
    }),
    ("backup.daily_at", r#""04:30""#, NOTHING, |c| {
        c.backup.daily_at_ms == Some(270 * 60_000)
    }),
    ("backup.keep", "3", NOTHING, |c| c.backup.keep == 3),
    ("backup.directory", r#""/mnt/backups""#, NOTHING, |c| {
        c.backup.directory == Path::new("/mnt/backups")
    }),
    ("shutdown.drain_ms", "700", NOTHING, |c| {
        c.drain == Duration::from_millis(700)
    }),
];

/// Read by the program before there are parts.
const OF_THE_PROGRAM: [&str; 2] = ["log.filter", "log.format"];

/// Read only where a variable allows faults.
const OF_FAULTS: [&str; 2] = ["debug.clock_skew_ms", "debug.fail_one_in"];

/// What may be below nothing.
const SIGNED: [&str; 1] = ["debug.clock_skew_ms"];

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn is_file_of(checked: &Checked, wanted: &str) -> bool {
    matches!(&checked.database.home, Home::Sqlite(path) if path == Path::new(wanted))
}

fn setup(email: &str, password: &str) -> Option<(String, String)> {
    Some((email.to_owned(), password.to_owned()))
}

/// The bucket, its region and endpoint, and the two halves of the key.
fn bucket(checked: &Checked) -> [&str; 5] {
    match &checked.blobs {
        BlobConfig::Directory(_) => [""; 5],
        BlobConfig::S3 {
            bucket,
            region,
            endpoint,
            access_key_id,
            secret_access_key,
            spool: _,
        } => [
            bucket,
            region,
            endpoint.as_deref().unwrap_or_default(),
            access_key_id,
            secret_access_key,
        ],
    }
}

fn keys_of(table: &Table) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (key, value) in table {
        match value {
            Value::Table(section) => {
                keys.extend(section.keys().map(|inner| format!("{key}.{inner}")));
            }
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => {
                keys.insert(key.clone());
            }
        }
    }
    keys
}

/// Two certificates with their keys, one the copy of the other.
fn certificates() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    for name in ["cert", "other"] {
        let at = |end: &str| directory.path().join(format!("{name}.{end}"));
        fs::write(at("pem"), made.cert.pem()).unwrap();
        fs::write(at("key"), made.signing_key.serialize_pem()).unwrap();
    }
    directory
}

/// A configuration with one more key.
fn with(base: &Config, key: &str, value: &Value) -> Config {
    let mut table = Table::try_from(base).unwrap();
    let place = match key.split_once('.') {
        None => &mut table[key],
        Some((section, inner)) => &mut table[section][inner],
    };
    assert_ne!(place, value, "{key} is so already");
    *place = value.clone();
    table.try_into().unwrap()
}

/// A value as an operator writes it into a variable.
fn in_a_variable(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(in_a_variable)
            .collect::<Vec<_>>()
            .join(","),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Table(_) => value.to_string(),
    }
}

#[test]
fn every_key_stands_in_the_table() {
    let mut keys = keys_of(&Table::try_from(Config::default()).unwrap());
    let others = OF_THE_PROGRAM.into_iter().chain(OF_FAULTS);
    for key in KEYS.iter().map(|(key, ..)| *key).chain(others) {
        assert!(keys.remove(key), "{key} is none, or twice in the table");
    }
    assert!(keys.is_empty(), "{keys:?}");
}

#[test]
fn every_key_reaches_its_part_from_the_file_and_from_its_variable() {
    let directory = certificates();
    let placed = |text: &str| text.replace('$', directory.path().to_str().unwrap());
    for (key, value, base, is_so) in KEYS {
        let base = Config::parse(&placed(base)).unwrap();
        let value: Table = placed(&format!("value = {value}")).parse().unwrap();
        let value = &value["value"];
        let before = base
            .check()
            .unwrap_or_else(|error| panic!("{key}: {error}"));
        assert!(!is_so(&before), "{key} was so before");

        let written = with(&base, key, value);
        let after = written
            .check()
            .unwrap_or_else(|error| panic!("{key}: {error}"));
        assert!(is_so(&after), "{key} does not reach its part");

        let file = directory.path().join("switchboard.toml");
        fs::write(&file, toml::to_string(&base).unwrap()).unwrap();
        let name = format!("SWITCHBOARD_{}", key.replace('.', "_").to_uppercase());
        let variables = [(name.clone(), in_a_variable(value))];
        let (loaded, unknown) = Config::load(Some(&file), variables).unwrap();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(loaded == written, "{name} is not {key}");
    }
}

#[test]
fn faults_reach_their_plan_where_a_variable_allows_them() {
    let variables = [
        ("SWITCHBOARD_ALLOW_FAULTS", "1"),
        ("SWITCHBOARD_DEBUG_CLOCK_SKEW_MS", "-300000"),
        ("SWITCHBOARD_DEBUG_FAIL_ONE_IN", "7"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (config, unknown) = Config::load(None, variables).unwrap();
    assert!(unknown.is_empty(), "{unknown:?}");
    let faults = config.check().unwrap().faults;
    assert_eq!((faults.clock_skew_ms, faults.fail_one_in), (-300_000, 7));
}

#[test]
fn a_value_of_another_kind_is_refused_by_its_key() {
    let example = Table::try_from(Config::default()).unwrap();
    for key in keys_of(&example) {
        let (section, inner) = key.split_once('.').unwrap_or(("", &key));
        let present = match section {
            "" => &example[inner],
            section => &example[section][inner],
        };
        let wrong = match present {
            Value::String(_) => "8080",
            Value::Array(_) => "\"10.0.0.0/8\"",
            Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Table(_) => "\"many\"",
        };
        let head = if section.is_empty() {
            String::new()
        } else {
            format!("[{section}]\n")
        };
        let told = Config::parse(&format!("{head}{inner} = {wrong}\n"))
            .err()
            .unwrap();
        assert!(
            told.contains(inner) && told.contains("invalid type"),
            "{key}: {told}"
        );

        let name = format!("SWITCHBOARD_{}", key.replace('.', "_").to_uppercase());
        if present.is_integer() {
            for wrong in ["many", "1.5", "1e3", "", "99999999999999999999"] {
                let refused = Config::load(None, [(name.clone(), wrong.to_owned())]);
                let told = refused.err().unwrap().to_string();
                let wanted = format!("{name}: must be a whole number");
                assert!(told.starts_with(&wanted), "{told}");
            }
            let below = Config::load(None, [(name.clone(), "-1".to_owned())]);
            assert_eq!(below.is_ok(), SIGNED.contains(&key.as_str()), "{name}");
        }
    }
}
