//! The lists of the inbox, as pure rules: what belongs where, and what a change means for a list.

use protocol::conversation::{Conversation, State, WaitingOn};
use protocol::id::{AgentId, SiteId};
use protocol::language::Language;
use protocol::news::GoneRow;
use protocol::view::{InboxCounts, InboxFilter, InboxList};

/// In how many ways a conversation may have stood between two tellings before nobody knows where it stood.
const BETWEEN_MAX: usize = 8;

/// The facts that decide in which lists a conversation stands, and how they are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    site_id: SiteId,
    state: State,
    assignee_id: Option<AgentId>,
    spam: bool,
    waiting_on: WaitingOn,
    language: Option<Language>,
    priority: u8,
    /// Moves a row only where a list has a span of time.
    active_at_ms: u64,
}

impl From<&Conversation> for Membership {
    fn from(conversation: &Conversation) -> Self {
        Self {
            site_id: conversation.site_id,
            state: conversation.state,
            assignee_id: conversation.assignee_id,
            spam: conversation.spam,
            waiting_on: conversation.waiting_on,
            language: conversation.language.as_deref().and_then(Language::of_tag),
            priority: conversation.priority,
            active_at_ms: conversation.active_at_ms,
        }
    }
}

impl Membership {
    /// Whether it is among what a list is narrowed to.
    fn fits(&self, list: InboxList) -> bool {
        list.site_id.is_none_or(|site_id| site_id == self.site_id)
            && (list.assignee_id.is_none() || list.assignee_id == self.assignee_id)
            && (list.language.is_none() || list.language == self.language)
            && list
                .priority
                .is_none_or(|priority| priority == self.priority)
            && list
                .priority_min
                .is_none_or(|priority_min| priority_min <= self.priority)
            && list
                .since_ms
                .is_none_or(|since_ms| self.active_at_ms >= since_ms)
            && list
                .until_ms
                .is_none_or(|until_ms| self.active_at_ms < until_ms)
    }

    /// Whether it stands in a list of this agent.
    pub(crate) fn is_in(&self, list: InboxList, agent_id: AgentId) -> bool {
        if !self.fits(list) {
            return false;
        }
        let is_alive = match self.state {
            State::Open | State::Snoozed => !self.spam,
            State::Closed => false,
        };
        match list.filter {
            InboxFilter::All => is_alive,
            InboxFilter::Mine => is_alive && self.assignee_id == Some(agent_id),
            InboxFilter::Unassigned => {
                is_alive && self.state == State::Open && self.assignee_id.is_none()
            }
            InboxFilter::Waiting => {
                is_alive && self.state == State::Open && self.waiting_on == WaitingOn::Agent
            }
            InboxFilter::Snoozed => is_alive && self.state == State::Snoozed,
            InboxFilter::Closed => self.state == State::Closed && !self.spam,
            InboxFilter::Spam => self.spam,
        }
    }
}

/// Where a conversation stood before it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nowhere: it has just begun.
    Nowhere,
    /// There.
    There(Membership),
    /// Nobody knows: somebody else changed it.
    Unknown,
}

/// A conversation that changed.
#[derive(Debug, Clone)]
pub(crate) struct RowChange {
    /// Before the first of the changes that are told together.
    before: Before,
    /// Where it stood between them: who began to watch meanwhile may have found it there.
    between: Vec<Membership>,
    /// As it is now.
    row: Conversation,
}

impl RowChange {
    pub(crate) fn new(before: Before, row: Conversation) -> Self {
        Self {
            before,
            between: Vec::new(),
            row,
        }
    }

    /// Takes in another change of the same conversation; older news do not change what it is now.
    pub(crate) fn merge(&mut self, other: Self) {
        let older = match other.row.version > self.row.version {
            true => std::mem::replace(&mut self.row, other.row),
            false => other.row,
        };
        let stood = Membership::from(&older);
        if !self.between.contains(&stood) {
            self.between.push(stood);
        }
        if self.between.len() > BETWEEN_MAX {
            self.before = Before::Unknown;
            self.between.clear();
        }
    }

    /// Whether any list has, or had meanwhile, another length than before, but for those of a span of time.
    pub(crate) fn moves(&self) -> bool {
        match self.before {
            Before::There(before) => {
                let active_at_ms = before.active_at_ms;
                let moved = |stood: &Membership| {
                    Membership {
                        active_at_ms,
                        ..*stood
                    } != before
                };
                self.between.iter().any(moved) || moved(&Membership::from(&self.row))
            }
            Before::Nowhere | Before::Unknown => true,
        }
    }

    /// Whether somebody may have been told that it stands in a list.
    fn was_in(&self, list: InboxList, agent_id: AgentId) -> bool {
        let is_in = |stood: &Membership| stood.is_in(list, agent_id);
        self.between.iter().any(is_in)
            || match &self.before {
                Before::There(before) => is_in(before),
                Before::Nowhere => false,
                Before::Unknown => true,
            }
    }
}

/// What a list has to tell.
#[derive(Debug, Default)]
pub(crate) struct ListChanges<'a> {
    pub(crate) rows: Vec<&'a Conversation>,
    pub(crate) gone: Vec<GoneRow>,
}

impl ListChanges<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.gone.is_empty()
    }
}

/// What changes mean for one list: rows that belong, and rows that no longer do, with the version that
/// took them out. A row of which nobody knows where it stood is told as gone; whoever never had it
/// forgets nothing.
pub(crate) fn changes_of<'a>(
    list: InboxList,
    agent_id: AgentId,
    changes: impl Iterator<Item = &'a RowChange>,
) -> ListChanges<'a> {
    let mut told = ListChanges::default();
    for change in changes {
        if Membership::from(&change.row).is_in(list, agent_id) {
            told.rows.push(&change.row);
            continue;
        }
        if change.was_in(list, agent_id) {
            told.gone.push(GoneRow {
                id: change.row.id,
                version: change.row.version,
            });
        }
    }
    told
}

/// A frame of changes, made of parts of which the rows are encoded once for all who watch the list.
pub(crate) fn frame(
    list: InboxList,
    rows_json: &str,
    gone_json: &str,
    counts: Option<InboxCounts>,
) -> String {
    let list = serde_json::to_string(&list).expect("a list is words and numbers");
    let list = list.trim_start_matches('{').trim_end_matches('}');
    let counts = counts
        .map(|counts| serde_json::to_string(&counts).expect("counts are numbers"))
        .map(|json| format!(r#","counts":{json}"#))
        .unwrap_or_default();
    format!(r#"{{"type":"inbox_changes",{list},"rows":{rows_json},"gone":{gone_json}{counts}}}"#)
}

#[cfg(test)]
#[path = "inbox_tests.rs"]
mod tests;
