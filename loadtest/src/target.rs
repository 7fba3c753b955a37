//! Where a run goes, as whom it sets itself up, and whether it may.

use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr};

use protocol::id::SiteId;
use protocol::setup::SetupState;
use serde::{Deserialize, Serialize};
use world::{Ids, World};

use crate::Error;
use crate::client::http::{Call, Http};
use crate::client::{AgentAccess, Server};
use crate::node::{self, own::Own};
use crate::process::Usage;

/// Nodes of a run's own at most: a Postgres of the tool's own takes the connections of so many.
const OWN_NODES_MAX: u64 = 16;

/// Connections that a server elsewhere gets without a question.
const UNASKED_MAX: u64 = 100;

/// Where a run goes, and as whom it sets itself up.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Target {
    /// The address of a running Switchboard; repeat it to divide the clients over several nodes.
    #[arg(
        long = "target",
        visible_alias = "server",
        value_name = "URL",
        global = true
    )]
    pub urls: Vec<String>,
    /// Start a Switchboard for this run: the binary beside this one, its data in a temporary folder.
    #[arg(long, global = true, conflicts_with = "urls")]
    pub own: bool,
    /// Start so many for this run; several share a Postgres and a Redis that are started for it too.
    #[arg(long, global = true, value_name = "COUNT", conflicts_with_all = ["urls", "own"],
        value_parser = clap::value_parser!(u64).range(1..=OWN_NODES_MAX))]
    pub own_nodes: Option<u64>,
    /// The e-mail address of an owner or admin.
    #[arg(long, global = true)]
    pub email: Option<String>,
    /// The password.
    #[arg(long, global = true)]
    pub password: Option<String>,
    /// The site whose visitors are played; the first one of the workspace when absent.
    #[arg(long, global = true)]
    pub site_key: Option<SiteId>,
    /// The server's process on this machine: adds its memory and processor time to the report.
    #[arg(long, global = true)]
    pub server_pid: Option<u32>,
    /// The server's `metrics.token`: adds what only its metrics tell.
    #[arg(long, global = true)]
    pub metrics_token: Option<String>,
    /// Do not ask before many connections go to another machine.
    #[arg(long, global = true)]
    pub yes: bool,
}

/// What a run needs to know: where it goes, as whom, and its random choices.
pub struct Stage {
    /// Clock, randomness that must never repeat, tasks.
    pub world: World,
    /// What the random choices of the run come from.
    pub seed: u64,
    /// The servers.
    pub servers: Vec<Server>,
    /// Their addresses.
    pub urls: Vec<String>,
    /// The site whose visitors are played.
    pub site_key: SiteId,
    /// Who sets the run up, where somebody signed in.
    pub owner: Option<AgentAccess>,
    /// The server's process, where it is known; of several the first.
    pub server_pid: Option<u32>,
    /// What lets the servers' metrics be read, where it is known.
    pub metrics_token: Option<String>,
    /// The nodes of the run's own.
    pub own: Option<Own>,
    is_allowed: bool,
}

/// What every worker gets to know of the stage.
#[derive(Clone, Serialize, Deserialize)]
pub struct Setting {
    /// The servers' addresses.
    pub urls: Vec<String>,
    /// The site whose visitors are played.
    pub site_key: SiteId,
    /// Who sets the run up.
    pub owner: Option<AgentAccess>,
    /// The seed of the worker's own choices.
    pub seed: u64,
    /// The address to connect from.
    pub from: Option<IpAddr>,
}

impl Target {
    /// Finds the servers, makes sure that they are Switchboards, and signs in where that is possible.
    ///
    /// # Errors
    /// No server, another program, no site, or wrong credentials.
    pub async fn resolve(&self, world: &World, seed: u64) -> Result<Stage, Error> {
        let mut target = self.clone();
        let mut own = None;
        if let Some(node_count) = target.own_nodes.or(target.own.then_some(1)) {
            let started = Own::start(world, node_count).await?;
            target.urls = started.urls();
            target.email = Some(node::EMAIL.to_owned());
            target.password = Some(started.password().to_owned());
            target.site_key = started.site_key();
            target.server_pid = started.pids().first().copied();
            target.metrics_token = Some(started.metrics_token().to_owned());
            own = Some(started);
        }
        if target.urls.is_empty() {
            target.urls.push("http://127.0.0.1:8080".to_owned());
        }
        let mut servers = Vec::new();
        for url in &target.urls {
            let server = Server::find(url).await?;
            probe(&server, url).await?;
            servers.push(server);
        }
        let mut http = Http::new(servers[0].clone());
        let owner = target.sign_in(&mut http).await?;
        let site_key = target.site(&mut http, owner.as_ref()).await?;
        Ok(Stage {
            world: world.clone(),
            seed,
            servers,
            urls: target.urls,
            site_key,
            owner,
            server_pid: target.server_pid,
            metrics_token: target.metrics_token,
            own,
            is_allowed: target.yes,
        })
    }

