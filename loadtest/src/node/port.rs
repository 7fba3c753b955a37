//! A loopback port of one's own, for servers that end and come back at the same address.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

use crate::Error;

/// A port that is bound and never listened on. The system gives it to nobody who asks for a free one,
/// nor to outgoing connections; who names it may listen there.
#[derive(Debug)]
pub struct Port {
    /// Held for as long as the port is kept.
    _socket: TcpSocket,
    /// Where to listen.
    pub address: SocketAddr,
}

impl Port {
    /// Keeps a free port.
    ///
    /// # Errors
    /// There is none.
    pub fn keep() -> Result<Self, Error> {
        let socket = TcpSocket::new_v4()?;
        // With this on both sides, another socket may listen where this one is bound.
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = socket.local_addr()?;
        Ok(Self {
            _socket: socket,
            address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_kept_port_is_free_for_who_names_it_and_for_nobody_else() {
        let port = Port::keep().expect("a free port exists");
        for _ in 0..2 {
            let listener = world::net::listen(port.address).expect("it is free");
            let (client, accepted) = tokio::join!(
                world::net::TcpStream::connect(port.address),
                listener.accept()
            );
            client.expect("connects");
            accepted.expect("accepts");
        }
        let refused = world::net::TcpStream::connect(port.address).await;
        assert!(refused.is_err(), "nobody listens");
        let others: Vec<_> = (0..200).map(|_| Port::keep().expect("a port")).collect();
        assert!(others.iter().all(|other| other.address != port.address));
    }
}
