//! The contract of how long customers waited: those who began, until a member wrote to them.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use crate::both::on_both;
use crate::common::talk::{Talk, accepted, key, words};
use crate::common::{NOW_MS, Store};
use protocol::entry::Author;
use protocol::id::{ConversationId, SiteId};
use storage::entry::NewContent;
use storage::first_answer;
use storage::message::{self, Start};

/// What an answer comes after a first word, in a talk.
const WAIT_MS: u64 = 10;

async fn waits(talk: &Talk<'_>, since_ms: u64) -> Vec<(SiteId, u64)> {
    let found = first_answer::waits(&talk.store.db, talk.workspace_id, since_ms).await;
    found.unwrap()
}

/// Another visitor begins a conversation.
async fn begun(talk: &Talk<'_>) -> ConversationId {
    let visitor = talk.another_visitor().await;
    let client_id = talk.client_id();
    let said = talk.says_as(visitor, &client_id, words("hello"));
    accepted(said.await).conversation.id
}

mod stories {
    use super::*;

    on_both! {
        async fn a_customer_waits_until_a_member_writes_to_him(store: &Store) {
            let talk = Talk::new(store).await;
            let id = begun(&talk).await;
            assert_eq!(waits(&talk, 0).await, []);
            talk.does(id, NewContent::Note(words("who takes it?"))).await;
            assert_eq!(waits(&talk, 0).await, [], "a note is no answer");
            talk.answers(id, "hello").await;
            let waited = [(talk.site_id, WAIT_MS)];
            assert_eq!(waits(&talk, 0).await, waited);
            // What is said later changes nothing of it, nor does the end.
            let mut later = talk.deed(id, vec![NewContent::Message(words("and here it is"))]);
            later.at_ms += 60_000;
            accepted(talk.tries(&later).await);
            talk.does(id, NewContent::Closed).await;
            assert_eq!(waits(&talk, 0).await, waited);
            let elsewhere = first_answer::waits(&store.db, store.world.ids.next(), 0).await;
            assert_eq!(elsewhere.unwrap(), []);
        }

        async fn of_the_last_days_alone_each_who_began_counts_once(store: &Store) {
            let talk = Talk::new(store).await;
            for _ in 0..3 {
                let id = begun(&talk).await;
                talk.answers(id, "hello").await;
            }
            let spam = begun(&talk).await;
            talk.answers(spam, "hello").await;
            talk.does(spam, NewContent::SpamMarked { spam: true }).await;
            assert_eq!(waits(&talk, NOW_MS).await, [(talk.site_id, WAIT_MS); 3]);
            assert_eq!(waits(&talk, NOW_MS + WAIT_MS + 1).await, []);
        }

        async fn whom_the_team_wrote_to_first_has_not_waited(store: &Store) {
            let talk = Talk::new(store).await;
            let start = Start {
                workspace_id: talk.workspace_id,
                visitor_id: talk.visitor.visitor_id,
                key: key(talk.agent_id, "s1", "start"),
                author: Author::Agent { agent_id: talk.agent_id },
                message: words("May I help?"),
                at_ms: NOW_MS,
            };
            let id = accepted(message::start(&store.db, &start).await.unwrap()).conversation.id;
            talk.says("Yes").await;
            talk.answers(id, "With what?").await;
            assert_eq!(waits(&talk, 0).await, []);
        }
    }
}
