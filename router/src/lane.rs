//! A lane: takes its jobs one by one, and passes entries through its turnstile in number order.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use protocol::command::Command;
use protocol::conversation::Conversation;
use protocol::entry::{Content, Entry};
use protocol::id::{AgentId, ConversationId, WorkspaceId};
use protocol::limit::PAGE_ENTRIES_MAX;
use protocol::permission::Actor;
use protocol::rejection::{CloseCode, Retry};
use protocol::text::ClientId;
use storage::entry::{Numbering, Stored};
use storage::message::Course;

use crate::command::{self, Done};
use crate::contact::Moment;
use crate::effect::{self, Told};
use crate::erase;
use crate::lanes::{CommandJob, Job, LaneKey, Owed, Standing};
use crate::nodes::{Commit, News};
use crate::router::Router;
use crate::several::{self, COMMANDS_TOGETHER_MAX, Step, Way};
use crate::signal::Heard;
use crate::topic::Topic;
use crate::turnstile::{Numbered, Turnstile};
use crate::view::inbox::Membership;

/// Entries of one commit, at most.
const COMMIT_ENTRIES_MAX: u64 = COMMANDS_TOGETHER_MAX as u64;

/// How long a lane that panicked leaves alone what it is to read: it may be what struck it.
const PANIC_WAIT: Duration = Duration::from_secs(1);

impl Numbered for Entry {
    fn number(&self) -> u64 {
        self.seq
    }
}

/// What a lane remembers of its conversation between commands. A decision may rest on it, because the
/// store checks the guard; what the guard refuses is read anew.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) conversation: Conversation,
    pub(crate) participants: Vec<AgentId>,
    /// When what is shown of the contact was read.
    pub(crate) read: Moment,
}

impl Known {
    /// Whether something was stored before this that did not come by here.
    fn misses(&self, conversation: &Conversation) -> bool {
        conversation.version > self.conversation.version + 1
    }

    /// Takes in what was stored.
    fn learn(&mut self, conversation: &Conversation, entries: &[Entry]) {
        if conversation.version > self.conversation.version {
            self.conversation = conversation.clone();
        }
        for entry in entries {
            match entry.content {
                Content::Joined { agent_id } if !self.participants.contains(&agent_id) => {
                    self.participants.push(agent_id);
                }
                Content::Left { agent_id } => self.participants.retain(|id| *id != agent_id),
                Content::Joined { .. }
                | Content::Message { .. }
                | Content::Note { .. }
                | Content::Edited { .. }
                | Content::Deleted { .. }
                | Content::Assigned { .. }
                | Content::Moved { .. }
                | Content::Snoozed { .. }
                | Content::Reopened { .. }
                | Content::Closed
                | Content::Prioritized { .. }
                | Content::SpamMarked { .. }
                | Content::VisitorBlocked { .. } => {}
            }
        }
    }
}

/// All that a lane remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// A conversation's lane: the conversation.
    pub(crate) known: Option<Known>,
    /// A visitor's lane: where his messages go.
    pub(crate) course: Option<(Course, Moment)>,
    /// A conversation's lane: what was told of it besides its entries.
    pub(crate) told: Told,
}

/// A lane.
pub(crate) struct Lane {
    router: Router,
    key: LaneKey,
    jobs: flume::Receiver<Job>,
    turnstile: Turnstile<Entry>,
    standing: Arc<Standing>,
    memory: Memory,
    /// Whether the visitor's tabs were told that the conversation began.
    has_told_beginning: bool,
    /// What is owed waits until then: a read of it failed.
    heals_after: Duration,
}

/// What a lane wakes for.
enum Wake {
    Job(Option<Job>),
    Hole,
    Owed(Owed),
    Grown,
    Idle,
}

/// Runs a lane until it was idle for a while, or until the hard token.
///
/// A panic costs the job that it strikes: who waits for its outcome hears that it is unknown. What waits
/// behind it is done, numbers go on where they stand, and what was stored and not passed on the event log
/// tells of.
pub(crate) async fn run(
    router: Router,
    key: LaneKey,
    jobs: flume::Receiver<Job>,
    standing: Arc<Standing>,
) {
    let mut heals_after = Duration::ZERO;
    loop {
        let lane = Lane {
            turnstile: Turnstile::after(standing.passed()),
            router: router.clone(),
            key,
            jobs: jobs.clone(),
            standing: Arc::clone(&standing),
            memory: Memory::default(),
            has_told_beginning: false,
            heals_after,
        };
        // Nothing of the lane is used after a panic, and locks are taken in spite of one.
        if AssertUnwindSafe(lane.run()).catch_unwind().await.is_ok() {
            return;
        }
        router.lanes().count_panic();
        tracing::error!(?key, "a lane panicked: its job is lost, and it goes on");
        heals_after = router.world().clock.elapsed() + PANIC_WAIT;
    }
}

