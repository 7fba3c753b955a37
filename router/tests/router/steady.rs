//! Tasks of the core that panic go on: each is struck once, or as often as it takes, and does its next work.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::both::on_both;
use crate::common::{Agent, Stage, eventually};
use protocol::agent::{AgentChange, Availability};
use protocol::command::Command;
use protocol::frame::Purpose;
use protocol::id::{CannedResponseId, EventId};
use protocol::permission::{Principal, Role};
use protocol::text::Name;
use protocol::view::VisitorList;
use router::{Part, RouterConfig, Topic, VisitorConnection};
use serde_json::Value;
use storage::Written;
use storage::db::{Batch, Stmt};
use world::World;

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

/// Something happened, as the log tells it.
fn event(stage: &Stage, event_type: &str, subject: impl Display) -> Stmt {
    let event_id: EventId = stage.world.ids.next();
    let values = vec![
        event_id.into(),
        stage.workspace_id.into(),
        event_type.into(),
        subject.to_string().into(),
        stage.world.clock.now_ms().into(),
    ];
    Stmt::new(include_str!("event.sql"), values)
}

on_both! {
    async fn the_tail_takes_the_event_again_that_struck_it(stage: Stage) {
        let bob = stage.agent("bob", Role::Agent).await;
        let ear = stage.ear();
        ear.listen(Topic::Team(stage.workspace_id));
        stage.world.faults.fail("tail.event", 0, 1);
        rename(&stage, bob, 1, "Bobby").await;
        while !ear.frame("team").await.to_string().contains("Bobby") {}
        assert_eq!(stage.router.stats().task_panic_count, 1);
    }

    async fn an_event_that_strikes_the_tail_again_and_again_is_passed_over(stage: Stage) {
        let bob = stage.agent("bob", Role::Agent).await;
        let ear = stage.ear();
        ear.listen(Topic::Team(stage.workspace_id));
        // All that was there before has been taken in.
        rename(&stage, bob, 1, "Bob 1").await;
        while !ear.frame("team").await.to_string().contains("Bob 1") {}
        stage.world.faults.fail("tail.event", 0, 3);
        rename(&stage, bob, 2, "Bob 2").await;
        eventually(async || stage.router.stats().task_panic_count == 3).await;
        rename(&stage, bob, 3, "Bob 3").await;
        while !ear.frame("team").await.to_string().contains("Bob 3") {}
        assert_eq!(stage.router.stats().task_panic_count, 3);
    }

    /// One row that a broken disk spoilt must not keep back what all other people are to be told.
    async fn an_event_whose_row_cannot_be_read_is_passed_over(stage: Stage) {
        let visitor = stage.visitor().await;
        let response_id: CannedResponseId = stage.world.ids.next();
        let ear = stage.ear();
        ear.listen(Topic::Team(stage.workspace_id));
        let mut batch = Batch::default();
        let row = vec![stage.workspace_id.into(), visitor.id.into()];
        let spoilt = batch.push(Stmt::new(include_str!("spoilt_visitor.sql"), row));
        batch.push(event(&stage, "visitor.changed", visitor.id));
        batch.push(event(&stage, "canned_response.changed", response_id));
        let answers = stage.db.batch(batch).await.expect("the rows are written");
        assert_eq!(answers[spoilt].changed, 1);
        while ear.frame("changed").await["id"] != response_id.to_string() {}
        assert_eq!(stage.router.stats().task_panic_count, 0);
    }

    async fn the_live_list_loses_only_what_struck_it(stage: Stage) {
        let bob = stage.agent("bob", Role::Agent).await;
        let ear = stage.ear();
        ear.listen(Topic::Team(stage.workspace_id));
        stage.router.agent_enter(&bob.actor, stage.world.ids.next()).await;
        ear.frame("team_presence").await;
        stage.world.faults.fail("live.message", 0, 1);
        for choice in [Availability::Online, Availability::Away] {
            stage.router.availability(&bob.actor, choice).await.expect("an agent may");
        }
        let is_away = |frame: &Value| frame["presence"][0]["availability"] == "away";
        while !is_away(&ear.frame("team_presence").await) {}
        assert_eq!(stage.router.stats().task_panic_count, 1);
    }

    async fn traces_that_struck_are_counted_as_lost_and_the_next_are_stored(stage: Stage) {
        let visitor = stage.visitor().await;
        let Principal::Visitor(actor) = visitor.actor.principal else {
            unreachable!("a visitor speaks");
        };
        let connection_id = stage.world.ids.next();
        let tab = VisitorConnection {
            connection_id,
            workspace_id: stage.workspace_id,
            visitor: actor,
            purpose: Purpose::Launcher,
            browser: crate::common::browser(),
            page: None,
        };
        crate::common::enter(&stage.router, tab).await;
        let report = async |name: &str| {
            let reported = stage.router.visitor_track(connection_id, name.to_owned(), BTreeMap::new());
            assert_eq!(reported.await, Ok(()));
        };
        let stored = async || {
            storage::visit::last(&stage.db, stage.workspace_id, visitor.id).await.expect("the store works")
        };
        eventually(async || stored().await.is_some()).await;
        stage.world.faults.fail("trace.store", 0, 1);
        report("lost").await;
        eventually(async || stage.router.stats().lost_trace_count == 1).await;
        report("kept").await;
        eventually(async || stored().await.is_some_and(|visit| visit.last_event.is_some())).await;
        let visit = stored().await.expect("it is there");
        assert_eq!((visit.event_count, visit.last_event.expect("one").name.as_str()), (1, "kept"));
        assert_eq!(stage.router.stats().task_panic_count, 1);
    }

    async fn a_visitor_whose_renewal_struck_is_shown_all_the_same(stage: Stage) {
        let (visitor, owner) = (stage.visitor().await, stage.owner());
        let Principal::Visitor(actor) = visitor.actor.principal else {
            unreachable!("a visitor speaks");
        };
        let tab = VisitorConnection {
            connection_id: stage.world.ids.next(),
            workspace_id: stage.workspace_id,
            visitor: actor,
            purpose: Purpose::Launcher,
            browser: crate::common::browser(),
            page: None,
        };
        let watch = protocol::frame::Watch::Visitors(VisitorList::default());
        let topic = stage.router.watch(&owner.actor, &watch, stage.world.ids.next());
        let topic = topic.expect("an agent may");
        let ear = stage.ear();
        ear.listen(topic);
        let list = stage.router.snapshot(&owner.actor, topic).await;
        list.expect("a list");
        crate::common::enter(&stage.router, tab).await;
        stage.world.faults.fail("visitor.renew", 0, 1);
        let id = stage.begins(visitor).await;
        while ear.frame("visitor_changes").await["rows"][0]["conversation_id"] != id.to_string() {}
        assert_eq!(stage.router.stats().task_panic_count, 1);
    }

    async fn marks_are_stored_though_those_before_them_struck(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let ear = stage.ear();
        ear.listen(Topic::ConversationVisitor(id));
        stage.world.faults.fail("mark.store", 0, 1);
        stage.router.read(&stage.owner().actor, id, 1).await.expect("allowed");
        eventually(async || stage.router.stats().task_panic_count == 1).await;
        stage.router.read(&stage.owner().actor, id, 1).await.expect("allowed");
        assert_eq!(ear.frame("marks").await["marks"]["read"], 1);
    }

    async fn a_timer_that_struck_fires_again(stage: Stage) {
        let (visitor, owner) = (stage.visitor().await, stage.owner());
        let id = stage.begins(visitor).await;
        let until_ms = stage.world.clock.now_ms() + 3_600_000;
        let snooze = Command::Snooze { conversation_id: id, until_ms };
        stage.ask(&owner.actor, snooze).await.expect("allowed");
        // A node that is an hour ahead: for it the timer is due from its start on.
        let world = World::system_with_faults();
        world.clock.set_now_ms(until_ms + 1);
        world.faults.fail("timer.fire", 0, 1);
        let node = stage.node(&world, RouterConfig::default()).await;
        eventually(async || stage.log(id).await.len() == 3).await;
        assert_eq!(node.stats().task_panic_count, 1);
    }

    async fn a_list_that_struck_tells_the_next_change(stage: Stage) {
        let (visitor, owner) = (stage.visitor().await, stage.owner());
        let watch = protocol::frame::Watch::Inbox(protocol::view::InboxFilter::All.into());
        let watched = stage.router.watch(&owner.actor, &watch, stage.world.ids.next());
        let ear = stage.ear();
        ear.listen(watched.expect("an agent may"));
        stage.world.faults.fail("inbox.tell", 0, 1);
        let id = stage.begins(visitor).await;
        eventually(async || stage.router.stats().task_panic_count == 1).await;
        stage.answers(owner, id, "hello").await;
        assert_eq!(ear.frame("inbox_changes").await["rows"][0]["id"], id.to_string());
    }
}
