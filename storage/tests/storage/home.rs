//! The contract of the homes themselves: groups, faults, full and damaged stores, kills, migrations.

use crate::both::on_both;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::common::talk::{Talk, accepted, words};
use crate::common::{NOW_MS, Store};
use storage::db::{Batch, DatabaseConfig, Home, Stmt, Value};
use storage::entry::{self, NewContent, Numbering, Outcome};
use storage::error::Error;
use storage::{command, event, meta};
use world::World;

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
mod stories {
    use super::*;

    /// A sender is killed with its acknowledgement of this number at the latest, or of the one that the variable names.
    const ACKNOWLEDGED_MAX: u64 = 1_000;
    /// More than a store has of them: so many in a row do not fail by what they were opened with.
    const CONNECTIONS: usize = 20;
    const KILL_AFTER: &str = "SWITCHBOARD_TEST_KILL_AFTER";

    const INSERT_META: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)";

    fn insert(name: &str) -> Batch {
        let mut batch = Batch::locking(vec![name.to_owned()]);
        let value = Value::Bytes(vec![1, 2, 3]);
        batch.push(Stmt::new(INSERT_META, vec![Value::from(name), value]));
        batch
    }

    async fn names(store: &Store) -> Vec<String> {
        let sql = "SELECT name FROM meta WHERE name LIKE 'x%' ORDER BY name LIMIT 1000";
        let rows = store.db.rows(Stmt::new(sql, Vec::new())).await.unwrap();
        rows.iter().map(|row| row.text("name").unwrap()).collect()
    }

    fn url(config: &DatabaseConfig) -> String {
        match &config.home {
            Home::Sqlite(path) => format!("sqlite:{}", path.display()),
            Home::Postgres(url) => url.clone(),
        }
    }

    /// A step of a newer program.
    async fn step(store: &Store, number: i64, readable_from: i64, changes: &[&'static str]) {
        let mut batch = Batch::default();
        for change in changes {
            batch.push(Stmt::new(change, Vec::new()));
        }
        let sql = "INSERT INTO migration (number, name, readable_from, applied_at_ms)
            VALUES ($1, 'next', $2, $3)";
        let values = vec![number.into(), readable_from.into(), NOW_MS.into()];
        batch.push(Stmt::new(sql, values));
        store.db.batch(batch).await.unwrap();
    }

    /// The acknowledgement with which a sender is killed: another one each time, or the one that a variable names.
    fn killed_after(store: &Store) -> usize {
        let named =
            std::env::vars().find_map(|(name, value)| (name == KILL_AFTER).then_some(value));
        let drawn = || 1 + usize::try_from(store.world.ids.below(ACKNOWLEDGED_MAX)).unwrap();
        let count = named.map_or_else(drawn, |named| named.parse().unwrap());
        eprintln!("killed after {count} acknowledgements; {KILL_AFTER}={count} does it again");
        count
    }

    on_both! {
        /// Every kind of value comes back as it went in, and a wrong getter is loud.
        async fn values_come_back(store: &Store) {
            let sql = "SELECT CAST($1 AS TEXT) AS t, CAST($2 AS BIGINT) AS n, CAST($3 AS BOOLEAN) AS f,
                CAST($4 AS DOUBLE PRECISION) AS r, CAST($5 AS TEXT) AS empty";
            let params = vec![
                Value::from("Č\u{1f600}"), Value::from(i64::MAX), Value::from(true), Value::from(0.5),
                Value::Null,
            ];
            let row = store.db.rows(Stmt::new(sql, params)).await.unwrap().remove(0);
            assert_eq!(row.text("t").unwrap(), "Č\u{1f600}");
            assert_eq!(row.number("n").unwrap(), i64::MAX as u64);
            assert!(row.flag("f").unwrap());
            assert_eq!(row.maybe_real("r").unwrap(), Some(0.5));
            assert_eq!(row.maybe_text("empty").unwrap(), None);
            for wrong in [row.text("n").err(), row.text("empty").err(), row.text("absent").err()] {
                assert!(matches!(wrong, Some(Error::Corrupt(_))), "{wrong:?}");
            }
        }

        /// One bad batch in a group fails alone.
        async fn a_bad_batch_fails_alone(store: &Store) {
            store.db.batch(insert("x-taken")).await.unwrap();
            let batches: Vec<String> = (0..40)
                .map(|n| if n == 17 { "x-taken".to_owned() } else { format!("x{n:02}") })
                .collect();
            let answers = futures_util::future::join_all(
                batches.iter().map(|name| store.db.batch(insert(name))),
            ).await;
            for (name, answer) in batches.iter().zip(&answers) {
                if name == "x-taken" {
                    assert!(matches!(answer, Err(Error::Unique(_))), "{answer:?}");
                } else {
                    assert!(answer.is_ok(), "{answer:?}");
                }
            }
            assert_eq!(names(store).await.len(), 40);
        }

        /// What fails halfway stores nothing of its batch.
        async fn a_batch_is_all_or_nothing(store: &Store) {
            let mut batch = insert("x-first");
            batch.stmts.extend(insert("x-first").stmts);
            let answer = store.db.batch(batch).await;
            assert!(matches!(answer, Err(Error::Unique(_))), "{answer:?}");
            let mut batch = insert("x-second");
            batch.push(Stmt::new("UPDATE no_such_table SET a = 1", Vec::new()));
            let answer = store.db.batch(batch).await;
            assert!(matches!(answer, Err(Error::Fault(_))), "{answer:?}");
            let mut batch = insert("x-third");
            batch.push(Stmt::new(INSERT_META, vec![Value::from("x-fourth"), Value::from("no bytes")]));
            let answer = store.db.batch(batch).await;
            assert!(matches!(answer, Err(Error::Fault(_))), "{answer:?}");
            assert!(names(store).await.is_empty());
        }

        /// A caller who goes away does not take his batch along.
        async fn a_batch_outlives_its_caller(store: &Store) {
            for n in 0.. {
                let mut asked = Box::pin(store.db.batch(insert(&format!("x-left-{n}"))));
                let first = futures_util::poll!(&mut asked);
                drop(asked);
                while names(store).await.len() <= n {}
                // The store may be so quick that he has his answer before he can go.
                if first.is_pending() {
                    break;
                }
            }
        }

        /// With the commit failing now and then, retries store everything once.
        async fn faults_and_retries_store_once(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("one").await.conversation.id;
            for skip in [1, 4, 9] {
                store.world.faults.fail("storage.commit", skip, 2);
                store.world.faults.fail("storage.batch", skip * 5, 3);
            }
            let deeds: Vec<_> = (0..60)
                .map(|n| talk.deed(id, vec![NewContent::Message(words(&format!("m{n}")))]))
                .collect();
            let sends = deeds.iter().map(|deed| async {
                loop {
                    match entry::append(&store.db, deed).await {
                        Ok(Outcome::Accepted(stored)) => return stored.receipt,
                        Ok(Outcome::Replayed(receipt)) => return receipt,
                        Err(error) if error.is_unavailable() => {}
                        other => panic!("{other:?}"),
                    }
                }
            });
            let receipts = futures_util::future::join_all(sends).await;
            let mut numbers: Vec<_> = receipts.iter().filter_map(|receipt| receipt.seq).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (2..=61).collect::<Vec<_>>());
            let entries = entry::after(&store.db, talk.workspace_id, id, Numbering::Team, 0, 200).await.unwrap();
            assert_eq!(entries.len(), 61);
        }

        /// A process killed in the middle loses nothing that it acknowledged, and leaves no gap.
        async fn a_kill_loses_nothing_acknowledged(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("one").await.conversation.id;
            let last = killed_after(store);
            let mut program = std::env::current_exe().unwrap();
            // From target/<profile>/deps/storage-… to target/<profile>/examples/sender, which cargo builds
            // before the tests.
            program.pop();
            program.pop();
            program.push("examples/sender");
            assert!(program.exists(), "`cargo test -p storage` builds {}", program.display());
            let mut sender = Command::new(program)
                .arg(url(&store.config))
                .args([talk.workspace_id.to_string(), id.to_string(), talk.agent_id.to_string()])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let lines = BufReader::new(sender.stdout.take().unwrap()).lines();
            let mut acknowledged: Vec<u64> = Vec::new();
            for line in lines {
                let Ok(number) = line.unwrap().parse() else { break };
                acknowledged.push(number);
                if acknowledged.len() == last {
                    sender.kill().unwrap();
                }
            }
            sender.wait().unwrap();
            let db = store.again().await;
            let mut numbers = Vec::new();
            loop {
                let last = numbers.last().copied().unwrap_or(0);
                let page = entry::after(&db, talk.workspace_id, id, Numbering::Team, last, 200).await.unwrap();
                if page.is_empty() { break }
                numbers.extend(page.iter().map(|entry| entry.seq));
            }
            let dense: Vec<u64> = (1..=numbers.len() as u64).collect();
            assert_eq!(numbers, dense);
            assert!(acknowledged.iter().all(|number| numbers.contains(number)));
        }

        /// Opening again changes nothing: same epoch, same steps.
        async fn migrations_run_once(store: &Store) {
            let again = store.again().await;
            assert_eq!(again.epoch(), store.db.epoch());
            let sql = "SELECT number, name FROM migration ORDER BY number LIMIT 100";
            let rows = again.rows(Stmt::new(sql, Vec::new())).await.unwrap();
            assert_eq!(rows.len(), 5);
            assert!(meta::now_ms(&again).await.unwrap() > 1_700_000_000_000);
        }

        /// A store that a newer program only added to is served, by who had it open and by who opens it; once
        /// something is taken away, it is refused and left alone.
        async fn a_newer_store_is_served_until_something_is_taken_away(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("one").await.conversation.id;
            step(store, 6, 5, &[
                "ALTER TABLE message ADD COLUMN mood TEXT",
                "CREATE TABLE mood (workspace_id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL)",
            ]).await;
            let deed = |text: &str| talk.deed(id, vec![NewContent::Message(words(text))]);
            let (before, after) = (deed("by who had it open"), deed("by who opened it"));
            let again = store.again().await;
            for (db, deed) in [(&store.db, before), (&again, after)] {
                let said = entry::append(db, &deed).await;
                assert!(matches!(said, Ok(Outcome::Accepted(_))), "{said:?}");
            }
            let entries = entry::after(&again, talk.workspace_id, id, Numbering::Team, 0, 200).await.unwrap();
            assert_eq!(entries.len(), 3);
            step(store, 7, 6, &[]).await;
            let refused = storage::open(&store.config, &store.world).await.err();
            let expected = Error::NewerSchema { found: 7, readable_from: 6, known: 5 };
            assert_eq!(refused.map(|error| error.to_string()), Some(expected.to_string()));
            let sql = "SELECT number FROM migration ORDER BY number LIMIT 100";
            assert_eq!(store.db.rows(Stmt::new(sql, Vec::new())).await.unwrap().len(), 7);
        }

        /// Kinds of events that a newer program logs, more of them than a page: readers get past them.
        async fn events_that_nobody_here_knows_hold_no_reader_up(store: &Store) {
            let start = event::end(&store.db).await.unwrap();
            let sql = "INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
                VALUES ('evt_0', 'wsp_0', 'tea.poured', 'a cup', 1, 1)";
            let mut batch = Batch::default();
            for _ in 0..1_001 {
                batch.push(Stmt::new(sql, Vec::new()));
            }
            store.db.batch(batch).await.unwrap();
            store.installed().await;
            let mut cursor = start;
            loop {
                let tail = event::tail(&store.db, cursor, 500).await.unwrap();
                // On Postgres they wait for transactions of other tests.
                assert!(tail.end > cursor || tail.waits, "{tail:?}");
                if !tail.events.is_empty() {
                    break;
                }
                cursor = tail.end;
            }
        }

        /// Old commands and events are forgotten, young ones stay.
        async fn the_old_is_pruned(store: &Store) {
            let talk = Talk::new(store).await;
            let first = accepted(talk.says_as(talk.visitor, "c1", words("hi")).await);
            assert_eq!(command::prune(&store.db, NOW_MS).await.unwrap(), 0);
            assert_eq!(event::prune(&store.db, NOW_MS - 1).await.unwrap(), 0);
            assert_eq!(command::prune(&store.db, NOW_MS + 1_000).await.unwrap(), 1);
            assert!(event::prune(&store.db, NOW_MS + 100_000).await.unwrap() > 0);
            let again = accepted(talk.says_as(talk.visitor, "c1", words("hi")).await);
            assert_eq!(again.conversation.id, first.conversation.id);
        }
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_corrupt() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("switchboard.db");
        std::fs::write(&path, "not a database at all ".repeat(400)).unwrap();
        let config = DatabaseConfig::of_url(&format!("sqlite:{}", path.display())).unwrap();
        let refused = storage::open(&config, &World::system()).await.err();
        assert!(matches!(refused, Some(Error::Corrupt(_))), "{refused:?}");
    }

    /// Whoever copies the file of a store that was closed has all of it, also where its threads ended at once.
    #[tokio::test]
    async fn a_closed_store_is_one_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("switchboard.db");
        let config = DatabaseConfig::of_url(&format!("sqlite:{}", path.display())).unwrap();
        let world = World::system();
        for round in 0..50 {
            let db = storage::open(&config, &world).await.unwrap();
            db.batch(insert(&format!("x{round}"))).await.unwrap();
            drop(db);
            let mut files = std::fs::read_dir(directory.path()).unwrap();
            let log = files.find(|file| file.as_ref().unwrap().path() != path);
            assert!(log.is_none(), "round {round}: {log:?}");
        }
    }

    #[tokio::test]
    async fn a_full_store_says_so_and_loses_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("switchboard.db");
        let mut config = DatabaseConfig::of_url(&format!("sqlite:{}", path.display())).unwrap();
        let world = World::system();
        drop(storage::open(&config, &world).await.unwrap());
        let pages = std::fs::metadata(&path).unwrap().len() / 4_096;
        config.page_count_max = Some(u32::try_from(pages).unwrap() + 20);
        let store = Store {
            db: storage::open(&config, &world).await.unwrap(),
            config,
            world,
            directory,
        };
        let talk = Talk::new(&store).await;
        let id = talk.says("one").await.conversation.id;
        let mut kept = 1;
        let refused = loop {
            let deed = talk.deed(id, vec![NewContent::Message(words(&"long ".repeat(200)))]);
            match entry::append(&store.db, &deed).await {
                Ok(Outcome::Accepted(_)) => kept += 1,
                other => break other,
            }
        };
        assert!(refused.as_ref().is_err_and(Error::is_full), "{refused:?}");
        let read = entry::after(&store.db, talk.workspace_id, id, Numbering::Team, 0, 200)
            .await
            .unwrap();
        assert_eq!(read.len(), kept);
        let workspace_id = talk.workspace_id;
        let Store {
            db,
            mut config,
            world,
            directory,
        } = store;
        drop(db);
        config.page_count_max = None;
        let store = Store {
            db: storage::open(&config, &world).await.unwrap(),
            config,
            world,
            directory,
        };
        let read = entry::after(&store.db, workspace_id, id, Numbering::Team, 0, 200)
            .await
            .unwrap();
        assert_eq!(read.len(), kept);
    }

    #[tokio::test]
    async fn a_read_only_server_says_so() {
        let store = Store::postgres().await;
        let Home::Postgres(url) = &store.config.home else {
            panic!("a Postgres");
        };
        let url = format!("{url}?options=-c%20default_transaction_read_only%3Don");
        let config = DatabaseConfig {
            home: Home::Postgres(url),
            ..store.config.clone()
        };
        let refused = storage::open(&config, &store.world).await.err();
        assert!(matches!(refused, Some(Error::ReadOnly(_))), "{refused:?}");
    }

    /// As a host of databases does whose disk is full for a while. What is opened meanwhile stays read-only.
    #[tokio::test]
    async fn a_server_that_takes_writes_again_is_written_to_again() {
        let store = Store::postgres().await;
        let talk = Talk::new(&store).await;
        let id = talk.says("one").await.conversation.id;
        let Home::Postgres(url) = &store.config.home else {
            panic!("a Postgres");
        };
        let (_, name) = url.rsplit_once('/').unwrap();
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .unwrap();
        let background = store.world.tracker.spawn(connection);
        let close = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
        client.batch_execute(&close).await.unwrap();
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        client.batch_execute(end).await.unwrap();
        let deed = talk.deed(id, vec![NewContent::Message(words("two"))]);
        let mut outcomes = Vec::new();
        // The first ones may have been connected before.
        while !matches!(outcomes.last(), Some(Err(Error::ReadOnly(_)))) {
            outcomes.push(entry::append(&store.db, &deed).await);
            assert!(outcomes.len() < CONNECTIONS, "{outcomes:?}");
        }
        let open = format!("ALTER DATABASE {name} RESET default_transaction_read_only");
        client.batch_execute(&open).await.unwrap();
        outcomes.clear();
        while !matches!(outcomes.last(), Some(Ok(Outcome::Accepted(_)))) {
            outcomes.push(entry::append(&store.db, &deed).await);
            assert!(outcomes.len() < CONNECTIONS, "{outcomes:?}");
        }
        drop(client);
        background.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_unavailable() {
        let config = DatabaseConfig::of_url("postgres://nobody@127.0.0.1:1/none").unwrap();
        let refused = storage::open(&config, &World::system()).await.err();
        assert!(
            matches!(refused, Some(Error::Unavailable(_))),
            "{refused:?}"
        );
        assert!(matches!(
            DatabaseConfig::of_url("mysql://x"),
            Err(Error::Configuration(_))
        ));
    }

    /// On Postgres a position may be given before, and committed after, another: the tail must not pass it.
    /// As after a failover: the server that has the store now is in another history than the one before.
    #[tokio::test]
    async fn a_database_in_another_history_begins_an_epoch_and_only_one() {
        let store = Store::postgres().await;
        let epoch = store.db.epoch();
        assert_eq!(store.again().await.epoch(), epoch, "the same history");
        let mut batch = Batch::default();
        let forget = "UPDATE meta SET value = $1 WHERE name = 'timeline'";
        let before = b"7300000000000000000 00000001".to_vec();
        batch.push(Stmt::new(forget, vec![before.into()]));
        assert_eq!(store.db.batch(batch).await.unwrap()[0].changed, 1);
        let (one, other) = tokio::join!(store.again(), store.again());
        assert_ne!(one.epoch(), epoch);
        assert_eq!(one.epoch(), other.epoch(), "nodes that come at once agree");
        assert_eq!(store.again().await.epoch(), one.epoch(), "it was noticed");
    }

    /// As behind a failover: one of the hosts that the URL names takes writes.
    #[tokio::test]
    async fn of_several_hosts_the_one_that_takes_writes_is_opened() {
        let store = Store::postgres().await;
        let Home::Postgres(url) = &store.config.home else {
            panic!("a Postgres");
        };
        let several = url.replace('@', "@127.0.0.1:1,") + "?target_session_attrs=read-write";
        let config = DatabaseConfig::of_url(&several).unwrap();
        let db = storage::open(&config, &store.world).await.unwrap();
        assert_eq!(db.epoch(), store.db.epoch());
    }

    #[tokio::test]
    async fn the_tail_waits_for_older_transactions() {
        let store = Store::postgres().await;
        let Home::Postgres(url) = &store.config.home else {
            panic!("a Postgres");
        };
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .unwrap();
        let background = store.world.tracker.spawn(connection);
        let start = event::end(&store.db).await.unwrap();
        client
            .batch_execute(
                "BEGIN; INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
                 VALUES ('evt_00000000000000000000000000', 'wsp_00000000000000000000000000',
                    'entry.added', 'slow', 1, 1)",
            )
            .await
            .unwrap();
        let installed = store.installed().await;
        let seen = event::tail(&store.db, start, 100).await.unwrap();
        assert!(seen.events.is_empty(), "{seen:?}");
        assert_eq!((seen.end, seen.more, seen.waits), (start, false, true));
        client.batch_execute("COMMIT").await.unwrap();
        let subjects = loop {
            let seen = event::tail(&store.db, start, 100).await.unwrap();
            if !seen.waits {
                break seen
                    .events
                    .into_iter()
                    .map(|(_, event)| event.subject)
                    .collect::<Vec<_>>();
            }
        };
        assert_eq!(subjects[0], "slow");
        assert!(subjects.contains(&installed.workspace_id().to_string()));
        drop(client);
        background.await.unwrap().unwrap();
    }

    /// Another program's table, in the same database, is left alone.
    #[tokio::test]
    async fn only_our_own_tables_are_told_of() {
        let url = crate::common::new_database().await;
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        let world = World::system();
        let background = world.tracker.spawn(connection);
        client
            .batch_execute("CREATE TABLE theirs (id BIGINT PRIMARY KEY)")
            .await
            .unwrap();
        let config = DatabaseConfig::of_url(&url).unwrap();
        let db = storage::open(&config, &world).await.unwrap();
        let columns = async |table: &str| -> i64 {
            let counted = "
                SELECT COUNT(*) FROM pg_stats
                WHERE schemaname = current_schema() AND tablename = $1";
            client.query_one(counted, &[&table]).await.unwrap().get(0)
        };
        assert!(columns("conversation").await > 20);
        assert!(columns("event").await > 5);
        assert_eq!(columns("theirs").await, 0);
        drop((db, client));
        background.await.unwrap().unwrap();
    }

    /// Each node of the plan has the index that fits, by more than the workspace, though nothing is stored.
    #[tokio::test]
    async fn a_new_postgres_plans_as_for_a_large_workspace() {
        let store = Store::postgres().await;
        let plans = [
            // The conversations of a person.
            (
                3,
                "EXPLAIN SELECT c.conversation_id FROM conversation c
                WHERE c.workspace_id = $1 AND c.contact_id IN (
                    SELECT k.contact_id FROM contact o
                    JOIN contact k ON k.workspace_id = o.workspace_id AND k.root_id = o.root_id
                    WHERE o.workspace_id = $1 AND o.contact_id = $2)",
            ),
            // A site's conversations are many, a visitor's are few.
            (
                2,
                "EXPLAIN SELECT c.conversation_id FROM conversation c
                WHERE c.workspace_id = $1 AND c.site_id = $2 AND c.conversation_id IN (
                    SELECT v.conversation_id FROM conversation v
                    WHERE v.workspace_id = $1 AND v.visitor_id = $2)",
            ),
            // A list of messages, as it is held.
            (
                1,
                "EXPLAIN SELECT m.entry_id FROM message m
                WHERE (m.workspace_id, m.entry_id) IN (
                    SELECT t.workspace_id, t.id FROM unnest(string_to_array($1, ' '), string_to_array($2, ' '))
                        AS t (workspace_id, id))",
            ),
        ];
        for (expected, sql) in plans {
            // The workspace of the rows that were made up: a statement that is explained knows its values.
            let stmt = Stmt::new(sql, vec![Value::from("x"), Value::from("1")]);
            let plan = store.db.rows(stmt).await.unwrap();
            let plan: Vec<_> = plan
                .iter()
                .map(|row| row.text("QUERY PLAN").unwrap())
                .collect();
            let conds = plan.iter().filter(|line| line.contains("Index Cond"));
            let conds: Vec<_> = conds.collect();
            assert_eq!(conds.len(), expected, "{plan:#?}");
            assert!(conds.iter().all(|cond| cond.contains(" AND ")), "{plan:#?}");
        }
        // What it was told with is gone.
        let left = Stmt::new("SELECT contact_id FROM contact LIMIT 1", Vec::new());
        assert!(store.db.rows(left).await.unwrap().is_empty());
    }
}
