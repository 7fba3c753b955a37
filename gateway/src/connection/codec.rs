//! Frames of RFC 6455 as a server reads them. Pure: bytes go in, texts and control frames come out. Between
//! two frames a decoder holds nothing, so that a connection at rest costs no buffer.
//!
//! The library that clients of the tests use is the oracle: `codec_tests.rs` gives both the same bytes.

use protocol::limit;

/// Bytes of a control frame's payload.
const CONTROL_BYTES_MAX: usize = 125;

/// What the client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// A text, whole.
    Text(Vec<u8>),
    /// Bytes that are no text: this wire has none.
    Binary,
    /// A question whether we are there; the answer repeats its payload.
    Ping(Vec<u8>),
    /// An answer to a question of ours.
    Pong,
    /// It goes; the answer repeats the code.
    Close(Vec<u8>),
}

/// Why nothing that follows can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// What was said is no frame of the wire, or too long.
    Wire,
    /// More than [`limit::ASIDES_MAX`] control frames and fragments came before a text was whole.
    Flood,
}

/// What has come of the client's frames and is not read yet.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    bytes: Vec<u8>,
    /// How many bytes at the beginning were read: they are given back together with what follows them.
    read: usize,
    /// Control frames and fragments since the last text.
    asides: usize,
    /// A message whose last fragment has not come; nothing where none is open.
    open: Option<Box<Fragments>>,
}

#[derive(Debug)]
struct Fragments {
    kind: Kind,
    bytes: Vec<u8>,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opcode {
    Message(Kind),
    Continue,
    Close,
    Ping,
    Pong,
}

/// The head of a frame.
struct Head {
    opcode: Opcode,
    is_last: bool,
    mask: [u8; 4],
    /// Bytes of the head itself.
    length: usize,
    payload_length: usize,
}

impl Decoder {
    /// Takes bytes in.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether bytes wait here.
    pub(crate) fn has_more(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// The next thing that was said whole; nothing while more bytes are needed.
    ///
    /// # Errors
    /// The client does not keep to the wire, or floods it.
    pub(crate) fn next(&mut self) -> Result<Option<Said>, Broken> {
        while let Some(head) = Head::read(&self.bytes[self.read..])? {
            self.admit(&head)?;
            let length = head.length + head.payload_length;
            if self.bytes.len() - self.read < length {
                return Ok(None);
            }
            self.count(&head)?;
            let payload = self.cut(&head, self.read + length);
            if let Some(said) = self.take(&head, payload)? {
                return Ok(Some(said));
            }
        }
        Ok(None)
    }

    /// Whether a frame may come now, and be as long as it says: before its bytes are waited for.
    fn admit(&self, head: &Head) -> Result<(), Broken> {
        let held = self.open.as_ref().map_or(0, |open| open.bytes.len());
        let is_good = match head.opcode {
            Opcode::Message(_) => self.open.is_none(),
            Opcode::Continue => self.open.is_some(),
            Opcode::Close | Opcode::Ping | Opcode::Pong => {
                let is_short = head.payload_length <= CONTROL_BYTES_MAX;
                return (head.is_last && is_short).then_some(()).ok_or(Broken::Wire);
            }
        };
        let is_short = head.payload_length <= limit::FRAME_BYTES_MAX - held;
        (is_good && is_short).then_some(()).ok_or(Broken::Wire)
    }

    /// Texts have a rate of their own; what comes beside them is bounded by them.
    fn count(&mut self, head: &Head) -> Result<(), Broken> {
        let is_whole = match head.opcode {
            Opcode::Message(_) | Opcode::Continue => head.is_last,
            Opcode::Close | Opcode::Ping | Opcode::Pong => false,
        };
        self.asides = if is_whole { 0 } else { self.asides + 1 };
        (self.asides <= limit::ASIDES_MAX)
            .then_some(())
            .ok_or(Broken::Flood)
    }

    /// The payload of the next frame, unmasked. The memory of what was read is given back with the last one.
    fn cut(&mut self, head: &Head, end: usize) -> Vec<u8> {
        let begin = self.read + head.length;
        let mut payload = if self.bytes.len() == end {
            self.read = 0;
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.drain(..begin);
            bytes
        } else {
            self.read = end;
            self.bytes[begin..end].to_vec()
        };
        unmask(&mut payload, head.mask);
        payload
    }

    fn take(&mut self, head: &Head, payload: Vec<u8>) -> Result<Option<Said>, Broken> {
        let (kind, bytes) = match head.opcode {
            Opcode::Ping => return Ok(Some(Said::Ping(payload))),
            Opcode::Pong => return Ok(Some(Said::Pong)),
            Opcode::Close => return close(payload).map(Some),
            Opcode::Message(kind) => (kind, payload),
            Opcode::Continue => {
                let mut open = *self.open.take().ok_or(Broken::Wire)?;
                open.bytes.extend_from_slice(&payload);
                (open.kind, open.bytes)
            }
        };
        if kind == Kind::Text {
            check_text(&bytes, head.is_last)?;
        }
        if !head.is_last {
            self.open = Some(Box::new(Fragments { kind, bytes }));
            return Ok(None);
        }
        Ok(Some(match kind {
            Kind::Text => Said::Text(bytes),
            Kind::Binary => Said::Binary,
        }))
    }
}

impl Head {
    /// The head at the beginning of some bytes; nothing while it is cut.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Broken> {
        let &[first, second, ..] = bytes else {
            return Ok(None);
        };
        let opcode = match first & 0x7f {
            0 => Opcode::Continue,
            1 => Opcode::Message(Kind::Text),
            2 => Opcode::Message(Kind::Binary),
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            // Kinds and bits that nobody has agreed on.
            _ => return Err(Broken::Wire),
        };
        // What a client says is masked, always.
        if second & 0x80 == 0 {
            return Err(Broken::Wire);
        }
        let digit_count = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some(mask) = bytes.get(2 + digit_count..6 + digit_count) else {
            return Ok(None);
        };
        let payload_length = match &bytes[2..2 + digit_count] {
            [] => u64::from(second & 0x7f),
            digits => digits
                .iter()
                .fold(0, |length, digit| length << 8 | u64::from(*digit)),
        };
        Ok(Some(Self {
            opcode,
            is_last: first & 0x80 != 0,
            mask: mask.try_into().expect("four bytes were taken"),
            length: 6 + digit_count,
            payload_length: usize::try_from(payload_length).map_err(|_| Broken::Wire)?,
        }))
    }
}

/// Undoes a mask, eight bytes at a time.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let twice = u64::from_ne_bytes([mask, mask].concat().try_into().expect("twice four"));
    let (eights, rest) = payload.as_chunks_mut::<8>();
    for eight in eights {
        *eight = (u64::from_ne_bytes(*eight) ^ twice).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// Whether bytes are a text, or can become one while its last fragment has not come.
fn check_text(bytes: &[u8], is_last: bool) -> Result<(), Broken> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(error) if !is_last && error.error_len().is_none() => Ok(()),
        Err(_) => Err(Broken::Wire),
    }
}

fn close(mut payload: Vec<u8>) -> Result<Said, Broken> {
    match payload.len() {
        0 => {}
        1 => return Err(Broken::Wire),
        _ => {
            check_text(&payload[2..], true)?;
            payload.truncate(2);
        }
    }
    Ok(Said::Close(payload))
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
