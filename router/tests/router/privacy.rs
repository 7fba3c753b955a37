//! What belongs to the team stays with the team: a visitor hears the same, letter for letter, whether or not
//! notes are written, the conversation is put to rest, sorted and read in between.

use crate::both::on_both;
use crate::common::{Agent, Ear, Heard, Stage, Visitor, draft};
use protocol::command::{Ack, Command};
use protocol::id::{ConversationId, EntryId};
use protocol::rejection::CloseCode;
use protocol::text::Body;
use router::Topic;
use serde_json::Value;

/// Whether the team also does what is its own affair.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Team {
    Plain,
    Busy,
}

/// One customer at two browsers, each with its panel open, and the launchers of both.
struct Customer {
    browsers: [Visitor; 2],
    ears: Vec<Ear>,
}

impl Customer {
    async fn come(stage: &Stage, customer_id: &str) -> Self {
        let browsers = [
            stage.customer(customer_id).await,
            stage.customer(customer_id).await,
        ];
        let mut ears = Vec::new();
        for browser in browsers {
            for topic in [
                Topic::Visitor(browser.id),
                Topic::VisitorLauncher(browser.id),
            ] {
                let ear = stage.ear();
                ear.listen(topic);
                ears.push(ear);
            }
            let welcome = stage.router.visitor_welcome(&browser.actor).await;
            welcome.expect("a visitor is welcome");
        }
        Self { browsers, ears }
    }
}

