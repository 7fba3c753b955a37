//! What stands on somebody's screen beside the logs: marks, who types, who is here. What is told of them may
//! not go back, and in the end it is so.

use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use loadtest::client::{Access, Client, News};
use protocol::agent::Availability;
use protocol::conversation::{Conversation, Marks};
use protocol::entry::{Content, VisitorContent};
use protocol::id::{AgentId, ConnectionId, ConversationId, EntryId, VisitorId};
use protocol::message::Message;
use protocol::news::{AgentNews, VisitorNews};
use protocol::visitor::LiveVisitor;

use crate::erasure::Erasures;

/// Who types where: an agent's id or name, nothing for the customer.
type Typist = (ConversationId, Option<String>);

/// A screen.
#[derive(Default)]
pub(crate) struct Screen {
    erasures: Erasures,
    connection_id: Option<ConnectionId>,
    /// Since when it shows what this connection brings: when that was asked for.
    since: Duration,
    /// What was said and is gone: taken back, or erased.
    emptied: BTreeSet<EntryId>,
    /// The rows of the inbox, the newest of each.
    rows: BTreeMap<ConversationId, Conversation>,
    marks: BTreeMap<ConversationId, Marks>,
    typing: BTreeSet<Typist>,
    /// The list of visitors, once it was shown.
    visitors: Option<BTreeMap<VisitorId, LiveVisitor>>,
    /// Who was told to have left it.
    left: BTreeSet<VisitorId>,
    team: BTreeMap<AgentId, Availability>,
    /// What was told that cannot be.
    findings: Vec<String>,
}

/// Who is here in the end.
pub(crate) struct Present {
    /// Whether agents have the list of visitors open.
    pub(crate) is_list_open: bool,
    pub(crate) visitors: BTreeSet<VisitorId>,
    pub(crate) agents: BTreeSet<AgentId>,
}

impl Screen {
    /// An empty one.
    pub(crate) fn new(erasures: Erasures) -> Self {
        Self {
            erasures,
            ..Self::default()
        }
    }

    /// It is somebody else's from now on. What was wrong stays wrong.
    pub(crate) fn clear(&mut self) {
        let findings = std::mem::take(&mut self.findings);
        *self = Self::new(self.erasures.clone());
        self.findings = findings;
    }

    /// The next connection is asked for.
    pub(crate) fn connects(&mut self, at: Duration) {
        self.since = at;
    }

    /// Takes what was heard.
    pub(crate) fn take(&mut self, connection_id: Option<ConnectionId>, news: &News) {
        if connection_id != self.connection_id {
            self.connection_id = connection_id;
            self.begin();
        }
        match news {
            News::Visitor(news) => self.take_of_visitor(news),
            News::Agent(news) => self.take_of_agent(news),
        }
    }

    fn take_of_visitor(&mut self, news: &VisitorNews) {
        match news {
            VisitorNews::Typing {
                conversation_id,
                name,
                active,
            } => self.types((*conversation_id, Some(name.clone())), *active),
            VisitorNews::Marks {
                conversation_id,
                marks,
            } => self.mark(*conversation_id, *marks),
            VisitorNews::Entry { entry } => {
                self.says_to_visitor(entry.conversation_id, entry.id, &entry.content);
            }
            VisitorNews::Entries(batch) => {
                for entry in &batch.entries {
                    self.says_to_visitor(entry.conversation_id, entry.id, &entry.content);
                }
            }
            VisitorNews::Welcome { .. }
            | VisitorNews::Ack(_)
            | VisitorNews::Rejected(_)
            | VisitorNews::Conversation { .. }
            | VisitorNews::Unread { .. }
            | VisitorNews::Staff(_)
            | VisitorNews::Config(_)
            | VisitorNews::Beat
            | VisitorNews::GoingAway(_)
            | VisitorNews::Error { .. } => {}
        }
    }

    fn take_of_agent(&mut self, news: &AgentNews) {
        match news {
            AgentNews::Typing {
                conversation_id,
                agent_id,
                active,
                ..
            } => {
                let typist = agent_id.map(|id| id.to_string());
                self.types((*conversation_id, typist), *active);
            }
            AgentNews::Marks {
                conversation_id,
                marks,
            } => self.mark(*conversation_id, *marks),
            AgentNews::Visitors { rows, .. } => {
                let rows = rows.iter().map(|row| (row.id, row.clone()));
                self.visitors = Some(rows.collect());
            }
            AgentNews::VisitorChanges { rows, gone, .. } => self.visitors_changed(rows, gone),
            AgentNews::Team { presence, .. } => {
                self.team.clear();
                self.team_is(presence);
            }
            AgentNews::TeamPresence { presence } => self.team_is(presence),
            AgentNews::Entry { entry } => {
                self.says_to_team(entry.conversation_id, entry.id, &entry.content);
            }
            AgentNews::Entries(batch) => {
                for entry in &batch.entries {
                    self.says_to_team(entry.conversation_id, entry.id, &entry.content);
                }
            }
            AgentNews::Conversation { conversation } => self.row_is(conversation),
            AgentNews::Inbox { rows, .. } => {
                rows.iter().for_each(|row| self.row_is(row));
            }
            AgentNews::InboxChanges { rows, gone, .. } => {
                rows.iter().for_each(|row| self.row_is(row));
                for row in gone {
                    self.rows.remove(&row.id);
                }
            }
            AgentNews::Contact {
                contact_ids,
                erased: true,
                ..
            } => self
                .rows
                .retain(|_, row| !contact_ids.contains(&row.contact_id)),
            AgentNews::Welcome { .. }
            | AgentNews::Ack(_)
            | AgentNews::Rejected(_)
            | AgentNews::Viewing { .. }
            | AgentNews::Read { .. }
            | AgentNews::VisitorPresence { .. }
            | AgentNews::Contact { erased: false, .. }
            | AgentNews::Changed { .. }
            | AgentNews::Beat
            | AgentNews::GoingAway(_)
            | AgentNews::Error { .. } => {}
        }
    }