impl Lane {
    async fn run(mut self) {
        let hard = self.router.world().tracker.hard().clone();
        loop {
            let patience = self.router.config().hole_wait;
            let wake = tokio::select! {
                // The end first, then what is overdue, what waits, and the clock.
                biased;
                () = hard.cancelled() => return,
                owed = self.sleep_to_heal(patience) => Wake::Owed(owed),
                job = self.jobs.recv_async() => Wake::Job(job.ok()),
                () = self.standing.debt.grown() => Wake::Grown,
                () = self.sleep_to_hole() => Wake::Hole,
                owed = self.sleep_to_heal(Duration::ZERO) => Wake::Owed(owed),
                () = self.sleep_to_idle() => Wake::Idle,
            };
            match wake {
                Wake::Job(Some(job)) => self.work(job).await,
                Wake::Hole => self.read_hole().await,
                Wake::Owed(owed) => self.heal(owed).await,
                // Seen by the next look at what is owed.
                Wake::Grown => {}
                Wake::Idle | Wake::Job(None) => {
                    let lanes = self.router.lanes();
                    if lanes.retire(self.key, &self.jobs, &self.standing) {
                        return;
                    }
                }
            }
        }
    }

    async fn sleep_to_hole(&self) {
        let clock = &self.router.world().clock;
        match self.turnstile.read_hole_at(self.router.config().hole_wait) {
            Some(at) => clock.sleep(at.saturating_sub(clock.elapsed())).await,
            None => std::future::pending().await,
        }
    }

    /// Waits until something is owed for so long.
    async fn sleep_to_heal(&self, patience: Duration) -> Owed {
        let Some(owed) = self.standing.debt.owed() else {
            return std::future::pending().await;
        };
        let clock = &self.router.world().clock;
        let due = self.heals_after.max(owed.since + patience);
        let left = due.saturating_sub(clock.elapsed());
        // What is due is taken at once: jobs that are always there would win over any timer.
        if !left.is_zero() {
            clock.sleep(left).await;
        }
        owed
    }

    /// A lane that is asked to stop goes as soon as nothing waits in it.
    async fn sleep_to_idle(&self) {
        let has_hole = self.turnstile.read_hole_at(Duration::ZERO).is_some();
        if has_hole || self.standing.debt.owed().is_some() {
            std::future::pending::<()>().await;
        }
        let world = self.router.world();
        tokio::select! {
            biased;
            () = world.clock.sleep(self.router.config().lane_idle) => {}
            () = world.tracker.soft().cancelled() => {}
        }
    }

    async fn work(&mut self, job: Job) {
        match job {
            Job::Command(job) => self.command(*job).await,
            Job::Pass(stored, heard) => self.pass_stored(&stored, heard).await,
            Job::Elsewhere(commit, heard) => self.pass_commit(&commit, heard).await,
            Job::Unread { visitor } => {
                let place = self.conversation_id();
                let unread = &mut self.memory.told.unread;
                unread.count_anew(&self.router, place, &visitor).await;
            }
            Job::Erase { change, reply } => {
                let outcome = match self.key {
                    LaneKey::Contact(_, contact_id) => {
                        erase::run(&self.router, contact_id, &change).await
                    }
                    LaneKey::Conversation(..) | LaneKey::Visitor(..) => {
                        unreachable!("erasures enter the contact's lane")
                    }
                };
                // The door may have gone; the erasure is done all the same.
                let _ = reply.send(outcome);
            }
        }
    }

    async fn command(&mut self, job: CommandJob) {
        let CommandJob {
            actor,
            commands,
            reply,
        } = job;
        let mut outcomes = Vec::with_capacity(commands.len());
        let mut way = Way::Together;
        let faults = self.router.world().faults.clone();
        while outcomes.len() < commands.len() {
            let rest = &commands[outcomes.len()..];
            faults.strike("lane.command");
            let step = self.step(&actor, rest, &mut way).await;
            if let Some(stored) = step.stored {
                faults.strike("lane.stored");
                self.hand_on(stored).await;
            }
            outcomes.extend(step.outcomes);
            // What was said behind one that cannot be taken now must not pass it.
            if let Some(Err(rejection)) = outcomes.last()
                && rejection.code.retry() == Retry::Later
            {
                outcomes.resize(commands.len(), Err(rejection.clone()));
            }
        }
        // The door may have gone: what was stored is stored and passed on.
        let _ = reply.send(outcomes);
    }

