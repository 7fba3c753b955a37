//! `chat`: pairs of a visitor and an agent talk at a steady rate, and then everybody's log is
//! compared with the server's.
//!
//! The rate is open-loop: a message is due at a time that does not depend on how the server does, and
//! every latency counts from then, so a server that stalls cannot hide it (coordinated omission).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use protocol::command::{Command, Draft};
use protocol::id::{ConversationId, SiteId};
use protocol::message::Format;
use protocol::text::{Body, ClientId};
use serde::Serialize;
use serde_json::json;
use world::World;

use super::{Counter, Latencies, LatencyFigures, Target, verify, with_progress};
use crate::Error;
use crate::client::http::{Call, Http};
use crate::client::{Access, AgentAccess, Client, Line, Log, News, Said, Server, VisitorAccess};
use crate::process::Usage;
use protocol::news::{AgentNews, VisitorNews};

/// How long the end of a run waits for what is still on its way.
const DRAIN: Duration = Duration::from_secs(30);

/// How many faults a report names.
const FAULTS_SHOWN: usize = 20;

/// Options of `chat`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many conversations.
    #[arg(long, default_value_t = 100)]
    pub pairs: u64,
    /// Messages a second, over all conversations.
    #[arg(long, default_value_t = 200)]
    pub rate: u64,
    /// How long they talk.
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
    /// Conversations of one agent's connection.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub pairs_per_agent: u64,
    /// Bytes of a message.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(64..=16_000))]
    pub message_bytes: u64,
}

/// What came out.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Conversations.
    pub pairs: u64,
    /// Messages a second that were due.
    pub rate: u64,
    /// Messages that were due.
    pub due: u64,
    /// Messages that were acknowledged.
    pub acknowledged: u64,
    /// Messages that reached the other side live.
    pub delivered: u64,
    /// How often a connection was lost and came back.
    pub reconnects: u64,
    /// From due to the acknowledgement.
    pub acknowledgement: LatencyFigures,
    /// From due to the other side's screen.
    pub delivery: LatencyFigures,
    /// Entries stored over all conversations.
    pub stored: u64,
    /// How many promises were broken.
    pub fault_count: usize,
    /// The first of them.
    pub faults: Vec<String>,
    /// The server's processor time during the talk, in percent of one core.
    pub cpu_percent: Option<f64>,
    /// The server's memory at the end.
    pub server: Option<Usage>,
}

impl Report {
    /// Whether nothing was lost, doubled or out of order.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.fault_count == 0
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} conversations, {} messages/s: {} due, {} acknowledged, {} delivered live, {} stored, {} reconnects",
            self.pairs,
            self.rate,
            self.due,
            self.acknowledged,
            self.delivered,
            self.stored,
            self.reconnects
        )?;
        writeln!(f, "acknowledged after: {}", self.acknowledgement)?;
        writeln!(f, "delivered after:    {}", self.delivery)?;
        if let Some(percent) = self.cpu_percent {
            writeln!(f, "server: {percent:.0} % of a core")?;
        }
        for fault in &self.faults {
            writeln!(f, "broken promise: {fault}")?;
        }
        match self.fault_count {
            0 => write!(f, "nothing lost, nothing doubled, nothing out of order"),
            count => write!(f, "{count} broken promises"),
        }
    }
}

#[derive(Debug, Default)]
struct Progress {
    sent: Counter,
    acknowledged: Counter,
    delivered: Counter,
    reconnects: Counter,
}

/// The plan of a run: which message is due when, in which conversation, from which side.
#[derive(Debug, Clone, Copy)]
struct Plan {
    pairs: u64,
    rate: u64,
    due: u64,
    message_bytes: u64,
    started: Duration,
}

impl Plan {
    /// When the message with this index is due.
    fn at(&self, index: u64) -> Duration {
        self.started + Duration::from_micros(index * 1_000_000 / self.rate)
    }

    /// Round by round the sides take turns, visitors first.
    fn is_visitors(&self, index: u64) -> bool {
        (index / self.pairs).is_multiple_of(2)
    }

    /// How many messages of the plan a conversation gets.
    fn count_of(&self, pair: u64) -> u64 {
        self.due / self.pairs + u64::from(pair < self.due % self.pairs)
    }

    fn body(&self, index: u64) -> Body {
        let mut text = format!("load {index} due {} ", self.at(index).as_micros());
        let length = usize::try_from(self.message_bytes).expect("at most 16,000");
        while text.len() < length {
            text.push(if text.len() % 7 == 0 { ' ' } else { 'x' });
        }
        // A blank at the end would be taken off.
        text.truncate(length - 1);
        text.push('.');
        Body::parse(&text).expect("letters and blanks within the limit")
    }
}

