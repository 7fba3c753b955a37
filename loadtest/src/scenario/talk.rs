//! People who talk by a plan: visitors, each with a conversation, and agents with several.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol::id::ConversationId;
use protocol::text::ClientId;
use world::World;

use super::cast::{self, Doors};
use super::chat::Share;
use super::plan::{Plan, planned};
use crate::Error;
use crate::client::{Access, Client, Line, Log, News};
use crate::fleet::moment;
use crate::fleet::worker::{Worker, note};
use crate::measure::{Meter, Tallies, Tally, Timeline};

/// How long the end of a talk waits for what is still on its way.
const DRAIN: Duration = Duration::from_secs(30);

/// Everybody of a worker, connected and with a conversation.
pub struct Company {
    speakers: Vec<(Client, Vec<Part>)>,
}

/// A conversation that somebody takes part in.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its number in the plan.
    pub pair: u64,
    /// Which.
    pub conversation_id: ConversationId,
}

/// What somebody brings home.
pub struct Spoken {
    /// With log and outbox.
    pub client: Client,
    /// Where he took part.
    pub parts: Vec<Part>,
}

impl Company {
    /// Lets everybody come.
    ///
    /// # Errors
    /// The server's refusal, or the network's failure.
    pub async fn gather(worker: &Worker, share: &Share) -> Result<Self, Error> {
        let world = &worker.world;
        let doors = Doors::find(&share.setting).await?;
        let customer = async |index| {
            let customer = cast::customer(world, &share.setting, &doors, index).await;
            worker.tallies.add(Tally::Connected);
            customer
        };
        let customers = cast::each(share.stretch.range(), customer).await?;
        let parts: Vec<Part> = share
            .stretch
            .range()
            .zip(&customers)
            .map(|(pair, (_, conversation_id))| Part {
                pair,
                conversation_id: *conversation_id,
            })
            .collect();
        let chunk = usize::try_from(share.pairs_per_agent).expect("at most 64");
        let chunks: Vec<&[Part]> = parts.chunks(chunk).collect();
        let agent = async |index: u64| {
            let parts = chunks[usize::try_from(index).expect("a count")];
            let server = doors.server_of(share.stretch.first + index);
            let member = cast::member(world, server, share.setting.owner()?).await?;
            let access = Access::Agent(member);
            let mut agent = Client::new(world.clone(), server.clone(), access);
            agent.connect().await?;
            for part in parts {
                agent.follow(part.conversation_id).await?;
            }
            worker.tallies.add(Tally::Connected);
            Ok((agent, parts.to_vec()))
        };
        let agents = cast::each(0..chunks.len() as u64, agent).await?;
        let customers = customers.into_iter().zip(&parts);
        let customers = customers.map(|((client, _), part)| (client, vec![*part]));
        Ok(Self {
            speakers: customers.chain(agents).collect(),
        })
    }

    /// Lets everybody talk by the plan; ends when all have everything, or the drain time is over. With when
    /// acknowledgements were quick and when not.
    pub async fn talk(self, worker: &Worker, plan: Plan) -> (Vec<Spoken>, Timeline) {
        let timeline = Arc::new(Mutex::new(Timeline::over(plan.length())));
        let mut tasks = Vec::new();
        for (client, parts) in self.speakers {
            let speaker = Speaker {
                world: worker.world.clone(),
                client,
                parts,
                plan,
                tallies: worker.tallies.clone(),
                unanswered: BTreeMap::new(),
                acknowledgement: worker.acknowledgement.clone(),
                timeline: timeline.clone(),
                delivery: worker.delivery.clone(),
                has_given_up: false,
            };
            tasks.push(worker.world.tracker.spawn(speaker.run()));
        }
        let mut spoken = Vec::new();
        for task in tasks {
            spoken.push(task.await.expect("a speaker does not panic"));
        }
        let mut timeline = timeline.lock().unwrap_or_else(PoisonError::into_inner);
        (spoken, std::mem::take(&mut *timeline))
    }
}

/// One participant during the talk.
struct Speaker {
    world: World,
    client: Client,
    parts: Vec<Part>,
    plan: Plan,
    tallies: Arc<Tallies>,
    /// When what was sent and not yet acknowledged was due.
    unanswered: BTreeMap<ClientId, Duration>,
    acknowledgement: Arc<Meter>,
    timeline: Arc<Mutex<Timeline>>,
    delivery: Arc<Meter>,
    /// Whether the server sent it away for good.
    has_given_up: bool,
}

