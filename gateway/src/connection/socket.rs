//! A connection over a WebSocket: one task, no buffer of its own at rest.
//!
//! Texts are written many to a write, through a buffer that all connections of the thread share; they are
//! read the same way ([`wire`]).

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use protocol::rejection::CloseCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::connection::frame;
use crate::connection::identified::Identified;
use crate::connection::out::{Out, Piece};
use crate::connection::unidentified::{Caller, Unidentified};
use crate::connection::wire::{self, CLOSE, Wire};
use crate::limits::ConnectionPermit;
use crate::metric::Metric;
use crate::shard::Shard;
use crate::shard::mailbox::Mailbox;
use crate::shard::stream::Stream;

/// Bytes of one write through the shared buffer, at most: its size.
const WRITE_BYTES_MAX: usize = 16 * 1_024;
/// How long a client may take to close its side.
const CLOSING_TIME_MAX: Duration = Duration::from_secs(2);

thread_local! {
    /// Where texts become frames before they are written. What a socket does not take stays in the
    /// connection's own queue, so nothing remains here.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(WRITE_BYTES_MAX));
}

/// A socket that was just opened.
#[derive(Debug)]
pub(crate) struct OpenSocket {
    pub(crate) stream: Stream,
    pub(crate) rest: Vec<u8>,
    pub(crate) caller: Box<Caller>,
    pub(crate) permit: ConnectionPermit,
}

