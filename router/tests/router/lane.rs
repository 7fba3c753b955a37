//! Lanes that meet faults of our own: what panics, and what finds no room, is made good.

use std::time::Duration;

use crate::both::on_both;
use crate::common::{Ear, PATIENCE, Stage, client_id, eventually, numbers, say};
use protocol::command::Command;
use protocol::rejection::ErrorCode;
use router::{Class, Delivery, Part, RouterConfig, Topic};
use world::{Clock, World};

/// What comes next. A transaction of another test that goes on in the same Postgres keeps the log's reader from what is
/// newer, and by itself this node does not look again: its time stands still.
async fn next_ringing(receiver: &flume::Receiver<Delivery>, ring: impl Fn()) -> Delivery {
    loop {
        let next = tokio::time::timeout(Duration::from_millis(200), receiver.recv_async()).await;
        match next {
            Ok(delivery) => return delivery.expect("the shard is kept"),
            Err(_) => ring(),
        }
    }
}

on_both! {
    async fn a_lane_that_panics_goes_on_with_what_waits_and_with_the_next_command(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let owner = stage.owner();
        stage.answers(owner, id, "two joined, three assigned, four said").await;
        let ear = stage.ear();
        ear.listen(Topic::ConversationAgents(id));
        stage.world.faults.fail("lane.command", 0, 1);
        let ask = |text: &str| stage.ask(&owner.actor, say(Some(id), text));
        // One after the other in the lane: the first strikes, the others waited behind it.
        let (struck, five, six) = tokio::join!(ask("struck"), ask("five"), ask("six"));
        assert_eq!(struck.expect_err("its outcome is unknown").code, ErrorCode::Unavailable);
        assert!(five.is_ok() && six.is_ok());
        ask("seven").await.expect("accepted");
        assert_eq!(numbers(&ear, 3).await, [5, 6, 7]);
        assert_eq!(stage.log(id).await.len(), 7);
        assert_eq!(stage.router.stats().lane_panic_count, 1);
    }

    async fn a_panic_after_the_commit_hides_nothing_and_a_retry_gets_the_answer(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let owner = stage.owner();
        stage.answers(owner, id, "two joined, three assigned, four said").await;
        let ear = stage.ear();
        ear.listen(Topic::ConversationAgents(id));
        let name = client_id(&stage.world);
        let ask = || {
            let command = say(Some(id), "stored, then struck");
            stage.router.handle(&owner.actor, name.clone(), command)
        };
        stage.world.faults.fail("lane.stored", 0, 1);
        let struck = ask().await.expect_err("its outcome is unknown");
        assert_eq!(struck.code, ErrorCode::Unavailable);
        // Nobody says anything any more: the event log alone tells of it.
        assert_eq!(numbers(&ear, 1).await, [5]);
        let ack = ask().await.expect("it was stored");
        let log = stage.log(id).await;
        assert_eq!(log.len(), 5);
        assert_eq!(ack.entry_id, Some(log[4].id));
    }

    async fn a_panic_after_the_commit_and_a_word_after_it_come_in_order(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let owner = stage.owner();
        stage.answers(owner, id, "two joined, three assigned, four said").await;
        let ear = stage.ear();
        ear.listen(Topic::ConversationAgents(id));
        stage.world.faults.fail("lane.stored", 0, 1);
        let struck = stage.ask(&owner.actor, say(Some(id), "five")).await;
        assert_eq!(struck.expect_err("unknown").code, ErrorCode::Unavailable);
        stage.answers(owner, id, "six").await;
        assert_eq!(numbers(&ear, 2).await, [5, 6]);
    }

    async fn the_first_words_of_a_visitor_are_told_after_a_panic(stage: Stage) {
        let visitor = stage.visitor().await;
        let ear = stage.ear();
        ear.listen(Topic::Visitor(visitor.id));
        stage.world.faults.fail("lane.stored", 0, 1);
        let struck = stage.ask(&visitor.actor, say(None, "hello")).await;
        assert_eq!(struck.expect_err("unknown").code, ErrorCode::Unavailable);
        let news = ear.frame("conversation").await;
        assert_eq!(news["conversation"]["closed"], false);
        let ack = stage.says(visitor, "are you there?").await;
        let id = ack.conversation_id.expect("a conversation");
        assert_eq!(stage.log(id).await.len(), 2);
    }

    async fn what_the_log_told_of_is_read_though_the_lane_panics_over_it(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let (other, world) = stage.second_node().await;
        let ear = Ear::on(&other);
        ear.listen(Topic::ConversationAgents(id));
        world.faults.fail("lane.heal", 0, 2);
        stage.says(visitor, "two").await;
        assert_eq!(numbers(&ear, 2).await, [1, 2]);
        assert_eq!(other.stats().lane_panic_count, 2);
    }

    async fn what_the_log_told_of_while_a_lane_was_full_is_read_later(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let owner = stage.owner();
        // A node whose time stands still: a lane that waits for a shard waits until the shard takes something.
        let mut world = World::system_with_faults();
        world.clock = Clock::manual(stage.world.clock.now_ms());
        let config = RouterConfig { lane_length: 1, ..RouterConfig::default() };
        let other = stage.node(&world, config).await;
        let (sender, receiver) = flume::bounded(1);
        let shard = other.register_shard(sender);
        other.subscribe(shard, Topic::ConversationAgents(id));
        let refused = || Command::DeleteMessage {
            conversation_id: id,
            entry_id: stage.world.ids.next(),
        };
        let ask = |command| {
            let (other, name) = (other.clone(), client_id(&stage.world));
            stage.world.tracker.spawn(async move { other.handle(&owner.actor, name, command).await })
        };
        let first = ask(say(Some(id), "two joined, three assigned, four said"));
        eventually(async || receiver.is_full() && stage.log(id).await.len() == 4).await;
        // One of these waits in the lane, and the others find it full.
        let waiting = [ask(refused()), ask(refused()), ask(refused())];
        eventually(async || waiting.iter().filter(|asked| asked.is_finished()).count() == 2).await;
        stage.says(visitor, "five").await;
        // The log is read twice after it was rung: what it tells of is known then.
        let read = world.faults.call_count("storage.read");
        eventually(async || {
            other.changed(stage.workspace_id, Part::Workspace);
            world.faults.call_count("storage.read") > read + 3
        })
        .await;
        let mut heard = Vec::new();
        let ring = || other.changed(stage.workspace_id, Part::Workspace);
        while heard.last() != Some(&5) {
            let delivery = tokio::time::timeout(PATIENCE, next_ringing(&receiver, ring)).await;
            let delivery = delivery.expect("it is heard in time");
            if let Delivery::Publish { frame, .. } = delivery
                && let Class::Durable { number, .. } = frame.class
            {
                heard.push(number);
            }
        }
        assert_eq!(heard, [2, 3, 4, 5]);
        first.await.expect("no panic").expect("accepted");
        for asked in waiting {
            let code = asked.await.expect("no panic").expect_err("refused").code;
            assert!(matches!(code, ErrorCode::NotFound | ErrorCode::Unavailable), "{code:?}");
        }
    }
}
