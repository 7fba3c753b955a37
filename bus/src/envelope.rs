//! What news are wrapped in between nodes: who sent them, which one of the topic they are, and a proof that
//! they come from this installation.
//!
//! One byte of version, 16 of the sender, 8 of the number, 16 of the proof, then the news. The proof covers
//! the topic too, so that nothing can be moved to another one.

use bytes::Bytes;
use ring::hmac;

/// The version that this program writes and reads.
const VERSION: u8 = 1;

const SENDER: std::ops::Range<usize> = 1..17;
const NUMBER: std::ops::Range<usize> = 17..25;
const PROOF: std::ops::Range<usize> = 25..41;

/// News on their way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// Which run of which node sent it.
    pub(crate) sender: u128,
    /// Its number among what the sender published on the topic: 1, 2, 3, …
    pub(crate) number: u64,
    /// What it says.
    pub(crate) news: Bytes,
}

/// Who says that he sent it, without a look at the proof.
pub(crate) fn alleged_sender(bytes: &[u8]) -> Option<u128> {
    array(bytes, SENDER).map(u128::from_be_bytes)
}

/// Why something that came is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It ends too early.
    Truncated,
    /// A newer program wrote it.
    Newer,
    /// It does not come from a node of this installation, or not for this topic.
    Forged,
}

/// What makes and checks proofs.
#[derive(Debug, Clone)]
pub(crate) struct Seal(hmac::Key);

impl Seal {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The bytes that are sent.
    pub(crate) fn wrap(&self, topic: &str, envelope: &Envelope) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PROOF.end + envelope.news.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&envelope.sender.to_be_bytes());
        bytes.extend_from_slice(&envelope.number.to_be_bytes());
        let proof = self.proof(topic, &bytes, &envelope.news);
        bytes.extend_from_slice(&proof);
        bytes.extend_from_slice(&envelope.news);
        bytes
    }

    /// What was sent.
    pub(crate) fn open(&self, topic: &str, bytes: Bytes) -> Result<Envelope, Unreadable> {
        match bytes.first() {
            None | Some(0) => return Err(Unreadable::Truncated),
            Some(&VERSION) => {}
            Some(_) => return Err(Unreadable::Newer),
        }
        let (Some(sender), Some(number), Some(proof)) = (
            array(&bytes, SENDER),
            array(&bytes, NUMBER),
            bytes.get(PROOF),
        ) else {
            return Err(Unreadable::Truncated);
        };
        let news = bytes.slice(PROOF.end..);
        // What passes on the bus ends no secret: the comparison need not take the same time always.
        if self.proof(topic, &bytes[..PROOF.start], &news) != proof {
            return Err(Unreadable::Forged);
        }
        Ok(Envelope {
            sender: u128::from_be_bytes(sender),
            number: u64::from_be_bytes(number),
            news,
        })
    }

    fn proof(&self, topic: &str, head: &[u8], news: &[u8]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.0);
        let length = u64::try_from(topic.len()).expect("a topic is short");
        context.update(&length.to_be_bytes());
        context.update(topic.as_bytes());
        context.update(head);
        context.update(news);
        let tag = context.sign();
        array(tag.as_ref(), 0..16).expect("a tag has 32 bytes")
    }
}

fn array<const N: usize>(bytes: &[u8], range: std::ops::Range<usize>) -> Option<[u8; N]> {
    bytes.get(range)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            sender: 7 << 90,
            number: 3,
            news: Bytes::from_static(b"news"),
        }
    }

    fn open(seal: &Seal, topic: &str, bytes: &[u8]) -> Result<Envelope, Unreadable> {
        seal.open(topic, Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn what_was_wrapped_is_opened_on_its_topic_with_the_same_key_alone() {
        let seal = Seal::new(b"key");
        let bytes = seal.wrap("topic", &envelope());
        assert_eq!(alleged_sender(&bytes), Some(envelope().sender));
        assert_eq!(open(&seal, "topic", &bytes), Ok(envelope()));
        assert_eq!(open(&seal, "other", &bytes), Err(Unreadable::Forged));
        let other = Seal::new(b"other");
        assert_eq!(open(&other, "topic", &bytes), Err(Unreadable::Forged));
    }

    #[test]
    fn a_changed_bit_is_noticed_wherever_it_is() {
        let seal = Seal::new(b"key");
        let bytes = seal.wrap("topic", &envelope());
        for index in 1..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert_eq!(
                open(&seal, "topic", &changed),
                Err(Unreadable::Forged),
                "{index}"
            );
        }
    }

    #[test]
    fn what_ends_early_or_is_newer_is_told_apart() {
        let seal = Seal::new(b"key");
        let mut bytes = seal.wrap("topic", &envelope());
        for length in 0..PROOF.end {
            let cut = open(&seal, "topic", &bytes[..length]);
            assert_eq!(cut, Err(Unreadable::Truncated), "{length}");
        }
        for length in PROOF.end..bytes.len() {
            let cut = open(&seal, "topic", &bytes[..length]);
            assert_eq!(cut, Err(Unreadable::Forged), "{length}");
        }
        bytes[0] = VERSION + 1;
        assert_eq!(open(&seal, "topic", &bytes), Err(Unreadable::Newer));
    }
}
