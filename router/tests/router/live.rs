//! Live lists, signals, marks and revocations through the router, over real stores.

use std::collections::BTreeMap;

use crate::both::on_both;
use crate::common::{Agent, Ear, Heard, Stage, browser, eventually, follow};
use protocol::agent::{AgentChange, Availability, Screen, Sight};
use protocol::command::Command;
use protocol::contact::AttributeValue;
use protocol::frame::{Follow, Page, Purpose, Watch};
use protocol::id::ConnectionId;
use protocol::limit::{PAGE_ROWS_MAX, VISIT_EVENTS_MAX};
use protocol::permission::{Permission, Principal, Role};
use protocol::position::Position;
use protocol::rejection::{CloseCode, ErrorCode};
use protocol::site::SiteChange;
use protocol::text::Name;
use protocol::view::{InboxFilter, InboxList, InboxOrder, VisitorList};
use protocol::workspace::{Settings, SiteOverrides, WorkspaceChange};
use router::{Part, Topic, VisitorConnection};
use serde_json::{Value, json};
use storage::Written;
use storage::inbox::{self, ListQuery};
use storage::session::SessionRow;

async fn watch_inbox(stage: &Stage, ear: &Ear, agent: Agent, list: impl Into<InboxList>) -> Value {
    let watch = Watch::Inbox(list.into());
    let connection_id = stage.world.ids.next();
    let topic = stage.router.watch(&agent.actor, &watch, connection_id);
    let topic = topic.expect("an agent may");
    ear.listen(topic);
    let frame = stage.router.snapshot(&agent.actor, topic).await;
    serde_json::from_slice(&frame.expect("a list").text).expect("JSON")
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
        page: Some(page("https://shop.example/a?utm_source=news#top")),
    }
}

fn page(url: &str) -> Page {
    Page {
        url: url.to_owned(),
        title: "A page".to_owned(),
        referrer: None,
    }
}

/// The workspace with other settings, and a node that begins with them.
async fn with_settings(stage: Stage, set: impl FnOnce(&mut Settings)) -> Stage {
    stage.sets(set).await;
    stage.restart().await
}

/// The next close that is heard.
async fn closed(ear: &Ear) -> (Topic, CloseCode) {
    ear.until(|heard| match heard {
        Heard::Close(topic, code) => Some((*topic, *code)),
        Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Lost => None,
    })
    .await
}

