//! A connection: a WebSocket, or the same frames over plain HTTP where sockets are blocked.

use std::collections::VecDeque;

use bytes::BytesMut;
use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use protocol::frame::{ClientFrame, StreamRequest};
use protocol::id::ConnectionId;
use protocol::news::{AgentNews, VisitorNews};
use protocol::rejection::Retry;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use world::net::Socket;

use crate::Error;
use crate::client::http::{Answer, Call, Channel, Http, Server};
use crate::client::news::{News, Side};

/// The subprotocol: the version of the wire.
pub const SUBPROTOCOL: &str = "switchboard.v1";

/// Bytes of a read buffer. The library fills all of it with zeros, so it is memory even when idle.
const READ_BUFFER_BYTES: usize = 1_024;

/// How to connect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    #[default]
    Socket,
    /// A `fetch` stream down, `POST` up.
    Stream,
}

/// An open connection.
#[expect(clippy::large_enum_variant, reason = "nearly all are sockets")]
pub enum Connection {
    /// A WebSocket.
    Socket(Box<WebSocketStream<Socket>>),
    /// A stream.
    Stream(Stream),
}

/// A connection over plain HTTP.
pub struct Stream {
    channel: Channel,
    body: Incoming,
    /// What arrived after the last whole line.
    rest: BytesMut,
    /// For `POST /frames`.
    http: Http,
    token: String,
    origin: Option<String>,
    side: Side,
    /// Which stream posted frames belong to; told by `welcome`.
    connection_id: Option<ConnectionId>,
    /// Answers to posted frames.
    answers: VecDeque<News>,
}

impl Connection {
    /// Opens a WebSocket; `hello` is still to be sent.
    ///
    /// # Errors
    /// The network's failure, or a refused handshake.
    pub async fn socket(server: &Server, origin: Option<&str>) -> Result<Self, Error> {
        let stream = server.connect().await?;
        let address = format!("ws://{}/api/v1/socket", server.authority());
        let mut request = address.into_client_request().map_err(Box::new)?;
        let headers = request.headers_mut();
        let value = |text: &str| {
            text.parse::<http::HeaderValue>()
                .map_err(|error| Error::Malformed(error.to_string()))
        };
        headers.insert("sec-websocket-protocol", value(SUBPROTOCOL)?);
        if let Some(origin) = origin {
            headers.insert("origin", value(origin)?);
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0);
        let opened =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        let (socket, _) = opened.map_err(Box::new)?;
        Ok(Self::Socket(Box::new(socket)))
    }

    /// Opens a stream over plain HTTP: its request is the `hello`.
    ///
    /// # Errors
    /// The network's failure, or the server's refusal.
    pub async fn stream(
        server: &Server,
        origin: Option<&str>,
        side: Side,
        request: &StreamRequest,
    ) -> Result<Self, Error> {
        let mut channel = Channel::open(server).await?;
        let mut call = Call::post("/api/v1/stream", request);
        if let Some(origin) = origin {
            call = call.header("origin", origin);
        }
        let response = channel.begin(server, &call).await?;
        let (head, mut body) = response.into_parts();
        if !head.status.is_success() {
            let mut whole = BytesMut::new();
            while let Some(piece) = channel.piece(&mut body).await? {
                whole.extend_from_slice(&piece);
            }
            let answer = Answer {
                status: head.status.as_u16(),
                headers: head.headers,
                body: whole.freeze(),
            };
            return Err(match answer.into_body() {
                Ok(_) => Error::Malformed("a success without one".to_owned()),
                Err(error) => error,
            });
        }
        Ok(Self::Stream(Stream {
            channel,
            body,
            rest: BytesMut::new(),
            http: Http::new(server.clone()),
            token: request.hello.token.clone(),
            origin: origin.map(str::to_owned),
            side,
            connection_id: None,
            answers: VecDeque::new(),
        }))
    }

