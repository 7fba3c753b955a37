//! The contract of visitors and contacts: claims and proofs, merging, erasing, files.

use std::collections::BTreeMap;
use std::path::Path;

use crate::both::on_both;
use crate::common::files::{blobs, upload};
use crate::common::talk::{Talk, accepted, key, words};
use crate::common::{NOW_MS, Store, scope};
use protocol::contact::{AttributeValue, ContactChange, ContactKind, IdentityKind};
use protocol::id::ContactId;
use protocol::limit;
use protocol::permission::VisitorActor;
use protocol::visitor::{Claim, PageView, Source};
use storage::attachment;
use storage::audit::Change;
use storage::command::{Refusal, Remembered};
use storage::contact;
use storage::conversation;
use storage::entry::{self, NewContent, Numbering, Outcome};
use storage::error::Written;
use storage::inbox::ListQuery;
use storage::visit::{self, Trace};
use storage::visitor::{self, Proof};

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
mod stories {
    use super::*;

    fn claim(name: &str) -> Claim {
        Claim {
            name: Some(name.to_owned()),
            email: Some(format!("{name}@Example.com")),
            attributes: [("plan".to_owned(), AttributeValue::Text("gold".to_owned()))].into(),
            ..Claim::default()
        }
    }

    fn proof(customer_id: &str, name: &str) -> Proof {
        Proof {
            customer_id: Some(customer_id.to_owned()),
            email: Some(format!("{name}@example.com")),
            claim: claim(name),
        }
    }

    fn change(talk: &Talk<'_>, action: &'static str, target: ContactId) -> Change {
        Change {
            workspace_id: talk.workspace_id,
            actor: talk.agent_id.to_string(),
            action,
            target: target.to_string(),
            fields: vec!["name"],
            changes_json: Some("{\"name\":[\"\",\"zanzibar\"]}".to_owned()),
            address: None,
            at_ms: NOW_MS,
        }
    }

    async fn prove(talk: &Talk<'_>, visitor: &VisitorActor, proof: &Proof) -> Option<ContactId> {
        visitor::prove(
            &talk.store.db,
            talk.workspace_id,
            visitor.visitor_id,
            proof,
            NOW_MS,
        )
        .await
        .unwrap()
    }

