//! What the actor does about agents: what each does, who the team is, and who answers. All of it is told from
//! here, one after the other, so that what is told last is the newest.

use std::sync::Arc;

use protocol::agent::{AgentPresence, Availability};
use protocol::id::{AgentId, ConnectionId, SiteId, WorkspaceId};
use protocol::news::{AgentNews, VisitorNews};
use protocol::widget::{Staff, WidgetConfig};

use super::{Actor, Changed};
use crate::cache::Tenant;
use crate::delivery::{Class, Encoded, SignalKey};
use crate::topic::Topic;

/// Names shown of those who are online.
const NAMES_MAX: usize = 3;

impl Actor {
    pub(super) async fn choose(
        &mut self,
        workspace_id: WorkspaceId,
        agent_id: AgentId,
        availability: Availability,
    ) {
        // Whoever is connected is not offline: who chooses that wants to be left alone.
        let away = availability != Availability::Online;
        let choice = self.agent_chose(workspace_id, agent_id, away);
        let change = self.agents.choose(agent_id, choice);
        self.team_changed(workspace_id, change.into_iter().collect())
            .await;
    }

    pub(super) async fn agent_enter(
        &mut self,
        workspace_id: WorkspaceId,
        agent_id: AgentId,
        connection_id: ConnectionId,
    ) {
        self.agent_of
            .insert(connection_id, (workspace_id, agent_id));
        let change = self.agents.connect(connection_id, workspace_id, agent_id);
        self.agent_came(workspace_id, agent_id);
        self.team_changed(workspace_id, change.into_iter().collect())
            .await;
    }

    /// Tells what agents of this node do now, and with it what they do on all.
    pub(super) async fn team_changed(
        &mut self,
        workspace_id: WorkspaceId,
        changes: Vec<AgentPresence>,
    ) {
        self.screens.told(workspace_id, &changes);
        let presence = self.of_all_nodes(workspace_id, changes);
        self.tell_team(workspace_id, presence).await;
    }

    pub(super) async fn tell_team(
        &mut self,
        workspace_id: WorkspaceId,
        presence: Vec<AgentPresence>,
    ) {
        if presence.is_empty() {
            return;
        }
        let news = AgentNews::TeamPresence { presence };
        self.router
            .hub()
            .publish(Topic::Team(workspace_id), || {
                Encoded::new(&news, Class::Row)
            })
            .await;
        match self.router.cache().tenant(workspace_id).await {
            Ok(tenant) => self.tell_staff(workspace_id, &tenant),
            Err(error) => tracing::warn!(%error, "visitors were not told who answers"),
        }
    }

    /// Tells what changed in the store.
    pub(super) async fn tell_changed(
        &mut self,
        workspace_id: WorkspaceId,
        tenant: &Arc<Tenant>,
        part: Changed,
    ) {
        match part {
            Changed::Team => self.tell_members(workspace_id, tenant).await,
            Changed::Config(site_id) => self.tell_config(workspace_id, site_id, tenant),
        }
    }

    /// Tells consoles who the team is now, and what its programs are called. From here, as all that is told of
    /// what the team does: so nobody is told something older after it.
    async fn tell_members(&mut self, workspace_id: WorkspaceId, tenant: &Arc<Tenant>) {
        let presence = self.team(workspace_id);
        self.router
            .hub()
            .publish(Topic::Team(workspace_id), || team_frame(tenant, presence))
            .await;
        self.tell_staff(workspace_id, tenant);
    }

    /// Tells a site's visitors how the widget looks now, and with it who answers.
    fn tell_config(&self, workspace_id: WorkspaceId, site_id: SiteId, tenant: &Arc<Tenant>) {
        let staff = staff_of(tenant, &self.team(workspace_id));
        let bytes_max = self.router.config().attachment_bytes_max;
        if let Some(config) = config_of(tenant, site_id, bytes_max, staff) {
            self.router.hub().signal(Topic::SiteVisitors(site_id), || {
                let key = SignalKey::Config;
                Encoded::new(&VisitorNews::Config(config), Class::Signal { key })
            });
        }
    }

    /// Tells visitors who answers, where that changed.
    fn tell_staff(&mut self, workspace_id: WorkspaceId, tenant: &Arc<Tenant>) {
        let staff = staff_of(tenant, &self.team(workspace_id));
        if self.staff.get(&workspace_id) == Some(&staff) {
            return;
        }
        for site in &tenant.sites {
            self.router.hub().signal(Topic::SiteVisitors(site.id), || {
                let key = SignalKey::Staff;
                Encoded::new(&VisitorNews::Staff(staff.clone()), Class::Signal { key })
            });
        }
        self.staff.insert(workspace_id, staff);
    }
}

/// The team with what everybody does.
pub(crate) fn team_frame(tenant: &Tenant, presence: Vec<AgentPresence>) -> Encoded {
    let news = AgentNews::Team {
        agents: tenant.agents.clone(),
        keys: tenant.keys.clone(),
        presence,
    };
    Encoded::new(&news, Class::Row)
}

/// How a site's widget looks; nothing for a site that does not exist.
pub(crate) fn config_of(
    tenant: &Tenant,
    site_id: SiteId,
    attachment_bytes_max: u64,
    staff: Staff,
) -> Option<WidgetConfig> {
    let site = tenant.site(site_id)?;
    Some(WidgetConfig {
        version: site.version,
        site_name: site.name.clone(),
        theme: site.theme.clone(),
        identity_required: site.identity_required,
        attachment_bytes_max,
        respect_do_not_track: site.settings(&tenant.settings).respect_do_not_track,
        staff,
    })
}

/// Who answers, as visitors see it: the names of those online, at most three.
pub(crate) fn staff_of(tenant: &Arc<Tenant>, presence: &[AgentPresence]) -> Staff {
    let is_online = |agent_id| {
        presence.iter().any(|presence| {
            presence.agent_id == agent_id && presence.availability == Availability::Online
        })
    };
    let online = tenant
        .agents
        .iter()
        .filter(|agent| !agent.deactivated && is_online(agent.id));
    let names: Vec<String> = online
        .map(|agent| agent.name.clone())
        .take(NAMES_MAX)
        .collect();
    Staff {
        online: !names.is_empty(),
        names,
    }
}
