//! A run: frames of one topic that came together, for all connections of a shard that listen to it. They
//! are framed once, so that a socket takes them by one write, whatever their number.
//!
//! A shard that is behind finds many deliveries waiting and makes runs of them; one that is not finds
//! one, and makes a run of one. Nobody waits for more.

use router::SignalKey;
use router::{Class, Encoded, Topic};

use crate::connection::socket;

/// Bytes of a run of several frames, at most.
const RUN_BYTES_MAX: usize = 32 * 1024;

/// Frames of one topic, at least one, in order. Signals are alone: a later one may take their place.
// Invariant: numbers of entries in it have no hole.
#[derive(Debug)]
pub(crate) struct Run {
    topic: Topic,
    first: Encoded,
    more: Vec<Encoded>,
    /// The frames as a socket is told them.
    framed: Vec<u8>,
}

impl Run {
    /// A run of one frame.
    pub(crate) fn new(topic: Topic, frame: Encoded) -> Self {
        Self {
            topic,
            framed: socket::framed(&frame.text),
            first: frame,
            more: Vec::new(),
        }
    }

    /// Adds a frame, where it belongs behind the last one.
    ///
    /// # Errors
    /// The frame, where it does not.
    pub(crate) fn add(&mut self, topic: Topic, frame: Encoded) -> Result<(), Encoded> {
        let is_next = match frame.class {
            Class::Signal { .. } => false,
            Class::Row => true,
            Class::Durable { number, .. } => {
                self.numbers().is_none_or(|(_, last)| number == last + 1)
            }
        };
        let fits = self.framed.len() + frame.text.len() <= RUN_BYTES_MAX;
        if topic != self.topic || self.signal().is_some() || !is_next || !fits {
            return Err(frame);
        }
        socket::frame_into(&mut self.framed, &frame.text);
        self.more.push(frame);
        Ok(())
    }

    /// Whose frames they are.
    pub(crate) fn topic(&self) -> Topic {
        self.topic
    }

    /// The frames, in order.
    pub(crate) fn frames(&self) -> impl DoubleEndedIterator<Item = &Encoded> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// How many frames there are.
    pub(crate) fn frame_count(&self) -> usize {
        1 + self.more.len()
    }

    /// The frames as a socket is told them, one after the other.
    pub(crate) fn framed(&self) -> &[u8] {
        &self.framed
    }

    /// What it is about, where it is a signal.
    pub(crate) fn signal(&self) -> Option<SignalKey> {
        match self.first.class {
            Class::Signal { key } => Some(key),
            Class::Row | Class::Durable { .. } => None,
        }
    }

    /// The numbers of the first and the last entry, where there are entries.
    pub(crate) fn numbers(&self) -> Option<(u64, u64)> {
        let number = |frame: &Encoded| match frame.class {
            Class::Durable { number, .. } => Some(number),
            Class::Row | Class::Signal { .. } => None,
        };
        Some((
            self.frames().find_map(number)?,
            self.frames().rev().find_map(number)?,
        ))
    }

    /// What is missing of the frame that is under way after so many bytes of all were written.
    pub(crate) fn rest_of_frame(&self, written: usize) -> &[u8] {
        let mut end = 0;
        for frame in self.frames() {
            if end >= written {
                break;
            }
            end += socket::framed_length(&frame.text);
        }
        &self.framed[written..end.max(written)]
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use protocol::id::{ConversationId, EntryId, Id};

    use super::*;

    fn topic(bits: u128) -> Topic {
        Topic::ConversationVisitor(ConversationId::from_bits(bits))
    }

    fn frame(text: &str, class: Class) -> Encoded {
        Encoded {
            text: Bytes::copy_from_slice(text.as_bytes()),
            class,
        }
    }

    fn entry(number: u64) -> Encoded {
        let class = Class::Durable {
            conversation_id: ConversationId::from_bits(1),
            number,
            entry_id: EntryId::from_bits(number.into()),
        };
        frame(&format!("entry {number}"), class)
    }

    fn signal() -> Encoded {
        let key = SignalKey::Unread;
        frame("signal", Class::Signal { key })
    }

    #[test]
    fn entries_without_a_hole_and_rows_between_them_are_one_run() {
        let mut run = Run::new(topic(1), frame("row", Class::Row));
        assert_eq!(run.numbers(), None);
        for next in [entry(7), frame("row", Class::Row), entry(8)] {
            run.add(topic(1), next).unwrap();
        }
        assert_eq!(run.numbers(), Some((7, 8)));
        assert_eq!(run.frame_count(), 4);
        let framed: Vec<u8> = run
            .frames()
            .flat_map(|frame| socket::framed(&frame.text))
            .collect();
        assert_eq!(run.framed(), framed);
    }

    #[test]
    fn a_hole_a_signal_another_topic_and_too_many_bytes_begin_another_run() {
        let mut run = Run::new(topic(1), entry(7));
        run.add(topic(1), entry(9)).unwrap_err();
        run.add(topic(1), entry(7)).unwrap_err();
        run.add(topic(1), signal()).unwrap_err();
        run.add(topic(2), entry(8)).unwrap_err();
        let long = "x".repeat(RUN_BYTES_MAX);
        run.add(topic(1), frame(&long, Class::Row)).unwrap_err();
        run.add(topic(1), entry(8)).unwrap();
        let mut alone = Run::new(topic(1), signal());
        alone.add(topic(1), entry(8)).unwrap_err();
        assert_eq!(alone.signal(), Some(SignalKey::Unread));
    }

    #[test]
    fn a_frame_that_was_begun_can_be_ended() {
        let mut run = Run::new(topic(1), entry(1));
        run.add(topic(1), entry(2)).unwrap();
        let length = socket::framed_length(b"entry 1");
        assert!(run.rest_of_frame(0).is_empty());
        assert_eq!(run.rest_of_frame(1), &run.framed()[1..length]);
        assert!(run.rest_of_frame(length).is_empty());
        assert_eq!(run.rest_of_frame(length + 1), &run.framed()[length + 1..]);
        assert!(run.rest_of_frame(2 * length).is_empty());
    }
}