    on_both! {
        /// A claim is remembered, shown as a claim, links nothing, and fills the record of the lead.
        async fn a_claim_links_nothing(store: &Store) {
            let talk = Talk::new(store).await;
            let db = &store.db;
            let key = key(talk.visitor.visitor_id, "i1", "claim");
            let said = visitor::claim(db, talk.workspace_id, &talk.visitor, &key, &claim("Ana"), NOW_MS).await.unwrap();
            assert!(matches!(said, Remembered::Accepted(_)), "{said:?}");
            let again = visitor::claim(db, talk.workspace_id, &talk.visitor, &key, &claim("Ana"), NOW_MS).await.unwrap();
            assert!(matches!(again, Remembered::Replayed(_)), "{again:?}");
            let row = visitor::find(db, talk.workspace_id, talk.visitor.visitor_id).await.unwrap().unwrap();
            assert_eq!((row.name.as_str(), row.contact_id), ("Ana", None));
            let stored = talk.says("hi").await;
            assert_eq!(stored.conversation.contact_name, "Ana");
            let other = talk.another_visitor().await;
            let other_key = crate::common::talk::key(other.visitor_id, "i1", "claim");
            visitor::claim(db, talk.workspace_id, &other, &other_key, &claim("Ana"), NOW_MS).await.unwrap();
            let second = accepted(talk.says_as(other, "c", words("hi")).await);
            assert_ne!(second.conversation.contact_id, stored.conversation.contact_id);
            let scope = scope(&store.world, talk.workspace_id);
            let contact = contact::find(db, &scope, stored.conversation.contact_id).await.unwrap().unwrap();
            assert_eq!(contact.kind, ContactKind::Lead);
            assert_eq!(contact.email.as_deref(), Some("Ana@Example.com"));
            assert_eq!(contact.attributes["plan"], AttributeValue::Text("gold".to_owned()));
            assert!(contact.identities.iter().all(|identity| identity.verified_at_ms.is_none()));
            assert!(contact.identities.iter().any(|identity| identity.kind == IdentityKind::Email));
        }

        /// What a page says and what its visitor writes add up, and it is known whether he can be reached.
        async fn claims_add_up(store: &Store) {
            let talk = Talk::new(store).await;
            let db = &store.db;
            let found = async || visitor::find(db, talk.workspace_id, talk.visitor.visitor_id).await.unwrap().unwrap();
            assert!(!found().await.reachable);
            let named = Claim { name: Some("Ana Kovač".to_owned()), ..Claim::default() };
            for (client_id, claim) in [("i1", claim("Ana")), ("i2", named)] {
                let key = key(talk.visitor.visitor_id, client_id, client_id);
                visitor::claim(db, talk.workspace_id, &talk.visitor, &key, &claim, NOW_MS).await.unwrap();
            }
            let row = found().await;
            assert_eq!((row.name.as_str(), row.reachable), ("Ana Kovač", true));
            let stored = talk.says("hi").await;
            let scope = scope(&store.world, talk.workspace_id);
            let contact = contact::find(db, &scope, stored.conversation.contact_id).await.unwrap().unwrap();
            assert_eq!((contact.name.as_str(), contact.email.as_deref()), ("Ana Kovač", Some("Ana@Example.com")));
            assert!(found().await.reachable);
            // The contact's record alone counts.
            let other = talk.another_visitor().await;
            accepted(talk.says_as(other, "c", words("hi")).await);
            let other = visitor::find(db, talk.workspace_id, other.visitor_id).await.unwrap().unwrap();
            assert!(!other.reachable);
        }

        /// What is accepted is stored with everything that follows from it, whatever fails on the way.
        async fn a_claim_is_stored_whole(store: &Store) {
            let talk = Talk::new(store).await;
            let scope = scope(&store.world, talk.workspace_id);
            for skip in 0..3 {
                let visitor = talk.another_visitor().await;
                let begun = accepted(talk.says_as(visitor, "c", words("hi")).await).conversation;
                let key = key(visitor.visitor_id, "i1", "claim");
                store.world.faults.fail("storage.batch", skip, 1);
                let claim = claim("Ana");
                while visitor::claim(&store.db, talk.workspace_id, &visitor, &key, &claim, NOW_MS).await.is_err() {}
                store.world.faults.heal();
                let contact = contact::find(&store.db, &scope, begun.contact_id).await.unwrap().unwrap();
                assert_eq!(contact.email.as_deref(), Some("Ana@Example.com"), "{skip}");
            }
        }

        /// A page says who its visitor is with each load: what is known already changes nothing.
        async fn what_is_known_is_not_written_again(store: &Store) {
            let talk = Talk::new(store).await;
            let (db, scope) = (&store.db, scope(&store.world, talk.workspace_id));
            let begun = talk.says("hi").await.conversation;
            let versions = async || {
                let row = visitor::find(db, talk.workspace_id, talk.visitor.visitor_id).await.unwrap().unwrap();
                let contact = contact::find(db, &scope, begun.contact_id).await.unwrap().unwrap();
                let end = storage::event::end(db).await.unwrap();
                (row.version, contact.version, format!("{end:?}"))
            };
            let mut before = versions().await;
            for (client_id, claim, changes) in [
                ("i1", claim("Ana"), true),
                ("i2", claim("Ana"), false),
                ("i3", Claim { phone: Some("112".to_owned()), ..claim("Ana") }, true),
                ("i4", Claim { phone: Some("112".to_owned()), ..claim("Ana") }, false),
            ] {
                let key = key(talk.visitor.visitor_id, client_id, &format!("{claim:?}"));
                let said = visitor::claim(db, talk.workspace_id, &talk.visitor, &key, &claim, NOW_MS).await.unwrap();
                assert!(matches!(said, Remembered::Accepted(_)), "{said:?}");
                let after = versions().await;
                assert_eq!(after.1 > before.1, changes, "{client_id}");
                assert_eq!(after != before, changes, "{client_id}");
                before = after;
            }
            for (name, changes) in [("Ana", true), ("Ana", false), ("Anna", true), ("Anna", false)] {
                prove(&talk, &talk.visitor, &proof("c-1", name)).await.unwrap();
                let after = versions().await;
                assert_eq!(after.1 > before.1, changes, "{name}");
                assert_eq!(after != before, changes, "{name}");
                before = after;
            }
        }

        /// A contact holds so much and no more; what it holds may still change.
        async fn a_contact_holds_so_much(store: &Store) {
            let talk = Talk::new(store).await;
            let (db, scope) = (&store.db, scope(&store.world, talk.workspace_id));
            let begun = talk.says("hi").await.conversation;
            let said = async |name: String, claim: Claim| {
                let key = key(talk.visitor.visitor_id, &name, &name);
                visitor::claim(db, talk.workspace_id, &talk.visitor, &key, &claim, NOW_MS).await.unwrap()
            };
            let text = |text: &str| AttributeValue::Text(text.to_owned());
            let plan = |n: usize, value: &str| Claim {
                attributes: [(format!("p{n}"), text(value))].into(),
                ..Claim::default()
            };
            for first in (0..limit::CONTACT_ATTRIBUTES_MAX).step_by(20) {
                let attributes = (first..first + 20).map(|n| (format!("p{n}"), text("a"))).collect();
                said(format!("a{first}"), Claim { attributes, ..Claim::default() }).await;
            }
            let more = said("more".to_owned(), plan(limit::CONTACT_ATTRIBUTES_MAX, "a")).await;
            assert_eq!(more, Remembered::Refused(Refusal::TooMany("attributes")));
            let other = said("other".to_owned(), plan(0, "b")).await;
            assert!(matches!(other, Remembered::Accepted(_)), "{other:?}");
            for n in 0..limit::CONTACT_IDENTITIES_MAX {
                let claim = Claim { phone: Some(format!("+{n}")), ..Claim::default() };
                said(format!("p{n}"), claim).await;
            }
            let more = said("last".to_owned(), Claim { email: Some("o@example.com".to_owned()), ..Claim::default() }).await;
            assert_eq!(more, Remembered::Refused(Refusal::TooMany("email")));
            // Nobody is kept out because his record is full.
            let customer = prove(&talk, &talk.visitor, &proof("c-1", "Ana")).await;
            assert_eq!(customer, Some(begun.contact_id));
            let contact = contact::find(db, &scope, begun.contact_id).await.unwrap().unwrap();
            assert_eq!(contact.attributes.len(), limit::CONTACT_ATTRIBUTES_MAX);
            assert_eq!(contact.attributes["p0"], text("b"));
        }

        /// A proof ties browsers to one customer, brings a lead's record along, and never changes the person.
        async fn a_proof_ties_browsers_to_one_customer(store: &Store) {
            let talk = Talk::new(store).await;
            let lead = talk.says("hi").await.conversation;
            let customer = prove(&talk, &talk.visitor, &proof("c-1", "Ana")).await.unwrap();
            assert_eq!(customer, lead.contact_id);
            assert_eq!(prove(&talk, &talk.visitor, &proof("c-1", "Ana")).await, Some(customer));
            assert_eq!(prove(&talk, &talk.visitor, &proof("c-2", "Bo")).await, None);
            let phone = talk.another_visitor().await;
            let begun = accepted(talk.says_as(phone, "c", words("on the phone")).await).conversation;
            assert_ne!(begun.contact_id, customer);
            assert_eq!(prove(&talk, &phone, &proof("c-1", "Ana")).await, Some(customer));
            let phone = VisitorActor { contact_id: Some(customer), ..phone };
            let history = conversation::history(&store.db, talk.workspace_id, &phone, None, 10).await.unwrap();
            assert_eq!(history.items.len(), 2);
            let stranger = talk.another_visitor().await;
            let his = conversation::of_visitor(&store.db, talk.workspace_id, &stranger, lead.id).await.unwrap();
            assert_eq!(his, None);
            let hers = conversation::of_visitor(&store.db, talk.workspace_id, &phone, lead.id).await.unwrap();
            assert!(hers.is_some());
            let scope = scope(&store.world, talk.workspace_id);
            let contact = contact::find(&store.db, &scope, customer).await.unwrap().unwrap();
            assert_eq!(contact.kind, ContactKind::Customer);
            assert!(contact.identities.iter().any(|i| i.kind == IdentityKind::ExternalId && i.verified_at_ms.is_some()));
            let all = conversation::of_contact(&store.db, &scope, customer, None, 10).await.unwrap();
            assert_eq!(all.items.len(), 2);
        }

        /// Browsers that prove the same new customer at once are one person all the same.
        async fn proofs_at_once_make_one_customer(store: &Store) {
            let talk = Talk::new(store).await;
            for round in 0..4 {
                let proof = proof(&format!("c-{round}"), "Ana");
                let (one, two) = (talk.another_visitor().await, talk.another_visitor().await);
                let (first, second) = tokio::join!(prove(&talk, &one, &proof), prove(&talk, &two, &proof));
                assert!(first.is_some());
                assert_eq!(first, second);
            }
        }

        /// An address that a site signs beside its own id is proved, and ties nobody: customers may share one.
        async fn a_signed_address_is_proved_and_ties_nobody(store: &Store) {
            let talk = Talk::new(store).await;
            let scope = scope(&store.world, talk.workspace_id);
            let (phone, desk) = (talk.another_visitor().await, talk.another_visitor().await);
            let ana = prove(&talk, &talk.visitor, &proof("c-1", "Ana")).await.unwrap();
            let bo = prove(&talk, &phone, &proof("c-2", "Ana")).await.unwrap();
            let alone = Proof { customer_id: None, ..proof("", "Ana") };
            let unnamed = prove(&talk, &desk, &alone).await.unwrap();
            assert!(ana != bo && bo != unnamed && unnamed != ana);
            for id in [ana, bo, unnamed] {
                let contact = contact::find(&store.db, &scope, id).await.unwrap().unwrap();
                let proved = contact.identities.iter().filter(|one| one.verified_at_ms.is_some());
                assert!(proved.clone().any(|one| one.kind == IdentityKind::Email), "{contact:?}");
                assert!(!contact.identities.iter().any(|one| one.kind == IdentityKind::Email && one.verified_at_ms.is_none()));
            }
            // Merged, both are still who they were, however often they prove it.
            contact::merge(&store.db, bo, ana, &change(&talk, "contact.merged", bo)).await.unwrap();
            assert_eq!(prove(&talk, &talk.another_visitor().await, &proof("c-2", "Ana")).await, Some(ana));
        }

        /// A customer who proved it on two browsers goes on with one conversation.
        async fn a_proved_customer_has_one_open_conversation(store: &Store) {
            let talk = Talk::new(store).await;
            let customer = prove(&talk, &talk.visitor, &proof("c-1", "Ana")).await;
            let desk = VisitorActor { contact_id: customer, ..talk.visitor };
            let phone = talk.another_visitor().await;
            assert_eq!(prove(&talk, &phone, &proof("c-1", "Ana")).await, customer);
            let phone = VisitorActor { contact_id: customer, ..phone };
            let first = accepted(talk.says_as(desk, "c", words("one")).await);
            let second = accepted(talk.says_as(phone, "c", words("two")).await);
            assert_eq!(first.conversation.id, second.conversation.id);
            talk.does(first.conversation.id, NewContent::Closed).await;
            let third = accepted(talk.says_as(phone, "d", words("three")).await);
            assert!(third.created);
        }

        /// A merge points, shows together, refuses circles, and can be taken back.
        async fn a_merge_can_be_taken_back(store: &Store) {
            let talk = Talk::new(store).await;
            let one = talk.says("one").await.conversation.contact_id;
            let mut contacts = vec![one];
            for _ in 0..2 {
                let visitor = talk.another_visitor().await;
                let stored = accepted(talk.says_as(visitor, "c", words("more")).await);
                contacts.push(stored.conversation.contact_id);
            }
            let db = &store.db;
            let scope = scope(&store.world, talk.workspace_id);
            let merge = async |from: ContactId, into| {
                contact::merge(db, from, into, &change(&talk, "contact.merged", from)).await.unwrap()
            };
            let count = async |id| conversation::of_contact(db, &scope, id, None, 10).await.unwrap().items.len();
            assert_eq!(merge(one, one).await, Written::Refused);
            assert!(matches!(merge(contacts[2], contacts[1]).await, Written::Done(_)));
            assert!(matches!(merge(contacts[1], one).await, Written::Done(_)));
            assert_eq!(merge(contacts[1], one).await, Written::Refused);
            assert_eq!(merge(one, contacts[2]).await, Written::Refused);
            assert_eq!(merge(store.world.ids.next(), one).await, Written::NotFound);
            assert_eq!((count(one).await, count(contacts[2]).await), (3, 3));
            let undone = contact::unmerge(db, contacts[1], &change(&talk, "contact.unmerged", contacts[1])).await.unwrap();
            assert!(matches!(undone, Written::Done(_)));
            assert_eq!((count(one).await, count(contacts[1]).await, count(contacts[2]).await), (1, 2, 2));
        }

        /// A change of the record wins only against the version it saw.
        async fn a_contact_changes_by_version(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("one").await.conversation.contact_id;
            let db = &store.db;
            let new = ContactChange {
                name: Some("Čedo".to_owned()),
                email: Some("cedo@example.com".to_owned()),
                ..ContactChange::default()
            };
            let line = change(&talk, "contact.changed", id);
            let Written::Done(contact) = contact::change(db, id, 1, &new, &line).await.unwrap() else {
                panic!("not changed");
            };
            assert_eq!((contact.version, contact.name.as_str()), (2, "Čedo"));
            assert_eq!(contact.email.as_deref(), Some("cedo@example.com"));
            let stale = contact::change(db, id, 1, &new, &line).await.unwrap();
            assert_eq!(stale, Written::VersionConflict);
            let none = contact::change(db, store.world.ids.next(), 1, &new, &line).await.unwrap();
            assert_eq!(none, Written::NotFound);
            let empty = ContactChange { email: Some(String::new()), ..ContactChange::default() };
            let Written::Done(contact) = contact::change(db, id, 2, &empty, &line).await.unwrap() else {
                panic!("not changed");
            };
            assert_eq!((contact.email, contact.name.as_str()), (None, "Čedo"));
        }

        /// Those that are not named stay, and a change that is refused changes none.
        async fn attributes_are_set_and_taken_away_one_by_one(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("one").await.conversation.contact_id;
            let (db, line) = (&store.db, change(&talk, "contact.changed", id));
            let set = |named: &[(&str, AttributeValue)]| ContactChange {
                attributes: Some(named.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()),
                ..ContactChange::default()
            };
            let text = |text: &str| AttributeValue::Text(text.to_owned());
            let first = set(&[("plan", text("team")), ("seats", AttributeValue::Number(7.0)), ("paid", AttributeValue::Flag(false))]);
            let Written::Done(before) = contact::change(db, id, 1, &first, &line).await.unwrap() else {
                panic!("not changed");
            };
            let next = set(&[("plan", text("solo")), ("paid", text("")), ("nothing", text(" "))]);
            let Written::Done(after) = contact::change(db, id, before.version, &next, &line).await.unwrap() else {
                panic!("not changed");
            };
            let wanted = [("plan", text("solo")), ("seats", AttributeValue::Number(7.0))];
            let wanted: BTreeMap<_, _> = wanted.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            assert_eq!(after.attributes, wanted);
            let late = contact::change(db, id, before.version, &set(&[("plan", text(""))]), &line).await.unwrap();
            assert_eq!(late, Written::VersionConflict);
            let found = contact::find(db, &scope(&store.world, talk.workspace_id), id).await.unwrap();
            assert_eq!(found.map(|found| found.attributes), Some(wanted));
            let full = (0..limit::CONTACT_ATTRIBUTES_MAX - 1).map(|index| (index.to_string(), text("x")));
            let full = ContactChange { attributes: Some(full.collect()), ..ContactChange::default() };
            assert_eq!(contact::overflow(&after, &full), Some("attributes"));
            let mut full = full;
            full.attributes.as_mut().unwrap().insert("seats".to_owned(), text(""));
            assert_eq!(contact::overflow(&after, &full), None);
        }

        /// A planted word is nowhere after the erasure: not in rows, index, files or log.
        async fn an_erased_word_is_nowhere(store: &Store) {
            let talk = Talk::new(store).await;
            let db = &store.db;
            let key = key(talk.visitor.visitor_id, "i1", "claim");
            visitor::claim(db, talk.workspace_id, &talk.visitor, &key, &claim("Zanzibar"), NOW_MS).await.unwrap();
            let blobs = blobs(store);
            let file = upload(&talk, &blobs, talk.visitor.visitor_id, "zanzibar").await;
            let mut message = words("I live in Zanzibar, zanzibarstreet 7");
            message.attachment_ids = vec![file.attachment.id];
            let stored = accepted(talk.says_as(talk.visitor, "c1", message).await);
            let id = stored.conversation.id;
            let said = talk.answers(id, "Zanzibar is nice").await;
            let target_id = said.entries[0].id;
            crate::common::learn(db).await;
            talk.does(id, NewContent::Edited { target_id, body: "zanzibar!".to_owned() }).await;
            crate::common::learn(db).await;
            talk.does(id, NewContent::Note(words("zanzibar again"))).await;
            let visit_id = store.world.ids.next();
            let visitor_id = talk.visitor.visitor_id;
            visit::store(db, &[
                (talk.workspace_id, Trace::Began {
                    visit_id, visitor_id, site_id: talk.site_id,
                    source: Source { referrer: Some("https://zanzibar.example".to_owned()), ..Source::default() },
                    at_ms: NOW_MS,
                }),
                (talk.workspace_id, Trace::Page {
                    visit_id, visitor_id,
                    page: PageView { url: "https://shop.example/zanzibar".to_owned(), title: "zanzibar".to_owned(), at_ms: NOW_MS },
                }),
                (talk.workspace_id, Trace::Custom {
                    visit_id, visitor_id, name: "zanzibar".to_owned(),
                    properties_json: "{\"to\":\"zanzibar\"}".to_owned(), at_ms: NOW_MS,
                }),
            ]).await.unwrap();
            let contact_id = stored.conversation.contact_id;
            let new = ContactChange { company: Some("Zanzibar Ltd".to_owned()), ..ContactChange::default() };
            let scope = scope(&store.world, talk.workspace_id);
            let version = contact::find(db, &scope, contact_id).await.unwrap().unwrap().version;
            let changed = contact::change(db, contact_id, version, &new, &change(&talk, "contact.changed", contact_id)).await.unwrap();
            assert!(matches!(changed, Written::Done(_)));
            assert!(holds_word(store).await, "the word was planted");
            let line = Change { changes_json: None, ..change(&talk, "contact.erased", contact_id) };
            let erased = contact::erase(db, contact_id, &line).await.unwrap().unwrap();
            crate::common::learn(db).await;
            assert_eq!(erased.conversation_ids, [id]);
            assert_eq!(erased.visitor_ids, [talk.visitor.visitor_id]);
            let swept = attachment::sweep(db, &blobs, 0, 0).await.unwrap();
            assert_eq!((swept.removed_count, swept.failed_count), (1, 0));
            assert!(!holds_word(store).await, "the word is still there");
            let emptied = conversation::find(db, talk.workspace_id, id).await.unwrap().unwrap();
            let preview = emptied.preview.unwrap();
            assert_eq!((preview.text.as_str(), preview.attachment_count), ("", 0));
            let entries = entry::after(db, talk.workspace_id, id, Numbering::Team, 0, 10).await.unwrap();
            assert_eq!(entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
            let outcome = talk.says_as(talk.visitor, "c9", words("me again")).await;
            assert_eq!(outcome, Outcome::Refused(Refusal::NotFound));
            let replay = talk.says_as(talk.visitor, "c1", words("I live in Zanzibar, zanzibarstreet 7")).await;
            assert_eq!(replay, Outcome::Replayed(stored.receipt));
            let query = ListQuery { list: protocol::view::InboxFilter::All.into(), agent_id: None, cursor: None, limit: 10 };
            let found = storage::search::conversations(db, &scope, "zanzibar", &query).await.unwrap();
            assert!(found.items.is_empty());
            assert_eq!(contact::erase(db, store.world.ids.next(), &line).await.unwrap(), None);
            assert!(contact::erase(db, contact_id, &line).await.unwrap().is_some());
        }
    }

    /// Whether any byte of the store's files, or of a copy of all its rows, holds the word.
    async fn holds_word(store: &Store) -> bool {
        let copy = store
            .directory
            .path()
            .join(format!("copy-{}.db", store.world.ids.below(u64::MAX)));
        storage::backup::backup(&store.db, &copy).await.unwrap();
        let found = has_word_below(store.directory.path());
        std::fs::remove_file(copy).unwrap();
        found
    }

    fn has_word_below(directory: &Path) -> bool {
        let mut paths = std::fs::read_dir(directory).unwrap();
        paths.any(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                return has_word_below(&path);
            }
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).to_lowercase();
            text.contains("zanzibar")
        })
    }
}
