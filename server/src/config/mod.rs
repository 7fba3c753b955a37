//! Configuration: TOML, then `SWITCHBOARD_*` variables, then a check that names every mistake.
//!
//! [`Config`] holds plain values as an operator writes them; [`Config::check`] makes what the parts
//! need out of them and is the only way to get it. Nothing is bound or opened before that.
//! Every key stands in `ops/switchboard.example.toml` with its default; a test compares the two.

use std::path::Path;

use router::RouterConfig;
use serde::{Deserialize, Serialize};

pub use check::{Addresses, BackupPlan, Checked, FaultPlan, RetentionPlan};
pub use shared::{Settings, Shared};

mod check;
mod environment;
mod limit;
mod shared;

/// What an operator may set. An empty text and a zero mean "not set" where the example says so.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where clients connect.
    pub listen: String,
    /// Where the embedded store, files and backups live.
    pub data_dir: String,
    /// `sqlite:<path>` or `postgres://…`; a SQLite file in the data directory when empty.
    pub database_url: String,
    /// How long the store may take for one statement, and a caller wait for its turn, in milliseconds.
    pub database_timeout_ms: u64,
    /// The bus between nodes, `redis://…` or `rediss://…`; one node alone when empty.
    pub redis_url: String,
    /// What the names of its channels begin with.
    pub redis_prefix: String,
    /// Our origin as browsers see it; from `listen` when empty.
    pub public_url: String,
    /// How many shards, each a thread; one per core when zero.
    pub shards: usize,
    /// A directory with the built web apps, read instead of those in the binary.
    pub assets_dir: String,
    /// Unattended set-up.
    pub setup: Setup,
    /// TLS of our own.
    pub tls: Tls,
    /// Rates, sizes and who is trusted.
    pub limits: Limits,
    /// Signing in.
    pub login: Login,
    /// Uploaded files.
    pub attachments: Attachments,
    /// Where a visitor's country and city come from.
    pub geo: Geo,
    /// How long things are kept.
    pub retention: Retention,
    /// Who may read `/metrics`.
    pub metrics: Metrics,
    /// The daily backup.
    pub backup: Backup,
    /// What is logged, and how.
    pub log: Log,
    /// The orderly end.
    pub shutdown: Shutdown,
    /// Faults of our own.
    pub debug: Debug,
    /// Whether [`Config::debug`] may ask for any: `SWITCHBOARD_ALLOW_FAULTS=1`, by a variable alone.
    #[serde(skip)]
    pub faults_allowed: bool,
}

/// Unattended set-up: owner, workspace and a first site for every loopback origin.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// The owner's address.
    pub email: String,
    /// The owner's password.
    pub password: String,
}

/// TLS of our own. Without it, put a proxy in front.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The certificate chain, PEM.
    pub certificate: String,
    /// Its private key, PEM.
    pub key: String,
    /// Where plain HTTP is answered with a redirect.
    pub redirect_listen: String,
}

/// Rates, sizes and who is trusted.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(
    missing_docs,
    reason = "the names say it, and the example file says more"
)]
pub struct Limits {
    pub trusted_proxies: Vec<String>,
    pub trusted_addresses: Vec<String>,
    pub connections_max: usize,
    pub connections_per_address_max: usize,
    pub http_connections_max: usize,
    pub http_connections_per_address_max: usize,
    pub connection_frames_per_minute: u32,
    pub connection_frames_burst: u32,
    pub visitor_requests_per_minute: u32,
    pub visitor_requests_burst: u32,
    pub address_requests_per_minute: u32,
    pub address_requests_burst: u32,
    pub address_connections_per_minute: u32,
    pub address_connections_burst: u32,
    pub site_sessions_per_minute: u32,
    pub site_sessions_burst: u32,
    pub visitor_traces_per_minute: u32,
    pub visitor_traces_burst: u32,
    pub site_traces_per_minute: u32,
    pub site_traces_burst: u32,
    pub key_requests_per_minute: u32,
    pub key_requests_burst: u32,
    pub metrics_requests_per_minute: u32,
    pub metrics_requests_burst: u32,
    pub visitor_upload_bytes_per_minute: u64,
    pub visitor_upload_bytes_burst: u64,
    pub address_upload_bytes_per_minute: u64,
    pub address_upload_bytes_burst: u64,
    pub visitor_unclaimed_bytes_max: u64,
    pub attachment_bytes_max: u64,
}

