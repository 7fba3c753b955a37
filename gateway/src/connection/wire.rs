//! The reading side of a socket: bytes come through a buffer that all connections of the thread share, and
//! control frames are answered on the way.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use protocol::rejection::CloseCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connection::codec::{Broken, Decoder, Said};
use crate::connection::socket::Ending;
use crate::shard::stream::Stream;

/// Bytes of one read, at most: the shared buffer's size.
const READ_BYTES_MAX: usize = 64 * 1_024;

/// The first byte of a close frame.
pub(crate) const CLOSE: u8 = 0x88;
/// The first byte of the answer to a ping.
const PONG: u8 = 0x8a;

thread_local! {
    /// Where bytes are read. What is not whole yet goes to the connection's decoder, so nothing remains
    /// here.
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES_MAX]);
}

/// A socket's bytes, and what of them was not read or said yet.
pub(crate) struct Wire {
    pub(crate) stream: Stream,
    decoder: Decoder,
    /// What is left of the answer to a ping. It goes out before the next text.
    // Invariant: it is begun only while no text is under way, and no text is begun before it is out.
    reply: Vec<u8>,
}

impl Wire {
    /// The socket behind an upgrade, and what was read behind its head.
    pub(crate) fn new(stream: Stream, read: &[u8]) -> Self {
        let mut decoder = Decoder::default();
        decoder.feed(read);
        Self {
            stream,
            decoder,
            reply: Vec::new(),
        }
    }

    /// The next text. Cancel-safe: half a frame stays with the decoder. Only while nothing of ours is
    /// under way: control frames are answered at once.
    pub(crate) async fn read_text(&mut self) -> Result<Vec<u8>, Ending> {
        std::future::poll_fn(|context| self.poll_text(context)).await
    }

    /// Whether something has come that was not read yet.
    pub(crate) fn has_more(&self) -> bool {
        self.decoder.has_more()
    }

    /// See [`Wire::read_text`].
    pub(crate) fn poll_text(&mut self, context: &mut Context<'_>) -> Poll<Result<Vec<u8>, Ending>> {
        loop {
            // A client that takes no answer may still speak.
            if let Poll::Ready(Err(_)) = self.poll_reply(context) {
                return Poll::Ready(Err(Ending::Theirs));
            }
            match self.decoder.next() {
                Ok(Some(Said::Text(text))) => return Poll::Ready(Ok(text)),
                Ok(Some(Said::Ping(payload))) => {
                    // An answer that was begun goes out whole; until then, other pings have none.
                    if self.reply.is_empty() {
                        self.reply = control_frame(PONG, &payload);
                    }
                }
                Ok(Some(Said::Pong)) => {}
                Ok(Some(Said::Close(code))) => {
                    if self.reply.is_empty() {
                        // Who hangs up need not hear it.
                        let echo = control_frame(CLOSE, &code);
                        let _said = Pin::new(&mut self.stream).poll_write(context, &echo);
                    }
                    return Poll::Ready(Err(Ending::Theirs));
                }
                Ok(Some(Said::Binary)) | Err(Broken::Wire) => {
                    return Poll::Ready(Err(Ending::Ours(CloseCode::ProtocolError)));
                }
                Err(Broken::Flood) => {
                    return Poll::Ready(Err(Ending::Ours(CloseCode::Flooding)));
                }
                Ok(None) => match ready!(self.poll_feed(context)) {
                    Ok(0) | Err(_) => return Poll::Ready(Err(Ending::Theirs)),
                    Ok(_) => {}
                },
            }
        }
    }

    /// Reads once, through the thread's buffer.
    fn poll_feed(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        READ.with_borrow_mut(|bytes| {
            let mut buffer = ReadBuf::new(bytes);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
            self.decoder.feed(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }

    /// Writes what is left of an answer.
    pub(crate) fn poll_reply(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reply.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while !self.reply.is_empty() {
            let written = Pin::new(&mut self.stream).poll_write(context, &self.reply);
            let count = ready!(written)?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.reply.drain(..count);
        }
        self.reply = Vec::new();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// What is left of an answer, for who writes it himself.
    pub(crate) fn take_reply(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.reply)
    }
}

/// A control frame of ours.
pub(crate) fn control_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("control frames are short");
    [&[first, length], payload].concat()
}
