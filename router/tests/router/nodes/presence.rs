//! Who is where, on two nodes: visitors and agents.

use std::time::Duration;

use bytes::Bytes;
use protocol::agent::{Availability, Screen, SettingsPage, Sight};
use protocol::frame::Watch;
use protocol::id::ConversationId;
use protocol::permission::Role;
use protocol::view::VisitorList;
use router::{Router, Topic};
use serde_json::{Value, json};

use super::{Pair, Tail, agent_at, tab_at, visitor_at};
use crate::both::on_both;
use crate::common::{Agent, Ear, Heard, Stage};

/// An agent watches the visitors on a node.
async fn watching(stage: &Stage, router: &Router, agent: Agent) -> (Ear, Topic) {
    let (ear, connection_id) = agent_at(stage, router, agent).await;
    let watch = Watch::Visitors(VisitorList::default());
    let topic = router.watch(&agent.actor, &watch, connection_id);
    let topic = topic.expect("an agent may");
    ear.listen(topic);
    let list = router.snapshot(&agent.actor, topic).await;
    list.expect("a list");
    (ear, topic)
}

/// Waits until the list has so many active visitors.
async fn lists(ear: &Ear, active: u32) {
    while ear.frame("visitor_changes").await["counts"]["active"] != active {}
}

/// Waits until each node has heard of the other: not before its second sign of life, as others hear signs a moment later.
async fn they_know_each_other(pair: &Pair) {
    let signs = pair.bus.follow("nodes");
    for router in [&pair.one, &pair.other] {
        let id = router.node_id().to_string();
        let mut heard = 0;
        while heard < 2 {
            let bus::Heard::News(sign) = signs.hear().await else {
                continue;
            };
            heard += usize::from(String::from_utf8_lossy(&sign).contains(&id));
        }
    }
}

