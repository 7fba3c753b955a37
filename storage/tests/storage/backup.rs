//! The contract of backups: whole, consistent, restorable into either home, with a new epoch.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::both::on_both;
use crate::common::talk::{Talk, accepted, words};
use crate::common::{NOW_MS, Store, begin, session};
use futures_util::future::join_all;
use protocol::id::ConversationId;
use protocol::trouble::{Trouble, TroubleKind};
use storage::backup::{backup, compare, restore};
use storage::backup_turn::{self, Holder, Turn, TurnState};
use storage::db::{Batch, Home, Stmt};
use storage::entry::NewContent;
use storage::error::Error;
use storage::{meta, setup, user};

/// Backs a store up and restores it into another.
async fn moved(from: &Store, to: &Store) -> storage::db::Db {
    let file = from.directory.path().join("backup.db");
    backup(&from.db, &file).await.unwrap();
    restored_from(&file, to).await
}

/// Restores a backup into a store.
async fn restored_from(file: &Path, to: &Store) -> storage::db::Db {
    let config = match &to.config.home {
        // A store that was opened is not empty; the place beside it is.
        storage::db::Home::Sqlite(path) => storage::db::DatabaseConfig {
            home: storage::db::Home::Sqlite(path.with_file_name("restored.db")),
            ..to.config.clone()
        },
        storage::db::Home::Postgres(_) => to.config.clone(),
    };
    restore(file, &config, &to.world).await.unwrap();
    storage::open(&config, &to.world).await.unwrap()
}

async fn assert_whole(
    from: &Store,
    installed: &crate::common::Installed,
    restored: &storage::db::Db,
) {
    assert_ne!(
        restored.epoch(),
        from.db.epoch(),
        "a restored store begins a new epoch"
    );
    let scope = installed.scope(&from.world);
    let sites = storage::site::list(restored, &scope).await.unwrap();
    assert_eq!(sites, storage::site::list(&from.db, &scope).await.unwrap());
    let found = user::by_email(restored, "ana@example.com").await.unwrap();
    assert_eq!(found.as_ref(), Some(&installed.installation.user));
    let secrets = storage::site::secrets(restored, scope.workspace_id(), sites[0].id, NOW_MS);
    assert_eq!(secrets.await.unwrap().len(), 1);
    assert!(setup::is_done(restored).await.unwrap());
    // It goes on: ids that the old store gave do not stand in the way.
    let row = session(&from.world, installed.installation.user.id, 77);
    begin(restored, &row).await;
    assert!(
        storage::session::end(restored, row.user_id, row.id, NOW_MS)
            .await
            .unwrap()
    );
}

/// Backs up what came of a backup, and compares the two.
async fn assert_alike(from: &Store, restored: &storage::db::Db) {
    let file = from.directory.path().join("backup.db");
    let again = from.directory.path().join("again.db");
    backup(restored, &again).await.unwrap();
    assert!(compare(&file, &again).await.unwrap() > 5);
}

