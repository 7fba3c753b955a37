//! The connection to Redis: one after the other, each until it fails.
//!
//! A link subscribes what somebody follows, tells every follower that it may have lost something, and then
//! sends what waits, many at a time. A Redis that does not answer counts as gone. Between two links waits
//! a random time, so that nodes do not come back all at once.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ProtocolVersion, PushInfo, PushKind, RedisConnectionInfo, RedisError,
    Value,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use world::World;
use world::net::TcpStream;

use crate::redis::{Outgoing, Shared};
use crate::tls;

/// How long Redis may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// How often Redis is asked whether it is there, and what it is.
const ASK_PERIOD: Duration = Duration::from_secs(1);

/// News that are sent in one round trip, at most.
const BATCH_LENGTH: usize = 512;

/// Bytes of one round trip after which no more are added.
const BATCH_BYTES: usize = 1024 * 1024;

/// How long is waited for more after a batch of several: under load few round trips carry much.
const GATHER: Duration = Duration::from_millis(1);

/// Bounds of the wait before the next connection.
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(2);

/// How long nothing must have been said in the end, and how long that may take: the last words of a node
/// spare the others doubts.
const LAST_WORDS: Duration = Duration::from_millis(200);
const LAST_WORDS_MAX: Duration = Duration::from_secs(2);

/// Channels of one command.
const CHANNELS_MAX: usize = 1_000;

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("it cannot be reached: {0}")]
    Connect(#[from] io::Error),
    #[error("TLS with it fails: {0}")]
    Tls(io::Error),
    #[error("it refuses: {0}")]
    Refused(#[from] RedisError),
    #[error("it does not answer")]
    Silent,
    #[error("it hung up")]
    HungUp,
    /// What is published there stays there: others would hear nothing of this node.
    #[error("it is a replica, which tells its primary nothing: name the primary")]
    Replica,
}

/// Keeps a link until the soft token.
pub(crate) async fn run(world: World, shared: Arc<Shared>, outgoing: flume::Receiver<Outgoing>) {
    let stop = ended(&world, &outgoing);
    let mut stop = std::pin::pin!(stop);
    let mut failed_count: u32 = 0;
    loop {
        let link = Link::keep(&world, &shared, &outgoing, &mut failed_count);
        let broken = tokio::select! {
            () = &mut stop => return,
            broken = link => broken,
        };
        let is_news = shared.fall(broken.to_string());
        // They are older than the next link: others are told that they lost something.
        let late = outgoing.drain().len();
        let late = u64::try_from(late).unwrap_or(u64::MAX);
        shared.counts.lost.fetch_add(late, Ordering::Relaxed);
        if is_news {
            let place = shared.config.place();
            tracing::warn!(redis.place = place, error = %broken, "the bus is out of reach");
        }
        failed_count = failed_count.saturating_add(1);
        tokio::select! {
            () = &mut stop => return,
            () = world.clock.sleep(wait_before(&world, failed_count)) => {}
        }
    }
}

/// Ends at the hard token, or a while after the soft one, once nothing waits any more.
async fn ended(world: &World, outgoing: &flume::Receiver<Outgoing>) {
    let (soft, hard) = (world.tracker.soft(), world.tracker.hard());
    soft.cancelled().await;
    let quiet = async {
        loop {
            world.clock.sleep(LAST_WORDS).await;
            if outgoing.is_empty() {
                return;
            }
        }
    };
    tokio::select! {
        () = hard.cancelled() => {}
        _ = world.clock.timeout(LAST_WORDS_MAX, quiet) => {}
    }
}

/// A random time below a bound that doubles.
fn wait_before(world: &World, failed_count: u32) -> Duration {
    let bound = RETRY_MIN
        .saturating_mul(1 << failed_count.min(8))
        .min(RETRY_MAX);
    let bound_ms = u64::try_from(bound.as_millis()).expect("seconds fit");
    Duration::from_millis(world.ids.below(bound_ms))
}

struct Link<'a> {
    world: &'a World,
    shared: &'a Arc<Shared>,
    connection: MultiplexedConnection,
    /// Rung when Redis hung up.
    hung_up: Arc<Notify>,
    /// Topics that Redis sends us.
    subscribed: HashSet<String>,
    /// Whether the last batch was of several.
    is_busy: bool,
    /// When Redis was last asked.
    asked_at: Duration,
}

enum Wake {
    HungUp,
    News(Outgoing),
    Turned,
    Due,
}

