//! What crosses: two nodes on one Postgres that change the same rows at the same time, in any order.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use crate::common::talk::{ANY, Talk, accepted, browser, key, words};
use crate::common::{NOW_MS, Store, files};
use futures_util::future::join_all;
use protocol::conversation::Marks;
use protocol::id::ConversationId;
use protocol::permission::VisitorActor;
use protocol::visitor::Claim;
use storage::audit::Change;
use storage::command::Refusal;
use storage::db::Home;
use storage::entry::{self, Append, Guard, NewContent, Outcome, Stored};
use storage::participant::{self, Mark, Party};
use storage::visitor::Proof;
use storage::{Db, Written, attachment, contact, conversation, visitor};

/// How often each race is run.
const ROUNDS: usize = 12;

async fn tries(db: &Db, append: &Append) -> Outcome {
    entry::append(db, append).await.unwrap()
}

/// Conversations, one of each of so many visitors.
async fn conversations(talk: &Talk<'_>, count: usize) -> Vec<ConversationId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let visitor = talk.another_visitor().await;
        let begun = accepted(talk.says_as(visitor, "first", words("hi")).await);
        ids.push(begun.conversation.id);
    }
    ids
}

#[tokio::test]
async fn a_file_named_through_two_nodes_at_once_belongs_to_one_message() {
    let store = Store::postgres().await;
    let other = store.again().await;
    let talk = Talk::new(&store).await;
    let blobs = files::blobs(&store);
    let ids = conversations(&talk, 4).await;
    for round in 0..ROUNDS {
        let mut message = words("see");
        for n in 0..2 {
            let text = format!("{round} {n}");
            let file = files::upload(&talk, &blobs, talk.agent_id, &text).await;
            message.attachment_ids.push(file.attachment.id);
        }
        // Each names both files, every second one in the other order.
        let deeds: Vec<_> = (0..8)
            .map(|n| {
                let mut message = message.clone();
                if n % 2 == 0 {
                    message.attachment_ids.reverse();
                }
                talk.deed(ids[n % 4], vec![NewContent::Message(message)])
            })
            .collect();
        let claims = deeds.iter().enumerate().map(|(n, deed)| {
            let db = if n < 4 { &store.db } else { &other };
            tries(db, deed)
        });
        let (mine, others): (Vec<_>, Vec<_>) = join_all(claims)
            .await
            .into_iter()
            .partition(|outcome| matches!(outcome, Outcome::Accepted(_)));
        let refused = Outcome::Refused(Refusal::Attachment);
        assert!(
            others.iter().all(|outcome| *outcome == refused),
            "{others:?}"
        );
        assert_eq!(mine.len(), 1, "round {round}: {mine:?}");
        let stored = accepted(mine.into_iter().next().unwrap());
        for id in &message.attachment_ids {
            let row = attachment::find(&store.db, talk.workspace_id, *id).await;
            assert_eq!(row.unwrap().unwrap().entry_id, Some(stored.entries[0].id));
        }
    }
}

/// What somebody does to a contact, for the audit log.
fn line(talk: &Talk<'_>, action: &'static str, target: impl ToString) -> Change {
    Change {
        workspace_id: talk.workspace_id,
        actor: "system".to_owned(),
        action,
        target: target.to_string(),
        fields: Vec::new(),
        changes_json: None,
        address: None,
        at_ms: NOW_MS,
    }
}

#[tokio::test]
async fn contacts_merged_through_two_nodes_lead_to_one_root_without_circles() {
    let store = Store::postgres().await;
    let other = store.again().await;
    let talk = Talk::new(&store).await;
    let scope = crate::common::scope(&store.world, talk.workspace_id);
    for round in 0..ROUNDS {
        let mut contacts = Vec::new();
        for id in conversations(&talk, 4).await {
            let row = conversation::find(&store.db, talk.workspace_id, id).await;
            contacts.push(row.unwrap().unwrap().contact_id);
        }
        // A chain and its end back to the beginning, all at once.
        let merges = (0..4).map(|n| {
            let (from, into) = (contacts[n], contacts[(n + 1) % 4]);
            let db = if n % 2 == 0 { &store.db } else { &other };
            let change = line(&talk, "contact.merged", from);
            async move { contact::merge(db, from, into, &change).await.unwrap() }
        });
        let done = join_all(merges).await;
        let merged = done
            .iter()
            .filter(|written| matches!(written, Written::Done(_)))
            .count();
        assert_eq!(merged, 3, "round {round}: {done:?}");
        // All of them are one person, whichever one is asked for.
        let mut named = Vec::new();
        for id in &contacts {
            let found = contact::named(&store.db, talk.workspace_id, *id).await;
            let mut ids = found.unwrap().expect("it is there").contact_ids;
            ids.sort_unstable();
            named.push(ids);
        }
        let mut all = contacts.clone();
        all.sort_unstable();
        assert!(
            named.iter().all(|ids| *ids == all),
            "round {round}: {named:?}"
        );
        let mut roots = 0;
        for id in &contacts {
            let found = contact::find(&store.db, &scope, *id)
                .await
                .unwrap()
                .unwrap();
            roots += usize::from(found.merged_into_id.is_none());
        }
        assert_eq!(roots, 1, "round {round}");
    }
}

