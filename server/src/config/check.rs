//! From what an operator wrote to what the parts take; all mistakes at once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use bus::RedisConfig;
use desk::DeskConfig;
use gateway::GatewayConfig;
use gateway::config::{GeoConfig, MetricsConfig, TlsConfig};
use gateway::media::MediaTypes;
use protocol::limit;
use protocol::network::Network;
use router::{RouterConfig, SHARDS_MAX};
use storage::blob::BlobConfig;
use storage::{DatabaseConfig, Home};

use super::{Config, ConfigError, Mistake, Shared};

/// Milliseconds of a minute and of a day.
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
const DATABASE_TIMEOUT_MS: std::ops::RangeInclusive<u64> = 100..=600_000;

/// Bytes of what channels' names begin with.
const PREFIX_BYTES_MAX: usize = 64;

/// A configuration that was checked: what each part takes.
#[derive(Clone)]
pub struct Checked {
    /// The data directory.
    pub data_dir: PathBuf,
    /// The store.
    pub database: DatabaseConfig,
    /// The bus between nodes; nothing for a node that is alone.
    pub bus: Option<RedisConfig>,
    /// Uploaded files.
    pub blobs: BlobConfig,
    /// Product rules.
    pub desk: DeskConfig,
    /// Where it listens.
    pub listen: Addresses,
    /// Sockets and doors.
    pub gateway: GatewayConfig,
    /// The realtime core.
    pub router: RouterConfig,
    /// The daily backup.
    pub backup: BackupPlan,
    /// How long things are kept.
    pub retention: RetentionPlan,
    /// Unattended set-up: address and password.
    pub setup: Option<(String, String)>,
    /// How long clients have to leave.
    pub drain: Duration,
    /// Faults on purpose.
    pub faults: FaultPlan,
    /// What other nodes of the store must have alike.
    pub shared: Shared,
}

/// Faults on purpose; none in production.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// By how many milliseconds the time of day is wrong.
    pub clock_skew_ms: i64,
    /// One of so many calls fails; none when zero.
    pub fail_one_in: u64,
}

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// For everybody. Port 0 takes any free one.
    pub http: SocketAddr,
    /// For plain HTTP that is sent on to TLS.
    pub redirect: Option<SocketAddr>,
    /// For `/metrics` alone.
    pub metrics: Option<SocketAddr>,
}

/// When and where backups are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupPlan {
    /// Milliseconds after midnight, UTC; never when absent.
    pub daily_at_ms: Option<u64>,
    /// How many daily backups stay.
    pub keep: usize,
    /// Where they go.
    pub directory: PathBuf,
}

/// How long things are kept, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionPlan {
    /// Visits, and visitors who never became a contact.
    pub visitor_ms: u64,
    /// What came of commands.
    pub command_ms: u64,
    /// The log of what happened.
    pub event_ms: u64,
    /// Lapsed sessions, invitations, secrets and keys.
    pub sign_in_ms: u64,
    /// Sign-ins that failed.
    pub failed_login_ms: u64,
    /// How many of them.
    pub failed_login_count: u64,
    /// How long a failed sign-in counts towards a lockout: none goes before, however many there are.
    pub lockout_ms: u64,
    /// The audit log; for ever when absent.
    pub audit_ms: Option<u64>,
}

impl Config {
    /// Makes what the parts take. Touches nothing but the files that are named.
    ///
    /// # Errors
    ///
    /// Every mistake found.
    pub fn check(&self) -> Result<Checked, ConfigError> {
        let mut check = Check::default();
        let data_dir = PathBuf::from(&self.data_dir);
        if self.data_dir.is_empty() {
            check.mistake("data_dir", "must name a directory");
        }
        let database = check.database(self);
        let bus = check.bus(self, &database);
        let listen = check.addresses(self);
        let gateway = check.gateway(self);
        let blobs = check.blobs(self);
        let checked = Checked {
            shared: Shared::of(self, bus.as_ref(), &blobs),
            blobs,
            desk: check.desk(self),
            backup: check.backup(self),
            retention: check.retention(self),
            setup: check.setup(self),
            drain: Duration::from_millis(self.shutdown.drain_ms),
            faults: check.faults(self),
            data_dir,
            database,
            bus,
            listen,
            router: router(self),
            gateway,
        };
        check.log(self);
        if check.mistakes.is_empty() {
            Ok(checked)
        } else {
            Err(ConfigError {
                mistakes: check.mistakes,
            })
        }
    }
}

