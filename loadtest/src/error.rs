//! What can go wrong on the client's side of the wire.

use protocol::rejection::{ErrorCode, Problem};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not of the form `http://host:port`.
    #[error("not an address of the form http://host:port: {0}")]
    Address(String),
    /// The network failed.
    #[error("network: {0}")]
    Network(#[from] std::io::Error),
    /// An address of this machine has no port left to connect from.
    #[error(
        "no port is left to connect from {0}: those of connections that were just closed are free again after \
         a minute"
    )]
    NoPort(std::net::IpAddr),
    /// HTTP failed under a request.
    #[error("http: {0}")]
    Http(#[from] hyper::Error),
    /// The socket could not be opened or broke.
    #[error("socket: {0}")]
    Socket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    /// The server refused a request.
    #[error("refused: {} ({})", .0.code.as_str(), .0.title)]
    Refused(Box<Problem>),
    /// The server ended the connection.
    #[error("closed: {code} {reason}")]
    Closed {
        /// The close code; 1005 where none was sent, 1006 where the connection just ended.
        code: u16,
        /// The reason that came with it.
        reason: String,
    },
    /// Nothing was heard for the time after which a client gives up.
    #[error("silent: nothing was heard")]
    Silent,
    /// The server sent what the documentation does not know.
    #[error("not of the documented form: {0}")]
    Malformed(String),
    /// What was waited for did not happen in time.
    #[error("waited in vain for {0}")]
    TimedOut(String),
    /// The run cannot be made as it was asked for.
    #[error("{0}")]
    Usage(String),
    /// A worker process failed.
    #[error("worker: {0}")]
    Worker(String),
    /// A node of the tool's own failed.
    #[error("node: {0}")]
    Node(String),
    /// A promise of the server was broken.
    #[error("broken promise: {0}")]
    Broken(String),
}

impl Error {
    /// The stable code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        if let Self::Refused(problem) = self {
            return Some(problem.code);
        }
        None
    }

    /// Whether a client shall come back by itself: everything but a close code from 4200 on, and
    /// refusals that never change.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Closed { code, .. } => !(4200..4300).contains(code),
            Self::Network(_) | Self::NoPort(_) | Self::Http(_) | Self::Socket(_) | Self::Silent => {
                true
            }
            Self::Refused(problem) => problem.retry == protocol::rejection::Retry::Later,
            Self::Address(_)
            | Self::Malformed(_)
            | Self::TimedOut(_)
            | Self::Usage(_)
            | Self::Worker(_)
            | Self::Node(_)
            | Self::Broken(_) => false,
        }
    }
}
