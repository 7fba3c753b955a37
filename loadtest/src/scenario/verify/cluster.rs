//! The nodes of a verification: started on one store, each behind a proxy of its own; and whoever
//! breaks them by a plan. What they share they reach through a proxy for all, and where there are several, each through
//! one of its own before that.

use std::time::Duration;

use rustix::process::Signal;
use serde::Serialize;
use tempfile::TempDir;
use world::World;

use super::fault::{Fault, Line, Planned, Subject};
use super::link::{self, Own, part, proxied, trouble};
use crate::Error;
use crate::fleet::moment;
use crate::node::postgres::Postgres;
use crate::node::proxy::Proxy;
use crate::node::redis::Redis;
use crate::node::{self, Node, Spec};
use crate::target::secret;

/// How long an orderly end may take: the clients are told to leave within it.
const STOP_MAX: Duration = Duration::from_secs(15);

/// How often a node of a shared store is started before it is given up, and how long is waited between.
const STARTS_MAX: u32 = 20;
const START_AGAIN: Duration = Duration::from_millis(300);

/// How many nodes, and on what.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Nodes.
    pub nodes: usize,
    /// The store.
    pub database_url: Option<String>,
    /// Whether, where no store is named, it is a Postgres of our own rather than SQLite in the temporary folder.
    pub own_postgres: bool,
    /// The bus between nodes.
    pub redis_url: Option<String>,
    /// The owner's address and password, where the store has one already.
    pub owner: Option<(String, String)>,
}

/// Nodes of one store, with a proxy before each.
pub struct Cluster {
    plan: Plan,
    home: TempDir,
    /// The owner's address.
    pub email: String,
    /// The owner's password.
    pub password: String,
    nodes: Vec<Place>,
    /// Links that all nodes share.
    links: Vec<(Line, Proxy)>,
    /// The bus, where it is our own.
    redis: Option<Redis>,
    /// The store, where it is a Postgres of our own.
    postgres: Option<Postgres>,
}

/// A node and the proxy before it.
struct Place {
    node: Node,
    proxy: Proxy,
    /// Its own links to what it shares with others, before those of all.
    lines: Vec<(Line, Proxy)>,
    /// How often it is started before it is given up. A node does not start while the link to its store is
    /// broken, and whoever supervises it tries again.
    starts_max: u32,
}

/// A node's own links, and the variables that name them.
type Lines = (Vec<(Line, Proxy)>, Vec<(String, String)>);

/// The variable that names what a line leads to.
fn variable(line: Line) -> &'static str {
    match line {
        Line::Store => "SWITCHBOARD_DATABASE_URL",
        Line::Bus => "SWITCHBOARD_REDIS_URL",
    }
}

/// A fault that was carried out.
#[derive(Debug, Clone, Serialize)]
pub struct Done {
    /// On what: `node 0`, `store`, `bus`.
    pub subject: String,
    /// What was planned.
    #[serde(flatten)]
    pub planned: Planned,
}

/// What whoever breaks a cluster brings home.
#[derive(Debug, Default)]
pub struct Broken {
    /// What was broken on purpose.
    pub done: Vec<Done>,
    /// What broke by itself.
    pub unplanned: Vec<String>,
}

impl Cluster {
    /// Starts all nodes.
    ///
    /// # Errors
    /// A node does not start.
    pub async fn start(world: &World, plan: Plan) -> Result<Self, Error> {
        let home = tempfile::tempdir()?;
        let (email, password) = plan
            .owner
            .clone()
            .unwrap_or_else(|| (node::EMAIL.to_owned(), secret(world)));
        let mut cluster = Self {
            plan,
            home,
            email,
            password,
            nodes: Vec::new(),
            links: Vec::new(),
            redis: None,
            postgres: None,
        };
        if cluster.plan.database_url.is_none()
            && (cluster.plan.own_postgres || cluster.plan.nodes > 1)
        {
            cluster.postgres = Some(Postgres::start(world).await?);
        }
        if cluster.plan.nodes > 1 && cluster.plan.redis_url.is_none() {
            cluster.redis = Some(Redis::start(world).await?);
        }
        let shared = cluster.link(world).await?;
        for index in 0..cluster.plan.nodes {
            let (lines, variables) = cluster.lines(world, &shared).await?;
            let mut node = cluster.node(&format!("node-{index}"), variables)?;
            node.start(world).await?;
            let proxy = Proxy::start(world, node.address())?;
            let starts_max = if cluster.links.is_empty() {
                1
            } else {
                STARTS_MAX
            };
            cluster.nodes.push(Place {
                node,
                proxy,
                lines,
                starts_max,
            });
        }
        Ok(cluster)
    }