    /// Does the first of some commands, or as many as belong together.
    async fn step(
        &mut self,
        actor: &Actor,
        commands: &[(ClientId, Command)],
        way: &mut Way,
    ) -> Step {
        let (router, memory) = (&self.router, &mut self.memory);
        if let Some(step) = several::say(router, memory, actor, commands, way).await {
            return step;
        }
        let (client_id, command) = &commands[0];
        let (outcome, stored) = match command::run(router, memory, actor, client_id, command).await
        {
            Ok(Done { ack, stored }) => (Ok(ack), stored),
            Err(rejection) => (Err(rejection), None),
        };
        Step {
            outcomes: vec![outcome],
            stored,
        }
    }

    /// What was stored here passes in the conversation's lane: this one, or another.
    async fn hand_on(&mut self, stored: Box<Stored>) {
        let conversation_id = stored.conversation.id;
        let heard = self.router.signals().heard();
        if let LaneKey::Conversation(..) = self.key {
            self.pass_stored(&stored, heard).await;
            return;
        }
        let key = LaneKey::Conversation(self.workspace_id(), conversation_id);
        let router = self.router.clone();
        if router
            .lanes()
            .post(&router, key, Job::Pass(stored, heard))
            .is_err()
        {
            // The event log tells of it within a second, and it passes then.
            tracing::warn!(conversation.id = %conversation_id, "a full lane passes entries late");
        }
    }

    async fn pass_stored(&mut self, stored: &Stored, heard: Heard) {
        let nodes = self.router.nodes();
        nodes.tell(&self.router, self.workspace_id(), || {
            News::Stored(Box::new(Commit::of(stored)))
        });
        self.has_told_beginning |= stored.created;
        let before = match &mut self.memory.known {
            Some(known) => {
                let before = Some(Membership::from(&known.conversation));
                if known.misses(&stored.conversation) {
                    self.memory.known = None;
                } else {
                    known.learn(&stored.conversation, &stored.entries);
                }
                before
            }
            None => {
                // Nobody takes part in a conversation that has just begun.
                self.memory.known = stored.created.then(|| Known {
                    conversation: stored.conversation.clone(),
                    participants: Vec::new(),
                    // A contact that ever changed here is read again.
                    read: Moment::default(),
                });
                None
            }
        };
        self.begin_in_sight(&stored.entries).await;
        self.pass(stored.entries.clone()).await;
        let workspace_id = self.workspace_id();
        let told = &mut self.memory.told;
        effect::after(&self.router, workspace_id, before, stored, told, heard).await;
    }

    /// As if it had been stored here, but that it teaches nothing of a conversation that is not known.
    async fn pass_commit(&mut self, commit: &Commit, heard: Heard) {
        self.has_told_beginning |= commit.created;
        let mut before = None;
        if let Some(known) = &mut self.memory.known {
            before = Some(Membership::from(&known.conversation));
            if known.misses(&commit.conversation) {
                self.memory.known = None;
            } else {
                known.learn(&commit.conversation, &commit.entries);
            }
        }
        self.begin_in_sight(&commit.entries).await;
        self.pass(commit.entries.clone()).await;
        let workspace_id = self.workspace_id();
        let told = &mut self.memory.told;
        effect::elsewhere(&self.router, workspace_id, before, commit, told, heard).await;
    }

    /// A lane that begins with what the visitor does not see begins with the last of what he does: by its number his
    /// connections know what they missed. Nothing else tells them: what stands before counts as passed.
    async fn begin_in_sight(&mut self, entries: &[Entry]) {
        let is_seen = entries.iter().any(|entry| entry.public_seq.is_some());
        let Some(first) = entries.first() else {
            return;
        };
        if is_seen || self.turnstile.passed().is_some() {
            return;
        }
        let first = first.seq;
        if let Err(error) = self.read_from_sight(first).await {
            tracing::warn!(%error, "what a visitor saw last could not be read");
            self.part_ways().await;
        }
    }

    async fn read_from_sight(&mut self, first: u64) -> storage::Result<()> {
        let (workspace_id, conversation_id) = self.conversation_id();
        let (db, numbering) = (self.router.db(), Numbering::Visitor);
        let seen = storage::entry::before(db, workspace_id, conversation_id, numbering, None, 1);
        match seen.await?.first() {
            Some(last) => self.read_after(last.seq.min(first) - 1).await.map(drop),
            None => Ok(()),
        }
    }