/// Takes ids and times out of what was said: they differ from one conversation to the next.
fn plain(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if name.ends_with("_ms") {
                    *value = Value::from("time");
                } else if name == "client_id" {
                    *value = Value::from("name");
                } else {
                    plain(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(plain),
        Value::String(text) => {
            let is_id = |(kind, bits): (&str, &str)| kind.len() == 3 && bits.len() == 26;
            if text.split_once('_').is_some_and(is_id) {
                text.truncate(3);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn frame(text: &[u8]) -> String {
    let mut frame = serde_json::from_slice(text).expect("a frame is JSON");
    plain(&mut frame);
    frame.to_string()
}

/// Adds what is heard until a frame comes, with it.
async fn hear_until(ear: &Ear, heard: &mut Vec<String>, is_it: impl Fn(&Value) -> bool) {
    loop {
        let (line, is_last) = match ear.next().await {
            Heard::Frame(_, mut frame, _) => {
                let is_last = is_it(&frame);
                plain(&mut frame);
                (frame.to_string(), is_last)
            }
            Heard::Follow(..) => ("follow".to_owned(), false),
            Heard::Afresh(..) => ("afresh".to_owned(), false),
            // The log may tell of the proof only now: connections from before it would end.
            Heard::Close(_, CloseCode::IdentityChanged) => continue,
            Heard::Close(_, code) => (format!("close {code:?}"), false),
            Heard::Lost => panic!("an ear keeps up"),
        };
        heard.push(line);
        if is_last {
            return;
        }
    }
}

struct Scene<'a> {
    stage: &'a Stage,
    agent: Agent,
    id: ConversationId,
    team: Team,
    at_agent: Ear,
    at_conversation: Ear,
    heard: Vec<String>,
}

impl<'a> Scene<'a> {
    fn begin(stage: &'a Stage, id: ConversationId, team: Team) -> Self {
        let at_agent = stage.ear();
        at_agent.listen(Topic::Agent(stage.owner().id));
        let at_conversation = stage.ear();
        at_conversation.listen(Topic::ConversationVisitor(id));
        Self {
            stage,
            agent: stage.owner(),
            id,
            team,
            at_agent,
            at_conversation,
            heard: Vec::new(),
        }
    }

    async fn does(&self, command: Command) -> Ack {
        let done = self.stage.ask(&self.agent.actor, command).await;
        done.expect("an agent may")
    }

    /// The agent reads everything; waits until that was stored and told.
    async fn reads(&self) {
        let log = self.stage.log(self.id).await;
        let seq = log.last().expect("something was said").seq;
        let read = self.stage.router.read(&self.agent.actor, self.id, seq);
        read.await.expect("an agent may");
        let told = |heard: &Heard| match heard {
            Heard::Frame(_, frame, _) if frame["type"] == "read" => {
                (frame["seq"] == seq).then_some(())
            }
            Heard::Frame(..)
            | Heard::Follow(..)
            | Heard::Afresh(..)
            | Heard::Close(..)
            | Heard::Lost => None,
        };
        self.at_agent.until(told).await;
    }

    /// Everything that no visitor may learn of.
    async fn works(&self) {
        if self.team == Team::Plain {
            return;
        }
        let conversation_id = self.id;
        let add = |text| Command::AddNote {
            conversation_id,
            draft: draft(text),
            mentions: vec![],
        };
        let note: EntryId = self.does(add("a note")).await.entry_id.expect("an entry");
        let other = self.does(add("another")).await.entry_id.expect("an entry");
        self.does(Command::EditMessage {
            conversation_id,
            entry_id: note,
            body: Body::parse("a better note").expect("a good text"),
        })
        .await;
        self.does(Command::DeleteMessage {
            conversation_id,
            entry_id: other,
        })
        .await;
        for priority in [3, 2] {
            self.does(Command::Prioritize {
                conversation_id,
                priority,
            })
            .await;
        }
        self.rests().await;
        let reopen = Command::Reopen { conversation_id };
        self.does(reopen).await;
        self.reads().await;
    }

    async fn rests(&self) {
        let snooze = Command::Snooze {
            conversation_id: self.id,
            until_ms: self.stage.world.clock.now_ms() + 3_600_000,
        };
        self.does(snooze).await;
    }

    /// Adds what everybody who follows the conversation hears, up to these words.
    async fn hears(&mut self, text: &str) {
        let is_it = |frame: &Value| frame["entry"]["content"]["message"]["body"] == text;
        hear_until(&self.at_conversation, &mut self.heard, is_it).await;
    }
}

/// A conversation from its beginning past its end, as all ears of the customer heard it.
async fn talk(stage: &Stage, customer_id: &str, team: Team) -> Vec<String> {
    let customer = Customer::come(stage, customer_id).await;
    let [laptop, phone] = customer.browsers;
    let id = stage.begins(laptop).await;
    let mut scene = Scene::begin(stage, id, team);
    stage.answers(scene.agent, id, "one").await;
    scene.hears("one").await;
    scene.reads().await;
    scene.works().await;
    stage.says(phone, "from the phone").await;
    scene.hears("from the phone").await;
    scene.reads().await;
    // An answer, and the customer's own word, wake what rests.
    for (number, speaker) in ["two", "three"].into_iter().zip([None, Some(laptop)]) {
        if team == Team::Busy {
            scene.works().await;
            scene.rests().await;
        }
        match speaker {
            Some(visitor) => stage.says(visitor, number).await,
            None => stage.answers(scene.agent, id, number).await,
        };
        scene.hears(number).await;
        scene.reads().await;
    }
    scene
        .does(Command::Close {
            conversation_id: id,
        })
        .await;
    if team == Team::Busy {
        let note = Command::AddNote {
            conversation_id: id,
            draft: draft("after the end"),
            mentions: vec![],
        };
        scene.does(note).await;
    }
    scene
        .does(Command::Reopen {
            conversation_id: id,
        })
        .await;
    stage.answers(scene.agent, id, "last").await;
    scene.hears("last").await;
    scene.reads().await;
    let Scene {
        at_conversation,
        mut heard,
        ..
    } = scene;
    hear_until(&at_conversation, &mut heard, |frame| {
        frame["type"] == "marks"
    })
    .await;
    let mut all = vec![heard];
    for ear in &customer.ears {
        let mut heard = Vec::new();
        // One, two and last were said by the team, and nobody read them.
        hear_until(ear, &mut heard, |frame| frame["count"] == 3).await;
        all.push(heard);
    }
    for browser in customer.browsers {
        all.push(reads_again(stage, browser, id).await);
    }
    all.concat()
}

/// What comes back to a browser that comes back.
async fn reads_again(stage: &Stage, browser: Visitor, id: ConversationId) -> Vec<String> {
    let follow = crate::common::follow(id);
    let replay = stage.router.replay(&browser.actor, &follow).await;
    let replay = replay.expect("his own");
    let frames = replay.frames.iter();
    frames.map(|encoded| frame(&encoded.text)).collect()
}

on_both! {
    async fn what_a_visitor_hears_is_the_same_whatever_the_team_does(stage: Stage) {
        let plain = talk(&stage, "41", Team::Plain).await;
        let busy = talk(&stage, "42", Team::Busy).await;
        for (plain, busy) in plain.iter().zip(&busy) {
            assert_eq!(plain, busy);
        }
        assert_eq!(plain.len(), busy.len());
        assert!(plain.iter().any(|line| line.contains("reopened")), "{plain:#?}");
        assert!(plain.iter().any(|line| line.contains("\"marks\"")), "{plain:#?}");
    }

    async fn a_merge_brings_no_notes_along(stage: Stage) {
        let mut all = Vec::new();
        for (customer_id, team) in [("41", Team::Plain), ("42", Team::Busy)] {
            let lead = stage.visitor().await;
            let id = stage.begins(lead).await;
            let agent = stage.owner();
            stage.answers(agent, id, "one").await;
            if team == Team::Busy {
                let note = Command::AddNote { conversation_id: id, draft: draft("a note"), mentions: vec![] };
                stage.ask(&agent.actor, note).await.expect("an agent may");
                let until_ms = stage.world.clock.now_ms() + 3_600_000;
                let snooze = Command::Snooze { conversation_id: id, until_ms };
                stage.ask(&agent.actor, snooze).await.expect("an agent may");
            }
            let person = stage.customer(customer_id).await;
            let ear = stage.ear();
            ear.listen(Topic::Visitor(person.id));
            stage.router.visitor_welcome(&person.actor).await.expect("a visitor is welcome");
            let found = storage::conversation::find(&stage.db, stage.workspace_id, id).await;
            let contact_id = found.expect("the store works").expect("it exists").contact_id;
            let into_id = person.contact().expect("he was proved");
            let change = stage.change("contact.merged");
            storage::contact::merge(&stage.db, contact_id, into_id, &change).await.expect("it works");
            stage.answers(agent, id, "two").await;
            let mut heard = Vec::new();
            hear_until(&ear, &mut heard, |frame| frame["type"] == "unread").await;
            heard.extend(reads_again(&stage, person, id).await);
            all.push(heard);
        }
        assert_eq!(all[0], all[1]);
    }
}
