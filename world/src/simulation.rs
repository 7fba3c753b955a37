//! A simulation's tasks: one thread runs all of them, one at a time, in an order that a seed decides.
//!
//! A [`Machine`] is what may be killed at once: a node, a client. Its tasks are dropped where they wait, as a
//! process that is killed leaves everything where it stands. Nothing here runs by itself: whoever drives the
//! simulation calls [`step`] until nothing is ready, and then moves the clock.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::sync::oneshot;

use crate::Ids;

/// What is killed at once. Its tasks are those that its tracker was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Machine(u64);

/// Waits for a task's output.
#[derive(Debug)]
pub struct Handle<T> {
    number: u64,
    output: oneshot::Receiver<T>,
}

type Work = Pin<Box<dyn Future<Output = ()>>>;

struct Task {
    machine: Machine,
    /// Nothing while it runs.
    work: Option<Work>,
    alarm: Arc<Alarm>,
}

#[derive(Default)]
struct Tasks {
    /// Whether this thread is a simulation's.
    is_on: bool,
    next_number: u64,
    tasks: BTreeMap<u64, Task>,
    ready: Ready,
}

/// Tasks that can go on.
#[derive(Clone, Default)]
struct Ready(Arc<Mutex<Vec<u64>>>);

impl Ready {
    fn lock(&self) -> MutexGuard<'_, Vec<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What wakes a task.
struct Alarm {
    number: u64,
    is_rung: AtomicBool,
    ready: Ready,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            self.ready.lock().push(self.number);
        }
    }
}

thread_local! {
    /// The simulation of this thread. A tracker is sent about with what it belongs to; its tasks need not be.
    static TASKS: RefCell<Tasks> = RefCell::default();
}

/// A new machine, with no task yet.
#[must_use]
pub fn machine() -> Machine {
    TASKS.with_borrow_mut(|tasks| {
        tasks.is_on = true;
        tasks.next_number += 1;
        Machine(tasks.next_number)
    })
}

/// Whether this thread is a simulation's: it has had a machine since it was last cleared.
pub(crate) fn is_on() -> bool {
    TASKS.with_borrow(|tasks| tasks.is_on)
}

/// Adds a task to a machine.
pub(crate) fn spawn<F>(machine: Machine, future: F) -> Handle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let (reply, output) = oneshot::channel();
    let work = Box::pin(async move {
        // Nobody may wait for it.
        let _ = reply.send(future.await);
    });
    let number = TASKS.with_borrow_mut(|tasks| {
        tasks.next_number += 1;
        let number = tasks.next_number;
        let alarm = Arc::new(Alarm {
            number,
            is_rung: AtomicBool::new(false),
            ready: tasks.ready.clone(),
        });
        alarm.wake_by_ref();
        let task = Task {
            machine,
            work: Some(work),
            alarm,
        };
        tasks.tasks.insert(number, task);
        number
    });
    Handle { number, output }
}

/// Lets one task that is ready go on, which one `ids` decides. Whether there was one.
pub fn step(ids: &Ids) -> bool {
    let Some((number, mut work, alarm)) = TASKS.with_borrow_mut(|tasks| tasks.take(ids)) else {
        return false;
    };
    let waker = Waker::from(alarm);
    let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
    let over = TASKS.with_borrow_mut(|tasks| match polled {
        Poll::Ready(()) => tasks.tasks.remove(&number),
        Poll::Pending => {
            if let Some(task) = tasks.tasks.get_mut(&number) {
                task.work = Some(work);
                return None;
            }
            // It killed its own machine.
            Some(Task {
                machine: Machine(0),
                work: Some(work),
                alarm: Arc::new(Alarm {
                    number,
                    is_rung: AtomicBool::new(true),
                    ready: Ready::default(),
                }),
            })
        }
    });
    // Outside: what it drops may spawn and wake.
    drop(over);
    true
}

/// Drops all tasks of a machine where they stand.
pub fn kill(machine: Machine) {
    let killed = TASKS.with_borrow_mut(|tasks| {
        let is_its = |task: &Task| task.machine == machine;
        let numbers = tasks.tasks.iter().filter(|(_, task)| is_its(task));
        let numbers: Vec<u64> = numbers.map(|(number, _)| *number).collect();
        let killed = numbers
            .iter()
            .filter_map(|number| tasks.tasks.remove(number));
        killed.collect::<Vec<_>>()
    });
    drop(killed);
}

/// Drops all tasks: the end of a simulation, and of what it held.
pub fn clear() {
    // What is dropped may spawn once more.
    loop {
        let tasks = TASKS.take();
        if tasks.tasks.is_empty() {
            return;
        }
        drop(tasks);
    }
}

impl Tasks {
    fn take(&mut self, ids: &Ids) -> Option<(u64, Work, Arc<Alarm>)> {
        loop {
            let number = {
                let mut ready = self.ready.lock();
                if ready.is_empty() {
                    return None;
                }
                let count = u64::try_from(ready.len()).expect("a length fits");
                let index = usize::try_from(ids.below(count)).expect("below a length");
                ready.swap_remove(index)
            };
            // One that is over, or was killed, may still be woken.
            let Some(task) = self.tasks.get_mut(&number) else {
                continue;
            };
            task.alarm.is_rung.store(false, Ordering::Release);
            if let Some(work) = task.work.take() {
                return Some((number, work, Arc::clone(&task.alarm)));
            }
        }
    }
}

impl<T> Handle<T> {
    /// Whether the task is over or was killed.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        !self.output.is_empty() || self.output.is_terminated()
    }

    /// Drops the task where it stands.
    pub fn abort(&self) {
        let number = self.number;
        let task = TASKS.with_borrow_mut(|tasks| tasks.tasks.remove(&number));
        drop(task);
    }
}

impl<T> Future for Handle<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.output).poll(context).map(Result::ok)
    }
}
