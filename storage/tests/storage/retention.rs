//! The contract of forgetting: what is old goes, in slices, and nothing that is still needed.

use crate::both::on_both;
use crate::common::talk::{Talk, accepted, browser, words};
use crate::common::{NOW_MS, Store, begin, scope, secret, session};
use protocol::agent::Invitation;
use protocol::id::{Id, VisitId, VisitorId};
use protocol::identity_key::IdentityKey;
use protocol::key::ApiKey;
use protocol::permission::{Permission, Role};
use protocol::visitor::{PageView, Source};
use storage::audit::Change;
use storage::db::Stmt;
use storage::identity_key::{self, StoredKey};
use storage::invitation::{self, InvitationRow};
use storage::visit::{self, Trace};
use storage::visitor::{self, NewVisitor};
use storage::{failed_login, key};

/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The id that something made at this time has.
fn id<I: Id>(at_ms: u64, number: u64) -> I {
    I::from_bits((u128::from(at_ms) << 80) | u128::from(number))
}

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
mod stories {
    use super::*;

    async fn count(store: &Store, sql: &'static str) -> u64 {
        let rows = store.db.rows(Stmt::new(sql, Vec::new())).await.unwrap();
        rows[0].number("n").unwrap()
    }

    async fn arrives(talk: &Talk<'_>, number: u64, at_ms: u64) -> VisitorId {
        let new = NewVisitor {
            id: id(at_ms, number),
            site_id: talk.site_id,
            browser: browser(),
            address: None,
        };
        visitor::create(&talk.store.db, talk.workspace_id, &new, at_ms)
            .await
            .unwrap();
        new.id
    }

    /// A visit with so many pages and one event of the site's own.
    async fn visits(
        talk: &Talk<'_>,
        visitor_id: VisitorId,
        at_ms: u64,
        page_count: u64,
    ) -> VisitId {
        let visit_id = id(at_ms, u64::MAX);
        let mut traces = vec![Trace::Began {
            visit_id,
            visitor_id,
            site_id: talk.site_id,
            source: Source::default(),
            at_ms,
        }];
        traces.extend((0..page_count).map(|_| Trace::Page {
            visit_id,
            visitor_id,
            page: PageView {
                url: "https://shop.example/".to_owned(),
                title: String::new(),
                at_ms,
            },
        }));
        traces.push(Trace::Custom {
            visit_id,
            visitor_id,
            name: "bought".to_owned(),
            properties_json: "{}".to_owned(),
            at_ms,
        });
        let traces: Vec<_> = traces
            .into_iter()
            .map(|trace| (talk.workspace_id, trace))
            .collect();
        for slice in traces.chunks(500) {
            visit::store(&talk.store.db, slice).await.unwrap();
        }
        visit_id
    }

    /// Forgets visitors until no slice is left; gives how many.
    async fn prune_visitors(talk: &Talk<'_>, before_ms: u64) -> u64 {
        let (mut count, mut after) = (0, VisitorId::from_bits(0));
        loop {
            let pruned = visitor::prune(&talk.store.db, talk.workspace_id, after, before_ms).await;
            let pruned = pruned.unwrap();
            count += pruned.count;
            match pruned.next {
                Some(next) => after = next,
                None => return count,
            }
        }
    }

