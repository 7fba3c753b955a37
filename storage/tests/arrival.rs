//! The contract of arrivals: what a visitor's connection begins with is what the store has, read or not.

#[path = "common/both.rs"]
mod both;
mod common;

use both::on_both;
use common::talk::{Talk, accepted, browser, key, words};
use common::{NOW_MS, Store};
use protocol::entry::Author;
use protocol::permission::VisitorActor;
use protocol::visitor::{Claim, Device, PageView, Source};
use storage::arrival::{self, Arrival};
use storage::db::Home;
use storage::message::{self, Start};
use storage::visit::{self, Trace};
use storage::visitor::{self, Proof};

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
mod stories {
    use super::*;

    /// What a connection begins with, and after how many reads.
    async fn arrives(talk: &Talk<'_>, visitor: &VisitorActor) -> (Option<Arrival>, u64) {
        let faults = &talk.store.world.faults;
        let before = faults.call_count("storage.read");
        let found = arrival::find(&talk.store.db, talk.workspace_id, visitor).await;
        (found.unwrap(), faults.call_count("storage.read") - before)
    }

    fn claim(name: &str) -> Claim {
        Claim {
            name: Some(name.to_owned()),
            ..Claim::default()
        }
    }

    async fn claims(talk: &Talk<'_>, visitor: &VisitorActor) {
        let key = key(visitor.visitor_id, "i1", "claim");
        let claim = claim("Ana");
        visitor::claim(
            &talk.store.db,
            talk.workspace_id,
            visitor,
            &key,
            &claim,
            NOW_MS,
        )
        .await
        .unwrap();
    }

    async fn proves(talk: &Talk<'_>, visitor: &VisitorActor) {
        let proof = Proof {
            customer_id: Some("42".to_owned()),
            email: None,
            claim: claim("Ana"),
        };
        let (db, id) = (&talk.store.db, visitor.visitor_id);
        let proved = visitor::prove(db, talk.workspace_id, id, &proof, NOW_MS).await;
        assert!(proved.unwrap().is_some());
    }

    async fn logs_out(talk: &Talk<'_>, visitor: &VisitorActor) {
        let (db, id) = (&talk.store.db, visitor.visitor_id);
        visitor::rotate(db, talk.workspace_id, id, NOW_MS)
            .await
            .unwrap();
    }

    async fn changes_browser(talk: &Talk<'_>, visitor: &VisitorActor) {
        let mut browser = browser();
        browser.device = Device::Mobile;
        let (db, id) = (&talk.store.db, visitor.visitor_id);
        visitor::seen(db, talk.workspace_id, id, &browser, NOW_MS + 1)
            .await
            .unwrap();
    }

    async fn looks_at_a_page(talk: &Talk<'_>, visitor: &VisitorActor) {
        let (visit_id, visitor_id) = (talk.store.world.ids.next(), visitor.visitor_id);
        let began = Trace::Began {
            visit_id,
            visitor_id,
            site_id: visitor.site_id,
            source: Source::default(),
            at_ms: NOW_MS,
        };
        let page = PageView {
            url: "https://shop.example/".to_owned(),
            title: "Shop".to_owned(),
            at_ms: NOW_MS,
        };
        let seen = Trace::Page {
            visit_id,
            visitor_id,
            page,
        };
        let traces = [began, seen].map(|trace| (talk.workspace_id, trace));
        visit::store(&talk.store.db, &traces).await.unwrap();
    }

    async fn says_something(talk: &Talk<'_>, visitor: &VisitorActor) {
        accepted(
            talk.says_as(*visitor, &talk.client_id(), words("Hello"))
                .await,
        );
    }

    async fn is_begun_with(talk: &Talk<'_>, visitor: &VisitorActor) {
        let start = Start {
            workspace_id: talk.workspace_id,
            visitor_id: visitor.visitor_id,
            key: key(talk.agent_id, &talk.client_id(), "start"),
            author: Author::Agent {
                agent_id: talk.agent_id,
            },
            message: words("May I help?"),
            at_ms: NOW_MS,
        };
        accepted(message::start(&talk.store.db, &start).await.unwrap());
    }

    on_both! {
        async fn a_newcomer_begins_with_what_the_store_has(store: &Store) {
            let talk = Talk::new(store).await;
            let is_embedded = matches!(store.config.home, Home::Sqlite(_));
            let (first, reads) = arrives(&talk, &talk.visitor).await;
            assert!(first.is_some());
            // On Postgres other processes write too.
            assert_eq!(reads, u64::from(!is_embedded));
            assert_eq!(arrives(&talk, &talk.visitor).await, (first, 1));
        }

        async fn whoever_something_was_written_of_is_read(store: &Store) {
            let talk = Talk::new(store).await;
            for which in 0..7 {
                let visitor = talk.another_visitor().await;
                match which {
                    0 => claims(&talk, &visitor).await,
                    1 => proves(&talk, &visitor).await,
                    2 => logs_out(&talk, &visitor).await,
                    3 => changes_browser(&talk, &visitor).await,
                    4 => looks_at_a_page(&talk, &visitor).await,
                    5 => says_something(&talk, &visitor).await,
                    _ => is_begun_with(&talk, &visitor).await,
                }
                let (shown, reads) = arrives(&talk, &visitor).await;
                assert!(reads > 0, "{which}");
                let shown = shown.unwrap();
                let is_shown = match which {
                    0 => shown.row.claim == claim("Ana") && shown.row.name == "Ana",
                    1 => shown.row.proved && shown.row.contact_id.is_some(),
                    2 => shown.row.generation == 2,
                    3 => shown.row.browser.device == Device::Mobile,
                    4 => shown.last.is_some_and(|last| last.page_count == 1),
                    5 => shown.conversation.is_some() && shown.unread.count == 0,
                    _ => shown.conversation.is_some() && shown.unread.count == 1,
                };
                assert!(is_shown, "{which}");
            }
        }

        async fn one_whom_nobody_knows_or_of_another_workspace_does_not_arrive(store: &Store) {
            let talk = Talk::new(store).await;
            let nobody = VisitorActor {
                visitor_id: store.world.ids.next(),
                ..talk.visitor
            };
            assert_eq!(arrives(&talk, &nobody).await, (None, 1));
            let elsewhere = store.world.ids.next();
            let stranger = arrival::find(&store.db, elsewhere, &talk.visitor).await;
            assert_eq!(stranger.unwrap(), None);
        }
    }
}
