//! News of another node that come late, or never: what follows from them is told all the same, and once.

use std::time::Duration;

use crate::both::on_both;
use crate::common::{Ear, Heard, Stage, Visitor, client_id, say};
use bus::{Bus, Follower};
use bytes::Bytes;
use protocol::command::Command;
use protocol::id::ConversationId;
use router::{Router, RouterConfig, Topic};
use serde_json::{Value, json};
use world::World;

/// Two nodes that hear nothing of each other but what a test carries over. Neither looks at the log by itself.
struct Apart {
    one: Router,
    other: Router,
    /// What the first one tells.
    letters: Follower,
    topic: String,
    bus_of_other: Bus,
}

impl Apart {
    async fn on(stage: &Stage) -> Self {
        let (bus_of_one, bus_of_other) = (Bus::shared(), Bus::shared());
        let start = async |world: World, bus: &Bus| {
            let config = RouterConfig {
                tail_interval: Duration::from_secs(3_600),
                ..RouterConfig::default()
            };
            let router = Router::start(world, bus.clone(), stage.db.clone(), config);
            router.await.expect("the router starts")
        };
        let topic = format!("workspace:{}", stage.workspace_id);
        Self {
            one: start(World::system(), &bus_of_one).await,
            other: start(stage.world.clone(), &bus_of_other).await,
            letters: bus_of_one.follow(&topic),
            topic,
            bus_of_other,
        }
    }

    /// The owner does something at the first node. Gives what that tells of it.
    async fn does(&self, stage: &Stage, command: Command) -> Bytes {
        let (owner, client_id) = (stage.owner(), client_id(&stage.world));
        let done = self.one.handle(&owner.actor, client_id, command).await;
        done.expect("an owner may");
        loop {
            let bus::Heard::News(letter) = self.letters.hear().await else {
                continue;
            };
            let json: Value = serde_json::from_slice(&letter).expect("a letter is JSON");
            if !json["news"]["Stored"].is_null() {
                return letter;
            }
        }
    }

    /// The other node hears it.
    fn carry(&self, letter: &Bytes) {
        self.bus_of_other.publish(&self.topic, letter);
    }

    /// The other node looks at the log.
    fn ring(&self) {
        self.bus_of_other.publish("events", &Bytes::new());
    }

    /// A visitor is connected to the other node, and listens there.
    async fn visits(&self, visitor: Visitor, topic: Topic) -> Ear {
        let ear = Ear::on(&self.other);
        ear.listen(topic);
        let welcome = self.other.visitor_welcome(&visitor.actor).await;
        welcome.expect("he may come in");
        ear
    }
}

fn close(conversation_id: ConversationId) -> Command {
    Command::Close { conversation_id }
}

on_both! {
    async fn who_missed_that_his_conversation_goes_on_follows_it_all_the_same(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        stage.ask(&stage.owner().actor, close(id)).await.expect("an owner may");
        let apart = Apart::on(&stage).await;
        let ear = apart.visits(visitor, Topic::Visitor(visitor.id)).await;
        // The first answer opens it again, and is lost.
        apart.does(&stage, say(Some(id), "one more thing")).await;
        apart.carry(&apart.does(&stage, say(Some(id), "are you there?")).await);
        assert_eq!(ear.frame("unread").await["count"], 2);
        apart.ring();
        let followed = ear.until(|heard| match heard {
            Heard::Follow(_, id) => Some(*id),
            Heard::Frame(..) | Heard::Afresh(..) | Heard::Close(..) | Heard::Lost => None,
        });
        assert_eq!(followed.await, id);
    }

    async fn an_answer_that_was_lost_before_the_end_is_counted_as_unread(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let apart = Apart::on(&stage).await;
        let ear = apart.visits(visitor, Topic::Visitor(visitor.id)).await;
        apart.does(&stage, say(Some(id), "good bye")).await;
        apart.carry(&apart.does(&stage, close(id)).await);
        assert_eq!(ear.frame("conversation").await["conversation"]["closed"], json!(true));
        apart.ring();
        assert_eq!(ear.frame("unread").await["count"], 1);
    }

    async fn what_comes_twice_or_late_is_counted_as_unread_once(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let apart = Apart::on(&stage).await;
        let ear = apart.visits(visitor, Topic::VisitorLauncher(visitor.id)).await;
        let count = async || ear.frame("unread").await["count"].clone();
        apart.carry(&apart.does(&stage, say(Some(id), "first")).await);
        assert_eq!(count().await, 1);
        let late = apart.does(&stage, say(Some(id), "second")).await;
        apart.carry(&apart.does(&stage, say(Some(id), "third")).await);
        assert_eq!(count().await, 2);
        // The hole is read in the store, with what stands behind it.
        assert_eq!(count().await, 3);
        apart.carry(&late);
        assert_eq!(count().await, 3);
    }
}
