//! Somebody in a verification: talks by the plan or only reads, misbehaves as networks and browsers do,
//! and keeps a log of his own of all that he was shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::command::{Ack, Command};
use protocol::frame::ClientFrame;
use protocol::id::ConversationId;
use protocol::news::{AgentNews, Continuity, VisitorNews};
use protocol::rejection::Retry;
use protocol::text::ClientId;
use world::{Ids, World};

use super::record::{Record, Sent};
use crate::Error;
use crate::check::journal::{Event, Journal};
use crate::check::{Finding, Kind};
use crate::client::http::Call;
use crate::client::outbox::Outcome;
use crate::client::{Access, Client, News, Server};
use crate::fleet::moment;
use crate::fleet::worker::{Worker, note};
use crate::measure::{Meter, Tallies, Tally};
use crate::scenario::plan::Plan;
use crate::scenario::talk::Part;
use crate::scenario::{Stretch, cast};

/// How long the end of a talk waits for what is still on its way.
const DRAIN: Duration = Duration::from_secs(8);

/// The shortest time that whoever has not got everything then is given at the fresh node.
const FINISH_MIN: Duration = Duration::from_secs(5);

/// Commands without an outcome that one person lets wait; then he waits himself. A verification is not
/// about speed: a machine that is too slow for the rate shall not end with a heap of open commands.
const OPEN_MAX: usize = 12;

/// The longest time between two looks at what is due.
const LOOK: Duration = Duration::from_millis(500);

/// The shortest time between two looks at answers that were passed over.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How long a command over HTTP may take.
const REPEAT_MAX: Duration = Duration::from_secs(5);

/// A log is cut back to so many lines when it has twice as many: the record keeps the numbers.
const LINES_KEPT: usize = 250;

/// What somebody does that a quiet run does not need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    /// Nothing.
    Good,
    /// Sends again, cuts its connection, reads late.
    Bad,
}

/// How many messages were said in each conversation of a worker, by its number in the plan.
#[derive(Debug)]
pub struct SaidCounts {
    first: u64,
    counts: Vec<AtomicU64>,
}

