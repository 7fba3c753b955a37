//! The contract of arrivals: what a visitor's connection begins with is what the store has, read or not; and what a
//! reader is told first of a conversation, by one read.

use crate::both::on_both;
use crate::common::talk::{Talk, accepted, browser, key, words};
use crate::common::{NOW_MS, Store, scope};
use protocol::conversation::Marks;
use protocol::entry::Author;
use protocol::id::VisitId;
use protocol::permission::VisitorActor;
use protocol::visitor::{Claim, Device, PageView, Source, Visit};
use storage::arrival::{self, Arrival};
use storage::conversation;
use storage::db::Home;
use storage::entry::{self, NewContent, Numbering};
use storage::message::{self, Start};
use storage::participant::{self, Mark, Party};
use storage::replay::{self, Span};
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
        (
            found.unwrap().map(|arrival| *arrival),
            faults.call_count("storage.read") - before,
        )
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

    fn began(visitor: &VisitorActor, visit_id: VisitId, at_ms: u64) -> Trace {
        Trace::Began {
            visit_id,
            visitor_id: visitor.visitor_id,
            site_id: visitor.site_id,
            source: Source::default(),
            at_ms,
        }
    }

    fn url(at_ms: u64) -> String {
        format!("https://shop.example/{at_ms}")
    }

    fn page(visitor: &VisitorActor, visit_id: VisitId, at_ms: u64) -> Trace {
        Trace::Page {
            visit_id,
            visitor_id: visitor.visitor_id,
            page: PageView {
                url: url(at_ms),
                title: "Shop".to_owned(),
                at_ms,
            },
        }
    }

    fn event(visitor: &VisitorActor, visit_id: VisitId, at_ms: u64) -> Trace {
        Trace::Custom {
            visit_id,
            visitor_id: visitor.visitor_id,
            name: "bought".to_owned(),
            properties_json: "{}".to_owned(),
            at_ms,
        }
    }

    fn active(visitor: &VisitorActor, visit_id: VisitId, at_ms: u64) -> Trace {
        Trace::Active {
            visit_id,
            visitor_id: visitor.visitor_id,
            at_ms,
        }
    }

    /// What happened in which visit, and how long after the beginning.
    type Happened = (fn(&VisitorActor, VisitId, u64) -> Trace, VisitId, u64);

    async fn store_all(talk: &Talk<'_>, traces: impl IntoIterator<Item = Trace>) {
        let traces = traces.into_iter().map(|trace| (talk.workspace_id, trace));
        let traces: Vec<_> = traces.collect();
        visit::store(&talk.store.db, &traces).await.unwrap();
    }

    async fn looks_at_a_page(talk: &Talk<'_>, visitor: &VisitorActor) {
        let visit_id = talk.store.world.ids.next();
        let traces = [began, page].map(|make| make(visitor, visit_id, NOW_MS));
        store_all(talk, traces).await;
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
                assert_eq!(reads, 1, "{which}");
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

        async fn a_visit_that_begins_is_counted_with_what_happened_in_it_and_once(store: &Store) {
            let talk = Talk::new(store).await;
            let visitor = talk.another_visitor().await;
            let [first, second] = [(); 2].map(|()| store.world.ids.next());
            let happened = |what: &[Happened]| {
                let what = what.iter();
                let traces = what.map(|(make, visit_id, ms)| make(&visitor, *visit_id, NOW_MS + ms));
                traces.collect::<Vec<_>>()
            };
            store_all(&talk, happened(&[
                (began, first, 0), (page, first, 1), (event, first, 2), (page, first, 3), (active, first, 4),
                (began, second, 5), (page, second, 6), (event, second, 7), (page, second, 8), (page, second, 9),
            ])).await;
            // What was stored already, as after a store that did not answer.
            store_all(&talk, happened(&[(began, first, 0), (page, first, 3)])).await;
            store_all(&talk, happened(&[(page, second, 10), (event, second, 11), (active, second, 12)])).await;
            let shown = arrives(&talk, &visitor).await.0.unwrap();
            assert_eq!(shown.row.visit_count, 2);
            let last = shown.last.unwrap();
            assert_eq!((last.id, last.page_count, last.event_count), (second, 4, 2));
            assert_eq!(last.trail, [6, 8, 9, 10].map(|ms| url(NOW_MS + ms)));
            assert_eq!((last.started_at_ms, last.viewed_at_ms), (NOW_MS + 5, NOW_MS + 10));
            let scope = scope(&store.world, talk.workspace_id);
            let visits = visitor::detail(&store.db, &scope, visitor.visitor_id).await;
            let visits = visits.unwrap().unwrap().visits;
            let of = |visit: &Visit| (visit.id, visit.pages.len(), visit.events.len(), visit.active_at_ms);
            let of: Vec<_> = visits.iter().map(of).collect();
            assert_eq!(of, [(second, 4, 2, NOW_MS + 12), (first, 2, 1, NOW_MS + 4)]);
        }

        async fn who_comes_back_reads_at_once_what_he_missed_and_nothing_of_others(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("one").await.conversation.id;
            talk.does(id, NewContent::Note(words("aside"))).await;
            talk.answers(id, "two").await;
            let (db, workspace_id) = (&store.db, talk.workspace_id);
            let (party, marks) = (Party::Agent(talk.agent_id), Marks { delivered: 3, read: 2 });
            let mark = Mark { workspace_id, conversation_id: id, party, marks };
            participant::mark(db, &[mark], NOW_MS).await.unwrap();
            let read_count = || store.world.faults.call_count("storage.read");
            let first = async |visitor: &VisitorActor, after| {
                let before = read_count();
                let first = replay::of_visitor(db, workspace_id, visitor, id, after).await;
                assert_eq!(read_count(), before + 1);
                first.unwrap()
            };
            let all = entry::after(db, workspace_id, id, Numbering::Visitor, 0, 9).await.unwrap();
            let behind = first(&talk.visitor, Some(1)).await.unwrap();
            let entries = all[1..].to_vec();
            assert_eq!(behind.span, Span { after: Some(1), at: Some(all[0].id), entries });
            assert_eq!(behind.marks, Marks { delivered: 2, read: 1 });
            let his = conversation::of_visitor(db, workspace_id, &talk.visitor, id).await;
            assert_eq!(Some(behind.conversation), his.unwrap());
            let newest = first(&talk.visitor, None).await.unwrap();
            assert_eq!(newest.span, Span { after: None, at: None, entries: all });
            let ahead = first(&talk.visitor, Some(3)).await.unwrap();
            assert_eq!(ahead.span, Span { after: Some(3), at: None, entries: Vec::new() });
            let stranger = talk.another_visitor().await;
            assert_eq!(first(&stranger, Some(1)).await, None);
            let before = read_count();
            let of_team = replay::of_team(db, workspace_id, id, Some(1)).await.unwrap().unwrap();
            let elsewhere = replay::of_team(db, store.world.ids.next(), id, Some(1)).await;
            assert_eq!((elsewhere.unwrap(), read_count()), (None, before + 2));
            let all = entry::after(db, workspace_id, id, Numbering::Team, 0, 9).await.unwrap();
            let entries = all[1..].to_vec();
            assert_eq!(of_team.span, Span { after: Some(1), at: Some(all[0].id), entries });
            assert_eq!(of_team.conversation.seq, 3);
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