impl Speaker {
    async fn run(mut self) -> Spoken {
        let mut schedule = self.schedule().into_iter().peekable();
        while let Some((index, conversation_id)) = schedule.peek().copied() {
            let wait = self.plan.at(index).saturating_sub(moment::now());
            if wait.is_zero() {
                schedule.next();
                self.speak(index, conversation_id).await;
                continue;
            }
            self.listen(wait).await;
        }
        let deadline = moment::now() + DRAIN;
        while !self.has_all() {
            let left = deadline.saturating_sub(moment::now());
            if left.is_zero() {
                break;
            }
            self.listen(left).await;
        }
        Spoken {
            client: self.client,
            parts: self.parts,
        }
    }

    /// The messages that are this one's to say, in order.
    fn schedule(&self) -> Vec<(u64, ConversationId)> {
        let is_visitor = matches!(self.client.access(), Access::Visitor(_));
        let mut schedule = Vec::new();
        for part in &self.parts {
            let indices = self.plan.of_side(part.pair, is_visitor);
            schedule.extend(indices.map(|index| (index, part.conversation_id)));
        }
        schedule.sort_unstable_by_key(|(index, _)| *index);
        schedule
    }

    async fn speak(&mut self, index: u64, conversation_id: ConversationId) {
        let client_id = self.client.new_client_id();
        self.unanswered
            .insert(client_id.clone(), self.plan.at(index));
        let command = cast::say(Some(conversation_id), &self.plan.body(index));
        self.client.send_as(client_id, command).await;
        self.tallies.add(Tally::Sent);
    }

    /// Listens for at most some time; a lost connection is made anew, however long that takes.
    async fn listen(&mut self, limit: Duration) {
        let was_connected = self.client.is_connected();
        let clock = self.world.clock.clone();
        if self.has_given_up {
            return clock.sleep(limit).await;
        }
        let heard = if was_connected {
            match clock.timeout(limit, self.client.step()).await {
                Some(heard) => heard,
                None => return,
            }
        } else {
            self.client.step().await
        };
        match heard {
            Ok(Some(news)) => self.note(&news),
            Ok(None) if !was_connected && self.client.is_connected() => {
                self.tallies.add(Tally::Reconnected);
            }
            Ok(None) => {}
            Err(error) => {
                note(format!("a participant gave up: {error}"));
                self.has_given_up = true;
            }
        }
    }

    fn note(&mut self, news: &News) {
        let now = moment::now();
        if let Some(ack) = news.ack()
            && let Some(due) = self.unanswered.remove(&ack.client_id)
        {
            if self.plan.is_timed(due) {
                let latency = now.saturating_sub(due);
                self.acknowledgement.add(latency);
                let mut timeline = self.timeline.lock().unwrap_or_else(PoisonError::into_inner);
                timeline.add(due - self.plan.started, latency);
            }
            self.tallies.add(Tally::Acknowledged);
        }
        if let Some(line) = news.line() {
            self.hear(&line, now);
        }
    }

    fn hear(&mut self, line: &Line, now: Duration) {
        let own = line.client_id.as_ref();
        if own.is_some_and(|own| self.client.outbox().outcome(own).is_some())
            || own.is_some_and(|own| self.unanswered.contains_key(own))
        {
            return;
        }
        if let Some((_, due)) = line.message().and_then(planned) {
            if self.plan.is_timed(due) {
                self.delivery.add(now.saturating_sub(due));
            }
            self.tallies.add(Tally::Delivered);
        }
    }

    fn has_all(&self) -> bool {
        let is_whole = |part: &Part| {
            let log = self.client.log(part.conversation_id);
            log.is_some_and(|log| planned_count(log) == self.plan.count_of(part.pair))
        };
        self.unanswered.is_empty() && self.parts.iter().all(is_whole)
    }
}

/// How many messages of the plan a log holds.
fn planned_count(log: &Log) -> u64 {
    let is_planned = |line: &&Line| line.message().and_then(planned).is_some();
    log.lines().iter().filter(is_planned).count() as u64
}