impl SaidCounts {
    /// Nothing yet.
    #[must_use]
    pub fn new(stretch: Stretch) -> Self {
        Self {
            first: stretch.first,
            counts: stretch.range().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    fn at(&self, pair: u64) -> &AtomicU64 {
        &self.counts[usize::try_from(pair - self.first).expect("a count")]
    }

    fn add(&self, pair: u64) {
        self.at(pair).fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, pair: u64) -> u64 {
        self.at(pair).load(Ordering::Relaxed)
    }
}

/// Somebody who takes part.
pub struct Person {
    /// Clock, randomness that never repeats, tasks.
    pub world: World,
    /// What speaks for him.
    pub client: Client,
    /// His name in histories.
    pub name: String,
    /// Where he takes part.
    pub parts: Vec<Part>,
    /// Whether he talks.
    pub speaks: bool,
    /// How he behaves.
    pub manners: Manners,
    /// His choices.
    pub dice: Ids,
    /// The worker's counters.
    pub tallies: Arc<Tallies>,
    /// How much was said where.
    said: Arc<SaidCounts>,
    /// What he did and heard.
    pub journal: Journal,
    /// What he was shown.
    pub records: BTreeMap<ConversationId, Record>,
    /// What he sent.
    pub sent: BTreeMap<ClientId, Sent>,
    /// What he found wrong.
    pub findings: Vec<(ConversationId, Finding)>,
    /// What was acknowledged twice, in the present life of the store. In one that is over, the second may be of the
    /// next one already.
    pub doubled: Vec<(ConversationId, Finding)>,
    acknowledgement: Arc<Meter>,
    delivery: Arc<Meter>,
    /// The life of the store that what was acknowledged is of.
    epoch: u64,
    /// What has no outcome yet.
    open: BTreeSet<ClientId>,
    /// When it is looked again whether an answer was passed over.
    next_look: Duration,
    has_given_up: bool,
}

impl Person {
    /// Somebody who is connected and has seen the beginning.
    #[must_use]
    pub fn new(
        worker: &Worker,
        said: &Arc<SaidCounts>,
        (name, client): (String, Client),
        parts: Vec<Part>,
        (manners, dice): (Manners, Ids),
    ) -> Self {
        let mut person = Self {
            world: worker.world.clone(),
            epoch: client.epoch(),
            client,
            name,
            records: BTreeMap::new(),
            parts,
            speaks: true,
            manners,
            dice,
            tallies: worker.tallies.clone(),
            said: said.clone(),
            journal: Journal::default(),
            sent: BTreeMap::new(),
            findings: Vec::new(),
            doubled: Vec::new(),
            acknowledgement: worker.acknowledgement.clone(),
            delivery: worker.delivery.clone(),
            open: BTreeSet::new(),
            next_look: Duration::ZERO,
            has_given_up: false,
        };
        for part in person.parts.clone() {
            let record = Record::default();
            person.records.insert(part.conversation_id, record);
            person.look(part.conversation_id, None);
        }
        person
    }

    /// The same, who only reads.
    #[must_use]
    pub fn listening(mut self) -> Self {
        self.speaks = false;
        self
    }

    /// Talks and reads by the plan until its end, and then until all is seen or the drain time is over.
    /// What is due and was not said by the end stays unsaid.
    pub async fn live(mut self, plan: Plan) -> Self {
        let schedule = self.schedule(&plan);
        let mut schedule = schedule.into_iter().peekable();
        let end = plan.at(plan.due);
        let mut next_cut = self.in_about(Duration::from_secs(9));
        let mut next_rest = self.in_about(Duration::from_secs(14));
        loop {
            let now = moment::now();
            if now >= end {
                break;
            }
            if self.manners == Manners::Bad {
                if now >= next_cut {
                    self.cut();
                    next_cut = self.in_about(Duration::from_secs(9));
                }
                if now >= next_rest {
                    self.rest().await;
                    next_rest = self.in_about(Duration::from_secs(14));
                }
            }
            match schedule.peek().copied() {
                Some((index, part)) if plan.at(index) <= now && self.open.len() < OPEN_MAX => {
                    schedule.next();
                    self.speak(&plan, index, part).await;
                }
                Some((index, _)) if plan.at(index) > now => {
                    self.listen((plan.at(index) - now).min(LOOK)).await;
                }
                Some(_) | None => self.listen(LOOK.min(end - now)).await,
            }
            if self.open.len() >= OPEN_MAX {
                self.catch_up_at_times();
            }
        }
        self.settle(DRAIN).await;
        self
    }

    /// Everybody goes to a fresh node, as after any other lost connection: who has not got everything, and who does
    /// not know yet that the store lives another life. Until the deadline, by the clock that all processes share.
    pub async fn finish(mut self, server: Server, deadline: Duration) -> Self {
        self.client.move_to(server);
        self.client.cut();
        let left = deadline.saturating_sub(moment::now());
        self.settle(left.max(FINISH_MIN)).await;
        self
    }

    /// Waits until everything has come to an end.
    async fn settle(&mut self, limit: Duration) {
        let deadline = moment::now() + limit;
        self.catch_up();
        while moment::now() < deadline && !self.has_all() {
            if let Err(error) = self.fill().await {
                self.journal
                    .note(moment::now(), Event::Lost(error.to_string()));
            }
            self.listen(LOOK).await;
            self.catch_up_at_times();
        }
        self.catch_up();
    }

    /// Looks whether an answer was passed over; not for every frame, where thousands of commands are open.
    fn catch_up_at_times(&mut self) {
        let now = moment::now();
        if now >= self.next_look {
            self.next_look = now + LOOK_AGAIN;
            self.catch_up();
        }
    }

    /// Takes in what the client knows and nobody was told: a wait that was given up while an answer to
    /// a frame was on its way.
    fn catch_up(&mut self) {
        let known = |client_id: &ClientId| match self.client.outbox().outcome(client_id) {
            Some(Outcome::Accepted(ack)) => Some(ack.clone()),
            Some(Outcome::Rejected(_)) | None => None,
        };
        let acks: Vec<Ack> = self.open.iter().filter_map(known).collect();
        for ack in acks {
            self.acknowledged(&ack);
        }
        for part in self.parts.clone() {
            self.look(part.conversation_id, None);
        }
    }

    /// A moment in the future, about as far as said.
    fn in_about(&self, time: Duration) -> Duration {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        moment::now() + Duration::from_micros(micros / 4 + self.dice.below(micros * 3 / 2))
    }

    /// The messages that are this one's to say, in order.
    fn schedule(&self, plan: &Plan) -> Vec<(u64, Part)> {
        let is_visitor = matches!(self.client.access(), Access::Visitor(_));
        let mut schedule = Vec::new();
        if self.speaks {
            for part in &self.parts {
                let indices = plan.of_side(part.pair, is_visitor);
                schedule.extend(indices.map(|index| (index, *part)));
            }
        }
        schedule.sort_unstable_by_key(|(index, _)| *index);
        schedule
    }

    async fn speak(&mut self, plan: &Plan, index: u64, part: Part) {
        let client_id = self.client.new_client_id();
        let id = part.conversation_id;
        self.sent.insert(
            client_id.clone(),
            Sent {
                index,
                conversation_id: id,
                due: plan.at(index),
                acked: None,
                acked_before: None,
                is_anew: false,
                by_http: false,
            },
        );
        let is_alone = self.open.is_empty();
        self.open.insert(client_id.clone());
        self.said.add(part.pair);
        self.journal.note(moment::now(), Event::Sent(index));
        let command = cast::say(Some(id), &plan.body(index));
        self.client
            .send_as(client_id.clone(), command.clone())
            .await;
        self.tallies.add(Tally::Sent);
        // What is held back was not said yet: said again, it would overtake those before it.
        if self.manners == Manners::Good || self.client.is_holding() {
            return;
        }
        if self.dice.below(100) < 6 {
            self.tallies.add(Tally::Repeated);
            let client_id = client_id.clone();
            let command = command.clone();
            let again = ClientFrame::Command { client_id, command };
            // A broken connection shows at the next read; the command waits in the outbox.
            let _ = self.client.signal(&again).await;
        }
        // Another way may be faster; where others wait, it would overtake them.
        if is_alone && self.dice.below(100) < 3 {
            self.tallies.add(Tally::Repeated);
            if let Some(sent) = self.sent.get_mut(&client_id) {
                sent.by_http = true;
            }
            self.say_over_http(&client_id, &command).await;
        }
    }

    /// The same command over another way, at the same time.
    async fn say_over_http(&mut self, client_id: &ClientId, command: &Command) {
        let clock = self.world.clock.clone();
        let frame = ClientFrame::Command {
            client_id: client_id.clone(),
            command: command.clone(),
        };
        let side = self.client.access().side();
        let (http, access) = self.client.http_and_access();
        let asked = async {
            // The token of `hello`, as the documentation wants it.
            let token = access.token(http).await?;
            let mut call = Call::post("/api/v1/frames", &frame).bearer(&token);
            if let Some(origin) = access.origin() {
                call = call.header("origin", origin);
            }
            let body = http.send(&call).await?.into_body()?;
            News::read_list(side, &body)
        };
        // Unknown is an outcome too; the socket's own try goes on.
        if let Some(Ok(answers)) = clock.timeout(REPEAT_MAX, asked).await {
            for news in answers {
                self.hear(&news);
                self.mind_refusal(&news);
            }
        }
    }

    /// A repetition may be answered as the first time or with "later", never with a refusal.
    fn mind_refusal(&mut self, news: &News) {
        let (News::Visitor(VisitorNews::Rejected(rejected))
        | News::Agent(AgentNews::Rejected(rejected))) = news
        else {
            return;
        };
        let Some(sent) = self.sent.get(&rejected.client_id) else {
            return;
        };
        let code = rejected.problem.code.as_str();
        let event = Event::Refused(sent.index, code);
        self.journal.note(moment::now(), event);
        if rejected.problem.retry == Retry::Never {
            let text = format!("load {}: {code}", sent.index);
            let finding = Finding::new(Kind::Refused, 0, text).about(sent.index);
            self.findings.push((sent.conversation_id, finding));
        }
    }

    fn cut(&mut self) {
        if self.client.is_connected() {
            self.journal.note(moment::now(), Event::CutOff);
            self.tallies.add(Tally::CutOff);
            self.client.cut();
        }
    }

    /// Reads nothing for a while, as a tab does that the browser has put to sleep.
    async fn rest(&mut self) {
        self.tallies.add(Tally::Rested);
        let rest = Duration::from_millis(500 + self.dice.below(3_000));
        self.world.clock.sleep(rest).await;
    }

    /// Listens for at most some time; a lost connection is made anew, however long that takes.
    async fn listen(&mut self, limit: Duration) {
        let was_connected = self.client.is_connected();
        let clock = self.world.clock.clone();
        if self.has_given_up {
            return clock.sleep(limit).await;
        }
        let heard = if was_connected {
            match clock.timeout(limit, self.client.next()).await {
                Some(heard) => heard.map(Some),
                None => return,
            }
        } else {
            self.client.step().await
        };
        self.mind_another_life();
        match heard {
            Ok(Some(news)) => {
                self.hear(&news);
                self.mind_refusal(&news);
            }
            Ok(None) if self.client.is_connected() => {
                self.tallies.add(Tally::Reconnected);
                self.journal.note(moment::now(), Event::Connected);
            }
            Ok(None) => {}
            Err(error) if error.is_passing() => {
                self.journal
                    .note(moment::now(), Event::Lost(error.to_string()));
            }
            Err(error) => {
                note(format!("{} gave up: {error}", self.name));
                self.journal
                    .note(moment::now(), Event::Lost(error.to_string()));
                self.has_given_up = true;
            }
        }
    }

    /// Where the store lives another life, all of the last ten minutes is in doubt; what comes of it counts.
    fn mind_another_life(&mut self) {
        if self.epoch == self.client.epoch() {
            return;
        }
        self.epoch = self.client.epoch();
        self.journal.note(moment::now(), Event::Reborn);
        self.doubled.clear();
        for item in self.client.outbox().open() {
            if let Some(sent) = self.sent.get_mut(&item.client_id) {
                sent.begin_anew();
                self.open.insert(item.client_id.clone());
            }
        }
    }

    fn hear(&mut self, news: &News) {
        match news {
            News::Visitor(VisitorNews::Ack(ack)) | News::Agent(AgentNews::Ack(ack)) => {
                self.acknowledged(ack);
            }
            News::Visitor(VisitorNews::Entry { entry }) => self.look(entry.conversation_id, None),
            News::Agent(AgentNews::Entry { entry }) => self.look(entry.conversation_id, None),
            News::Visitor(VisitorNews::Entries(batch)) => {
                self.look(batch.conversation_id, Some(batch.continuity));
            }
            News::Agent(AgentNews::Entries(batch)) => {
                self.look(batch.conversation_id, Some(batch.continuity));
            }
            News::Visitor(_) | News::Agent(_) => {}
        }
    }

    fn acknowledged(&mut self, ack: &Ack) {
        let now = moment::now();
        let Some(sent) = self.sent.get_mut(&ack.client_id) else {
            return;
        };
        let place = (ack.number.unwrap_or(0), ack.entry_id);
        let id = sent.conversation_id;
        match sent.acknowledge(place) {
            None => {
                self.open.remove(&ack.client_id);
                if sent.acked_before.is_none() {
                    self.acknowledgement.add(now.saturating_sub(sent.due));
                    self.tallies.add(Tally::Acknowledged);
                }
                let event = Event::Acknowledged(sent.index);
                self.journal.note_at(now, event, id, (place.0, place.0));
            }
            Some(before) if before != place => {
                let text = format!(
                    "load {} was acknowledged as number {} and as number {}",
                    sent.index, before.0, place.0
                );
                let finding = Finding::new(Kind::Doubled, place.0, text).about(sent.index);
                self.doubled.push((id, finding));
            }
            Some(_) => {}
        }
    }

    /// Takes in what the client has shown since the last look.
    fn look(&mut self, id: ConversationId, continuity: Option<Continuity>) {
        let now = moment::now();
        let (Some(record), Some(log)) = (self.records.get_mut(&id), self.client.log(id)) else {
            return;
        };
        let before = record.last();
        let is_another_life = record.live_in(log.epoch());
        let shown = record.take(log.lines());
        for line in &shown {
            let own = line.client_id.as_ref();
            let is_own = own.is_some_and(|own| self.sent.contains_key(own));
            if let (Some(due), false, None) = (line.due, is_own, continuity) {
                self.delivery.add(now.saturating_sub(due));
                self.tallies.add(Tally::Delivered);
            }
        }
        let last = record.last();
        if continuity.is_none() && shown.is_empty() {
            return;
        }
        let event = match continuity {
            None => Event::Shown,
            Some(Continuity::Resumed) => Event::Given("resumed"),
            Some(Continuity::Afresh) => Event::Given("afresh"),
        };
        self.journal
            .note_at(now, event, id, (before + 1, last.max(before + 1)));
        if continuity == Some(Continuity::Resumed) {
            self.tallies.add_many(Tally::Replayed, shown.len() as u64);
        }
        if continuity == Some(Continuity::Afresh) && before > 0 {
            self.tallies.add(Tally::Afresh);
            let missed = last.saturating_sub(before);
            if !is_another_life && missed <= 200 {
                let text = format!("read afresh after {before}, with {missed} entries missing");
                let finding = Finding::new(Kind::Unresumed, before, text);
                self.findings.push((id, finding));
            }
        }
        if log.lines().len() > 2 * LINES_KEPT {
            self.client.keep_last(id, LINES_KEPT);
        }
    }

    /// Reads what a newest page left out, as a person does who scrolls up.
    async fn fill(&mut self) -> Result<(), Error> {
        for (id, record) in &mut self.records {
            while let Some(before) = record.hole() {
                let (http, access) = self.client.http_and_access();
                let lines = super::record::read_older(http, access, *id, before).await?;
                if lines.is_empty() {
                    break;
                }
                record.fill(&lines);
            }
        }
        Ok(())
    }

    fn has_all(&self) -> bool {
        let is_whole = |part: &Part| {
            let record = self.records.get(&part.conversation_id);
            record.is_some_and(|record| {
                let is_of_this_life = record.epoch() == self.client.epoch();
                is_of_this_life && record.planned_count() == self.said.of(part.pair)
            })
        };
        self.client.is_connected() && self.open.is_empty() && self.parts.iter().all(is_whole)
    }
}
