//! A shard's side of the hub in every order in which threads can meet there: [loom](https://docs.rs/loom) runs each
//! model once for every order of its locks and flags.

/// What `shard.rs` is guarded by here.
mod sync {
    pub(super) use crate::model::Sender;
    pub(super) use loom::sync::atomic::{AtomicBool, Ordering};
    pub(super) use loom::sync::{Mutex, MutexGuard};
}

#[expect(clippy::duplicate_mod, reason = "it is read again with other locks")]
#[path = "shard.rs"]
mod shard;

use loom::sync::Arc;
use loom::thread;
use protocol::id::{Id, WorkspaceId};
use world::Clock;

use self::shard::Shard;
use crate::delivery::{Class, Delivery, Encoded, SignalKey};
use crate::model::{Receiver, bounded, check};
use crate::topic::Topic;

fn topic() -> Topic {
    Topic::Team(WorkspaceId::from_bits(1))
}

fn row() -> Delivery {
    let frame = Encoded::new(&"row", Class::Row);
    let topic = topic();
    Delivery::Publish { topic, frame }
}

fn signal(shard: &Shard, key: SignalKey, text: &str) {
    shard.signal(topic(), Encoded::new(&text, Class::Signal { key }));
}

fn staff(shard: &Shard, text: &str) {
    signal(shard, SignalKey::Staff, text);
}

/// What a shard finds in its mailbox; nothing for what it is told besides frames.
fn found(mailbox: &Receiver<Delivery>) -> Vec<Option<String>> {
    let text = |delivery| match delivery {
        Delivery::Publish { frame, .. } => {
            Some(String::from_utf8(frame.text.to_vec()).expect("frames are texts"))
        }
        Delivery::Lost
        | Delivery::Follow { .. }
        | Delivery::Afresh { .. }
        | Delivery::CloseTopic { .. }
        | Delivery::CloseUnproved { .. }
        | Delivery::CloseBlocked { .. } => None,
    };
    mailbox.drain().into_iter().map(text).collect()
}

#[test]
fn a_shard_learns_of_a_loss_also_when_it_is_being_told_of_one_before() {
    check(|| {
        let (sender, mailbox) = bounded(4);
        let shard = Arc::new(Shard::owed_at_most(sender, 1));
        // Full: of two signals one is owed and one is lost.
        for _ in 0..4 {
            assert!(loom::future::block_on(
                shard.push(&Clock::manual(0), &row())
            ));
        }
        staff(&shard, "Mira");
        signal(&shard, SignalKey::Unread, "one");
        mailbox.drain();
        let other = Arc::clone(&shard);
        let publisher =
            thread::spawn(move || loom::future::block_on(other.push(&Clock::manual(0), &row())));
        // What came until here is dealt with, a loss too, and then one more is lost or finds room.
        found(&mailbox);
        signal(&shard, SignalKey::Unread, "two");
        assert!(publisher.join().expect("it ends"));
        let left = found(&mailbox);
        let is_shown = left.contains(&Some("\"two\"".to_owned()));
        assert!(
            is_shown || left.contains(&None) || shard.take_lost(),
            "{left:?}"
        );
    });
}

#[test]
fn the_latest_of_a_signal_comes_last_however_full_the_mailbox_is() {
    check(|| {
        let (sender, mailbox) = bounded(1);
        let shard = Arc::new(Shard::new(sender));
        let other = Arc::clone(&shard);
        let publisher = thread::spawn(move || {
            for text in ["1", "2"] {
                staff(&other, text);
            }
        });
        let mut shown = Vec::new();
        for _ in 0..2 {
            shown.extend(found(&mailbox));
            assert!(!shard.take_lost(), "nothing is lost");
        }
        publisher.join().expect("it ends");
        for _ in 0..2 {
            shown.extend(found(&mailbox));
            assert!(!shard.take_lost(), "nothing is lost");
        }
        shown.extend(found(&mailbox));
        let shown: Vec<String> = shown.into_iter().flatten().collect();
        assert!(shown.is_sorted(), "{shown:?}");
        assert_eq!(shown.last().map(String::as_str), Some("\"2\""));
    });
}
