//! What every bus promises, within a process and over a real Redis; and what only Redis can do to it.

mod redis;
mod tls;

use std::time::Duration;

use bus::{Bus, FOLLOWER_NEWS_MAX, Follower, Heard, Reach, Stats};
use bytes::Bytes;
use world::World;

use crate::redis::Redis;

/// How long a condition may take. Generous: the machine may be busy.
const WAIT_MAX: Duration = Duration::from_secs(60);

const KEY: &[u8] = b"the key of one installation";

fn news(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// The next news, whatever was lost before.
async fn next(world: &World, follower: &Follower) -> Bytes {
    let heard = async {
        loop {
            if let Heard::News(news) = follower.hear().await {
                return news;
            }
        }
    };
    let heard = world.clock.timeout(WAIT_MAX, heard).await;
    heard.expect("something is heard")
}

async fn until(world: &World, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            world.clock.sleep(Duration::from_millis(5)).await;
        }
    };
    let held = world.clock.timeout(WAIT_MAX, waiting).await;
    assert!(held.is_some(), "never: {what}");
}

async fn until_stats(world: &World, bus: &Bus, what: &str, holds: impl Fn(&Stats) -> bool) {
    until(world, what, async || holds(&bus.stats())).await;
}

async fn until_reach(world: &World, bus: &Bus, wanted: Reach) {
    let mut reach = bus.reach();
    let turned = reach.wait_for(|reach| *reach == wanted);
    let turned = world.clock.timeout(WAIT_MAX, turned).await;
    assert!(turned.is_some(), "never {wanted:?}");
}

/// A node's bus that is in reach.
async fn node(world: &World, redis: &Redis) -> Bus {
    let bus = Bus::redis(world, redis.config(), KEY);
    until_reach(world, &bus, Reach::Up).await;
    bus
}

/// A follower that hears what is published from now on: its first loss says that it really follows.
async fn follow(world: &World, bus: &Bus, topic: &str) -> Follower {
    let follower = bus.follow(topic);
    if let Bus::Redis(_) = bus {
        let heard = world.clock.timeout(WAIT_MAX, follower.hear()).await;
        assert_eq!(heard, Some(Heard::Lost));
    }
    follower
}

/// Two nodes, on each kind of bus.
async fn check(promise: impl AsyncFn(&World, &Bus, &Bus)) {
    let world = World::system();
    let local = Bus::shared();
    promise(&world, &local, &local.clone()).await;
    let redis = Redis::start(&world, &[]).await;
    let (one, other) = (node(&world, &redis).await, node(&world, &redis).await);
    promise(&world, &one, &other).await;
    end(&world).await;
}

async fn end(world: &World) {
    world.tracker.stop();
}

#[tokio::test]
async fn every_follower_of_a_topic_hears_it_on_every_node_and_nobody_else() {
    check(async |world, one, other| {
        let here = follow(world, one, "a").await;
        let there = follow(world, other, "a").await;
        let elsewhere = follow(world, other, "b").await;
        one.publish("a", &news("one"));
        other.publish("b", &news("two"));
        assert_eq!(next(world, &here).await, news("one"));
        assert_eq!(next(world, &there).await, news("one"));
        assert_eq!(next(world, &elsewhere).await, news("two"));
    })
    .await;
}

#[tokio::test]
async fn what_is_for_other_nodes_is_heard_there_in_order_and_over_redis_not_here() {
    check(async |world, one, other| {
        let here = follow(world, one, "a").await;
        let there = follow(world, other, "a").await;
        one.publish_elsewhere("a", &news("for others"));
        one.publish("a", &news("for all"));
        assert_eq!(next(world, &there).await, news("for others"));
        assert_eq!(next(world, &there).await, news("for all"));
        if let Bus::Local(_) = one {
            assert_eq!(next(world, &here).await, news("for others"));
        }
        assert_eq!(next(world, &here).await, news("for all"));
    })
    .await;
}

