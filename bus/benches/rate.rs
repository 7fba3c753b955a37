//! How many news go together to Redis at a steady rate: `cargo bench -p bus --bench rate`.
//!
//! One node publishes 20,000 news a second of 256 bytes, one each 50 µs, on 200 topics that another node
//! follows; each rate for 5 seconds, with a Redis of its own.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bus::{Bus, Heard, Reach, RedisConfig};
use bytes::Bytes;
use tokio::task::JoinSet;
use world::{Clock, World};

const RATES: [u32; 3] = [200, 2_000, 20_000];
const SECONDS: u32 = 5;
const TOPICS: usize = 200;
const NEWS_BYTES: usize = 256;

/// How long the last news may be on their way.
const DRAIN: Duration = Duration::from_millis(500);

/// A Redis on a free port, ended with the value.
struct Redis {
    process: Child,
    port: u16,
}

impl Redis {
    fn start() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port exists");
        let port = free.local_addr().expect("it listens").port();
        drop(free);
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--port"])
            .arg(port.to_string())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { process, port }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It has ended by itself where this fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn node(world: &World, redis: &Redis) -> Bus {
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let config = RedisConfig::of_url(&url, "bench").expect("a well-formed address");
    let bus = Bus::redis(world, config, &[7; 32]);
    let mut reach = bus.reach();
    let up = reach.wait_for(|reach| *reach == Reach::Up).await;
    up.expect("the bus lives");
    bus
}

/// News that say when they were published.
fn news(clock: &Clock) -> Bytes {
    let mut bytes = vec![0; NEWS_BYTES];
    let nanos = u64::try_from(clock.elapsed().as_nanos()).expect("a short run");
    bytes[..8].copy_from_slice(&nanos.to_be_bytes());
    bytes.into()
}

fn age(news: &Bytes, clock: &Clock) -> Option<Duration> {
    let published = u64::from_be_bytes(news.get(..8)?.try_into().ok()?);
    Some(
        clock
            .elapsed()
            .saturating_sub(Duration::from_nanos(published)),
    )
}

/// Publishes one after the other, each when it is due, whatever the bus does. On a thread of its own, for
/// no timer is as fine as the gaps.
fn publish(bus: &Bus, topics: &[String], rate: u32, clock: &Clock) {
    let begun = clock.elapsed();
    for index in 0..rate * SECONDS {
        let due = Duration::from_secs(1) * index / rate;
        while let Some(left) = (begun + due).checked_sub(clock.elapsed()) {
            match left > Duration::from_millis(1) {
                true => std::thread::sleep(left - Duration::from_millis(1)),
                false => std::thread::yield_now(),
            }
        }
        let topic = &topics[usize::try_from(index).expect("a count") % topics.len()];
        bus.publish(topic, &news(clock));
    }
}

async fn measure(world: &World, redis: &Redis, rate: u32) {
    let (here, there) = (node(world, redis).await, node(world, redis).await);
    let topics: Vec<String> = (0..TOPICS)
        .map(|index| format!("topic-{rate}-{index}"))
        .collect();
    let mut listening = JoinSet::new();
    for topic in &topics {
        let follower = there.follow(topic);
        let clock = world.clock.clone();
        listening.spawn(async move {
            let mut ages = Vec::new();
            let wait = Duration::from_secs(u64::from(SECONDS)) + DRAIN;
            // The first word is that what came before is lost.
            let listen = async {
                loop {
                    if let Heard::News(news) = follower.hear().await {
                        ages.extend(age(&news, &clock));
                    }
                }
            };
            let _over = tokio::time::timeout(wait, listen).await;
            ages
        });
    }
    tokio::time::sleep(DRAIN / 5).await;
    let before = here.stats();
    let speaker = (here.clone(), topics.clone(), world.clock.clone());
    let said =
        tokio::task::spawn_blocking(move || publish(&speaker.0, &speaker.1, rate, &speaker.2));
    said.await.expect("it publishes to the end");
    let mut ages: Vec<Duration> = listening.join_all().await.concat();
    ages.sort_unstable();
    let after = here.stats();
    let published = after.published_count - before.published_count;
    let batches = (after.batch_count - before.batch_count).max(1);
    let at = |percent: usize| {
        ages.get(ages.len() * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    eprintln!(
        "{rate} a second: {published} sent in {batches} round trips, {:.1} each; {} lost, {} heard; \
         from published to heard p50 {:?}, p99 {:?}",
        published as f64 / batches as f64,
        after.lost_count - before.lost_count,
        ages.len(),
        at(50),
        at(99),
    );
}

#[tokio::main]
async fn main() {
    let world = World::system();
    let redis = Redis::start();
    for rate in RATES {
        measure(&world, &redis, rate).await;
    }
}
