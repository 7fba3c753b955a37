//! Learning: the search takes in what was said, a moment after it was stored and passed on.
//!
//! Rung by whatever passes words on; looks by itself now and then for what a node left behind that ended.

use std::time::Duration;

use storage::search::{self, Learned};
use tokio::sync::Notify;

use crate::router::Router;

/// How long words wait for others, so that they are taken in together.
const DELAY: Duration = Duration::from_millis(200);

/// How much longer than a slice took it rests before the next: whoever speaks meanwhile waits for no more than one.
const REST_FOR_EACH: u32 = 3;

/// How often it looks without being rung.
const INTERVAL: Duration = Duration::from_secs(10);

/// How long it rests where another node is at the same work, or the store cannot be reached.
const REST: Duration = Duration::from_secs(1);

/// The bell of this node.
#[derive(Debug, Default)]
pub(crate) struct Learning(Notify);

impl Learning {
    /// Something was said. Cheap, never waits.
    pub(crate) fn ring(&self) {
        self.0.notify_one();
    }

    /// Takes in what was said, for ever.
    pub(crate) async fn run(&self, router: &Router) {
        let clock = &router.world().clock;
        loop {
            clock.sleep(self.round(router).await).await;
            tokio::select! {
                biased;
                () = self.0.notified() => {}
                () = clock.sleep(INTERVAL) => {}
            }
        }
    }

    /// Takes in all there is; gives how long to rest.
    async fn round(&self, router: &Router) -> Duration {
        let clock = &router.world().clock;
        loop {
            let began = clock.elapsed();
            match search::learn(router.db()).await {
                Ok(Learned::Some) => {
                    let took = clock.elapsed().saturating_sub(began);
                    clock.sleep(took * REST_FOR_EACH).await;
                }
                Ok(Learned::All) => return DELAY,
                Ok(Learned::Meanwhile) => {
                    self.ring();
                    return REST;
                }
                Err(error) => {
                    tracing::warn!(%error, "the search could not take in what was said");
                    self.ring();
                    return REST;
                }
            }
        }
    }
}
