//! What is told last is the newest: of two who tell the same at once, none tells something older after the other.

use std::collections::BTreeMap;

use crate::both::on_both;
use crate::common::{Agent, Ear, Heard, Stage, Visitor, eventually};
use protocol::agent::{AgentChange, Availability};
use protocol::frame::Watch;
use protocol::id::{ConversationId, VisitorId};
use protocol::permission::Role;
use protocol::text::Name;
use protocol::view::InboxFilter;
use router::{Part, Topic};
use serde_json::{Value, json};
use storage::Written;

/// Rounds in which two cross, each at another moment.
const ROUNDS: u64 = 20;

/// The number of the first answer, as the visitor counts: he said hello, and an agent joined.
const READ_ME: u64 = 3;

/// Names an agent anew.
async fn rename(stage: &Stage, agent: Agent, version: u64, name: &str) {
    let mut change = stage.change("agent.changed");
    change.target = agent.id.to_string();
    let new = AgentChange {
        name: Name::parse(name).ok(),
        ..AgentChange::default()
    };
    let written = storage::agent::change(&stage.db, agent.id, version, &new, &change).await;
    assert!(matches!(written, Ok(Written::Done(_))), "{written:?}");
    stage
        .router
        .changed(stage.workspace_id, Part::Agent(agent.id));
}

/// What a console hears of an agent.
struct Console {
    ear: Ear,
    agent: Agent,
    name: Value,
    availability: Value,
}

impl Console {
    fn of(stage: &Stage, agent: Agent) -> Self {
        let ear = stage.ear();
        ear.listen(Topic::Team(stage.workspace_id));
        Self {
            ear,
            agent,
            name: Value::Null,
            availability: Value::from("offline"),
        }
    }

    /// Hears until he is told to do this. The list of the team says of him what was told last.
    async fn until(&mut self, availability: &str) {
        let id = json!(self.agent.id);
        let of = |list: &Value, field: &str, what: &str| {
            let list = list.as_array().cloned().unwrap_or_default();
            let found = list.into_iter().find(|one| one[field] == id);
            found.map(|one| one[what].clone())
        };
        while self.availability != availability {
            let Heard::Frame(_, frame, _) = self.ear.next().await else {
                continue;
            };
            let said = of(&frame["presence"], "agent_id", "availability");
            if frame["type"] == "team" {
                self.name = of(&frame["agents"], "id", "name").unwrap_or_default();
                // Who is not in it is offline.
                let said = said.unwrap_or_else(|| Value::from("offline"));
                assert_eq!(said, self.availability, "{}", self.name);
            } else if let Some(said) = said {
                self.availability = said;
            }
        }
    }
}

/// Visitors who each have a conversation and a launcher, and the counts that these show.
struct Readers {
    ear: Ear,
    readers: Vec<(Visitor, ConversationId)>,
    shown: BTreeMap<VisitorId, Value>,
}

impl Readers {
    async fn come(stage: &Stage, count: u64) -> Self {
        let ear = stage.ear();
        let mut readers = Vec::new();
        for _ in 0..count {
            let visitor = stage.visitor().await;
            let ack = stage.says(visitor, "hello").await;
            ear.listen(Topic::VisitorLauncher(visitor.id));
            readers.push((visitor, ack.conversation_id.expect("a message has one")));
        }
        Self {
            ear,
            readers,
            shown: BTreeMap::new(),
        }
    }

    fn take(&mut self, heard: &Heard) {
        if let Heard::Frame(Topic::VisitorLauncher(id), frame, _) = heard
            && frame["type"] == "unread"
        {
            self.shown.insert(*id, frame["count"].clone());
        }
    }

    /// Hears until all of these are shown this count.
    async fn until(&mut self, readers: std::ops::Range<usize>, count: u64) {
        let ids: Vec<_> = self.readers[readers].iter().map(|one| one.0.id).collect();
        while !ids
            .iter()
            .all(|id| self.shown.get(id).is_some_and(|shown| *shown == count))
        {
            let heard = self.ear.next().await;
            self.take(&heard);
        }
    }
}

on_both! {
    async fn a_count_from_before_a_message_is_not_told_after_it(stage: Stage) {
        let mut all = Readers::come(&stage, ROUNDS + 1).await;
        let late = all.readers.len() - 1;
        for (_, id) in &all.readers {
            stage.answers(stage.owner(), *id, "read me").await;
        }
        // What they have read is stored at once, and then told to one after the other.
        for (visitor, id) in &all.readers[..late] {
            stage.router.read(&visitor.actor, *id, READ_ME).await.expect("his own");
        }
        for (_, id) in &all.readers[..late] {
            stage.answers(stage.owner(), *id, "and me").await;
        }
        // When this one's is counted, that of all others was.
        all.until(late..late + 1, 1).await;
        let (visitor, id) = all.readers[late];
        stage.router.read(&visitor.actor, id, READ_ME).await.expect("his own");
        all.until(late..late + 1, 0).await;
        all.until(0..late, 1).await;
    }

    async fn how_far_an_agent_read_is_told_as_it_is_stored(stage: Stage) {
        let (owner, visitor) = (stage.owner(), stage.visitor().await);
        let id = stage.begins(visitor).await;
        let ear = stage.ear();
        ear.listen(Topic::Agent(owner.id));
        // Beyond the log's end, as after a backup was restored.
        stage.router.read(&owner.actor, id, 999).await.expect("she may");
        assert_eq!(ear.frame("read").await["seq"], 1);
    }

    async fn an_agents_choice_is_not_undone_by_a_list_of_the_team_from_before_it(stage: Stage) {
        let bob = stage.agent("bob", Role::Agent).await;
        let mut console = Console::of(&stage, bob);
        stage.router.agent_enter(&bob.actor, stage.world.ids.next()).await;
        console.until("online").await;
        let choices = [(Availability::Away, "away"), (Availability::Online, "online")];
        for round in 1..=ROUNDS {
            let name = format!("Bob {round}");
            rename(&stage, bob, round, &name).await;
            while console.name != name {
                for (choice, word) in choices {
                    stage.router.availability(&bob.actor, choice).await.expect("an agent may");
                    console.until(word).await;
                }
            }
        }
    }

    /// Its task may still be telling what was: another one beside it could be overtaken by it.
    async fn a_list_that_is_watched_again_at_once_is_told_by_the_same_task(stage: Stage) {
        let owner = stage.owner();
        let connection_id = stage.world.ids.next();
        let watch = || {
            let all = Watch::Inbox(InboxFilter::All.into());
            stage.router.watch(&owner.actor, &all, connection_id).expect("she may")
        };
        let visitor = stage.visitor().await;
        let task_count = || stage.world.tracker.task_count();
        let before = task_count();
        let topic = watch();
        stage.router.unwatch(topic, connection_id).await;
        watch();
        assert_eq!(task_count(), before + 1);
        stage.router.unwatch(topic, connection_id).await;
        eventually(async || task_count() <= before).await;
        watch();
        let ear = stage.ear();
        ear.listen(topic);
        let id = stage.begins(visitor).await;
        stage.answers(owner, id, "hello").await;
        assert_eq!(ear.frame("inbox_changes").await["rows"][0]["id"], id.to_string());
    }
}
