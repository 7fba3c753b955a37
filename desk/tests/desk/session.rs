//! Sessions: found by their secret, listed, ended, and over in time.

use protocol::id::{AgentId, Id, LoginSessionId, WorkspaceId};
use protocol::limit;
use protocol::page::{Cursor, List};
use protocol::permission::{Principal, Role};
use protocol::rejection::ErrorCode;
use protocol::setup::SignIn;
use router::Topic;
use storage::error::Written;
use storage::session::{SessionRow, SignInQuery};

use crate::office::{PASSWORD, code, on_both};

const DAY: u64 = 24 * 60 * 60;

#[tokio::test]
async fn a_session_lives_while_it_is_used_and_thirty_days_at_most() {
    on_both(async |office| {
        let (_, used) = office.owner().await;
        let idle = office
            .log_in("olga@example.com", PASSWORD, "192.0.2.1")
            .await
            .unwrap();
        for seconds in [6 * DAY, 6 * DAY, 6 * DAY, 6 * DAY, 6 * DAY - 60] {
            office.wait(seconds);
            let alive = office.desk.session(&used.secret).await.unwrap();
            assert_eq!(
                alive.map(|session| session.session_id),
                Some(used.session.session_id)
            );
        }
        assert!(
            office.desk.session(&idle.secret).await.unwrap().is_none(),
            "idle for 7 days"
        );
        office.wait(60);
        assert!(
            office.desk.session(&used.secret).await.unwrap().is_none(),
            "30 days are over"
        );
    })
    .await;
}

#[tokio::test]
async fn who_is_signed_in_stays_so_while_the_store_takes_no_writes() {
    on_both(async |office| {
        let (_, signed_in) = office.owner().await;
        let until_ms = signed_in.session.expires_at_ms;
        let look = async || {
            let session = office.desk.session(&signed_in.secret).await.unwrap();
            session.unwrap().expires_at_ms
        };
        office.wait(DAY);
        office.world.faults.fail("storage.batch", 0, u64::MAX);
        assert_eq!(look().await, until_ms, "it ends as was noted last");
        office.world.faults.heal();
        assert!(look().await > until_ms);
    })
    .await;
}

