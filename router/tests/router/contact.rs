//! What follows from a contact's new name and from an erasure, for those who look on.

use crate::both::on_both;
use crate::common::{Agent, Ear, Heard, Stage, browser, draft, eventually, say};
use protocol::command::Command;
use protocol::contact::{ContactChange, handle_of};
use protocol::conversation::{Conversation, State};
use protocol::frame::{Page, Purpose, Watch};
use protocol::id::{ContactId, ConversationId};
use protocol::permission::Principal;
use protocol::rejection::ErrorCode;
use protocol::view::{InboxFilter, VisitorList};
use router::{Part, Topic, VisitorConnection};
use serde_json::Value;
use storage::audit::Change;

/// Rounds in which two cross, each at another moment.
const ROUNDS: u64 = 20;

async fn row(stage: &Stage, id: ConversationId) -> Conversation {
    let found = storage::conversation::find(&stage.db, stage.workspace_id, id).await;
    found.expect("the store works").expect("it exists")
}

async fn rename(stage: &Stage, contact_id: ContactId, name: &str) {
    let named = storage::contact::named(&stage.db, stage.workspace_id, contact_id).await;
    let version = named.expect("readable").expect("it exists").version;
    let change = Change {
        target: contact_id.to_string(),
        ..stage.change("contact.changed")
    };
    let new = ContactChange {
        name: Some(name.to_owned()),
        ..ContactChange::default()
    };
    storage::contact::change(&stage.db, contact_id, version, &new, &change)
        .await
        .expect("it works");
    stage
        .router
        .changed(stage.workspace_id, Part::Contact(contact_id));
}

/// Watches a list and gives it as it is.
async fn watch(stage: &Stage, ear: &Ear, agent: Agent, watch: Watch) -> Value {
    let connection_id = stage.world.ids.next();
    let topic = stage.router.watch(&agent.actor, &watch, connection_id);
    let topic = topic.expect("an agent may");
    ear.listen(topic);
    let frame = stage.router.snapshot(&agent.actor, topic).await;
    serde_json::from_slice(&frame.expect("a list").text).expect("JSON")
}

fn visitors() -> Watch {
    Watch::Visitors(VisitorList::default())
}

async fn enter(stage: &Stage, visitor: &crate::common::Visitor) {
    crate::common::enter(&stage.router, connection(stage, visitor)).await;
}

fn connection(stage: &Stage, visitor: &crate::common::Visitor) -> VisitorConnection {
    let Principal::Visitor(actor) = visitor.actor.principal else {
        unreachable!("a visitor speaks");
    };
    VisitorConnection {
        connection_id: stage.world.ids.next(),
        workspace_id: stage.workspace_id,
        visitor: actor,
        purpose: Purpose::Launcher,
        browser: browser(),
        page: Some(Page {
            url: "https://shop.example/".to_owned(),
            title: "Shop".to_owned(),
            referrer: None,
        }),
    }
}

/// The row of a visitor in the live list, as it is now; nothing where he is not there.
async fn here(stage: &Stage, topic: Topic, visitor: &crate::common::Visitor) -> Value {
    let list = stage.router.snapshot(&stage.owner().actor, topic).await;
    let list: Value = serde_json::from_slice(&list.expect("a list").text).expect("JSON");
    let rows = list["rows"].as_array().cloned().unwrap_or_default();
    let id = Value::from(visitor.id.to_string());
    rows.into_iter()
        .find(|row| row["id"] == id)
        .unwrap_or_default()
}

fn watched(stage: &Stage) -> Topic {
    let connection_id = stage.world.ids.next();
    let topic = stage
        .router
        .watch(&stage.owner().actor, &visitors(), connection_id);
    topic.expect("an agent may")
}

async fn named_so(ear: &Ear, name: &str) -> Value {
    ear.until(|heard| match heard {
        Heard::Frame(_, frame, _) if frame["type"] == "contact" && frame["name"] == name => {
            Some(frame.clone())
        }
        Heard::Frame(..)
        | Heard::Follow(..)
        | Heard::Afresh(..)
        | Heard::Close(..)
        | Heard::Lost => None,
    })
    .await
}

