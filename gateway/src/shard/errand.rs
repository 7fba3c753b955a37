//! What a shard is asked to do by the gateway, over a bounded channel.

use std::net::SocketAddr;

use world::net::LooseSocket;

use super::returns::Returns;
use crate::connection::stream::OpenStream;

/// A socket for a shard. It left the acceptor's runtime.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: LooseSocket,
    pub(crate) peer: SocketAddr,
}

/// Something to do.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Serve this connection.
    Accept(Box<Accepted>),
    /// Feed this HTTP answer.
    Stream(Box<OpenStream>),
    /// Send all clients away, to return then.
    Drain(Returns),
    /// End.
    Stop,
}