#[tokio::test]
async fn a_session_is_known_by_its_secret_alone() {
    on_both(async |office| {
        let (_, signed_in) = office.owner().await;
        assert!(
            office
                .desk
                .session(&signed_in.secret)
                .await
                .unwrap()
                .is_some()
        );
        let mut other = signed_in.secret.clone();
        other.pop();
        for wrong in [
            "",
            "sbs_",
            &other,
            &format!("{other}?"),
            &format!("{other}ä"),
            "sbk_x",
        ] {
            assert!(
                office.desk.session(wrong).await.unwrap().is_none(),
                "{wrong}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn one_sees_and_ends_ones_own_sessions_only() {
    on_both(async |office| {
        let (owner, here) = office.owner().await;
        let there = office
            .log_in("olga@example.com", PASSWORD, "192.0.2.3")
            .await
            .unwrap();
        let (_, ana) = office.member(&owner, "ana@example.com", Role::Agent).await;
        let list = office.desk.sessions(&here.session).await.unwrap();
        assert_eq!(list.len(), 2);
        assert!(
            list.iter()
                .all(|one| one.current == (one.id == here.session.session_id))
        );
        let foreign = office
            .desk
            .end_session(&here.session, ana.session.session_id)
            .await;
        assert_eq!(code(foreign), ErrorCode::NotFound);
        assert!(office.desk.session(&ana.secret).await.unwrap().is_some());
        let unknown = office
            .desk
            .end_session(&here.session, LoginSessionId::from_bits(1))
            .await;
        assert_eq!(code(unknown), ErrorCode::NotFound);
        office
            .desk
            .end_session(&here.session, there.session.session_id)
            .await
            .unwrap();
        assert!(office.desk.session(&there.secret).await.unwrap().is_none());
        office.desk.log_out(&here.session).await.unwrap();
        office.desk.log_out(&here.session).await.unwrap();
        assert!(office.desk.session(&here.secret).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn all_but_the_session_that_asks_end_and_who_looks_after_the_team_sees_when() {
    on_both(async |office| {
        let (owner, here) = office.owner().await;
        let address = "192.0.2.3";
        let there = office.log_in("olga@example.com", PASSWORD, address).await;
        let there = there.unwrap();
        let (agent, ana) = office.member(&owner, "ana@example.com", Role::Agent).await;
        office.desk.end_other_sessions(&here.session).await.unwrap();
        assert!(office.desk.session(&there.secret).await.unwrap().is_none());
        assert!(office.desk.session(&here.secret).await.unwrap().is_some());
        assert!(office.desk.session(&ana.secret).await.unwrap().is_some());
        let Principal::Agent(olga) = owner.principal else {
            unreachable!("an owner is a member");
        };
        let of = |agent_id| SignInQuery {
            agent_id: Some(agent_id),
            since_ms: 0,
            cursor: None,
            limit: 10,
        };
        let hers = of(olga.agent_id);
        let seen = office.desk.sign_ins(&owner, &hers).await.unwrap().items;
        let mut ended: Vec<_> = seen
            .iter()
            .map(|one| (one.id, one.ended_at_ms.is_some()))
            .collect();
        ended.sort_unstable();
        let mut expected = [
            (here.session.session_id, false),
            (there.session.session_id, true),
        ];
        expected.sort_unstable();
        assert_eq!(ended, expected);
        assert!(seen.iter().any(|one| one.address == address));
        let refused = office.desk.sign_ins(&agent, &hers).await;
        assert_eq!(code(refused), ErrorCode::Forbidden);
        let unknown = of(AgentId::from_bits(1));
        let unknown = office.desk.sign_ins(&owner, &unknown).await.unwrap();
        assert!(unknown.items.is_empty());
        // The whole team, a page at a time, each sign-in once and under its own name.
        let mut all = SignInQuery {
            agent_id: None,
            limit: 2,
            ..hers
        };
        let mut told = Vec::new();
        loop {
            let page = office.desk.sign_ins(&owner, &all).await.unwrap();
            told.extend(page.items);
            let Some(cursor) = page.cursor else { break };
            all.cursor = Some(Cursor::read(&cursor, List::SignIns).unwrap());
        }
        assert!(told.is_sorted_by(|one, next| one.created_at_ms >= next.created_at_ms));
        let of_olga = |one: &&SignIn| one.agent_id == olga.agent_id;
        assert_eq!(told.iter().filter(of_olga).count(), seen.len());
        assert!(told.iter().any(|one| one.id == ana.session.session_id));
        let later = SignInQuery {
            since_ms: office.world.clock.now_ms() + 1,
            cursor: None,
            ..all
        };
        let later = office.desk.sign_ins(&owner, &later).await.unwrap();
        assert!(later.items.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_session_closes_its_connections_at_once() {
    on_both(async |office| {
        let (_, here) = office.owner().await;
        let (deliveries, inbox) = flume::bounded(64);
        let shard = office.router.register_shard(deliveries);
        let topic = Topic::Session(here.session.session_id);
        office.router.subscribe(shard, topic);
        office.desk.log_out(&here.session).await.unwrap();
        office.sees_closed(&inbox, topic).await;
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_past_the_most_ends_the_session_that_was_not_used_for_longest() {
    on_both(async |office| {
        let (_, first) = office.owner().await;
        let user_id = first.session.user_id;
        let user = storage::user::find(&office.db, user_id).await;
        let password_hash = user.unwrap().unwrap().password_hash;
        let now_ms = office.world.clock.now_ms();
        let like = storage::session::list(&office.db, user_id, now_ms).await;
        let like = like.unwrap().remove(0);
        for _ in 1..limit::LOGIN_SESSIONS_MAX {
            let row = SessionRow {
                id: office.world.ids.next(),
                secret_hash: office.world.ids.bytes(),
                seen_at_ms: now_ms,
                ..like.clone()
            };
            let begun = storage::session::create(&office.db, &row, &password_hash).await;
            assert_eq!(begun.unwrap(), Written::Done(Vec::new()));
        }
        let (deliveries, inbox) = flume::bounded(64);
        let shard = office.router.register_shard(deliveries);
        let topic = Topic::Session(first.session.session_id);
        office.router.subscribe(shard, topic);
        let last = office
            .log_in("olga@example.com", PASSWORD, "192.0.2.1")
            .await;
        let last = last.unwrap();
        assert_eq!(office.desk.session(&first.secret).await.unwrap(), None);
        office.sees_closed(&inbox, topic).await;
        let listed = office.desk.sessions(&last.session).await.unwrap();
        assert_eq!(listed.len(), limit::LOGIN_SESSIONS_MAX);
        assert_eq!(listed.iter().filter(|session| session.current).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_workspace_is_open_to_its_members_alone() {
    on_both(async |office| {
        let (owner, signed_in) = office.owner().await;
        let foreign = WorkspaceId::from_bits(1);
        let answer = office
            .desk
            .agent_actor(&signed_in.session, Some(foreign))
            .await;
        assert_eq!(code(answer), ErrorCode::Forbidden);
        let named = office
            .desk
            .agent_actor(&signed_in.session, Some(owner.workspace_id))
            .await;
        assert_eq!(named.unwrap(), owner);
    })
    .await;
}

#[tokio::test]
async fn a_socket_token_is_only_as_good_as_session_and_membership() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (ana, signed_in) = office.member(&owner, "ana@example.com", Role::Agent).await;
        let protocol::permission::Principal::Agent(agent) = ana.principal else {
            panic!("an agent");
        };
        let look = |agent_id, session_id| {
            office
                .desk
                .agent_by_session(ana.workspace_id, agent_id, session_id)
        };
        assert_eq!(
            look(agent.agent_id, agent.session_id).await.unwrap(),
            Some(ana)
        );
        let protocol::permission::Principal::Agent(olga) = owner.principal else {
            panic!("an agent");
        };
        assert_eq!(
            look(agent.agent_id, olga.session_id).await.unwrap(),
            None,
            "another's session"
        );
        let elsewhere = WorkspaceId::from_bits(1);
        let foreign = office
            .desk
            .agent_by_session(elsewhere, agent.agent_id, agent.session_id)
            .await;
        assert_eq!(foreign.unwrap(), None);
        office.desk.log_out(&signed_in.session).await.unwrap();
        assert_eq!(look(agent.agent_id, agent.session_id).await.unwrap(), None);
    })
    .await;
}