    fn says_to_visitor(&mut self, id: ConversationId, entry_id: EntryId, said: &VisitorContent) {
        match said {
            VisitorContent::Message { message } => self.says(id, entry_id, message),
            VisitorContent::Edited { target_id, message } => self.says(id, *target_id, message),
            VisitorContent::Deleted { target_id } => self.is_gone(*target_id),
            VisitorContent::Joined
            | VisitorContent::Left
            | VisitorContent::Reopened
            | VisitorContent::Closed => {}
        }
    }

    fn says_to_team(&mut self, id: ConversationId, entry_id: EntryId, said: &Content) {
        match said {
            Content::Message { message } | Content::Note { message } => {
                self.says(id, entry_id, message);
            }
            Content::Edited { target_id, message } => self.says(id, *target_id, message),
            Content::Deleted { target_id } => self.is_gone(*target_id),
            Content::Joined { .. }
            | Content::Left { .. }
            | Content::Assigned { .. }
            | Content::Moved { .. }
            | Content::Snoozed { .. }
            | Content::Reopened { .. }
            | Content::Closed
            | Content::Prioritized { .. }
            | Content::SpamMarked { .. }
            | Content::VisitorBlocked { .. } => {}
        }
    }

    /// What is gone stays gone, and who comes after an erasure is shown nothing of it.
    fn says(&mut self, id: ConversationId, entry_id: EntryId, message: &Message) {
        if message.deleted_at_ms.is_some() {
            self.is_gone(entry_id);
        }
        if message.body.is_empty() {
            return;
        }
        if self.emptied.contains(&entry_id) {
            self.findings
                .push(format!("the words of {entry_id} came back"));
        }
        if self.erasures.was_done(id, self.since) {
            self.findings.push(format!(
                "the words of {entry_id} were shown once {id} was erased"
            ));
        }
    }

    fn is_gone(&mut self, entry_id: EntryId) {
        self.emptied.insert(entry_id);
    }

    fn row_is(&mut self, row: &Conversation) {
        self.erasures.note(row.id, row.contact_id);
        let known = self.rows.get(&row.id);
        if known.is_none_or(|known| known.version <= row.version) {
            self.rows.insert(row.id, row.clone());
        }
    }

    /// A connection begins: signals and lists come anew, marks stay.
    fn begin(&mut self) {
        self.rows.clear();
        self.typing.clear();
        self.visitors = None;
        self.left.clear();
        self.team.clear();
    }

    fn types(&mut self, typist: Typist, active: bool) {
        if active {
            self.typing.insert(typist);
        } else {
            self.typing.remove(&typist);
        }
    }

    fn mark(&mut self, id: ConversationId, marks: Marks) {
        let before = self.marks.insert(id, marks).unwrap_or_default();
        if marks.read < before.read || marks.delivered < before.delivered {
            let finding = format!("marks of {id} went back from {before:?} to {marks:?}");
            self.findings.push(finding);
        }
    }

    fn visitors_changed(&mut self, rows: &[LiveVisitor], gone: &[VisitorId]) {
        let Some(visitors) = &mut self.visitors else {
            self.findings
                .push("a list changed before it was shown".to_owned());
            return;
        };
        for row in rows {
            visitors.insert(row.id, row.clone());
            self.left.remove(&row.id);
        }
        // Who left just before the list was shown is told as gone after it, to one who never saw him.
        for id in gone {
            if visitors.remove(id).is_none() && self.left.contains(id) {
                self.findings.push(format!("{id} left twice"));
            }
            self.left.insert(*id);
        }
    }

    fn team_is(&mut self, presence: &[protocol::agent::AgentPresence]) {
        for one in presence {
            self.team.insert(one.agent_id, one.availability);
        }
    }

    /// What is wrong on it, once nobody types any more and nobody comes or goes.
    pub(crate) fn findings(&self, client: &Client, present: &Present) -> Vec<String> {
        let mut findings = self.findings.clone();
        for (id, row) in &self.rows {
            let text = row.preview.as_ref().map_or("", |preview| &preview.text);
            if self.erasures.is_done(row.contact_id) && !text.is_empty() {
                findings.push(format!(
                    "the row of {id} still says {text:?} of somebody erased"
                ));
            }
        }
        for (id, typist) in &self.typing {
            findings.push(format!("{typist:?} still types in {id}"));
        }
        for (id, marks) in &self.marks {
            let last = client.log(*id).map_or(0, loadtest::client::Log::number);
            if marks.read > last || marks.delivered > last {
                findings.push(format!("{marks:?} of {id} are ahead of number {last}"));
            }
        }
        if matches!(client.access(), Access::Agent(_)) {
            let rows = self.visitors.iter().flat_map(|rows| rows.keys().copied());
            let listed: BTreeSet<_> = rows.collect();
            if present.is_list_open && listed != present.visitors {
                let expected = &present.visitors;
                findings.push(format!("{listed:?} are listed, {expected:?} are here"));
            }
            let stale = self.visitors.iter().flat_map(BTreeMap::values);
            for row in stale.filter(|row| row.stale) {
                findings.push(format!("{} is still out of reach", row.id));
            }
            let reachable = self.team.iter();
            let reachable = reachable.filter(|(_, one)| **one == Availability::Online);
            let reachable: BTreeSet<_> = reachable.map(|(id, _)| *id).collect();
            if reachable != present.agents {
                let expected = &present.agents;
                findings.push(format!(
                    "{reachable:?} can be reached, {expected:?} are here"
                ));
            }
        }
        findings
    }
}
