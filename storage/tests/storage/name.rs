//! The contract of names: a person has one wherever one is shown, and what names a person later says so.

use crate::both::on_both;
use crate::common::talk::{Talk, accepted, key, words};
use crate::common::{NOW_MS, Store, scope};
use protocol::contact::{ContactChange, handle_of};
use protocol::conversation::Conversation;
use protocol::id::{ContactId, ConversationId};
use protocol::visitor::Claim;
use storage::audit::Change;
use storage::contact::{self, Named};
use storage::error::Written;
use storage::{conversation, visitor};

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
mod stories {
    use super::*;

    fn change(talk: &Talk<'_>, action: &'static str, target: ContactId) -> Change {
        Change {
            workspace_id: talk.workspace_id,
            actor: talk.agent_id.to_string(),
            action,
            target: target.to_string(),
            fields: vec!["name"],
            changes_json: None,
            address: None,
            at_ms: NOW_MS,
        }
    }

    async fn rename(talk: &Talk<'_>, contact_id: ContactId, name: &str, email: &str) {
        let db = &talk.store.db;
        let scope = scope(&talk.store.world, talk.workspace_id);
        let version = contact::find(db, &scope, contact_id)
            .await
            .unwrap()
            .unwrap()
            .version;
        let new = ContactChange {
            name: Some(name.to_owned()),
            email: Some(email.to_owned()),
            ..ContactChange::default()
        };
        let line = change(talk, "contact.changed", contact_id);
        let written = contact::change(db, contact_id, version, &new, &line)
            .await
            .unwrap();
        assert!(matches!(written, Written::Done(_)), "{written:?}");
    }

    async fn row(talk: &Talk<'_>, id: ConversationId) -> Conversation {
        conversation::find(&talk.store.db, talk.workspace_id, id)
            .await
            .unwrap()
            .unwrap()
    }

    async fn named(talk: &Talk<'_>, contact_id: ContactId) -> Named {
        contact::named(&talk.store.db, talk.workspace_id, contact_id)
            .await
            .unwrap()
            .unwrap()
    }

    on_both! {
        /// Nameless, with an address, with a name: visitor, conversation and contact are called the same.
        async fn a_person_is_called_the_same_everywhere(store: &Store) {
            let talk = Talk::new(store).await;
            let (db, visitor_id) = (&store.db, talk.visitor.visitor_id);
            let handle = format!("Visitor {}", handle_of(visitor_id));
            let before = visitor::find(db, talk.workspace_id, visitor_id).await.unwrap().unwrap();
            assert_eq!(before.name, handle);
            let begun = talk.says("hi").await.conversation;
            assert_eq!(begun.contact_name, handle);
            let check = async |expected: &str| {
                let conversation = row(&talk, begun.id).await;
                let scope = scope(&store.world, talk.workspace_id);
                let contact = contact::find(db, &scope, begun.contact_id).await.unwrap().unwrap();
                let seen = visitor::find(db, talk.workspace_id, visitor_id).await.unwrap().unwrap();
                let detail = visitor::detail(db, &scope, visitor_id).await.unwrap().unwrap();
                let named = named(&talk, begun.contact_id).await;
                for name in [conversation.contact_name, contact.shown_name, seen.name, detail.name, named.name] {
                    assert_eq!(name, expected);
                }
                assert_eq!(conversation.contact_version, named.version);
                assert_eq!(named.visitor_ids, [visitor_id]);
                named.version
            };
            let first = check(&handle).await;
            rename(&talk, begun.contact_id, "", "ana@example.com").await;
            let second = check("ana@example.com").await;
            rename(&talk, begun.contact_id, "Ana", "ana@example.com").await;
            assert!(first < second && second < check("Ana").await);
            // What the page claims replaces nothing that the team wrote, nor what it took away.
            rename(&talk, begun.contact_id, "", "").await;
            check(&handle).await;
        }

        /// A claim names a visitor who has not written yet, and the lead that he becomes.
        async fn a_claim_names_a_visitor_until_there_is_a_record(store: &Store) {
            let talk = Talk::new(store).await;
            let claim = Claim { email: Some("bo@example.com".to_owned()), ..Claim::default() };
            let key = key(talk.visitor.visitor_id, "i1", "claim");
            visitor::claim(&store.db, talk.workspace_id, &talk.visitor, &key, &claim, NOW_MS).await.unwrap();
            let seen = visitor::find(&store.db, talk.workspace_id, talk.visitor.visitor_id).await.unwrap().unwrap();
            assert_eq!(seen.name, "bo@example.com");
            assert_eq!(talk.says("hi").await.conversation.contact_name, "bo@example.com");
        }

        /// Over merges and back the version of a row's name only grows, so that the newest is known.
        async fn versions_of_names_grow_over_merges(store: &Store) {
            let talk = Talk::new(store).await;
            let lead = talk.says("one").await.conversation;
            let other = talk.another_visitor().await;
            let known = accepted(talk.says_as(other, "c", words("two")).await).conversation;
            for name in ["A", "B", "C"] {
                rename(&talk, lead.contact_id, name, "").await;
            }
            rename(&talk, known.contact_id, "Known", "").await;
            let before = row(&talk, lead.id).await;
            let line = change(&talk, "contact.merged", lead.contact_id);
            contact::merge(&store.db, lead.contact_id, known.contact_id, &line).await.unwrap();
            let merged = row(&talk, lead.id).await;
            assert_eq!(merged.contact_name, "Known");
            assert!(merged.contact_version > before.contact_version);
            assert_eq!(merged.contact_version, row(&talk, known.id).await.contact_version);
            let mut both = [lead.contact_id, known.contact_id];
            both.sort();
            assert_eq!(named(&talk, lead.contact_id).await.contact_ids, both);
            // A refused merge changes nothing.
            let refused = contact::merge(&store.db, lead.contact_id, known.contact_id, &line).await.unwrap();
            assert_eq!(refused, Written::Refused);
            assert_eq!(row(&talk, lead.id).await.contact_version, merged.contact_version);
            let line = change(&talk, "contact.unmerged", lead.contact_id);
            contact::unmerge(&store.db, lead.contact_id, &line).await.unwrap();
            let back = row(&talk, lead.id).await;
            assert_eq!(back.contact_name, "C");
            assert!(back.contact_version > merged.contact_version);
        }

        /// Who is erased is called by the handle, and rows say so.
        async fn the_erased_keep_a_handle_only(store: &Store) {
            let talk = Talk::new(store).await;
            let begun = talk.says("hi").await.conversation;
            rename(&talk, begun.contact_id, "Ana", "ana@example.com").await;
            assert!(!row(&talk, begun.id).await.contact_erased);
            let line = change(&talk, "contact.erased", begun.contact_id);
            contact::erase(&store.db, begun.contact_id, &line).await.unwrap().unwrap();
            let emptied = row(&talk, begun.id).await;
            let handle = format!("Visitor {}", handle_of(talk.visitor.visitor_id));
            assert_eq!((emptied.contact_name.as_str(), emptied.contact_erased), (handle.as_str(), true));
            let named = named(&talk, begun.contact_id).await;
            assert_eq!((named.name, named.erased), (handle, true));
            assert_eq!(named.version, emptied.contact_version);
        }
    }
}
