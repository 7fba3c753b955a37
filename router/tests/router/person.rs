//! One person on several devices: whoever was proved on each hears of the same conversations on all, and
//! nobody else does.

use crate::both::on_both;
use crate::common::{Ear, Heard, Stage, Visitor};
use protocol::command::Command;
use protocol::frame::Purpose;
use protocol::id::ConversationId;
use protocol::permission::Principal;
use protocol::rejection::{CloseCode, ErrorCode};
use router::{Topic, VisitorConnection};

/// A device whose panel is connected.
async fn connect(stage: &Stage, visitor: Visitor) -> Ear {
    let ear = stage.ear();
    ear.listen(Topic::Visitor(visitor.id));
    let welcome = stage.router.visitor_welcome(&visitor.actor).await;
    welcome.expect("a visitor is welcome");
    ear
}

/// A device whose panel was never opened.
async fn pass_by(stage: &Stage, visitor: Visitor) -> Ear {
    let ear = stage.ear();
    ear.listen(Topic::VisitorLauncher(visitor.id));
    let welcome = stage.router.visitor_welcome(&visitor.actor).await;
    welcome.expect("a visitor is welcome");
    ear
}

async fn followed(ear: &Ear) -> ConversationId {
    ear.until(|heard| match heard {
        Heard::Follow(_, id) => Some(*id),
        Heard::Frame(..) | Heard::Afresh(..) | Heard::Close(..) | Heard::Lost => None,
    })
    .await
}

async fn closed(ear: &Ear) -> (Topic, CloseCode) {
    ear.until(|heard| match heard {
        Heard::Close(topic, code) => Some((*topic, *code)),
        Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Lost => None,
    })
    .await
}

/// What ends connections for good: a proof ends those that came without one.
async fn revoked(ear: &Ear) -> Topic {
    ear.until(|heard| match heard {
        Heard::Close(topic, CloseCode::Revoked) => Some(*topic),
        Heard::Frame(..)
        | Heard::Follow(..)
        | Heard::Afresh(..)
        | Heard::Close(..)
        | Heard::Lost => None,
    })
    .await
}

/// What is there already, but that somebody was proved: the log may tell that late, also of who came after it.
fn others(ear: &Ear) -> Vec<Heard> {
    let mut rest = ear.rest();
    rest.retain(|heard| !matches!(heard, Heard::Close(_, CloseCode::IdentityChanged)));
    rest
}

async fn is_blocked(stage: &Stage, visitor: Visitor) -> bool {
    let workspace_id = visitor.actor.workspace_id;
    let row = storage::visitor::find(&stage.db, workspace_id, visitor.id).await;
    row.expect("it works").expect("the visitor").blocked
}

async fn unread(ear: &Ear, count: u64) {
    while ear.frame("unread").await["count"] != count {}
}