/// Serves a socket until it ends.
// No `async fn`: its arguments would stay in the task beside what is made of them.
#[expect(
    clippy::boxed_local,
    reason = "a box that is taken apart here is gone, elsewhere it stays until the socket ends"
)]
pub(crate) fn serve(shard: Rc<Shard>, open: Box<OpenSocket>) -> impl Future<Output = ()> {
    let OpenSocket {
        stream,
        rest,
        caller,
        permit,
    } = *open;
    shard.doors.metrics.add(Metric::Connections, 1);
    let mut link = Link {
        wire: Wire::new(stream, &rest),
        mailbox: shard.enter(),
        shard,
        front_written: 0,
    };
    async move {
        let _permit = permit;
        let (shard, mailbox) = (Rc::clone(&link.shard), Rc::clone(&link.mailbox));
        // The box of a stage is gone with the stage: what stays for the connection's life is this task and
        // `Identified`.
        let identified = Box::pin(link.identify(caller)).await;
        let ending = match identified {
            Ok(mut connection) => {
                let ending = link.converse(&mut connection).await;
                Box::pin(async move {
                    link.close(ending, Some(&mut connection)).await;
                    connection.leave().await;
                })
                .await;
                ending
            }
            Err(ending) => {
                Box::pin(link.close(ending, None)).await;
                ending
            }
        };
        shard.exit(&mailbox);
        shard.doors.metrics.add(Metric::Connections, -1);
        count(&shard.doors, ending);
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// We say so, with a code.
    Ours(CloseCode),
    /// The client said so, or the line broke.
    Theirs,
}

pub(crate) fn count(doors: &crate::Doors, ending: Ending) {
    let metric = match ending {
        Ending::Ours(CloseCode::TooSlow) => Metric::TooSlow,
        Ending::Ours(CloseCode::Silent) => Metric::Silent,
        Ending::Ours(code) if code.number() >= 4200 => Metric::ClosedForCause,
        Ending::Ours(_) | Ending::Theirs => return,
    };
    doors.metrics.add(metric, 1);
}

/// A socket with its mailbox.
struct Link {
    wire: Wire,
    shard: Rc<Shard>,
    mailbox: Rc<Mailbox>,
    /// Bytes of the first piece in line, framed, that the socket took already.
    front_written: usize,
}

impl Link {
    /// Waits for `hello`. The shard's watch ends the wait.
    async fn identify(&mut self, caller: Box<Caller>) -> Result<Box<Identified>, Ending> {
        let text = tokio::select! {
            biased;
            code = ended(&self.mailbox) => return Err(Ending::Ours(code)),
            text = self.wire.read_text() => text?,
        };
        let unidentified =
            Unidentified::new(Rc::clone(&self.shard), Rc::clone(&self.mailbox), caller);
        match unidentified.on_text(&text).await {
            Ok(connection) => {
                self.mailbox.heard(self.shard.now());
                Ok(Box::new(connection))
            }
            Err(refused) => {
                let error = frame::error(&refused.rejection);
                let said = self.wire.stream.write_all(&framed(&error)).await;
                Err(said.map_or(Ending::Theirs, |()| Ending::Ours(refused.code)))
            }
        }
    }

    /// Talks until somebody ends it.
    async fn converse(&mut self, connection: &mut Identified) -> Ending {
        loop {
            connection.on_notices();
            if !connection.out().is_empty() {
                connection.take_finished();
                match self.write_out(connection).await {
                    Ok(()) => continue,
                    Err(ending) => return ending,
                }
            }
            if let Some(code) = self.mailbox.ending().or(self.mailbox.last()) {
                return Ending::Ours(code);
            }
            let may_read = connection.may_read();
            tokio::select! {
                // News first: they end a connection, and a flood of frames must not delay that.
                biased;
                () = self.mailbox.news() => {}
                done = connection.job_done() => connection.on_done(done),
                text = self.wire.read_text(), if may_read => match text {
                    Ok(text) => {
                        self.mailbox.heard(self.shard.now());
                        connection.on_text(&text);
                        if let Err(ending) = self.read_rest(connection) {
                            return ending;
                        }
                    }
                    Err(ending) => return ending,
                },
            }
        }
    }

    /// Takes the texts that came together with one: so what was said at once is done together. No `async fn`:
    /// it would stay in the task. Whoever has to wait for more is woken by the next read.
    fn read_rest(&mut self, connection: &mut Identified) -> Result<(), Ending> {
        let mut context = Context::from_waker(Waker::noop());
        while connection.may_read() && self.wire.has_more() {
            match self.wire.poll_text(&mut context) {
                Poll::Ready(Ok(text)) => connection.on_text(&text),
                Poll::Ready(Err(ending)) => return Err(ending),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Writes all that is in line. Ends early only with the connection.
    async fn write_out(&mut self, connection: &mut Identified) -> Result<(), Ending> {
        std::future::poll_fn(|context| self.poll_write_out(context, connection)).await
    }

    fn poll_write_out(
        &mut self,
        context: &mut Context<'_>,
        connection: &mut Identified,
    ) -> Poll<Result<(), Ending>> {
        // An answer to a ping that was begun goes out whole before a text.
        match self.wire.poll_reply(context) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(Err(Ending::Theirs)),
            Poll::Pending => return self.poll_stalled(context, connection),
        }
        while !connection.out().is_empty() {
            let outcome = write_some(
                &mut self.wire.stream,
                context,
                connection,
                &mut self.front_written,
            );
            match outcome {
                Poll::Ready(Ok(count)) => {
                    let bytes = i64::try_from(count).unwrap_or(i64::MAX);
                    self.shard.doors.metrics.add(Metric::BytesOut, bytes);
                    self.mailbox.wrote(self.shard.now(), connection.out_bytes());
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Ending::Theirs)),
                Poll::Pending => return self.poll_stalled(context, connection),
            }
        }
        match Pin::new(&mut self.wire.stream).poll_flush(context) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(_)) => Poll::Ready(Err(Ending::Theirs)),
            Poll::Pending => self.poll_stalled(context, connection),
        }
    }

    /// The client takes nothing now. The watch ends it when that lasts.
    fn poll_stalled(
        &mut self,
        context: &Context<'_>,
        connection: &Identified,
    ) -> Poll<Result<(), Ending>> {
        self.mailbox
            .stalled(self.shard.now(), connection.out_bytes());
        let code = ready!(self.mailbox.poll_ending(context));
        Poll::Ready(Err(Ending::Ours(code)))
    }

    /// Says the end, and waits a moment for the client to take it.
    async fn close(&mut self, ending: Ending, connection: Option<&mut Identified>) {
        self.mailbox.closing();
        let Ending::Ours(code) = ending else {
            return;
        };
        let mut last = self.wire.take_reply();
        if let Some(connection) = connection
            && self.front_written > 0
            && let Some(front) = connection.out().front()
        {
            // A frame that was begun must be ended, or the close would be read as part of it.
            match front {
                Piece::Text(text) => last.extend_from_slice(&framed(text)[self.front_written..]),
                Piece::Run(run) => last.extend_from_slice(run.rest_of_frame(self.front_written)),
            }
        }
        last.extend_from_slice(&close_frame(code));
        let stream = &mut self.wire.stream;
        let say = async {
            if stream.write_all(&last).await.is_ok() && stream.shutdown().await.is_ok() {
                read_away(stream).await;
            }
        };
        let clock = &self.shard.doors.world.clock;
        // Who does not take it sees a broken line, which means the same: come back and resume.
        let _said = clock.timeout(CLOSING_TIME_MAX, say).await;
    }
}

/// Waits for the end of a mailbox.
async fn ended(mailbox: &Mailbox) -> CloseCode {
    std::future::poll_fn(|context| mailbox.poll_ending(context)).await
}

