//! A correct client, as `docs/protocol.md` describes it, for visitors and agents alike.
//!
//! [`connection`] speaks over a socket or over plain HTTP, [`log`] keeps what was said and checks that
//! nothing is lost, doubled or out of order, [`outbox`] keeps what was sent until its outcome is
//! known, and [`Client`] puts them together. It reconnects only when its owner asks for it, so that
//! a scenario decides what a lost connection means.

pub mod access;
pub mod connection;
pub mod http;
pub mod log;
pub mod news;
pub mod outbox;
mod participant;

pub use access::{Access, AgentAccess, VisitorAccess};
pub use connection::Transport;
pub use http::Server;
pub use log::{Line, Log, Said, Speaker};
pub use news::News;
pub use participant::{Broken, Client};