/// The mistakes found so far. A value that is wrong is replaced by its default to find more.
#[derive(Default)]
pub(super) struct Check {
    mistakes: Vec<Mistake>,
}

impl Check {
    pub(super) fn mistake(&mut self, key: &str, problem: impl Into<String>) {
        self.mistakes.push(Mistake {
            key: key.to_owned(),
            problem: problem.into(),
        });
    }

    fn address(&mut self, key: &str, text: &str) -> Option<SocketAddr> {
        let address = text.parse();
        if address.is_err() {
            self.mistake(
                key,
                format!("must be an address and a port like 127.0.0.1:8080, not {text:?}"),
            );
        }
        address.ok()
    }

    fn file(&mut self, key: &str, text: &str) -> Option<PathBuf> {
        if text.is_empty() {
            return None;
        }
        let path = PathBuf::from(text);
        match std::fs::File::open(&path) {
            Ok(_) => Some(path),
            Err(error) => {
                self.mistake(key, format!("{text} cannot be read: {error}"));
                None
            }
        }
    }

    pub(super) fn networks(&mut self, key: &str, texts: &[String]) -> Vec<Network> {
        let mut networks = Vec::new();
        for text in texts {
            match Network::from_str(text) {
                Ok(network) => networks.push(network),
                Err(error) => self.mistake(key, error.to_string()),
            }
        }
        networks
    }

    fn faults(&mut self, config: &Config) -> FaultPlan {
        let (skew_ms, one_in) = (config.debug.clock_skew_ms, config.debug.fail_one_in);
        if !config.faults_allowed {
            for (key, is_set) in [
                ("debug.clock_skew_ms", skew_ms != 0),
                ("debug.fail_one_in", one_in != 0),
            ] {
                if is_set {
                    self.mistake(key, "is refused unless SWITCHBOARD_ALLOW_FAULTS=1 is set");
                }
            }
        }
        if skew_ms.unsigned_abs() > DAY_MS {
            self.mistake("debug.clock_skew_ms", "must be at most a day");
        }
        FaultPlan {
            clock_skew_ms: skew_ms,
            fail_one_in: one_in,
        }
    }

    fn database(&mut self, config: &Config) -> DatabaseConfig {
        let file = Path::new(&config.data_dir).join("switchboard.db");
        let default = format!("sqlite:{}", file.display());
        let url = match config.database_url.as_str() {
            "" => &default,
            url => url,
        };
        let of_url = DatabaseConfig::of_url(url).unwrap_or_else(|error| {
            // The URL may hold a password, so the error does not repeat it.
            self.mistake("database_url", error.to_string());
            DatabaseConfig::of_url(&default).expect("the default is well formed")
        });
        let timeout_ms = config.database_timeout_ms;
        if !DATABASE_TIMEOUT_MS.contains(&timeout_ms) {
            let (min, max) = DATABASE_TIMEOUT_MS.into_inner();
            self.mistake("database_timeout_ms", format!("must be {min} to {max}"));
        }
        DatabaseConfig {
            timeout: Duration::from_millis(timeout_ms),
            ..of_url
        }
    }

    fn bus(&mut self, config: &Config, database: &DatabaseConfig) -> Option<RedisConfig> {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
        let prefix = &config.redis_prefix;
        if prefix.is_empty() || prefix.len() > PREFIX_BYTES_MAX || !prefix.chars().all(is_word) {
            let problem = "must be 1 to 64 letters, digits, and any of - _ . :";
            self.mistake("redis_prefix", problem);
        }
        let url = set(&config.redis_url)?;
        if let Home::Sqlite(_) = database.home {
            let problem = "a bus between nodes needs Postgres: SQLite belongs to one node alone; \
                           leave redis_url out";
            self.mistake("redis_url", problem);
        }
        let bus = RedisConfig::of_url(&url, prefix);
        bus.map_err(|error| self.mistake("redis_url", error.to_string()))
            .ok()
    }

    fn addresses(&mut self, config: &Config) -> Addresses {
        let fallback = SocketAddr::from(([127, 0, 0, 1], 0));
        let redirect = set(&config.tls.redirect_listen);
        let metrics = set(&config.metrics.listen);
        Addresses {
            http: self.address("listen", &config.listen).unwrap_or(fallback),
            redirect: redirect.and_then(|text| self.address("tls.redirect_listen", &text)),
            metrics: metrics.and_then(|text| self.address("metrics.listen", &text)),
        }
    }

