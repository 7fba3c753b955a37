//! Stores of each earlier schema, with what programs of then stored, are brought up to date by being opened: all of it
//! can be read, and goes on.

use protocol::entry::Content;
use protocol::id::{ContactId, ConversationId, Id};
use protocol::permission::VisitorActor;
use protocol::view::InboxFilter;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tokio_postgres::NoTls;
use world::World;

use self::common::talk::Talk;
use self::common::{NOW_MS, Store};
use super::*;
use crate::db::Stmt;
use crate::entry::Numbering;
use crate::search::Learned;
use crate::{contact, entry, node, site, user, workspace};

#[expect(dead_code, reason = "the contracts use more of it")]
#[path = "../../../tests/storage/common/mod.rs"]
mod common;

/// A workspace in which something was said, as programs of the first schema stored it, and what those of each later one
/// added.
const ROWS: [&str; 4] = [
    include_str!("rows.sql"),
    "UPDATE workspace SET industry = 'Lamps'",
    "UPDATE node SET connection_count = 7",
    "",
];

/// Each step as it was when stores took it. Whoever changes one finds those stores nowhere: add another one instead.
const TAKEN: [&str; 5] = [
    "af769b4ad76abdca",
    "60ca6ef314ec994d",
    "7c5fc58550ce3b6c",
    "a0905d1698978646",
    "248e992a1c719972",
];

/// The one of each kind in those rows.
fn id<T: Id>() -> T {
    T::from_bits(1)
}

/// A file as the program left it that knew so many steps.
async fn sqlite(known: usize) -> Store {
    let directory = tempfile::tempdir().expect("a directory for tests");
    let path = directory.path().join("switchboard.db");
    let connection = Connection::open(&path).expect("a file can be opened");
    apply(&connection, &MIGRATIONS[..known], NOW_MS).expect("the steps are good");
    for rows in &ROWS[..known] {
        connection.execute_batch(rows).expect("they fit");
    }
    drop(connection);
    Store::open(&format!("sqlite:{}", path.display()), directory).await
}

/// A database as that program left it.
async fn postgres(known: usize) -> Store {
    let url = common::new_database().await;
    let connected = tokio_postgres::connect(&url, NoTls).await;
    let (mut client, connection) = connected.expect("it answers");
    let background = World::system().tracker.spawn(connection);
    let applied = apply_postgres(&mut client, &MIGRATIONS[..known], NOW_MS).await;
    applied.expect("the steps are good");
    for rows in &ROWS[..known] {
        client.batch_execute(rows).await.expect("they fit");
    }
    drop(client);
    let ended = background.await.expect("it ends");
    ended.expect("in good order");
    Store::open(&url, tempfile::tempdir().expect("a directory for tests")).await
}

async fn steps_of(store: &Store) -> usize {
    let sql = "SELECT number FROM migration LIMIT 100";
    let rows = store.db.rows(Stmt::new(sql, Vec::new())).await;
    rows.expect("the store works").len()
}

/// What was stored is there as it was, and what came later has its beginning.
async fn is_read(store: &Store, talk: &Talk<'_>, known: usize) -> Result<()> {
    let (db, workspace_id) = (&store.db, talk.workspace_id);
    let scope = common::scope(&store.world, workspace_id);
    let workspace = workspace::find(db, workspace_id)
        .await?
        .expect("it is there");
    assert_eq!(workspace.name, "Lamps and Sons");
    assert_eq!(workspace.industry, if known >= 2 { "Lamps" } else { "" });
    let nodes = node::list(db).await?;
    let counts: Vec<_> = nodes
        .iter()
        .map(|node| node.load.connection_count)
        .collect();
    assert_eq!(counts, [if known >= 3 { 7 } else { 0 }]);
    let site = site::find(db, workspace_id, talk.site_id).await?;
    assert_eq!(site.expect("it is there").theme.greeting, "Hello!");
    let user = user::find(db, id()).await?;
    assert_eq!(user.expect("it is there").email, "mira@example.com");
    let contact = contact::find(db, &scope, id::<ContactId>()).await?;
    assert_eq!(contact.expect("it is there").name, "Ana");
    Ok(())
}

/// What was said is there, is found, and is answered.
async fn goes_on(store: &Store, talk: &Talk<'_>) -> Result<()> {
    let (db, conversation_id) = (&store.db, id::<ConversationId>());
    let answer = talk.answers(conversation_id, "And a red one.").await;
    assert_eq!(answer.receipt.seq, Some(5));
    let said = talk.says("Both, then.").await;
    assert_eq!(said.conversation.id, conversation_id, "it is still open");
    let log = entry::after(
        db,
        talk.workspace_id,
        conversation_id,
        Numbering::Team,
        0,
        9,
    )
    .await?;
    let said: Vec<_> = log
        .iter()
        .filter_map(|entry| {
            let Content::Message { message } = &entry.content else {
                return None;
            };
            Some(message.body.as_str())
        })
        .collect();
    let expected = ["Is it green?", "It is.", "And a red one.", "Both, then."];
    assert_eq!((said, log.len()), (expected.to_vec(), 6));
    while common::learn(db).await != Learned::All {}
    let scope = common::scope(&store.world, talk.workspace_id);
    for word in ["green", "red", "both"] {
        let all = InboxFilter::All.into();
        let found = search::everywhere(db, &scope, word, all, None, 9).await?;
        assert_eq!(found.items.len(), 1, "{word}");
    }
    Ok(())
}

async fn is_brought_up_to_date(store: &Store, known: usize) {
    assert_eq!(steps_of(store).await, MIGRATIONS.len());
    let talk = Talk {
        store,
        workspace_id: id(),
        site_id: id(),
        agent_id: id(),
        visitor: VisitorActor {
            visitor_id: id(),
            site_id: id(),
            contact_id: None,
        },
    };
    is_read(store, &talk, known).await.expect("it can be read");
    goes_on(store, &talk).await.expect("it goes on");
}

#[tokio::test]
async fn a_file_of_each_earlier_schema_is_brought_up_to_date() {
    for known in 1..MIGRATIONS.len() {
        is_brought_up_to_date(&sqlite(known).await, known).await;
    }
}

#[tokio::test]
async fn a_database_of_each_earlier_schema_is_brought_up_to_date() {
    for known in 1..MIGRATIONS.len() {
        is_brought_up_to_date(&postgres(known).await, known).await;
    }
}

#[test]
fn a_step_that_stores_have_taken_is_what_it_was() {
    let digest = |step: &Migration| {
        let text = format!("{}{}{}", step.texts.concat(), step.sqlite, step.postgres);
        let hash = Sha256::digest(text.as_bytes());
        hash[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let found: Vec<_> = MIGRATIONS.iter().map(digest).collect();
    assert_eq!(found, TAKEN);
}
