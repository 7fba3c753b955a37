//! What the state of visitors is told: arrivals, pages, signs of life, and what the store knows.

use protocol::id::{ConnectionId, ContactId, ConversationId, SiteId, VisitorId, WorkspaceId};
use protocol::visitor::{Browser, LastEvent, PageView, Source};
use protocol::workspace::Settings;

/// What the store knows about the person behind a visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The person.
    pub contact_id: Option<ContactId>,
    /// The person's name or address; empty when unknown.
    pub name: String,
    /// The conversation that goes on.
    pub conversation_id: Option<ConversationId>,
}

/// What a site measures its visitors by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measures {
    /// How long a sign of life counts, in milliseconds.
    pub active_threshold_ms: u64,
    /// After so long without a page view, the next one begins a new visit; in milliseconds.
    pub session_timeout_ms: u64,
}

impl Measures {
    /// Those of a site's settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self {
            active_threshold_ms: settings.active_threshold_ms,
            session_timeout_ms: settings.session_timeout_ms,
        }
    }
}

/// A page that came in sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// The page.
    pub page: PageView,
    /// Where the visit comes from, should it begin with this page.
    pub source: Source,
}

/// A visitor's first connection brings what the store knows of him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The browser.
    pub visitor_id: VisitorId,
    /// The site.
    pub site_id: SiteId,
    /// The person.
    pub facts: Facts,
    /// The browser and its place.
    pub browser: Browser,
    /// Where the visit came from.
    pub source: Source,
    /// Earlier visits.
    pub visit_count: u32,
    /// When this visit began, which may be before this connection.
    pub entered_at_ms: u64,
    /// Pages seen in this visit before this connection.
    pub page_count: u32,
    /// The last of them, newest last.
    pub trail: Vec<String>,
    /// Custom events in this visit before this connection.
    pub event_count: u32,
    /// The last of them.
    pub last_event: Option<LastEvent>,
    /// When the last of them came in sight; without one, when the visit began.
    pub viewed_at_ms: u64,
    /// Whether the page is in sight.
    pub visible: bool,
    /// What the site measures by, as the store has it.
    pub measures: Measures,
}

/// What happens to visitors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A connection opened.
    Enter {
        /// Which.
        connection_id: ConnectionId,
        /// Whose.
        arrival: Box<Arrival>,
        /// The page in sight. It counts as a page view where it differs from the last one seen.
        sight: Option<Sight>,
    },
    /// A page came in sight: always a page view, until the visit has had too many.
    Page {
        /// On which connection.
        connection_id: ConnectionId,
        /// Which page.
        sight: Sight,
    },
    /// The site reported something of its own. Taken in until the visit has had too many.
    Event {
        /// On which connection.
        connection_id: ConnectionId,
        /// What.
        event: LastEvent,
    },
    /// The page came in or went out of sight.
    Activity {
        /// On which connection.
        connection_id: ConnectionId,
        /// Whether somebody looks at it.
        visible: bool,
    },
    /// A connection closed.
    Leave {
        /// Which.
        connection_id: ConnectionId,
    },
    /// The visitor was erased: gone at once, whatever is still connected.
    Forget {
        /// Whom.
        visitor_id: VisitorId,
    },
    /// The store learned something about the person.
    Facts {
        /// Whose.
        visitor_id: VisitorId,
        /// What is known now.
        facts: Facts,
    },
    /// What a site measures by was set: also for those who are here.
    Measures {
        /// Which site.
        site_id: SiteId,
        /// By what.
        measures: Measures,
    },
}
