//! Whether the visitors of what an agent shows are here, however many others are on the sites; and windows into the
//! list of all.

use crate::both::on_both;
use crate::common::{Agent, Ear, Stage, Visitor, browser, eventually};
use bus::Bus;
use protocol::frame::{Page, Purpose, Watch};
use protocol::id::{ConnectionId, VisitorId};
use protocol::limit::{PAGE_ROWS_MAX, ROWS_BEFORE_MAX};
use protocol::permission::{Permission, Permissions, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::view::{VisitorList, VisitorOrder};
use router::{Router, RouterConfig, Topic, VisitorConnection};
use serde_json::{Value, json};
use world::World;

fn page(url: &str) -> Page {
    Page {
        url: url.to_owned(),
        title: "A page".to_owned(),
        referrer: None,
    }
}

/// A visitor's launcher is connected to a node.
async fn tab_at(stage: &Stage, router: &Router, visitor: Visitor) -> ConnectionId {
    let Principal::Visitor(actor) = visitor.actor.principal else {
        unreachable!("a visitor speaks");
    };
    let connection_id = stage.world.ids.next();
    let connection = VisitorConnection {
        connection_id,
        workspace_id: stage.workspace_id,
        visitor: actor,
        purpose: Purpose::Launcher,
        browser: browser(),
        page: Some(page("https://shop.example/a")),
    };
    crate::common::enter(router, connection).await;
    connection_id
}

fn naming(visitor_ids: &[VisitorId], row_id: Option<VisitorId>) -> Watch {
    Watch::Presence {
        visitor_ids: visitor_ids.to_vec(),
        row_id,
    }
}

/// What is said of those whom an agent names on a node, first and then.
async fn watching(stage: &Stage, router: &Router, watch: &Watch) -> (Ear, Topic, Value) {
    let owner = stage.owner();
    let topic = router.watch(&owner.actor, watch, stage.world.ids.next());
    let topic = topic.expect("an agent may");
    let ear = Ear::on(router);
    ear.listen(topic);
    let first = read(router, owner, topic).await;
    (ear, topic, first)
}

async fn read(router: &Router, agent: Agent, topic: Topic) -> Value {
    let first = router.snapshot(&agent.actor, topic).await;
    serde_json::from_slice(&first.expect("it can be read").text).expect("JSON")
}

/// What is said of a visitor, waited for.
async fn state_of(ear: &Ear, id: VisitorId) -> Value {
    loop {
        let frame = ear.frame("visitor_presence").await;
        let states = frame["states"].as_array().expect("a list");
        let wanted = id.to_string();
        if let Some(told) = states.iter().find(|one| one["visitor_id"] == wanted) {
            return told["state"].clone();
        }
    }
}

fn states(frame: &Value) -> Vec<(&str, &str)> {
    let states = frame["states"].as_array().expect("a list").iter();
    states
        .map(|one| {
            let id = one["visitor_id"].as_str().expect("an id");
            (id, one["state"].as_str().expect("a state"))
        })
        .collect()
}

fn window(order: VisitorOrder, first: u32) -> Watch {
    Watch::Visitors(VisitorList {
        order,
        first,
        ..VisitorList::default()
    })
}

/// The rows of a list by the order they are told in.
fn ids(list: &Value) -> Vec<String> {
    let rows = list["rows"].as_array().expect("a list").iter();
    rows.map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Three come, each later than the one before, and the second goes to another page.
async fn they_come(stage: &Stage) -> Vec<String> {
    let mut came = Vec::new();
    for number in 0..3 {
        let visitor = stage.visitor().await;
        let tab = tab_at(stage, &stage.router, visitor).await;
        if number == 1 {
            let next = page("https://shop.example/b");
            let taken = stage.router.visitor_page(tab, next).await;
            taken.expect("within the visit's bound");
        }
        came.push(visitor.id.to_string());
        let came_ms = stage.world.clock.now_ms();
        eventually(async || stage.world.clock.now_ms() > came_ms).await;
    }
    came
}

/// Two nodes on the stage's store, with worlds of their own.
async fn nodes(stage: &Stage) -> [(World, Router); 2] {
    let bus = Bus::shared();
    let start = async || {
        let (world, db) = (World::system(), stage.db.clone());
        let config = RouterConfig::default();
        let router = Router::start(world.clone(), bus.clone(), db, config).await;
        (world, router.expect("the router starts"))
    };
    [start().await, start().await]
}

on_both! {
    /// He is the first of so many that the list does not show him.
    async fn who_is_beyond_the_list_is_here_all_the_same_with_his_pages(stage: Stage) {
        let first = stage.visitor().await;
        let tab = tab_at(&stage, &stage.router, first).await;
        // Whoever comes from now on was active later than he.
        let came_ms = stage.world.clock.now_ms();
        eventually(async || stage.world.clock.now_ms() > came_ms).await;
        for _ in 0..PAGE_ROWS_MAX {
            let other = stage.visitor().await;
            tab_at(&stage, &stage.router, other).await;
        }
        let all = Watch::Visitors(Default::default());
        let (_, _, list) = watching(&stage, &stage.router, &all).await;
        let rows = list["rows"].as_array().expect("a list");
        assert_eq!(rows.len(), PAGE_ROWS_MAX);
        assert!(rows.iter().all(|row| row["id"] != first.id.to_string()), "the list is too short");
        let absent = stage.visitor().await;
        let watch = naming(&[first.id, absent.id], Some(first.id));
        let (ear, topic, told) = watching(&stage, &stage.router, &watch).await;
        let (here, away) = (first.id.to_string(), absent.id.to_string());
        let mut expected = vec![(here.as_str(), "active"), (away.as_str(), "left")];
        expected.sort_unstable();
        let mut said = states(&told);
        said.sort_unstable();
        assert_eq!(said, expected);
        assert_eq!(told["row"]["page"]["url"], "https://shop.example/a");
        let turned = stage.router.visitor_page(tab, page("https://shop.example/b")).await;
        turned.expect("within the visit's bound");
        let frame = ear.frame("visitor_presence").await;
        assert_eq!((&frame["row"]["page_count"], &frame["states"]), (&json!(2), &json!([])));
        tab_at(&stage, &stage.router, absent).await;
        assert_eq!(state_of(&ear, absent.id).await, "active");
        let row = read(&stage.router, stage.owner(), topic).await["row"].clone();
        assert_eq!(row["trail"], json!(["https://shop.example/a", "https://shop.example/b"]));
    }

    async fn who_names_others_is_told_of_those_alone(stage: Stage) {
        let (one, other) = (stage.visitor().await, stage.visitor().await);
        let (first, _, told) = watching(&stage, &stage.router, &naming(&[one.id], None)).await;
        assert_eq!(states(&told), [(one.id.to_string().as_str(), "left")]);
        let (second, _, _) = watching(&stage, &stage.router, &naming(&[one.id, other.id], None)).await;
        tab_at(&stage, &stage.router, other).await;
        assert_eq!(state_of(&second, other.id).await, "active");
        tab_at(&stage, &stage.router, one).await;
        // The first frame that comes to the first is of the one whom it names.
        let frame = first.frame("visitor_presence").await;
        assert_eq!(states(&frame), [(one.id.to_string().as_str(), "active")]);
        assert_eq!(frame.get("row"), None, "nobody asked for it");
    }

    async fn a_window_is_moved_along_a_list_in_the_order_asked_for(stage: Stage) {
        let came = they_come(&stage).await;
        for (order, expected) in [
            (VisitorOrder::Active, [2, 1, 0]),
            (VisitorOrder::Newest, [2, 1, 0]),
            (VisitorOrder::Longest, [0, 1, 2]),
            (VisitorOrder::Pages, [1, 2, 0]),
        ] {
            let expected = expected.map(|index: usize| came[index].clone());
            for first in 0..=3 {
                let (.., list) = watching(&stage, &stage.router, &window(order, first)).await;
                assert_eq!(ids(&list), expected[first as usize..], "{order:?} from {first}");
                assert_eq!(list["counts"]["listed"], 3);
                let told = list.get("first").and_then(Value::as_u64);
                assert_eq!(told.unwrap_or_default(), u64::from(first));
            }
        }
    }

    async fn two_windows_into_one_list_are_told_what_becomes_of_their_own_part(stage: Stage) {
        let came = they_come(&stage).await;
        let newest = window(VisitorOrder::Newest, 2);
        let (last, _, list) = watching(&stage, &stage.router, &newest).await;
        assert_eq!(ids(&list), [came[0].clone()]);
        let newest = window(VisitorOrder::Newest, 0);
        let (first, ..) = watching(&stage, &stage.router, &newest).await;
        let fourth = stage.visitor().await;
        tab_at(&stage, &stage.router, fourth).await;
        for (ear, pushed) in [(last, &came[1]), (first, &fourth.id.to_string())] {
            let changes = ear.frame("visitor_changes").await;
            assert_eq!(ids(&changes), std::slice::from_ref(pushed));
            assert_eq!((&changes["gone"], &changes["beyond"]), (&json!([]), &json!([])));
            assert_eq!(changes["counts"]["listed"], 4);
        }
    }

    async fn a_window_on_one_node_shows_who_is_on_the_other(stage: Stage) {
        let [(_, here), (_, there)] = nodes(&stage).await;
        let watch = window(VisitorOrder::Longest, 1);
        let (ear, topic, _) = watching(&stage, &there, &watch).await;
        let mut came = Vec::new();
        for router in [&here, &there, &here] {
            let visitor = stage.visitor().await;
            tab_at(&stage, router, visitor).await;
            came.push(visitor.id.to_string());
            let came_ms = stage.world.clock.now_ms();
            eventually(async || stage.world.clock.now_ms() > came_ms).await;
        }
        while ear.frame("visitor_changes").await["counts"]["listed"] != 3 {}
        let list = read(&there, stage.owner(), topic).await;
        // Each node says for itself when somebody came: which of the last two came first is not known.
        let mut shown = ids(&list);
        shown.sort();
        assert_eq!(shown, came[1..]);
    }

    async fn a_window_begins_within_bounds(stage: Stage) {
        let watch = |first| {
            let watch = window(VisitorOrder::Active, first);
            stage.router.watch(&stage.owner().actor, &watch, stage.world.ids.next()).map(|_| ())
        };
        assert_eq!(watch(ROWS_BEFORE_MAX), Ok(()));
        let refused = Rejection::of(ErrorCode::TooMany, "first");
        assert_eq!(watch(ROWS_BEFORE_MAX + 1), Err(refused));
    }

    async fn names_are_bounded_and_for_those_who_may_see_visitors(stage: Stage) {
        let ids = |count| (0..count).map(|_| stage.world.ids.next()).collect::<Vec<VisitorId>>();
        let watch = |agent: Agent, count| {
            let watch = naming(&ids(count), None);
            stage.router.watch(&agent.actor, &watch, stage.world.ids.next()).map(|_| ())
        };
        let owner = stage.owner();
        assert_eq!(watch(owner, PAGE_ROWS_MAX), Ok(()));
        let many = Rejection::of(ErrorCode::TooMany, "visitor_ids");
        assert_eq!(watch(owner, PAGE_ROWS_MAX + 1), Err(many));
        let mut blind = owner;
        let Principal::Agent(actor) = &mut blind.actor.principal else {
            unreachable!("an agent watches");
        };
        actor.permissions = Permissions::of(&[Permission::ConversationsRead]);
        assert_eq!(watch(blind, 1).expect_err("refused").code, ErrorCode::Forbidden);
    }

    async fn visitors_hear_who_answers_once_the_store_is_back(stage: Stage) {
        // A node that has read nothing of the team.
        let stage = stage.restart().await;
        let owner = stage.owner();
        let (site, team) = (stage.ear(), stage.ear());
        site.listen(Topic::SiteVisitors(stage.site_id));
        team.listen(Topic::Team(stage.workspace_id));
        stage.world.faults.fail("storage.read", 0, u64::MAX);
        stage.router.agent_enter(&owner.actor, stage.world.ids.next()).await;
        team.frame("team_presence").await;
        eventually(async || stage.world.faults.call_count("storage.read") > 1).await;
        assert!(site.rest().is_empty());
        stage.world.faults.heal();
        assert_eq!(site.frame("staff").await["people"][0]["name"], "Ana");
    }

    async fn a_list_says_when_it_is_read_what_it_was_told_whatever_else_is_watched(stage: Stage) {
        let [(_, one), (_, other)] = nodes(&stage).await;
        let owner = stage.owner();
        other.agent_enter(&owner.actor, stage.world.ids.next()).await;
        for router in [&one, &one, &other] {
            tab_at(&stage, router, stage.visitor().await).await;
        }
        let (ear, topic, first) = watching(&stage, &other, &window(VisitorOrder::Active, 0)).await;
        let mut listed = first["counts"]["listed"].clone();
        while listed != 3 {
            // It is asked around a moment later.
            listed = ear.frame("visitor_changes").await["counts"]["listed"].clone();
        }
        for order in [VisitorOrder::Newest, VisitorOrder::Longest, VisitorOrder::Pages] {
            let connection_id = stage.world.ids.next();
            let second = other.watch(&owner.actor, &window(order, 0), connection_id);
            let second = second.expect("an agent may");
            assert_eq!(read(&other, owner, second).await["counts"]["listed"], 3);
            assert_eq!(read(&other, owner, topic).await["counts"]["listed"], 3);
            other.unwatch(second, connection_id).await;
            assert_eq!(read(&other, owner, topic).await["counts"]["listed"], 3);
        }
    }

    async fn who_is_on_another_node_is_here_and_leaves_with_it(stage: Stage) {
        let [(one_world, one), (_, other)] = nodes(&stage).await;
        let visitor = stage.visitor().await;
        let tab = tab_at(&stage, &one, visitor).await;
        let watch = naming(&[visitor.id], Some(visitor.id));
        let owner = stage.owner();
        other.agent_enter(&owner.actor, stage.world.ids.next()).await;
        let (ear, _, first) = watching(&stage, &other, &watch).await;
        if first["states"][0]["state"] == "left" {
            // It is asked around a moment later.
            assert_eq!(state_of(&ear, visitor.id).await, "active");
        }
        one.visitor_page(tab, page("https://shop.example/b")).await.expect("he may");
        while ear.frame("visitor_presence").await["row"]["page"]["url"] != "https://shop.example/b" {}
        one_world.tracker.stop_hard();
        let gone = async {
            loop {
                other.call_the_roll(Vec::new());
                stage.world.clock.sleep(std::time::Duration::from_millis(100)).await;
            }
        };
        let state = tokio::select! {
            () = gone => unreachable!("it goes on for ever"),
            state = state_of(&ear, visitor.id) => state,
        };
        assert_eq!(state, "left");
    }
}
