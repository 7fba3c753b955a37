//! Conversations through the router, over real stores: order, once, finished, healed.

use crate::both::on_both;
use crate::common::{Ear, Heard, Stage, client_id, draft, eventually, follow, numbers, say};
use protocol::command::Command;
use protocol::conversation::State;
use protocol::entry::{Author, Content, ReopenCause};
use protocol::frame::Follow;
use protocol::id::ConversationId;
use protocol::limit::PAGE_BYTES_MAX;
use protocol::news::{AgentNews, Continuity, VisitorNews};
use protocol::permission::Role;
use protocol::position::Position;
use protocol::rejection::{CloseCode, ErrorCode};
use router::{Replay, Router, Topic};

/// The batch of a replay for the team.
fn team_batch(replay: &Replay) -> (Continuity, Vec<u64>) {
    let news = serde_json::from_slice(&replay.frames[0].text).expect("a frame of the team");
    let AgentNews::Entries(batch) = news else {
        panic!("no batch: {news:?}");
    };
    (
        batch.continuity,
        batch.entries.iter().map(|entry| entry.seq).collect(),
    )
}

/// The batch of a replay for a visitor.
fn visitor_batch(replay: &Replay) -> (Continuity, Vec<u64>) {
    let news = serde_json::from_slice(&replay.frames[0].text).expect("a frame of the visitor");
    let VisitorNews::Entries(batch) = news else {
        panic!("no batch: {news:?}");
    };
    (
        batch.continuity,
        batch.entries.iter().map(|entry| entry.number).collect(),
    )
}

async fn state(stage: &Stage, id: ConversationId) -> State {
    storage::conversation::find(&stage.db, stage.workspace_id, id)
        .await
        .expect("the store works")
        .expect("it exists")
        .state
}