    on_both! {
        /// Where a site was seen last: on its own pages, not on those that are left out, nor on another site's.
        async fn a_site_is_seen_where_its_widget_was(store: &Store) {
            let talk = Talk::new(store).await;
            let scope = crate::common::scope(&store.world, talk.workspace_id);
            let seen = async |site_id| {
                let page = visit::seen(&store.db, &scope, site_id, "http://own.example/demo/").await.unwrap();
                page.map(|page| (page.url, page.at_ms))
            };
            assert_eq!(seen(talk.site_id).await, None);
            let visitor_id = arrives(&talk, 1, NOW_MS).await;
            let looks = async |visit_id, url: &str, at_ms| {
                let page = PageView { url: url.to_owned(), title: String::new(), at_ms };
                let traces = [
                    Trace::Began { visit_id, visitor_id, site_id: talk.site_id, source: Source::default(), at_ms },
                    Trace::Page { visit_id, visitor_id, page },
                ];
                let traces = traces.map(|trace| (talk.workspace_id, trace));
                visit::store(&store.db, &traces).await.unwrap();
            };
            looks(id(NOW_MS, 1), "http://own.example/demo/?site=a", NOW_MS).await;
            assert_eq!(seen(talk.site_id).await, None, "the demo");
            looks(id(NOW_MS + 1, 2), "https://shop.example/tea", NOW_MS + 1).await;
            looks(id(NOW_MS + 2, 3), "https://shop.example/cups", NOW_MS + 2).await;
            looks(id(NOW_MS + 3, 4), "http://own.example/demo/", NOW_MS + 3).await;
            assert_eq!(seen(talk.site_id).await, Some(("https://shop.example/cups".to_owned(), NOW_MS + 2)));
            assert_eq!(seen(store.world.ids.next()).await, None, "another site");
            let elsewhere = crate::common::scope(&store.world, store.world.ids.next());
            let there = visit::seen(&store.db, &elsewhere, talk.site_id, "x").await.unwrap();
            assert_eq!(there, None, "another workspace");
        }

        /// Old visits go with their pages and events, a slice at a time; younger ones and those that go on stay.
        async fn old_visits_are_forgotten(store: &Store) {
            let talk = Talk::new(store).await;
            let db = &store.db;
            let old_ms = NOW_MS - 100 * DAY_MS;
            let visitor_id = arrives(&talk, 1, old_ms).await;
            visits(&talk, visitor_id, old_ms, 700).await;
            let goes_on = visits(&talk, visitor_id, old_ms + 1, 1).await;
            let active = Trace::Active { visit_id: goes_on, visitor_id, at_ms: NOW_MS };
            visit::store(db, &[(talk.workspace_id, active)]).await.unwrap();
            visits(&talk, visitor_id, NOW_MS - DAY_MS, 1).await;
            let before_ms = NOW_MS - 90 * DAY_MS;
            assert_eq!(visit::prune(db, talk.workspace_id, before_ms).await.unwrap(), 200 + 1);
            while visit::prune(db, talk.workspace_id, before_ms).await.unwrap() > 0 {}
            assert_eq!(visit::prune_custom_events(db, before_ms).await.unwrap(), 2);
            assert_eq!(visit::prune_custom_events(db, before_ms).await.unwrap(), 0);
            assert_eq!(count(store, "/* reads all: it counts */ SELECT COUNT(*) AS n FROM visit").await, 2);
            assert_eq!(count(store, "/* reads all: it counts */ SELECT COUNT(*) AS n FROM page_view").await, 1);
            assert_eq!(count(store, "/* reads all: it counts */ SELECT COUNT(*) AS n FROM custom_event").await, 1);
            // How often he was here is not forgotten with the visits.
            visits(&talk, visitor_id, NOW_MS, 1).await;
            let row = visitor::find(db, talk.workspace_id, visitor_id).await.unwrap().unwrap();
            assert_eq!(row.visit_count, 4);
        }

        /// Visitors who never said anything go; those of contacts, and those seen lately, stay.
        async fn idle_visitors_are_forgotten(store: &Store) {
            let talk = Talk::new(store).await;
            let db = &store.db;
            let old_ms = NOW_MS - 100 * DAY_MS;
            for number in 0..1_200 {
                arrives(&talk, number, old_ms).await;
            }
            let seen = id(old_ms, 700);
            visitor::seen(db, talk.workspace_id, seen, &browser(), NOW_MS).await.unwrap();
            let visits_still = id(old_ms, 701);
            visits(&talk, visits_still, NOW_MS - DAY_MS, 1).await;
            // The one that talks became a contact.
            accepted(talk.says_as(talk.visitor, "c1", words("hi")).await);
            assert_eq!(prune_visitors(&talk, NOW_MS - 90 * DAY_MS).await, 1_198);
            for kept in [seen, visits_still, talk.visitor.visitor_id] {
                let found = visitor::find(db, talk.workspace_id, kept).await.unwrap();
                assert!(found.is_some());
            }
            assert_eq!(prune_visitors(&talk, NOW_MS - 90 * DAY_MS).await, 0);
        }

        /// Lapsed sessions and invitations go, living ones stay.
        async fn lapsed_ways_in_are_forgotten(store: &Store) {
            let installed = store.installed().await;
            let db = &store.db;
            let user_id = installed.installation.user.id;
            for (byte, expires_at_ms) in [(5, NOW_MS - 40 * DAY_MS), (6, NOW_MS + DAY_MS)] {
                let mut row = session(&store.world, user_id, byte);
                row.expires_at_ms = expires_at_ms;
                begin(db, &row).await;
                let row = InvitationRow {
                    invitation: Invitation {
                        id: store.world.ids.next(),
                        email: format!("{byte}@example.com"),
                        role: Role::Agent,
                        expires_at_ms,
                        link: None,
                    },
                    workspace_id: installed.workspace_id(),
                    token_hash: [byte; 32],
                };
                let change = installed.change("invitation.created", row.invitation.id);
                invitation::create(db, &row, &change).await.unwrap();
            }
            let before_ms = NOW_MS - 30 * DAY_MS;
            assert_eq!(storage::session::prune(db, before_ms).await.unwrap(), 1);
            assert_eq!(storage::session::prune(db, before_ms).await.unwrap(), 0);
            assert_eq!(invitation::prune(db, before_ms).await.unwrap(), 1);
            let scope = installed.scope(&store.world);
            assert_eq!(invitation::list(db, &scope, NOW_MS).await.unwrap().len(), 1);
        }

        /// Lapsed secrets and public keys go; a lapsed API key leaves the list, and its row stays.
        async fn lapsed_secrets_and_keys_are_forgotten(store: &Store) {
            let installed = store.installed().await;
            let db = &store.db;
            let site_id = installed.installation.site.id;
            let change = installed.change("site.secret_rotated", site_id);
            for byte in [1, 2] {
                let stored = StoredKey {
                    shown: IdentityKey {
                        id: store.world.ids.next(),
                        fingerprint: format!("fingerprint {byte}"),
                        created_at_ms: NOW_MS,
                        expires_at_ms: None,
                    },
                    point: vec![byte; 65],
                };
                let lapse_ms = Some(NOW_MS + 10);
                identity_key::add(db, site_id, &stored, lapse_ms, &change).await.unwrap();
                let row = ApiKey {
                    id: store.world.ids.next(),
                    name: "Importer".to_owned(),
                    hint: "sbk_abcd".to_owned(),
                    scopes: vec![Permission::ConversationsRead],
                    key: None,
                    created_at_ms: NOW_MS,
                    used_at_ms: None,
                    expires_at_ms: (byte == 1).then_some(NOW_MS + 10),
                };
                key::create(db, &row, &[byte; 32], &change).await.unwrap();
            }
            let new = secret(&store.world, 8);
            storage::site::rotate(db, site_id, &new, NOW_MS + 10, &change).await.unwrap();
            for (before_ms, count) in [(NOW_MS + 10, 0), (NOW_MS + 11, 1), (NOW_MS + 11, 0)] {
                assert_eq!(storage::site::prune_secrets(db, before_ms).await.unwrap(), count);
                assert_eq!(identity_key::prune(db, before_ms).await.unwrap(), count);
                assert_eq!(key::prune(db, before_ms).await.unwrap(), count);
            }
            assert_eq!(count(store, "SELECT COUNT(*) AS n FROM site_secret").await, 1);
            assert_eq!(count(store, "SELECT COUNT(*) AS n FROM identity_key").await, 1);
            assert_eq!(count(store, "SELECT COUNT(*) AS n FROM api_key").await, 2);
            assert_eq!(key::list(db, &installed.scope(&store.world)).await.unwrap().len(), 1);
        }

        /// Old lines of the audit log go with their values.
        async fn old_audit_is_forgotten(store: &Store) {
            let installed = store.installed().await;
            let db = &store.db;
            for age in [800, 10] {
                let change = Change {
                    at_ms: NOW_MS - age * DAY_MS,
                    ..installed.change("workspace.changed", installed.workspace_id())
                };
                let name = protocol::text::Name::parse(&format!("Lamps {age}")).unwrap();
                let workspace = storage::workspace::find(db, installed.workspace_id()).await.unwrap().unwrap();
                let new = protocol::workspace::WorkspaceChange { name: Some(name), ..Default::default() };
                storage::workspace::change(db, workspace.version, &new, &change).await.unwrap();
            }
            let lines = count(store, "/* reads all: it counts */ SELECT COUNT(*) AS n FROM audit_entry").await;
            let values = count(store, "/* reads all: it counts */ SELECT COUNT(*) AS n FROM audit_value").await;
            let before_ms = NOW_MS - 730 * DAY_MS;
            let other = store.world.ids.next();
            assert_eq!(storage::audit::prune(db, other, before_ms).await.unwrap(), 0);
            let pruned = storage::audit::prune(db, installed.workspace_id(), before_ms).await;
            assert_eq!(pruned.unwrap(), 1);
            let audited = scope(&store.world, installed.workspace_id());
            let left = storage::audit::list(db, &audited, None, 10).await.unwrap().items;
            assert_eq!(left.len() as u64, lines - 1);
            assert_eq!(count(store, "/* reads all: it counts */ SELECT COUNT(*) AS n FROM audit_value").await, values - 1);
        }

        /// Failed sign-ins go by their time, a slice at a time; where there are too many is found by number.
        async fn old_failed_logins_are_forgotten(store: &Store) {
            let db = &store.db;
            for number in 0..5 {
                let failed = protocol::audit::FailedLogin {
                    at_ms: NOW_MS + number,
                    email: "ana@example.com".to_owned(),
                    address: "192.0.2.9".to_owned(),
                    country: Some("SI".to_owned()),
                    user_agent: String::new(),
                    reason: "wrong_password".to_owned(),
                };
                failed_login::create(db, None, &failed).await.unwrap();
            }
            let beyond = async |count| failed_login::beyond(db, count).await.unwrap();
            assert_eq!((beyond(5).await, beyond(2).await, beyond(0).await), (None, Some(NOW_MS + 2), Some(NOW_MS + 4)));
            assert_eq!(failed_login::prune(db, NOW_MS).await.unwrap(), 0);
            assert_eq!(failed_login::prune(db, NOW_MS + 3).await.unwrap(), 3);
            assert_eq!(failed_login::prune(db, NOW_MS + 3).await.unwrap(), 0);
            let attempts = failed_login::of_address(db, "192.0.2.9", 0).await.unwrap();
            assert_eq!(attempts.count, 2);
        }
    }
}