on_both! {
    async fn the_inbox_tells_what_begins_moves_and_ends(stage: Stage) {
        let owner = stage.owner();
        let (all, unassigned) = (stage.ear(), stage.ear());
        let list = watch_inbox(&stage, &all, owner, InboxFilter::All).await;
        assert_eq!(list["cursor"], Value::Null, "this is all of it");
        assert_eq!(list["rows"].as_array().map(Vec::len), Some(0));
        watch_inbox(&stage, &unassigned, owner, InboxFilter::Unassigned).await;
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let changes = all.frame("inbox_changes").await;
        assert_eq!(changes["rows"][0]["id"], id.to_string());
        assert_eq!(changes["counts"]["unassigned"], 1);
        unassigned.frame("inbox_changes").await;
        stage.answers(owner, id, "mine").await;
        let taken = unassigned.frame("inbox_changes").await;
        assert_eq!(taken["gone"][0]["id"], id.to_string());
        assert_eq!(taken["counts"]["mine"], 1);
        let list = watch_inbox(&stage, &stage.ear(), owner, InboxFilter::Mine).await;
        assert_eq!(list["rows"][0]["id"], id.to_string());
        stage.ask(&owner.actor, Command::Close { conversation_id: id }).await.expect("accepted");
        let gone = all
            .until(|heard| match heard {
                Heard::Frame(_, frame, _) if frame["gone"][0]["id"] == id.to_string() => {
                    Some(frame.clone())
                }
                Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Close(..) | Heard::Lost => None,
            })
            .await;
        assert_eq!(gone["counts"]["all"], 0);
    }

    /// What a window shows and what its pages hold is the whole, once.
    async fn a_long_list_goes_on_where_its_window_ends(stage: Stage) {
        let owner = stage.owner();
        let scope = owner.actor.may(Permission::ConversationsRead).expect("an owner may");
        let mut begun = Vec::new();
        for _ in 0..PAGE_ROWS_MAX + 3 {
            let ack = stage.says(stage.visitor().await, "hello").await;
            begun.push(json!(ack.conversation_id));
        }
        begun.sort_by_key(Value::to_string);
        for order in [InboxOrder::Newest, InboxOrder::Oldest, InboxOrder::Waiting] {
            let list = InboxList { order, ..InboxFilter::All.into() };
            let window = watch_inbox(&stage, &stage.ear(), owner, list).await;
            let cursor = window["cursor"].as_str().and_then(|text| protocol::page::Cursor::read(text, inbox::cursors(order)).ok());
            let query = ListQuery { list, agent_id: None, cursor: Some(cursor.expect("there is more")), limit: PAGE_ROWS_MAX };
            let rest = inbox::list(&stage.db, &scope, &query).await.expect("a page");
            assert_eq!((rest.items.len(), rest.cursor), (3, None), "{order:?}");
            let shown = window["rows"].as_array().expect("rows").iter().map(|row| row["id"].clone());
            let mut all: Vec<_> = shown.chain(rest.items.iter().map(|row| json!(row.id))).collect();
            all.sort_by_key(Value::to_string);
            assert_eq!(all, begun, "{order:?}");
        }
    }

    async fn a_list_of_one_site_hears_of_that_site_alone(stage: Stage) {
        let owner = stage.owner();
        let elsewhere = stage.world.ids.next();
        let of_site = |site_id| InboxList { site_id: Some(site_id), ..InboxFilter::All.into() };
        let (here, there) = (stage.ear(), stage.ear());
        let list = watch_inbox(&stage, &here, owner, of_site(stage.site_id)).await;
        assert_eq!(list["site_id"], stage.site_id.to_string());
        watch_inbox(&stage, &there, owner, of_site(elsewhere)).await;
        let id = stage.begins(stage.visitor().await).await;
        let changes = here.frame("inbox_changes").await;
        assert_eq!(changes["site_id"], stage.site_id.to_string());
        assert_eq!(changes["rows"][0]["id"], id.to_string());
        assert_eq!(changes["counts"]["all"], 1);
        stage.ask(&owner.actor, Command::Close { conversation_id: id }).await.expect("accepted");
        while here.frame("inbox_changes").await["counts"]["all"] != 0 {}
        for heard in there.rest() {
            let Heard::Frame(_, frame, _) = heard else { panic!("{heard:?}") };
            let said = (&frame["rows"], &frame["gone"], &frame["counts"]["all"]);
            assert_eq!(said, (&json!([]), &json!([]), &json!(0)), "nothing moved on the other site");
        }
    }

    async fn a_workspace_may_slow_its_visitor_list(stage: Stage) {
        let owner = stage.owner();
        let found = storage::workspace::find(&stage.db, stage.workspace_id).await;
        let workspace = found.expect("the store works").expect("it exists");
        let refreshing = |visitor_refresh_ms| WorkspaceChange {
            settings: Some(Settings { visitor_refresh_ms, ..workspace.settings.clone() }),
            ..WorkspaceChange::default()
        };
        let change = stage.change("workspace.changed");
        let slow = refreshing(3_600_000);
        storage::workspace::change(&stage.db, 1, &slow, &change).await.expect("it works");
        let watch = Watch::Visitors(VisitorList::default());
        let watcher = stage.world.ids.next();
        let topic = stage.router.watch(&owner.actor, &watch, watcher).expect("an agent may");
        let ear = stage.ear();
        ear.listen(topic);
        stage.router.snapshot(&owner.actor, topic).await.expect("a list");
        let visitor = stage.visitor().await;
        crate::common::enter(&stage.router, connection(&stage, &visitor)).await;
        // He is there, and the list will tell within the hour.
        let list = stage.router.snapshot(&owner.actor, topic).await.expect("a list");
        let list: Value = serde_json::from_slice(&list.text).expect("JSON");
        assert_eq!(list["counts"]["active"], 1);
        assert!(ear.rest().is_empty());
        // What waits is told at the new pace.
        let live = refreshing(0);
        storage::workspace::change(&stage.db, 2, &live, &change).await.expect("it works");
        stage.router.changed(stage.workspace_id, Part::Workspace);
        assert_eq!(ear.frame("visitor_changes").await["counts"]["active"], 1);
    }

    async fn a_visitor_is_seen_with_pages_and_the_store_remembers_them(stage: Stage) {
        let owner = stage.owner();
        let ear = stage.ear();
        let watch = Watch::Visitors(VisitorList::default());
        let watcher = stage.world.ids.next();
        let topic = stage.router.watch(&owner.actor, &watch, watcher).expect("an agent may");
        ear.listen(topic);
        stage.router.snapshot(&owner.actor, topic).await.expect("a list");
        let visitor = stage.visitor().await;
        let tab = connection(&stage, &visitor);
        let connection_id = tab.connection_id;
        crate::common::enter(&stage.router, tab).await;
        let changes = ear.frame("visitor_changes").await;
        let row = &changes["rows"][0];
        assert_eq!(row["id"], visitor.id.to_string());
        assert_eq!(row["page"]["url"], "https://shop.example/a?utm_source=news");
        assert_eq!(row["source"]["utm"]["source"], "news");
        assert_eq!(changes["counts"]["active"], 1);
        for url in ["https://shop.example/b", "javascript:alert(1)"] {
            let taken = stage.router.visitor_page(connection_id, page(url)).await;
            taken.expect("within the visit's bound");
        }
        let changes = ear.frame("visitor_changes").await;
        assert_eq!(changes["rows"][0]["page_count"], 2);
        eventually(async || {
            let last = storage::visit::last(&stage.db, stage.workspace_id, visitor.id).await;
            last.expect("the store works").is_some_and(|visit| visit.page_count == 2)
        })
        .await;
        assert_eq!(stage.router.stats().lost_trace_count, 0);
        stage.router.unwatch(topic, watcher).await;
        let gone = stage.router.snapshot(&owner.actor, topic).await;
        assert_eq!(gone.expect_err("refused").code, ErrorCode::NotFound);
    }

    async fn what_a_site_reports_shows_in_list_and_visit_and_is_bounded(stage: Stage) {
        let visitor = stage.visitor().await;
        let tab = connection(&stage, &visitor);
        let connection_id = tab.connection_id;
        crate::common::enter(&stage.router, tab).await;
        let properties = BTreeMap::from([("plan".to_owned(), AttributeValue::Text("team".to_owned()))]);
        let track = async |connection_id, name: &str, properties: &BTreeMap<_, _>| {
            let name = name.to_owned();
            let tracked = stage.router.visitor_track(connection_id, name, properties.clone());
            tracked.await.map_err(|refused| (refused.code, refused.field))
        };
        assert_eq!(track(connection_id, "plan_selected", &properties).await, Ok(()));
        let empty = (ErrorCode::Empty, Some("name".into()));
        assert_eq!(track(connection_id, "", &properties).await, Err(empty));
        let owner = stage.owner();
        let watch = Watch::Visitors(VisitorList::default());
        let topic = stage.router.watch(&owner.actor, &watch, stage.world.ids.next());
        let list = stage.router.snapshot(&owner.actor, topic.expect("an agent may")).await;
        let list: Value = serde_json::from_slice(&list.expect("a list").text).expect("JSON");
        let row = &list["rows"][0];
        assert_eq!((&row["event_count"], &row["last_event"]["name"]), (&json!(1), &json!("plan_selected")));
        let scope = owner.actor.may(Permission::VisitorsRead).expect("an agent may");
        let events = async || {
            let found = storage::visitor::detail(&stage.db, &scope, visitor.id).await;
            let visits = found.expect("the store works").expect("he is known").visits;
            visits.into_iter().next().map(|visit| visit.events).unwrap_or_default()
        };
        eventually(async || events().await.len() == 1).await;
        let stored = &events().await[0];
        assert_eq!((stored.name.as_str(), &stored.properties), ("plan_selected", &properties));
        for _ in 1..VISIT_EVENTS_MAX {
            assert_eq!(track(connection_id, "scrolled", &BTreeMap::new()).await, Ok(()));
        }
        let many = (ErrorCode::TooMany, Some("visit".into()));
        assert_eq!(track(connection_id, "scrolled", &BTreeMap::new()).await, Err(many));
        // The visit has had them for a connection that comes later too.
        let all = async || {
            let last = storage::visit::last(&stage.db, stage.workspace_id, visitor.id).await;
            last.expect("the store works").expect("he was here").event_count
        };
        eventually(async || all().await == VISIT_EVENTS_MAX).await;
        let last = storage::visit::last(&stage.db, stage.workspace_id, visitor.id).await;
        let last = last.expect("the store works").expect("he was here").last_event;
        assert_eq!(last.map(|event| event.name).as_deref(), Some("scrolled"));
        // Of a connection that is gone it is lost.
        assert_eq!(track(stage.world.ids.next(), "scrolled", &BTreeMap::new()).await, Ok(()));
        assert_eq!(stage.router.stats().lost_trace_count, 0);
    }

    async fn a_page_after_the_session_timeout_begins_a_visit_on_an_open_connection(stage: Stage) {
        // Every page after the first one comes too late.
        let stage = with_settings(stage, |settings| settings.session_timeout_ms = 0).await;
        let visitor = stage.visitor().await;
        let tab = connection(&stage, &visitor);
        let connection_id = tab.connection_id;
        crate::common::enter(&stage.router, tab).await;
        let next = page("https://shop.example/b?utm_source=mail");
        let taken = stage.router.visitor_page(connection_id, next.clone()).await;
        taken.expect("within the visit's bound");
        let owner = stage.owner();
        let watch = Watch::Visitors(VisitorList::default());
        let topic = stage.router.watch(&owner.actor, &watch, stage.world.ids.next());
        let list = stage.router.snapshot(&owner.actor, topic.expect("an agent may")).await;
        let list: Value = serde_json::from_slice(&list.expect("a list").text).expect("JSON");
        let row = &list["rows"][0];
        assert_eq!((&row["page_count"], &row["visit_count"]), (&json!(1), &json!(1)));
        assert_eq!(row["trail"], json!([next.url]));
        assert_eq!(row["source"]["utm"]["source"], "mail");
        let scope = owner.actor.may(Permission::VisitorsRead).expect("an agent may");
        let stored = async || {
            let found = storage::visitor::detail(&stage.db, &scope, visitor.id).await;
            let visits = found.expect("the store works").expect("he is known").visits;
            let seen = visits.into_iter().map(|visit| {
                let urls: Vec<String> = visit.pages.into_iter().map(|page| page.url).collect();
                (visit.source.utm["source"].clone(), urls)
            });
            seen.collect::<BTreeMap<_, _>>()
        };
        let first = "https://shop.example/a?utm_source=news".to_owned();
        let wanted = [("mail".to_owned(), vec![next.url]), ("news".to_owned(), vec![first])];
        let wanted = BTreeMap::from(wanted);
        eventually(async || stored().await == wanted).await;
    }

    async fn a_restart_does_not_forget_how_long_a_sign_of_life_counts(stage: Stage) {
        let stage = with_settings(stage, |settings| settings.active_threshold_ms = 1).await;
        let watch = Watch::Visitors(VisitorList::default());
        let watcher = stage.world.ids.next();
        let topic = stage.router.watch(&stage.owner().actor, &watch, watcher).expect("allowed");
        let ear = stage.ear();
        ear.listen(topic);
        stage.router.snapshot(&stage.owner().actor, topic).await.expect("a list");
        let visitor = stage.visitor().await;
        let tab = connection(&stage, &visitor);
        let connection_id = tab.connection_id;
        crate::common::enter(&stage.router, tab).await;
        stage.router.visitor_activity(connection_id, false).await;
        while ear.frame("visitor_changes").await["counts"]["idle"] != 1 {}
    }

    async fn typing_shows_no_words_unless_the_site_does(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let team = stage.ear();
        team.listen(Topic::ConversationAgents(id));
        let text = || Some("my pass".to_owned());
        stage.router.typing(&visitor.actor, None, text(), true).await.expect("his own");
        let typing = team.frame("typing").await;
        assert_eq!((&typing["text"], &typing["active"]), (&Value::Null, &true.into()));
        // One site may say otherwise than its workspace; what it says counts once its visitors heard it.
        let site = stage.ear();
        site.listen(Topic::SiteVisitors(stage.site_id));
        let overrides = SiteOverrides { typing_preview: Some(true), ..SiteOverrides::default() };
        let new = SiteChange { overrides: Some(overrides), ..SiteChange::default() };
        let mut change = stage.change("site.changed");
        change.target = stage.site_id.to_string();
        storage::site::change(&stage.db, stage.site_id, 1, &new, &change)
            .await
            .expect("it works");
        stage.router.changed(stage.workspace_id, Part::Site(stage.site_id));
        assert_eq!(site.frame("config").await["typing_preview"], true);
        stage.router.typing(&visitor.actor, None, text(), true).await.expect("his own");
        assert_eq!(team.frame("typing").await["text"], "my pass");
    }

    async fn typing_shows_its_words_to_the_team_only(stage: Stage) {
        let stage = with_settings(stage, |settings| settings.typing_preview = true).await;
        let (visitor, owner) = (stage.visitor().await, stage.owner());
        let id = stage.begins(visitor).await;
        let (team, customer) = (stage.ear(), stage.ear());
        team.listen(Topic::ConversationAgents(id));
        customer.listen(Topic::ConversationVisitor(id));
        let text = Some("I was wond".to_owned());
        stage.router.typing(&visitor.actor, None, text, true).await.expect("his own");
        let typing = team.frame("typing").await;
        assert_eq!((&typing["text"], &typing["active"]), (&"I was wond".into(), &true.into()));
        let text = Some("a secret draft".to_owned());
        stage.router.typing(&owner.actor, Some(id), text, true).await.expect("allowed");
        let typing = customer.frame("typing").await;
        assert_eq!(typing["name"], "Ana");
        assert!(typing.get("text").is_none());
        // What is said ends the typing.
        stage.answers(owner, id, "there").await;
        let ended = customer.frame("typing").await;
        assert_eq!(ended["active"], false);
        let refused = stage.router.typing(&owner.actor, None, None, true).await.expect_err("refused");
        assert_eq!(refused.field.as_deref(), Some("conversation_id"));
    }

    async fn marks_are_stored_and_told_to_the_other_side(stage: Stage) {
        let (visitor, owner) = (stage.visitor().await, stage.owner());
        let id = stage.begins(visitor).await;
        stage.answers(owner, id, "one").await;
        let (team, customer, tabs, launcher) =
            (stage.ear(), stage.ear(), stage.ear(), stage.ear());
        team.listen(Topic::ConversationAgents(id));
        customer.listen(Topic::ConversationVisitor(id));
        tabs.listen(Topic::Agent(owner.id));
        launcher.listen(Topic::VisitorLauncher(visitor.id));
        stage.answers(owner, id, "two").await;
        assert_eq!(launcher.frame("unread").await["count"], 2);
        // In the visitor's count: hello, joined, one, two.
        stage.router.read(&visitor.actor, id, 4).await.expect("his own");
        // In the team's: the assignment stands between.
        assert_eq!(team.frame("marks").await["marks"]["read"], 5);
        assert_eq!(launcher.frame("unread").await["count"], 0);
        stage.router.read(&owner.actor, id, 1).await.expect("allowed");
        assert_eq!(customer.frame("marks").await["marks"]["read"], 1);
        assert_eq!(tabs.frame("read").await["seq"], 1);
        let welcome = stage.router.visitor_welcome(&visitor.actor).await.expect("a visitor");
        assert_eq!((welcome.stored.unread.count, welcome.stored.conversation.map(|open| open.id)), (0, Some(id)));
    }

    async fn who_looks_on_is_told_until_the_connection_ends(stage: Stage) {
        let (visitor, owner) = (stage.visitor().await, stage.owner());
        let id = stage.begins(visitor).await;
        let ear = stage.ear();
        ear.listen(Topic::ConversationAgents(id));
        let tab: ConnectionId = stage.world.ids.next();
        stage.router.viewing(&owner.actor, tab, Some(id)).await.expect("allowed");
        assert_eq!(ear.frame("viewing").await["agent_ids"][0], owner.id.to_string());
        let replay = stage.router.replay(&owner.actor, &follow(id)).await.expect("readable");
        let has_viewers = |frame: &router::Encoded| {
            String::from_utf8_lossy(&frame.text).contains(&owner.id.to_string())
        };
        assert!(replay.frames.iter().any(has_viewers));
        stage.router.agent_leave(tab).await;
        assert_eq!(ear.frame("viewing").await["agent_ids"].as_array().map(Vec::len), Some(0));
    }

    async fn visitors_hear_who_answers(stage: Stage) {
        let owner = stage.owner();
        let (site, team) = (stage.ear(), stage.ear());
        site.listen(Topic::SiteVisitors(stage.site_id));
        team.listen(Topic::Team(stage.workspace_id));
        assert!(!stage.router.staff(stage.workspace_id).online);
        let tab = stage.world.ids.next();
        stage.router.agent_enter(&owner.actor, tab).await;
        assert_eq!(team.frame("team_presence").await["presence"][0]["availability"], "online");
        assert_eq!(site.frame("staff").await["people"][0]["name"], "Ana");
        stage.router.availability(&owner.actor, Availability::Away).await.expect("an agent");
        assert_eq!(site.frame("staff").await["online"], false);
        let staff = stage.router.staff(stage.workspace_id);
        assert_eq!(staff, protocol::widget::Staff::default());
    }

    async fn the_team_hears_what_each_has_in_sight(stage: Stage) {
        let (owner, bob) = (stage.owner(), stage.agent("bob", Role::Agent).await);
        let team = stage.ear();
        team.listen(Topic::Team(stage.workspace_id));
        let (first, second) = (stage.world.ids.next(), stage.world.ids.next());
        for tab in [first, second] {
            stage.router.agent_enter(&owner.actor, tab).await;
        }
        let sees = async |tab, screen| {
            stage.router.screen(&owner.actor, tab, Sight::of(screen, None, None)).await.expect("an agent");
        };
        let hears = async |wanted: Option<&str>| {
            loop {
                let told = team.frame("team_presence").await["presence"][0].clone();
                if told.get("screen").and_then(Value::as_str) == wanted {
                    return assert_eq!(told["availability"], "online");
                }
            }
        };
        hears(None).await;
        sees(first, Some(Screen::Inbox)).await;
        sees(second, Some(Screen::Visitors)).await;
        hears(Some("visitors")).await;
        // Who comes later hears it too.
        let stands = stage.router.team(&bob.actor).await.expect("an agent");
        let stands: Value = serde_json::from_slice(&stands.text).expect("a frame");
        assert_eq!(stands["presence"][0]["screen"], "visitors");
        // The tab goes: what the other one shows counts again, until it shows nothing.
        stage.router.agent_leave(second).await;
        hears(Some("inbox")).await;
        sees(first, None).await;
        hears(None).await;
        let visitor = stage.visitor().await;
        let refused = stage.router.screen(&visitor.actor, first, None).await;
        assert_eq!(refused.expect_err("a visitor").code, ErrorCode::Forbidden);
    }

    async fn a_deactivated_agent_is_out_at_once(stage: Stage) {
        let bob = stage.agent("bob", Role::Agent).await;
        let ear = stage.ear();
        ear.listen(Topic::Agent(bob.id));
        let mut change = stage.change("agent.deactivated");
        change.target = bob.id.to_string();
        let new = AgentChange { deactivated: Some(true), ..AgentChange::default() };
        storage::agent::change(&stage.db, bob.id, 1, &new, &change).await.expect("it works");
        stage.router.changed(stage.workspace_id, Part::Agent(bob.id));
        assert_eq!(closed(&ear).await, (Topic::Agent(bob.id), CloseCode::Revoked));
    }

    async fn other_rights_end_the_connections_and_another_name_does_not(stage: Stage) {
        let bob = stage.agent("bob", Role::Agent).await;
        let ear = stage.ear();
        ear.listen(Topic::Agent(bob.id));
        let mut change = stage.change("agent.changed");
        change.target = bob.id.to_string();
        let changes = [
            AgentChange { name: Name::parse("Bobby").ok(), ..AgentChange::default() },
            AgentChange { grants: Some(vec![Permission::SitesWrite]), ..AgentChange::default() },
            AgentChange { grants: Some(Vec::new()), ..AgentChange::default() },
        ];
        for (version, new) in (1..).zip(&changes) {
            let written = storage::agent::change(&stage.db, bob.id, version, new, &change).await;
            assert!(matches!(written, Ok(Written::Done(_))), "{written:?}");
        }
        stage.router.changed(stage.workspace_id, Part::Agent(bob.id));
        // Heard of together or one by one, whoever connected between the two grants comes back.
        for _ in 0..2 {
            assert_eq!(closed(&ear).await, (Topic::Agent(bob.id), CloseCode::IdentityChanged));
        }
        assert!(ear.rest().iter().all(|heard| !matches!(heard, Heard::Close(..))));
    }

    async fn an_ended_session_ends_its_connections(stage: Stage) {
        let now_ms = stage.world.clock.now_ms();
        let member = storage::agent::find(&stage.db, stage.workspace_id, stage.owner().id).await;
        let session = SessionRow {
            id: stage.world.ids.next(),
            user_id: member.expect("the store works").expect("the owner").agent.user_id,
            secret_hash: [1; 32],
            created_at_ms: now_ms,
            seen_at_ms: now_ms,
            expires_at_ms: now_ms + 60_000,
            address: String::new(),
            country: None,
            user_agent: String::new(),
        };
        storage::session::create(&stage.db, &session, "none").await.expect("it works");
        let ear = stage.ear();
        ear.listen(Topic::Session(session.id));
        storage::session::end(&stage.db, session.user_id, session.id, now_ms)
            .await
            .expect("it works");
        // Nobody rings: the tail looks by itself.
        assert_eq!(closed(&ear).await, (Topic::Session(session.id), CloseCode::Revoked));
    }

    async fn a_changed_site_reaches_its_visitors_and_consoles(stage: Stage) {
        let (site, team) = (stage.ear(), stage.ear());
        site.listen(Topic::SiteVisitors(stage.site_id));
        team.listen(Topic::Team(stage.workspace_id));
        let before = stage.router.widget_config(stage.workspace_id, stage.site_id).await;
        assert!(before.expect("readable").is_some_and(|config| config.site_name == "Shop"));
        let mut change = stage.change("site.changed");
        change.target = stage.site_id.to_string();
        let name = Name::parse("Lamp shop").expect("a name");
        let new = SiteChange { name: Some(name), ..SiteChange::default() };
        storage::site::change(&stage.db, stage.site_id, 1, &new, &change)
            .await
            .expect("it works");
        stage.router.changed(stage.workspace_id, Part::Site(stage.site_id));
        assert_eq!(site.frame("config").await["site_name"], "Lamp shop");
        // News of the set-up may come first: on Postgres the log waits for older transactions.
        while team.frame("changed").await["part"] != "sites" {}
    }

    async fn an_archived_site_ends_the_connections_of_its_visitors(stage: Stage) {
        let ear = stage.ear();
        ear.listen(Topic::SiteVisitors(stage.site_id));
        let mut change = stage.change("site.archived");
        change.target = stage.site_id.to_string();
        let new = SiteChange { archived: Some(true), ..SiteChange::default() };
        storage::site::change(&stage.db, stage.site_id, 1, &new, &change)
            .await
            .expect("it works");
        stage.router.changed(stage.workspace_id, Part::Site(stage.site_id));
        let topic = Topic::SiteVisitors(stage.site_id);
        assert_eq!(closed(&ear).await, (topic, CloseCode::IdentityChanged));
    }

    async fn an_erased_contact_is_gone_for_those_who_look_on(stage: Stage) {
        let (visitor, owner) = (stage.visitor().await, stage.owner());
        let id = stage.begins(visitor).await;
        let ear = stage.ear();
        ear.listen(Topic::ConversationAgents(id));
        ear.listen(Topic::Visitor(visitor.id));
        let found = storage::conversation::find(&stage.db, stage.workspace_id, id).await;
        let contact_id = found.expect("the store works").expect("it exists").contact_id;
        let helper = stage.agent("bob", Role::Agent).await;
        let refused = stage.router.erase_contact(&helper.actor, contact_id).await;
        assert_eq!(refused.expect_err("refused").code, ErrorCode::Forbidden);
        stage.router.erase_contact(&owner.actor, contact_id).await.expect("an owner may");
        let closed = closed(&ear).await;
        assert_eq!(closed, (Topic::Visitor(visitor.id), CloseCode::IdentityChanged));
        ear.afresh(id).await;
        // Who was away meanwhile, and says where he stood, must not keep the words either.
        let entry_id = stage.log(id).await[0].id;
        let position = Position { epoch: stage.db.epoch(), number: 1, entry_id };
        for position in [None, Some(position)] {
            let follow = Follow { conversation_id: id, position };
            let replay = stage.router.replay(&owner.actor, &follow).await.expect("they may");
            let page: serde_json::Value = serde_json::from_slice(&replay.frames[0].text).expect("JSON");
            assert_eq!(page["continuity"], "afresh");
            assert!(!page.to_string().contains("hello"), "{page}");
            assert_eq!(page["entries"][0]["seq"], 1);
        }
    }

    async fn logging_out_makes_the_browser_somebody_new(stage: Stage) {
        let visitor = stage.visitor().await;
        let ear = stage.ear();
        ear.listen(Topic::VisitorLauncher(visitor.id));
        let again = stage.router.begin_visitor(&stage.newcomer(Some(visitor.id))).await;
        assert_eq!(again.expect("known").visitor_id, visitor.id);
        let mut newcomer = stage.newcomer(Some(visitor.id));
        newcomer.fresh = true;
        let fresh = stage.router.begin_visitor(&newcomer).await.expect("welcome");
        assert_ne!(fresh.visitor_id, visitor.id);
        let closed = closed(&ear).await;
        assert_eq!(closed, (Topic::VisitorLauncher(visitor.id), CloseCode::IdentityChanged));
        // The old one does not come back.
        let back = stage.router.begin_visitor(&stage.newcomer(Some(visitor.id))).await;
        assert_ne!(back.expect("welcome").visitor_id, visitor.id);
    }
}
