//! Two nodes on one Postgres: what each stores beside the other. One file serves one process only, so that
//! none of this can happen to the embedded store.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use std::future::Future;

use crate::common::talk::{ANY, Talk, accepted, key, words};
use crate::common::{NOW_MS, Store};
use futures_util::future::join_all;
use protocol::conversation::State;
use protocol::entry::{Content, ReopenCause};
use storage::command::Refusal;
use storage::conversation;
use storage::db::Home;
use storage::entry::{self, Append, Guard, NewContent, Numbering, Outcome};
use storage::inbox::{self, ListQuery};
use storage::message::{self, VisitorMessage};
use storage::{Db, contact, visitor};

/// How often each race is run.
const ROUNDS: usize = 12;

async fn tries(db: &Db, append: &Append) -> Outcome {
    entry::append(db, append).await.unwrap()
}

/// The same command as it would come to another node: with entries of its own.
fn retried(talk: &Talk<'_>, append: &Append) -> Append {
    let mut retry = append.clone();
    for entry in &mut retry.entries {
        entry.id = talk.store.world.ids.next();
    }
    retry
}

async fn numbers(talk: &Talk<'_>, id: protocol::id::ConversationId) -> Vec<u64> {
    let entries = entry::after(
        &talk.store.db,
        talk.workspace_id,
        id,
        Numbering::Team,
        0,
        200,
    );
    entries
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.seq)
        .collect()
}