    async fn sign_in(&self, http: &mut Http) -> Result<Option<AgentAccess>, Error> {
        let (Some(email), Some(password)) = (&self.email, &self.password) else {
            return Ok(None);
        };
        AgentAccess::sign_in(http, email, password).await.map(Some)
    }

    async fn site(&self, http: &mut Http, owner: Option<&AgentAccess>) -> Result<SiteId, Error> {
        if let Some(site_key) = self.site_key {
            return Ok(site_key);
        }
        let nobody = || Error::Usage("name --site-key, or --email and --password".to_owned());
        let sites = owner.ok_or_else(nobody)?.sites(http).await?;
        let site = sites.iter().find(|site| !site.archived);
        let none = || Error::Usage("the workspace has no site".to_owned());
        Ok(site.ok_or_else(none)?.id)
    }
}

/// A password that nobody guesses.
#[must_use]
pub fn secret(world: &World) -> String {
    let bytes = world.ids.bytes::<12>();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes sure that a server is a Switchboard that was set up.
async fn probe(server: &Server, url: &str) -> Result<(), Error> {
    let answer = Http::new(server.clone())
        .send(&Call::get("/api/v1/setup"))
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(Error::Network(error)) => {
            return Err(Error::Usage(format!("nothing answers at {url}: {error}")));
        }
        Err(error) => {
            return Err(Error::Usage(format!("{url} is no Switchboard: {error}")));
        }
    };
    let status = answer.status;
    match answer.into_value::<SetupState>() {
        Ok(state) if state.done => Ok(()),
        Ok(_) => Err(Error::Usage(format!("{url} was not set up yet"))),
        Err(_) => Err(Error::Usage(format!(
            "{url} is no Switchboard: GET /api/v1/setup answered {status} and nothing it knows"
        ))),
    }
}

impl Stage {
    /// Who sets the run up.
    ///
    /// # Errors
    /// Nobody signed in.
    pub fn owner(&self) -> Result<&AgentAccess, Error> {
        let nobody = || Error::Usage("--email and --password are needed for this".to_owned());
        self.owner.as_ref().ok_or_else(nobody)
    }

