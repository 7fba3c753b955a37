//! The contract of conversations: the guarded append, its numbers, and what is read back.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use crate::both::on_both;
use crate::common::talk::{ANY, Talk, accepted, key, words};
use crate::common::{NOW_MS, Store};
use protocol::conversation::{Handler, Marks, State, WaitingOn};
use protocol::entry::{Author, Content, ReopenCause};
use protocol::page::{Cursor, List};
use protocol::site::{AfterClose, SiteChange};
use protocol::view::{InboxCounts, InboxFilter, InboxList, InboxOrder};
use storage::command::Refusal;
use storage::conversation;
use storage::entry::{self, Guard, NewContent, NewMessage, Numbering, Outcome};
use storage::error::Written;
use storage::inbox::{self, ListQuery};
use storage::message::{self, Start, VisitorMessage};
use storage::participant::{self, Mark, Party};
use storage::{timer, unread, visitor};

on_both! {
    /// The first message makes contact, identity and conversation, with a number of the workspace.
    async fn a_first_message_makes_everything(store: &Store) {
        let talk = Talk::new(store).await;
        let first = talk.says("Hello?").await;
        assert!(first.created);
        assert_eq!(first.conversation.number, 1);
        assert_eq!((first.receipt.seq, first.receipt.public_seq), (Some(1), Some(1)));
        assert_eq!(first.conversation.customer_seq, 1);
        assert_eq!(first.conversation.waiting_on, WaitingOn::Agent);
        let preview = first.conversation.preview.clone().expect("a preview");
        assert_eq!((preview.text.as_str(), preview.from_customer), ("Hello?", true));
        let row = visitor::find(&store.db, talk.workspace_id, talk.visitor.visitor_id)
            .await
            .unwrap()
            .expect("the visitor");
        assert_eq!(row.open_conversation_id, Some(first.conversation.id));
        assert_eq!(row.contact_id, Some(first.conversation.contact_id));
        let second = talk.says("Anybody?").await;
        assert!(!second.created);
        assert_eq!(second.conversation.id, first.conversation.id);
        assert_eq!(second.receipt.seq, Some(2));
        let other = talk.another_visitor().await;
        let other = accepted(talk.says_as(other, "a", words("Me too")).await);
        assert_eq!(other.conversation.number, 2);
    }

    /// Numbers are dense for the team and for the visitor, and a note shows only to the team.
    async fn both_numberings_are_dense(store: &Store) {
        let talk = Talk::new(store).await;
        let id = talk.says("one").await.conversation.id;
        let note = talk.does(id, NewContent::Note(words("secret note"))).await;
        assert_eq!((note.receipt.seq, note.receipt.public_seq), (Some(2), None));
        let deed = talk.deed(id, vec![
            NewContent::Joined { agent_id: talk.agent_id },
            NewContent::Assigned { agent_id: Some(talk.agent_id) },
            NewContent::Message(words("two")),
        ]);
        let stored = accepted(talk.tries(&deed).await);
        assert_eq!(stored.entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [3, 4, 5]);
        let public: Vec<_> = stored.entries.iter().map(|e| e.public_seq).collect();
        assert_eq!(public, [Some(2), None, Some(3)]);
        assert_eq!(stored.conversation.assignee_id, Some(talk.agent_id));
        let team = entry::after(&store.db, talk.workspace_id, id, Numbering::Team, 0, 100).await.unwrap();
        assert_eq!(team.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(&team[2..], stored.entries.as_slice());
        let seen = entry::after(&store.db, talk.workspace_id, id, Numbering::Visitor, 0, 100).await.unwrap();
        assert_eq!(seen.iter().filter_map(|e| e.public_seq).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(!format!("{seen:?}").contains("secret"));
        let newest = entry::before(&store.db, talk.workspace_id, id, Numbering::Team, None, 2).await.unwrap();
        assert_eq!(newest.iter().map(|e| e.seq).collect::<Vec<_>>(), [4, 5]);
        let at = entry::id_at(&store.db, talk.workspace_id, id, Numbering::Visitor, 3).await.unwrap();
        assert_eq!(at, Some(team[4].id));
        let agents = participant::agents(&store.db, talk.workspace_id, id).await.unwrap();
        assert_eq!(agents, [talk.agent_id]);
    }

    /// However many send at once, numbers have no gap and no double.
    async fn concurrent_sends_are_dense(store: &Store) {
        let talk = Talk::new(store).await;
        let id = talk.says("one").await.conversation.id;
        let deeds: Vec<_> = (0..150)
            .map(|n| talk.deed(id, vec![NewContent::Message(words(&format!("m{n}")))]))
            .collect();
        let sends = deeds.iter().map(|deed| talk.tries(deed));
        let outcomes = futures_util::future::join_all(sends).await;
        let mut numbers: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| accepted(outcome).receipt.seq.expect("a number"))
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (2..=151).collect::<Vec<_>>());
        let entries = entry::after(&store.db, talk.workspace_id, id, Numbering::Team, 0, 200).await.unwrap();
        assert_eq!(entries.len(), 151);
        assert!(entries.windows(2).all(|pair| pair[0].sent_at_ms <= pair[1].sent_at_ms));
    }

    /// Many visitors who begin at once get a number each, and one visitor gets one conversation.
    async fn concurrent_beginnings_do_not_collide(store: &Store) {
        let talk = Talk::new(store).await;
        let mut visitors = Vec::new();
        for _ in 0..20 {
            visitors.push(talk.another_visitor().await);
        }
        let sends = visitors.iter().map(|visitor| talk.says_as(*visitor, "first", words("hi")));
        let mut numbers: Vec<_> = futures_util::future::join_all(sends)
            .await
            .into_iter()
            .map(|outcome| accepted(outcome).conversation.number)
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
        let ids: Vec<String> = (0..8).map(|n| format!("tab-{n}")).collect();
        let tabs = ids.iter().map(|id| talk.says_as(talk.visitor, id, words(id)));
        let stored: Vec<_> = futures_util::future::join_all(tabs).await.into_iter().map(accepted).collect();
        assert_eq!(stored.iter().filter(|stored| stored.created).count(), 1);
        assert!(stored.iter().all(|s| s.conversation.id == stored[0].conversation.id));
    }

    /// A retry with the same client id returns the first receipt; other content under it is refused.
    async fn a_retry_returns_the_first_receipt(store: &Store) {
        let talk = Talk::new(store).await;
        let first = accepted(talk.says_as(talk.visitor, "c1", words("hello")).await);
        let again = talk.says_as(talk.visitor, "c1", words("hello")).await;
        assert_eq!(again, Outcome::Replayed(first.receipt.clone()));
        let other = talk.says_as(talk.visitor, "c1", words("bye")).await;
        assert_eq!(other, Outcome::ClientIdReused);
        let deed = talk.deed(first.conversation.id, vec![NewContent::Message(words("hi"))]);
        let answer = accepted(talk.tries(&deed).await);
        let mut retry = deed.clone();
        retry.entries[0].id = store.world.ids.next();
        assert_eq!(talk.tries(&retry).await, Outcome::Replayed(answer.receipt));
        retry.key.digest = [9; 32];
        assert_eq!(talk.tries(&retry).await, Outcome::ClientIdReused);
        let count = entry::after(&store.db, talk.workspace_id, first.conversation.id, Numbering::Team, 0, 10)
            .await
            .unwrap()
            .len();
        assert_eq!(count, 2);
    }

    /// Several messages of one visitor are stored by one commit, each under its own name, or none of them.
    async fn several_messages_are_stored_together_or_not_at_all(store: &Store) {
        let talk = Talk::new(store).await;
        let said = |name: &str| VisitorMessage {
            workspace_id: talk.workspace_id,
            visitor: talk.visitor,
            key: key(talk.visitor.visitor_id, name, name),
            conversation_id: None,
            message: words(name),
            at_ms: NOW_MS,
        };
        let all = |names: &[&str]| names.iter().map(|name| said(name)).collect::<Vec<_>>();
        let mut course = None;
        let early = message::send_several(&store.db, &all(&["m1", "m2"]), &mut course).await;
        assert_eq!(early.unwrap(), None, "nobody knows where they go");
        let first = accepted(message::send(&store.db, &said("m1"), &mut course).await.unwrap());
        let id = first.conversation.id;
        talk.does(id, NewContent::Note(words("n"))).await;
        let names = ["m2", "m3", "m4"];
        let together = message::send_several(&store.db, &all(&names), &mut course).await;
        let (receipts, stored) = together.unwrap().expect("stored");
        let numbers = |stored: &storage::entry::Stored| -> Vec<_> {
            stored.entries.iter().map(|entry| (entry.seq, entry.public_seq)).collect()
        };
        assert_eq!(numbers(&stored), [(3, Some(2)), (4, Some(3)), (5, Some(4))]);
        let conversation = &stored.conversation;
        assert_eq!((conversation.seq, conversation.customer_seq), (5, 5));
        assert_eq!(conversation.version, first.conversation.version + 2);
        assert_eq!(conversation.preview.as_ref().unwrap().text, "m4");
        let read = entry::after(&store.db, talk.workspace_id, id, Numbering::Team, 2, 10).await;
        assert_eq!(read.unwrap(), stored.entries);
        for (name, receipt) in names.iter().zip(&receipts) {
            let again = message::send(&store.db, &said(name), &mut course).await.unwrap();
            assert_eq!(again, Outcome::Replayed(receipt.clone()));
        }
        // One of them was stored before, or the conversation is over: nothing changes.
        for names in [["m4", "m5"], ["m5", "m4"], ["m5", "m5"]] {
            let refused = message::send_several(&store.db, &all(&names), &mut course).await;
            assert_eq!(refused.unwrap(), None, "{names:?}");
        }
        talk.does(id, NewContent::Closed).await;
        let late = message::send_several(&store.db, &all(&["m5", "m6"]), &mut course).await;
        assert_eq!(late.unwrap(), None);
        let log = entry::after(&store.db, talk.workspace_id, id, Numbering::Team, 0, 10).await;
        assert_eq!(log.unwrap().len(), 6);
    }

    /// Whoever retries or is refused changes nothing: not even a version.
    async fn a_retry_changes_nothing(store: &Store) {
        let talk = Talk::new(store).await;
        let begun = accepted(talk.says_as(talk.visitor, "c1", words("hello")).await);
        let id = begun.conversation.id;
        let said = accepted(talk.says_as(talk.visitor, "c2", words("hello?")).await);
        let deed = talk.deed(id, vec![NewContent::Message(words("hi"))]);
        accepted(talk.tries(&deed).await);
        let stand = async || (
            conversation::find(&store.db, talk.workspace_id, id).await.unwrap().unwrap(),
            visitor::find(&store.db, talk.workspace_id, talk.visitor.visitor_id).await.unwrap().unwrap(),
        );
        let before = stand().await;
        let begun_again = talk.says_as(talk.visitor, "c1", words("hello")).await;
        assert_eq!(begun_again, Outcome::Replayed(begun.receipt));
        let said_again = talk.says_as(talk.visitor, "c2", words("hello?")).await;
        assert_eq!(said_again, Outcome::Replayed(said.receipt));
        assert!(matches!(talk.tries(&deed).await, Outcome::Replayed(_)));
        let mut refused = talk.deed(id, vec![NewContent::Message(words("late"))]);
        refused.guard = Guard::team(&[State::Closed]);
        assert!(matches!(talk.tries(&refused).await, Outcome::Refused(_)));
        assert_eq!(stand().await, before);
    }

    /// What the team does among itself leaves no trace in what the visitor gets of his conversation.
    async fn inner_affairs_do_not_show_in_the_visitors_view(store: &Store) {
        let talk = Talk::new(store).await;
        let first = talk.says("one").await.conversation.id;
        talk.does(first, NewContent::Closed).await;
        let second = talk.says("two").await.conversation.id;
        talk.does(second, NewContent::Closed).await;
        let id = talk.says("three").await.conversation.id;
        let (db, workspace_id, visitor) = (&store.db, talk.workspace_id, &talk.visitor);
        let view = async || (
            conversation::of_visitor(db, workspace_id, visitor, id).await.unwrap().unwrap(),
            conversation::history(db, workspace_id, visitor, None, 10).await.unwrap(),
            conversation::open_of_visitor(db, workspace_id, visitor).await.unwrap(),
            unread::of_visitor(db, workspace_id, visitor).await.unwrap(),
        );
        let before = view().await;
        for content in [
            NewContent::Note(words("aside")),
            NewContent::Assigned { agent_id: Some(talk.agent_id) },
            NewContent::Prioritized { priority: 4 },
            NewContent::SpamMarked { spam: true },
        ] {
            talk.does(id, content).await;
            assert_eq!(view().await, before);
        }
        let closed = talk.does(id, NewContent::Closed).await;
        let seen = closed.visitor_conversation.expect("its end shows");
        assert!(seen.closed && seen.version > before.0.version);
        let before = view().await;
        let mut late = talk.deed(first, vec![NewContent::Note(words("aside"))]);
        late.at_ms += 60_000;
        accepted(talk.tries(&late).await);
        assert_eq!(view().await, before);
    }

    /// Refusals name their reason and burn no number.
    async fn a_refusal_burns_no_number(store: &Store) {
        let talk = Talk::new(store).await;
        let id = talk.says("one").await.conversation.id;
        let refused = |outcome: Outcome| if let Outcome::Refused(refusal) = outcome {
            refusal
        } else {
            panic!("not refused: {outcome:?}")
        };
        let mut deed = talk.deed(id, vec![NewContent::Message(words("ai"))]);
        deed.guard = Guard { fence: Some(77), ..Guard::team(ANY) };
        assert_eq!(refused(talk.tries(&deed).await), Refusal::Fence);
        deed.guard = Guard { version: Some(77), ..Guard::team(ANY) };
        assert_eq!(refused(talk.tries(&deed).await), Refusal::Stale);
        deed.guard = Guard { owner: Some(talk.another_visitor().await), ..Guard::team(ANY) };
        assert_eq!(refused(talk.tries(&deed).await), Refusal::NotFound);
        deed.guard = Guard::team(&[State::Closed]);
        assert_eq!(refused(talk.tries(&deed).await), Refusal::State(State::Open));
        deed.conversation_id = store.world.ids.next();
        assert_eq!(refused(talk.tries(&deed).await), Refusal::NotFound);
        let mut message = words("file");
        message.attachment_ids = vec![store.world.ids.next()];
        let deed = talk.deed(id, vec![NewContent::Message(message)]);
        assert_eq!(refused(talk.tries(&deed).await), Refusal::Attachment);
        let target_id = store.world.ids.next();
        let deed = talk.deed(id, vec![NewContent::Deleted { target_id }]);
        assert_eq!(refused(talk.tries(&deed).await), Refusal::NotFound);
        assert_eq!(talk.answers(id, "two").await.receipt.seq, Some(2));
    }

    /// A blocked visitor is refused, until that is taken back.
    async fn a_blocked_visitor_is_refused(store: &Store) {
        let talk = Talk::new(store).await;
        let id = talk.says("one").await.conversation.id;
        talk.does(id, NewContent::VisitorBlocked { blocked: true }).await;
        let outcome = talk.says_as(talk.visitor, "c", words("two")).await;
        assert_eq!(outcome, Outcome::Refused(Refusal::Blocked));
        talk.does(id, NewContent::Closed).await;
        let outcome = talk.says_as(talk.visitor, "c", words("two")).await;
        assert_eq!(outcome, Outcome::Refused(Refusal::Blocked));
        talk.does(id, NewContent::VisitorBlocked { blocked: false }).await;
        accepted(talk.says_as(talk.visitor, "c", words("two")).await);
    }

    /// After the end a message begins a new conversation, or brings the old one back where the site says so.
    async fn a_message_after_the_end(store: &Store) {
        let talk = Talk::new(store).await;
        let first = talk.says("one").await.conversation.id;
        let closed = talk.does(first, NewContent::Closed).await;
        assert!(closed.visitor_conversation.expect("its end shows").closed);
        let second = talk.says("two").await;
        assert!(second.created);
        assert_eq!(second.conversation.previous_id, Some(first));
        let reopen = talk.deed(first, vec![NewContent::Reopened { cause: ReopenCause::Agent, from: State::Closed }]);
        let outcome = talk.tries(&reopen).await;
        assert_eq!(outcome, Outcome::Refused(Refusal::OtherOpen(second.conversation.id)));
        let change = SiteChange {
            after_close: Some(AfterClose::Reopen),
            reopen_within_ms: Some(60_000),
            ..SiteChange::default()
        };
        let line = storage::audit::Change {
            workspace_id: talk.workspace_id,
            actor: "system".to_owned(),
            action: "site.changed",
            target: talk.site_id.to_string(),
            fields: vec!["after_close"],
            changes_json: None,
            address: None,
            at_ms: NOW_MS,
        };
        let site = storage::site::change(&store.db, talk.site_id, 1, &change, &line).await.unwrap();
        assert!(matches!(site, Written::Done(_)), "{site:?}");
        talk.does(second.conversation.id, NewContent::Closed).await;
        let third = talk.says("three").await;
        assert_eq!(third.conversation.id, second.conversation.id);
        assert_eq!(third.conversation.state, State::Open);
        assert_eq!(third.entries.len(), 2);
        assert_eq!(third.entries[0].content, Content::Reopened { cause: ReopenCause::Visitor });
        let history = conversation::history(&store.db, talk.workspace_id, &talk.visitor, None, 1).await.unwrap();
        assert_eq!(history.items.len(), 1);
        let next = Cursor::read(&history.cursor.unwrap(), List::History).unwrap();
        let rest = conversation::history(
            &store.db, talk.workspace_id, &talk.visitor, Some(&next), 1,
        ).await.unwrap();
        assert_eq!(rest.items.len(), 1);
        assert_ne!(rest.items[0].id, history.items[0].id);
        assert_eq!(rest.cursor, None);
    }

    /// A snooze sets a timer; whatever ends the snooze takes it away.
    async fn a_snooze_sets_a_timer(store: &Store) {
        let talk = Talk::new(store).await;
        let id = talk.says("one").await.conversation.id;
        let snoozed = talk.does(id, NewContent::Snoozed { until_ms: NOW_MS + 5_000 }).await;
        assert_eq!(snoozed.conversation.state, State::Snoozed);
        assert_eq!(snoozed.conversation.snoozed_until_ms, Some(NOW_MS + 5_000));
        assert_eq!(timer::next_due_at_ms(&store.db).await.unwrap(), Some(NOW_MS + 5_000));
        assert!(timer::due(&store.db, NOW_MS, 10).await.unwrap().is_empty());
        let due = timer::due(&store.db, NOW_MS + 5_000, 10).await.unwrap();
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].conversation_id, id);
        let woken = talk.says("two").await;
        assert_eq!(woken.conversation.state, State::Open);
        assert_eq!(woken.conversation.snoozed_until_ms, None);
        assert_eq!(woken.entries.len(), 2);
        assert_eq!(timer::next_due_at_ms(&store.db).await.unwrap(), None);
    }

    /// An edit replaces the words everywhere, a deletion empties them; old numbers show today's words.
    async fn edits_and_deletions_change_the_words_of_today(store: &Store) {
        let talk = Talk::new(store).await;
        let id = talk.says("one").await.conversation.id;
        let said = talk.answers(id, "frist").await;
        let target_id = said.entries[0].id;
        let edited = talk.does(id, NewContent::Edited { target_id, body: "first".to_owned() }).await;
        assert_eq!(edited.receipt.public_seq, Some(3));
        assert_eq!(edited.conversation.preview.as_ref().expect("one").text, "first");
        let Content::Edited { message, .. } = &edited.entries[0].content else {
            panic!("{edited:?}");
        };
        assert_eq!(message.body, "first");
        assert!(message.edited_at_ms.is_some());
        let read = |number| entry::after(&store.db, talk.workspace_id, id, Numbering::Visitor, number, 1);
        let Content::Message { message } = read(1).await.unwrap().remove(0).content else {
            panic!("a message");
        };
        assert_eq!(message.body, "first");
        let gone = talk.does(id, NewContent::Deleted { target_id }).await;
        assert_eq!(gone.conversation.preview.as_ref().expect("one").text, "");
        for number in [1, 2] {
            let (Content::Message { message } | Content::Edited { message, .. }) =
                read(number).await.unwrap().remove(0).content
            else {
                panic!("a message");
            };
            assert_eq!(message.body, "");
            assert!(message.deleted_at_ms.is_some());
        }
        let again = talk.deed(id, vec![NewContent::Edited { target_id, body: "no".to_owned() }]);
        assert_eq!(talk.tries(&again).await, Outcome::Refused(Refusal::NotFound));
        let note = talk.does(id, NewContent::Note(words("aside"))).await;
        let target_id = note.entries[0].id;
        let edited = talk.does(id, NewContent::Edited { target_id, body: "still aside".to_owned() }).await;
        assert_eq!(edited.receipt.public_seq, None);
    }

    /// The lists hold what they say, page by page, and the counts agree.
    async fn lists_and_counts_agree(store: &Store) {
        let talk = Talk::new(store).await;
        let mut ids = Vec::new();
        for n in 0..6 {
            let visitor = talk.another_visitor().await;
            let stored = accepted(talk.says_as(visitor, "c", words(&format!("v{n}"))).await);
            ids.push(stored.conversation.id);
        }
        talk.does(ids[5], NewContent::Snoozed { until_ms: NOW_MS + 5_000 }).await;
        talk.does(ids[0], NewContent::Assigned { agent_id: Some(talk.agent_id) }).await;
        talk.does(ids[1], NewContent::Closed).await;
        talk.does(ids[2], NewContent::SpamMarked { spam: true }).await;
        talk.does(ids[3], NewContent::Prioritized { priority: 4 }).await;
        let scope = crate::common::scope(&store.world, talk.workspace_id);
        let of_site = |site_id| InboxList { site_id: Some(site_id), ..InboxFilter::All.into() };
        let list = async |list| {
            let mut query = ListQuery { list, agent_id: Some(talk.agent_id), cursor: None, limit: 2 };
            let mut found = Vec::new();
            loop {
                let page = inbox::list(&store.db, &scope, &query).await.unwrap();
                found.extend(page.items.into_iter().map(|item| item.id));
                match page.cursor {
                    Some(next) => query.cursor = Cursor::read(&next, List::Inbox).ok(),
                    None => break,
                }
            }
            found.sort();
            found
        };
        let sorted = |mut ids: Vec<_>| { ids.sort(); ids };
        let all = sorted(vec![ids[0], ids[3], ids[4], ids[5]]);
        assert_eq!(list(InboxFilter::All.into()).await, all);
        assert_eq!(list(InboxFilter::Mine.into()).await, [ids[0]]);
        assert_eq!(list(InboxFilter::Unassigned.into()).await, sorted(vec![ids[3], ids[4]]));
        assert_eq!(list(InboxFilter::Waiting.into()).await, sorted(vec![ids[0], ids[3], ids[4]]));
        assert_eq!(list(InboxFilter::Snoozed.into()).await, [ids[5]]);
        assert_eq!(list(InboxFilter::Closed.into()).await, [ids[1]]);
        assert_eq!(list(InboxFilter::Spam.into()).await, [ids[2]]);
        let elsewhere = store.world.ids.next();
        assert_eq!(list(of_site(talk.site_id)).await, all);
        assert!(list(of_site(elsewhere)).await.is_empty());
        for filter in [InboxFilter::Mine, InboxFilter::Snoozed, InboxFilter::Closed, InboxFilter::Spam] {
            let found = list(InboxList { site_id: Some(talk.site_id), ..filter.into() }).await;
            assert_eq!(found.len(), 1, "{filter:?}");
        }
        let counts = inbox::counts(&store.db, &scope, Some(talk.agent_id), InboxFilter::All.into()).await.unwrap();
        assert_eq!((counts.all, counts.mine, counts.unassigned, counts.waiting), (4, 1, 2, 3));
        assert_eq!((counts.mine_anywhere, counts.waiting_anywhere), (1, 3));
        let here = inbox::counts(&store.db, &scope, Some(talk.agent_id), of_site(talk.site_id));
        assert_eq!(here.await.unwrap(), counts);
        let there = inbox::counts(&store.db, &scope, Some(talk.agent_id), of_site(elsewhere));
        assert_eq!(there.await.unwrap(), InboxCounts { mine_anywhere: 1, waiting_anywhere: 3, ..InboxCounts::default() });
    }

    /// A list is narrowed by member, language, priority and time, and runs in each order, page by page.
    async fn lists_are_narrowed_and_ordered(store: &Store) {
        let talk = Talk::new(store).await;
        let mut ids = Vec::new();
        for (at_ms, language) in [(10, "de-AT"), (20_000, "DE"), (40_000, "den"), (60_000, "fr"), (80_000, "pt_BR")] {
            let visitor = talk.another_visitor().await;
            let message = NewMessage { language: Some(language.to_owned()), ..words(language) };
            let key = key(visitor.visitor_id, "c", language);
            let said = VisitorMessage {
                workspace_id: talk.workspace_id,
                visitor,
                key,
                conversation_id: None,
                message,
                at_ms: NOW_MS + at_ms,
            };
            let stored = accepted(message::send(&store.db, &said, &mut None).await.unwrap());
            ids.push(stored.conversation.id);
        }
        // The first two were answered: nobody waits there.
        talk.answers(ids[0], "Ja").await;
        talk.answers(ids[1], "Ja").await;
        talk.does(ids[2], NewContent::Assigned { agent_id: Some(talk.agent_id) }).await;
        for urgent in [ids[1], ids[3]] {
            talk.does(urgent, NewContent::Prioritized { priority: 4 }).await;
        }
        let scope = crate::common::scope(&store.world, talk.workspace_id);
        let list = async |list: InboxList| {
            let mut query = ListQuery { list, agent_id: Some(talk.agent_id), cursor: None, limit: 2 };
            let mut found = Vec::new();
            loop {
                let page = inbox::list(&store.db, &scope, &query).await.unwrap();
                found.extend(page.items.iter().map(|item| ids.iter().position(|id| *id == item.id).unwrap()));
                match page.cursor {
                    Some(next) => query.cursor = Cursor::read(&next, inbox::cursors(list.order)).ok(),
                    None => break found,
                }
            }
        };
        let all = InboxList::from(InboxFilter::All);
        let ordered = |order| InboxList { order, ..all };
        assert_eq!(list(all).await, [4, 3, 2, 1, 0]);
        assert_eq!(list(ordered(InboxOrder::Oldest)).await, [0, 1, 2, 3, 4]);
        assert_eq!(list(ordered(InboxOrder::Waiting)).await, [2, 3, 4, 0, 1]);
        let waiting = InboxList { filter: InboxFilter::Waiting, ..ordered(InboxOrder::Waiting) };
        assert_eq!(list(waiting).await, [2, 3, 4]);
        for order in [InboxOrder::Newest, InboxOrder::Oldest, InboxOrder::Waiting] {
            let narrowed = |narrowed: InboxList| async move {
                let mut found = list(InboxList { order, ..narrowed }).await;
                found.sort_unstable();
                let counted = inbox::counts(&store.db, &scope, None, narrowed).await.unwrap();
                assert_eq!(usize::try_from(counted.all).unwrap(), found.len());
                found
            };
            assert_eq!(narrowed(InboxList { language: "de".parse().ok(), ..all }).await, [0, 1]);
            assert_eq!(narrowed(InboxList { language: "pt".parse().ok(), ..all }).await, [4]);
            assert_eq!(narrowed(InboxList { assignee_id: Some(talk.agent_id), ..all }).await, [2]);
            assert_eq!(narrowed(InboxList { priority: Some(4), ..all }).await, [1, 3]);
            assert_eq!(narrowed(InboxList { priority: Some(2), ..all }).await, [0, 2, 4]);
            assert!(narrowed(InboxList { priority: Some(1), ..all }).await.is_empty());
            assert_eq!(narrowed(InboxList { priority_min: Some(3), ..all }).await, [1, 3]);
            assert_eq!(narrowed(InboxList { priority_min: Some(2), ..all }).await, [0, 1, 2, 3, 4]);
            let since_ms = Some(NOW_MS + 40_020);
            assert_eq!(narrowed(InboxList { since_ms, ..all }).await, [3, 4]);
            assert_eq!(narrowed(InboxList { until_ms: since_ms, ..all }).await, [0, 1, 2]);
            let day = InboxList { since_ms, until_ms: Some(NOW_MS + 80_000), ..all };
            assert_eq!(narrowed(day).await, [3]);
            assert!(narrowed(InboxList { since_ms: Some(u64::MAX), ..all }).await.is_empty());
        }
    }

    /// Marks only grow, are cut to the log's end, and are told in each side's numbering.
    async fn marks_only_grow(store: &Store) {
        let talk = Talk::new(store).await;
        let id = talk.says("one").await.conversation.id;
        talk.does(id, NewContent::Note(words("aside"))).await;
        talk.answers(id, "two").await;
        let unread = unread::of_visitor(&store.db, talk.workspace_id, &talk.visitor).await.unwrap();
        assert_eq!(unread.count, 1);
        let mark = async |party, delivered, read| {
            let marks = Marks { delivered, read };
            let mark = Mark { workspace_id: talk.workspace_id, conversation_id: id, party, marks };
            participant::mark(&store.db, &[mark], NOW_MS).await.unwrap();
        };
        mark(Party::Customer, 2, 1).await;
        mark(Party::Customer, 1, 0).await;
        let seen = participant::customer_marks(&store.db, talk.workspace_id, id, Numbering::Team).await.unwrap();
        assert_eq!(seen, Marks { delivered: 3, read: 1 });
        mark(Party::Customer, 0, 999).await;
        let seen = participant::customer_marks(&store.db, talk.workspace_id, id, Numbering::Visitor).await.unwrap();
        assert_eq!(seen, Marks { delivered: 2, read: 2 });
        let unread = unread::of_visitor(&store.db, talk.workspace_id, &talk.visitor).await.unwrap();
        assert_eq!(unread.count, 0);
        mark(Party::Agent(talk.agent_id), 0, 2).await;
        let team = participant::team_marks(&store.db, talk.workspace_id, id).await.unwrap();
        assert_eq!(team, Marks { delivered: 1, read: 1 });
        let read = participant::read_of_agent(&store.db, talk.workspace_id, talk.agent_id, &[id]).await.unwrap();
        assert_eq!(read.get(&id), Some(&2));
        let open = conversation::open_of_visitor(&store.db, talk.workspace_id, &talk.visitor).await.unwrap();
        assert_eq!(open.expect("it goes on").read_number, 2);
    }

    /// The team begins a conversation once, and not beside one that goes on.
    async fn the_team_may_begin(store: &Store) {
        let talk = Talk::new(store).await;
        let start = Start {
            workspace_id: talk.workspace_id,
            visitor_id: talk.visitor.visitor_id,
            key: key(talk.agent_id, "s1", "start"),
            author: Author::Agent { agent_id: talk.agent_id },
            message: words("May I help?"),
            at_ms: NOW_MS,
        };
        let stored = accepted(message::start(&store.db, &start).await.unwrap());
        assert_eq!(stored.conversation.assignee_id, Some(talk.agent_id));
        assert_eq!(stored.conversation.customer_seq, 0);
        assert_eq!(stored.conversation.waiting_on, WaitingOn::Customer);
        let id = stored.conversation.id;
        assert_eq!(talk.says("Yes").await.conversation.id, id);
        let again = Start { key: key(talk.agent_id, "s2", "start"), ..start.clone() };
        let outcome = message::start(&store.db, &again).await.unwrap();
        assert_eq!(outcome, Outcome::Refused(Refusal::OtherOpen(id)));
        let retry = message::start(&store.db, &start).await.unwrap();
        assert_eq!(retry, Outcome::Replayed(stored.receipt));
    }

    /// A program begins for the team: the conversation is nobody's yet, and the pen too.
    async fn a_program_may_begin(store: &Store) {
        let talk = Talk::new(store).await;
        let author = Author::Key { key_id: store.world.ids.next() };
        let start = Start {
            workspace_id: talk.workspace_id,
            visitor_id: talk.visitor.visitor_id,
            key: key(talk.agent_id, "s1", "start"),
            author,
            message: words("Your order is on its way."),
            at_ms: NOW_MS,
        };
        let stored = accepted(message::start(&store.db, &start).await.unwrap());
        assert_eq!(stored.conversation.assignee_id, None);
        assert_eq!(stored.conversation.handler, Handler::Queue);
        assert_eq!(stored.conversation.waiting_on, WaitingOn::Customer);
        let found = entry::find(&store.db, talk.workspace_id, stored.conversation.id, stored.entries[0].id).await;
        assert_eq!(found.unwrap().expect("it was stored").author, author);
    }
}
