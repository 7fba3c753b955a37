//! The contract of nodes: one alone, or many that share a bus; and who may take the place of whom.

use crate::both::on_both;
use crate::common::Store;
use crate::common::talk::{Talk, words};
use storage::db::Home;
use storage::entry::{self, NewContent, Numbering, Outcome};
use storage::error::Error;
use storage::node::{self, Company, Load, Node};

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
mod stories {
    use super::*;

    fn node(store: &Store, seat: &str, company: Company) -> Node {
        Node {
            id: store.world.ids.next(),
            name: format!("the one on {seat}"),
            seat: seat.to_owned(),
            company,
            bus: String::new(),
            files: "directory".to_owned(),
            settings: [("public_url".to_owned(), "\"\"".to_owned())].into(),
            version: "1".to_owned(),
            renewal: 1,
            started_at_ms: 1,
            renewed_at_ms: 1,
            load: Load::default(),
        }
    }

    on_both! {
        /// A node without a bus lets nobody in and goes in to nobody; it renews, and leaves.
        async fn a_node_without_a_bus_is_alone(store: &Store) {
            let db = &store.db;
            let first = node(store, "a", Company::Alone);
            assert_eq!(node::enter(db, &first, &[]).await.unwrap(), []);
            assert_eq!(node::enter(db, &first, &[]).await.unwrap(), [], "it may ask twice");
            for company in [Company::Alone, Company::Shared] {
                let second = node(store, "b", company);
                let others = node::enter(db, &second, &[]).await.unwrap();
                assert_eq!(others, std::slice::from_ref(&first));
            }
            assert!(node::renew(db, first.id, 5).await.unwrap());
            let renewed = Node { renewal: 2, renewed_at_ms: 5, ..first.clone() };
            assert_eq!(node::list(db).await.unwrap(), [renewed]);
            node::leave(db, first.id).await.unwrap();
            assert!(!node::renew(db, first.id, 6).await.unwrap());
            assert_eq!(node::enter(db, &node(store, "b", Company::Alone), &[]).await.unwrap(), []);
        }

        /// Nodes on a bus share the store; one without is not let in.
        async fn nodes_on_a_bus_share(store: &Store) {
            let db = &store.db;
            let both = [node(store, "a", Company::Shared), node(store, "b", Company::Shared)];
            for one in &both {
                assert_eq!(node::enter(db, one, &[]).await.unwrap(), []);
            }
            let alone = node(store, "c", Company::Alone);
            let others = node::enter(db, &alone, &[]).await.unwrap();
            assert_eq!(others.len(), 2);
        }

        /// A dead node's place is taken, unless it lives after all.
        async fn only_the_dead_are_replaced(store: &Store) {
            let db = &store.db;
            let first = node(store, "a", Company::Alone);
            node::enter(db, &first, &[]).await.unwrap();
            let second = node(store, "b", Company::Alone);
            let seen = node::enter(db, &second, &[]).await.unwrap();
            assert!(node::renew(db, first.id, 2).await.unwrap());
            let others = node::enter(db, &second, &seen).await.unwrap();
            assert_eq!(others[0].renewal, 2, "it renewed in between");
            assert_eq!(node::enter(db, &second, &others).await.unwrap(), []);
            assert!(!node::renew(db, first.id, 3).await.unwrap());
        }

        /// Who sits in the same seat is dead: both cannot hold it.
        async fn a_seat_is_taken_at_once(store: &Store) {
            let db = &store.db;
            let first = node(store, "a", Company::Alone);
            node::enter(db, &first, &[]).await.unwrap();
            assert_eq!(node::enter(db, &node(store, "a", Company::Alone), &[]).await.unwrap(), []);
            assert!(!node::renew(db, first.id, 3).await.unwrap());
        }

        /// Whoever lost his place stores nothing any more, and hears why.
        async fn the_replaced_store_nothing(store: &Store) {
            let db = &store.db;
            let first = node(store, "a", Company::Alone);
            node::enter(db, &first, &[]).await.unwrap();
            db.fence(first.id);
            let talk = Talk::new(store).await;
            let id = talk.says("one").await.conversation.id;
            assert!(node::renew(db, first.id, 2).await.unwrap());
            let (Home::Postgres(_), other) = (&store.config.home, store.again().await) else { return };
            let seen = node::list(&other).await.unwrap();
            let second = node(store, "b", Company::Alone);
            assert_eq!(node::enter(&other, &second, &seen).await.unwrap(), []);
            let deed = talk.deed(id, vec![NewContent::Message(words("two"))]);
            let said = entry::append(db, &deed).await;
            assert!(matches!(said, Err(Error::Replaced)), "{said:?}");
            let many = (0..9).map(|n| talk.deed(id, vec![NewContent::Message(words(&n.to_string()))]));
            let many: Vec<_> = many.collect();
            for said in futures_util::future::join_all(many.iter().map(|deed| entry::append(db, deed))).await {
                assert!(matches!(said, Err(Error::Replaced)), "{said:?}");
            }
            assert!(!node::renew(db, first.id, 3).await.unwrap());
            let log = entry::after(&other, talk.workspace_id, id, Numbering::Team, 0, 9).await.unwrap();
            assert_eq!(log.len(), 1);
        }

        /// Of many that come at once, one gets in.
        async fn one_of_many_gets_in(store: &Store) {
            let db = &store.db;
            let many: Vec<_> = (0..10).map(|n| node(store, &n.to_string(), Company::Alone)).collect();
            let entering = many.iter().map(|one| node::enter(db, one, &[]));
            let entered = futures_util::future::join_all(entering).await;
            let count = entered.iter().filter(|others| others.as_ref().unwrap().is_empty()).count();
            assert_eq!((count, node::list(db).await.unwrap().len()), (1, 1));
        }

        /// Nodes that could not hear each other are not in the store together.
        async fn nodes_on_two_buses_do_not_share_a_store(store: &Store) {
            let db = &store.db;
            let first = node(store, "a", Company::Shared);
            node::enter(db, &first, &[]).await.unwrap();
            let mut second = node(store, "b", Company::Shared);
            second.bus = "other".to_owned();
            assert_eq!(node::enter(db, &second, &[]).await.unwrap(), [first]);
            second.bus = String::new();
            assert_eq!(node::enter(db, &second, &[]).await.unwrap(), []);
        }

        /// Nodes that would look for files in two places are not in the store together.
        async fn nodes_with_two_homes_of_files_do_not_share_a_store(store: &Store) {
            let db = &store.db;
            let first = node(store, "a", Company::Shared);
            node::enter(db, &first, &[]).await.unwrap();
            let mut second = node(store, "b", Company::Shared);
            second.files = "bucket files".to_owned();
            let others = node::enter(db, &second, &[]).await.unwrap();
            assert_eq!(others, [first]);
            assert_eq!(node::enter(db, &second, &others).await.unwrap(), []);
        }

        /// What an operator calls them decides nothing: a container may have the name of any other.
        async fn two_nodes_with_one_name_are_two(store: &Store) {
            let db = &store.db;
            let first = node(store, "a", Company::Shared);
            let second = Node { name: first.name.clone(), ..node(store, "b", Company::Shared) };
            for one in [&first, &second] {
                assert_eq!(node::enter(db, one, &[]).await.unwrap(), []);
            }
            let seen = node::beat(db, first.id, Load::default(), &[], 2).await.unwrap().unwrap();
            assert_eq!(seen.len(), 2);
            assert!(node::renew(db, second.id, 3).await.unwrap());
            node::leave(db, first.id).await.unwrap();
            let left = node::list(db).await.unwrap();
            assert_eq!(left, [Node { renewal: 2, renewed_at_ms: 3, ..second }]);
        }

        /// A beat renews, shows all, and takes away the dead unless they came to life.
        async fn a_beat_shows_who_is_there_and_removes_the_dead(store: &Store) {
            let db = &store.db;
            let [first, second] = ["a", "b"].map(|seat| node(store, seat, Company::Shared));
            for one in [&first, &second] {
                node::enter(db, one, &[]).await.unwrap();
            }
            let ids = |nodes: &[Node]| nodes.iter().map(|node| node.id).collect::<Vec<_>>();
            let of_second = |nodes: &[Node]| {
                let of = nodes.iter().filter(|node| node.id == second.id);
                of.map(|node| (node.id, node.renewal)).collect::<Vec<_>>()
            };
            let seen = node::beat(db, first.id, Load::default(), &[], 2).await.unwrap().unwrap();
            assert_eq!(seen.len(), 2);
            let load = Load { connection_count: 7, is_draining: true };
            node::beat(db, second.id, load, &[], 3).await.unwrap().unwrap();
            let listed = node::list(db).await.unwrap();
            let said = |id| listed.iter().find(|node| node.id == id).map(|node| node.load);
            assert_eq!((said(first.id), said(second.id)), (Some(Load::default()), Some(load)));
            let dead = of_second(&seen);
            let seen = node::beat(db, first.id, Load::default(), &dead, 4).await.unwrap().unwrap();
            assert_eq!(seen.len(), 2, "it renewed");
            let dead = of_second(&seen);
            let seen = node::beat(db, first.id, Load::default(), &dead, 5).await.unwrap().unwrap();
            assert_eq!(ids(&seen), [first.id]);
            assert_eq!(node::beat(db, second.id, Load::default(), &[], 6).await.unwrap(), None);
        }
    }

