//! Signing in: right and wrong passwords, lockouts, the log of failures.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use desk::{Desk, DeskConfig};
use protocol::permission::{Permission, Role};
use protocol::rejection::ErrorCode;
use protocol::setup::{Login, PasswordChange};
use protocol::text::Email;

use crate::office::{Office, PASSWORD, caller, code, on_both, on_both_with, refused};
use protocol::permission::Actor;

const WRONG: &str = "incorrect horse battery";

async fn reasons(office: &Office, actor: &Actor) -> Vec<String> {
    let scope = actor.may(Permission::AuditRead).unwrap();
    let page = storage::failed_login::list(&office.db, &scope, None, 100)
        .await
        .unwrap();
    page.items.into_iter().map(|failed| failed.reason).collect()
}

#[tokio::test]
async fn the_address_counts_whatever_its_case_and_the_password_exactly() {
    on_both(async |office| {
        office.owner().await;
        let signed_in = office
            .log_in("Olga@Example.com", PASSWORD, "192.0.2.1")
            .await
            .unwrap();
        assert_eq!(signed_in.me.email, "olga@example.com");
        for (email, password) in [
            ("olga@example.com", WRONG),
            ("olga@example.com", "Correct horse battery"),
            ("olga@example.com", ""),
            ("nobody@example.com", PASSWORD),
        ] {
            let answer = office.log_in(email, password, "192.0.2.1").await;
            assert_eq!(code(answer), ErrorCode::WrongCredentials);
        }
    })
    .await;
}

#[tokio::test]
async fn the_fifth_failure_locks_the_address_out_for_fifteen_minutes() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        for _ in 0..5 {
            let answer = office.log_in("olga@example.com", WRONG, "192.0.2.9").await;
            assert_eq!(code(answer), ErrorCode::WrongCredentials);
        }
        let locked = refused(
            office
                .log_in("olga@example.com", PASSWORD, "192.0.2.9")
                .await,
        );
        assert_eq!(locked.code, ErrorCode::LockedOut);
        assert_eq!(locked.retry_after_ms, Some(900_000));
        let elsewhere = office
            .log_in("olga@example.com", PASSWORD, "192.0.2.10")
            .await;
        assert!(elsewhere.is_ok(), "others are not locked out");
        office.wait(899);
        let still = office
            .log_in("olga@example.com", PASSWORD, "192.0.2.9")
            .await;
        assert_eq!(code(still), ErrorCode::LockedOut);
        office.wait(2);
        assert!(
            office
                .log_in("olga@example.com", PASSWORD, "192.0.2.9")
                .await
                .is_ok()
        );
        let reasons = reasons(office, &owner).await;
        assert_eq!(
            reasons.iter().filter(|reason| *reason == "locked").count(),
            2
        );
        assert_eq!(
            reasons
                .iter()
                .filter(|reason| *reason == "wrong_password")
                .count(),
            5
        );
    })
    .await;
}

#[tokio::test]
async fn failures_at_one_node_lock_out_at_the_others_too() {
    on_both(async |office| {
        office.owner().await;
        let config = DeskConfig::default();
        let other = Desk::new(
            office.world.clone(),
            office.db.clone(),
            office.router.clone(),
            config,
        );
        let guess = async |desk: &Desk, password: &str| {
            let login = Login {
                email: Email::parse("olga@example.com").unwrap(),
                password: password.to_owned(),
                time_zone: None,
            };
            desk.log_in(&login, &caller("192.0.2.9")).await
        };
        for desk in [&office.desk, &other, &office.desk, &other, &office.desk] {
            assert_eq!(code(guess(desk, WRONG).await), ErrorCode::WrongCredentials);
        }
        for desk in [&office.desk, &other] {
            assert_eq!(code(guess(desk, PASSWORD).await), ErrorCode::LockedOut);
        }
    })
    .await;
}

