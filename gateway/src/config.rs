//! What an operator may set about sockets and doors. `server` reads it from file and environment.

use std::path::PathBuf;

use crate::error::Error;
use crate::media::MediaTypes;
use crate::tls;
use protocol::network::Network;

/// The gateway's settings.
#[derive(Clone)]
pub struct GatewayConfig {
    /// The installation's secret that signs tokens, from the store.
    pub token_key: [u8; 32],
    /// What an operator knows this process by among nodes.
    pub node_name: String,
    /// Our own origin as browsers see it, `https://chat.example.com`; taken from each request's
    /// `Host` when absent.
    pub public_origin: Option<String>,
    /// How many shards, each with a thread of its own. 1 to `router::SHARDS_MAX`.
    pub shards: usize,
    /// Serve TLS ourselves.
    pub tls: Option<TlsConfig>,
    /// Networks of proxies that may say whom they stand for.
    pub trusted_proxies: Vec<Network>,
    /// Rates and sizes.
    pub limits: LimitConfig,
    /// What uploaded files may be.
    pub media_types: MediaTypes,
    /// Read the web apps' files from this checkout instead of from the binary. For development.
    pub assets_dir: Option<PathBuf>,
    /// Where a visitor's country and city come from.
    pub geo: GeoConfig,
    /// Who may read `/metrics`.
    pub metrics: MetricsConfig,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            token_key: [0; 32],
            node_name: String::new(),
            public_origin: None,
            shards: std::thread::available_parallelism()
                .map_or(1, usize::from)
                .min(router::SHARDS_MAX),
            tls: None,
            trusted_proxies: Vec::new(),
            limits: LimitConfig::default(),
            media_types: MediaTypes::default(),
            assets_dir: None,
            geo: GeoConfig::default(),
            metrics: MetricsConfig::default(),
        }
    }
}

/// TLS of our own.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

impl TlsConfig {
    /// Reads both files as a start would.
    ///
    /// # Errors
    /// What is wrong with them, with the file's name.
    pub fn check(&self) -> Result<(), Error> {
        tls::read(self).map(|_| ())
    }
}

/// Rates and sizes. A rate is a steady number per minute; the burst is what may come at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitConfig {
    /// Networks that no rate limits, for load tests and monitors.
    pub trusted_addresses: Vec<Network>,
    /// Sockets and streams at a time, all together.
    pub connections_max: usize,
    /// Sockets and streams of one address at a time.
    pub connections_per_address_max: usize,
    /// Connections for plain HTTP at a time, all together.
    pub http_connections_max: usize,
    /// Connections for plain HTTP of one address at a time; behind trusted proxies, which share theirs
    /// among many clients, requests.
    pub http_connections_per_address_max: usize,
    /// Frames of one connection.
    pub connection_frames: Rate,
    /// Commands and requests of one visitor. A site may set less for its own.
    pub visitor_requests: Rate,
    /// HTTP requests of one address.
    pub address_requests: Rate,
    /// New connections of one address.
    pub address_connections: Rate,
    /// New visitors' sessions of one site. A site may set less for itself.
    pub site_sessions: Rate,
    /// Page views and custom events of one visitor.
    pub visitor_traces: Rate,
    /// Page views and custom events of all visitors of one site.
    pub site_traces: Rate,
    /// Requests of one API key.
    pub key_requests: Rate,
    /// Requests of one address for `/metrics` by token, also those with a wrong one.
    pub metrics_requests: Rate,
    /// Bytes of files that one visitor uploads.
    pub visitor_upload_bytes: ByteRate,
    /// Bytes of files that one address uploads.
    pub address_upload_bytes: ByteRate,
    /// Bytes of one uploaded file; never above `protocol::limit::ATTACHMENT_BYTES_MAX`.
    pub attachment_bytes_max: u64,
}

impl LimitConfig {
    /// Bytes of one uploaded file, whatever is configured.
    pub(crate) fn file_bytes_max(&self) -> u64 {
        self.attachment_bytes_max
            .min(protocol::limit::ATTACHMENT_BYTES_MAX)
    }
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self {
            trusted_addresses: Vec::new(),
            connections_max: 100_000,
            connections_per_address_max: 500,
            http_connections_max: 10_000,
            http_connections_per_address_max: 500,
            connection_frames: Rate::new(1_200, 200),
            visitor_requests: Rate::new(240, 120),
            address_requests: Rate::new(1_200, 600),
            address_connections: Rate::new(600, 300),
            site_sessions: Rate::new(6_000, 2_000),
            visitor_traces: Rate::new(120, 120),
            site_traces: Rate::new(60_000, 20_000),
            key_requests: Rate::new(60, 60),
            metrics_requests: Rate::new(60, 30),
            visitor_upload_bytes: ByteRate::new(10 * MIB, 200 * MIB),
            address_upload_bytes: ByteRate::new(40 * MIB, 800 * MIB),
            attachment_bytes_max: protocol::limit::ATTACHMENT_BYTES_MAX,
        }
    }
}

/// Bytes of a mebibyte.
const MIB: u64 = 1024 * 1024;

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Steadily, in a minute. At least 1.
    pub per_minute: u32,
    /// At once, after a pause. At least 1.
    pub burst: u32,
}

impl Rate {
    /// A rate; zeros count as one.
    #[must_use]
    pub fn new(per_minute: u32, burst: u32) -> Self {
        Self {
            per_minute: per_minute.max(1),
            burst: burst.max(1),
        }
    }
}

/// How many bytes may come. Counted in whole KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRate {
    /// Steadily, in a minute.
    pub per_minute: u64,
    /// At once, after a pause. What is larger never comes through.
    pub burst: u64,
}

impl ByteRate {
    /// A rate; what is below a KiB counts as one.
    #[must_use]
    pub fn new(per_minute: u64, burst: u64) -> Self {
        Self { per_minute, burst }
    }

    /// The same in KiB.
    pub(crate) fn kib(self) -> Rate {
        Rate::new(kib(self.per_minute), kib(self.burst))
    }
}

/// Bytes in whole KiB, of which there are 4 billion at most.
pub(crate) fn kib(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

/// Where a visitor's country and city come from; without them the browser's time zone says a country.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GeoConfig {
    /// A MaxMind database with cities or countries.
    pub database: Option<PathBuf>,
    /// A header with the country's code that trusted proxies set, `cf-ipcountry`.
    pub country_header: Option<String>,
    /// A header with the city's name that trusted proxies set, `cf-ipcity`.
    pub city_header: Option<String>,
}

/// Who may read `/metrics` besides all who reach its own listener. Without a token, nobody.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MetricsConfig {
    /// A bearer token for `/metrics` on the main listener.
    pub token: Option<String>,
}
