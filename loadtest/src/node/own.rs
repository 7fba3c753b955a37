//! The nodes of a run's own: one on SQLite, or several on a Postgres and a Redis of the tool's own. They, and all
//! that they keep, are gone with it.

use std::time::Duration;

use futures_util::future::try_join_all;
use protocol::id::SiteId;
use tempfile::TempDir;
use world::World;

use crate::Error;
use crate::node::postgres::Postgres;
use crate::node::redis::Redis;
use crate::node::{self, Node, Spec};
use crate::target::secret;

/// The nodes.
// The order is that of the end: nodes before what they rest on.
pub struct Own {
    nodes: Vec<Node>,
    password: String,
    metrics_token: String,
    _redis: Option<Redis>,
    _postgres: Option<Postgres>,
    _home: TempDir,
}

impl Own {
    /// Starts so many, one after the other.
    ///
    /// # Errors
    /// The binary is missing, or what several nodes need is not installed, or one does not start.
    pub async fn start(world: &World, node_count: u64) -> Result<Self, Error> {
        let home = tempfile::tempdir()?;
        let (mut redis, mut postgres) = (None, None);
        let metrics_token = secret(world);
        let token = (
            "SWITCHBOARD_METRICS_TOKEN".to_owned(),
            metrics_token.clone(),
        );
        let mut variables = vec![token];
        if node_count > 1 {
            let store = Postgres::start(world).await?;
            let bus = Redis::start(world).await?;
            variables.push(("SWITCHBOARD_DATABASE_URL".to_owned(), store.url()));
            variables.push(("SWITCHBOARD_REDIS_URL".to_owned(), bus.url()));
            (postgres, redis) = (Some(store), Some(bus));
        }
        let password = secret(world);
        let mut nodes = Vec::new();
        for index in 0..node_count {
            let mut node = Node::new(Spec {
                binary: node::binary()?,
                home: home.path().join(format!("node-{index}")),
                files: (node_count > 1).then(|| home.path().join("files")),
                email: node::EMAIL.to_owned(),
                password: password.clone(),
                variables: variables.clone(),
            });
            node.start(world).await?;
            nodes.push(node);
        }
        Ok(Self {
            nodes,
            password,
            metrics_token,
            _redis: redis,
            _postgres: postgres,
            _home: home,
        })
    }

    /// Where they listen.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Node::url).collect()
    }

    /// The owner's password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// What lets their metrics be read.
    #[must_use]
    pub fn metrics_token(&self) -> &str {
        &self.metrics_token
    }

    /// The site that they serve.
    #[must_use]
    pub fn site_key(&self) -> Option<SiteId> {
        self.nodes.first().and_then(Node::site_key)
    }

    /// Their processes.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.nodes.iter().filter_map(Node::pid).collect()
    }

    /// Kills the last of them, as a lost machine ends.
    ///
    /// # Errors
    /// It had ended by itself before.
    pub async fn kill_last(&mut self) -> Result<(), Error> {
        self.last()?.kill().await
    }

    /// Starts the last of them again.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_last(&mut self, world: &World) -> Result<(), Error> {
        self.last()?.start(world).await
    }

    fn last(&mut self) -> Result<&mut Node, Error> {
        let last = self.nodes.last_mut();
        last.ok_or_else(|| Error::Node("there is none".to_owned()))
    }

    /// Asks all of them at once to end, and starts them again when they have; says how long the end took.
    ///
    /// # Errors
    /// One does not end within the limit, or does not start again.
    pub async fn restart(&mut self, world: &World, limit: Duration) -> Result<Duration, Error> {
        let started = world.clock.elapsed();
        try_join_all(self.nodes.iter_mut().map(|node| node.stop(world, limit))).await?;
        let took = world.clock.elapsed() - started;
        for node in &mut self.nodes {
            node.start(world).await?;
        }
        Ok(took)
    }
}
