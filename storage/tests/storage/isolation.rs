//! The contract of workspaces: whoever is in another one reads nothing and changes nothing here.

use crate::both::on_both;
use crate::common::files::{blobs, upload};
use crate::common::talk::{Talk, key, words};
use crate::common::{NOW_MS, Store, scope};
use protocol::contact::ContactChange;
use protocol::conversation::Marks;
use protocol::entry::Author;
use protocol::id::WorkspaceId;
use protocol::site::SiteChange;
use protocol::view::InboxFilter;
use protocol::visitor::Claim;
use storage::attachment;
use storage::audit::{self, Change};
use storage::command::{Refusal, Remembered};
use storage::conversation;
use storage::entry::{self, NewContent, Numbering, Outcome};
use storage::error::Written;
use storage::inbox::{self, ListQuery};
use storage::message::{self, Start, VisitorMessage};
use storage::participant::{self, Mark, Party};
use storage::unread::{self, Unread};
use storage::visitor::{self, Proof};
use storage::{
    agent, command, contact, failed_login, invitation, key as api_key, search, site, workspace,
};

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
mod stories {
    use super::*;

    on_both! {
        /// Every read, with the right ids and another workspace, gives nothing.
        async fn reads_end_at_the_workspace(store: &Store) {
            let talk = Talk::new(store).await;
            let stored = talk.says("mine").await;
            let (id, entry_id) = (stored.conversation.id, stored.entries[0].id);
            let file = upload(&talk, &blobs(store), talk.visitor.visitor_id, "a").await;
            let db = &store.db;
            let other: WorkspaceId = store.world.ids.next();
            let there = scope(&store.world, other);
            let all = ListQuery { list: InboxFilter::All.into(), agent_id: Some(talk.agent_id), cursor: None, limit: 10 };
            assert!(inbox::list(db, &there, &all).await.unwrap().items.is_empty());
            assert_eq!(inbox::counts(db, &there, Some(talk.agent_id), all.list).await.unwrap().all, 0);
            assert!(search::conversations(db, &there, "mine", &all).await.unwrap().items.is_empty());
            assert!(conversation::find(db, other, id).await.unwrap().is_none());
            assert!(conversation::facts(db, other, id).await.unwrap().is_none());
            let contact_id = stored.conversation.contact_id;
            assert!(conversation::of_contact(db, &there, contact_id, None, 10).await.unwrap().items.is_empty());
            assert!(conversation::of_visitor(db, other, &talk.visitor, id).await.unwrap().is_none());
            assert!(conversation::history(db, other, &talk.visitor, None, 10).await.unwrap().items.is_empty());
            assert!(conversation::open_of_visitor(db, other, &talk.visitor).await.unwrap().is_none());
            assert_eq!(unread::of_visitor(db, other, &talk.visitor).await.unwrap(), Unread::default());
            for numbering in [Numbering::Team, Numbering::Visitor] {
                assert!(entry::after(db, other, id, numbering, 0, 10).await.unwrap().is_empty());
                assert!(entry::before(db, other, id, numbering, None, 10).await.unwrap().is_empty());
                assert!(entry::id_at(db, other, id, numbering, 1).await.unwrap().is_none());
                assert_eq!(participant::customer_marks(db, other, id, numbering).await.unwrap(), Marks::default());
            }
            assert!(entry::find(db, other, id, entry_id).await.unwrap().is_none());
            assert_eq!(participant::team_marks(db, other, id).await.unwrap(), Marks::default());
            assert!(participant::agents(db, other, id).await.unwrap().is_empty());
            assert!(attachment::find(db, other, file.attachment.id).await.unwrap().is_none());
            assert!(visitor::find(db, other, talk.visitor.visitor_id).await.unwrap().is_none());
            assert!(visitor::detail(db, &there, talk.visitor.visitor_id).await.unwrap().is_none());
            assert!(contact::find(db, &there, contact_id).await.unwrap().is_none());
            assert!(contact::of_visitor(db, other, talk.visitor.visitor_id).await.unwrap().is_none());
            assert!(command::find(db, other, &key(talk.visitor.visitor_id, "c", "x")).await.unwrap().is_none());
            assert!(workspace::find(db, other).await.unwrap().is_none());
            assert!(site::find(db, other, talk.site_id).await.unwrap().is_none());
            assert!(site::list(db, &there).await.unwrap().is_empty());
            assert!(site::secrets(db, other, talk.site_id, NOW_MS).await.unwrap().is_empty());
            assert!(agent::find(db, other, talk.agent_id).await.unwrap().is_none());
            assert!(agent::list(db, other).await.unwrap().is_empty());
            assert!(invitation::list(db, &there, NOW_MS).await.unwrap().is_empty());
            assert!(api_key::list(db, &there).await.unwrap().is_empty());
            assert!(audit::list(db, &there, None, 10).await.unwrap().items.is_empty());
            assert!(failed_login::list(db, &there, None, 10).await.unwrap().items.is_empty());
        }

        /// Every write, with the right ids and another workspace, changes nothing.
        async fn writes_end_at_the_workspace(store: &Store) {
            let talk = Talk::new(store).await;
            let stored = talk.says("mine").await;
            let id = stored.conversation.id;
            let contact_id = stored.conversation.contact_id;
            let db = &store.db;
            let other: WorkspaceId = store.world.ids.next();
            let before = conversation::find(db, talk.workspace_id, id).await.unwrap();
            let mut deed = talk.deed(id, vec![NewContent::Closed]);
            deed.workspace_id = other;
            assert_eq!(talk.tries(&deed).await, Outcome::Refused(Refusal::NotFound));
            let target_id = stored.entries[0].id;
            let mut deed = talk.deed(id, vec![NewContent::Deleted { target_id }]);
            deed.workspace_id = other;
            assert_eq!(talk.tries(&deed).await, Outcome::Refused(Refusal::NotFound));
            let said = VisitorMessage {
                workspace_id: other,
                visitor: talk.visitor,
                key: key(talk.visitor.visitor_id, "x", "x"),
                conversation_id: None,
                message: words("x"),
                at_ms: NOW_MS,
            };
            assert_eq!(message::send(db, &said, &mut None).await.unwrap(), Outcome::Refused(Refusal::NotFound));
            let start = Start {
                workspace_id: other,
                visitor_id: talk.visitor.visitor_id,
                key: key(talk.agent_id, "x", "x"),
                author: Author::Agent { agent_id: talk.agent_id },
                message: words("x"),
                at_ms: NOW_MS,
            };
            assert_eq!(message::start(db, &start).await.unwrap(), Outcome::Refused(Refusal::NotFound));
            let claimed = visitor::claim(db, other, &talk.visitor, &key("v", "y", "y"), &Claim::default(), NOW_MS).await;
            assert_eq!(claimed.unwrap(), Remembered::Refused(Refusal::NotFound));
            let proof = Proof { customer_id: Some("c".to_owned()), email: None, claim: Claim::default() };
            let proved = visitor::prove(db, other, talk.visitor.visitor_id, &proof, NOW_MS).await.unwrap();
            assert_eq!(proved, None);
            visitor::rotate(db, other, talk.visitor.visitor_id, NOW_MS).await.unwrap();
            let marks = Marks { delivered: 1, read: 1 };
            let mark = Mark { workspace_id: other, conversation_id: id, party: Party::Customer, marks };
            participant::mark(db, &[mark], NOW_MS).await.unwrap();
            let line = Change {
                workspace_id: other,
                actor: talk.agent_id.to_string(),
                action: "contact.changed",
                target: contact_id.to_string(),
                fields: vec![],
                changes_json: None,
                address: None,
                at_ms: NOW_MS,
            };
            let new = ContactChange { name: Some("x".to_owned()), ..ContactChange::default() };
            assert_eq!(contact::change(db, contact_id, 1, &new, &line).await.unwrap(), Written::NotFound);
            assert_eq!(contact::merge(db, contact_id, store.world.ids.next(), &line).await.unwrap(), Written::NotFound);
            assert_eq!(contact::unmerge(db, contact_id, &line).await.unwrap(), Written::NotFound);
            assert_eq!(contact::erase(db, contact_id, &line).await.unwrap(), None);
            let archive = SiteChange { archived: Some(true), ..SiteChange::default() };
            let archived = site::change(db, talk.site_id, 1, &archive, &line).await.unwrap();
            assert_eq!(archived, Written::NotFound);
            let after = conversation::find(db, talk.workspace_id, id).await.unwrap();
            assert_eq!(after, before);
            let row = visitor::find(db, talk.workspace_id, talk.visitor.visitor_id).await.unwrap().unwrap();
            assert_eq!((row.generation, row.proved), (1, false));
            let marks = participant::customer_marks(db, talk.workspace_id, id, Numbering::Team).await.unwrap();
            assert_eq!(marks, Marks::default());
        }
    }
}
