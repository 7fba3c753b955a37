//! The contract of what is asked of a member: notes that name him and conversations that others gave him stand in his
//! lists, and nobody else's, until he says that they are done.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use crate::both::on_both;
use crate::common::talk::{Talk, words};
use crate::common::{NOW_MS, Store, scope};
use protocol::conversation::{Marks, State};
use protocol::entry::Author;
use protocol::event::{Event, EventType};
use protocol::id::{AgentId, ConversationId, EntryId, WorkspaceId};
use protocol::page::{Cursor, List};
use protocol::todo::{Todo, TodoFilter, TodoKind, TodoMark, TodoMarking};
use storage::entry::{NewContent, NewMessage};
use storage::event::{self, EventCursor};
use storage::participant::{self, Mark, Party};
use storage::{Written, contact, todo};

fn note(text: &str, mentions: &[AgentId]) -> NewContent {
    NewContent::Note(NewMessage {
        mentions: mentions.to_vec(),
        ..words(text)
    })
}

async fn listed(talk: &Talk<'_>, agent_id: AgentId, filter: TodoFilter) -> Vec<Todo> {
    let there = scope(&talk.store.world, talk.workspace_id);
    let page = todo::list(&talk.store.db, &there, agent_id, filter, None, 10).await;
    page.unwrap().items
}

async fn todos(talk: &Talk<'_>, agent_id: AgentId) -> Vec<Todo> {
    listed(talk, agent_id, TodoFilter::All).await
}

async fn texts(talk: &Talk<'_>, agent_id: AgentId) -> Vec<String> {
    let found = todos(talk, agent_id).await.into_iter();
    found.map(|todo| todo.text).collect()
}

/// The entries of the open notes that name a member.
async fn mentions(talk: &Talk<'_>, agent_id: AgentId) -> Vec<EntryId> {
    let found = listed(talk, agent_id, TodoFilter::Mentions)
        .await
        .into_iter();
    found.map(|todo| todo.entry_id).collect()
}

/// The texts of each list: all, unread, done.
async fn lists(talk: &Talk<'_>, agent_id: AgentId) -> [Vec<String>; 3] {
    let mut lists = [vec![], vec![], vec![]];
    let filters = [TodoFilter::All, TodoFilter::Unread, TodoFilter::Done];
    for (texts, filter) in lists.iter_mut().zip(filters) {
        let found = listed(talk, agent_id, filter).await.into_iter();
        texts.extend(found.map(|todo| todo.text));
    }
    lists
}

async fn marks(
    talk: &Talk<'_>,
    agent_id: AgentId,
    entry_ids: &[EntryId],
    mark: TodoMark,
) -> Written<()> {
    let marking = TodoMarking {
        entry_ids: entry_ids.to_vec(),
        mark,
    };
    let db = &talk.store.db;
    let marked = todo::mark(db, talk.workspace_id, agent_id, &marking, NOW_MS + 30).await;
    marked.unwrap()
}

fn to(agent_id: Option<AgentId>) -> NewContent {
    NewContent::Assigned { agent_id }
}