on_both! {
    async fn a_new_name_is_told_once_for_all_rows(stage: Stage) {
        let (visitor, owner) = (stage.visitor().await, stage.owner());
        let (team, list) = (stage.ear(), stage.ear());
        team.listen(Topic::Team(stage.workspace_id));
        enter(&stage, &visitor).await;
        let id = stage.begins(visitor).await;
        let contact_id = row(&stage, id).await.contact_id;
        let here = watch(&stage, &list, owner, visitors()).await;
        assert_eq!(here["rows"][0]["name"], format!("Visitor {}", handle_of(visitor.id)));
        rename(&stage, contact_id, "Ana Kovač").await;
        let news = named_so(&team, "Ana Kovač").await;
        assert_eq!(news["contact_ids"][0], contact_id.to_string());
        assert_eq!(news["version"], row(&stage, id).await.contact_version);
        assert_eq!(news["erased"], false);
        let renamed = list.until(|heard| match heard {
            Heard::Frame(_, frame, _) if frame["rows"][0]["name"] == "Ana Kovač" => Some(()),
            Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Close(..) | Heard::Lost => None,
        });
        renamed.await;
    }

    async fn nobody_waits_for_an_answer_to_the_erased(stage: Stage) {
        let (visitor, owner) = (stage.visitor().await, stage.owner());
        enter(&stage, &visitor).await;
        let id = stage.begins(visitor).await;
        let contact_id = row(&stage, id).await.contact_id;
        rename(&stage, contact_id, "Ana Kovač").await;
        let (team, inbox, here) = (stage.ear(), stage.ear(), stage.ear());
        team.listen(Topic::Team(stage.workspace_id));
        let all = Watch::Inbox(InboxFilter::All.into());
        let list = watch(&stage, &inbox, owner, all).await;
        assert_eq!(list["counts"]["waiting"], 1);
        assert_eq!(watch(&stage, &here, owner, visitors()).await["counts"]["active"], 1);
        stage.router.erase_contact(&owner.actor, contact_id).await.expect("an owner may");

        let ended = row(&stage, id).await;
        assert_eq!((ended.state, ended.contact_erased), (State::Closed, true));
        let handle = format!("Visitor {}", handle_of(visitor.id));
        assert_eq!(ended.contact_name, handle);
        let gone = inbox.until(|heard| match heard {
            Heard::Frame(_, frame, _) if frame["gone"][0]["id"] == id.to_string() => {
                Some(frame.clone())
            }
            Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Close(..) | Heard::Lost => None,
        });
        assert_eq!(gone.await["counts"]["waiting"], 0);
        let left = here.until(|heard| match heard {
            Heard::Frame(_, frame, _) if frame["gone"][0] == visitor.id.to_string() => {
                Some(frame.clone())
            }
            Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Close(..) | Heard::Lost => None,
        });
        assert_eq!(left.await["counts"]["active"], 0);
        assert_eq!(named_so(&team, &handle).await["erased"], true);
    }

    async fn the_erased_take_no_more_words(stage: Stage) {
        let (visitor, owner) = (stage.visitor().await, stage.owner());
        let (open, contact_id) = {
            let id = stage.begins(visitor).await;
            (id, row(&stage, id).await.contact_id)
        };
        stage.ask(&owner.actor, Command::Close { conversation_id: open }).await.expect("accepted");
        let next = stage.says(visitor, "once more").await.conversation_id.expect("another one");
        stage.answers(owner, next, "hello again").await;
        stage.router.erase_contact(&owner.actor, contact_id).await.expect("an owner may");
        for id in [open, next] {
            let commands = [
                say(Some(id), "too late"),
                Command::AddNote { conversation_id: id, draft: draft("too late"), mentions: vec![] },
                Command::Reopen { conversation_id: id },
            ];
            for command in commands {
                let refused = stage.ask(&owner.actor, command).await.expect_err("refused");
                assert_eq!(refused.code, ErrorCode::ConversationState);
            }
            assert_eq!(row(&stage, id).await.state, State::Closed);
        }
        // Safe to repeat.
        stage.router.erase_contact(&owner.actor, contact_id).await.expect("again");
        assert_eq!(row(&stage, next).await.state, State::Closed);
    }

    async fn who_was_read_before_a_change_is_shown_as_he_is_after_it(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let contact_id = row(&stage, id).await.contact_id;
        let (team, topic) = (stage.ear(), watched(&stage));
        team.listen(Topic::Team(stage.workspace_id));
        let arrival = stage.router.visitor_welcome(&visitor.actor).await.expect("he is welcome");
        rename(&stage, contact_id, "Ana Kovač").await;
        named_so(&team, "Ana Kovač").await;
        stage.router.visitor_enter(connection(&stage, &visitor), arrival).await;
        eventually(async || here(&stage, topic, &visitor).await["name"] == "Ana Kovač").await;
        // He begins to write in one tab while another comes.
        let other = stage.visitor().await;
        let arrival = stage.router.visitor_welcome(&other.actor).await.expect("he is welcome");
        let begun = Value::from(stage.begins(other).await.to_string());
        stage.router.visitor_enter(connection(&stage, &other), arrival).await;
        eventually(async || here(&stage, topic, &other).await["conversation_id"] == begun).await;
    }

    async fn who_was_read_before_he_was_erased_is_not_shown(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let contact_id = row(&stage, id).await.contact_id;
        let (team, topic) = (stage.ear(), watched(&stage));
        team.listen(Topic::Team(stage.workspace_id));
        let arrival = stage.router.visitor_welcome(&visitor.actor).await.expect("he is welcome");
        stage.router.erase_contact(&stage.owner().actor, contact_id).await.expect("an owner may");
        named_so(&team, &format!("Visitor {}", handle_of(visitor.id))).await;
        stage.router.visitor_enter(connection(&stage, &visitor), arrival).await;
        eventually(async || here(&stage, topic, &visitor).await.is_null()).await;
    }

    async fn what_is_shown_last_of_a_visitor_is_the_newest(stage: Stage) {
        let (visitor, owner) = (stage.visitor().await, stage.owner());
        let conversation_id = stage.begins(visitor).await;
        let contact_id = row(&stage, conversation_id).await.contact_id;
        let topic = watched(&stage);
        enter(&stage, &visitor).await;
        for round in 0..ROUNDS {
            let name = format!("Ana {round}");
            let moves = async {
                for command in [Command::Close { conversation_id }, Command::Reopen { conversation_id }] {
                    stage.ask(&owner.actor, command).await.expect("accepted");
                }
            };
            tokio::join!(moves, rename(&stage, contact_id, &name));
            eventually(async || {
                let row = here(&stage, topic, &visitor).await;
                row["name"] == name.as_str() && row["conversation_id"] == conversation_id.to_string()
            })
            .await;
        }
    }
}
