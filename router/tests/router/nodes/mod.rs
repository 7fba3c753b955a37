//! Two nodes on one store and one bus: what happens on one is seen on the other, at once by the bus, and
//! within moments without it.

mod presence;

use std::time::Duration;

use crate::both::on_both;
use crate::common::{Agent, Ear, Heard, Stage, Visitor, browser, client_id, eventually, say};
use bus::Bus;
use bytes::Bytes;
use protocol::blocked_address::BlockedAddress;
use protocol::command::{Ack, Command};
use protocol::frame::{Follow, Page, Purpose, Watch};
use protocol::id::{ConnectionId, ConversationId, EntryId, NodeId};
use protocol::permission::{Actor, Principal, Role};
use protocol::rejection::{CloseCode, ErrorCode};
use protocol::view::{InboxFilter, InboxList};
use router::{Part, Router, RouterConfig, Topic, VisitorConnection};
use serde_json::{Value, json};
use world::World;

/// How often two nodes look for what waits before it may come: longer than they hurry.
const LOOKS: u64 = 16;

/// Whether the log is looked at by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// Only when rung, so that what is seen came over the bus.
    Rung,
    /// Often, and nothing comes over the bus.
    Alone,
    /// Only when rung, and nothing comes over the bus: each node knows what it did itself.
    Deaf,
}

/// Two nodes on the stage's store.
struct Pair {
    /// The first one's world, so that it can end alone.
    world: World,
    bus: Bus,
    one: Router,
    other: Router,
}

impl Pair {
    async fn on(stage: &Stage, tail: Tail) -> Self {
        let shared = Bus::shared();
        let bus = || match tail {
            Tail::Rung => shared.clone(),
            Tail::Alone | Tail::Deaf => Bus::local(),
        };
        let interval = match tail {
            Tail::Rung | Tail::Deaf => Duration::from_secs(3_600),
            Tail::Alone => Duration::from_millis(10),
        };
        let start = async |world: &World, bus| {
            let config = RouterConfig {
                tail_interval: interval,
                ..RouterConfig::default()
            };
            let (world, db) = (world.clone(), stage.db.clone());
            let router = Router::start(world, bus, db, config).await;
            router.expect("the router starts")
        };
        let world = World::system();
        Self {
            one: start(&world, bus()).await,
            other: start(&stage.world, bus()).await,
            world,
            bus: shared,
        }
    }
}

async fn ask(stage: &Stage, router: &Router, actor: &Actor, command: Command) -> Ack {
    let asked = router.handle(actor, client_id(&stage.world), command).await;
    asked.expect("accepted")
}

async fn says(stage: &Stage, router: &Router, visitor: Visitor, text: &str) -> ConversationId {
    let ack = ask(stage, router, &visitor.actor, say(None, text)).await;
    ack.conversation_id.expect("a message has a conversation")
}

/// An agent is connected to a node.
async fn agent_at(stage: &Stage, router: &Router, agent: Agent) -> (Ear, ConnectionId) {
    let ear = Ear::on(router);
    ear.listen(Topic::Team(stage.workspace_id));
    let connection_id = stage.world.ids.next();
    router.agent_enter(&agent.actor, connection_id).await;
    (ear, connection_id)
}

/// A visitor's panel is connected to a node.
async fn visitor_at(stage: &Stage, router: &Router, visitor: Visitor) -> Ear {
    let ear = Ear::on(router);
    ear.listen(Topic::Visitor(visitor.id));
    ear.listen(Topic::SiteVisitors(stage.site_id));
    let welcome = router.visitor_welcome(&visitor.actor).await;
    welcome.expect("he may come in");
    ear
}