/// How often a member was told that what is asked of him changed.
async fn told(talk: &Talk<'_>, agent_id: AgentId) -> usize {
    let subject = agent_id.to_string();
    // On Postgres the log waits for older transactions, also those of other databases on the server: it was read to
    // its end once it shows what is stored here.
    let last = talk.says("now").await;
    loop {
        let tail = event::tail(&talk.store.db, EventCursor::default(), 1_000)
            .await
            .unwrap();
        let events: Vec<_> = tail.events.into_iter().map(|(_, event)| event).collect();
        let is_last = |event: &Event| {
            event.event_type == EventType::EntryAdded
                && event.subject == last.conversation.id.to_string()
                && event.number == last.entries[0].seq
        };
        if events.iter().any(is_last) {
            let is_told = |event: &&Event| {
                event.event_type == EventType::TodoChanged && event.subject == subject
            };
            break events.iter().filter(is_told).count();
        }
        tokio::task::yield_now().await;
    }
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
                let wanted = Todo {
                    entry_id: entry.id,
                    kind: TodoKind::Mention,
                    conversation_id: id,
                    seq: entry.seq,
                    state: State::Open,
                    contact_name: stored.conversation.contact_name.clone(),
                    author: Author::Agent { agent_id: talk.agent_id },
                    text: "**ask** them".to_owned(),
                    at_ms: entry.sent_at_ms,
                    read: false,
                    done: false,
                };
                assert_eq!(todos(&talk, agent_id).await, [wanted]);
            }
            assert!(todos(&talk, talk.agent_id).await.is_empty());
            let elsewhere: WorkspaceId = store.world.ids.next();
            let there = scope(&store.world, elsewhere);
            let listed = todo::list(&store.db, &there, ana, TodoFilter::All, None, 10).await;
            assert!(listed.unwrap().items.is_empty());
        }

        async fn who_reads_as_far_has_read_it(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("hello").await.conversation.id;
            let ana = store.world.ids.next();
            let first = talk.does(id, note("first", &[ana])).await.entries[0].seq;
            talk.does(id, note("second", &[ana])).await;
            read(&talk, id, ana, first).await;
            let read: Vec<_> = todos(&talk, ana).await.into_iter().map(|one| (one.text, one.read)).collect();
            assert_eq!(read, [("second".to_owned(), false), ("first".to_owned(), true)]);
            let unread = listed(&talk, ana, TodoFilter::Unread).await;
            assert_eq!(unread.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["second"]);
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
                let page = todo::list(&store.db, &there, ana, TodoFilter::All, cursor.as_ref(), 2).await.unwrap();
                seen.extend(page.items.into_iter().map(|one| one.text));
                let Some(text) = page.cursor else { break };
                cursor = Some(Cursor::read(&text, List::Todos).unwrap());
            }
            assert_eq!(seen, ["note 4", "note 3", "note 2", "note 1", "note 0"]);
        }

        async fn each_member_is_told_once(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("hello").await.conversation.id;
            let both: [AgentId; 2] = [store.world.ids.next(), store.world.ids.next()];
            talk.does(id, note("both", &both)).await;
            for agent_id in both {
                assert_eq!(told(&talk, agent_id).await, 1);
            }
            assert_eq!(told(&talk, talk.agent_id).await, 0);
        }

        async fn a_conversation_is_asked_of_whom_somebody_else_gave_it(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("where is it?").await.conversation.id;
            let ana: AgentId = store.world.ids.next();
            talk.does(id, to(Some(talk.agent_id))).await;
            assert!(todos(&talk, talk.agent_id).await.is_empty(), "he took it himself");
            let given = talk.does(id, to(Some(ana))).await;
            let wanted = Todo {
                entry_id: given.entries[0].id,
                kind: TodoKind::Assignment,
                conversation_id: id,
                seq: given.entries[0].seq,
                state: State::Open,
                contact_name: given.conversation.contact_name.clone(),
                author: Author::Agent { agent_id: talk.agent_id },
                text: "where is it?".to_owned(),
                at_ms: given.entries[0].sent_at_ms,
                read: false,
                done: false,
            };
            assert_eq!(todos(&talk, ana).await, [wanted]);
            assert_eq!(told(&talk, ana).await, 1);
            // What was said last since is what it shows, and whether it goes on.
            talk.answers(id, "here").await;
            talk.does(id, NewContent::Closed).await;
            let now = todos(&talk, ana).await;
            assert_eq!((now[0].text.as_str(), now[0].state), ("here", State::Closed));
        }

        async fn what_was_given_to_another_is_asked_no_longer_and_what_came_back_once(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("where is it?").await.conversation.id;
            let [ana, bob]: [AgentId; 2] = [store.world.ids.next(), store.world.ids.next()];
            talk.does(id, to(Some(ana))).await;
            talk.does(id, to(Some(bob))).await;
            assert_eq!((todos(&talk, ana).await.len(), todos(&talk, bob).await.len()), (0, 1));
            let back = talk.does(id, to(Some(ana))).await.entries[0].id;
            let asked: Vec<_> = todos(&talk, ana).await.into_iter().map(|one| one.entry_id).collect();
            assert_eq!(asked, [back]);
            talk.does(id, to(None)).await;
            assert!(todos(&talk, ana).await.is_empty() && todos(&talk, bob).await.is_empty());
        }

        async fn whoever_had_it_is_told_that_it_is_asked_of_him_no_longer(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("where is it?").await.conversation.id;
            let [ana, bob]: [AgentId; 2] = [store.world.ids.next(), store.world.ids.next()];
            // What he took himself was never asked of him.
            talk.does(id, to(Some(talk.agent_id))).await;
            talk.does(id, to(Some(ana))).await;
            assert_eq!((told(&talk, talk.agent_id).await, told(&talk, ana).await), (0, 1));
            // Who is given it once more is told of that alone.
            talk.does(id, to(Some(ana))).await;
            assert_eq!(told(&talk, ana).await, 2);
            talk.does(id, to(Some(bob))).await;
            assert_eq!((told(&talk, ana).await, told(&talk, bob).await), (3, 1));
            talk.does(id, to(None)).await;
            assert_eq!((told(&talk, ana).await, told(&talk, bob).await), (3, 2));
            // Whose it was not is told nothing when it is given from nobody.
            talk.does(id, to(Some(talk.agent_id))).await;
            assert_eq!((told(&talk, ana).await, told(&talk, bob).await), (3, 2));
        }

        async fn what_is_done_leaves_the_list_and_comes_back_where_it_was(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("hello").await.conversation.id;
            let ana = store.world.ids.next();
            let mut ids = Vec::new();
            for text in ["one", "two", "three"] {
                ids.push(talk.does(id, note(text, &[ana])).await.entries[0].id);
            }
            let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            let sorted = |mut texts: Vec<String>| { texts.sort(); texts };
            let check = async |all: &[&str], unread: &[&str], done: &[&str]| {
                let now = lists(&talk, ana).await.map(sorted);
                assert_eq!(now, [all, unread, done].map(|texts| sorted(words(texts))));
            };
            check(&["one", "two", "three"], &["one", "two", "three"], &[]).await;
            assert_eq!(marks(&talk, ana, &ids[..1], TodoMark::Read).await, Written::Done(()));
            check(&["one", "two", "three"], &["two", "three"], &[]).await;
            assert_eq!(marks(&talk, ana, &ids[..2], TodoMark::Done).await, Written::Done(()));
            check(&["three"], &["three"], &["one", "two"]).await;
            // What comes back is not new again.
            assert_eq!(marks(&talk, ana, &ids[1..2], TodoMark::Open).await, Written::Done(()));
            check(&["two", "three"], &["three"], &["one"]).await;
        }

        async fn mentions_are_the_open_notes_alone(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("hello").await.conversation.id;
            let ana = store.world.ids.next();
            let one = talk.does(id, note("one", &[ana])).await.entries[0].id;
            talk.does(id, to(Some(ana))).await;
            let two = talk.does(id, note("two", &[ana])).await.entries[0].id;
            assert_eq!(todos(&talk, ana).await.len(), 3);
            let mut found = mentions(&talk, ana).await;
            found.sort();
            assert_eq!(found, [one, two]);
            assert_eq!(marks(&talk, ana, &[one], TodoMark::Done).await, Written::Done(()));
            assert_eq!(marks(&talk, ana, &[two], TodoMark::Read).await, Written::Done(()));
            assert_eq!(mentions(&talk, ana).await, [two]);
        }

        async fn what_is_marked_again_changes_nothing_and_tells_nobody(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("hello").await.conversation.id;
            let ana = store.world.ids.next();
            let one = talk.does(id, note("one", &[ana])).await.entries[0].id;
            for mark in [TodoMark::Done, TodoMark::Done, TodoMark::Read] {
                assert_eq!(marks(&talk, ana, &[one, one], mark).await, Written::Done(()));
            }
            assert_eq!(lists(&talk, ana).await, [vec![], vec![], vec!["one".to_owned()]]);
            assert_eq!(told(&talk, ana).await, 2, "of the note, and that it is done");
        }

        async fn nobody_marks_what_is_not_asked_of_him(store: &Store) {
            let talk = Talk::new(store).await;
            let id = talk.says("hello").await.conversation.id;
            let [ana, bob]: [AgentId; 2] = [store.world.ids.next(), store.world.ids.next()];
            let hers = talk.does(id, note("hers", &[ana])).await.entries[0].id;
            let his = talk.does(id, note("his", &[bob])).await.entries[0].id;
            let unknown: EntryId = store.world.ids.next();
            for foreign in [hers, unknown] {
                assert_eq!(marks(&talk, bob, &[his, foreign], TodoMark::Done).await, Written::NotFound);
            }
            let marking = TodoMarking { entry_ids: vec![hers], mark: TodoMark::Done };
            let elsewhere: WorkspaceId = store.world.ids.next();
            let marked = todo::mark(&store.db, elsewhere, ana, &marking, NOW_MS).await;
            assert_eq!(marked.unwrap(), Written::NotFound);
            for (agent_id, text) in [(ana, "hers"), (bob, "his")] {
                let wanted = [vec![text.to_owned()], vec![text.to_owned()], vec![]];
                assert_eq!(lists(&talk, agent_id).await, wanted);
            }
        }
    }
}
