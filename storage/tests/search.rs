//! The contract of search: the same finds on both homes.

#[path = "common/both.rs"]
mod both;
mod common;

use both::on_both;
use common::talk::{Talk, accepted, key, words};
use common::{NOW_MS, Store, scope};
use protocol::view::InboxFilter;
use protocol::visitor::Claim;
use storage::conversation::ListQuery;
use storage::entry::NewContent;
use storage::search::{self, Learned};
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

    /// Lets the search learn all that was said.
    async fn learn(talk: &Talk<'_>) {
        while search::learn(&talk.store.db).await.unwrap() != Learned::All {}
    }

    async fn found(talk: &Talk<'_>, filter: InboxFilter, text: &str) -> Vec<u64> {
        let scope = scope(&talk.store.world, talk.workspace_id);
        let mut query = ListQuery {
            filter,
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
                Some(cursor) => query.cursor = Some(cursor),
                None => break,
            }
        }
        numbers.sort_unstable();
        numbers
    }

    on_both! {
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
                    search::learn(&store.db).await.unwrap();
                }
            };
            let also_learning = async {
                for _ in 0..20 {
                    search::learn(&store.db).await.unwrap();
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
