//! What is told last is the newest: of two who tell the same at once, none tells something older after the other.

#[path = "common/both.rs"]
mod both;
mod common;

use both::on_both;
use common::{Agent, Ear, Heard, Stage};
use protocol::agent::{AgentChange, Availability};
use protocol::permission::Role;
use protocol::text::Name;
use router::{Part, Topic};
use serde_json::{Value, json};
use storage::Written;

/// Rounds in which two cross, each at another moment.
const ROUNDS: u64 = 40;

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

/// What a console knows of an agent: by each frame that it hears.
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
            availability: Value::Null,
        }
    }

    fn take(&mut self, heard: &Heard) {
        let Heard::Frame(_, frame, _) = heard else {
            return;
        };
        let id = json!(self.agent.id);
        let of = |list: &Value, field: &str, what: &str| {
            let list = list.as_array().cloned().unwrap_or_default();
            let found = list.into_iter().find(|one| one[field] == id);
            found.map(|one| one[what].clone())
        };
        if frame["type"] == "team" {
            self.name = of(&frame["agents"], "id", "name").unwrap_or_default();
            self.availability = Value::from("offline");
        }
        let said = of(&frame["presence"], "agent_id", "availability");
        self.availability = said.unwrap_or_else(|| self.availability.take());
    }

    /// Hears until both are known to be so.
    async fn until(&mut self, name: &str, availability: &str) {
        while self.name != name || self.availability != availability {
            let heard = self.ear.next().await;
            self.take(&heard);
        }
    }
}

on_both! {
    async fn an_agents_choice_is_not_undone_by_a_list_of_the_team_from_before_it(stage: Stage) {
        let bob = stage.agent("bob", Role::Agent).await;
        stage.router.agent_enter(&bob.actor, stage.world.ids.next()).await;
        let mut console = Console::of(&stage, bob);
        for round in 1..=ROUNDS {
            let name = format!("Bob {round}");
            rename(&stage, bob, round, &name).await;
            for _ in 0..round * 3 {
                tokio::task::yield_now().await;
            }
            let (choice, word) = match round % 2 {
                0 => (Availability::Online, "online"),
                _ => (Availability::Away, "away"),
            };
            stage.router.availability(&bob.actor, choice).await.expect("an agent may");
            console.until(&name, word).await;
            // The last of all that was told says so, too.
            stage.router.team(&bob.actor).await.expect("an agent may");
            for heard in console.ear.rest() {
                console.take(&heard);
            }
            assert_eq!(console.availability, word, "round {round}");
        }
    }
}
