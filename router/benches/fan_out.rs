//! What a frame costs: decoding what a client says, encoding what it is told, passing it on to shards,
//! and a whole message from the door to a shard.

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/router/common/mod.rs"]
mod common;

use common::{Stage, client_id, say};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use protocol::frame::ClientFrame;
use protocol::id::ConnectionId;
use protocol::news::AgentNews;
use router::{Class, Delivery, Encoded, Topic};
use tokio::runtime::Runtime;

const SEND: &str = r#"{"type":"command","client_id":"0123456789abcdef","command":{"do":"send_message","body":"Hello, is the blue lamp still there?"}}"#;

fn frames(criterion: &mut Criterion) {
    criterion.bench_function("decode a message command", |bench| {
        bench.iter(|| serde_json::from_str::<ClientFrame>(SEND).expect("a frame"));
    });
    let runtime = Runtime::new().expect("a runtime");
    let entry = runtime.block_on(async {
        let stage = Stage::sqlite().await;
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        stage.log(id).await.remove(0)
    });
    let news = AgentNews::Entry { entry };
    criterion.bench_function("encode an entry", |bench| {
        bench.iter(|| Encoded::new(&news, Class::Row));
    });
}

/// A signal that is encoded once and handed to so many shards.
fn fan_out(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("encode once and hand to shards");
    for shard_count in [1_usize, 4, 16] {
        let stage = runtime.block_on(Stage::sqlite());
        let visitor = runtime.block_on(stage.visitor());
        let id = runtime.block_on(stage.begins(visitor));
        let shards: Vec<flume::Receiver<Delivery>> = (0..shard_count)
            .map(|_| {
                let (sender, receiver) = flume::bounded(4_096);
                let shard = stage.router.register_shard(sender);
                stage.router.subscribe(shard, Topic::ConversationAgents(id));
                receiver
            })
            .collect();
        let agent = stage.owner().actor;
        let tab: ConnectionId = stage.world.ids.next();
        group.bench_function(BenchmarkId::from_parameter(shard_count), |bench| {
            bench.iter(|| {
                for conversation_id in [Some(id), None] {
                    let told = stage.router.viewing(&agent, tab, conversation_id);
                    runtime.block_on(told).expect("allowed");
                }
                for shard in &shards {
                    assert_eq!(shard.drain().len(), 2);
                }
            });
        });
    }
    group.finish();
}

/// Alone, a message waits for one commit; what the lane adds is the rest.
fn message(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let stage = runtime.block_on(Stage::sqlite());
    let visitor = runtime.block_on(stage.visitor());
    let id = runtime.block_on(stage.begins(visitor));
    let ear = stage.ear();
    ear.listen(Topic::ConversationAgents(id));
    criterion.bench_function(
        "a message from the door to a shard, stored (SQLite)",
        |bench| {
            bench.iter(|| {
                runtime.block_on(async {
                    let name = client_id(&stage.world);
                    let said = stage
                        .router
                        .handle(&visitor.actor, name, say(None, "hello"));
                    said.await.expect("accepted");
                    ear.frame("entry").await
                })
            });
        },
    );
}

criterion_group!(benches, frames, fan_out, message);
criterion_main!(benches);
