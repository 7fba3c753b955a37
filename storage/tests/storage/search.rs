//! The contract of search: the same finds on both homes.

use crate::both::on_both;
use crate::common::talk::{Talk, accepted, key, words};
use crate::common::{NOW_MS, Store, scope};
use protocol::contact::handle_of;
use protocol::page::{Cursor, List};
use protocol::search::{Found, Match};
use protocol::view::{InboxFilter, InboxList};
use protocol::visitor::Claim;
use storage::db::{Batch, Home, Stmt};
use storage::entry::{NewContent, NewMessage};
use storage::found;
use storage::inbox::ListQuery;
use storage::message::{self, VisitorMessage};
use storage::search::{self, Learned, Unlearned};
use storage::visitor;

/// What is said, in the order of the conversations.
const SAID: [&str; 7] = [
    "Where is my parcel? Order 4711.",
    "Mein Päckchen ist verloren, Straße 7",
    "我的包裹在哪里",
    "パーセルはどこですか",
    "พัสดุของฉันอยู่ที่ไหน",
    "Parcels, parcels, parcels!",
    "C++ and \"quotes\" & 'apostrophes' 100%",
];

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
mod stories {
    use super::*;

    async fn learned(store: &Store, unlearned: Unlearned<'_>) -> Learned {
        search::learn(&store.db, unlearned).await.unwrap()
    }

    /// Lets the search learn all that was said.
    async fn learn(talk: &Talk<'_>) {
        while crate::common::learn(&talk.store.db).await != Learned::All {}
    }

    async fn found(talk: &Talk<'_>, filter: InboxFilter, text: &str) -> Vec<u64> {
        let scope = scope(&talk.store.world, talk.workspace_id);
        let mut query = ListQuery {
            list: filter.into(),
            agent_id: Some(talk.agent_id),
            cursor: None,
            limit: 2,
        };
        let mut numbers = Vec::new();
        loop {
            let page = search::conversations(&talk.store.db, &scope, text, &query)
                .await
                .unwrap();
            numbers.extend(page.items.iter().map(|item| item.number));
            match page.cursor {
                Some(next) => query.cursor = Cursor::read(&next, List::Inbox).ok(),
                None => break,
            }
        }
        numbers.sort_unstable();
        numbers
    }

    async fn everywhere(talk: &Talk<'_>, text: &str) -> Vec<Found> {
        learn(talk).await;
        let scope = scope(&talk.store.world, talk.workspace_id);
        let page = search::everywhere(
            &talk.store.db,
            &scope,
            text,
            InboxFilter::All.into(),
            None,
            10,
        );
        page.await.unwrap().items
    }

    /// The places of the only conversation found, each with its text, hits in brackets.
    async fn places(talk: &Talk<'_>, text: &str) -> Vec<String> {
        let found = everywhere(talk, text).await;
        let [one] = found.as_slice() else {
            panic!("{text} finds {found:?}");
        };
        one.matches.iter().map(shown).collect()
    }

    fn shown(one: &Match) -> String {
        let parts = one.parts.iter().map(|part| {
            if part.hit {
                format!("[{}]", part.text)
            } else {
                part.text.clone()
            }
        });
        format!("{}: {}", one.place.as_str(), parts.collect::<String>())
    }

