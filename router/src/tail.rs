//! The tail of the event log: what was changed by whom- and wherever, and did not come by here.
//!
//! Looked at each second, each tenth of one while other nodes are out of reach or something waits for a running
//! transaction, and at once when rung. It passes on entries that no lane of this node passed, ends the
//! connections of those whose rights are gone, drops caches, and tells consoles what to read again. So a lost
//! message between nodes, or desk's writes, heal the same way.

use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::{Follower, Reach};
use bytes::Bytes;
use protocol::event::{Event, EventType};
use protocol::id::{AgentId, ContactId, LoginSessionId, SiteId, VisitorId, WorkspaceId};
use protocol::news::AgentNews;
use protocol::rejection::CloseCode;
use storage::Error;
use storage::event::EventCursor;

use crate::cache::Tenant;
use crate::delivery::{Class, Encoded};
use crate::erase;
use crate::lanes::{LaneKey, Owed};
use crate::live::{Changed, Message};
use crate::part::Part;
use crate::router::Router;
use crate::todo;
use crate::topic::Topic;
use crate::visitor;

/// The bus's topic on which nodes ring each other.
pub(crate) const BELL: &str = "events";

/// Events read at a time.
const PAGE_LENGTH: usize = 500;

/// What stands behind a transaction that still runs can be read once that has ended, mostly a moment later:
/// it is looked for so often, so many times, and then as often as without a bus.
const EAGER_INTERVAL: Duration = Duration::from_millis(50);
const EAGER_MAX: u32 = 4;

/// How often an event may strike, by a panic or by rows that cannot be read, before it is passed over, so that what
/// stands behind it is told.
const STRIKES_MAX: u32 = 3;

/// Rings the tails of all nodes.
pub(crate) fn ring(router: &Router) {
    router.bus().publish(BELL, &Bytes::new());
}

/// The tail, and where it stands: it goes on there after a panic.
#[derive(Debug)]
pub(crate) struct Tail {
    bell: Follower,
    cursor: Mutex<EventCursor>,
    /// The event that is being taken in, and how often that was begun.
    under_way: Mutex<Option<(EventCursor, u32)>>,
}

impl Tail {
    /// A tail that reads on from a cursor. The bell was followed before the cursor was read, so that nobody
    /// rings unheard in between.
    pub(crate) fn new(bell: Follower, cursor: EventCursor) -> Self {
        Self {
            bell,
            cursor: Mutex::new(cursor),
            under_way: Mutex::default(),
        }
    }

    /// Follows the log until the soft token.
    pub(crate) async fn run(&self, router: &Router) {
        let soft = router.world().tracker.soft().clone();
        let mut reach = router.bus().reach();
        let config = router.config();
        // How often it was looked again for what waits.
        let mut waited: Option<u32> = None;
        loop {
            let interval = match (waited, *reach.borrow_and_update()) {
                (Some(0..EAGER_MAX), _) => EAGER_INTERVAL,
                (Some(_), _) | (None, Reach::Down) => config.blind_tail_interval,
                (None, Reach::Up) => config.tail_interval,
            };
            let is_rung = tokio::select! {
                biased;
                () = soft.cancelled() => return,
                // Whether something was heard or lost: the log tells.
                _ = self.bell.hear() => true,
                () = router.nodes().look.notified() => true,
                _ = reach.changed() => true,
                () = router.world().clock.sleep(interval) => false,
            };
            let count = match waited {
                _ if is_rung => 0,
                Some(count) => count.saturating_add(1),
                None => EAGER_MAX,
            };
            waited = match self.read(router).await {
                Ok(waits) => waits.then_some(count),
                Err(error) => {
                    tracing::warn!(%error, "the event log could not be read");
                    Some(count).filter(|count| *count < EAGER_MAX)
                }
            };
        }
    }

    /// Reads what can be read. Says whether there is something that waits for a transaction.
    async fn read(&self, router: &Router) -> storage::Result<bool> {
        loop {
            let cursor = *lock(&self.cursor);
            let tail = storage::event::tail(router.db(), cursor, PAGE_LENGTH).await?;
            for (at, event) in &tail.events {
                if self.begin(*at) {
                    let taken = take(router, event).await;
                    // A store that is away is waited for; what else is wrong with a row stays wrong.
                    if taken.as_ref().map_or_else(Error::is_unavailable, |()| true) {
                        *lock(&self.under_way) = None;
                    }
                    taken?;
                } else {
                    let event_type = event.event_type;
                    tracing::error!(
                        ?event_type,
                        "an event that cannot be taken in is passed over"
                    );
                }
                *lock(&self.cursor) = *at;
            }
            // Past what nobody here understands, too.
            *lock(&self.cursor) = tail.end;
            if !tail.more {
                return Ok(tail.waits);
            }
        }
    }