    /// A connection for requests to the first server.
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(self.servers[0].clone())
    }

    /// Randomness that repeats with the seed, of its own for each purpose.
    #[must_use]
    pub fn dice(&self, purpose: u64) -> Ids {
        dice(&self.world, self.seed, purpose)
    }

    /// What the server's process has used so far, where it is known; of several nodes of the run's own, all of them.
    ///
    /// # Errors
    /// There is no such process.
    pub fn usage(&self) -> Result<Option<Usage>, Error> {
        let Some(own) = &self.own else {
            return self.server_pid.map(Usage::of).transpose();
        };
        let mut sum = Usage::default();
        for pid in own.pids() {
            sum = sum.with(Usage::of(pid)?);
        }
        Ok(Some(sum))
    }

    /// What the servers' metrics tell under a name, the sum of all servers, where they may be read.
    ///
    /// # Errors
    /// The token is wrong, or a server knows no such metric.
    pub async fn metric(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(token) = &self.metrics_token else {
            return Ok(None);
        };
        let mut sum = 0;
        for server in &self.servers {
            let call = Call::get("/metrics").bearer(token);
            let answer = Http::new(server.clone()).send(&call).await?.into_body()?;
            let value = metric_in(&String::from_utf8_lossy(&answer), name);
            let none = || Error::Usage(format!("{} has no metric {name}", server.authority()));
            sum += value.ok_or_else(none)?;
        }
        Ok(Some(sum))
    }

    /// What the worker with an index gets to know.
    #[must_use]
    pub fn setting(&self, index: u64) -> Setting {
        Setting {
            urls: self.urls.clone(),
            site_key: self.site_key,
            owner: self.owner.clone(),
            seed: self.seed.wrapping_add(index.wrapping_mul(0x9e37_79b9)),
            from: self.address_for(index),
        }
    }

    /// Each worker gets an address of its own on a loopback server; elsewhere the system chooses.
    fn address_for(&self, index: u64) -> Option<IpAddr> {
        let last = u8::try_from(index + 2).ok()?;
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let is_here = self
            .servers
            .iter()
            .all(|server| server.address().ip() == here);
        is_here.then(|| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)))
    }

    /// Asks before many connections go to another machine: it may be somebody's production.
    ///
    /// # Errors
    /// The answer was no, or there is nobody to ask.
    pub fn consent(&self, connection_count: u64) -> Result<(), Error> {
        let Some(server) = in_question(&self.servers, connection_count) else {
            return Ok(());
        };
        if self.is_allowed {
            return Ok(());
        }
        let place = server.authority();
        if !std::io::stdin().is_terminal() {
            return Err(Error::Usage(format!(
                "{connection_count} connections to {place}, which is not this machine, need --yes"
            )));
        }
        let question = format!(
            "This opens {connection_count} connections to {place} and may slow it down for \
             everybody who uses it.\nGo on? [y/N] "
        );
        // The answer decides; a question that cannot be shown is answered by nobody.
        let _ = write!(std::io::stderr(), "{question}");
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(Error::Usage("not started".to_owned()))
    }
}

/// The value of a metric in the text form of Prometheus.
fn metric_in(text: &str, name: &str) -> Option<u64> {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    text.lines().find_map(value)
}

/// The server elsewhere that would get many connections.
fn in_question(servers: &[Server], connection_count: u64) -> Option<&Server> {
    let is_away = |server: &&Server| !server.address().ip().is_loopback();
    let away = servers.iter().find(is_away);
    away.filter(|_| connection_count > UNASKED_MAX)
}

impl Setting {
    /// The servers, connected to from the worker's own address.
    ///
    /// # Errors
    /// A name is unknown.
    pub async fn servers(&self) -> Result<Vec<Server>, Error> {
        let mut servers = Vec::new();
        for url in &self.urls {
            let server = Server::find(url).await?;
            servers.push(match self.from {
                Some(from) => server.from_address(from),
                None => server,
            });
        }
        Ok(servers)
    }

    /// Who sets the run up.
    ///
    /// # Errors
    /// Nobody signed in.
    pub fn owner(&self) -> Result<&AgentAccess, Error> {
        let nobody = || Error::Usage("--email and --password are needed for this".to_owned());
        self.owner.as_ref().ok_or_else(nobody)
    }

    /// Randomness that repeats with the seed, of its own for each purpose.
    #[must_use]
    pub fn dice(&self, world: &World, purpose: u64) -> Ids {
        dice(world, self.seed, purpose)
    }
}

fn dice(world: &World, seed: u64, purpose: u64) -> Ids {
    let mixed = seed ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03);
    Ids::seeded(mixed, world.clock.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let text = "# HELP reads_total Reads.\n# TYPE reads_total counter\nreads_total_ever 9\n\
            reads_total 41\nconnections 3\n";
        assert_eq!(metric_in(text, "reads_total"), Some(41));
        assert_eq!(metric_in(text, "connections"), Some(3));
        assert_eq!(metric_in(text, "reads"), None);
    }

    #[tokio::test]
    async fn many_connections_to_another_machine_are_a_question() {
        let here = Server::find("http://127.0.0.1:8080").await;
        let here = here.expect("an address needs no name service");
        let away = Server::find("http://192.0.2.1:80").await;
        let away = away.expect("an address needs no name service");
        let asked = |servers: &[Server], count| {
            in_question(servers, count).map(|server| server.authority().to_owned())
        };
        assert_eq!(asked(std::slice::from_ref(&here), 100_000), None);
        assert_eq!(asked(&[here.clone(), away.clone()], 100), None);
        let place = Some("192.0.2.1:80".to_owned());
        assert_eq!(asked(&[here, away], 101), place);
    }
}