on_both! {
    async fn what_begins_on_one_device_is_told_on_the_others(stage: Stage) {
        let (phone, laptop) = (stage.customer("42").await, stage.customer("42").await);
        let tablet = stage.customer("42").await;
        assert_ne!(phone.id, laptop.id);
        let (at_phone, at_laptop) = (connect(&stage, phone).await, connect(&stage, laptop).await);
        let at_tablet = pass_by(&stage, tablet).await;
        let ack = stage.says(phone, "hello").await;
        let id = ack.conversation_id.expect("a conversation");
        let facts = at_laptop.frame("conversation").await;
        assert_eq!(facts["conversation"]["id"], id.to_string());
        assert_eq!(followed(&at_laptop).await, id);
        stage.answers(stage.owner(), id, "hi").await;
        for ear in [&at_phone, &at_laptop, &at_tablet] {
            unread(ear, 1).await;
        }
        // Read on one, read on all.
        stage.router.read(&laptop.actor, id, 3).await.expect("his own");
        for ear in [&at_phone, &at_laptop, &at_tablet] {
            unread(ear, 0).await;
        }
        let close = Command::Close { conversation_id: id };
        stage.ask(&stage.owner().actor, close).await.expect("accepted");
        assert_eq!(at_laptop.frame("conversation").await["conversation"]["closed"], true);
    }

    async fn nobody_else_hears_of_it(stage: Stage) {
        let (phone, laptop) = (stage.customer("42").await, stage.customer("42").await);
        let strangers = [stage.customer("43").await, stage.visitor().await];
        let at_laptop = connect(&stage, laptop).await;
        let mut ears = Vec::new();
        for stranger in strangers {
            ears.push(connect(&stage, stranger).await);
            ears.push(pass_by(&stage, stranger).await);
        }
        // Who only claims to be the same person is nobody yet.
        let claim = protocol::visitor::Claim {
            customer_id: Some("42".to_owned()),
            ..Default::default()
        };
        let claiming = Command::Identify { claim };
        stage.ask(&strangers[1].actor, claiming).await.expect("a claim may be made");
        let id = stage.says(phone, "hello").await.conversation_id.expect("a conversation");
        assert_eq!(followed(&at_laptop).await, id);
        stage.answers(stage.owner(), id, "hi").await;
        unread(&at_laptop, 1).await;
        for ear in &ears {
            assert_eq!(others(ear), []);
        }
        for stranger in strangers {
            let replay = stage.router.replay(&stranger.actor, &crate::common::follow(id)).await;
            assert_eq!(replay.expect_err("not his").code, ErrorCode::NotFound);
        }
    }

    async fn a_device_that_left_is_asked_about_no_more(stage: Stage) {
        let (phone, laptop) = (stage.customer("42").await, stage.customer("42").await);
        let at_phone = connect(&stage, phone).await;
        let at_laptop = connect(&stage, laptop).await;
        at_laptop.leave(Topic::Visitor(laptop.id));
        let id = stage.says(phone, "hello").await.conversation_id.expect("a conversation");
        assert_eq!(followed(&at_phone).await, id);
        stage.answers(stage.owner(), id, "hi").await;
        unread(&at_phone, 1).await;
        assert_eq!(others(&at_laptop), []);
    }

    async fn whoever_was_merged_into_a_person_is_that_person(stage: Stage) {
        let before = stage.visitor().await;
        let id = stage.begins(before).await;
        let laptop = stage.customer("42").await;
        let at_laptop = connect(&stage, laptop).await;
        let found = storage::conversation::find(&stage.db, stage.workspace_id, id).await;
        let lead = found.expect("the store works").expect("it exists").contact_id;
        let person = laptop.contact().expect("he was proved");
        let mut change = stage.change("contact.merged");
        change.target = lead.to_string();
        storage::contact::merge(&stage.db, lead, person, &change).await.expect("it works");
        stage.answers(stage.owner(), id, "hi").await;
        unread(&at_laptop, 1).await;
        let (owner, close) = (stage.owner(), |id| Command::Close { conversation_id: id });
        stage.ask(&owner.actor, close(id)).await.expect("accepted");
        assert_eq!(at_laptop.frame("conversation").await["conversation"]["closed"], true);
        // It does not go the other way: nothing proves the first browser.
        let at_first = connect(&stage, before).await;
        let next = stage.says(laptop, "as 42").await.conversation_id.expect("a conversation");
        assert_ne!(next, id);
        assert_eq!(followed(&at_laptop).await, next);
        stage.answers(owner, next, "hi").await;
        unread(&at_laptop, 1).await;
        stage.ask(&owner.actor, close(next)).await.expect("accepted");
        assert_eq!(at_laptop.frame("conversation").await["conversation"]["closed"], true);
        assert_eq!(others(&at_first), []);
    }

    async fn a_browser_that_is_proved_begins_a_new_connection(stage: Stage) {
        let visitor = stage.visitor().await;
        let ear = pass_by(&stage, visitor).await;
        stage.prove(Some(visitor.id), "42").await;
        let closed = ear.until(|heard| match heard {
            Heard::Close(topic, code) => Some((*topic, *code)),
            Heard::Frame(..) | Heard::Follow(..) | Heard::Afresh(..) | Heard::Lost => None,
        });
        let topic = Topic::VisitorLauncher(visitor.id);
        let closed = closed.await;
        assert_eq!(closed, (topic, CloseCode::IdentityChanged));
        // Proved again, as pages do with each load, ends at most what nobody proved.
        stage.prove(Some(visitor.id), "42").await;
        let again = Heard::Close(closed.0, closed.1);
        assert!(ear.rest().iter().all(|heard| *heard == again));
    }

    async fn who_comes_as_nobody_while_he_is_proved_is_sent_back(stage: Stage) {
        let visitor = stage.visitor().await;
        stage.prove(Some(visitor.id), "42").await;
        // The log has nothing more to tell: what was proved is found out at the door alone.
        let stage = stage.restart().await;
        let ear = pass_by(&stage, visitor).await;
        let Principal::Visitor(actor) = visitor.actor.principal else {
            panic!("a visitor");
        };
        let connection = VisitorConnection {
            connection_id: stage.world.ids.next(),
            workspace_id: visitor.actor.workspace_id,
            visitor: actor,
            purpose: Purpose::Launcher,
            browser: crate::common::browser(),
            page: None,
        };
        crate::common::enter(&stage.router, connection).await;
        let topic = Topic::VisitorLauncher(visitor.id);
        assert_eq!(closed(&ear).await, (topic, CloseCode::IdentityChanged));
    }

    async fn a_blocked_person_is_shut_out_on_all_devices_and_on_those_to_come(stage: Stage) {
        let (phone, laptop) = (stage.customer("42").await, stage.customer("42").await);
        let other = stage.customer("43").await;
        let id = stage.begins(phone).await;
        let ears = [pass_by(&stage, phone).await, pass_by(&stage, laptop).await];
        let at_other = pass_by(&stage, other).await;
        let owner = stage.owner().actor;
        let block = |blocked| Command::BlockVisitor { conversation_id: id, blocked };
        stage.ask(&owner, block(true)).await.expect("accepted");
        for (ear, device) in ears.iter().zip([phone, laptop]) {
            let topic = Topic::VisitorLauncher(device.id);
            assert_eq!(revoked(ear).await, topic);
            assert!(is_blocked(&stage, device).await);
            let said = stage.ask(&device.actor, crate::common::say(None, "let me in")).await;
            assert_eq!(said.expect_err("refused").code, ErrorCode::Blocked);
        }
        let tablet = stage.customer("42").await;
        assert!(is_blocked(&stage, tablet).await);
        assert!(!is_blocked(&stage, other).await);
        assert!(at_other.rest().iter().all(|heard| !matches!(heard, Heard::Close(_, CloseCode::Revoked))));
        // Taken back for one, taken back for all; and who comes later is no longer blocked.
        stage.ask(&owner, block(false)).await.expect("accepted");
        for device in [phone, laptop, tablet, stage.customer("42").await] {
            assert!(!is_blocked(&stage, device).await);
        }
        stage.says(laptop, "here again").await;
    }

    async fn what_is_reopened_is_followed_by_who_came_while_it_was_closed(stage: Stage) {
        let visitor = stage.visitor().await;
        let id = stage.begins(visitor).await;
        let owner = stage.owner().actor;
        stage.ask(&owner, Command::Close { conversation_id: id }).await.expect("accepted");
        let ear = connect(&stage, visitor).await;
        stage.ask(&owner, Command::Reopen { conversation_id: id }).await.expect("accepted");
        assert_eq!(followed(&ear).await, id);
    }
}