impl<'a> Link<'a> {
    /// Connects and serves until something fails.
    async fn keep(
        world: &'a World,
        shared: &'a Arc<Shared>,
        outgoing: &flume::Receiver<Outgoing>,
        failed_count: &mut u32,
    ) -> Broken {
        let hung_up = Arc::<Notify>::default();
        let connected = connect(world, shared, &hung_up);
        let connected = world.clock.timeout(ANSWER_MAX, connected).await;
        let connection = match connected {
            Some(Ok(connection)) => connection,
            Some(Err(broken)) => return broken,
            None => return Broken::Silent,
        };
        let mut link = Self {
            world,
            shared,
            connection,
            hung_up,
            subscribed: HashSet::new(),
            is_busy: false,
            asked_at: world.clock.elapsed(),
        };
        match link.serve(outgoing, failed_count).await {
            Ok(never) => match never {},
            Err(broken) => broken,
        }
    }

    async fn serve(
        &mut self,
        outgoing: &flume::Receiver<Outgoing>,
        failed_count: &mut u32,
    ) -> Result<std::convert::Infallible, Broken> {
        self.shared.turned.take();
        let followed = self.shared.ears.followed();
        self.subscribe(followed).await?;
        // Also where nothing is followed: whoever refuses us shows it now.
        self.ask().await?;
        *failed_count = 0;
        self.shared.rise();
        tracing::info!(
            redis.place = self.shared.config.place(),
            "the bus is in reach"
        );
        loop {
            let due = (self.asked_at + ASK_PERIOD).saturating_sub(self.world.clock.elapsed());
            let wake = tokio::select! {
                // The end first, and what shows it; then what is followed, which brings more than it costs.
                biased;
                () = self.hung_up.notified() => Wake::HungUp,
                () = self.world.clock.sleep(due) => Wake::Due,
                () = self.shared.turned.bell.notified() => Wake::Turned,
                news = outgoing.recv_async() => {
                    Wake::News(news.expect("the bus keeps the sender"))
                }
            };
            match wake {
                Wake::HungUp => return Err(Broken::HungUp),
                Wake::Turned => self.turn().await?,
                Wake::News(first) => self.send(first, outgoing).await?,
                Wake::Due => self.ask().await?,
            }
        }
    }

    /// Subscribes and unsubscribes what turned.
    async fn turn(&mut self) -> Result<(), Broken> {
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for topic in self.shared.turned.take() {
            let is_followed = self.shared.ears.is_followed(&topic);
            match (is_followed, self.subscribed.contains(&topic)) {
                (true, false) => new.push(topic),
                (false, true) => old.push(topic),
                // Followed anew before we heard of the end: it may have missed something for all it knows.
                (true, true) => self.shared.ears.lose(&topic),
                (false, false) => {}
            }
        }
        self.subscribe(new).await?;
        for topics in old.chunks(CHANNELS_MAX) {
            let channels = self.channels(topics);
            let mut connection = self.connection.clone();
            self.answer(connection.unsubscribe(channels)).await?;
            for topic in topics {
                self.subscribed.remove(topic);
                self.shared.forget(topic);
            }
        }
        Ok(())
    }

    async fn subscribe(&mut self, topics: Vec<String>) -> Result<(), Broken> {
        for topics in topics.chunks(CHANNELS_MAX) {
            let channels = self.channels(topics);
            let mut connection = self.connection.clone();
            self.answer(connection.subscribe(channels)).await?;
            for topic in topics {
                self.subscribed.insert(topic.clone());
                // What was published until now, nobody here has heard.
                self.shared.ears.lose(topic);
            }
        }
        Ok(())
    }

    fn channels(&self, topics: &[String]) -> Vec<String> {
        let channel = |topic: &String| self.shared.channel(topic);
        topics.iter().map(channel).collect()
    }

