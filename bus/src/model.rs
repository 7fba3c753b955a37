//! Followers, publishers and the connection in every order in which threads can meet there: [loom](https://docs.rs/loom)
//! runs each model once for every order of its locks, flags and bells.
//!
//! The mailbox itself is the library's: that it does one thing after the other is taken for granted.

/// What `ear.rs` is guarded by here.
mod sync {
    use std::collections::VecDeque;
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
    pub(super) use loom::sync::{Mutex, MutexGuard};

    /// A flag that one sets and another one takes back. What is stored is swapped: the library knows no order of a store and
    /// a swap that meet, and would let the swap after both read the one before.
    #[derive(Debug, Default)]
    pub(super) struct AtomicBool(loom::sync::atomic::AtomicBool);

    impl AtomicBool {
        pub(super) fn store(&self, value: bool, _: Ordering) {
            self.0.swap(value, Ordering::AcqRel);
        }

        pub(super) fn swap(&self, value: bool, order: Ordering) -> bool {
            self.0.swap(value, order)
        }
    }

    /// Something that one waits for and another one brings, each in one step.
    #[derive(Debug)]
    struct Place<T>(Mutex<(T, Option<Waker>)>);

    impl<T> Place<T> {
        fn new(empty: T) -> Self {
            Self(Mutex::new((empty, None)))
        }

        fn bring<R>(&self, bring: impl FnOnce(&mut T) -> R) -> R {
            let mut place = self.0.lock().expect("no panic");
            let brought = bring(&mut place.0);
            let waker = place.1.take();
            drop(place);
            if let Some(waker) = waker {
                waker.wake();
            }
            brought
        }

        fn take<R>(
            &self,
            context: &Context<'_>,
            take: impl FnOnce(&mut T) -> Option<R>,
        ) -> Poll<R> {
            let mut place = self.0.lock().expect("no panic");
            if let Some(taken) = take(&mut place.0) {
                return Poll::Ready(taken);
            }
            let former = place.1.replace(context.waker().clone());
            drop(place);
            drop(former);
            Poll::Pending
        }
    }

    /// Remembers one ring for who comes later, as tokio's does.
    #[derive(Debug)]
    pub(super) struct Notify(Place<bool>);

    impl Default for Notify {
        fn default() -> Self {
            Self(Place::new(false))
        }
    }

    impl Notify {
        pub(super) fn notify_one(&self) {
            self.0.bring(|is_rung| *is_rung = true);
        }

        pub(super) fn notified(&self) -> impl Future<Output = ()> {
            poll_fn(|context| {
                let rung = |is_rung: &mut bool| std::mem::take(is_rung).then_some(());
                self.0.take(context, rung)
            })
        }
    }

    #[derive(Debug)]
    struct Mailbox<T> {
        waiting: Place<VecDeque<T>>,
        length: usize,
    }

    #[derive(Debug)]
    pub(super) struct Sender<T>(Arc<Mailbox<T>>);

    #[derive(Debug)]
    pub(super) struct Receiver<T>(Arc<Mailbox<T>>);

    pub(super) fn bounded<T>(length: usize) -> (Sender<T>, Receiver<T>) {
        let mailbox = Arc::new(Mailbox {
            waiting: Place::new(VecDeque::new()),
            length,
        });
        (Sender(Arc::clone(&mailbox)), Receiver(mailbox))
    }

    impl<T> Sender<T> {
        pub(super) fn try_send(&self, item: T) -> Result<(), T> {
            self.0.waiting.bring(|waiting| {
                if waiting.len() == self.0.length {
                    return Err(item);
                }
                waiting.push_back(item);
                Ok(())
            })
        }
    }

    impl<T> Receiver<T> {
        pub(super) fn recv_async(&self) -> impl Future<Output = Result<T, ()>> {
            poll_fn(|context| self.0.waiting.take(context, VecDeque::pop_front).map(Ok))
        }
    }
}

#[expect(
    clippy::duplicate_mod,
    dead_code,
    unreachable_pub,
    reason = "it is read again with other locks, and nobody but the models uses it"
)]
#[path = "ear.rs"]
mod ear;

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use loom::future::block_on;
use loom::thread;

use self::ear::{Ears, Follower, Turned};
use crate::Heard;

/// Runs a model in every order in which it is interrupted at most twice: more was not needed to find what was planted.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// What is there without a wait.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// What a follower hears without a wait.
fn heard(follower: &Follower) -> Vec<Heard> {
    std::iter::from_fn(|| now(follower.hear())).collect()
}

fn news(text: &'static str) -> Heard {
    Heard::News(Bytes::from_static(text.as_bytes()))
}

#[test]
fn who_misses_news_learns_of_it_also_when_he_waits() {
    check(|| {
        let ears = Ears::new(|_| {});
        let follower = ears.follow_with_room("a", 1);
        let publisher = thread::spawn(move || {
            for text in ["1", "2"] {
                ears.tell("a", &Bytes::from_static(text.as_bytes()));
            }
        });
        let mut all = vec![block_on(follower.hear())];
        publisher.join().expect("it ends");
        all.extend(heard(&follower));
        let told: Vec<_> = all.iter().filter(|one| **one != Heard::Lost).collect();
        assert_eq!(told[0], &news("1"), "{all:?}");
        let is_told = told.get(1) == Some(&&news("2"));
        assert!(is_told || all.contains(&Heard::Lost), "{all:?}");
    });
}

#[test]
fn a_loss_alone_wakes_who_waits() {
    check(|| {
        let ears = Ears::new(|_| {});
        let follower = ears.follow_with_room("a", 1);
        let publisher = thread::spawn(move || ears.lose("a"));
        assert_eq!(block_on(follower.hear()), Heard::Lost);
        publisher.join().expect("it ends");
        assert_eq!(heard(&follower), []);
    });
}

/// What the connection is sent, after it looked at what turned.
fn look(turned: &Turned, ears: &Ears, subscribed: &mut BTreeSet<String>) {
    for topic in turned.take() {
        if ears.is_followed(&topic) {
            subscribed.insert(topic);
        } else {
            subscribed.remove(&topic);
        }
    }
}

#[test]
fn the_connection_ends_up_with_the_topics_that_are_followed() {
    for (passing, stays) in [("a", true), ("a", false), ("b", true)] {
        check(move || {
            let turned = Arc::<Turned>::default();
            let ears = {
                let turned = Arc::clone(&turned);
                Ears::new(move |topic| turned.put(topic))
            };
            let passing = {
                let ears = ears.clone();
                thread::spawn(move || drop(ears.follow_with_room(passing, 1)))
            };
            let staying = {
                let ears = ears.clone();
                thread::spawn(move || Some(ears.follow_with_room("a", 1)).filter(|_| stays))
            };
            let mut subscribed = BTreeSet::new();
            block_on(turned.bell.notified());
            look(&turned, &ears, &mut subscribed);
            passing.join().expect("it ends");
            let staying = staying.join().expect("it ends");
            // It looks as often as it is rung for.
            while now(turned.bell.notified()).is_some() {
                look(&turned, &ears, &mut subscribed);
            }
            let followed: BTreeSet<_> = ears.followed().into_iter().collect();
            assert_eq!(subscribed, followed);
            assert_eq!(followed.contains("a"), staying.is_some());
        });
    }
}