#[tokio::test]
async fn the_operator_says_how_many_failures_lock_out_and_for_how_long() {
    let strict = DeskConfig {
        lockout_failures: 2,
        lockout_ms: 60_000,
        ..DeskConfig::default()
    };
    on_both_with(&strict, async |office| {
        office.owner().await;
        let guess = async |password| {
            office
                .log_in("olga@example.com", password, "192.0.2.9")
                .await
        };
        for _ in 0..2 {
            assert_eq!(code(guess(WRONG).await), ErrorCode::WrongCredentials);
        }
        let locked = refused(guess(PASSWORD).await);
        assert_eq!(locked.code, ErrorCode::LockedOut);
        assert_eq!(locked.retry_after_ms, Some(60_000));
        office.wait(61);
        assert!(guess(PASSWORD).await.is_ok());
    })
    .await;
    let trusting = DeskConfig {
        lockout_failures: 0,
        ..DeskConfig::default()
    };
    on_both_with(&trusting, async |office| {
        office.owner().await;
        for _ in 0..9 {
            let answer = office.log_in("olga@example.com", WRONG, "192.0.2.9").await;
            assert_eq!(code(answer), ErrorCode::WrongCredentials);
        }
    })
    .await;
}

#[tokio::test]
async fn many_guesses_at_once_are_counted_one_by_one() {
    on_both(async |office| {
        office.owner().await;
        let guess = || Box::pin(office.log_in("olga@example.com", WRONG, "2001:db8::1"));
        let (a, b, c, d, e, f, g, h) = tokio::join!(
            guess(),
            guess(),
            guess(),
            guess(),
            guess(),
            guess(),
            guess(),
            guess(),
        );
        let codes = [a, b, c, d, e, f, g, h].map(code);
        let wrong = codes
            .iter()
            .filter(|code| **code == ErrorCode::WrongCredentials)
            .count();
        assert_eq!(wrong, 5, "{codes:?}");
        let neighbour = office
            .log_in("olga@example.com", PASSWORD, "2001:db8::2")
            .await;
        assert_eq!(
            code(neighbour),
            ErrorCode::LockedOut,
            "the /64 counts as one"
        );
    })
    .await;
}