#[tokio::test]
async fn sends_through_two_nodes_are_dense() {
    let store = Store::postgres().await;
    let other = store.again().await;
    let talk = Talk::new(&store).await;
    let id = talk.says("one").await.conversation.id;
    let deeds: Vec<_> = (0..160)
        .map(|n| talk.deed(id, vec![NewContent::Message(words(&format!("m{n}")))]))
        .collect();
    let sends = deeds.iter().enumerate().map(|(n, deed)| {
        let db = if n % 2 == 0 { &store.db } else { &other };
        tries(db, deed)
    });
    let mut given: Vec<_> = join_all(sends)
        .await
        .into_iter()
        .map(|outcome| accepted(outcome).receipt.seq.unwrap())
        .collect();
    given.sort_unstable();
    assert_eq!(given, (2..=161).collect::<Vec<_>>());
    assert_eq!(numbers(&talk, id).await, (1..=161).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_command_sent_through_two_nodes_at_once_is_stored_once() {
    let store = Store::postgres().await;
    let other = store.again().await;
    let talk = Talk::new(&store).await;
    let id = talk.says("one").await.conversation.id;
    for round in 0..ROUNDS {
        let first = talk.deed(id, vec![NewContent::Message(words("once"))]);
        let second = retried(&talk, &first);
        // Others around it, so that it fails in the middle of a group.
        let around: Vec<_> = (0..6)
            .map(|_| talk.deed(id, vec![NewContent::Message(words("around"))]))
            .collect();
        let (one, two, others) = futures_util::join!(
            tries(&store.db, &first),
            tries(&other, &second),
            join_all(
                around
                    .iter()
                    .enumerate()
                    .map(|(n, deed)| tries(if n % 2 == 0 { &store.db } else { &other }, deed))
            )
        );
        others.into_iter().for_each(|outcome| {
            accepted(outcome);
        });
        match (one, two) {
            (Outcome::Accepted(stored), Outcome::Replayed(receipt))
            | (Outcome::Replayed(receipt), Outcome::Accepted(stored)) => {
                assert_eq!(stored.receipt, receipt, "round {round}");
            }
            other => panic!("round {round}: {other:?}"),
        }
    }
    let count = 1 + ROUNDS * 7;
    let dense: Vec<u64> = (1..=count as u64).collect();
    assert_eq!(numbers(&talk, id).await, dense);
}

#[tokio::test]
async fn a_decision_over_an_older_version_is_refused() {
    let store = Store::postgres().await;
    let other = store.again().await;
    let talk = Talk::new(&store).await;
    let id = talk.says("one").await.conversation.id;
    for round in 0..ROUNDS {
        let now = conversation::find(&store.db, talk.workspace_id, id)
            .await
            .unwrap()
            .unwrap();
        let decided = |priority| {
            let mut deed = talk.deed(id, vec![NewContent::Prioritized { priority }]);
            deed.guard = Guard {
                version: Some(now.version),
                ..Guard::team(ANY)
            };
            deed
        };
        let (one, two) = (decided(1), decided(4));
        let (one, two) = futures_util::join!(tries(&store.db, &one), tries(&other, &two));
        let accepted = [&one, &two]
            .iter()
            .filter(|o| matches!(o, Outcome::Accepted(_)))
            .count();
        let stale = Outcome::Refused(Refusal::Stale);
        assert_eq!(accepted, 1, "round {round}: {one:?} {two:?}");
        assert!(
            one == stale || two == stale,
            "round {round}: {one:?} {two:?}"
        );
    }
}

#[tokio::test]
async fn nobody_who_was_blocked_elsewhere_speaks_after_it() {
    let store = Store::postgres().await;
    let other = store.again().await;
    let talk = Talk::new(&store).await;
    for round in 0..ROUNDS {
        let visitor = talk.another_visitor().await;
        let begun = accepted(talk.says_as(visitor, "first", words("hi")).await);
        let id = begun.conversation.id;
        let mut course = None;
        let say = |n: usize| VisitorMessage {
            workspace_id: talk.workspace_id,
            visitor,
            key: key(visitor.visitor_id, &format!("m{n}"), "x"),
            conversation_id: Some(id),
            message: words("x"),
            at_ms: NOW_MS,
        };
        message::send(&other, &say(0), &mut course).await.unwrap();
        let block = talk.deed(id, vec![NewContent::VisitorBlocked { blocked: true }]);
        let speaking = async {
            for n in 1..8 {
                message::send(&other, &say(n), &mut course).await.unwrap();
            }
        };
        futures_util::join!(speaking, tries(&store.db, &block));
        let entries = entry::after(&store.db, talk.workspace_id, id, Numbering::Team, 0, 200)
            .await
            .unwrap();
        let last = entries.last().unwrap();
        let blocks = matches!(last.content, Content::VisitorBlocked { .. });
        assert!(blocks, "round {round}: {last:?}");
    }
}

#[tokio::test]
async fn a_visitor_gets_one_open_conversation_from_two_nodes() {
    let store = Store::postgres().await;
    let other = store.again().await;
    let talk = Talk::new(&store).await;
    for round in 0..ROUNDS {
        let visitor = talk.another_visitor().await;
        let first = accepted(talk.says_as(visitor, "first", words("hi")).await)
            .conversation
            .id;
        talk.does(first, NewContent::Closed).await;
        // One node opens the old one again while the other begins a new one.
        let mut reopen = talk.deed(
            first,
            vec![NewContent::Reopened {
                cause: ReopenCause::Agent,
                from: State::Closed,
            }],
        );
        reopen.guard = Guard::team(&[State::Closed]);
        let say = VisitorMessage {
            workspace_id: talk.workspace_id,
            visitor,
            key: key(visitor.visitor_id, "second", "x"),
            conversation_id: None,
            message: words("x"),
            at_ms: NOW_MS,
        };
        let mut course = None;
        let (_, said) = futures_util::join!(
            tries(&store.db, &reopen),
            message::send(&other, &say, &mut course)
        );
        accepted(said.unwrap());
        let all = ListQuery {
            list: protocol::view::InboxFilter::All.into(),
            agent_id: None,
            cursor: None,
            limit: 50,
        };
        let scope = crate::common::scope(&store.world, talk.workspace_id);
        let open: Vec<_> = inbox::list(&store.db, &scope, &all)
            .await
            .unwrap()
            .items
            .into_iter()
            .filter(|row| row.visitor_id == Some(visitor.visitor_id))
            .map(|row| row.id)
            .collect();
        let row = visitor::find(&store.db, talk.workspace_id, visitor.visitor_id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(open.len(), 1, "round {round}: {open:?}");
        assert_eq!(row.open_conversation_id, Some(open[0]), "round {round}");
    }
}

#[tokio::test]
async fn nothing_is_said_behind_an_erasure() {
    let store = Store::postgres().await;
    let other = store.again().await;
    let talk = Talk::new(&store).await;
    for round in 0..ROUNDS {
        let visitor = talk.another_visitor().await;
        let begun = accepted(talk.says_as(visitor, "first", words("hi")).await);
        let id = begun.conversation.id;
        let mut course = None;
        let speaking = async {
            for n in 0..8 {
                let say = VisitorMessage {
                    workspace_id: talk.workspace_id,
                    visitor,
                    key: key(visitor.visitor_id, &format!("m{n}"), "x"),
                    conversation_id: Some(id),
                    message: words("secret"),
                    at_ms: NOW_MS,
                };
                message::send(&other, &say, &mut course).await.unwrap();
                crate::common::learn(&other).await;
            }
        };
        let line = storage::audit::Change {
            workspace_id: talk.workspace_id,
            actor: "system".to_owned(),
            action: "contact.erased",
            target: begun.conversation.contact_id.to_string(),
            fields: Vec::new(),
            changes_json: None,
            address: None,
            at_ms: NOW_MS,
        };
        let erasing = contact::erase(&store.db, begun.conversation.contact_id, &line);
        let ((), erased) = futures_util::join!(speaking, erasing);
        erased.unwrap().expect("the contact is there");
        let entries = entry::after(&store.db, talk.workspace_id, id, Numbering::Team, 0, 200)
            .await
            .unwrap();
        let words: Vec<_> = entries
            .iter()
            .filter_map(|entry| {
                if let Content::Message { message } = &entry.content {
                    Some(message.body.as_str())
                } else {
                    None
                }
            })
            .filter(|body| !body.is_empty())
            .collect();
        assert!(words.is_empty(), "round {round}: {words:?}");
        let row = conversation::find(&store.db, talk.workspace_id, id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.preview.expect("a preview").text, "", "round {round}");
    }
}

/// As a restart of the server does: what was acknowledged is stored once, and new connections are made.
#[tokio::test]
async fn cut_connections_lose_nothing_acknowledged() {
    let store = Store::postgres().await;
    let talk = Talk::new(&store).await;
    let id = talk.says("one").await.conversation.id;
    let Home::Postgres(url) = &store.config.home else {
        panic!("a Postgres");
    };
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    let background = store.world.tracker.spawn(connection);
    let stored = std::sync::atomic::AtomicUsize::new(0);
    let senders = (0..8).map(|sender| {
        let (talk, stored) = (&talk, &stored);
        async move {
            let mut seqs = Vec::new();
            for n in 0..12 {
                let body = format!("{sender} {n}");
                let deed = talk.deed(id, vec![NewContent::Message(words(&body))]);
                let seq = loop {
                    match entry::append(&talk.store.db, &deed).await {
                        Ok(Outcome::Accepted(stored)) => break stored.receipt.seq,
                        Ok(Outcome::Replayed(receipt)) => break receipt.seq,
                        Err(error) if error.is_unavailable() => {}
                        other => panic!("{other:?}"),
                    }
                };
                stored.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                seqs.extend(seq);
            }
            seqs
        }
    });
    let cutting = async {
        for round in 1..=5 {
            // Each time in the middle of what goes on.
            while stored.load(std::sync::atomic::Ordering::Relaxed) < round * 12 {
                tokio::task::yield_now().await;
            }
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
            client.query(cut, &[]).await.unwrap();
        }
    };
    let (seqs, ()) = futures_util::join!(join_all(senders), cutting);
    let mut seqs = seqs.concat();
    seqs.sort_unstable();
    let dense: Vec<u64> = (1..=97).collect();
    assert_eq!(seqs, dense[1..]);
    assert_eq!(numbers(&talk, id).await, dense);
    drop(client);
    background.await.unwrap().unwrap();
}

/// A connection beside the store's, as another node has it.
async fn beside(store: &Store) -> (tokio_postgres::Client, impl Future<Output = ()>) {
    let Home::Postgres(url) = &store.config.home else {
        panic!("a Postgres");
    };
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    let background = store.world.tracker.spawn(connection);
    (client, async { background.await.unwrap().unwrap() })
}

/// Until so many wait for a lock. Within a transaction, connections that were made after its first look are not seen.
async fn waiting(watcher: &tokio_postgres::Client, count: i64) {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while watcher.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) != count {}
}

/// What another node does that appends: it counts in the conversation.
const COUNT: &str = "UPDATE conversation SET version = version + 1";
const BLOCK: &str = "UPDATE visitor SET blocked_at_ms = 1; COMMIT";

/// Whoever had to wait for a conversation sees all that was done meanwhile, not the store of before the wait.
#[tokio::test]
async fn a_send_that_waited_sees_what_it_waited_for() {
    let store = Store::postgres().await;
    let talk = Talk::new(&store).await;
    let id = talk.says("one").await.conversation.id;
    let (client, ended) = beside(&store).await;
    let (watcher, watched) = beside(&store).await;
    client.batch_execute("BEGIN").await.unwrap();
    client.batch_execute(COUNT).await.unwrap();
    let saying = talk.says_as(talk.visitor, "late", words("two"));
    let blocking = async {
        waiting(&watcher, 1).await;
        client.batch_execute(BLOCK).await.unwrap();
    };
    let (outcome, ()) = futures_util::join!(saying, blocking);
    assert_eq!(outcome, Outcome::Refused(Refusal::Blocked));
    assert_eq!(numbers(&talk, id).await, [1]);
    drop((client, watcher));
    ended.await;
    watched.await;
}

/// The same of sends that are stored together: who had to wait sees it, and who had not is stored meanwhile.
#[tokio::test]
async fn sends_of_one_group_that_waited_see_what_they_waited_for() {
    let store = Store::postgres().await;
    let talk = Talk::new(&store).await;
    let mut ids = Vec::new();
    let mut visitors = Vec::new();
    for _ in 0..4 {
        let visitor = talk.another_visitor().await;
        let begun = accepted(talk.says_as(visitor, "first", words("one")).await);
        ids.push(begun.conversation.id);
        visitors.push(visitor);
    }
    let (first, first_ended) = beside(&store).await;
    let (second, second_ended) = beside(&store).await;
    let (watcher, watched) = beside(&store).await;
    let counts = |index: usize| format!("{COUNT} WHERE conversation_id = '{}'", ids[index]);
    first
        .batch_execute(&format!("BEGIN; {}", counts(0)))
        .await
        .unwrap();
    second
        .batch_execute(&format!("BEGIN; {}; {}", counts(1), counts(2)))
        .await
        .unwrap();
    let says = |index: usize| talk.says_as(visitors[index], "late", words("two"));
    let others = async {
        // The others come while the first one waits, and are one group when it is done.
        waiting(&watcher, 1).await;
        futures_util::join!(says(1), says(2), says(3))
    };
    let blocking = async {
        waiting(&watcher, 1).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        first.batch_execute("COMMIT").await.unwrap();
        waiting(&watcher, 0).await;
        waiting(&watcher, 1).await;
        let block = format!(
            "UPDATE visitor SET blocked_at_ms = 1 WHERE visitor_id <> '{}'; COMMIT",
            visitors[3].visitor_id
        );
        second.batch_execute(&block).await.unwrap();
    };
    let (waited, (one, two, free), ()) = futures_util::join!(says(0), others, blocking);
    accepted(waited);
    accepted(free);
    let blocked = Outcome::Refused(Refusal::Blocked);
    assert_eq!((one, two), (blocked.clone(), blocked));
    let mut counts = Vec::new();
    for id in ids {
        counts.push(numbers(&talk, id).await.len());
    }
    assert_eq!(counts, [2, 1, 1, 2]);
    drop((first, second, watcher));
    first_ended.await;
    second_ended.await;
    watched.await;
}