/// Signing in.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Failures of one address before it is locked out.
    pub lockout_failures: u32,
    /// How long it is locked out, in minutes.
    pub lockout_minutes: u64,
    /// How long a browser stays signed in, in days.
    pub session_days: u64,
    /// How long a browser stays signed in unused, in days.
    pub session_idle_days: u64,
}

/// Uploaded files: in the data directory, or in a bucket.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attachments {
    /// What files may be, `image/png` or `image/*`.
    pub media_types: Vec<String>,
    /// The bucket of an S3-compatible store; the data directory when empty.
    pub s3_bucket: String,
    /// The bucket's region.
    pub s3_region: String,
    /// The endpoint, for others than AWS.
    pub s3_endpoint: String,
    /// The id of the access key.
    pub s3_access_key_id: String,
    /// The secret of the access key.
    pub s3_secret_access_key: String,
}

/// Where a visitor's country and city come from; without them the browser's time zone says a country.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Geo {
    /// A MaxMind database with cities or countries.
    pub database: String,
    /// A header with the country's code, believed from trusted proxies.
    pub country_header: String,
    /// A header with the city's name, believed from trusted proxies.
    pub city_header: String,
}

/// How long things are kept, in days.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Visits with their pages and events, and visitors who never became a contact.
    pub visitor_days: u64,
    /// What came of commands.
    pub command_days: u64,
    /// The log of what happened.
    pub event_days: u64,
    /// Lapsed sessions, invitations, secrets and keys.
    pub sign_in_days: u64,
    /// Sign-ins that failed.
    pub failed_login_days: u64,
    /// How many sign-ins that failed, besides those that a lockout counts.
    pub failed_login_count: u64,
    /// The audit log; for ever when zero.
    pub audit_days: u64,
}

/// Who may read `/metrics`. With neither, nobody.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// A listener of its own.
    pub listen: String,
    /// A bearer token for `/metrics` on the main listener.
    pub token: String,
}

/// The daily backup.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// When, in UTC, as `HH:MM`; never when empty.
    pub daily_at: String,
    /// How many daily backups stay.
    pub keep: usize,
    /// Where they go; `backups` in the data directory when empty.
    pub directory: String,
}

/// What is logged, and how.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Levels, as in `info,storage=debug`.
    pub filter: String,
    /// `text` or `json`.
    pub format: String,
}

/// The orderly end.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shutdown {
    /// How long connected clients have to leave, in milliseconds; the end of the window in which they are told
    /// to come back, where that is 5,000 to 8,000.
    pub drain_ms: u64,
}

/// Faults on purpose, for load tests: refused unless `SWITCHBOARD_ALLOW_FAULTS=1` is set.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Debug {
    /// By how many milliseconds the machine's time of day is taken wrongly.
    pub clock_skew_ms: i64,
    /// One of so many commits, publications and commands fails; none when zero.
    pub fail_one_in: u64,
}

/// One thing wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The key or variable, as the operator wrote it; empty when it is the file itself.
    pub key: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// A configuration that cannot be used, with all its mistakes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// At least one.
    pub mistakes: Vec<Mistake>,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            if mistake.key.is_empty() {
                write!(f, "{end}{}", mistake.problem)?;
            } else {
                write!(f, "{end}{}: {}", mistake.key, mistake.problem)?;
            }
        }
        Ok(())
    }
}

impl ConfigError {
    pub(crate) fn one(key: &str, problem: impl Into<String>) -> Self {
        Self {
            mistakes: vec![Mistake {
                key: key.to_owned(),
                problem: problem.into(),
            }],
        }
    }
}