    /// Puts proxies before the store and the bus, and gives their addresses.
    async fn link(&mut self, world: &World) -> Result<Vec<(Line, String)>, Error> {
        let mut shared = Vec::new();
        for (line, url) in [
            (Line::Store, self.database_url()),
            (Line::Bus, self.redis_url()),
        ] {
            let Some(text) = url else { continue };
            let (proxy, url) = proxied(world, &text).await?;
            shared.push((line, url));
            self.links.push((line, proxy));
        }
        Ok(shared)
    }

    /// Puts proxies of one node before those that all share, where there are others, and says what it is told.
    async fn lines(&self, world: &World, shared: &[(Line, String)]) -> Result<Lines, Error> {
        let (mut lines, mut variables) = (Vec::new(), Vec::new());
        for (line, url) in shared {
            let mut url = url.clone();
            if self.plan.nodes > 1 {
                let (proxy, own) = proxied(world, &url).await?;
                lines.push((*line, proxy));
                url = own;
            }
            variables.push((variable(*line).to_owned(), url));
        }
        Ok((lines, variables))
    }

    fn database_url(&self) -> Option<String> {
        let own = self.postgres.as_ref().map(Postgres::url);
        self.plan.database_url.clone().or(own)
    }

    fn redis_url(&self) -> Option<String> {
        let own = self.redis.as_ref().map(Redis::url);
        self.plan.redis_url.clone().or(own)
    }

    fn node(&self, name: &str, variables: Vec<(String, String)>) -> Result<Node, Error> {
        // One embedded store is one folder; nodes of a shared store have a folder each.
        let folder = match self.database_url() {
            Some(_) => name,
            None => "node-0",
        };
        Ok(Node::new(Spec {
            binary: node::binary()?,
            home: self.home.path().join(folder),
            files: self.database_url().map(|_| self.home.path().join("files")),
            email: self.email.clone(),
            password: self.password.clone(),
            variables,
        }))
    }

    /// Where clients connect: the proxies.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|place| place.proxy.url()).collect()
    }

    /// The site that the nodes serve.
    #[must_use]
    pub fn site_key(&self) -> Option<protocol::id::SiteId> {
        self.nodes.first().and_then(|place| place.node.site_key())
    }

    /// The first node's process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.nodes.first().and_then(|place| place.node.pid())
    }

    /// The links that all nodes share.
    #[must_use]
    pub fn shared(&self) -> Vec<Line> {
        self.links.iter().map(|(line, _)| *line).collect()
    }

    /// What may be done to a link that all nodes share: what stands behind our own can be killed too.
    #[must_use]
    pub fn subject(&self, line: Line) -> Subject {
        match line {
            Line::Bus if self.redis.is_some() => Subject::OwnBus,
            Line::Store if self.postgres.is_some() => Subject::OwnStore,
            Line::Bus | Line::Store => Subject::Link,
        }
    }

    /// Carries out the plans, one for each node and then one for each shared link, and leaves
    /// everything whole.
    ///
    /// # Errors
    /// A node does not start again.
    pub async fn suffer(
        &mut self,
        world: &World,
        started: Duration,
        plans: Vec<Vec<Planned>>,
    ) -> Result<Broken, Error> {
        let mut plans = plans.into_iter();
        let mut nodes = Vec::new();
        for (index, place) in self.nodes.iter_mut().enumerate() {
            let plan = plans.next().unwrap_or_default();
            nodes.push(place.suffer(world, format!("node {index}"), started, plan));
        }
        let mut links = Vec::new();
        for (line, proxy) in &self.links {
            let plan = plans.next().unwrap_or_default();
            let server = match line {
                Line::Bus => self.redis.take().map(Own::Redis),
                Line::Store => self.postgres.take().map(Own::Postgres),
            };
            links.push(link::suffer(world, (*line, proxy), server, started, plan));
        }
        let nodes = futures_util::future::join_all(nodes);
        let links = futures_util::future::join_all(links);
        let (nodes, links) = futures_util::future::join(nodes, links).await;
        let mut sum = Broken::default();
        for broken in nodes {
            let broken = broken?;
            sum.done.extend(broken.done);
            sum.unplanned.extend(broken.unplanned);
        }
        for (done, server) in links {
            sum.done.extend(done?);
            match server {
                Some(Own::Redis(redis)) => self.redis = Some(redis),
                Some(Own::Postgres(postgres)) => self.postgres = Some(postgres),
                None => {}
            }
        }
        sum.done.sort_by_key(|done| done.planned.at_ms);
        Ok(sum)
    }

    /// Kills all nodes and starts a fresh one on the store; gives its address.
    ///
    /// # Errors
    /// It does not start.
    pub async fn renew(&mut self, world: &World) -> Result<String, Error> {
        for place in &mut self.nodes {
            place.node.kill().await?;
        }
        // By the same bus: a node without one would wait until the rows of the killed have lapsed.
        let named = [
            (Line::Store, self.database_url()),
            (Line::Bus, self.redis_url()),
        ];
        let variables = named.into_iter();
        let variables = variables.filter_map(|(line, url)| Some((variable(line).to_owned(), url?)));
        let mut fresh = self.node("fresh", variables.collect())?;
        fresh.start(world).await?;
        let url = fresh.url();
        let proxy = Proxy::start(world, fresh.address())?;
        self.nodes = vec![Place {
            node: fresh,
            proxy,
            lines: Vec::new(),
            starts_max: 1,
        }];
        Ok(url)
    }
}

