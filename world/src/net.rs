//! The sockets that everyone uses, of the system or of a simulation's own network.

pub mod simulated;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::io::{fcntl_dupfd_cloexec, retry_on_intr};
use rustix::net::{SocketFlags, acceptfrom_with};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

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

/// Descriptors that [`allow_descriptors`] makes room for at most: 512 KiB of the system's memory.
const RESERVED_MAX: u64 = 65_536;

/// Lets this process, and those that it starts, have as many descriptors as the system allows: each connection
/// is one, and a shell allows 1,024 unless it is asked. And makes room for them: Linux doubles a process's table
/// when it is full, and where several threads share it, all that open something wait some 10 to 30 ms for that
/// (until no thread reads the old one), ten times on the way to 65,536, each in the middle of a rush. Before
/// there are other threads it costs nothing.
///
/// # Errors
/// What the operating system says.
pub fn allow_descriptors() -> io::Result<()> {
    let limits = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limits.maximum,
        maximum: limits.maximum,
    };
    setrlimit(Resource::Nofile, all)?;
    let reserved = limits.maximum.unwrap_or(u64::MAX).min(RESERVED_MAX);
    let any = std::fs::File::open("/dev/null")?;
    // The table keeps its size when the highest descriptor is closed again.
    fcntl_dupfd_cloexec(&any, i32::try_from(reserved).unwrap_or(i32::MAX) - 1)?;
    Ok(())
}

/// Takes connections for other runtimes. One that never was this runtime's own need not be given up by it,
/// which is two system calls and a piece of memory for each.
#[derive(Debug)]
pub struct Acceptor(AsyncFd<std::net::TcpListener>);

impl Acceptor {
    /// # Errors
    /// What the operating system says.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[expect(
        deprecated,
        reason = "what it warns of are types whose descriptor changes: a listener's never does"
    )]
    pub fn new(listener: TcpListener) -> io::Result<Self> {
        let listener = listener.into_std()?;
        AsyncFd::with_interest(listener, Interest::READABLE).map(Self)
    }

    /// The next connection, and who is at its other end. Cancel-safe.
    ///
    /// # Errors
    /// What the operating system says: no descriptors left, a client that hung up before.
    pub async fn accept(&self) -> io::Result<(LooseSocket, SocketAddr)> {
        // By one call, which the standard library has no name for: there not to wait is asked for by another.
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let accept = |from: &std::net::TcpListener| {
            let accepted = retry_on_intr(|| acceptfrom_with(from, flags));
            accepted.map_err(io::Error::from)
        };
        let (descriptor, peer) = self.0.async_io(Interest::READABLE, accept).await?;
        // The listener's family is one of the two that have such addresses.
        let peer = peer.ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok((LooseSocket::System(descriptor.into()), peer.try_into()?))
    }
}

/// Listens on `address`. A port that is taken is an error: it is never shared with another process.
/// Connections send at once what is written: frames are small and wait for nothing.
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
    // Linux gives it to each connection that is accepted.
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_accepted_sends_at_once_and_belongs_to_whoever_takes_it() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port exists");
        let address = listener.local_addr().expect("it listens");
        let acceptor = Acceptor::new(listener).expect("it is the runtime's");
        for _ in 0..2 {
            let (client, accepted) = tokio::join!(TcpStream::connect(address), acceptor.accept());
            let mut client = client.expect("connects");
            let (socket, peer) = accepted.expect("accepts");
            assert_eq!(peer, client.local_addr().expect("it is connected"));
            let mut socket = socket.take().expect("the runtime takes it");
            let Socket::System(stream) = &socket else {
                panic!("it is the system's");
            };
            assert!(stream.nodelay().expect("it is open"));
            let mut heard = [0; 2];
            let read = tokio::io::AsyncReadExt::read_exact(&mut socket, &mut heard);
            let write = tokio::io::AsyncWriteExt::write_all(&mut client, b"hi");
            let (read, written) = tokio::join!(read, write);
            read.and(written.map(|()| 2)).expect("they talk");
            assert_eq!(&heard, b"hi");
        }
    }

    #[test]
    fn as_many_descriptors_are_allowed_as_may_be_and_room_is_made() {
        allow_descriptors().expect("the limit is the system's own");
        let limits = getrlimit(Resource::Nofile);
        assert_eq!(limits.current, limits.maximum);
        let status = std::fs::read_to_string("/proc/self/status").expect("it is our own");
        let size = status
            .lines()
            .find_map(|line| line.strip_prefix("FDSize:")?.trim().parse().ok());
        let wanted = limits.maximum.unwrap_or(u64::MAX).min(RESERVED_MAX);
        assert!(size.is_some_and(|size: u64| size >= wanted), "{size:?}");
    }

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
