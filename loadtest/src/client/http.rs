//! JSON over HTTP: one request at a time on a connection that is kept.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::Fuse;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use protocol::rejection::Problem;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpSocket;
use world::net::simulated::Network;
use world::net::{Socket, TcpStream};

use crate::Error;

/// Where the server is. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Server(Arc<Place>);

#[derive(Debug, Clone)]
struct Place {
    /// As in the address, for the `Host` header.
    authority: String,
    address: SocketAddr,
    /// The address to connect from; any when absent. More than about 28,000 connections to one port
    /// need several.
    from: Option<IpAddr>,
    /// Bytes of the receive buffer; the system's choice when absent.
    receive_buffer_bytes: Option<u32>,
    /// The network of a simulation, in the place of the system's.
    network: Option<Network>,
}

impl Server {
    /// Finds the server of an address like `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// The address has another form, or its name is unknown.
    pub async fn find(address: &str) -> Result<Self, Error> {
        let authority = address
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'))
            .filter(|rest| rest.contains(':') && !rest.contains('/'))
            .ok_or_else(|| Error::Address(address.to_owned()))?;
        let found = tokio::net::lookup_host(authority).await?.next();
        Ok(Self(Arc::new(Place {
            authority: authority.to_owned(),
            address: found.ok_or_else(|| Error::Address(address.to_owned()))?,
            from: None,
            receive_buffer_bytes: None,
            network: None,
        })))
    }

    /// A server in a simulation.
    #[must_use]
    pub fn simulated(network: &Network, address: SocketAddr) -> Self {
        Self(Arc::new(Place {
            authority: address.to_string(),
            address,
            from: None,
            receive_buffer_bytes: None,
            network: Some(network.clone()),
        }))
    }

    /// The same server, connected to from another address of this machine.
    #[must_use]
    pub fn from_address(&self, from: IpAddr) -> Self {
        Self(Arc::new(Place {
            from: Some(from),
            ..Place::clone(&self.0)
        }))
    }

    /// The same server, read through a buffer of a size: a slow reader fills it soon.
    #[must_use]
    pub fn with_receive_buffer(&self, bytes: u32) -> Self {
        Self(Arc::new(Place {
            receive_buffer_bytes: Some(bytes),
            ..Place::clone(&self.0)
        }))
    }

    /// Its own origin: what a page served by it sends as `Origin`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.0.authority)
    }

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.0.authority
    }

    /// The socket address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> Result<Socket, Error> {
        if let Some(network) = &self.0.network {
            let pipe = network.connect(self.0.address)?;
            return Ok(Socket::Simulated(Box::new(pipe)));
        }
        self.connect_by_system().await.map(Socket::System)
    }

    /// Opens a connection of the system.
    pub(crate) async fn connect_by_system(&self) -> Result<TcpStream, Error> {
        let socket = match self.0.address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(bytes) = self.0.receive_buffer_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(from) = self.0.from {
            let bound = socket.bind(SocketAddr::new(from, 0));
            bound.map_err(|error| no_port(error, from))?;
        }
        let connected = socket.connect(self.0.address).await;
        let from = self.0.from.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        let stream = connected.map_err(|error| no_port(error, from))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Opens a connection of the system by calls that wait, for threads that do nothing else. What it sends
    /// is not told to go at once: that is a call more, and who waits for each answer has nothing under way.
    pub(crate) fn connect_and_wait(&self) -> Result<std::net::TcpStream, Error> {
        let address = self.0.address;
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        let socket = socket.map_err(std::io::Error::from)?;
        if let Some(from) = self.0.from {
            let bound = bind(&socket, &SocketAddr::new(from, 0));
            bound.map_err(|error| no_port(error.into(), from))?;
        }
        let from = self.0.from.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        connect(&socket, &address).map_err(|error| no_port(error.into(), from))?;
        Ok(socket.into())
    }
}

/// What the system says of a connection from an address, with its want of ports told from other failures.
fn no_port(error: std::io::Error, from: IpAddr) -> Error {
    let kinds = [ErrorKind::AddrInUse, ErrorKind::AddrNotAvailable];
    if kinds.contains(&error.kind()) {
        return Error::NoPort(from);
    }
    error.into()
}