on_both! {
    async fn both_sides_hear_all_entries_in_order_while_both_speak_at_once(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let (team, customer) = (stage.ear(), stage.ear());
        team.listen(Topic::ConversationAgents(id));
        customer.listen(Topic::ConversationVisitor(id));
        let owner = stage.owner();
        stage.answers(owner, id, "hi").await;
        let mut speakers = Vec::new();
        for index in 0..40 {
            let (router, world) = (stage.router.clone(), stage.world.clone());
            let (actor, place) = if index % 2 == 0 {
                (visitor.actor, None)
            } else {
                (owner.actor, Some(id))
            };
            speakers.push(stage.world.tracker.spawn(async move {
                let text = format!("words {index}");
                router.handle(&actor, client_id(&world), say(place, &text)).await
            }));
        }
        let mut acknowledged = Vec::new();
        for speaker in speakers {
            let ack = speaker.await.expect("no panic").expect("accepted");
            acknowledged.push(ack.entry_id.expect("a message"));
        }
        // joined, assigned and the first answer stand before these.
        let last = 1 + 3 + 40;
        assert_eq!(numbers(&team, 43).await, (2..=last).collect::<Vec<_>>());
        // The assignment is not for the visitor.
        assert_eq!(numbers(&customer, 42).await, (2..=43).collect::<Vec<_>>());
        let log = stage.log(id).await;
        assert_eq!(log.len(), 44);
        for entry_id in acknowledged {
            assert_eq!(log.iter().filter(|entry| entry.id == entry_id).count(), 1);
        }
    }

    async fn what_was_begun_is_stored_and_told_when_the_door_is_gone(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let ear = stage.ear();
        ear.listen(Topic::ConversationAgents(id));
        // Polled once, then dropped: the socket died. Where a busy machine let this thread wait for so long that the
        // answer was there already, the next one is left.
        let mut left = None;
        for number in 2..=20 {
            let text = format!("said while leaving: {number}");
            let name = client_id(&stage.world);
            let mut handle = Box::pin(stage.router.handle(&visitor.actor, name, say(None, &text)));
            let polled = std::future::poll_fn(|context| std::task::Poll::Ready(handle.as_mut().poll(context)));
            if polled.await.is_pending() {
                left = Some((number, text));
                break;
            }
            ear.frame("entry").await;
        }
        let (number, text) = left.expect("one that was left before its answer");
        let frame = ear.frame("entry").await;
        assert_eq!(frame["entry"]["content"]["message"]["body"], text);
        assert_eq!(stage.log(id).await.len(), number);
    }

    async fn a_retry_gets_the_same_answer_and_other_content_under_its_id_none(stage: Stage) {
        let visitor = stage.visitor().await;
        let name = client_id(&stage.world);
        let ask = |text: &str| {
            let (name, command) = (name.clone(), say(None, text));
            stage.router.handle(&visitor.actor, name, command)
        };
        let first = ask("hello").await.expect("accepted");
        assert_eq!(ask("hello").await.expect("the same"), first);
        let other = ask("something else").await.expect_err("refused");
        assert_eq!(other.code, ErrorCode::ClientIdReused);
        let id = first.conversation_id.expect("a conversation");
        assert_eq!(stage.log(id).await.len(), 1);
        // Also when the conversation has moved on since: what was accepted stays accepted.
        let close = client_id(&stage.world);
        let command = Command::Close { conversation_id: id };
        let owner = stage.owner().actor;
        let closed = stage.router.handle(&owner, close.clone(), command.clone()).await;
        let reopened = stage.ask(&owner, Command::Reopen { conversation_id: id }).await;
        assert!(reopened.is_ok());
        let again = stage.router.handle(&owner, close, command).await;
        assert_eq!(again.expect("the same"), closed.expect("accepted"));
        assert_eq!(state(&stage, id).await, State::Open);
    }

    async fn what_a_visitor_says_at_once_is_stored_and_told_together_in_order(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let ear = stage.ear();
        ear.listen(Topic::ConversationAgents(id));
        let texts: Vec<_> = (2..=150).map(|number| format!("words {number}")).collect();
        let said = |text: &String| (client_id(&stage.world), say(None, text));
        let said: Vec<_> = texts.iter().map(said).collect();
        let acks = stage.router.handle_all(&visitor.actor, said.clone()).await;
        let told = acks.iter().map(|ack| ack.as_ref().expect("accepted").number);
        assert_eq!(told.collect::<Vec<_>>(), (2..=150).map(Some).collect::<Vec<_>>());
        // The facts are told once for each commit.
        let mut heard = (0, Vec::new());
        while heard.1.len() < 149 || heard.0 < 2 {
            let frame = ear.until(|heard| match heard {
                Heard::Frame(_, frame, _) => Some(frame.clone()),
                Heard::Follow(..) | Heard::Afresh(..) | Heard::Close(..) | Heard::Lost => None,
            });
            let frame = frame.await;
            match frame["type"].as_str() {
                Some("entry") => heard.1.push(frame["entry"]["content"]["message"]["body"].clone()),
                Some("conversation") => heard.0 += 1,
                _ => {}
            }
        }
        assert_eq!(heard.1, texts);
        assert!(ear.rest().is_empty(), "two commits, and no more");
        // A retry of all, and of one among others.
        let again = stage.router.handle_all(&visitor.actor, said.clone()).await;
        assert_eq!(again, acks);
        let new = || (client_id(&stage.world), say(None, "new"));
        let mixed = vec![new(), new(), said[7].clone(), new()];
        let outcomes = stage.router.handle_all(&visitor.actor, mixed).await;
        let numbers = outcomes.iter().map(|ack| ack.as_ref().expect("accepted").number);
        assert_eq!(numbers.collect::<Vec<_>>(), [Some(151), Some(152), Some(9), Some(153)]);
        assert_eq!(stage.log(id).await.len(), 153);
    }

    async fn what_an_agent_says_at_once_is_said_in_each_conversation_in_order(stage: Stage) {
        let owner = stage.owner();
        let mut ids = Vec::new();
        for _ in 0..3 {
            let visitor = stage.visitor().await;
            ids.push(stage.begins(visitor).await);
        }
        let nowhere = stage.world.ids.next::<ConversationId>();
        let places = [ids[0], ids[1], nowhere, ids[0], ids[2], nowhere, ids[1], ids[0]];
        let said = places.iter().enumerate().map(|(index, id)| {
            (client_id(&stage.world), say(Some(*id), &format!("words {index}")))
        });
        let said: Vec<_> = said.collect();
        let outcomes = stage.router.handle_all(&owner.actor, said.clone()).await;
        for (id, outcome) in places.iter().zip(&outcomes) {
            match outcome {
                Ok(ack) => assert_eq!(ack.conversation_id, Some(*id)),
                Err(rejection) => assert_eq!((*id, rejection.code), (nowhere, ErrorCode::NotFound)),
            }
        }
        for id in &ids {
            let here = places.iter().zip(&outcomes).filter(|(place, _)| *place == id);
            let acknowledged: Vec<_> = here.map(|(_, ack)| ack.as_ref().expect("accepted").entry_id).collect();
            let log = stage.log(*id).await;
            let by_owner = log.iter().filter(|entry| {
                matches!(entry.content, Content::Message { .. }) && matches!(entry.author, Author::Agent { .. })
            });
            assert_eq!(by_owner.map(|entry| Some(entry.id)).collect::<Vec<_>>(), acknowledged);
        }
        let again = stage.router.handle_all(&owner.actor, said).await;
        assert_eq!(again, outcomes);
    }

    async fn behind_one_that_cannot_be_stored_now_nothing_is_stored(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        stage.world.faults.fail("storage.batch", 0, u64::MAX);
        let said = || (0..5).map(|_| (client_id(&stage.world), say(None, "x"))).collect();
        for outcome in stage.router.handle_all(&visitor.actor, said()).await {
            assert_eq!(outcome.expect_err("refused").code, ErrorCode::Unavailable);
        }
        stage.world.faults.heal();
        assert_eq!(stage.log(id).await.len(), 1);
        let outcomes = stage.router.handle_all(&visitor.actor, said()).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    }

    async fn two_tabs_that_speak_first_at_once_make_one_conversation(stage: Stage) {
        let visitor = stage.visitor().await;
        let second = stage.second_router().await;
        let ear = stage.ear();
        ear.listen(Topic::Visitor(visitor.id));
        let say_on = |router: Router, text: &'static str| {
            let name = client_id(&stage.world);
            async move { router.handle(&visitor.actor, name, say(None, text)).await }
        };
        let (one, two, three) = tokio::join!(
            say_on(stage.router.clone(), "from one tab"),
            say_on(second, "from another node"),
            say_on(stage.router.clone(), "from a third tab"),
        );
        let ids: Vec<_> = [one, two, three]
            .into_iter()
            .map(|ack| ack.expect("accepted").conversation_id.expect("a conversation"))
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let log = stage.log(ids[0]).await;
        assert_eq!(log.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
        let followed = ear.until(|heard| match heard {
            Heard::Follow(topic, id) => Some((*topic, *id)),
            Heard::Frame(..) | Heard::Afresh(..) | Heard::Close(..) | Heard::Lost => None,
        });
        assert_eq!(followed.await, (Topic::Visitor(visitor.id), ids[0]));
    }

    async fn an_entry_of_another_node_fills_the_hole_before_ours(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        stage.answers(stage.owner(), id, "two joined, three assigned, four said").await;
        let ear = stage.ear();
        ear.listen(Topic::ConversationAgents(id));
        // This node's lane knows entries up to four; the fifth is another node's.
        let other = stage.second_router().await;
        other
            .handle(&visitor.actor, client_id(&stage.world), say(None, "five"))
            .await
            .expect("accepted");
        stage.answers(stage.owner(), id, "six").await;
        assert_eq!(numbers(&ear, 2).await, [5, 6]);
    }

    async fn the_tail_tells_of_entries_that_no_lane_here_passed(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let other = stage.second_router().await;
        let ear = Ear::on(&other);
        ear.listen(Topic::ConversationVisitor(id));
        stage.answers(stage.owner(), id, "from the first node").await;
        // The first words once more, for this lane cannot know who heard them; joined and the message. The
        // assignment between them is the team's affair.
        assert_eq!(numbers(&ear, 3).await, [1, 2, 3]);
    }

    async fn what_the_tail_tells_of_and_cannot_be_read_is_read_a_moment_later(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let (other, world) = stage.second_node().await;
        let ear = Ear::on(&other);
        ear.listen(Topic::ConversationVisitor(id));
        stage.answers(stage.owner(), id, "from the first node").await;
        assert_eq!(numbers(&ear, 3).await, [1, 2, 3]);
        // Whichever read it is: of the log, of what it tells of, or another's.
        for round in 0..6 {
            world.faults.fail("storage.read", round % 3, 1);
            stage.answers(stage.owner(), id, "again").await;
            // A lane that begins anew says again what somebody may not have heard.
            let mut number = 0;
            while number < 4 + round {
                number = numbers(&ear, 1).await[0];
            }
            assert_eq!(number, 4 + round);
        }
    }

    async fn a_snooze_survives_a_restart_and_wakes_once(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let until_ms = stage.world.clock.now_ms() + 3_600_000;
        let snooze = Command::Snooze { conversation_id: id, until_ms };
        stage.ask(&stage.owner().actor, snooze).await.expect("accepted");
        assert_eq!(state(&stage, id).await, State::Snoozed);
        let stage = stage.restart_at(until_ms).await;
        eventually(async || state(&stage, id).await == State::Open).await;
        let log = stage.log(id).await;
        let woken: Vec<_> = log
            .iter()
            .filter(|entry| {
                matches!(entry.content, Content::Reopened { cause: ReopenCause::SnoozeEnded })
            })
            .collect();
        assert_eq!(woken.len(), 1);
        assert!(woken[0].sent_at_ms >= until_ms);
        let next = async || storage::timer::next_due_at_ms(&stage.db).await;
        eventually(async || next().await.expect("the store works").is_none()).await;
    }

    async fn the_customers_word_ends_a_snooze(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let until_ms = stage.world.clock.now_ms() + 3_600_000;
        let snooze = Command::Snooze { conversation_id: id, until_ms };
        stage.ask(&stage.owner().actor, snooze).await.expect("accepted");
        let ack = stage.says(visitor, "are you there?").await;
        assert_eq!(ack.conversation_id, Some(id));
        assert_eq!(state(&stage, id).await, State::Open);
    }

    async fn a_note_reaches_no_topic_of_a_visitor(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let (team, customer) = (stage.ear(), stage.ear());
        team.listen(Topic::ConversationAgents(id));
        for topic in [
            Topic::ConversationVisitor(id),
            Topic::Visitor(visitor.id),
            Topic::VisitorLauncher(visitor.id),
            Topic::SiteVisitors(stage.site_id),
        ] {
            customer.listen(topic);
        }
        let note = Command::AddNote { conversation_id: id, draft: draft("between us: gold"), mentions: vec![] };
        let owner = stage.owner();
        let ack = stage.ask(&owner.actor, note).await.expect("accepted");
        let target = ack.entry_id.expect("a note");
        let edit = Command::EditMessage {
            conversation_id: id,
            entry_id: target,
            body: protocol::text::Body::parse("between us: gold, edited").expect("a text"),
        };
        stage.ask(&owner.actor, edit).await.expect("accepted");
        stage
            .ask(&owner.actor, Command::DeleteMessage { conversation_id: id, entry_id: target })
            .await
            .expect("accepted");
        stage.answers(owner, id, "for everybody").await;
        assert_eq!(numbers(&team, 6).await, [2, 3, 4, 5, 6, 7]);
        // The visitor's count has no gap where the note stands.
        assert_eq!(numbers(&customer, 2).await, [2, 3]);
        let replay = stage.router.replay(&visitor.actor, &follow(id)).await.expect("his own");
        assert_eq!(visitor_batch(&replay), (Continuity::Afresh, vec![1, 2, 3]));
        let texts = replay.frames.iter().map(|frame| frame.text.clone());
        for text in texts {
            let text = String::from_utf8(text.to_vec()).expect("UTF-8");
            assert!(!text.contains("gold"), "{text}");
        }
        for heard in customer.rest() {
            assert!(!format!("{heard:?}").contains("gold"), "{heard:?}");
        }
    }

    async fn a_blocked_visitor_is_shut_out_until_it_is_taken_back(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let ear = stage.ear();
        ear.listen(Topic::VisitorLauncher(visitor.id));
        let block = |blocked| Command::BlockVisitor { conversation_id: id, blocked };
        let owner = stage.owner().actor;
        stage.ask(&owner, block(true)).await.expect("accepted");
        let closed = ear.until(|heard| match heard {
            Heard::Close(topic, code) => Some((*topic, *code)),
            Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Lost => None,
        });
        assert_eq!(closed.await, (Topic::VisitorLauncher(visitor.id), CloseCode::Revoked));
        let said = stage.ask(&visitor.actor, say(None, "let me in")).await;
        assert_eq!(said.expect_err("refused").code, ErrorCode::Blocked);
        let close = Command::Close { conversation_id: id };
        let ended = stage.ask(&visitor.actor, close).await;
        assert_eq!(ended.expect_err("refused").code, ErrorCode::Blocked);
        // He stays blocked as somebody new, too.
        let mut newcomer = stage.newcomer(Some(visitor.id));
        newcomer.fresh = true;
        let standing = stage.router.begin_visitor(&newcomer).await.expect("an answer");
        assert!(standing.blocked);
        assert_eq!(standing.visitor_id, visitor.id);
        stage.ask(&owner, block(false)).await.expect("accepted");
        stage.says(visitor, "thank you").await;
    }

    async fn nobody_gets_into_somebody_elses_conversation(stage: Stage) {
        let (visitor, stranger) = (stage.visitor().await, stage.visitor().await);
        let id = stage.begins(visitor).await;
        let not_found = ErrorCode::NotFound;
        let replay = stage.router.replay(&stranger.actor, &follow(id)).await;
        assert_eq!(replay.expect_err("refused").code, not_found);
        for command in [
            say(Some(id), "hello"),
            Command::Close { conversation_id: id },
            Command::DeleteMessage {
                conversation_id: id,
                entry_id: stage.log(id).await[0].id,
            },
        ] {
            let answer = stage.ask(&stranger.actor, command.clone()).await;
            assert_eq!(answer.expect_err("refused").code, not_found, "{command:?}");
        }
        let router = &stage.router;
        let typing = router.typing(&stranger.actor, Some(id), None, true).await;
        assert_eq!(typing.expect_err("refused").code, not_found);
        assert_eq!(router.read(&stranger.actor, id, 1).await.expect_err("refused").code, not_found);
        // An agent of another workspace, with all rights there.
        let mut foreign = stage.owner().actor;
        foreign.workspace_id = stage.world.ids.next();
        for command in [say(Some(id), "hello"), Command::Close { conversation_id: id }] {
            let answer = stage.ask(&foreign, command).await;
            assert_eq!(answer.expect_err("refused").code, not_found);
        }
        assert_eq!(router.replay(&foreign, &follow(id)).await.expect_err("refused").code, not_found);
        assert_eq!(stage.log(id).await.len(), 1);
    }

    async fn a_reader_goes_on_where_he_stands_or_begins_afresh(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let log = stage.log(id).await;
        stage.says(visitor, "two").await;
        stage.says(visitor, "three").await;
        let owner = stage.owner().actor;
        let epoch = stage.db.epoch();
        let good = Position { epoch, number: 1, entry_id: log[0].id };
        let from = |position| {
            let follow = Follow { conversation_id: id, position: Some(position) };
            let (router, actor) = (stage.router.clone(), owner);
            async move { team_batch(&router.replay(&actor, &follow).await.expect("readable")) }
        };
        assert_eq!(from(good).await, (Continuity::Resumed, vec![2, 3]));
        let afresh = (Continuity::Afresh, vec![1, 2, 3]);
        let ahead = Position { number: 9, ..good };
        assert_eq!(from(ahead).await, afresh);
        let of_another_store = Position { epoch: epoch + 1, ..good };
        assert_eq!(from(of_another_store).await, afresh);
        let of_another_entry = Position { number: 2, ..good };
        assert_eq!(from(of_another_entry).await, afresh);
        let at_the_end = Position { number: 3, entry_id: stage.log(id).await[2].id, ..good };
        assert_eq!(from(at_the_end).await, (Continuity::Resumed, vec![]));
    }

    async fn a_gap_of_more_than_a_page_begins_afresh(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        for index in 0..201 {
            stage.says(visitor, &format!("line {index}")).await;
        }
        let log = stage.log(id).await;
        let at = |number: u64, index: usize| Follow {
            conversation_id: id,
            position: Some(Position {
                epoch: stage.db.epoch(),
                number,
                entry_id: log[index].id,
            }),
        };
        let owner = stage.owner().actor;
        let replay = stage.router.replay(&owner, &at(1, 0)).await.expect("readable");
        let (continuity, numbers) = team_batch(&replay);
        assert_eq!((continuity, numbers.last()), (Continuity::Afresh, Some(&202)));
        assert_eq!((replay.last_number, replay.more), (202, false));
        // One less is not too much: it comes in pages of at most so many bytes.
        let mut replay = stage.router.replay(&owner, &at(2, 1)).await.expect("readable");
        let mut all = Vec::new();
        loop {
            let (continuity, numbers) = team_batch(&replay);
            assert_eq!(continuity, Continuity::Resumed);
            assert!(replay.frames[0].text.len() < PAGE_BYTES_MAX + 1_000);
            all.extend(numbers);
            // What is known beside the entries comes with the last of them.
            assert_eq!(replay.frames.len() > 1, !replay.more);
            if !replay.more {
                break;
            }
            let after = stage.router.replay_after(&owner, id, replay.last_number);
            replay = after.await.expect("readable");
        }
        assert_eq!(all, (3..=202).collect::<Vec<_>>());
        let after = stage.router.replay_after(&owner, id, 202).await.expect("readable");
        assert_eq!(team_batch(&after), (Continuity::Resumed, vec![]));
        assert_eq!((after.last_number, after.more), (202, false));
    }

    async fn who_answers_takes_part_and_owns_it_and_gives_it_back_when_leaving(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let owner = stage.owner();
        stage.answers(owner, id, "I take this").await;
        stage.answers(owner, id, "and go on").await;
        let helper = stage.agent("bob", Role::Agent).await;
        eventually(async || {
            let assign = Command::Assign { conversation_id: id, agent_id: Some(helper.id) };
            stage.ask(&owner.actor, assign).await.is_ok()
        })
        .await;
        stage.answers(helper, id, "me too").await;
        stage.ask(&helper.actor, Command::Leave { conversation_id: id }).await.expect("accepted");
        let kinds: Vec<_> =
            stage.log(id).await.iter().map(|entry| entry.content.kind()).collect();
        assert_eq!(
            kinds,
            [
                "message", "joined", "assigned", "message", "message", "assigned", "joined",
                "message", "assigned", "left",
            ]
        );
        let unknown = Command::Assign {
            conversation_id: id,
            agent_id: Some(stage.world.ids.next()),
        };
        let refused = stage.ask(&owner.actor, unknown).await.expect_err("refused");
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Invalid, Some("agent_id")));
    }

    async fn after_the_end_a_new_conversation_begins_and_names_the_old_one(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let ear = stage.ear();
        ear.listen(Topic::Visitor(visitor.id));
        stage.ask(&visitor.actor, Command::Close { conversation_id: id }).await.expect("his own");
        let news = ear.frame("conversation").await;
        assert_eq!(news["conversation"]["closed"], true);
        let next = stage.begins(visitor).await;
        assert_ne!(next, id);
        let found = storage::conversation::find(&stage.db, stage.workspace_id, next).await;
        let found = found.expect("the store works").expect("it exists");
        assert_eq!(found.previous_id, Some(id));
        // The old one cannot come back beside the new one.
        let reopen = Command::Reopen { conversation_id: id };
        let refused = stage.ask(&stage.owner().actor, reopen).await.expect_err("refused");
        assert_eq!(refused.code, ErrorCode::ConversationState);
    }
}
