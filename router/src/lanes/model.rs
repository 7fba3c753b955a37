//! Those who bring something to a lane and the lane that goes, in every order in which threads can meet there:
//! [loom](https://docs.rs/loom) runs each model once for every order of its locks, counters and bells.

/// What lanes are guarded by here.
mod sync {
    use std::future::poll_fn;
    use std::task::{Poll, Waker};

    pub(super) use crate::model::{Receiver, Sender};
    pub(super) use flume::TrySendError;
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
    pub(super) use loom::sync::{Mutex, MutexGuard};

    /// Remembers one ring for who comes later, as tokio's does.
    #[derive(Debug, Default)]
    pub(super) struct Notify(Mutex<(bool, Option<Waker>)>);

    impl Notify {
        pub(super) fn notify_one(&self) {
            let mut bell = self.0.lock().expect("no panic");
            bell.0 = true;
            let waker = bell.1.take();
            drop(bell);
            if let Some(waker) = waker {
                waker.wake();
            }
        }

        pub(super) fn notified(&self) -> impl Future<Output = ()> {
            poll_fn(|context| {
                let mut bell = self.0.lock().expect("no panic");
                if std::mem::take(&mut bell.0) {
                    return Poll::Ready(());
                }
                let former = bell.1.replace(context.waker().clone());
                drop(bell);
                drop(former);
                Poll::Pending
            })
        }
    }
}

#[expect(clippy::duplicate_mod, reason = "it is read again with other locks")]
#[path = "debt.rs"]
mod debt;
#[expect(clippy::duplicate_mod, reason = "it is read again with other locks")]
#[path = "entrance.rs"]
mod entrance;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use loom::future::block_on;
use loom::thread::{self, JoinHandle};

use self::debt::{Debt, Owed};
use self::entrance::{Entrance, Entrances, Standing};
use crate::model::{Receiver, bounded, check};

/// A node with the lanes of one conversation, and what they did.
#[derive(Default)]
struct Node {
    entrances: Entrances<(), u64>,
    jobs: Mutex<Vec<u64>>,
    read: Mutex<Vec<Owed>>,
    /// One after the other.
    lanes: Mutex<Vec<JoinHandle<()>>>,
}

/// What is noted beside the model: no order of it counts.
fn noted<T>(notes: &Mutex<Vec<T>>) -> std::sync::MutexGuard<'_, Vec<T>> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

fn told(number: u64) -> Owed {
    Owed {
        first: number,
        last: number,
        is_beginning: false,
        since: Duration::ZERO,
    }
}

impl Node {
    fn put(self: &Arc<Self>, job: u64) {
        let put = self.entrances.put((), job, || self.open());
        put.expect("there is room");
    }

    fn owe(self: &Arc<Self>, number: u64) {
        self.entrances.owe((), told(number), || self.open());
    }

    fn open(self: &Arc<Self>) -> Entrance<u64> {
        let (sender, receiver) = bounded(2);
        let standing = Arc::new(Standing::default());
        let (node, of) = (Arc::clone(self), Arc::clone(&standing));
        let lane = thread::spawn(move || node.run(&receiver, &of));
        noted(&self.lanes).push(lane);
        Entrance::new(sender, standing)
    }

    /// A lane that finds nothing to do is idle at once.
    fn run(&self, receiver: &Receiver<u64>, standing: &Standing) {
        loop {
            if let Some(owed) = standing.debt.owed() {
                noted(&self.read).push(owed);
                standing.debt.settle(owed);
            } else if let Ok(job) = receiver.try_recv() {
                noted(&self.jobs).push(job);
            } else if self.entrances.retire((), receiver, standing) {
                return;
            }
        }
    }

    /// Waits until all lanes are gone.
    fn rests(&self) {
        while let Some(lane) = { noted(&self.lanes).pop() } {
            lane.join().expect("it ends");
        }
        assert_eq!(self.entrances.count(), 0);
    }
}

#[test]
fn what_enters_while_a_lane_goes_is_done_and_in_order() {
    check(|| {
        let node = Arc::new(Node::default());
        node.put(1);
        node.put(2);
        node.rests();
        assert_eq!(*noted(&node.jobs), [1, 2]);
    });
}

#[test]
fn what_is_owed_while_a_lane_goes_is_read() {
    check(|| {
        let node = Arc::new(Node::default());
        node.put(1);
        node.owe(5);
        node.owe(6);
        node.rests();
        assert_eq!(*noted(&node.jobs), [1]);
        let read = noted(&node.read);
        for number in [5, 6] {
            let has = |owed: &Owed| (owed.first..=owed.last).contains(&number);
            assert!(read.iter().any(has), "{read:?}");
        }
    });
}

#[test]
fn what_grows_while_it_is_read_wakes_the_lane_that_waits() {
    check(|| {
        let debt = Arc::new(Debt::default());
        let of = Arc::clone(&debt);
        let teller = thread::spawn(move || {
            for number in [5, 6] {
                of.add(told(number));
            }
        });
        let mut last = 0;
        while last < 6 {
            match debt.owed() {
                Some(owed) => {
                    last = owed.last;
                    debt.settle(owed);
                }
                None => block_on(debt.grown()),
            }
        }
        teller.join().expect("it ends");
        assert_eq!(debt.owed(), None);
    });
}

#[test]
fn nobody_takes_what_stands_before_a_lane_for_passed() {
    check(|| {
        let node = Arc::new(Node::default());
        let standing = Arc::new(Standing::default());
        let (sender, _receiver) = bounded(1);
        let entrance = Entrance::new(sender, Arc::clone(&standing));
        let put = node.entrances.put((), 1, || entrance);
        put.expect("there is room");
        let lane = thread::spawn(move || {
            standing.begin(4);
            for number in [5, 6] {
                standing.pass(number);
            }
        });
        let passed = node.entrances.passed(()).expect("it is there");
        assert!(passed.is_empty() || passed.start == 5, "{passed:?}");
        lane.join().expect("it ends");
        assert_eq!(node.entrances.passed(()), Some(5..7));
    });
}