/// A request about to be sent.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Call {
    /// A request without a body. `path` begins with a slash.
    #[must_use]
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// A `GET`.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A `POST` of a JSON body.
    #[must_use]
    pub fn post(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Method::POST, path).json(body)
    }

    /// With a JSON body.
    ///
    /// # Panics
    /// Where a type cannot be written as JSON; ours all can.
    #[must_use]
    pub fn json(self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("our types can be written as JSON");
        self.bytes("application/json", body)
    }

    /// With a body of bytes.
    #[must_use]
    pub fn bytes(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", media_type)
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// The body as a value, or the refusal.
    ///
    /// # Errors
    /// `Refused` for a problem, `Malformed` for anything that is not of the documented form.
    pub fn into_value<T: DeserializeOwned>(self) -> Result<T, Error> {
        let body = self.into_body()?;
        serde_json::from_slice(&body).map_err(|error| malformed(&error, &body))
    }

    /// The body of a success, or the refusal.
    ///
    /// # Errors
    /// `Refused` for a problem, `Malformed` for an error status without one.
    pub fn into_body(self) -> Result<Bytes, Error> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        match serde_json::from_slice::<Problem>(&self.body) {
            Ok(problem) => Err(Error::Refused(Box::new(problem))),
            Err(error) => Err(malformed(&error, &self.body)),
        }
    }

    /// A header as text; empty where it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

pub(crate) fn malformed(error: &serde_json::Error, body: &[u8]) -> Error {
    let shown = String::from_utf8_lossy(&body[..body.len().min(300)]);
    Error::Malformed(format!("{error} in {shown}"))
}

type Driver = Fuse<Pin<Box<http1::Connection<TokioIo<Socket>, Full<Bytes>>>>>;

/// A connection for requests, opened when first needed and again when the server closed it.
#[derive(Debug)]
pub struct Http {
    server: Server,
    open: Option<Channel>,
}

/// An open connection: nothing is spawned, whoever waits for an answer drives it.
#[derive(Debug)]
pub(crate) struct Channel {
    sender: SendRequest<Full<Bytes>>,
    driver: Driver,
}

impl Http {
    /// A connection to a server, not yet opened.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self { server, open: None }
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Sends a request and reads the whole answer. A request on a kept connection that turns out to
    /// be closed goes out once more on a new one.
    ///
    /// # Errors
    /// The network's or HTTP's.
    pub async fn send(&mut self, call: &Call) -> Result<Answer, Error> {
        if let Some(mut channel) = self.open.take() {
            match channel.exchange(&self.server, call).await {
                Ok(answer) => {
                    self.open = Some(channel);
                    return Ok(answer);
                }
                Err(Error::Http(error)) if error.is_closed() || error.is_canceled() => {}
                Err(error) => return Err(error),
            }
        }
        let mut channel = Channel::open(&self.server).await?;
        let answer = channel.exchange(&self.server, call).await?;
        self.open = Some(channel);
        Ok(answer)
    }

    /// Sends a request and decodes the answer.
    ///
    /// # Errors
    /// As [`Http::send`] and [`Answer::into_value`].
    pub async fn ask<T: DeserializeOwned>(&mut self, call: &Call) -> Result<T, Error> {
        self.send(call).await?.into_value()
    }
}

impl Channel {
    pub(crate) async fn open(server: &Server) -> Result<Self, Error> {
        let stream = server.connect().await?;
        let (sender, connection) = http1::Builder::new()
            .handshake(TokioIo::new(stream))
            .await?;
        Ok(Self {
            sender,
            driver: Box::pin(connection).fuse(),
        })
    }

    /// Sends a request and returns with its head; the body is still to be read.
    pub(crate) async fn begin(
        &mut self,
        server: &Server,
        call: &Call,
    ) -> Result<Response<Incoming>, Error> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(call.path.as_str())
            .header("host", server.authority());
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let request = request
            .body(Full::new(call.body.clone()))
            .map_err(|error| Error::Malformed(error.to_string()))?;
        let sender = &mut self.sender;
        let answer = async {
            sender.ready().await?;
            sender.send_request(request).await
        };
        Ok(driven(&mut self.driver, answer).await?)
    }

    /// The next piece of a body; nothing at its end.
    pub(crate) async fn piece(&mut self, body: &mut Incoming) -> Result<Option<Bytes>, Error> {
        loop {
            match driven(&mut self.driver, body.frame()).await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    async fn exchange(&mut self, server: &Server, call: &Call) -> Result<Answer, Error> {
        let response = self.begin(server, call).await?;
        let (head, body) = response.into_parts();
        let body = driven(&mut self.driver, body.collect()).await?;
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.to_bytes(),
        })
    }
}

/// Runs `work` while the connection moves along beside it.
async fn driven<T>(driver: &mut Driver, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        // The answer counts, also when the server closed the connection right after it.
        biased;
        output = &mut work => output,
        _ = driver => work.await,
    }
}