/// A visitor's launcher is connected to a node.
async fn tab_at(stage: &Stage, router: &Router, visitor: Visitor) -> ConnectionId {
    let Principal::Visitor(actor) = visitor.actor.principal else {
        unreachable!("a visitor speaks");
    };
    // As the door does: he listens first, and is welcomed.
    drop(visitor_at(stage, router, visitor).await);
    let connection_id = stage.world.ids.next();
    let connection = VisitorConnection {
        connection_id,
        workspace_id: stage.workspace_id,
        visitor: actor,
        purpose: Purpose::Launcher,
        browser: browser(),
        page: Some(Page {
            url: "https://shop.example/a".to_owned(),
            title: "A page".to_owned(),
            referrer: None,
        }),
    };
    crate::common::enter(router, connection).await;
    connection_id
}

fn text_of(entry: &Value) -> Option<String> {
    let body = &entry["entry"]["content"]["message"]["body"];
    body.as_str().map(str::to_owned)
}

/// Waits for these words; what is said before them is passed over.
async fn hears(ear: &Ear, wanted: &str) {
    while text_of(&ear.frame("entry").await).as_deref() != Some(wanted) {}
}

async fn they_talk(stage: &Stage, pair: &Pair) {
    let (owner, visitor) = (stage.owner(), stage.visitor().await);
    let (at_other, _) = agent_at(stage, &pair.other, owner).await;
    let at_one = visitor_at(stage, &pair.one, visitor).await;
    let id = says(stage, &pair.one, visitor, "hello").await;
    at_one.listen(Topic::ConversationVisitor(id));
    at_other.listen(Topic::ConversationAgents(id));
    for round in 0..20 {
        let answer = format!("answer {round}");
        ask(stage, &pair.other, &owner.actor, say(Some(id), &answer)).await;
        hears(&at_one, &answer).await;
        let question = format!("question {round}");
        says(stage, &pair.one, visitor, &question).await;
        hears(&at_other, &question).await;
    }
}

#[tokio::test]
async fn what_waits_for_a_running_transaction_is_told_once_that_has_ended() {
    let stage = Stage::postgres().await;
    let pair = Pair::on(&stage, Tail::Rung).await;
    let (ear, _) = agent_at(&stage, &pair.other, stage.owner()).await;
    let running = stage.transaction().await;
    let bob = stage.agent("bob", Role::Agent).await;
    pair.one.changed(stage.workspace_id, Part::Agent(bob.id));
    // However long it runs.
    let looks = || stage.world.faults.call_count("storage.read");
    let before = looks();
    eventually(async || looks() > before + LOOKS).await;
    running.batch_execute("COMMIT").await.expect("it ends");
    while !ear.frame("team").await.to_string().contains("bob") {}
}