on_both! {
    async fn a_copy_that_differs_in_one_row_is_told(store: &Store) {
        let installed = store.installed().await;
        let target = Store::sqlite().await;
        let restored = moved(store, &target).await;
        assert_alike(store, &restored).await;
        let user_id = installed.installation.user.id;
        for (name, byte) in [("one-more.db", 77), ("another.db", 78)] {
            let (file, copy) = (store.directory.path().join("backup.db"), store.directory.path().join(name));
            let row = session(&store.world, user_id, byte);
            begin(&restored, &row).await;
            backup(&restored, &copy).await.unwrap();
            for (left, right) in [(&file, &copy), (&copy, &file)] {
                let told = compare(left, right).await;
                assert!(matches!(&told, Err(Error::Corrupt(text)) if text.contains("in login_session")), "{told:?}");
            }
        }
    }

    async fn a_store_whose_backups_failed_is_copied_like_any_other(store: &Store) {
        store.installed().await;
        let trouble = Trouble {
            kind: TroubleKind::BackupFailed,
            since_at_ms: NOW_MS,
            reason: "no room".to_owned(),
        };
        meta::note_backup_trouble(&store.db, trouble).await.unwrap();
        let target = Store::sqlite().await;
        let restored = moved(store, &target).await;
        assert_eq!(meta::backup_trouble(&restored).await.unwrap(), None);
        assert_alike(store, &restored).await;
    }

    async fn of_many_who_take_the_same_turn_one_has_it(store: &Store) {
        let turn = |holder: u64| Turn {
            holder: Holder { place: holder.to_string(), seat: holder.to_string() },
            due_at_ms: NOW_MS,
            taken_at_ms: NOW_MS + holder,
            state: TurnState::Taken,
        };
        let mut last = backup_turn::find(&store.db).await.unwrap();
        assert_eq!(last, None);
        for round in 0..2 {
            let takes = (0..20).map(|n| backup_turn::put(&store.db, last.as_ref(), turn(round * 20 + n)));
            let taken = futures_util::future::join_all(takes).await;
            let mut taken: Vec<_> = taken.into_iter().filter_map(Result::unwrap).collect();
            assert_eq!(taken.len(), 1, "{taken:?}");
            last = backup_turn::find(&store.db).await.unwrap();
            assert_eq!(last, taken.pop());
        }
    }

    async fn a_backup_goes_into_an_embedded_store(store: &Store) {
        let installed = store.installed().await;
        let target = Store::sqlite().await;
        let restored = moved(store, &target).await;
        assert_alike(store, &restored).await;
        assert_whole(store, &installed, &restored).await;
    }

    async fn a_backup_goes_into_a_postgres(store: &Store) {
        let installed = store.installed().await;
        let target = Store::postgres().await;
        let restored = moved(store, &target).await;
        assert_alike(store, &restored).await;
        assert_whole(store, &installed, &restored).await;
    }

    async fn a_backup_overwrites_nothing(store: &Store) {
        store.installed().await;
        let file = store.directory.path().join("backup.db");
        backup(&store.db, &file).await.unwrap();
        let again = backup(&store.db, &file).await;
        assert!(matches!(again, Err(Error::Configuration(_))), "{again:?}");
        let onto_itself = restore(&file, &store.config, &store.world).await;
        assert!(matches!(onto_itself, Err(Error::Configuration(_))), "{onto_itself:?}");
    }

    /// Row by row it would lack what this program does not know.
    async fn a_newer_store_is_copied_whole_or_not_at_all(store: &Store) {
        store.installed().await;
        let mut batch = Batch::default();
        let step = "INSERT INTO migration (number, name, readable_from, applied_at_ms) VALUES (6, 'next', 5, 1)";
        batch.push(Stmt::new(step, Vec::new()));
        store.db.batch(batch).await.unwrap();
        let file = store.directory.path().join("backup.db");
        let made = backup(&store.db, &file).await;
        if let Home::Postgres(_) = store.config.home {
            assert!(matches!(made, Err(Error::NewerSchema { found: 6, .. })), "{made:?}");
            assert!(!file.exists());
            return;
        }
        made.unwrap();
        let target = Store::postgres().await;
        let refused = restore(&file, &target.config, &target.world).await;
        assert!(matches!(refused, Err(Error::NewerSchema { found: 6, .. })), "{refused:?}");
    }

    async fn what_is_no_backup_is_refused(store: &Store) {
        let file = store.directory.path().join("nonsense.db");
        std::fs::write(&file, vec![b'x'; 10_000]).unwrap();
        let target = store.another().await;
        let refused = restore(&file, &target.config, &target.world).await;
        assert!(matches!(refused, Err(Error::Corrupt(_))), "{refused:?}");
    }

    /// What is copied is one moment of what goes on meanwhile.
    async fn a_store_serves_while_it_is_backed_up(store: &Store) {
        let talk = Talk::new(store).await;
        let mut ids = Vec::new();
        for _ in 0..TALKS {
            ids.push(begun(&talk).await);
        }
        let file = store.directory.path().join("backup.db");
        let is_done = AtomicBool::new(false);
        let backing_up = async {
            let done = backup(&store.db, &file).await;
            is_done.store(true, Ordering::Relaxed);
            done.unwrap();
        };
        let talking = join_all(ids.iter().map(|id| async {
            let mut is_over = false;
            while !is_over {
                // Something is said after it, too.
                is_over = is_done.load(Ordering::Relaxed);
                talk.answers(*id, "and on").await;
                talk.does(*id, NewContent::Note(words("between us"))).await;
                begun(&talk).await;
            }
        }));
        tokio::join!(backing_up, talking);
        let target = Store::sqlite().await;
        let restored = restored_from(&file, &target).await;
        let (stored, copied) = (counts(&store.db).await, counts(&restored).await);
        assert!(copied.0 >= TALKS && copied.1 >= TALKS, "{copied:?} of {stored:?}");
        assert!(copied.0 < stored.0 && copied.1 < stored.1, "{copied:?} of {stored:?}");
    }
}