    async fn pass(&mut self, entries: Vec<Entry>) {
        let now = self.router.world().clock.elapsed();
        if self.turnstile.passed().is_none()
            && let Some(first) = entries.first()
        {
            self.standing.begin(first.seq - 1);
        }
        let ready = self.turnstile.offer(entries, now);
        if ready.is_empty() {
            return;
        }
        match self.router.cache().tenant(self.workspace_id()).await {
            Ok(tenant) => self.router.hub().entries(&ready, tenant.as_ref()).await,
            // Whoever follows comes back and reads what he missed.
            Err(error) => {
                tracing::warn!(%error, "entries could not be passed on");
                self.part_ways().await;
            }
        }
        let passed = self.turnstile.passed().unwrap_or_default();
        self.standing.pass(passed);
    }

    async fn part_ways(&self) {
        let (_, conversation_id) = self.conversation_id();
        for topic in [
            Topic::ConversationAgents(conversation_id),
            Topic::ConversationVisitor(conversation_id),
        ] {
            self.router.hub().close(topic, CloseCode::Unavailable).await;
        }
    }

    /// What the event log tells of and did not come by here is read and passed on; where it cannot be
    /// read, a moment later: nothing else may ever tell of it.
    async fn heal(&mut self, owed: Owed) {
        self.router.world().faults.strike("lane.heal");
        if let Err(error) = self.read_up_to(owed).await {
            tracing::warn!(%error, "entries of the log could not be read; it is tried again");
            let now = self.router.world().clock.elapsed();
            self.heals_after = now + self.router.config().hole_wait;
        } else {
            self.standing.debt.settle(owed);
        }
    }

    /// A lane that passed nothing yet, or began after what is owed, reads all that one commit may have made; followers
    /// know by the number what they have, and counts what they counted.
    async fn read_up_to(&mut self, owed: Owed) -> storage::Result<()> {
        let begun = self.standing.begun();
        let mut from = match self.turnstile.passed() {
            Some(passed) if owed.first > begun => passed,
            Some(_) | None => owed.first.saturating_sub(COMMIT_ENTRIES_MAX),
        };
        // Page by page, to the end of what the store has.
        while from < owed.last {
            self.memory.known = None;
            let read = self.read_after(from).await?;
            if read <= from {
                break;
            }
            from = read;
        }
        if owed.is_beginning && !self.has_told_beginning {
            let (workspace_id, conversation_id) = self.conversation_id();
            effect::began(&self.router, workspace_id, conversation_id).await?;
            self.has_told_beginning = true;
        }
        Ok(())
    }

    async fn read_hole(&mut self) {
        let from = self.turnstile.passed().unwrap_or_default();
        self.turnstile
            .wait_again(self.router.world().clock.elapsed());
        if let Err(error) = self.read_after(from).await {
            tracing::warn!(%error, "a hole could not be read; it is tried again");
        }
    }

    /// Reads what stands after a number, and passes on what did not pass. Gives the last number read.
    async fn read_after(&mut self, from: u64) -> storage::Result<u64> {
        let (workspace_id, conversation_id) = self.conversation_id();
        let db = self.router.db();
        let entries = storage::entry::after(
            db,
            workspace_id,
            conversation_id,
            Numbering::Team,
            from,
            PAGE_ENTRIES_MAX,
        )
        .await?;
        let found = storage::conversation::find(db, workspace_id, conversation_id).await?;
        self.pass(entries.clone()).await;
        if let Some(conversation) = found {
            let told = &mut self.memory.told;
            effect::healed(&self.router, workspace_id, &conversation, &entries, told).await;
        }
        Ok(entries.last().map_or(from, |entry| entry.seq))
    }

    fn conversation_id(&self) -> (WorkspaceId, ConversationId) {
        match self.key {
            LaneKey::Conversation(workspace_id, conversation_id) => (workspace_id, conversation_id),
            LaneKey::Visitor(..) | LaneKey::Contact(..) => {
                unreachable!("entries pass in the lanes of conversations only")
            }
        }
    }

    fn workspace_id(&self) -> WorkspaceId {
        match self.key {
            LaneKey::Conversation(workspace_id, _)
            | LaneKey::Visitor(workspace_id, _)
            | LaneKey::Contact(workspace_id, _) => workspace_id,
        }
    }
}
