//! The contract of attachments: who may claim them, how many there may be, and when their files go.

use crate::both::on_both;
use crate::common::files::{self, blobs, put, reserve, row, upload};
use crate::common::talk::{Talk, accepted, words};
use crate::common::{NOW_MS, Store};
use futures_util::future::join_all;
use protocol::entry::Content;
use protocol::limit;
use storage::attachment::{self, AttachmentRow, Place, Swept};
use storage::command::Refusal;
use storage::entry::{self, NewContent, NewMessage, Numbering, Outcome};

/// How long before [`NOW_MS`] lies what is old enough for a sweep.
const LONG_AGO: u64 = 0;

fn with(row: &AttachmentRow) -> NewMessage {
    let mut message = words("see");
    message.attachment_ids = vec![row.attachment.id];
    message
}

fn swept(removed_count: usize, failed_count: usize) -> Swept {
    Swept {
        removed_count,
        failed_count,
    }
}

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
mod stories {
    use super::*;

    /// Sends a message with a file and deletes it again.
    async fn say_and_delete(talk: &Talk<'_>, client_id: &str, row: &AttachmentRow) {
        let stored = accepted(talk.says_as(talk.visitor, client_id, with(row)).await);
        let target_id = stored.entries[0].id;
        talk.does(stored.conversation.id, NewContent::Deleted { target_id })
            .await;
    }