/// Conversations that go on while a backup is made.
const TALKS: u64 = 6;

/// Begins another visitor's conversation.
async fn begun(talk: &Talk<'_>) -> ConversationId {
    let visitor = talk.another_visitor().await;
    let said = talk.says_as(visitor, "first", words("hello")).await;
    accepted(said).conversation.id
}

/// Counts conversations and entries, and checks that the numbers of each conversation are dense in both countings, from
/// one to what the conversation says, and that nothing of all that was stored with them stands alone or lacks.
async fn counts(db: &storage::db::Db) -> (u64, u64) {
    let sql = "/* reads all: it is compared whole */
        SELECT c.number, c.seq, c.public_seq, COUNT(e.seq) AS entry_count,
            COUNT(e.public_seq) AS public_count, MIN(e.seq) AS first, MAX(e.seq) AS last,
            MIN(e.public_seq) AS first_public, MAX(e.public_seq) AS last_public
        FROM conversation c JOIN entry e
            ON e.workspace_id = c.workspace_id AND e.conversation_id = c.conversation_id
        GROUP BY c.number, c.seq, c.public_seq ORDER BY c.number LIMIT 100000";
    let rows = db.rows(Stmt::new(sql, Vec::new())).await.unwrap();
    let mut entry_count = 0;
    for (place, row) in rows.iter().enumerate() {
        let of = |column| row.number(column).unwrap();
        let (seq, public_seq) = (of("seq"), of("public_seq"));
        assert_eq!(of("number"), place as u64 + 1);
        assert_eq!([of("first"), of("last"), of("entry_count")], [1, seq, seq]);
        let public = [of("first_public"), of("last_public"), of("public_count")];
        assert_eq!(public, [1, public_seq, public_seq]);
        entry_count += seq;
    }
    let sql = "/* reads all: it is compared whole */
        SELECT (SELECT COUNT(*) FROM conversation) AS conversations,
            (SELECT value FROM counter WHERE name = 'conversation') AS counter,
            (SELECT COUNT(*) FROM entry) AS entries, (SELECT COUNT(*) FROM message) AS messages,
            (SELECT COUNT(*) FROM event WHERE event_type = 'entry.added') AS events,
            (SELECT COUNT(*) FROM command) AS commands";
    let row = db.rows(Stmt::new(sql, Vec::new())).await.unwrap().remove(0);
    let of = |column| row.number(column).unwrap();
    let conversation_count = rows.len() as u64;
    assert_eq!(
        [of("conversations"), of("counter")],
        [conversation_count; 2]
    );
    let of_entries = ["entries", "messages", "events", "commands"].map(of);
    assert_eq!(of_entries, [entry_count; 4]);
    (conversation_count, entry_count)
}