/// Waits until somebody is told as gone, while the store shows no other node alive. Gives who is, and how many are here.
async fn until_gone(pair: &Pair, ear: &Ear, mut meanwhile: impl FnMut()) -> (Vec<Value>, Value) {
    let looks = async {
        loop {
            pair.other.call_the_roll(Vec::new());
            meanwhile();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let told = async {
        loop {
            let frame = ear.frame("visitor_changes").await;
            let gone = frame["gone"].as_array().cloned().unwrap_or_default();
            if !gone.is_empty() {
                return (gone, frame["counts"]["active"].clone());
            }
        }
    };
    tokio::select! {
        () = looks => unreachable!("it goes on for ever"),
        told = told => told,
    }
}

/// The names of those who answer.
fn names(staff: &Value) -> Vec<String> {
    let people = staff["people"].as_array().expect("it tells who answers");
    let name = |member: &Value| member["name"].as_str().unwrap_or_default().to_owned();
    people.iter().map(name).collect()
}

on_both! {
    async fn a_visitor_on_one_node_is_in_the_list_on_the_other(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let owner = stage.owner();
        // He is there before anybody watches.
        let early = tab_at(&stage, &pair.one, stage.visitor().await).await;
        let (ear, _) = watching(&stage, &pair.other, owner).await;
        lists(&ear, 1).await;
        let visitor = stage.visitor().await;
        let tab = tab_at(&stage, &pair.one, visitor).await;
        lists(&ear, 2).await;
        // The same browser with a tab on the other node is one visitor.
        let second = tab_at(&stage, &pair.other, visitor).await;
        let both = ear.until(|heard| match heard {
            Heard::Frame(_, frame, _) if frame["rows"][0]["tab_count"] == 2 => Some(frame.clone()),
            Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Close(..) | Heard::Lost => None,
        });
        assert_eq!(both.await["counts"]["active"], 2);
        for (router, tab) in [(&pair.other, second), (&pair.one, tab), (&pair.one, early)] {
            router.visitor_leave(tab).await;
        }
    }

    async fn the_first_visitor_of_a_node_is_in_the_list_on_the_other_at_once(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let (ear, _) = watching(&stage, &pair.other, stage.owner()).await;
        they_know_each_other(&pair).await;
        tab_at(&stage, &pair.one, stage.visitor().await).await;
        // Before it is said again who watches.
        let listed = tokio::time::timeout(Duration::from_secs(6), lists(&ear, 1));
        listed.await.expect("he is in time");
    }

    async fn who_answers_is_known_on_all_nodes(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let owner = stage.owner();
        let visitor = stage.visitor().await;
        let his = visitor_at(&stage, &pair.one, visitor).await;
        let (at_one, _) = agent_at(&stage, &pair.one, stage.agent("Bob", Role::Agent).await).await;
        let (_, connection_id) = agent_at(&stage, &pair.other, owner).await;
        while names(&his.frame("staff").await) != ["Ana", "Bob"] {}
        let away = Availability::Away;
        pair.other.availability(&owner.actor, away).await.expect("she may");
        let told = at_one.until(|heard| match heard {
            Heard::Frame(_, frame, _) if frame["presence"][0]["availability"] == "away" => Some(()),
            Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Close(..) | Heard::Lost => None,
        });
        told.await;
        // She is away on the other node too, until she says otherwise there.
        agent_at(&stage, &pair.one, owner).await;
        pair.other.agent_leave(connection_id).await;
        pair.one.availability(&owner.actor, Availability::Online).await.expect("she may");
        while names(&his.frame("staff").await) != ["Ana", "Bob"] {}
    }

    async fn what_an_agent_has_in_sight_is_known_on_all_nodes(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let owner = stage.owner();
        let (at_one, _) = agent_at(&stage, &pair.one, stage.agent("Bob", Role::Agent).await).await;
        let (_, tab) = agent_at(&stage, &pair.other, owner).await;
        let id: ConversationId = stage.world.ids.next();
        let sees = async |screen| {
            let sight = Sight::of(screen, Some(id), Some(SettingsPage::Team));
            pair.other.screen(&owner.actor, tab, sight).await.expect("an agent");
        };
        let hears = async |wanted: Option<&str>| {
            let hers = |frame: &Value| {
                let presence = frame["presence"].as_array().into_iter().flatten();
                let mut hers = presence.filter(|each| each["agent_id"] == owner.id.to_string());
                let which = (wanted == Some("conversation")).then(|| id.to_string());
                let page = (wanted == Some("settings")).then_some("team");
                hers.any(|each| {
                    let told = |field: &str| each.get(field).and_then(Value::as_str);
                    told("screen") == wanted
                        && told("conversation_id") == which.as_deref()
                        && told("settings_page") == page
                })
            };
            while !hers(&at_one.frame("team_presence").await) {}
        };
        hears(None).await;
        sees(Some(Screen::Settings)).await;
        hears(Some("settings")).await;
        sees(Some(Screen::Conversation)).await;
        hears(Some("conversation")).await;
        for (screen, word) in [(Screen::Visitors, "visitors"), (Screen::Todo, "todo")] {
            sees(Some(screen)).await;
            hears(Some(word)).await;
        }
        pair.other.agent_leave(tab).await;
        hears(None).await;
    }

    async fn the_visitors_of_a_killed_node_leave_once_and_those_elsewhere_stay(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let (ear, _) = watching(&stage, &pair.other, stage.owner()).await;
        let (ghost, elsewhere) = (stage.visitor().await, stage.visitor().await);
        tab_at(&stage, &pair.one, ghost).await;
        tab_at(&stage, &pair.one, elsewhere).await;
        tab_at(&stage, &pair.other, elsewhere).await;
        lists(&ear, 2).await;
        pair.world.tracker.stop_hard();
        let (gone, active) = until_gone(&pair, &ear, || {}).await;
        assert_eq!(gone, [json!(ghost.id.to_string())]);
        assert_eq!(active, 1);
    }

    async fn what_comes_late_from_a_node_that_said_goodbye_hurries_nobody_away(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let (ear, _) = watching(&stage, &pair.other, stage.owner()).await;
        tab_at(&stage, &pair.one, stage.visitor().await).await;
        lists(&ear, 1).await;
        pair.world.tracker.stop();
        pair.world.tracker.wait().await;
        let parted_at = stage.world.clock.elapsed();
        // It stood in line on its way by another topic.
        let news = json!({"Presence": {"Visitors": {"rows": [], "gone": []}}});
        let letter = json!({"node_id": pair.one.node_id(), "epoch": stage.db.epoch(), "news": news});
        let letter = Bytes::from(letter.to_string());
        let topic = format!("workspace:{}", stage.workspace_id);
        let mut look_count = 0;
        let late = || {
            look_count += 1;
            if look_count == 5 {
                pair.bus.publish(&topic, &letter);
            }
        };
        until_gone(&pair, &ear, late).await;
        let stayed = stage.world.clock.elapsed().saturating_sub(parted_at);
        assert!(stayed > Duration::from_secs(9), "{stayed:?}");
    }

    async fn the_visitors_of_a_node_that_says_goodbye_have_a_while(stage: Stage) {
        let pair = Pair::on(&stage, Tail::Rung).await;
        let (ear, _) = watching(&stage, &pair.other, stage.owner()).await;
        let visitor = stage.visitor().await;
        tab_at(&stage, &pair.one, visitor).await;
        lists(&ear, 1).await;
        pair.world.tracker.stop();
        pair.world.tracker.wait().await;
        pair.other.call_the_roll(Vec::new());
        // He comes back to the other node: one visitor all the while, and never none.
        tab_at(&stage, &pair.other, visitor).await;
        let back = async {
            loop {
                let frame = ear.frame("visitor_changes").await;
                assert_eq!(frame["gone"], json!([]), "nobody left");
                if frame["rows"][0]["tab_count"] == 2 {
                    return frame;
                }
            }
        };
        assert_eq!(back.await["counts"]["active"], 1);
    }
}