    on_both! {
        /// A message claims its own uploads once; another's, unknown or claimed ones refuse it.
        async fn a_message_claims_its_files(store: &Store) {
            let talk = Talk::new(store).await;
            let db = &store.db;
            let blobs = blobs(store);
            let mine = upload(&talk, &blobs, talk.visitor.visitor_id, "aa").await;
            let theirs = upload(&talk, &blobs, talk.agent_id, "bb").await;
            let foreign = talk.says_as(talk.visitor, "c1", with(&theirs)).await;
            assert_eq!(foreign, Outcome::Refused(Refusal::Attachment));
            let stored = accepted(talk.says_as(talk.visitor, "c2", with(&mine)).await);
            let shown = format!("{:?}", stored.entries[0].content);
            assert!(shown.contains("zanzibar.png"), "{shown}");
            assert_eq!(stored.conversation.preview.as_ref().unwrap().attachment_count, 1);
            let read = entry::after(db, talk.workspace_id, stored.conversation.id, Numbering::Visitor, 0, 9).await.unwrap();
            assert_eq!(read, stored.entries);
            let twice = talk.says_as(talk.visitor, "c3", with(&mine)).await;
            assert_eq!(twice, Outcome::Refused(Refusal::Attachment));
            let row = attachment::find(db, talk.workspace_id, mine.attachment.id).await.unwrap().unwrap();
            assert_eq!((row.entry_id, row.internal), (Some(stored.entries[0].id), false));
            let note = talk.deed(stored.conversation.id, vec![NewContent::Note(with(&theirs))]);
            accepted(talk.tries(&note).await);
            let row = attachment::find(db, talk.workspace_id, theirs.attachment.id).await.unwrap().unwrap();
            assert!(row.internal);
        }

        /// Many messages at once name one file: one has it, the others are refused, and nothing of them is stored.
        async fn one_of_many_messages_at_once_claims_a_file(store: &Store) {
            let talk = Talk::new(store).await;
            let blobs = blobs(store);
            let mut ids = Vec::new();
            for _ in 0..4 {
                let visitor = talk.another_visitor().await;
                let begun = accepted(talk.says_as(visitor, "first", words("hi")).await);
                ids.push(begun.conversation.id);
            }
            for round in 0..12 {
                let file = upload(&talk, &blobs, talk.agent_id, &format!("{round}")).await;
                let deeds: Vec<_> = (0..8)
                    .map(|n| talk.deed(ids[n % 4], vec![NewContent::Message(with(&file))]))
                    .collect();
                let outcomes = join_all(deeds.iter().map(|deed| talk.tries(deed))).await;
                let (mine, others): (Vec<_>, Vec<_>) =
                    outcomes.into_iter().partition(|o| matches!(o, Outcome::Accepted(_)));
                assert!(others.iter().all(|o| *o == Outcome::Refused(Refusal::Attachment)), "{others:?}");
                assert_eq!(mine.len(), 1, "round {round}: {mine:?}");
                let stored = accepted(mine.into_iter().next().unwrap());
                let row = attachment::find(&store.db, talk.workspace_id, file.attachment.id).await.unwrap().unwrap();
                assert_eq!(row.entry_id, Some(stored.entries[0].id));
            }
        }

        /// Files are shown in the order in which the message names them.
        async fn files_keep_their_order(store: &Store) {
            let talk = Talk::new(store).await;
            let blobs = blobs(store);
            let mut ids = Vec::new();
            for text in ["aa", "bb", "cc", "dd"] {
                ids.push(upload(&talk, &blobs, talk.visitor.visitor_id, text).await.attachment.id);
            }
            ids.sort_unstable();
            ids.reverse();
            ids.swap(1, 2);
            let mut message = words("see");
            message.attachment_ids.clone_from(&ids);
            let stored = accepted(talk.says_as(talk.visitor, "c1", message).await);
            let id = stored.conversation.id;
            let read = entry::after(&store.db, talk.workspace_id, id, Numbering::Visitor, 0, 9).await.unwrap();
            for entry in [&stored.entries[0], &read[0]] {
                let Content::Message { message } = &entry.content else { panic!("{entry:?}") };
                let shown: Vec<_> = message.attachments.iter().map(|attachment| attachment.id).collect();
                assert_eq!(shown, ids);
            }
        }

        /// An uploader has so many unclaimed files at most, and a sweep forgets old ones.
        async fn unclaimed_files_are_bounded_and_swept(store: &Store) {
            let talk = Talk::new(store).await;
            let (db, blobs) = (&store.db, blobs(store));
            for n in 0..limit::UNCLAIMED_ATTACHMENTS_MAX {
                upload(&talk, &blobs, talk.visitor.visitor_id, &format!("{n:02}")).await;
            }
            let more = row(&talk, talk.visitor.visitor_id, "99");
            assert_eq!(reserve(&talk, &more).await, Place::TooMany);
            assert_eq!(attachment::sweep(db, &blobs, NOW_MS, NOW_MS).await.unwrap(), swept(0, 0));
            let done = attachment::sweep(db, &blobs, NOW_MS + 1, NOW_MS).await.unwrap();
            assert_eq!(done, swept(limit::UNCLAIMED_ATTACHMENTS_MAX, 0));
            assert_eq!(files::count(store.directory.path().join("files").as_path()), 0);
        }

        /// All visitors of a workspace have a bound in bytes together; it does not hinder the team.
        async fn unclaimed_bytes_of_visitors_are_bounded(store: &Store) {
            let talk = Talk::new(store).await;
            let db = &store.db;
            let max = 3 * limit::UPLOAD_BYTES_MIN;
            let asks = async |uploader: String, size_bytes| {
                let mut row = row(&talk, uploader, &format!("{}", store.world.ids.below(u64::MAX)));
                row.attachment.size_bytes = size_bytes;
                attachment::reserve(db, talk.workspace_id, &row, max).await.unwrap()
            };
            let visitors = [(); 4].map(|()| store.world.ids.next::<protocol::id::VisitorId>().to_string());
            assert_eq!(asks(talk.agent_id.to_string(), max).await, Place::Kept);
            assert_eq!(asks(visitors[0].clone(), 1).await, Place::Kept);
            assert_eq!(asks(visitors[1].clone(), max - limit::UPLOAD_BYTES_MIN + 1).await, Place::Full);
            assert_eq!(asks(visitors[2].clone(), max - limit::UPLOAD_BYTES_MIN).await, Place::Kept);
            assert_eq!(asks(visitors[3].clone(), 1).await, Place::Full);
            assert_eq!(asks(talk.agent_id.to_string(), max).await, Place::Kept);
        }

        /// A row shows nothing before its file is safe, and goes when that never happens.
        async fn a_place_without_a_file_shows_nothing_and_goes(store: &Store) {
            let talk = Talk::new(store).await;
            let (db, blobs) = (&store.db, blobs(store));
            let row = row(&talk, talk.visitor.visitor_id, "half");
            assert_eq!(reserve(&talk, &row).await, Place::Kept);
            let found = attachment::find(db, talk.workspace_id, row.attachment.id).await.unwrap();
            assert_eq!(found, None);
            let claimed = talk.says_as(talk.visitor, "c1", with(&row)).await;
            assert_eq!(claimed, Outcome::Refused(Refusal::Attachment));
            assert_eq!(attachment::sweep(db, &blobs, LONG_AGO, NOW_MS).await.unwrap(), swept(0, 0));
            assert_eq!(attachment::sweep(db, &blobs, LONG_AGO, NOW_MS + 1).await.unwrap(), swept(1, 0));
            let late = attachment::stored(db, talk.workspace_id, row.attachment.id, NOW_MS).await;
            assert!(!late.unwrap(), "nobody may be told that the file is kept");
        }

        /// A file goes with the last message that needs it, and not before.
        async fn a_file_of_two_messages_goes_with_the_second(store: &Store) {
            let talk = Talk::new(store).await;
            let (db, blobs) = (&store.db, blobs(store));
            let first = upload(&talk, &blobs, talk.visitor.visitor_id, "same").await;
            let second = upload(&talk, &blobs, talk.visitor.visitor_id, "same").await;
            say_and_delete(&talk, "c1", &first).await;
            assert_eq!(attachment::sweep(db, &blobs, LONG_AGO, LONG_AGO).await.unwrap(), swept(0, 0));
            assert!(files::has(&blobs, talk.workspace_id, "same").await);
            say_and_delete(&talk, "c2", &second).await;
            assert_eq!(attachment::sweep(db, &blobs, LONG_AGO, LONG_AGO).await.unwrap(), swept(1, 0));
            assert!(!files::has(&blobs, talk.workspace_id, "same").await);
        }

        /// A file that cannot be removed hinders no other, and goes with a later sweep.
        async fn a_file_that_stays_is_tried_again(store: &Store) {
            let talk = Talk::new(store).await;
            let (db, blobs) = (&store.db, blobs(store));
            for text in ["one", "two", "three"] {
                let row = upload(&talk, &blobs, talk.visitor.visitor_id, text).await;
                say_and_delete(&talk, text, &row).await;
            }
            store.world.faults.fail("blob.remove", 0, 1);
            assert_eq!(attachment::sweep(db, &blobs, LONG_AGO, LONG_AGO).await.unwrap(), swept(2, 1));
            assert_eq!(attachment::sweep(db, &blobs, LONG_AGO, LONG_AGO).await.unwrap(), swept(1, 0));
            assert_eq!(files::count(&store.directory.path().join("files")), 0);
        }

        /// Wherever a sweep ends before its end, the next one finishes.
        async fn a_sweep_may_end_anywhere(store: &Store) {
            let talk = Talk::new(store).await;
            let (db, blobs) = (&store.db, blobs(store));
            let row = upload(&talk, &blobs, talk.visitor.visitor_id, "gone").await;
            say_and_delete(&talk, "c1", &row).await;
            let mut failed_at = 0;
            loop {
                // The batches of a sweep: drop, drop, mark, delete.
                store.world.faults.fail("storage.batch", failed_at, 1);
                let done = attachment::sweep(db, &blobs, LONG_AGO, LONG_AGO).await;
                store.world.faults.heal();
                match done {
                    Ok(Swept { failed_count: 0, .. }) => break,
                    Ok(_) => assert!(!files::has(&blobs, talk.workspace_id, "gone").await),
                    Err(_) => assert!(files::has(&blobs, talk.workspace_id, "gone").await),
                }
                failed_at += 1;
            }
            assert_eq!(failed_at, 4);
            assert!(!files::has(&blobs, talk.workspace_id, "gone").await);
            let sql = "/* reads all: it counts */ SELECT (SELECT COUNT(*) FROM attachment) + (SELECT COUNT(*) FROM blob) AS n";
            let left = db.rows(storage::db::Stmt::new(sql, Vec::new())).await.unwrap();
            assert_eq!(left[0].number("n").unwrap(), 0);
        }

        /// Who uploads the same bytes while they are being removed waits, and then has a file.
        async fn an_upload_and_a_removal_of_the_same_bytes_do_not_cross(store: &Store) {
            let talk = Talk::new(store).await;
            let (db, blobs) = (&store.db, blobs(store));
            let gone = upload(&talk, &blobs, talk.visitor.visitor_id, "same").await;
            say_and_delete(&talk, "c1", &gone).await;
            // The sweep has said that it will remove the file, and stops before it does.
            store.world.faults.fail("blob.remove", 0, 1);
            assert_eq!(attachment::sweep(db, &blobs, LONG_AGO, LONG_AGO).await.unwrap(), swept(0, 1));
            let again = row(&talk, talk.visitor.visitor_id, "same");
            assert_eq!(reserve(&talk, &again).await, Place::Leaving);
            assert_eq!(attachment::sweep(db, &blobs, LONG_AGO, LONG_AGO).await.unwrap(), swept(1, 0));
            assert_eq!(reserve(&talk, &again).await, Place::Kept);
            // A place is enough: the file is not removed any more, though it is not there yet.
            assert_eq!(attachment::sweep(db, &blobs, LONG_AGO, LONG_AGO).await.unwrap(), swept(0, 0));
            put(&talk, &blobs, &again, "same").await;
            assert!(files::has(&blobs, talk.workspace_id, "same").await);
        }

        /// Sweeps and uploads of the same bytes, all at once: who was told that his file is kept has it.
        async fn a_kept_file_is_there(store: &Store) {
            let talk = Talk::new(store).await;
            let (db, blobs) = (&store.db, blobs(store));
            for round in 0..20 {
                let row = upload(&talk, &blobs, talk.visitor.visitor_id, "same").await;
                say_and_delete(&talk, &format!("c{round}"), &row).await;
                let uploads = async {
                    let again = files::row(&talk, talk.visitor.visitor_id, "same");
                    while reserve(&talk, &again).await == Place::Leaving {}
                    put(&talk, &blobs, &again, "same").await;
                    again
                };
                let sweeps = attachment::sweep(db, &blobs, LONG_AGO, LONG_AGO);
                let (kept, done) = tokio::join!(uploads, sweeps);
                done.unwrap();
                assert!(files::has(&blobs, talk.workspace_id, "same").await, "round {round}");
                say_and_delete(&talk, &format!("d{round}"), &kept).await;
                attachment::sweep(db, &blobs, LONG_AGO, LONG_AGO).await.unwrap();
            }
            assert_eq!(files::count(&store.directory.path().join("files")), 0);
        }

        /// Files without a row go; those with one stay, and so do those of workspaces that nobody here knows.
        async fn strays_are_removed(store: &Store) {
            let talk = Talk::new(store).await;
            let (db, blobs) = (&store.db, blobs(store));
            upload(&talk, &blobs, talk.visitor.visitor_id, "mine").await;
            let stranger = store.world.ids.next();
            for (workspace_id, text) in [(talk.workspace_id, "stray"), (stranger, "theirs")] {
                let bytes = bytes::Bytes::from_static(text.as_bytes());
                let hash = storage::blob::hash(text.as_bytes());
                blobs.put(workspace_id, &hash, bytes).await.unwrap();
            }
            assert_eq!(attachment::remove_strays(db, &blobs, LONG_AGO).await.unwrap(), swept(0, 0));
            let later = u64::MAX / 2_000_000;
            assert_eq!(attachment::remove_strays(db, &blobs, later).await.unwrap(), swept(1, 0));
            assert!(files::has(&blobs, talk.workspace_id, "mine").await);
            assert!(!files::has(&blobs, talk.workspace_id, "stray").await);
            assert!(files::has(&blobs, stranger, "theirs").await);
        }
    }
}