/// When a message of the plan was due, out of its own text.
fn due_of(body: &str) -> Option<Duration> {
    let mut words = body.strip_prefix("load ")?.split(' ').skip(2);
    words.next()?.parse().ok().map(Duration::from_micros)
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up. Broken promises are in the report.
pub async fn run(world: &World, target: &Target, options: &Options) -> Result<Report, Error> {
    let server = target.find().await?;
    let mut http = Http::new(server.clone());
    let owner = target.sign_in(&mut http).await?;
    let site_key = target.site(&mut http).await?;
    eprintln!("setting up {} conversations", options.pairs);
    let mut cast = Cast::gather(world, &server, &mut http, &owner, site_key, options).await?;
    let before = target.server_pid.map(Usage::of).transpose()?;
    let plan = Plan {
        pairs: options.pairs,
        rate: options.rate,
        due: options.rate * options.seconds,
        message_bytes: options.message_bytes,
        started: world.clock.elapsed() + Duration::from_millis(200),
    };
    let progress = Arc::<Progress>::default();
    let line = || {
        format!(
            "chat  sent {}  acknowledged {}  delivered {}  of {} due, {} reconnects",
            progress.sent.get(),
            progress.acknowledged.get(),
            progress.delivered.get(),
            plan.due,
            progress.reconnects.get()
        )
    };
    let results = with_progress(world, line, cast.talk(world, plan, &progress)).await;
    let after = target.server_pid.map(Usage::of).transpose()?;
    let elapsed = (world.clock.elapsed() - plan.started).as_secs_f64();
    let mut acknowledgement = Latencies::default();
    let mut delivery = Latencies::default();
    for result in &results {
        acknowledgement.add_all(&result.acknowledgement);
        delivery.add_all(&result.delivery);
    }
    let (stored, faults) = check(&mut http, &owner, &cast.conversations, &results).await?;
    Ok(Report {
        pairs: options.pairs,
        rate: options.rate,
        due: plan.due,
        acknowledged: progress.acknowledged.get(),
        delivered: progress.delivered.get(),
        reconnects: progress.reconnects.get(),
        acknowledgement: acknowledgement.figures(),
        delivery: delivery.figures(),
        stored,
        fault_count: faults.len(),
        faults: faults.into_iter().take(FAULTS_SHOWN).collect(),
        cpu_percent: before
            .zip(after)
            .map(|(before, after)| (after.cpu_seconds - before.cpu_seconds) / elapsed * 100.0),
        server: after,
    })
}

/// Everybody on stage, connected and with a conversation.
struct Cast {
    /// By pair.
    conversations: Vec<ConversationId>,
    visitors: Vec<Client>,
    agents: Vec<Client>,
    pairs_per_agent: u64,
}

impl Cast {
    async fn gather(
        world: &World,
        server: &Server,
        http: &mut Http,
        owner: &AgentAccess,
        site_key: SiteId,
        options: &Options,
    ) -> Result<Self, Error> {
        let mut cast = Self {
            conversations: Vec::new(),
            visitors: Vec::new(),
            agents: Vec::new(),
            pairs_per_agent: options.pairs_per_agent,
        };
        for _ in 0..options.pairs {
            let origin = server.origin();
            let visitor = VisitorAccess::begin(http, site_key, &origin, None).await?;
            let access = Access::Visitor(visitor);
            let mut visitor = Client::new(world.clone(), server.clone(), access)
                .on_page(&format!("{origin}/demo/"), "Load test");
            visitor.connect().await?;
            let ack = visitor.settle(say(None, body("Hello."))).await?;
            let missing = || Error::Broken("an acknowledged message is nowhere".to_owned());
            cast.conversations
                .push(ack.conversation_id.ok_or_else(missing)?);
            cast.visitors.push(visitor);
        }
        let chunk = usize::try_from(options.pairs_per_agent).expect("at most 64");
        for conversations in cast.conversations.chunks(chunk) {
            let member = new_member(world, http, owner).await?;
            let access = Access::Agent(member);
            let mut agent = Client::new(world.clone(), server.clone(), access);
            agent.connect().await?;
            for conversation_id in conversations {
                agent.follow(*conversation_id).await?;
            }
            cast.agents.push(agent);
        }
        Ok(cast)
    }

    /// Lets everybody talk by the plan; ends when all have everything, or the drain time is over.
    async fn talk(&mut self, world: &World, plan: Plan, progress: &Arc<Progress>) -> Vec<Spoken> {
        let mut tasks = Vec::new();
        let mut start = |client: Client, parts: Vec<Part>| {
            let speaker = Speaker {
                world: world.clone(),
                client,
                parts,
                plan,
                progress: progress.clone(),
                unanswered: BTreeMap::new(),
                acknowledgement: Latencies::default(),
                delivery: Latencies::default(),
            };
            tasks.push(world.tracker.spawn(speaker.run()));
        };
        let part = |pair: usize| Part {
            pair: u64::try_from(pair).expect("a count"),
            conversation_id: self.conversations[pair],
        };
        for (pair, visitor) in self.visitors.drain(..).enumerate() {
            start(visitor, vec![part(pair)]);
        }
        let chunk = usize::try_from(self.pairs_per_agent).expect("at most 64");
        for (index, agent) in self.agents.drain(..).enumerate() {
            let first = index * chunk;
            let last = (first + chunk).min(self.conversations.len());
            start(agent, (first..last).map(part).collect());
        }
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.expect("a speaker does not panic"));
        }
        results
    }
}