    /// Sends a frame. Over HTTP the answer is kept for [`Connection::receive`].
    ///
    /// # Errors
    /// The connection broke; whether the frame arrived is unknown.
    pub async fn send(&mut self, frame: &ClientFrame) -> Result<(), Error> {
        let text = serde_json::to_string(frame).expect("our types can be written as JSON");
        self.send_text(text).await
    }

    /// Sends any text as a frame, also one that no correct client sends.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn send_text(&mut self, text: String) -> Result<(), Error> {
        match self {
            Self::Socket(socket) => {
                let sent = socket.send(Message::text(text)).await;
                sent.map_err(|error| Error::Socket(Box::new(error)))
            }
            Self::Stream(stream) => stream.post(text).await,
        }
    }

    /// The next frame. Cancel-safe for sockets and streams alike: what has arrived stays.
    ///
    /// # Errors
    /// How the connection ended.
    pub async fn receive(&mut self, side: Side) -> Result<News, Error> {
        match self {
            Self::Socket(socket) => loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) => return News::read(side, &text),
                    Some(Ok(Message::Close(frame))) => return Err(closed(frame.as_ref())),
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Binary(_))) => {
                        return Err(Error::Malformed("a binary frame".to_owned()));
                    }
                    Some(Err(SocketError::ConnectionClosed)) | None => return Err(closed(None)),
                    Some(Err(error)) => return Err(Box::new(error).into()),
                }
            },
            Self::Stream(stream) => stream.receive().await,
        }
    }

    /// Whether a posted command was answered with "later" and nobody has read that yet. A socket's server sees
    /// to it that nothing passes such a command; over HTTP the client does.
    #[must_use]
    pub fn is_put_off(&self) -> bool {
        let is_later = |news: &News| match news {
            News::Visitor(VisitorNews::Rejected(it)) | News::Agent(AgentNews::Rejected(it)) => {
                it.problem.retry == Retry::Later
            }
            News::Visitor(_) | News::Agent(_) => false,
        };
        match self {
            Self::Socket(_) => false,
            Self::Stream(stream) => stream.answers.iter().any(is_later),
        }
    }

    /// Notes the id that `welcome` gave: frames posted beside a stream name it.
    pub fn named(&mut self, connection_id: ConnectionId) {
        if let Self::Stream(stream) = self {
            stream.connection_id = Some(connection_id);
        }
    }

    /// Hangs up in an orderly way.
    pub async fn close(self) {
        if let Self::Socket(mut socket) = self {
            // Whoever hangs up does not care whether the other side still hears it.
            let _ = socket.close().await;
        }
    }
}

impl Stream {
    async fn post(&mut self, text: String) -> Result<(), Error> {
        let mut call = Call::new(hyper::Method::POST, "/api/v1/frames")
            .bytes("application/json", text)
            .bearer(&self.token);
        if let Some(origin) = &self.origin {
            call = call.header("origin", origin.clone());
        }
        if let Some(connection_id) = self.connection_id {
            call = call.header("switchboard-connection", connection_id.to_string());
        }
        let body = self.http.send(&call).await?.into_body()?;
        self.answers.extend(News::read_list(self.side, &body)?);
        Ok(())
    }

    async fn receive(&mut self) -> Result<News, Error> {
        if let Some(answer) = self.answers.pop_front() {
            return Ok(answer);
        }
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.split_to(end + 1);
                let text = std::str::from_utf8(&line[..end])
                    .map_err(|error| Error::Malformed(error.to_string()))?;
                if text.trim().is_empty() {
                    continue;
                }
                return News::read(self.side, text);
            }
            match self.channel.piece(&mut self.body).await? {
                Some(piece) => self.rest.extend_from_slice(&piece),
                None => return Err(closed(None)),
            }
        }
    }
}

fn closed(frame: Option<&tokio_tungstenite::tungstenite::protocol::CloseFrame>) -> Error {
    match frame {
        Some(frame) => Error::Closed {
            code: frame.code.into(),
            reason: frame.reason.to_string(),
        },
        None => Error::Closed {
            code: 1006,
            reason: String::new(),
        },
    }
}
