//! Time for the HTTP library: that of the world, so that a simulation owns it and a test lets it pass.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::Sleep;
use world::Clock;

/// The world's clock in the library's terms.
pub(crate) struct Timer {
    clock: Clock,
    /// Any moment: the library only compares.
    origin: Instant,
}

impl Timer {
    #[expect(
        clippy::disallowed_methods,
        reason = "where a count begins; what counts is the clock's"
    )]
    pub(crate) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            origin: Instant::now(),
        }
    }
}

impl hyper::rt::Timer for Timer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(Sleeping(Mutex::new(Box::pin(self.clock.sleep(duration)))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(deadline.saturating_duration_since(self.now()))
    }

    fn now(&self) -> Instant {
        self.origin + self.clock.elapsed()
    }
}

/// The library wants to share what it alone polls; nobody ever waits for this lock.
struct Sleeping(Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Future for Sleeping {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let sleep = self.get_mut().0.get_mut();
        sleep
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
            .poll(context)
    }
}

impl Sleep for Sleeping {}
