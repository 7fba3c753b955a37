//! What a connection is about to say: texts of its own, and runs that many connections share, in order.
//! The transport takes from the front.

use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;

use crate::shard::run::Run;

/// Something to say.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// One text.
    Text(Bytes),
    /// Texts that were framed for all who hear them.
    Run(Rc<Run>),
}

impl Piece {
    /// Bytes while it waits.
    fn byte_count(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Run(run) => run.framed().len(),
        }
    }

    fn text_count(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::Run(run) => run.frame_count(),
        }
    }
}

/// A connection's line of pieces. Holds no memory while it is empty.
#[derive(Debug, Default)]
pub(crate) struct Out {
    line: VecDeque<Piece>,
    byte_count: usize,
    /// Texts put in line so far.
    said_count: u64,
}

impl Out {
    /// Puts a piece in line.
    pub(crate) fn push(&mut self, piece: Piece) {
        self.said_count += piece.text_count() as u64;
        self.byte_count += piece.byte_count();
        self.line.push_back(piece);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Whether one piece is in line, and no more.
    pub(crate) fn is_one(&self) -> bool {
        self.line.len() == 1
    }

    /// Bytes in line.
    pub(crate) fn byte_count(&self) -> usize {
        self.byte_count
    }

    /// Texts put in line so far.
    pub(crate) fn said_count(&self) -> u64 {
        self.said_count
    }

    /// The pieces, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Piece> {
        self.line.iter()
    }

    pub(crate) fn front(&self) -> Option<&Piece> {
        self.line.front()
    }

    /// The first text, where each is said by itself: a run becomes its texts.
    pub(crate) fn front_text(&mut self) -> Option<Bytes> {
        if let Some(Piece::Run(run)) = self.line.front() {
            let run = Rc::clone(run);
            self.pop();
            for frame in run.frames().rev() {
                self.byte_count += frame.text.len();
                self.line.push_front(Piece::Text(frame.text.clone()));
            }
        }
        match self.line.front()? {
            Piece::Text(text) => Some(text.clone()),
            Piece::Run(_) => unreachable!("it has become its texts"),
        }
    }

    /// The first piece was said, whole. Gives how many texts it was.
    pub(crate) fn pop(&mut self) -> usize {
        let Some(piece) = self.line.pop_front() else {
            return 0;
        };
        self.byte_count -= piece.byte_count();
        if self.line.is_empty() {
            self.line = VecDeque::new();
        }
        piece.text_count()
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::{Id, VisitorId};
    use router::{Class, Encoded, Topic};

    use super::*;

    fn frame(text: &'static str) -> Encoded {
        Encoded {
            text: Bytes::from_static(text.as_bytes()),
            class: Class::Row,
        }
    }

    #[test]
    fn a_run_is_one_piece_or_its_texts_and_is_counted_as_many() {
        let topic = Topic::Visitor(VisitorId::from_bits(1));
        let mut run = Run::new(topic, frame("one"));
        run.add(topic, frame("two")).unwrap();
        let run = Rc::new(run);
        let mut out = Out::default();
        out.push(Piece::Run(Rc::clone(&run)));
        out.push(Piece::Text(Bytes::from_static(b"three")));
        assert_eq!(out.said_count(), 3);
        assert_eq!(out.byte_count(), run.framed().len() + 5);
        let mut texts = Vec::new();
        while let Some(text) = out.front_text() {
            texts.push(text);
            assert_eq!(out.pop(), 1);
        }
        assert_eq!(texts, ["one", "two", "three"]);
        assert_eq!((out.byte_count(), out.said_count()), (0, 3));
        out.push(Piece::Run(run));
        assert_eq!(out.pop(), 2);
        assert!(out.is_empty());
    }
}