#[tokio::test]
async fn an_exempt_address_is_never_locked_out() {
    on_both(async |office| {
        office.owner().await;
        let mut at = caller("192.0.2.9");
        at.exempt = true;
        let login = |password: &str| protocol::setup::Login {
            email: protocol::text::Email::parse("olga@example.com").unwrap(),
            password: password.to_owned(),
            time_zone: None,
        };
        for _ in 0..7 {
            let answer = office.desk.log_in(&login(WRONG), &at).await;
            assert_eq!(code(answer), ErrorCode::WrongCredentials);
        }
        assert!(office.desk.log_in(&login(PASSWORD), &at).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn the_log_says_why_and_keeps_no_password() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (ana, _) = office.member(&owner, "ana@example.com", Role::Agent).await;
        let protocol::permission::Principal::Agent(agent) = ana.principal else {
            panic!("an agent");
        };
        let off = protocol::agent::AgentChange {
            deactivated: Some(true),
            ..Default::default()
        };
        office
            .desk
            .change_agent(&owner, agent.agent_id, 1, &off, None)
            .await
            .unwrap();
        for (email, password, reason) in [
            ("olga@example.com", WRONG, "wrong_password"),
            ("nobody@example.com", WRONG, "not_found"),
            ("ana@example.com", PASSWORD, "deactivated"),
        ] {
            let answer = office.log_in(email, password, "192.0.2.7").await;
            assert_eq!(code(answer), ErrorCode::WrongCredentials, "{reason}");
            office.wait(1);
        }
        let scope = owner.may(Permission::AuditRead).unwrap();
        let page = storage::failed_login::list(&office.db, &scope, None, 100)
            .await
            .unwrap();
        let shown: Vec<_> = page
            .items
            .iter()
            .map(|failed| (failed.email.as_str(), failed.reason.as_str()))
            .collect();
        // Who was deactivated belongs to no team any more; the only workspace sees the attempt.
        assert_eq!(
            shown,
            [
                ("ana@example.com", "deactivated"),
                ("nobody@example.com", "not_found"),
                ("olga@example.com", "wrong_password"),
            ]
        );
        for failed in &page.items {
            let from = (failed.address.as_str(), failed.user_agent.as_str());
            assert_eq!(from, ("192.0.2.7", "Firefox"));
        }
        let times: Vec<_> = page.items.iter().map(|failed| failed.at_ms).collect();
        assert!(
            times.is_sorted_by(|newer, older| newer > older),
            "{times:?}"
        );
        assert!(
            !serde_json::to_string(&page.items)
                .unwrap()
                .contains("horse")
        );
    })
    .await;
}

#[tokio::test]
async fn changing_the_password_needs_the_old_one_and_ends_other_sessions() {
    on_both(async |office| {
        let (_, here) = office.owner().await;
        let there = office
            .log_in("olga@example.com", PASSWORD, "192.0.2.3")
            .await
            .unwrap();
        let at = caller("192.0.2.1");
        let change = |current: &str, new: &str| PasswordChange {
            current: current.to_owned(),
            new: new.to_owned(),
        };
        let wrong = change(WRONG, "a wholly new phrase");
        let answer = office
            .desk
            .change_password(&here.session, &wrong, &at)
            .await;
        let refused = answer.unwrap_err().rejection();
        assert_eq!(refused.code, ErrorCode::WrongCredentials);
        assert_eq!(refused.field.as_deref(), Some("current"));
        let weak = change(PASSWORD, "olga kovač & co");
        let answer = office.desk.change_password(&here.session, &weak, &at).await;
        assert_eq!(code(answer), ErrorCode::PasswordWeak);
        let good = change(PASSWORD, "a wholly new phrase");
        office
            .desk
            .change_password(&here.session, &good, &at)
            .await
            .unwrap();
        assert!(office.desk.session(&here.secret).await.unwrap().is_some());
        assert!(office.desk.session(&there.secret).await.unwrap().is_none());
        let old = office
            .log_in("olga@example.com", PASSWORD, "192.0.2.1")
            .await;
        assert_eq!(code(old), ErrorCode::WrongCredentials);
    })
    .await;
}

/// Polls until it waited so many times; gives what it came to, if it did. Then it is at a standstill.
async fn after_waits<F: Future + Unpin>(count: usize, future: &mut F) -> Option<F::Output> {
    let mut waited = 0;
    poll_fn(|context| match Pin::new(&mut *future).poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if waited + 1 == count => Poll::Ready(None),
        Poll::Pending => {
            waited += 1;
            Poll::Pending
        }
    })
    .await
}

/// In whichever step of the sign-in that happens.
#[tokio::test]
async fn a_password_that_is_changed_meanwhile_lets_nobody_in() {
    on_both(async |office| {
        let (actor, owner) = office.owner().await;
        let user_id = owner.session.user_id;
        let stored_hash = async || {
            let user = storage::user::find(&office.db, user_id).await;
            user.unwrap().unwrap().password_hash
        };
        let set = async |hash: &str| {
            let now_ms = office.world.clock.now_ms();
            let set = storage::user::set_password(&office.db, user_id, hash, None, None, now_ms);
            set.await.unwrap();
        };
        let checked = stored_hash().await;
        let reset = office
            .desk
            .reset_password("olga@example.com", "a wholly new phrase");
        reset.await.unwrap();
        let other = stored_hash().await;
        set(&checked).await;
        for wait_count in 1..=5 {
            let address = format!("192.0.2.{wait_count}");
            let mut sign_in = Box::pin(office.log_in("olga@example.com", PASSWORD, &address));
            let early = after_waits(wait_count, &mut sign_in).await;
            set(&other).await;
            let answer = match early {
                Some(answer) => answer,
                None => sign_in.await,
            };
            match answer {
                // The change came after it, and ended the session.
                Ok(signed_in) => {
                    let session = office.desk.session(&signed_in.secret).await.unwrap();
                    assert_eq!(session, None);
                }
                Err(error) => {
                    assert_eq!(error.rejection().code, ErrorCode::WrongCredentials);
                    let reasons = reasons(office, &actor).await;
                    assert_eq!(reasons[0], "wrong_password");
                }
            }
            set(&checked).await;
            office.wait(1);
        }
    })
    .await;
}
