//! Topics: what a connection can listen to, and the names under which frames are passed on.
//!
//! A topic is small and `Copy`: shards keep one map from topic to connections, and so does the hub for
//! shards. Who may listen to what is decided where the topic is given out (`replay`, `watch`), not here.

use protocol::id::{AgentId, ConversationId, LoginSessionId, SiteId, VisitorId, WorkspaceId};
use protocol::view::InboxList;

/// Something to listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A conversation as the team sees it: entries by `seq`, facts, typing, viewing, marks.
    ConversationAgents(ConversationId),
    /// A conversation as its visitor sees it: entries by public number, typing, marks.
    ConversationVisitor(ConversationId),
    /// All full connections of a visitor: conversations that begin or change, the unread count.
    Visitor(VisitorId),
    /// All launcher connections of a visitor: the unread count only.
    VisitorLauncher(VisitorId),
    /// All connections of an agent: read marks of the other tabs.
    Agent(AgentId),
    /// All agents of a workspace: the team, its presence, what was changed elsewhere.
    Team(WorkspaceId),
    /// All visitors of a site: who answers, how the widget looks.
    SiteVisitors(SiteId),
    /// A list of the inbox. The agent is part of it because counts and read marks are the agent's own;
    /// the rows are computed and encoded once for all.
    Inbox {
        /// Who watches.
        agent_id: AgentId,
        /// Which list.
        list: InboxList,
    },
    /// The live visitors of one filter, or those whom somebody names.
    Visitors(ViewId),
    /// All connections of a login session: its end.
    Session(LoginSessionId),
}

/// A live list that somebody watches, as long as somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ViewId(pub(crate) u64);