    /// Sends what waits in one round trip.
    async fn send(
        &mut self,
        first: Outgoing,
        outgoing: &flume::Receiver<Outgoing>,
    ) -> Result<(), Broken> {
        if self.is_busy {
            self.world.clock.sleep(GATHER).await;
        }
        let mut pipeline = redis::pipe();
        let (mut count, mut byte_count) = (0, 0);
        let mut next = Some(first);
        while let Some(news) = next {
            let bytes = self.shared.seal.wrap(&news.topic, &news.envelope);
            byte_count += bytes.len();
            count += 1;
            pipeline
                .cmd("PUBLISH")
                .arg(self.shared.channel(&news.topic))
                .arg(bytes);
            let has_room = count < BATCH_LENGTH && byte_count < BATCH_BYTES;
            next = if has_room {
                outgoing.try_recv().ok()
            } else {
                None
            };
        }
        self.is_busy = count > 1;
        let mut connection = self.connection.clone();
        let sent = connection.send_packed_commands(&pipeline, 0, count);
        for answer in self.answer(sent).await? {
            accepted(answer)?;
        }
        let counts = &self.shared.counts;
        counts
            .published
            .fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
        counts.batches.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Asks whether Redis is there, and whether it still is one on which all nodes meet.
    async fn ask(&mut self) -> Result<(), Broken> {
        let mut connection = self.connection.clone();
        let hello = redis::cmd("HELLO");
        let answer = self.answer(connection.send_packed_command(&hello)).await?;
        self.asked_at = self.world.clock.elapsed();
        let answer = answer.extract_error()?;
        if is_lone_replica(&answer) {
            return Err(Broken::Replica);
        }
        Ok(())
    }

    async fn answer<T>(
        &self,
        asked: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, Broken> {
        match self.world.clock.timeout(ANSWER_MAX, asked).await {
            Some(answer) => Ok(answer?),
            None => Err(Broken::Silent),
        }
    }
}

fn accepted(answer: Value) -> Result<(), Broken> {
    answer.extract_error()?;
    Ok(())
}

/// Whether this is a replica outside of a cluster; within one, each member tells all the others.
fn is_lone_replica(hello: &Value) -> bool {
    let Value::Map(pairs) = hello else {
        return false;
    };
    let says = |name: &str, word: &str| {
        let mut pairs = pairs.iter();
        pairs.any(|(key, value)| is_word(key, name) && is_word(value, word))
    };
    says("role", "replica") && !says("mode", "cluster")
}

fn is_word(value: &Value, word: &str) -> bool {
    matches!(value, Value::BulkString(bytes) if bytes == word.as_bytes())
        || matches!(value, Value::SimpleString(text) if text == word)
}

async fn connect(
    world: &World,
    shared: &Arc<Shared>,
    hung_up: &Arc<Notify>,
) -> Result<MultiplexedConnection, Broken> {
    let config = &shared.config;
    let stream = TcpStream::connect((config.host.as_str(), config.port)).await?;
    stream.set_nodelay(true)?;
    if config.tls {
        let stream = tls::secure(stream, config).await.map_err(Broken::Tls)?;
        greet(world, shared, hung_up, stream).await
    } else {
        greet(world, shared, hung_up, stream).await
    }
}

async fn greet<S>(
    world: &World,
    shared: &Arc<Shared>,
    hung_up: &Arc<Notify>,
    stream: S,
) -> Result<MultiplexedConnection, Broken>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = &shared.config;
    let mut greeting = RedisConnectionInfo::default()
        .set_protocol(ProtocolVersion::RESP3)
        .set_skip_set_lib_name();
    if let Some(user) = &config.user {
        greeting = greeting.set_username(user);
    }
    if let Some(password) = &config.password {
        greeting = greeting.set_password(password);
    }
    let settings = AsyncConnectionConfig::new()
        // We bound our waits ourselves, by our clock.
        .set_response_timeout(None)
        .set_push_sender(pushed(Arc::clone(shared), Arc::clone(hung_up)));
    let made = MultiplexedConnection::new_with_config(&greeting, stream, settings).await?;
    let (connection, driver) = made;
    // Ends when the link drops its handle, or Redis hangs up.
    world.tracker.spawn(driver);
    Ok(connection)
}

/// Takes in what Redis sends by itself. Called by the connection's driver, and never waits: followers have
/// bounded mailboxes.
fn pushed(
    shared: Arc<Shared>,
    hung_up: Arc<Notify>,
) -> impl Fn(PushInfo) -> Result<(), RedisError> + Send + Sync {
    move |push| {
        if push.kind == PushKind::Disconnection {
            hung_up.notify_one();
        } else if push.kind == PushKind::Message {
            let mut data = push.data.into_iter();
            if let (Some(Value::BulkString(channel)), Some(Value::BulkString(bytes))) =
                (data.next(), data.next())
            {
                shared.take(&channel, bytes);
            }
        }
        Ok(())
    }
}
