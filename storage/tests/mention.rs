//! The contract of mentions: a note that names members stands in their lists, and nobody else's.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

#[path = "common/both.rs"]
mod both;
mod common;

use both::on_both;
use common::talk::{Talk, words};
use common::{NOW_MS, Store, scope};
use protocol::conversation::Marks;
use protocol::entry::Author;
use protocol::event::EventType;
use protocol::id::{AgentId, ConversationId, EntryId, WorkspaceId};
use protocol::mention::Mention;
use protocol::page::{Cursor, List};
use storage::entry::{NewContent, NewMessage};
use storage::event::{self, EventCursor};
use storage::participant::{self, Mark, Party};
use storage::{contact, mention};

fn note(text: &str, mentions: &[AgentId]) -> NewContent {
    NewContent::Note(NewMessage {
        mentions: mentions.to_vec(),
        ..words(text)
    })
}

async fn mentions(talk: &Talk<'_>, agent_id: AgentId) -> Vec<Mention> {
    let there = scope(&talk.store.world, talk.workspace_id);
    let listed = mention::list(&talk.store.db, &there, agent_id, None, 10).await;
    listed.unwrap().items
}

async fn texts(talk: &Talk<'_>, agent_id: AgentId) -> Vec<String> {
    let found = mentions(talk, agent_id).await.into_iter();
    found.map(|mention| mention.text).collect()
}

async fn read(talk: &Talk<'_>, conversation_id: ConversationId, agent_id: AgentId, seq: u64) {
    let mark = Mark {
        workspace_id: talk.workspace_id,
        conversation_id,
        party: Party::Agent(agent_id),
        marks: Marks {
            delivered: seq,
            read: seq,
        },
    };
    let done = participant::mark(&talk.store.db, &[mark], NOW_MS).await;
    done.unwrap();
}

#[expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]
mod stories {
    use super::*;

    on_both! {
        async fn a_note_is_in_the_lists_of_those_whom_it_names(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("where is it?").await.conversation.id;
            let (ana, bob): (AgentId, AgentId) = (store.world.ids.next(), store.world.ids.next());
            let stored = talk.does(id, note("**ask** them", &[ana, bob])).await;
            talk.does(id, note("nobody", &[])).await;
            let entry = &stored.entries[0];
            for agent_id in [ana, bob] {
                let wanted = Mention {
                    entry_id: entry.id,
                    conversation_id: id,
                    seq: entry.seq,
                    contact_name: stored.conversation.contact_name.clone(),
                    author: Author::Agent { agent_id: talk.agent_id },
                    text: "**ask** them".to_owned(),
                    at_ms: entry.sent_at_ms,
                    read: false,
                };
                assert_eq!(mentions(&talk, agent_id).await, [wanted]);
            }
            assert!(mentions(&talk, talk.agent_id).await.is_empty());
            let elsewhere: WorkspaceId = store.world.ids.next();
            let there = scope(&store.world, elsewhere);
            let listed = mention::list(&store.db, &there, ana, None, 10).await;
            assert!(listed.unwrap().items.is_empty());
        }

        async fn who_reads_as_far_has_read_it(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("hello").await.conversation.id;
            let ana = store.world.ids.next();
            let first = talk.does(id, note("first", &[ana])).await.entries[0].seq;
            talk.does(id, note("second", &[ana])).await;
            read(&talk, id, ana, first).await;
            let read: Vec<_> = mentions(&talk, ana).await.into_iter().map(|one| (one.text, one.read)).collect();
            assert_eq!(read, [("second".to_owned(), false), ("first".to_owned(), true)]);
        }

        async fn what_was_taken_back_names_nobody_and_what_was_changed_says_the_new(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("hello").await.conversation.id;
            let ana = store.world.ids.next();
            let gone = talk.does(id, note("gone", &[ana])).await.entries[0].id;
            let kept = talk.does(id, note("kept", &[ana])).await.entries[0].id;
            talk.does(id, NewContent::Deleted { target_id: gone }).await;
            talk.does(id, NewContent::Edited { target_id: kept, body: "changed".to_owned() }).await;
            assert_eq!(texts(&talk, ana).await, ["changed"]);
            // Of an erased person no word is left.
            contact::erase_words(&store.db, talk.workspace_id, id, NOW_MS).await.unwrap();
            assert!(texts(&talk, ana).await.iter().all(String::is_empty));
        }

        async fn a_list_goes_on_where_the_page_ended(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("hello").await.conversation.id;
            let ana = store.world.ids.next();
            for n in 0..5 {
                talk.does(id, note(&format!("note {n}"), &[ana])).await;
                // What is of one millisecond stands in the order of ids, which have no other.
                let said_at_ms = store.world.clock.now_ms();
                while store.world.clock.now_ms() <= said_at_ms {
                    tokio::task::yield_now().await;
                }
            }
            let there = scope(&store.world, talk.workspace_id);
            let (mut seen, mut cursor) = (Vec::new(), None::<Cursor<EntryId>>);
            loop {
                let page = mention::list(&store.db, &there, ana, cursor.as_ref(), 2).await.unwrap();
                seen.extend(page.items.into_iter().map(|one| one.text));
                let Some(text) = page.cursor else { break };
                cursor = Some(Cursor::read(&text, List::Mentions).unwrap());
            }
            assert_eq!(seen, ["note 4", "note 3", "note 2", "note 1", "note 0"]);
        }

        async fn each_member_is_told_once(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("hello").await.conversation.id;
            let both: [AgentId; 2] = [store.world.ids.next(), store.world.ids.next()];
            let seq = talk.does(id, note("both", &both)).await.entries[0].seq;
            // On Postgres the log waits for older transactions, also those of other databases on the server.
            let told = loop {
                let tail = event::tail(&store.db, EventCursor::default(), 100).await.unwrap();
                let told: Vec<_> = tail
                    .events
                    .into_iter()
                    .map(|(_, event)| event)
                    .filter(|event| event.event_type == EventType::AgentMentioned)
                    .collect();
                if !told.is_empty() {
                    break told;
                }
                tokio::task::yield_now().await;
            };
            let subjects: Vec<_> = told.iter().map(|event| event.subject.clone()).collect();
            assert_eq!(subjects, both.map(|id| id.to_string()));
            assert!(told.iter().all(|event| event.number == seq));
        }
    }
}