#[tokio::test]
async fn news_of_one_node_come_in_order_and_once() {
    check(async |world, one, other| {
        let there = follow(world, other, "a").await;
        let here = follow(world, one, "a").await;
        for index in 0..FOLLOWER_NEWS_MAX {
            one.publish("a", &news(&index.to_string()));
        }
        for follower in [&here, &there] {
            for index in 0..FOLLOWER_NEWS_MAX {
                let heard = world.clock.timeout(WAIT_MAX, follower.hear()).await;
                assert_eq!(heard, Some(Heard::News(news(&index.to_string()))));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_slow_follower_is_told_that_it_lost_news_and_hears_the_rest() {
    check(async |world, one, other| {
        let slow = follow(world, other, "a").await;
        for _ in 0..=FOLLOWER_NEWS_MAX {
            one.publish("a", &news("again"));
        }
        if let Bus::Redis(_) = other {
            let all = u64::try_from(FOLLOWER_NEWS_MAX + 1).expect("a small number");
            until_stats(world, other, "all came", |stats| stats.heard_count == all).await;
        }
        assert_eq!(slow.hear().await, Heard::Lost);
        for _ in 0..FOLLOWER_NEWS_MAX {
            assert_eq!(slow.hear().await, Heard::News(news("again")));
        }
        one.publish("a", &news("new"));
        assert_eq!(next(world, &slow).await, news("new"));
    })
    .await;
}

#[tokio::test]
async fn a_topic_costs_a_subscription_only_while_somebody_follows() {
    let world = World::system();
    let redis = Redis::start(&world, &[]).await;
    let bus = node(&world, &redis).await;
    let channels = async || -> Vec<String> {
        let mut command = ::redis::cmd("PUBSUB");
        command.arg("CHANNELS").arg("test:*");
        redis.ask(&command).await
    };
    assert!(channels().await.is_empty());
    let first = follow(&world, &bus, "a").await;
    let second = bus.follow("a");
    assert_eq!(channels().await, ["test:a"]);
    drop(first);
    bus.publish("a", &news("still"));
    assert_eq!(next(&world, &second).await, news("still"));
    drop(second);
    until(&world, "unsubscribed", async || channels().await.is_empty()).await;
    end(&world).await;
}

#[tokio::test]
async fn a_redis_that_was_killed_costs_news_and_nothing_else() {
    let world = World::system();
    let mut redis = Redis::start(&world, &[]).await;
    let (one, other) = (node(&world, &redis).await, node(&world, &redis).await);
    let here = follow(&world, &one, "a").await;
    let there = follow(&world, &other, "a").await;
    redis.kill().await;
    until_reach(&world, &one, Reach::Down).await;
    until_reach(&world, &other, Reach::Down).await;
    one.publish("a", &news("for us alone"));
    assert_eq!(next(&world, &here).await, news("for us alone"));
    assert_eq!(one.stats().lost_count, 1);
    redis.restart().await;
    until_reach(&world, &one, Reach::Up).await;
    until_reach(&world, &other, Reach::Up).await;
    assert_eq!(there.hear().await, Heard::Lost);
    one.publish("a", &news("for all"));
    assert_eq!(next(&world, &here).await, news("for all"));
    assert_eq!(next(&world, &there).await, news("for all"));
    assert_eq!(one.problem(), None);
    end(&world).await;
}

#[tokio::test]
async fn a_gap_in_what_a_node_sent_is_noticed() {
    let world = World::system_with_faults();
    let redis = Redis::start(&world, &[]).await;
    let (one, other) = (node(&world, &redis).await, node(&world, &redis).await);
    let there = follow(&world, &other, "a").await;
    one.publish("a", &news("1"));
    assert_eq!(next(&world, &there).await, news("1"));
    world.faults.fail("bus.publish", 0, 1);
    one.publish("a", &news("2"));
    one.publish("a", &news("3"));
    let heard = world.clock.timeout(WAIT_MAX, there.hear()).await;
    assert_eq!(heard, Some(Heard::Lost));
    assert_eq!(next(&world, &there).await, news("3"));
    assert_eq!(other.stats().gap_count, 1);
    end(&world).await;
}

/// Nothing was heard of the node before, so no number tells that one is missing.
#[tokio::test]
async fn what_a_node_sent_first_and_was_lost_is_noticed() {
    let world = World::system_with_faults();
    let redis = Redis::start(&world, &[]).await;
    let (one, other) = (node(&world, &redis).await, node(&world, &redis).await);
    let there = follow(&world, &other, "a").await;
    world.faults.fail("bus.publish", 0, 1);
    one.publish("a", &news("1"));
    one.publish("a", &news("2"));
    let heard = world.clock.timeout(WAIT_MAX, there.hear()).await;
    assert_eq!(heard, Some(Heard::Lost));
    assert_eq!(next(&world, &there).await, news("2"));
    one.publish("a", &news("3"));
    let heard = world.clock.timeout(WAIT_MAX, there.hear()).await;
    assert_eq!(heard, Some(Heard::News(news("3"))));
    assert_eq!(other.stats().gap_count, 0, "it may be none");
    end(&world).await;
}

#[tokio::test]
async fn what_is_cut_forged_or_newer_is_skipped_and_counted() {
    let world = World::system();
    let redis = Redis::start(&world, &[]).await;
    let (one, other) = (node(&world, &redis).await, node(&world, &redis).await);
    let there = follow(&world, &other, "a").await;
    let mut forged = vec![0; 64];
    forged[0] = 1;
    let mut newer = forged.clone();
    newer[0] = 2;
    for bytes in [b"\x01short".to_vec(), Vec::new(), forged, newer] {
        let mut command = ::redis::cmd("PUBLISH");
        let heard_by: u64 = redis.ask(command.arg("test:a").arg(bytes)).await;
        assert_eq!(heard_by, 1);
    }
    // Another installation that was given the same prefix by mistake.
    let stranger = Bus::redis(&world, redis.config(), b"another key");
    until_reach(&world, &stranger, Reach::Up).await;
    stranger.publish("a", &news("not for us"));
    until_stats(&world, &other, "all came", |stats| {
        stats.unreadable_count == 5
    })
    .await;
    one.publish("a", &news("for us"));
    assert_eq!(next(&world, &there).await, news("for us"));
    end(&world).await;
}

#[tokio::test]
async fn installations_with_prefixes_of_their_own_share_a_redis() {
    let world = World::system();
    let redis = Redis::start(&world, &[]).await;
    let one = node(&world, &redis).await;
    let config = bus::RedisConfig::of_url(&redis.url(), "test2").expect("well formed");
    let other = Bus::redis(&world, config, b"another key");
    until_reach(&world, &other, Reach::Up).await;
    let here = follow(&world, &one, "a").await;
    other.publish("a", &news("theirs"));
    until_stats(&world, &other, "sent", |stats| stats.published_count == 1).await;
    one.publish("a", &news("ours"));
    assert_eq!(here.hear().await, Heard::News(news("ours")));
    assert_eq!(one.stats().unreadable_count, 0);
    end(&world).await;
}

#[tokio::test]
async fn a_wrong_password_is_said_and_a_right_one_gets_in() {
    let world = World::system();
    let redis = Redis::start(&world, &["--requirepass", "right"]).await;
    let with = |password: &str| {
        let url = redis.url().replace("//", &format!("//:{password}@"));
        let config = bus::RedisConfig::of_url(&url, "test").expect("well formed");
        Bus::redis(&world, config, KEY)
    };
    let (wrong, right) = (with("wrong"), with("right"));
    until_reach(&world, &right, Reach::Up).await;
    until(&world, "refused", async || wrong.problem().is_some()).await;
    let problem = wrong.problem().expect("it was there").text;
    assert!(problem.contains("refuses"), "{problem}");
    assert!(!problem.contains("wrong"), "{problem}");
    assert_eq!(*wrong.reach().borrow(), Reach::Down);
    end(&world).await;
}

#[tokio::test]
async fn a_password_that_is_set_and_taken_away_is_noticed() {
    let world = World::system();
    let redis = Redis::start(&world, &[]).await;
    let node = node(&world, &redis).await;
    redis.tell(&["CONFIG", "SET", "requirepass", "new"]).await;
    redis
        .tell_with("new", &["CLIENT", "KILL", "SKIPME", "yes"])
        .await;
    let refused = async || {
        let problem = node.problem();
        problem.is_some_and(|problem| problem.text.contains("refuses"))
    };
    until(&world, "refused", refused).await;
    assert_eq!(*node.reach().borrow(), Reach::Down);
    redis
        .tell_with("new", &["CONFIG", "SET", "requirepass", ""])
        .await;
    until_reach(&world, &node, Reach::Up).await;
    assert_eq!(node.problem(), None);
    end(&world).await;
}

/// Nothing of ours is kept there: no room for keys, and keys that vanish, are all the same to us.
#[tokio::test]
async fn a_redis_that_keeps_nothing_any_more_still_carries_news() {
    for policy in ["noeviction", "allkeys-random"] {
        let world = World::system();
        let options = ["--maxmemory", "1", "--maxmemory-policy", policy];
        let redis = Redis::start(&world, &options).await;
        let (one, other) = (node(&world, &redis).await, node(&world, &redis).await);
        let there = follow(&world, &other, "a").await;
        one.publish("a", &news("one"));
        assert_eq!(next(&world, &there).await, news("one"));
        redis.tell(&["FLUSHALL"]).await;
        one.publish("a", &news("two"));
        assert_eq!(next(&world, &there).await, news("two"));
        let count: u64 = redis.ask(&::redis::cmd("DBSIZE")).await;
        assert_eq!(count, 0, "a bus leaves nothing behind");
        end(&world).await;
    }
}

/// Its primary, and whoever is there, hears nothing of what is published on a replica.
#[tokio::test]
async fn a_replica_is_no_bus_whenever_it_becomes_one() {
    let world = World::system();
    let redis = Redis::start(&world, &["--replicaof", "127.0.0.1", "1"]).await;
    let bus = Bus::redis(&world, redis.config(), KEY);
    let is_told = async || {
        let problem = bus.problem();
        problem.is_some_and(|problem| problem.text.contains("replica"))
    };
    until(&world, "a replica at the start", is_told).await;
    assert_eq!(*bus.reach().borrow(), Reach::Down);
    redis.tell(&["REPLICAOF", "NO", "ONE"]).await;
    until_reach(&world, &bus, Reach::Up).await;
    assert_eq!(bus.problem(), None);
    redis.tell(&["REPLICAOF", "127.0.0.1", "1"]).await;
    until_reach(&world, &bus, Reach::Down).await;
    until(&world, "a replica on the way", is_told).await;
    end(&world).await;
}

#[tokio::test]
async fn many_news_take_few_round_trips() {
    let world = World::system();
    let redis = Redis::start(&world, &[]).await;
    let (one, other) = (node(&world, &redis).await, node(&world, &redis).await);
    let there = follow(&world, &other, "a").await;
    for _ in 0..10_000 {
        one.publish("a", &news("again"));
    }
    until_stats(&world, &other, "all came", |stats| {
        stats.heard_count == 10_000
    })
    .await;
    // What was heard may be confirmed to the sender a moment later.
    until_stats(&world, &one, "all were confirmed", |stats| {
        stats.published_count == 10_000
    })
    .await;
    let stats = one.stats();
    assert_eq!(stats.lost_count, 0);
    assert!(stats.batch_count <= 10_000 / 16, "{stats:?}");
    assert_eq!(there.hear().await, Heard::Lost);
    end(&world).await;
}
