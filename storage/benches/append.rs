//! The guarded send on both stores, by how many send at once. Everything rests on it.
//!
//! `SWITCHBOARD_TEST_POSTGRES_URL` names the Postgres; without it only SQLite is measured, and said so.

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/storage/common/mod.rs"]
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::Store;
use common::talk::{Talk, words};
use criterion::{Criterion, Throughput};
use protocol::id::ConversationId;
use storage::contact::Shown;
use storage::entry::{self, Append, NewContent, Outcome};
use tokio::runtime::Runtime;

/// Conversations over which the senders are spread.
const CONVERSATIONS: usize = 64;

/// Sends of one sender in one round.
const ROUND: usize = 20;

async fn conversations(talk: &Talk<'_>) -> Vec<ConversationId> {
    let mut ids = Vec::with_capacity(CONVERSATIONS);
    for _ in 0..CONVERSATIONS {
        let visitor = talk.another_visitor().await;
        let outcome = talk.says_as(visitor, "first", words("hello")).await;
        ids.push(common::talk::accepted(outcome).conversation.id);
    }
    ids
}

/// Every sender sends one after the other, each to a conversation of its own; gives the waiting times.
async fn round(talk: &Talk<'_>, ids: &[ConversationId], senders: usize, ns: &Latencies) {
    let sending = (0..senders).map(|sender| async move {
        let id = ids[sender % ids.len()];
        // As a lane does: what was stored is remembered for the next one.
        let (mut reached_at_ms, mut contact) = (None, None);
        for n in 0..ROUND {
            let body = format!("message {n}: the parcel has not come yet, where is it?");
            let append = Append {
                reached_at_ms,
                contact,
                ..talk.deed(id, vec![NewContent::Message(words(&body))])
            };
            let before = talk.store.world.clock.elapsed();
            let outcome = entry::append(&talk.store.db, &append).await;
            ns.add(talk.store.world.clock.elapsed() - before);
            let Ok(Outcome::Accepted(stored)) = outcome else {
                panic!("not accepted: {outcome:?}");
            };
            reached_at_ms = Some(stored.conversation.active_at_ms);
            contact = Some(Shown {
                name: stored.conversation.contact_name,
                version: stored.conversation.contact_version,
                erased: stored.conversation.contact_erased,
            });
        }
    });
    futures_util::future::join_all(sending).await;
}

#[derive(Default)]
struct Latencies {
    all: std::sync::Mutex<Vec<Duration>>,
    count: AtomicU64,
}

impl Latencies {
    fn add(&self, waited: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.all.lock().expect("nobody panics here").push(waited);
    }

    fn tell(&self, name: &str) {
        let mut all = self.all.lock().expect("nobody panics here");
        all.sort_unstable();
        let at = |share: usize| all[(all.len() - 1) * share / 100];
        eprintln!(
            "{name}: {} sends, p50 {:?}, p99 {:?}",
            self.count.load(Ordering::Relaxed),
            at(50),
            at(99)
        );
    }
}

fn measure(criterion: &mut Criterion, runtime: &Runtime, name: &str, store: &Store) {
    let talk = runtime.block_on(Talk::new(store));
    let ids = runtime.block_on(conversations(&talk));
    let mut group = criterion.benchmark_group(format!("append/{name}"));
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(4));
    for senders in [1, 16, 64] {
        let latencies = Arc::new(Latencies::default());
        group.throughput(Throughput::Elements((senders * ROUND) as u64));
        group.bench_function(format!("{senders}"), |bencher| {
            bencher.iter(|| runtime.block_on(round(&talk, &ids, senders, &latencies)));
        });
        if latencies.count.load(Ordering::Relaxed) == 0 {
            continue; // Filtered out.
        }
        latencies.tell(&format!("append/{name}/{senders}"));
    }
    group.finish();
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut criterion = Criterion::default()
        .output_directory(std::path::Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../target/criterion"
        )))
        .configure_from_args();
    let sqlite = runtime.block_on(Store::sqlite());
    measure(&mut criterion, &runtime, "sqlite", &sqlite);
    if std::env::vars().any(|(name, _)| name == "SWITCHBOARD_TEST_POSTGRES_URL") {
        let postgres = runtime.block_on(Store::postgres());
        measure(&mut criterion, &runtime, "postgres", &postgres);
    } else {
        eprintln!("append/postgres: not measured, SWITCHBOARD_TEST_POSTGRES_URL is not set");
    }
    criterion.final_summary();
}