    on_both! {
        /// What is found says where, in whichever list it stands.
        async fn a_search_of_all_lists_says_where_it_matched(store: &Store) {
            let talk = Talk::new(store).await;
            let claim = Claim {
                name: Some("Ana Kovač".to_owned()),
                email: Some("ana@shop.example".to_owned()),
                phone: Some("+386 41 555".to_owned()),
                ..Claim::default()
            };
            let named = key(talk.visitor.visitor_id, "i", "claim");
            visitor::claim(&store.db, talk.workspace_id, &talk.visitor, &named, &claim, NOW_MS).await.unwrap();
            let begun = talk.says("Is the Smoky Black in stock? I like smoky tea.").await.conversation;
            talk.answers(begun.id, "It is; smoky as ever").await;
            talk.does(begun.id, NewContent::Note(words("walrus ivory is not smoky"))).await;
            for state in [None, Some(NewContent::Closed), Some(NewContent::SpamMarked { spam: true })] {
                if let Some(state) = state {
                    talk.does(begun.id, state).await;
                }
                assert_eq!(places(&talk, "kovac").await, ["name: Ana [Kovač]"]);
                assert_eq!(places(&talk, "ana@sh").await, ["email: [ana@sh]op.example"]);
                assert_eq!(places(&talk, "+386").await, ["phone: [+386] 41 555"]);
                assert_eq!(places(&talk, "#1").await, ["number: [#1]"]);
                assert_eq!(places(&talk, "smoky bl").await, ["message: Is the [Smoky] [Black] in stock? I like [smoky] tea."]);
                assert_eq!(places(&talk, "smoky").await, ["note: walrus ivory is not [smoky]"]);
                assert_eq!(places(&talk, "ana").await, ["name: [Ana] Kovač", "email: [ana]@shop.example"]);
            }
            let scope = crate::common::scope(&store.world, talk.workspace_id);
            let within = async |text: &str| {
                let found = found::in_conversation(&store.db, &scope, begun.id, text).await.unwrap();
                found.into_iter().filter_map(|one| one.seq).collect::<Vec<_>>()
            };
            assert_eq!(within("smoky").await, [3, 2, 1]);
            assert_eq!(within("smoky te").await, [1]);
            assert_eq!(within("ivory").await, [3]);
            assert!(within("umbrella").await.is_empty());
            assert!(within("?!").await.is_empty());
            let elsewhere = crate::common::scope(&store.world, store.world.ids.next());
            let there = found::in_conversation(&store.db, &elsewhere, begun.id, "smoky").await;
            assert!(there.unwrap().is_empty());
            let found = everywhere(&talk, "walrus").await;
            assert_eq!((found[0].matches[0].seq, found[0].matches[0].entry_id.is_some()), (Some(3), true));
            for odd in ["", " ", "?!", "#", "#999", "99999999999999999999", "%", "' OR 1=1 --"] {
                assert!(everywhere(&talk, odd).await.is_empty(), "{odd}");
            }
        }

        /// A search is narrowed like a list, and looks into all of them all the same.
        async fn a_search_of_all_lists_is_narrowed(store: &Store) {
            let talk = Talk::new(store).await;
            let mut ids = Vec::new();
            for (at_ms, language) in [(10, "de-AT"), (20_000, "fr"), (40_000, "fr")] {
                let visitor = talk.another_visitor().await;
                let said = VisitorMessage {
                    workspace_id: talk.workspace_id,
                    visitor,
                    key: key(visitor.visitor_id, "c", "one"),
                    conversation_id: None,
                    message: NewMessage { language: Some(language.to_owned()), ..words("a parcel of tea") },
                    at_ms: NOW_MS + at_ms,
                };
                ids.push(accepted(message::send(&store.db, &said, &mut None).await.unwrap()).conversation.id);
            }
            learn(&talk).await;
            talk.does(ids[0], NewContent::Prioritized { priority: 4 }).await;
            talk.does(ids[1], NewContent::Assigned { agent_id: Some(talk.agent_id) }).await;
            talk.does(ids[1], NewContent::Closed).await;
            let scope = crate::common::scope(&store.world, talk.workspace_id);
            let all = InboxList::from(InboxFilter::All);
            let narrowed = async |narrowed: InboxList| {
                let page = search::everywhere(&store.db, &scope, "parcel", narrowed, None, 10).await.unwrap();
                let place = |found: &Found| ids.iter().position(|id| *id == found.conversation.id).unwrap();
                page.items.iter().map(place).collect::<Vec<_>>()
            };
            assert_eq!(narrowed(all).await, [2, 1, 0]);
            // Whichever list it is.
            assert_eq!(narrowed(InboxFilter::Mine.into()).await, [2, 1, 0]);
            assert_eq!(narrowed(InboxList { language: "fr".parse().ok(), ..all }).await, [2, 1]);
            assert_eq!(narrowed(InboxList { priority: Some(4), ..all }).await, [0]);
            assert_eq!(narrowed(InboxList { priority_min: Some(3), ..all }).await, [0]);
            assert_eq!(narrowed(InboxList { assignee_id: Some(talk.agent_id), ..all }).await, [1]);
            assert_eq!(narrowed(InboxList { since_ms: Some(NOW_MS + 30_000), ..all }).await, [2]);
            assert_eq!(narrowed(InboxList { until_ms: Some(NOW_MS + 30_000), ..all }).await, [1, 0]);
            assert_eq!(narrowed(InboxList { site_id: Some(talk.site_id), ..all }).await, [2, 1, 0]);
            assert!(narrowed(InboxList { site_id: Some(store.world.ids.next()), ..all }).await.is_empty());
        }

        /// Somebody without a name is found by what he is called; nobody is by what he is not.
        async fn a_handle_is_found_while_it_is_the_name(store: &Store) {
            let talk = Talk::new(store).await;
            let handle = handle_of(talk.visitor.visitor_id);
            talk.says("hello").await;
            let marked = format!("name: Visitor [{handle}]");
            assert_eq!(places(&talk, &handle).await, [marked]);
            assert_eq!(everywhere(&talk, &format!("visitor {}", handle.to_lowercase())).await.len(), 1);
            let named = key(talk.visitor.visitor_id, "i", "claim");
            let claim = Claim { name: Some("Bo".to_owned()), ..Claim::default() };
            visitor::claim(&store.db, talk.workspace_id, &talk.visitor, &named, &claim, NOW_MS).await.unwrap();
            assert!(everywhere(&talk, "visitor").await.is_empty());
        }

        /// Pages follow one another without a gap or a repetition, over many conversations.
        async fn a_search_comes_in_pages(store: &Store) {
            let talk = Talk::new(store).await;
            for _ in 0..25 {
                let visitor = talk.another_visitor().await;
                accepted(talk.says_as(visitor, "c", words("a parcel of tea")).await);
            }
            learn(&talk).await;
            let scope = scope(&store.world, talk.workspace_id);
            let mut numbers = Vec::new();
            let mut cursor = None;
            loop {
                let page = search::everywhere(&store.db, &scope, "parcel", InboxFilter::All.into(), cursor.as_ref(), 12).await.unwrap();
                for found in &page.items {
                    assert_eq!(shown(&found.matches[0]), "message: a [parcel] of tea");
                    numbers.push(found.conversation.number);
                }
                cursor = page.cursor.map(|next| Cursor::read(&next, List::Search).unwrap());
                if cursor.is_none() {
                    break;
                }
            }
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=25).collect::<Vec<_>>());
        }

        /// Words are found whatever their case, accents and script; the last one as a beginning.
        async fn words_are_found(store: &Store) {
            let talk = Talk::new(store).await;
            for said in SAID {
                let visitor = talk.another_visitor().await;
                accepted(talk.says_as(visitor, "c", words(said)).await);
            }
            learn(&talk).await;
            let check = async |text: &str, expected: &[u64]| {
                assert_eq!(found(&talk, InboxFilter::All, text).await, expected, "{text}");
            };
            check("parcel", &[1, 6]).await;
            check("PARC", &[1, 6]).await;
            check("parcel my", &[1]).await;
            check("parcel 47", &[1]).await;
            check("packchen", &[2]).await;
            check("PÄCKCHEN STRASSE", &[]).await;
            check("päckchen straße", &[2]).await;
            check("包裹", &[3]).await;
            check("包里", &[]).await;
            check("パーセル", &[4]).await;
            check("พัสดุ", &[5]).await;
            check("quotes", &[7]).await;
            check("c", &[7]).await;
            check("absent", &[]).await;
            for odd in ["", "  ", "?!", "\"", "' OR 1=1 --", "a & b | !c:*", "%", "_", "\\", "NEAR(", "*"] {
                let hits = found(&talk, InboxFilter::All, odd).await;
                assert!(hits.len() <= 1, "{odd}: {hits:?}");
            }
        }

        /// Names and addresses are found, notes too, taken back words not; each list finds its own.
        async fn names_notes_and_lists(store: &Store) {
            let talk = Talk::new(store).await;
            let claim = Claim {
                name: Some("Ana Kovač".to_owned()),
                email: Some("ana@shop.example".to_owned()),
                ..Claim::default()
            };
            let named = key(talk.visitor.visitor_id, "i", "claim");
            visitor::claim(&store.db, talk.workspace_id, &talk.visitor, &named, &claim, NOW_MS).await.unwrap();
            let id = talk.says("hello").await.conversation.id;
            let said = talk.answers(id, "umbrella").await;
            talk.does(id, NewContent::Note(words("walrus"))).await;
            learn(&talk).await;
            for text in ["kovac", "ANA@SHOP", "umbrella", "walrus"] {
                assert_eq!(found(&talk, InboxFilter::All, text).await, [1], "{text}");
            }
            let target_id = said.entries[0].id;
            talk.does(id, NewContent::Edited { target_id, body: "parasol".to_owned() }).await;
            // Forgotten at once, learned later.
            assert!(found(&talk, InboxFilter::All, "umbrella").await.is_empty());
            learn(&talk).await;
            assert!(found(&talk, InboxFilter::All, "umbrella").await.is_empty());
            assert_eq!(found(&talk, InboxFilter::All, "parasol").await, [1]);
            let elsewhere = ListQuery {
                list: InboxList { site_id: Some(store.world.ids.next()), ..InboxFilter::All.into() },
                agent_id: None,
                cursor: None,
                limit: 10,
            };
            let scope = crate::common::scope(&store.world, talk.workspace_id);
            let found_there = search::conversations(&store.db, &scope, "parasol", &elsewhere).await.unwrap();
            assert!(found_there.items.is_empty());
            talk.does(id, NewContent::Deleted { target_id }).await;
            assert!(found(&talk, InboxFilter::All, "parasol").await.is_empty());
            assert!(found(&talk, InboxFilter::Mine, "hello").await.is_empty());
            talk.does(id, NewContent::Assigned { agent_id: Some(talk.agent_id) }).await;
            assert_eq!(found(&talk, InboxFilter::Mine, "hello").await, [1]);
            assert!(found(&talk, InboxFilter::Unassigned, "hello").await.is_empty());
            talk.does(id, NewContent::Closed).await;
            assert!(found(&talk, InboxFilter::All, "hello").await.is_empty());
            assert_eq!(found(&talk, InboxFilter::Closed, "hello").await, [1]);
            talk.does(id, NewContent::SpamMarked { spam: true }).await;
            assert_eq!(found(&talk, InboxFilter::Spam, "hello").await, [1]);
        }

        /// A node learns what it is told of and leaves the others' alone, until that was left behind. Postgres has words
        /// with their messages; a program of before may have left some without.
        async fn each_learns_its_own(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("first").await.conversation.id;
            if let Home::Postgres(_) = store.config.home {
                assert_eq!(found(&talk, InboxFilter::All, "first").await, [1]);
                let told = talk.answers(id, "told").await.entries[0].id;
                assert_eq!(learned(store, Unlearned::Told(&[told])).await, Learned::All);
                assert_eq!(found(&talk, InboxFilter::All, "told").await, [1]);
                let mut batch = Batch::default();
                batch.push(Stmt::new("UPDATE message SET words = NULL", Vec::new()));
                store.db.batch(batch).await.unwrap();
                assert!(found(&talk, InboxFilter::All, "told").await.is_empty());
                assert_eq!(crate::common::learn(&store.db).await, Learned::All);
                assert_eq!(found(&talk, InboxFilter::All, "told").await, [1]);
                return;
            }
            let mine = talk.answers(id, "mine").await.entries[0].id;
            let other = talk.answers(id, "other").await.entries[0].id;
            assert_eq!(learned(store, Unlearned::Told(&[mine])).await, Learned::All);
            assert_eq!(found(&talk, InboxFilter::All, "mine").await, [1]);
            assert!(found(&talk, InboxFilter::All, "other").await.is_empty());
            // Twice over, or of nothing: nothing comes of it.
            assert_eq!(learned(store, Unlearned::Told(&[mine])).await, Learned::All);
            assert_eq!(learned(store, Unlearned::Told(&[])).await, Learned::All);
            assert_eq!(learned(store, Unlearned::Before(other)).await, Learned::All);
            assert!(found(&talk, InboxFilter::All, "other").await.is_empty());
            assert_eq!(found(&talk, InboxFilter::All, "first").await, [1]);
            // More than are asked for by one statement.
            let mut told = Vec::new();
            for n in 0..20 {
                told.push(talk.answers(id, &format!("more{n}")).await.entries[0].id);
            }
            assert_eq!(learned(store, Unlearned::Told(&told)).await, Learned::All);
            assert_eq!(found(&talk, InboxFilter::All, "more19").await, [1]);
            assert_eq!(crate::common::learn(&store.db).await, Learned::All);
            assert_eq!(found(&talk, InboxFilter::All, "other").await, [1]);
        }

        /// Whoever learns while words change learns nothing of what is gone, and everything in the end.
        async fn learning_beside_changes(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("hello").await.conversation.id;
            let mut entry_ids = Vec::new();
            for n in 0..150 {
                entry_ids.push(talk.answers(id, &format!("apple {n}")).await.entries[0].id);
            }
            let learning = async {
                for _ in 0..20 {
                    crate::common::learn(&store.db).await;
                }
            };
            let also_learning = async {
                for _ in 0..20 {
                    crate::common::learn(&store.db).await;
                }
            };
            let changing = async {
                for (n, target_id) in entry_ids.into_iter().enumerate() {
                    let content = if n % 2 == 0 {
                        NewContent::Deleted { target_id }
                    } else {
                        NewContent::Edited { target_id, body: format!("pear {n}") }
                    };
                    talk.does(id, content).await;
                }
            };
            futures_util::join!(learning, also_learning, changing);
            learn(&talk).await;
            assert!(found(&talk, InboxFilter::All, "apple").await.is_empty());
            assert_eq!(found(&talk, InboxFilter::All, "pear").await, [1]);
        }
    }
}