/// One write: of a run as it is, where that is all or much; else of as many pieces as fit, through the
/// thread's buffer.
fn write_some(
    stream: &mut Stream,
    context: &mut Context<'_>,
    connection: &mut Identified,
    front_written: &mut usize,
) -> Poll<io::Result<usize>> {
    let out = connection.out();
    let count = match out.front() {
        Some(Piece::Run(run)) if out.is_one() || run.framed().len() >= WRITE_BYTES_MAX => {
            let left = &run.framed()[*front_written..];
            ready!(Pin::new(stream).poll_write(context, left))?
        }
        Some(_) | None => ready!(SCRATCH.with_borrow_mut(|scratch| {
            gather(scratch, out, *front_written);
            Pin::new(stream).poll_write(context, scratch)
        }))?,
    };
    if count == 0 {
        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
    }
    *front_written += count;
    while let Some(front) = connection.out().front() {
        let length = match front {
            Piece::Text(text) => framed_length(text),
            Piece::Run(run) => run.framed().len(),
        };
        if *front_written < length {
            break;
        }
        *front_written -= length;
        connection.written();
    }
    Poll::Ready(Ok(count))
}

/// Copies what one write can take, less what was written of the first piece already.
fn gather(scratch: &mut Vec<u8>, out: &Out, front_written: usize) {
    scratch.clear();
    let mut skip = front_written;
    for piece in out.iter() {
        match piece {
            Piece::Text(text) => fill(scratch, text, &mut skip),
            Piece::Run(run) => {
                let left = &run.framed()[skip..];
                scratch.extend_from_slice(&left[..left.len().min(WRITE_BYTES_MAX)]);
                skip = 0;
            }
        }
        if scratch.len() >= WRITE_BYTES_MAX {
            break;
        }
    }
    scratch.truncate(WRITE_BYTES_MAX);
}

/// Adds a text's frame, less what was written of it already.
fn fill(scratch: &mut Vec<u8>, text: &[u8], skip: &mut usize) {
    let (head, length) = header(text.len());
    let from_head = (*skip).min(length);
    scratch.extend_from_slice(&head[from_head..length]);
    *skip -= from_head;
    // A large text is added only as far as this write can take it.
    let end = text.len().min(*skip + WRITE_BYTES_MAX);
    scratch.extend_from_slice(&text[*skip..end]);
    *skip = 0;
}

/// The header of an unmasked text frame (RFC 6455, 5.2), and its length.
fn header(length: usize) -> ([u8; 10], usize) {
    let mut head = [0_u8; 10];
    head[0] = 0x81;
    let size = if let Ok(length @ 0..=125) = u8::try_from(length) {
        head[1] = length;
        2
    } else if let Ok(length) = u16::try_from(length) {
        head[1] = 126;
        head[2..4].copy_from_slice(&length.to_be_bytes());
        4
    } else {
        head[1] = 127;
        head[2..10].copy_from_slice(&(length as u64).to_be_bytes());
        10
    };
    (head, size)
}

/// A text's frame.
pub(crate) fn framed(text: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(framed_length(text));
    frame_into(&mut frame, text);
    frame
}

/// Adds a text's frame.
pub(crate) fn frame_into(bytes: &mut Vec<u8>, text: &[u8]) {
    let (head, length) = header(text.len());
    bytes.extend_from_slice(&head[..length]);
    bytes.extend_from_slice(text);
}

/// Bytes of a text's frame.
pub(crate) fn framed_length(text: &[u8]) -> usize {
    header(text.len()).1 + text.len()
}

fn close_frame(code: CloseCode) -> Vec<u8> {
    let reason = code.reason().as_bytes();
    wire::control_frame(CLOSE, &[&code.number().to_be_bytes(), reason].concat())
}

/// Reads and forgets what a client still sends, so that hanging up does not destroy what we said.
pub(crate) async fn read_away<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut bytes = [0_u8; 512];
    while matches!(stream.read(&mut bytes).await, Ok(1..)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_the_length_in_each_of_its_forms() {
        assert_eq!(framed(b"hi"), [&[0x81, 2][..], b"hi"].concat());
        let (head, length) = header(126);
        assert_eq!(head[..length], [0x81, 126, 0, 126]);
        let (head, length) = header(65_535);
        assert_eq!(head[..length], [0x81, 126, 255, 255]);
        let (head, length) = header(65_536);
        assert_eq!(head[..length], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_frame_goes_on_where_its_last_write_ended() {
        let text = vec![b'x'; 300];
        let whole = framed(&text);
        for written in 0..whole.len() {
            let mut scratch = Vec::new();
            let mut skip = written;
            fill(&mut scratch, &text, &mut skip);
            assert_eq!(scratch, whole[written..]);
            assert_eq!(skip, 0);
        }
    }

    #[test]
    fn every_close_frame_is_a_short_control_frame() {
        for code in CloseCode::ALL {
            let bytes = close_frame(*code);
            assert!(bytes.len() <= 127);
            assert_eq!(usize::from(bytes[1]), bytes.len() - 2);
        }
    }
}