impl Place {
    async fn suffer(
        &mut self,
        world: &World,
        subject: String,
        started: Duration,
        plan: Vec<Planned>,
    ) -> Result<Broken, Error> {
        let mut broken = Broken::default();
        for planned in plan {
            moment::wait(world, started + planned.at()).await;
            self.revive(world, &subject, &mut broken).await?;
            if planned.is_over(moment::now() - started) {
                continue;
            }
            if let Err(error) = self.carry_out(world, planned.fault).await {
                broken.unplanned.push(format!("{subject}: {error}"));
            }
            let subject = subject.clone();
            broken.done.push(Done { subject, planned });
        }
        self.revive(world, &subject, &mut broken).await?;
        Ok(broken)
    }

    /// Starts the node again if it ended by itself, and tells of it.
    async fn revive(
        &mut self,
        world: &World,
        subject: &str,
        broken: &mut Broken,
    ) -> Result<(), Error> {
        if let Err(error) = self.node.check() {
            broken.unplanned.push(format!("{subject}: {error}"));
        }
        if self.node.pid().is_none() {
            self.start(world).await?;
        }
        Ok(())
    }

    async fn start(&mut self, world: &World) -> Result<(), Error> {
        for _ in 1..self.starts_max {
            if self.node.start(world).await.is_ok() {
                return Ok(());
            }
            world.clock.sleep(START_AGAIN).await;
        }
        self.node.start(world).await
    }

    async fn carry_out(&mut self, world: &World, fault: Fault) -> Result<(), Error> {
        match fault {
            Fault::Kill { .. } => {
                self.node.kill().await?;
                world.clock.sleep(fault.length()).await;
                self.start(world).await
            }
            Fault::Skew { clock_ms, .. } => {
                self.lame(
                    world,
                    fault,
                    "SWITCHBOARD_DEBUG_CLOCK_SKEW_MS",
                    clock_ms.to_string(),
                )
                .await
            }
            Fault::Fail { one_in, .. } => {
                self.lame(
                    world,
                    fault,
                    "SWITCHBOARD_DEBUG_FAIL_ONE_IN",
                    one_in.to_string(),
                )
                .await
            }
            Fault::Restart { .. } => {
                self.node.stop(world, STOP_MAX).await?;
                world.clock.sleep(fault.length()).await;
                self.start(world).await
            }
            Fault::Pause { .. } => {
                self.node.signal(Signal::STOP)?;
                world.clock.sleep(fault.length()).await;
                self.node.signal(Signal::CONT)
            }
            Fault::Cut { .. } | Fault::Hold { .. } | Fault::Slow { .. } => {
                trouble(world, &self.proxy, fault).await;
                Ok(())
            }
            Fault::Partition { line, way, .. } => {
                let own = self.lines.iter().find(|(own, _)| *own == line);
                if let Some((_, proxy)) = own {
                    part(world, proxy, way, fault.length()).await;
                }
                Ok(())
            }
            // A store's alone.
            Fault::FailOver { .. } => Ok(()),
        }
    }
}

impl Place {
    /// Kills the node and starts it with a fault inside, which its next start has no more.
    async fn lame(
        &mut self,
        world: &World,
        fault: Fault,
        name: &str,
        value: String,
    ) -> Result<(), Error> {
        self.node.kill().await?;
        world.clock.sleep(fault.length()).await;
        self.node.plant(vec![
            ("SWITCHBOARD_ALLOW_FAULTS".to_owned(), "1".to_owned()),
            (name.to_owned(), value),
        ]);
        let started = self.start(world).await;
        self.node.plant(Vec::new());
        started
    }
}
