//! What stands on somebody's screen beside the logs: marks, who types, who is here. What is told of them may
//! not go back, and in the end it is so.

use std::collections::{BTreeMap, BTreeSet};

use loadtest::client::{Access, Client, News};
use protocol::agent::Availability;
use protocol::conversation::Marks;
use protocol::id::{AgentId, ConnectionId, ConversationId, VisitorId};
use protocol::news::{AgentNews, VisitorNews};
use protocol::visitor::LiveVisitor;

/// Who types where: an agent's id or name, nothing for the customer.
type Typist = (ConversationId, Option<String>);

/// A screen.
#[derive(Default)]
pub(crate) struct Screen {
    connection_id: Option<ConnectionId>,
    marks: BTreeMap<ConversationId, Marks>,
    typing: BTreeSet<Typist>,
    /// The list of visitors, once it was shown.
    visitors: Option<BTreeMap<VisitorId, LiveVisitor>>,
    team: BTreeMap<AgentId, Availability>,
    /// What was told that cannot be.
    findings: Vec<String>,
}

/// Who is here in the end.
pub(crate) struct Present {
    pub(crate) visitors: BTreeSet<VisitorId>,
    pub(crate) agents: BTreeSet<AgentId>,
}

impl Screen {
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
            VisitorNews::Welcome { .. }
            | VisitorNews::Ack(_)
            | VisitorNews::Rejected(_)
            | VisitorNews::Conversation { .. }
            | VisitorNews::Entry { .. }
            | VisitorNews::Entries(_)
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
            AgentNews::Welcome { .. }
            | AgentNews::Ack(_)
            | AgentNews::Rejected(_)
            | AgentNews::Entry { .. }
            | AgentNews::Entries(_)
            | AgentNews::Viewing { .. }
            | AgentNews::Conversation { .. }
            | AgentNews::Inbox { .. }
            | AgentNews::InboxChanges { .. }
            | AgentNews::Read { .. }
            | AgentNews::Contact { .. }
            | AgentNews::Changed { .. }
            | AgentNews::Beat
            | AgentNews::GoingAway(_)
            | AgentNews::Error { .. } => {}
        }
    }

    /// A connection begins: signals and lists come anew, marks stay.
    fn begin(&mut self) {
        self.typing.clear();
        self.visitors = None;
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
        }
        for id in gone {
            if visitors.remove(id).is_none() {
                self.findings
                    .push(format!("{id} left though he was not here"));
            }
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
            if listed != present.visitors {
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
