//! What a visitor has not read.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use crate::both::on_both;
use crate::common::Store;
use crate::common::talk::Talk;
use storage::entry::NewContent;
use storage::unread;

on_both! {
    /// What is unread is counted up to a hundred, without what was taken back, which may be the newest.
    async fn what_was_taken_back_is_not_unread(store: &Store) {
        let talk = Talk::new(store).await;
        let id = talk.says("one").await.conversation.id;
        let (db, workspace_id) = (&store.db, talk.workspace_id);
        let unread = async || unread::of_visitor(db, workspace_id, &talk.visitor).await.unwrap();
        let seen = async |count, entry_id| {
            let unread = unread().await;
            assert_eq!((unread.count, unread.entry_id), (count, entry_id));
        };
        let first = talk.answers(id, "two").await.entries.last().unwrap().id;
        let second = talk.answers(id, "three").await.entries.last().unwrap().id;
        seen(2, Some(second)).await;
        talk.does(id, NewContent::Deleted { target_id: second }).await;
        seen(1, Some(first)).await;
        talk.does(id, NewContent::Deleted { target_id: first }).await;
        seen(0, None).await;
        let mut newest = None;
        for index in 0..105 {
            let stored = talk.answers(id, &format!("line {index}")).await;
            newest = stored.entries.last().map(|entry| entry.id);
        }
        seen(100, newest).await;
    }
}