on_both! {
    async fn a_visitor_and_an_agent_on_two_nodes_talk_both_ways(stage: Stage) {
        they_talk(&stage, &Pair::on(&stage, Tail::Rung).await).await;
    }

    async fn letters_that_nobody_understands_are_counted_and_passed_over(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let (_ear, _) = agent_at(&stage, &pair.other, stage.owner()).await;
        let sender: NodeId = stage.world.ids.next();
        let epoch = stage.db.epoch();
        let letter = |news: &str| {
            format!("{{\"node_id\":\"{sender}\",\"epoch\":{epoch},\"news\":{news}}}")
        };
        // Of a newer program: another kind, another form of a known one; and spoilt ones.
        let workspace = format!("workspace:{}", stage.workspace_id);
        let spoilt = letter("{\"Poured\":{\"cups\":2}}");
        for (topic, text) in [
            (workspace.as_str(), spoilt.as_str()),
            (&workspace, &letter("{\"Afresh\":{\"conversation\":[1]}}")),
            (&workspace, &spoilt[..spoilt.len() / 2]),
            (&workspace, ""),
            ("nodes", &letter("\"Sneeze\"")),
            ("nodes", "{"),
        ] {
            pair.bus.publish(topic, &Bytes::copy_from_slice(text.as_bytes()));
        }
        eventually(async || pair.other.stats().unknown_news_count == 6).await;
        they_talk(&stage, &pair).await;
        assert_eq!(pair.other.stats().task_panic_count, 0);
    }

    async fn what_comes_late_from_another_life_of_the_store_is_not_passed_on(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let visitor = stage.visitor().await;
        let (ear, _) = agent_at(&stage, &pair.other, stage.owner()).await;
        let id = says(&stage, &pair.one, visitor, "hello").await;
        ear.listen(Topic::ConversationAgents(id));
        let workspace = format!("workspace:{}", stage.workspace_id);
        let letters = pair.bus.follow(&workspace);
        says(&stage, &pair.one, visitor, "kept").await;
        hears(&ear, "kept").await;
        // What stood behind it, until the store lost its last commits: the number is given out anew.
        let mut letter = loop {
            let bus::Heard::News(bytes) = letters.hear().await else { continue };
            let letter: Value = serde_json::from_slice(&bytes).expect("a letter is JSON");
            // The one before may be on its way still.
            let entry = &letter["news"]["Stored"]["entries"][0];
            if entry["content"]["message"]["body"] == "kept" {
                break letter;
            }
        };
        letter["epoch"] = json!(stage.db.epoch() + 1);
        let commit = &mut letter["news"]["Stored"];
        let seq = commit["entries"][0]["seq"].as_u64().expect("a number");
        let entry_id: EntryId = stage.world.ids.next();
        for number in ["seq", "public_seq"] {
            commit["entries"][0][number] = json!(seq + 1);
            commit["conversation"][number] = json!(seq + 1);
        }
        commit["entries"][0]["id"] = json!(entry_id);
        commit["entries"][0]["content"]["message"]["body"] = json!("lost");
        let letter = serde_json::to_vec(&letter).expect("JSON can be written");
        pair.bus.publish(&workspace, &Bytes::from(letter));
        says(&stage, &pair.one, visitor, "stored").await;
        let next = ear.frame("entry").await;
        assert_eq!(text_of(&next).as_deref(), Some("stored"));
        assert_eq!(next["entry"]["seq"], seq + 1);
    }

    async fn they_talk_without_a_bus_too(stage: Stage) {
        they_talk(&stage, &Pair::on(&stage, Tail::Alone).await).await;
    }

    async fn erased_words_leave_the_screens_of_the_other_node_without_a_bus(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Alone).await;
        let (owner, visitor) = (stage.owner(), stage.visitor().await);
        let (at_other, _) = agent_at(&stage, &pair.other, owner).await;
        let id = says(&stage, &pair.one, visitor, "gold").await;
        at_other.listen(Topic::ConversationAgents(id));
        let found = storage::conversation::find(&stage.db, stage.workspace_id, id).await;
        let contact_id = found.expect("the store works").expect("it exists").contact_id;
        let erased = pair.one.erase_contact(&owner.actor, contact_id).await;
        erased.expect("an owner may");
        at_other.afresh(id).await;
        let follow = Follow { conversation_id: id, position: None };
        let replay = pair.other.replay(&owner.actor, &follow).await.expect("they may");
        let page = String::from_utf8(replay.frames[0].text.to_vec()).expect("it is JSON");
        assert!(!page.contains("gold"), "{page}");
    }

    async fn a_node_that_has_not_heard_of_an_erasure_takes_no_note_behind_it(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Deaf).await;
        let (owner, visitor) = (stage.owner(), stage.visitor().await);
        let id = says(&stage, &pair.one, visitor, "hello").await;
        let note = |text: &str| {
            let say = say(Some(id), text);
            let Command::SendMessage { draft, .. } = say else {
                unreachable!("something is said");
            };
            Command::AddNote { conversation_id: id, draft, mentions: vec![] }
        };
        ask(&stage, &pair.other, &owner.actor, note("buys gold")).await;
        let found = storage::conversation::find(&stage.db, stage.workspace_id, id).await;
        let contact_id = found.expect("the store works").expect("it exists").contact_id;
        let erased = pair.one.erase_contact(&owner.actor, contact_id).await;
        erased.expect("an owner may");
        let late = pair.other.handle(&owner.actor, client_id(&stage.world), note("bought gold"));
        let refused = late.await.expect_err("it would add to what was erased");
        assert_eq!(refused.code, ErrorCode::ConversationState);
    }

    async fn what_is_decided_on_one_node_is_known_on_the_other(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let (owner, visitor) = (stage.owner(), stage.visitor().await);
        agent_at(&stage, &pair.one, owner).await;
        agent_at(&stage, &pair.other, owner).await;
        let id = says(&stage, &pair.one, visitor, "hello").await;
        for round in 0..10 {
            let words = format!("round {round}");
            ask(&stage, &pair.other, &owner.actor, say(Some(id), &words)).await;
            let close = Command::Close { conversation_id: id };
            ask(&stage, &pair.one, &owner.actor, close).await;
            let reopen = Command::Reopen { conversation_id: id };
            ask(&stage, &pair.other, &owner.actor, reopen).await;
        }
        let log = stage.log(id).await;
        let numbers: Vec<_> = log.iter().map(|entry| entry.seq).collect();
        assert_eq!(numbers, (1..=log.len() as u64).collect::<Vec<_>>());
    }

    async fn the_inbox_on_one_node_tells_of_the_other(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let owner = stage.owner();
        let (ear, connection_id) = agent_at(&stage, &pair.other, owner).await;
        let list = InboxList::from(InboxFilter::All);
        let watch = Watch::Inbox(list);
        let topic = pair.other.watch(&owner.actor, &watch, connection_id).expect("allowed");
        ear.listen(topic);
        pair.other.snapshot(&owner.actor, topic).await.expect("a list");
        let id = says(&stage, &pair.one, stage.visitor().await, "hello").await;
        let changes = ear.frame("inbox_changes").await;
        assert_eq!(changes["rows"][0]["id"], id.to_string());
        assert_eq!(changes["counts"]["unassigned"], 1);
    }

    async fn the_second_tab_on_another_node_follows_what_the_first_began(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let visitor = stage.visitor().await;
        let tab = visitor_at(&stage, &pair.other, visitor).await;
        let id = says(&stage, &pair.one, visitor, "hello").await;
        let followed = tab.until(|heard| match heard {
            Heard::Follow(_, id) => Some(*id),
            Heard::Frame(..) | Heard::Afresh(..) | Heard::Close(..) | Heard::Lost => None,
        });
        assert_eq!(followed.await, id);
        ask(&stage, &pair.one, &stage.owner().actor, say(Some(id), "hi")).await;
        assert_eq!(tab.frame("unread").await["count"], 1);
    }

    async fn typing_looking_and_reading_reach_the_other_node(stage: Stage) {
        stage.sets(|settings| settings.typing_preview = true).await;
        let pair = Pair::on(&stage, Tail::Rung).await;
        let (owner, visitor) = (stage.owner(), stage.visitor().await);
        let (at_other, connection_id) = agent_at(&stage, &pair.other, owner).await;
        let (at_one, _) = agent_at(&stage, &pair.one, owner).await;
        let his = visitor_at(&stage, &pair.one, visitor).await;
        let id = says(&stage, &pair.one, visitor, "hello").await;
        at_other.listen(Topic::ConversationAgents(id));
        at_one.listen(Topic::ConversationAgents(id));
        his.listen(Topic::ConversationVisitor(id));
        let (one, other) = (&pair.one, &pair.other);
        says(&stage, one, visitor, "are you there?").await;
        hears(&at_other, "are you there?").await;
        let text = Some("hello th".to_owned());
        one.typing(&visitor.actor, Some(id), text, true).await.expect("he may");
        let typing = at_other.frame("typing").await;
        assert_eq!((&typing["active"], &typing["text"]), (&true.into(), &"hello th".into()));
        one.typing(&visitor.actor, Some(id), None, false).await.expect("he may");
        assert_eq!(at_other.frame("typing").await["active"], false);
        other.typing(&owner.actor, Some(id), None, true).await.expect("she may");
        assert_eq!(his.frame("typing").await["name"], "Ana");
        other.viewing(&owner.actor, connection_id, Some(id)).await.expect("she may");
        assert_eq!(at_one.frame("viewing").await["agent_ids"][0], owner.id.to_string());
        other.agent_leave(connection_id).await;
        while at_one.frame("viewing").await["agent_ids"] != Value::Array(Vec::new()) {}
        other.read(&owner.actor, id, 1).await.expect("she may");
        assert_eq!(his.frame("marks").await["marks"]["read"], 1);
        one.read(&visitor.actor, id, 1).await.expect("he may");
        assert_eq!(at_other.frame("marks").await["marks"]["read"], 1);
    }

    async fn who_was_proved_on_one_node_ends_as_a_stranger_on_the_other(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let visitor = stage.visitor().await;
        let ear = visitor_at(&stage, &pair.other, visitor).await;
        let mut newcomer = stage.newcomer(Some(visitor.id));
        newcomer.proof = Some(router::Proof {
            customer_id: Some("7".to_owned()),
            email: None,
            claim: protocol::visitor::Claim::default(),
        });
        let standing = pair.one.begin_visitor(&newcomer).await.expect("the site is open");
        assert_eq!(standing.visitor_id, visitor.id);
        let closed = ear.until(|heard| match heard {
            Heard::Close(topic, code) => Some((*topic, *code)),
            Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Lost => None,
        });
        let expected = (Topic::Visitor(visitor.id), CloseCode::IdentityChanged);
        assert_eq!(closed.await, expected);
    }

    async fn what_desk_changes_on_one_node_is_told_on_the_other(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let (ear, _) = agent_at(&stage, &pair.other, stage.owner()).await;
        let found = storage::workspace::find(&stage.db, stage.workspace_id).await;
        let workspace = found.expect("the store works").expect("it exists");
        let new = protocol::workspace::WorkspaceChange {
            settings: Some(workspace.settings.clone()),
            ..protocol::workspace::WorkspaceChange::default()
        };
        let change = stage.change("workspace.changed");
        storage::workspace::change(&stage.db, workspace.version, &new, &change)
            .await
            .expect("it works");
        pair.one.changed(stage.workspace_id, Part::Workspace);
        assert_eq!(ear.frame("changed").await["part"], "workspace");
    }

    async fn who_is_blocked_on_one_node_is_sent_away_from_the_other(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Alone).await;
        let (agent, _) = agent_at(&stage, &pair.other, stage.owner()).await;
        let visitor = visitor_at(&stage, &pair.other, stage.visitor().await).await;
        let home: std::net::IpAddr = "2001:db8::7".parse().expect("an address");
        assert_eq!(pair.other.may_come_from(stage.workspace_id, home).await, Ok(()));
        let blocked = BlockedAddress {
            id: stage.world.ids.next(),
            network: "2001:db8::/32".to_owned(),
            reason: String::new(),
            agent_id: None,
            created_at_ms: 1,
        };
        let mut change = stage.change("address.blocked");
        change.target = blocked.id.to_string();
        let done = storage::blocked_address::create(&stage.db, &blocked, &change).await;
        done.expect("the store works");
        pair.one.changed(stage.workspace_id, Part::BlockedAddress(blocked.id));
        for (ear, topic) in [
            (&agent, Topic::Team(stage.workspace_id)),
            (&visitor, Topic::SiteVisitors(stage.site_id)),
        ] {
            let sent_away = ear.until(|heard| match heard {
                Heard::Close(at, code) => (*at == topic).then_some(*code),
                Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Lost => None,
            });
            assert_eq!(sent_away.await, CloseCode::Revoked);
        }
        let refused = pair.other.may_come_from(stage.workspace_id, home).await;
        assert_eq!(refused.expect_err("it is blocked").code, ErrorCode::Blocked);
    }
}