impl Config {
    /// Reads the file, if one is named, and then the variables, which win. Returns also the names of
    /// variables that look like ours and mean nothing.
    ///
    /// # Errors
    ///
    /// All mistakes of form: unreadable, unknown keys, values of the wrong type.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<String>), ConfigError> {
        let written = match file {
            None => Self::default(),
            Some(path) => {
                let name = path.display().to_string();
                let text = std::fs::read_to_string(path)
                    .map_err(|error| ConfigError::one(&name, error.to_string()))?;
                Self::parse(&text).map_err(|problem| ConfigError::one(&name, problem))?
            }
        };
        environment::apply(&written, variables)
    }

    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// Where and what is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            data_dir: "./data".to_owned(),
            database_url: String::new(),
            database_timeout_ms: 5_000,
            redis_url: String::new(),
            redis_prefix: "switchboard".to_owned(),
            public_url: String::new(),
            shards: 0,
            assets_dir: String::new(),
            setup: Setup::default(),
            tls: Tls::default(),
            limits: Limits::default(),
            login: Login::default(),
            attachments: Attachments::default(),
            geo: Geo::default(),
            retention: Retention::default(),
            metrics: Metrics::default(),
            backup: Backup::default(),
            log: Log::default(),
            shutdown: Shutdown::default(),
            debug: Debug::default(),
            faults_allowed: false,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let limits = gateway::config::LimitConfig::default();
        Self {
            trusted_proxies: Vec::new(),
            trusted_addresses: Vec::new(),
            connections_max: limits.connections_max,
            connections_per_address_max: limits.connections_per_address_max,
            http_connections_max: limits.http_connections_max,
            http_connections_per_address_max: limits.http_connections_per_address_max,
            connection_frames_per_minute: limits.connection_frames.per_minute,
            connection_frames_burst: limits.connection_frames.burst,
            visitor_requests_per_minute: limits.visitor_requests.per_minute,
            visitor_requests_burst: limits.visitor_requests.burst,
            address_requests_per_minute: limits.address_requests.per_minute,
            address_requests_burst: limits.address_requests.burst,
            address_connections_per_minute: limits.address_connections.per_minute,
            address_connections_burst: limits.address_connections.burst,
            site_sessions_per_minute: limits.site_sessions.per_minute,
            site_sessions_burst: limits.site_sessions.burst,
            visitor_traces_per_minute: limits.visitor_traces.per_minute,
            visitor_traces_burst: limits.visitor_traces.burst,
            site_traces_per_minute: limits.site_traces.per_minute,
            site_traces_burst: limits.site_traces.burst,
            key_requests_per_minute: limits.key_requests.per_minute,
            key_requests_burst: limits.key_requests.burst,
            metrics_requests_per_minute: limits.metrics_requests.per_minute,
            metrics_requests_burst: limits.metrics_requests.burst,
            visitor_upload_bytes_per_minute: limits.visitor_upload_bytes.per_minute,
            visitor_upload_bytes_burst: limits.visitor_upload_bytes.burst,
            address_upload_bytes_per_minute: limits.address_upload_bytes.per_minute,
            address_upload_bytes_burst: limits.address_upload_bytes.burst,
            visitor_unclaimed_bytes_max: RouterConfig::default().visitor_unclaimed_bytes_max,
            attachment_bytes_max: limits.attachment_bytes_max,
        }
    }
}

impl Default for Login {
    fn default() -> Self {
        Self {
            lockout_failures: 5,
            lockout_minutes: 15,
            session_days: 30,
            session_idle_days: 7,
        }
    }
}

impl Default for Attachments {
    fn default() -> Self {
        Self {
            media_types: vec!["*/*".to_owned()],
            s3_bucket: String::new(),
            s3_region: "us-east-1".to_owned(),
            s3_endpoint: String::new(),
            s3_access_key_id: String::new(),
            s3_secret_access_key: String::new(),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            visitor_days: 90,
            command_days: 90,
            event_days: 30,
            sign_in_days: 30,
            failed_login_days: 90,
            failed_login_count: 100_000,
            audit_days: 730,
        }
    }
}

impl Default for Backup {
    fn default() -> Self {
        Self {
            daily_at: "03:00".to_owned(),
            keep: 7,
            directory: String::new(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info".to_owned(),
            format: "text".to_owned(),
        }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { drain_ms: 5_000 }
    }
}