/// Deadlocks that Postgres broke in this store.
async fn deadlocks(store: &Store) -> i64 {
    let Home::Postgres(url) = &store.config.home else {
        panic!("a Postgres");
    };
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    let background = store.world.tracker.spawn(connection);
    let count = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let count = client.query_one(count, &[]).await.unwrap().get(0);
    drop(client);
    background.await.unwrap().unwrap();
    count
}

/// A person's browser and his conversation.
type Person = (VisitorActor, Stored);

/// Does one of all the things that change rows which something else changes too.
async fn cross(talk: &Talk<'_>, db: &Db, people: &[Person], at: usize, n: u64) {
    let (visitor, begun) = &people[at];
    let target_id = begun.entries[0].id;
    let at_ms = NOW_MS + n;
    let contents = match n % 8 {
        0 => vec![NewContent::VisitorBlocked {
            blocked: n.is_multiple_of(16),
        }],
        1 => vec![NewContent::Closed],
        2 => vec![NewContent::Edited {
            target_id,
            body: format!("again {n}"),
        }],
        3 => vec![NewContent::Joined {
            agent_id: talk.agent_id,
        }],
        4 => {
            let marks = people.iter().map(|(_, begun)| Mark {
                workspace_id: talk.workspace_id,
                conversation_id: begun.conversation.id,
                party: Party::Agent(talk.agent_id),
                marks: Marks {
                    delivered: 1,
                    read: 1,
                },
            });
            let marks: Vec<_> = marks.collect();
            return participant::mark(db, &marks, at_ms).await.unwrap();
        }
        5 => {
            crate::common::learn(db).await;
            return;
        }
        6 => {
            let claim = Claim {
                company: Some(format!("{n}")),
                ..Claim::default()
            };
            let key = key(visitor.visitor_id, &format!("c{n}"), "x");
            let claimed = visitor::claim(db, talk.workspace_id, visitor, &key, &claim, at_ms);
            claimed.await.unwrap();
            return;
        }
        _ => {
            let browser = browser();
            let seen = visitor::seen(db, talk.workspace_id, visitor.visitor_id, &browser, at_ms);
            return seen.await.unwrap();
        }
    };
    let mut deed = talk.deed(begun.conversation.id, contents);
    deed.guard = Guard::team(ANY);
    tries(db, &deed).await;
}

/// Through two nodes and in no order: nobody ever waits for one who waits for him.
#[tokio::test]
async fn nothing_that_crosses_ends_in_a_deadlock() {
    let store = Store::postgres().await;
    let other = store.again().await;
    let talk = Talk::new(&store).await;
    let proof = Proof {
        customer_id: Some("4711".to_owned()),
        email: None,
        claim: Claim::default(),
    };
    let mut people = Vec::new();
    for _ in 0..4 {
        let visitor = talk.another_visitor().await;
        let begun = accepted(talk.says_as(visitor, "first", words("hi")).await);
        let proved = visitor::prove(
            &store.db,
            talk.workspace_id,
            visitor.visitor_id,
            &proof,
            NOW_MS,
        );
        proved.await.unwrap();
        people.push((visitor, begun));
    }
    let before = deadlocks(&store).await;
    for round in 0..ROUNDS as u64 {
        let crossing = (0..48).map(|n| {
            let ids = &talk.store.world.ids;
            let db = if ids.below(2) == 0 { &store.db } else { &other };
            let at = usize::try_from(ids.below(4)).unwrap();
            cross(&talk, db, &people, at, round * 48 + n)
        });
        join_all(crossing).await;
    }
    assert_eq!(deadlocks(&store).await, before);
}
