//! The sockets that everyone uses. A simulation replaces these types with its own network.

use std::io;
use std::net::SocketAddr;

pub use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Connections that may wait to be accepted: a node that comes back meets all its clients at once.
const BACKLOG: u32 = 4_096;

/// Listens on `address`. A port that is taken is an error: it is never shared with another process.
///
/// # Errors
///
/// What the operating system says: taken, not allowed, no such address.
///
/// # Panics
///
/// Outside a tokio runtime.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    // Lets a restarted server take its port back while old connections are still closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_an_error() {
        let first = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port exists");
        let address = first.local_addr().expect("it listens");
        let second = listen(address).expect_err("the port is taken");
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        let (client, accepted) = tokio::join!(TcpStream::connect(address), first.accept());
        client.expect("connects");
        accepted.expect("accepts");
    }
}
