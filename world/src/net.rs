//! The sockets that everyone uses, of the system or of a simulation's own network.

pub mod simulated;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use simulated::Pipe;

pub use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Connections that may wait to be accepted: a node that comes back meets all its clients at once.
const BACKLOG: u32 = 4_096;

/// A connection.
#[derive(Debug)]
pub enum Socket {
    /// One of the system.
    System(TcpStream),
    /// One of a simulation. Boxed, so that the common kind is small.
    Simulated(Box<Pipe>),
}

/// A connection between two runtimes.
#[derive(Debug)]
pub enum LooseSocket {
    /// One of the system.
    System(std::net::TcpStream),
    /// One of a simulation.
    Simulated(Box<Pipe>),
}

impl LooseSocket {
    /// Takes it to the present runtime.
    ///
    /// # Errors
    /// What the operating system says.
    ///
    /// # Panics
    /// Outside a tokio runtime, where it is the system's.
    pub fn take(self) -> io::Result<Socket> {
        match self {
            Self::System(stream) => TcpStream::from_std(stream).map(Socket::System),
            Self::Simulated(pipe) => Ok(Socket::Simulated(pipe)),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::System(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Simulated(pipe) => Pin::new(pipe).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::System(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Simulated(pipe) => Pin::new(pipe).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::System(stream) => Pin::new(stream).poll_flush(context),
            Self::Simulated(pipe) => Pin::new(pipe).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::System(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Simulated(pipe) => Pin::new(pipe).poll_shutdown(context),
        }
    }
}

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