/// Makes a member of the team of its own, so that no two connections are one person.
async fn new_member(
    world: &World,
    http: &mut Http,
    owner: &AgentAccess,
) -> Result<AgentAccess, Error> {
    let secret = world.ids.bytes::<12>();
    let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let email = format!("load-{}@example.com", &secret[..10]);
    let invitation = json!({ "email": email, "role": "agent" });
    let call = owner.call(Call::post("/api/v1/invitations", &invitation));
    let invitation: protocol::agent::Invitation = http.ask(&call).await?;
    let link = invitation.link.unwrap_or_default();
    let token = link.rsplit_once("token=").map_or("", |(_, token)| token);
    let accept = json!({ "token": token, "name": "Load test", "password": secret });
    let call = Call::post("/api/v1/invitations/accept", &accept);
    http.send(&call).await?.into_body()?;
    AgentAccess::sign_in(http, &email, &secret).await
}

fn body(text: &str) -> Body {
    Body::parse(text).expect("a short text")
}

fn say(conversation_id: Option<ConversationId>, body: Body) -> Command {
    Command::SendMessage {
        conversation_id,
        draft: Draft {
            body: Some(body),
            format: Format::Plain,
            reply_to_id: None,
            attachment_ids: Vec::new(),
        },
    }
}

/// A conversation that somebody takes part in.
#[derive(Debug, Clone, Copy)]
struct Part {
    pair: u64,
    conversation_id: ConversationId,
}

/// One participant during the talk.
struct Speaker {
    world: World,
    client: Client,
    parts: Vec<Part>,
    plan: Plan,
    progress: Arc<Progress>,
    /// When what was sent and not yet acknowledged was due.
    unanswered: BTreeMap<ClientId, Duration>,
    acknowledgement: Latencies,
    delivery: Latencies,
}

/// What a participant brings home.
struct Spoken {
    client: Client,
    parts: Vec<Part>,
    acknowledgement: Latencies,
    delivery: Latencies,
}

impl Speaker {
    async fn run(mut self) -> Spoken {
        let mut schedule = self.schedule().into_iter().peekable();
        while let Some((index, conversation_id)) = schedule.peek().copied() {
            let wait = self
                .plan
                .at(index)
                .saturating_sub(self.world.clock.elapsed());
            if wait.is_zero() {
                schedule.next();
                self.speak(index, conversation_id).await;
                continue;
            }
            let clock = self.world.clock.clone();
            if let Some(news) = clock.timeout(wait, self.listen()).await {
                self.note(news);
            }
        }
        let deadline = self.world.clock.elapsed() + DRAIN;
        while !self.has_all() {
            let left = deadline.saturating_sub(self.world.clock.elapsed());
            let clock = self.world.clock.clone();
            match clock.timeout(left, self.listen()).await {
                Some(news) => self.note(news),
                None => break,
            }
        }
        Spoken {
            client: self.client,
            parts: self.parts,
            acknowledgement: self.acknowledgement,
            delivery: self.delivery,
        }
    }

    /// The messages that are this one's to say, in order.
    fn schedule(&self) -> Vec<(u64, ConversationId)> {
        let is_visitor = matches!(self.client.access(), Access::Visitor(_));
        let mut schedule = Vec::new();
        for part in &self.parts {
            let step = usize::try_from(self.plan.pairs).expect("a count");
            for index in (part.pair..self.plan.due).step_by(step) {
                if self.plan.is_visitors(index) == is_visitor {
                    schedule.push((index, part.conversation_id));
                }
            }
        }
        schedule.sort_unstable_by_key(|(index, _)| *index);
        schedule
    }

    async fn speak(&mut self, index: u64, conversation_id: ConversationId) {
        let client_id = self.client.new_client_id();
        self.unanswered
            .insert(client_id.clone(), self.plan.at(index));
        let command = say(Some(conversation_id), self.plan.body(index));
        self.client.send_as(client_id, command).await;
        self.progress.sent.add();
    }

