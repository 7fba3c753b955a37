//! The contract of the store's figures: what took long, how much was stored at once, and what failed.

use std::time::Duration;

use crate::both::on_both;
use crate::common::Store;
use crate::common::talk::Talk;
use rusqlite::Connection;
use storage::db::{Figures, Home};
use storage::node;
use world::histogram::Counts;

/// How long somebody else keeps the store from storing.
const HELD: Duration = Duration::from_secs(1);

/// Of that, what is surely seen, in microseconds.
const SEEN_US: u64 = 500_000;

/// Somebody else, who keeps a write from being stored until he ends.
enum Holder {
    Sqlite(Connection),
    Postgres(tokio_postgres::Client),
}

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
impl Holder {
    async fn begin(store: &Store) -> Self {
        match &store.config.home {
            Home::Sqlite(path) => {
                let connection = Connection::open(path).unwrap();
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                Self::Sqlite(connection)
            }
            Home::Postgres(url) => {
                let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
                let (client, connection) = connected.unwrap();
                store.world.tracker.spawn(connection);
                let lock = "BEGIN; LOCK TABLE node IN ACCESS EXCLUSIVE MODE";
                client.batch_execute(lock).await.unwrap();
                Self::Postgres(client)
            }
        }
    }

    async fn end(self) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch("COMMIT").unwrap(),
            Self::Postgres(client) => client.batch_execute("COMMIT").await.unwrap(),
        }
    }
}

/// How many values are larger than half a second.
fn slow_count(counts: &Counts) -> u64 {
    let slow = counts.bounds.partition_point(|bound| *bound <= SEEN_US);
    counts.counts[slow..].iter().sum()
}

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
mod stories {
    use super::*;

    on_both! {
        /// Each write is in one commit, and each read is timed.
        async fn what_is_stored_and_read_is_counted(store: &Store) {
            let talk = Talk::new(store).await;
            let before = store.db.figures();
            for word in ["one", "two", "three"] {
                talk.says(word).await;
            }
            let after = store.db.figures();
            let more = |of: fn(&Figures) -> u64| of(&after) - of(&before);
            assert!(more(|figures| figures.commit_writes.sum) >= 3);
            let commits = more(|figures| figures.commit_us.total());
            assert!(commits > 0);
            assert_eq!(commits, more(|figures| figures.commit_writes.total()));
            assert!(more(|figures| figures.commit_us.sum) > 0);
            node::list(&store.db).await.unwrap();
            let read = store.db.figures();
            assert_eq!(read.read_us.total(), after.read_us.total() + 1);
            assert!(read.read_us.sum > after.read_us.sum);
            assert_eq!(read.failed_count, 0);
            assert_eq!((read.writes_waiting, read.reads_waiting), (0, 0));
        }

        /// A write that somebody else holds up counts as a slow one.
        async fn a_slow_commit_is_seen(store: &Store) {
            let before = slow_count(&store.db.figures().commit_us);
            let holder = Holder::begin(store).await;
            let write = node::leave(&store.db, store.world.ids.next());
            let hold = async {
                store.world.clock.sleep(HELD).await;
                holder.end().await;
            };
            let (written, ()) = futures_util::join!(write, hold);
            written.unwrap();
            let after = slow_count(&store.db.figures().commit_us);
            assert_eq!(after, before + 1);
        }

        /// What the store fails to do is counted; what it refuses by a rule is not.
        async fn failures_are_counted(store: &Store) {
            let talk = Talk::new(store).await;
            talk.says("one").await;
            assert_eq!(store.db.figures().failed_count, 0);
            store.world.faults.fail("storage.commit", 0, 1);
            node::leave(&store.db, store.world.ids.next()).await.unwrap_err();
            assert_eq!(store.db.figures().failed_count, 1);
            store.world.faults.fail("storage.read", 0, 1);
            node::list(&store.db).await.unwrap_err();
            assert_eq!(store.db.figures().failed_count, 2);
            node::list(&store.db).await.unwrap();
            assert_eq!(store.db.figures().failed_count, 2);
        }
    }
}
