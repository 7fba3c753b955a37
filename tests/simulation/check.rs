//! What must hold in the end: the load test's checker, for every conversation and everybody.

use std::collections::BTreeMap;

use loadtest::check;
use loadtest::client::outbox::{Item, Outcome};
use loadtest::client::{Access, AgentAccess, Client, Line, Said};
use protocol::command::Command;
use protocol::conversation::Conversation;
use protocol::entry::{Content, Entry};
use protocol::id::ConversationId;
use protocol::limit;
use protocol::permission::{Actor, AgentActor, Permission, Permissions, Principal, Role};
use protocol::view::InboxFilter;
use storage::entry::Numbering;
use storage::inbox::ListQuery;
use storage::simulated::Store;
use world::World;

use crate::erasure::Erasures;

/// A word of all that is said.
const SAID: &str = "says";

/// All that is stored.
pub(crate) type Log = BTreeMap<ConversationId, Stored>;

/// A conversation as it is stored.
pub(crate) struct Stored {
    row: Conversation,
    entries: Vec<Entry>,
    /// Whether the search finds it by a word that everybody says.
    is_found: bool,
    /// Whether it is in the list that agents watch.
    is_listed: bool,
}

impl Stored {
    /// What was said and done in it.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// How many entries are stored.
pub(crate) fn count(stored: &Log) -> usize {
    stored.values().map(|one| one.entries.len()).sum()
}

/// Reads all conversations.
pub(crate) async fn read(store: &Store, world: &World, owner: &AgentAccess) -> Log {
    let db = store.open(world).await.expect("the store opens");
    let workspace_id = owner.workspace_id;
    let actor = Actor {
        workspace_id,
        principal: Principal::Agent(AgentActor {
            agent_id: owner.agent_id,
            user_id: world.ids.next(),
            session_id: world.ids.next(),
            permissions: Permissions::of_role(Role::Owner),
        }),
    };
    let scope = actor.may(Permission::ConversationsRead);
    let scope = scope.expect("an owner reads everything");
    let mut log = Log::new();
    let all = InboxFilter::All.into();
    let rows_max = limit::FOUND_ROWS_MAX;
    let found = storage::search::everywhere(&db, &scope, SAID, all, None, rows_max).await;
    let found = found.expect("the store answers").items;
    for filter in [InboxFilter::All, InboxFilter::Closed] {
        let query = ListQuery {
            list: filter.into(),
            agent_id: None,
            cursor: None,
            limit: limit::PAGE_ROWS_MAX,
        };
        let page = storage::inbox::list(&db, &scope, &query).await;
        for row in page.expect("the store answers").items {
            let entries =
                storage::entry::after(&db, workspace_id, row.id, Numbering::Team, 0, 10_000).await;
            let stored = Stored {
                entries: entries.expect("the store answers"),
                is_found: found.iter().any(|one| one.conversation.id == row.id),
                is_listed: filter == InboxFilter::All,
                row,
            };
            log.insert(stored.row.id, stored);
        }
    }
    log
}

/// What is wrong in the store.
pub(crate) fn of_store(stored: &Log, erasures: &Erasures) -> Vec<String> {
    let findings = stored
        .values()
        .flat_map(|one| check::of_store(&one.entries));
    let mut findings: Vec<String> = findings.map(|finding| finding.to_string()).collect();
    for (
        id,
        Stored {
            row,
            entries,
            is_found,
            ..
        },
    ) in stored
    {
        if erasures.is_done(row.contact_id) && !row.contact_erased {
            findings.push(format!("the customer of {id} was not erased"));
        }
        if !row.contact_erased {
            continue;
        }
        let is_kept = |entry: &&Entry| words(&entry.content).is_some_and(|body| !body.is_empty());
        for entry in entries.iter().filter(is_kept) {
            findings.push(format!(
                "number {} of {id} is stored, and was erased",
                entry.seq
            ));
        }
        if row
            .preview
            .as_ref()
            .is_some_and(|preview| !preview.text.is_empty())
        {
            findings.push(format!("the preview of {id} is stored, and was erased"));
        }
        if *is_found {
            findings.push(format!("{id} is found by words that were erased"));
        }
    }
    findings
}

fn words(content: &Content) -> Option<&str> {
    match content {
        Content::Message { message }
        | Content::Note { message }
        | Content::Edited { message, .. } => Some(&message.body),
        Content::Deleted { .. }
        | Content::Joined { .. }
        | Content::Left { .. }
        | Content::Assigned { .. }
        | Content::Moved { .. }
        | Content::Snoozed { .. }
        | Content::Reopened { .. }
        | Content::Closed
        | Content::Prioritized { .. }
        | Content::SpamMarked { .. }
        | Content::VisitorBlocked { .. } => None,
    }
}

/// What is wrong with what somebody holds, and was promised.
pub(crate) fn of_client(stored: &Log, client: &Client) -> Vec<String> {
    let mut findings = Vec::new();
    let is_agent = matches!(client.access(), Access::Agent(_));
    for (
        id,
        Stored {
            row,
            entries,
            is_listed,
            ..
        },
    ) in stored
    {
        let log = client.log(*id);
        let seen = if is_agent {
            check::seen_by_agent(entries)
        } else {
            check::seen_by_visitor(entries)
        };
        // A visitor holds his own, an agent what he ever saw in the list.
        if (is_agent && *is_listed) || log.is_some() {
            findings.extend(check::of_log(&seen, log));
        }
        findings.extend(check::of_outbox(&seen, client, *id));
        let lines = log.iter().flat_map(|log| log.lines());
        for line in lines.filter(|line| row.contact_erased && says_something(line)) {
            let text = format!("number {} still shows what was erased", line.number);
            findings.push(check::Finding::new(
                check::Kind::Reordered,
                line.number,
                text,
            ));
        }
        let is_note = |said: &Said| matches!(said, Said::Note(_));
        let lines = log.iter().flat_map(|log| log.lines());
        if !is_agent && lines.into_iter().any(|line| is_note(&line.said)) {
            let text = "a note reached a visitor".to_owned();
            findings.push(check::Finding::new(check::Kind::Reordered, 0, text));
        }
    }
    findings.extend(of_words(client));
    findings.extend(check::of_unfinished(client));
    findings.extend(check::of_connections(client));
    let who = who(client);
    let findings = findings.into_iter();
    findings.map(|finding| format!("{who} {finding}")).collect()
}

/// What is wrong with somebody who was sent away as erased: whether he was, and what he had been promised.
pub(crate) fn of_former(stored: &Log, client: &Client) -> Vec<String> {
    let mut findings = Vec::new();
    let mut is_erased = false;
    for (id, Stored { row, entries, .. }) in stored {
        let seen = check::seen_by_visitor(entries);
        findings.extend(check::of_outbox(&seen, client, *id));
        let visitor_id = row.visitor_id.map(|id| id.to_string());
        is_erased |= row.contact_erased && visitor_id == Some(who(client));
    }
    findings.extend(check::of_connections(client));
    let who = who(client);
    let findings = findings.iter().map(|finding| format!("{who} {finding}"));
    let is_wrong = (!is_erased).then(|| format!("{who} was sent away, and nobody erased him"));
    findings.chain(is_wrong).collect()
}

fn who(client: &Client) -> String {
    match client.access() {
        Access::Visitor(visitor) => visitor.visitor_id().to_string(),
        Access::Agent(agent) => agent.agent_id.to_string(),
    }
}

fn says_something(line: &Line) -> bool {
    match &line.said {
        Said::Message(body, _) | Said::Note(body) | Said::Edited(_, body) => !body.is_empty(),
        Said::Deleted(_) | Said::Other(_) => false,
    }
}

/// What was said makes an entry: an acknowledgement that names none is of nothing stored.
fn of_words(client: &Client) -> Vec<check::Finding> {
    let items = client.outbox().items();
    let without_entry = items.filter(|item| {
        let is_said = matches!(
            item.command,
            Command::SendMessage { .. } | Command::AddNote { .. }
        );
        let ack = item.outcome.as_ref();
        is_said && matches!(ack, Some(Outcome::Accepted(ack)) if ack.entry_id.is_none())
    });
    let finding = |item: &Item| {
        let text = format!("{} has no entry", item.client_id.as_str());
        check::Finding::new(check::Kind::Lost, 0, text)
    };
    without_entry.map(finding).collect()
}