    fn gateway(&mut self, config: &Config) -> GatewayConfig {
        let default = GatewayConfig::default();
        if config.shards > SHARDS_MAX {
            self.mistake("shards", format!("must be {SHARDS_MAX} at most"));
        }
        GatewayConfig {
            public_origin: self.public_origin(&config.public_url),
            shards: match config.shards {
                0 => default.shards,
                shards => shards,
            },
            tls: self.tls(config),
            trusted_proxies: self
                .networks("limits.trusted_proxies", &config.limits.trusted_proxies),
            limits: self.limits(&config.limits),
            media_types: self.media_types(&config.attachments),
            assets_dir: self.directory("assets_dir", &config.assets_dir),
            geo: GeoConfig {
                database: self.file("geo.database", &config.geo.database),
                country_header: set(&config.geo.country_header),
                city_header: set(&config.geo.city_header),
            },
            metrics: MetricsConfig {
                token: set(&config.metrics.token),
            },
            // The rest is not the operator's: the key of tokens comes from the store.
            ..default
        }
    }

    fn public_origin(&mut self, text: &str) -> Option<String> {
        let text = set(text)?;
        let origin = text.trim_end_matches('/');
        let host = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"));
        match host {
            Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
                Some(origin.to_lowercase())
            }
            Some(_) | None => {
                let problem = "must be scheme and host alone, like https://chat.example.com";
                self.mistake("public_url", problem);
                None
            }
        }
    }

    fn directory(&mut self, key: &str, text: &str) -> Option<PathBuf> {
        let path = PathBuf::from(set(text)?);
        if path.is_dir() {
            return Some(path);
        }
        self.mistake(key, format!("{text} is not a directory"));
        None
    }

    fn tls(&mut self, config: &Config) -> Option<TlsConfig> {
        let tls = &config.tls;
        if tls.certificate.is_empty() != tls.key.is_empty() {
            self.mistake("tls", "needs both certificate and key");
            return None;
        }
        if tls.certificate.is_empty() && !tls.redirect_listen.is_empty() {
            self.mistake("tls.redirect_listen", "needs certificate and key");
            return None;
        }
        let certificate = self.file("tls.certificate", &tls.certificate);
        let key = self.file("tls.key", &tls.key);
        let tls = TlsConfig {
            certificate: certificate?,
            key: key?,
        };
        if let Err(error) = tls.check() {
            self.mistake("tls", error.to_string());
            return None;
        }
        Some(tls)
    }

    fn desk(&mut self, config: &Config) -> DeskConfig {
        let login = &config.login;
        if login.session_days == 0 || login.session_idle_days == 0 {
            let problem = "session_days and session_idle_days begin at 1";
            self.mistake("login", problem);
        }
        if login.lockout_failures > 0 && login.lockout_minutes == 0 {
            let problem = "begins at 1; lockout_failures = 0 turns lockouts off";
            self.mistake("login.lockout_minutes", problem);
        }
        let (days_max, minutes_max) = (3_650, 525_600);
        if login.session_days.max(login.session_idle_days) > days_max
            || login.lockout_minutes > minutes_max
        {
            self.mistake(
                "login",
                "at most ten years for sessions and one for a lockout",
            );
        }
        DeskConfig {
            lockout_failures: login.lockout_failures,
            lockout_ms: login.lockout_minutes.min(minutes_max) * MINUTE_MS,
            session_ms: login.session_days.min(days_max) * DAY_MS,
            session_idle_ms: login.session_idle_days.min(days_max) * DAY_MS,
            ..DeskConfig::default()
        }
    }

    fn media_types(&mut self, attachments: &super::Attachments) -> MediaTypes {
        MediaTypes::parse(&attachments.media_types).unwrap_or_else(|problem| {
            self.mistake("attachments.media_types", problem);
            MediaTypes::default()
        })
    }

    fn blobs(&mut self, config: &Config) -> BlobConfig {
        let attachments = &config.attachments;
        if attachments.s3_bucket.is_empty() {
            return BlobConfig::Directory(Path::new(&config.data_dir).join("files"));
        }
        if attachments.s3_access_key_id.is_empty() || attachments.s3_secret_access_key.is_empty() {
            let problem = "a bucket needs s3_access_key_id and s3_secret_access_key";
            self.mistake("attachments", problem);
        }
        BlobConfig::S3 {
            bucket: attachments.s3_bucket.clone(),
            region: attachments.s3_region.clone(),
            endpoint: set(&attachments.s3_endpoint),
            access_key_id: attachments.s3_access_key_id.clone(),
            secret_access_key: attachments.s3_secret_access_key.clone(),
            spool: Path::new(&config.data_dir).to_owned(),
        }
    }

    fn backup(&mut self, config: &Config) -> BackupPlan {
        let backup = &config.backup;
        if backup.keep == 0 {
            self.mistake(
                "backup.keep",
                "must be at least 1; an empty daily_at turns backups off",
            );
        }
        let daily_at_ms = set(&backup.daily_at).and_then(|text| {
            let at_ms = time_of_day_ms(&text);
            if at_ms.is_none() {
                let problem = format!("must be a time in UTC like 03:00, not {text:?}");
                self.mistake("backup.daily_at", problem);
            }
            at_ms
        });
        BackupPlan {
            daily_at_ms,
            keep: backup.keep,
            directory: set(&backup.directory).map_or_else(
                || Path::new(&config.data_dir).join("backups"),
                PathBuf::from,
            ),
        }
    }

    fn retention(&mut self, config: &Config) -> RetentionPlan {
        /// A hundred years.
        const DAYS_MAX: u64 = 36_500;
        let kept = &config.retention;
        let mut days = |key: &str, days: u64, days_min: u64| {
            if !(days_min..=DAYS_MAX).contains(&days) {
                let problem = format!("must be {days_min} to {DAYS_MAX} days");
                self.mistake(&format!("retention.{key}"), problem);
            }
            days.min(DAYS_MAX) * DAY_MS
        };
        let plan = RetentionPlan {
            visitor_ms: days("visitor_days", kept.visitor_days, 1),
            command_ms: days("command_days", kept.command_days, limit::COMMAND_DAYS_MIN),
            event_ms: days("event_days", kept.event_days, 1),
            sign_in_ms: days("sign_in_days", kept.sign_in_days, 1),
            failed_login_ms: days("failed_login_days", kept.failed_login_days, 1),
            failed_login_count: kept.failed_login_count,
            lockout_ms: config.login.lockout_minutes.saturating_mul(MINUTE_MS),
            audit_ms: match days("audit_days", kept.audit_days, 0) {
                0 => None,
                audit_ms => Some(audit_ms),
            },
        };
        if plan.failed_login_ms < plan.lockout_ms {
            let problem = "must be as long as login.lockout_minutes, which counts them";
            self.mistake("retention.failed_login_days", problem);
        }
        plan
    }

    fn setup(&mut self, config: &Config) -> Option<(String, String)> {
        let setup = &config.setup;
        if setup.email.is_empty() && setup.password.is_empty() {
            return None;
        }
        if setup.email.is_empty() || setup.password.is_empty() {
            self.mistake("setup", "needs both email and password");
            return None;
        }
        if protocol::text::Email::parse(&setup.email).is_err() {
            self.mistake("setup.email", "is not an e-mail address");
        }
        if setup.password.chars().count() < limit::PASSWORD_LENGTH_MIN
            || setup.password.len() > limit::PASSWORD_BYTES_MAX
        {
            let problem = format!(
                "must have at least {} characters",
                limit::PASSWORD_LENGTH_MIN
            );
            self.mistake("setup.password", problem);
        }
        Some((setup.email.clone(), setup.password.clone()))
    }

    fn log(&mut self, config: &Config) {
        if tracing_subscriber::EnvFilter::builder()
            .parse(&config.log.filter)
            .is_err()
        {
            let problem = format!(
                "must be levels like info,storage=debug, not {:?}",
                config.log.filter
            );
            self.mistake("log.filter", problem);
        }
        if !matches!(config.log.format.as_str(), "text" | "json") {
            self.mistake("log.format", "must be text or json");
        }
    }
}

/// What the core takes of the limits; other parts have found the mistakes.
fn router(config: &Config) -> RouterConfig {
    RouterConfig {
        visitor_unclaimed_bytes_max: config.limits.visitor_unclaimed_bytes_max,
        ..RouterConfig::default()
    }
}

/// The text, unless it is empty.
fn set(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Milliseconds after midnight of `HH:MM`.
fn time_of_day_ms(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u64>().ok()?, minutes.parse::<u64>().ok()?);
    (hours < 24 && minutes < 60).then(|| (hours * 60 + minutes) * MINUTE_MS)
}