    /// Whoever takes a place waits for what its holder is just storing.
    #[tokio::test]
    async fn a_place_is_taken_after_what_is_under_way() {
        let store = Store::postgres().await;
        let other = store.again().await;
        let first = node(&store, "a", Company::Alone);
        node::enter(&store.db, &first, &[]).await.unwrap();
        store.db.fence(first.id);
        let talk = Talk::new(&store).await;
        let id = talk.says("one").await.conversation.id;
        let Home::Postgres(url) = &store.config.home else {
            panic!("a Postgres");
        };
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .unwrap();
        let background = store.world.tracker.spawn(connection);
        // Within a transaction, connections that were made after its first look are not seen.
        let (watcher, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .unwrap();
        let watched = store.world.tracker.spawn(connection);
        let lock = "BEGIN; UPDATE conversation SET language = language";
        client.batch_execute(lock).await.unwrap();
        let waiting = async |count: i64| {
            let sql = "SELECT COUNT(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'";
            while watcher.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < count {}
        };
        let deed = talk.deed(id, vec![NewContent::Message(words("under way"))]);
        let second = node(&store, "b", Company::Alone);
        let taking = async {
            waiting(1).await;
            let seen = [first.clone()];
            let others = node::enter(&other, &second, &seen).await.unwrap();
            assert_eq!(others, []);
            let log = entry::after(&other, talk.workspace_id, id, Numbering::Team, 0, 9);
            log.await.unwrap().len()
        };
        let releasing = async {
            waiting(2).await;
            client.batch_execute("COMMIT").await.unwrap();
        };
        let (said, found, ()) =
            futures_util::join!(entry::append(&store.db, &deed), taking, releasing);
        assert!(matches!(said, Ok(Outcome::Accepted(_))), "{said:?}");
        assert_eq!(found, 2, "it was stored before the place was taken");
        drop((client, watcher));
        background.await.unwrap().unwrap();
        watched.await.unwrap().unwrap();
    }
}
