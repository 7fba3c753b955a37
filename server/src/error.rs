//! Why the server did not start, or a subcommand did nothing.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::ConfigError;

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why not. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration cannot be used.
    #[error("the configuration cannot be used\n{0}")]
    Config(#[from] ConfigError),
    /// The data directory cannot be used.
    #[error("the data directory {path} cannot be used: {source}")]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server runs on the data directory.
    #[error("the data directory {path} is in use by another running Switchboard")]
    Locked {
        /// Which.
        path: PathBuf,
    },
    /// Another server has the store.
    #[error("the store is in use by another running Switchboard: {holder}")]
    StoreInUse {
        /// Which, in words.
        holder: String,
    },
    /// Other nodes have the store, on a bus where this one would not hear them.
    #[error(
        "the store is in use by {holder}, whose bus has another redis_prefix: give all nodes the same"
    )]
    OtherBus {
        /// Which, in words.
        holder: String,
    },
    /// Other nodes have the store and keep its files elsewhere.
    #[error(
        "the store is in use by {holder}, which keeps uploaded files elsewhere: give all nodes the same \
         attachments.s3_bucket and attachments.s3_endpoint"
    )]
    OtherFiles {
        /// Which, in words.
        holder: String,
    },
    /// A port cannot be listened on.
    #[error("cannot listen on {address}: {}", listen_problem(source))]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The store cannot be used.
    #[error("the store cannot be used: {0}")]
    Storage(#[from] storage::Error),
    /// The realtime core did not start.
    #[error("the router did not start: {0}")]
    Router(#[from] router::Error),
    /// The doors did not open.
    #[error("{0}")]
    Gateway(#[from] gateway::Error),
    /// The desk refused, or failed.
    #[error("{0}")]
    Desk(#[from] desk::Error),
    /// A backup failed.
    #[error("the backup {path} failed: {source}")]
    Backup {
        /// Where it was to go.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A restore cannot be done like this.
    #[error("{0}")]
    Restore(String),
    /// A copy cannot be made.
    #[error("{0}")]
    Copy(String),
    /// The running server could not be asked.
    #[error("the running server cannot be asked: {0}")]
    Unanswered(io::Error),
    /// The running server was asked and refused, or failed.
    #[error("{0}")]
    Answered(String),
    /// The operating system refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// Whether the store is away, or may not be written, for now: the same may succeed later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Storage(error)
            | Self::Router(router::Error::Store(error))
            | Self::Desk(desk::Error::Store(error))
                if error.is_unavailable()
        )
    }

    /// The exit code: 64 for a configuration or a call that is wrong (EX_USAGE), 1 for the rest.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Storage(storage::Error::Configuration(_)) => 64,
            Self::DataDir { .. }
            | Self::Locked { .. }
            | Self::StoreInUse { .. }
            | Self::OtherBus { .. }
            | Self::OtherFiles { .. }
            | Self::Listen { .. }
            | Self::Storage(_)
            | Self::Router(_)
            | Self::Gateway(_)
            | Self::Desk(_)
            | Self::Backup { .. }
            | Self::Restore(_)
            | Self::Copy(_)
            | Self::Unanswered(_)
            | Self::Answered(_)
            | Self::System { .. } => 1,
        }
    }
}

fn listen_problem(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AddrInUse {
        return "the port is taken by another program; set SWITCHBOARD_LISTEN to another"
            .to_owned();
    }
    error.to_string()
}