    /// The next frame; a lost connection is made anew.
    async fn listen(&mut self) -> Option<News> {
        let was_connected = self.client.is_connected();
        match self.client.step().await {
            Ok(Some(news)) => Some(news),
            Ok(None) => {
                if !was_connected && self.client.is_connected() {
                    self.progress.reconnects.add();
                }
                None
            }
            Err(error) => {
                eprintln!("a participant gave up: {error}");
                std::future::pending().await
            }
        }
    }

    fn note(&mut self, news: Option<News>) {
        let now = self.world.clock.elapsed();
        match news {
            Some(News::Visitor(VisitorNews::Ack(ack)) | News::Agent(AgentNews::Ack(ack))) => {
                if let Some(due) = self.unanswered.remove(&ack.client_id) {
                    self.acknowledgement.add(now.saturating_sub(due));
                    self.progress.acknowledged.add();
                }
            }
            Some(News::Visitor(VisitorNews::Entry { entry })) => self.hear(entry.into(), now),
            Some(News::Agent(AgentNews::Entry { entry })) => self.hear(entry.into(), now),
            Some(News::Visitor(_) | News::Agent(_)) | None => {}
        }
    }

    fn hear(&mut self, line: Line, now: Duration) {
        let own = line.client_id.as_ref();
        if own.is_some_and(|own| self.client.outbox().outcome(own).is_some())
            || own.is_some_and(|own| self.unanswered.contains_key(own))
        {
            return;
        }
        if let Said::Message(body, _) = &line.said
            && let Some(due) = due_of(body)
        {
            self.delivery.add(now.saturating_sub(due));
            self.progress.delivered.add();
        }
    }

    fn has_all(&self) -> bool {
        let is_whole = |part: &Part| {
            let log = self.client.log(part.conversation_id);
            log.is_some_and(|log| planned(log) == self.plan.count_of(part.pair))
        };
        self.unanswered.is_empty() && self.parts.iter().all(is_whole)
    }
}

/// How many messages of the plan a log holds.
fn planned(log: &Log) -> u64 {
    let is_planned = |line: &&Line| match &line.said {
        Said::Message(body, _) => body.starts_with("load "),
        Said::Note(_) | Said::Edited(..) | Said::Deleted(_) | Said::Other(_) => false,
    };
    let count = log.lines().iter().filter(is_planned).count();
    u64::try_from(count).expect("a count")
}

/// Compares everybody's log and acknowledgements with what the server holds.
async fn check(
    http: &mut Http,
    owner: &AgentAccess,
    conversations: &[ConversationId],
    results: &[Spoken],
) -> Result<(u64, Vec<String>), Error> {
    let mut faults = Vec::new();
    let mut stored_count = 0;
    let mut stored = BTreeMap::new();
    for id in conversations {
        let entries = verify::read_all(http, owner, *id).await?;
        stored_count += u64::try_from(entries.len()).expect("a count");
        let found = verify::faults_of_store(&entries);
        faults.extend(found.into_iter().map(|fault| format!("{id} {fault}")));
        stored.insert(*id, entries);
    }
    for spoken in results {
        let client = &spoken.client;
        faults.extend(verify::refusals(client));
        faults.extend(verify::unfinished(client));
        faults.extend(client.broken().iter().map(|fault| format!("live: {fault}")));
        for part in &spoken.parts {
            let id = part.conversation_id;
            let entries = &stored[&id];
            let (side, seen) = match client.access() {
                Access::Visitor(_) => ("visitor", verify::seen_by_visitor(entries)),
                Access::Agent(_) => ("agent", verify::seen_by_agent(entries)),
            };
            let mut found = verify::faults_of_log(&seen, client.log(id));
            found.extend(verify::faults_of_outbox(&seen, client, id));
            faults.extend(
                found
                    .into_iter()
                    .map(|fault| format!("{id} {side} {fault}")),
            );
        }
    }
    Ok((stored_count, faults))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_carries_the_time_it_was_due() {
        let plan = Plan {
            pairs: 3,
            rate: 10,
            due: 100,
            message_bytes: 64,
            started: Duration::from_secs(5),
        };
        let body = plan.body(7);
        assert_eq!(body.as_str().len(), 64);
        assert_eq!(due_of(body.as_str()), Some(Duration::from_millis(5_700)));
        assert_eq!(due_of("something else"), None);
    }

    #[test]
    fn the_plan_gives_every_message_to_one_pair() {
        let plan = Plan {
            pairs: 7,
            rate: 10,
            due: 100,
            message_bytes: 64,
            started: Duration::ZERO,
        };
        assert_eq!((0..7).map(|pair| plan.count_of(pair)).sum::<u64>(), 100);
        assert!(plan.is_visitors(0) && !plan.is_visitors(7) && plan.is_visitors(14));
    }
}