    /// Whether an event is to be taken in: not if it struck too often.
    fn begin(&self, at: EventCursor) -> bool {
        let mut under_way = lock(&self.under_way);
        let struck = under_way.filter(|(struck, _)| *struck == at);
        let count = struck.map_or(0, |(_, count)| count);
        *under_way = Some((at, count + 1));
        count < STRIKES_MAX
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes in an event. An unreadable subject is a newer node's and means nothing here.
async fn take(router: &Router, event: &Event) -> storage::Result<()> {
    router.world().faults.strike("tail.event");
    let workspace_id = event.workspace_id;
    match event.event_type {
        EventType::ConversationCreated | EventType::EntryAdded => {
            heal(router, event);
            Ok(())
        }
        EventType::ConversationEmptied => {
            // The rows of lists are as new as the version; words on screens have no other sign.
            if let Ok(id) = event.subject.parse()
                && router.nodes().concerns(workspace_id)
            {
                erase::show_afresh(router, workspace_id, id).await;
            }
            Ok(())
        }
        EventType::ContactCreated => Ok(()),
        EventType::ContactChanged | EventType::ContactErased => match event.subject.parse() {
            Ok(id) => contact(router, workspace_id, id).await,
            Err(_) => Ok(()),
        },
        EventType::VisitorChanged => match event.subject.parse() {
            Ok(id) => visitor_changed(router, workspace_id, id).await,
            Err(_) => Ok(()),
        },
        EventType::SiteChanged => match event.subject.parse() {
            Ok(id) => site(router, workspace_id, id).await,
            Err(_) => Ok(()),
        },
        EventType::WorkspaceChanged => workspace(router, workspace_id).await,
        EventType::AgentChanged => team(router, workspace_id).await,
        EventType::AgentRightsChanged => {
            team(router, workspace_id).await?;
            match event.subject.parse() {
                Ok(id) => rights(router, workspace_id, id).await,
                Err(_) => Ok(()),
            }
        }
        EventType::TodoChanged => {
            if let Ok(id) = event.subject.parse() {
                todo::tell(router, id).await;
            }
            Ok(())
        }
        EventType::SessionEnded => {
            if let Ok(id) = event.subject.parse::<LoginSessionId>() {
                let topic = Topic::Session(id);
                router.hub().close(topic, CloseCode::Revoked).await;
            }
            Ok(())
        }
        EventType::KeyChanged => {
            told_of(router, event, Part::Key).await?;
            team(router, workspace_id).await
        }
        EventType::BlockedAddressChanged => blocked(router, event).await,
        EventType::CannedResponseChanged => told_of(router, event, Part::CannedResponse).await,
        EventType::SavedViewChanged => told_of(router, event, Part::SavedView).await,
    }
}

/// Lets the conversation's lane read what it did not pass.
fn heal(router: &Router, event: &Event) {
    let Ok(conversation_id) = event.subject.parse() else {
        return;
    };
    if !router.nodes().concerns(event.workspace_id) {
        return;
    }
    let key = LaneKey::Conversation(event.workspace_id, conversation_id);
    let passed = router.lanes().passed(key).unwrap_or_default();
    let told = router.nodes().told(conversation_id);
    // What stands before the first that a lane passed it told nobody here.
    let is_before = passed.is_empty() || event.number < passed.start;
    if event.number <= told && is_before {
        return;
    }
    // A beginning is told to the visitor's tabs by the lane that saw it, or by this.
    let is_beginning = event.event_type == EventType::ConversationCreated;
    if !passed.contains(&event.number) || is_beginning {
        let owed = Owed {
            first: event.number,
            last: event.number,
            is_beginning,
            since: router.world().clock.elapsed(),
        };
        router.lanes().owe(router, key, owed);
    }
}

/// Tells consoles to read a part again.
/// Consoles are told that what an event is about changed.
async fn told_of<I: FromStr>(
    router: &Router,
    event: &Event,
    part: fn(I) -> Part,
) -> storage::Result<()> {
    if let Ok(id) = event.subject.parse() {
        tell(router, event.workspace_id, part(id)).await;
    }
    Ok(())
}

async fn tell(router: &Router, workspace_id: WorkspaceId, part: Part) {
    if let Some((part, id)) = part.news() {
        let part = part.to_owned();
        router
            .hub()
            .publish(Topic::Team(workspace_id), || {
                Encoded::new(&AgentNews::Changed { part, id }, Class::Row)
            })
            .await;
    }
}

async fn contact(
    router: &Router,
    workspace_id: WorkspaceId,
    contact_id: ContactId,
) -> storage::Result<()> {
    let named = storage::contact::named(router.db(), workspace_id, contact_id).await?;
    let Some(named) = named else {
        return Ok(());
    };
    router.contacts().change(&named.contact_ids);
    let visitor_ids = named.visitor_ids;
    let news = AgentNews::Contact {
        contact_ids: named.contact_ids,
        name: named.name,
        version: named.version,
        erased: named.erased,
    };
    router
        .hub()
        .publish(Topic::Team(workspace_id), || {
            Encoded::new(&news, Class::Row)
        })
        .await;
    for visitor_id in visitor_ids {
        visitor_changed(router, workspace_id, visitor_id).await?;
    }
    Ok(())
}

async fn visitor_changed(
    router: &Router,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
) -> storage::Result<()> {
    if let Some(row) = storage::visitor::find(router.db(), workspace_id, visitor_id).await? {
        visitor::end_outdated(router, &row).await;
        router.live().outdated(workspace_id, visitor_id).await;
    }
    Ok(())
}

async fn site(router: &Router, workspace_id: WorkspaceId, site_id: SiteId) -> storage::Result<()> {
    router.cache().drop_tenant(workspace_id);
    tell(router, workspace_id, Part::Site(site_id)).await;
    let tenant = router.cache().tenant(workspace_id).await?;
    let site = tenant.site(site_id);
    if site.is_some_and(|site| site.archived) {
        // They ask for a new token, and are told why they get none.
        let code = CloseCode::IdentityChanged;
        router.hub().close(Topic::SiteVisitors(site_id), code).await;
        return Ok(());
    }
    if let Some(site) = site {
        router.measures(site, &tenant).await;
    }
    tell_config(router, workspace_id, site_id, &tenant).await;
    Ok(())
}

/// Tells a site's visitors how the widget looks now, and remembers it for those who come later.
async fn tell_config(
    router: &Router,
    workspace_id: WorkspaceId,
    site_id: SiteId,
    tenant: &Arc<Tenant>,
) {
    router
        .widgets()
        .changed(site_id, router.world().clock.now_ms());
    if router.hub().is_followed(&Topic::SiteVisitors(site_id)) {
        let message = Message::Changed {
            workspace_id,
            tenant: Arc::clone(tenant),
            part: Changed::Config(site_id),
        };
        router.live().send(message).await;
    }
}

async fn workspace(router: &Router, workspace_id: WorkspaceId) -> storage::Result<()> {
    router.cache().drop_tenant(workspace_id);
    tell(router, workspace_id, Part::Workspace).await;
    let tenant = router.cache().tenant(workspace_id).await?;
    router.pace(workspace_id, &tenant).await;
    for site in &tenant.sites {
        router.measures(site, &tenant).await;
        tell_config(router, workspace_id, site.id, &tenant).await;
    }
    Ok(())
}

/// A member joined or changed, or a program of the team did.
async fn team(router: &Router, workspace_id: WorkspaceId) -> storage::Result<()> {
    router.cache().drop_tenant(workspace_id);
    let tenant = router.cache().tenant(workspace_id).await?;
    let message = Message::Changed {
        workspace_id,
        tenant,
        part: Changed::Team,
    };
    router.live().send(message).await;
    Ok(())
}

/// Who is connected from where nobody may come any more is sent away, visitors and team alike. Who comes
/// meanwhile listens first and is asked then, so he is either found here or refused there.
async fn blocked(router: &Router, event: &Event) -> storage::Result<()> {
    let workspace_id = event.workspace_id;
    if let Ok(id) = event.subject.parse() {
        tell(router, workspace_id, Part::BlockedAddress(id)).await;
    }
    router.cache().drop_tenant(workspace_id);
    let tenant = router.cache().tenant(workspace_id).await?;
    if tenant.blocked.is_empty() {
        return Ok(());
    }
    let hub = router.hub();
    hub.close_blocked(Topic::Team(workspace_id), &tenant.blocked)
        .await;
    for site in &tenant.sites {
        hub.close_blocked(Topic::SiteVisitors(site.id), &tenant.blocked)
            .await;
    }
    Ok(())
}

/// Connections live with the rights they came with: with other ones they come back.
async fn rights(
    router: &Router,
    workspace_id: WorkspaceId,
    agent_id: AgentId,
) -> storage::Result<()> {
    let tenant = router.cache().tenant(workspace_id).await?;
    let agent = tenant.agents.iter().find(|agent| agent.id == agent_id);
    if let Some(agent) = agent {
        let code = if agent.deactivated {
            CloseCode::Revoked
        } else {
            CloseCode::IdentityChanged
        };
        router.hub().close(Topic::Agent(agent_id), code).await;
    }
    Ok(())
}
