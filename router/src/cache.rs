//! Facts that nearly every frame needs and that seldom change: teams with their keys, sites, and
//! blocked addresses. Read once, dropped when
//! the event log tells of a change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::agent::Agent;
use protocol::entry::AgentNames;
use protocol::id::{AgentId, PictureId, SiteId, WorkspaceId};
use protocol::key::KeyName;
use protocol::network::Network;
use protocol::permission::{Actor, Permission, Principal, Scope};
use protocol::site::Site;
use protocol::workspace::Settings;
use storage::Reader;
use world::HashMap;

use crate::support_hours::Opening;

/// What visitors are shown for an agent whom nobody knows any more.
const UNKNOWN_NAME: &str = "";

/// A workspace as the core needs it.
#[derive(Debug)]
pub(crate) struct Tenant {
    /// All members, also the deactivated ones.
    pub(crate) agents: Vec<Agent>,
    /// What its API keys are called, also the revoked ones.
    pub(crate) keys: Vec<KeyName>,
    /// All sites, also the archived ones.
    pub(crate) sites: Vec<Arc<Site>>,
    /// Where each of them stands: every visitor who comes asks for his.
    site_indexes: HashMap<SiteId, usize>,
    /// What the workspace set.
    pub(crate) settings: Settings,
    /// When its team is there.
    pub(crate) opening: Opening,
    /// From where nobody may come.
    pub(crate) blocked: Arc<[Network]>,
}

impl Tenant {
    /// The workspace with these, without hours, and with nothing that is blocked.
    pub(crate) fn of(
        agents: Vec<Agent>,
        keys: Vec<KeyName>,
        sites: Vec<Site>,
        settings: Settings,
    ) -> Self {
        Self {
            agents,
            keys,
            site_indexes: (0..)
                .zip(&sites)
                .map(|(index, site)| (site.id, index))
                .collect(),
            sites: sites.into_iter().map(Arc::new).collect(),
            settings,
            opening: Opening::unstated(),
            blocked: Arc::from(Vec::new()),
        }
    }

    /// One of its sites.
    pub(crate) fn site(&self, site_id: SiteId) -> Option<&Arc<Site>> {
        self.sites.get(*self.site_indexes.get(&site_id)?)
    }
}

impl AgentNames for Tenant {
    fn name_of(&self, agent_id: AgentId) -> String {
        let agent = self.agents.iter().find(|agent| agent.id == agent_id);
        agent.map_or_else(|| UNKNOWN_NAME.to_owned(), |agent| agent.name.clone())
    }

    fn picture_of(&self, agent_id: AgentId) -> Option<PictureId> {
        let agent = self.agents.iter().find(|agent| agent.id == agent_id);
        agent.and_then(|agent| agent.picture)
    }
}

/// The cache.
#[derive(Debug)]
pub(crate) struct Cache {
    reader: Reader,
    tenants: Mutex<HashMap<WorkspaceId, Arc<Tenant>>>,
    /// Grows with every drop, so that what was read before it is not kept after it.
    drop_count: AtomicU64,
}

impl Cache {
    pub(crate) fn new(reader: Reader) -> Self {
        Self {
            reader,
            tenants: Mutex::default(),
            drop_count: AtomicU64::new(0),
        }
    }

    /// A workspace; an unknown one has no agents and no sites.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn tenant(&self, workspace_id: WorkspaceId) -> storage::Result<Arc<Tenant>> {
        if let Some(tenant) = self.tenants().get(&workspace_id) {
            return Ok(Arc::clone(tenant));
        }
        let before = self.drop_count.load(Ordering::Acquire);
        let workspace = storage::workspace::find(&self.reader, workspace_id).await?;
        let agents = storage::agent::list(&self.reader, workspace_id).await?;
        let keys = storage::key::names(&self.reader, workspace_id).await?;
        let sites = storage::site::list(&self.reader, &scope(workspace_id)).await?;
        let (opening, settings) = match workspace {
            Some(found) => (
                Opening::new(found.support_hours, &found.time_zone),
                found.settings,
            ),
            None => (Opening::unstated(), Settings::default()),
        };
        let blocked = storage::blocked_address::networks(&self.reader, workspace_id).await?;
        let tenant = Arc::new(Tenant {
            opening,
            blocked: blocked.into(),
            ..Tenant::of(agents, keys, sites, settings)
        });
        let mut tenants = self.tenants();
        if self.drop_count.load(Ordering::Acquire) == before {
            tenants.insert(workspace_id, Arc::clone(&tenant));
        }
        Ok(tenant)
    }

    /// Forgets a workspace: something of it has changed.
    pub(crate) fn drop_tenant(&self, workspace_id: WorkspaceId) -> Option<Arc<Tenant>> {
        let mut tenants = self.tenants();
        self.drop_count.fetch_add(1, Ordering::AcqRel);
        tenants.remove(&workspace_id)
    }

    fn tenants(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Arc<Tenant>>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The scope of the core itself, which reads for those who may.
pub(crate) fn scope(workspace_id: WorkspaceId) -> Scope {
    let system = Actor {
        workspace_id,
        principal: Principal::System,
    };
    system
        .may(Permission::ConversationsRead)
        .expect("the system may do everything")
}
