//! What the actor does about agents: what each does, who the team is, and who answers. All of it is told from
//! here, one after the other, so that what is told last is the newest.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::agent::{Agent, AgentPresence, Availability};
use protocol::id::{AgentId, ConnectionId, SiteId, WorkspaceId};
use protocol::limit;
use protocol::news::{AgentNews, VisitorNews};
use protocol::widget::{Staff, StaffMember, WidgetConfig};
use serde::Serialize;
use world::{HashMap, HashSet};

use super::{Actor, Changed};
use crate::cache::Tenant;
use crate::delivery::{Class, Encoded, SignalKey};
use crate::topic::Topic;

/// When it is tried again to tell visitors who answers.
const UNTOLD_WAIT: Duration = Duration::from_secs(1);

/// How many are shown of those who are online.
const PEOPLE_MAX: usize = 3;

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
        self.tell_visitors(workspace_id).await;
    }

    /// Tells visitors who answers. Where the store cannot be asked how the team looks, a moment later: nothing else
    /// may ever tell them.
    pub(super) async fn tell_visitors(&mut self, workspace_id: WorkspaceId) {
        match self.router.cache().tenant(workspace_id).await {
            Ok(tenant) => self.tell_staff(workspace_id, &tenant),
            Err(error) => {
                tracing::warn!(%error, "visitors could not be told who answers; it is tried again");
                let at = self.router.world().clock.elapsed() + UNTOLD_WAIT;
                self.untold.insert(workspace_id, at);
                self.see_who_is_due();
            }
        }
    }

    /// The workspaces whose visitors are to be told now what could not be told before.
    pub(super) fn take_untold(&mut self, now: Duration) -> Vec<WorkspaceId> {
        let due = self.untold.extract_if(|_, at| *at <= now);
        due.map(|(workspace_id, _)| workspace_id).collect()
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

    /// Tells a site's visitors how the widget looks now, and with it who answers and when.
    fn tell_config(&self, workspace_id: WorkspaceId, site_id: SiteId, tenant: &Arc<Tenant>) {
        let staff = staff_of(tenant, &self.team(workspace_id));
        let now_ms = self.now_ms();
        if let Some(mut config) = config_of(tenant, site_id, staff, now_ms) {
            config.first_answer_ms = self.router.first_answer_ms(workspace_id, site_id);
            self.router.hub().signal(Topic::SiteVisitors(site_id), || {
                let key = SignalKey::Config;
                Encoded::new(&VisitorNews::Config(config), Class::Signal { key })
            });
        }
    }

    /// Tells visitors who answers, where that changed.
    fn tell_staff(&mut self, workspace_id: WorkspaceId, tenant: &Arc<Tenant>) {
        let staff = staff_of(tenant, &self.team(workspace_id));
        // Before it is told: who comes in between is welcomed with it, or hears of it.
        if !self.router.answering().set(workspace_id, &staff) {
            return;
        }
        for site in &tenant.sites {
            self.router.hub().signal(Topic::SiteVisitors(site.id), || {
                let key = SignalKey::Staff;
                Encoded::new(&VisitorNews::Staff(staff.clone()), Class::Signal { key })
            });
        }
    }
}

/// Who answers in each workspace, as visitors were last told. Those who come read it without waiting for the actor.
#[derive(Debug, Default)]
pub(crate) struct Answering(Mutex<HashMap<WorkspaceId, Staff>>);

impl Answering {
    /// Who answers now; nobody where nobody was told of yet.
    pub(crate) fn of(&self, workspace_id: WorkspaceId) -> Staff {
        self.held().get(&workspace_id).cloned().unwrap_or_default()
    }

    /// Takes in who answers now. Whether that is news.
    fn set(&self, workspace_id: WorkspaceId, staff: &Staff) -> bool {
        self.held().insert(workspace_id, staff.clone()).as_ref() != Some(staff)
    }

    fn held(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Staff>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The team with what everybody does.
pub(crate) fn team_frame(tenant: &Tenant, presence: Vec<AgentPresence>) -> Encoded {
    let news = AgentNews::Team {
        agents: members(&tenant.agents),
        keys: within(tenant.keys.iter(), limit::TEAM_KEYS_BYTES_MAX)
            .cloned()
            .collect(),
        presence,
    };
    Encoded::new(&news, Class::Row)
}

/// The members that one frame holds, in their order: those who left give way to those who are in it, and of
/// those who left the ones who came first.
fn members(agents: &[Agent]) -> Vec<Agent> {
    let (mut left, active): (Vec<_>, Vec<_>) = agents.iter().partition(|agent| agent.deactivated);
    left.sort_by_key(|agent| Reverse(agent.created_at_ms));
    let told = within(
        active.into_iter().chain(left),
        limit::TEAM_MEMBERS_BYTES_MAX,
    );
    let told: HashSet<AgentId> = told.map(|agent| agent.id).collect();
    let in_order = agents.iter().filter(|agent| told.contains(&agent.id));
    in_order.cloned().collect()
}

/// As many of these as fit into so many bytes of JSON.
fn within<'a, T: Serialize + 'a>(
    all: impl Iterator<Item = &'a T>,
    bytes_max: usize,
) -> impl Iterator<Item = &'a T> {
    let mut bytes = 0;
    let fits = move |one: &&T| {
        // And the comma.
        bytes += 1 + serde_json::to_vec(one).map_or(bytes_max, |json| json.len());
        bytes <= bytes_max
    };
    all.take_while(fits)
}

/// How a site's widget looks, but for what is measured; nothing for a site that does not exist.
pub(crate) fn config_of(
    tenant: &Tenant,
    site_id: SiteId,
    staff: Staff,
    now_ms: u64,
) -> Option<WidgetConfig> {
    let site = tenant.site(site_id)?;
    let settings = site.settings(&tenant.settings);
    Some(WidgetConfig {
        version: site.version,
        site_name: site.name.clone(),
        theme: site.theme.clone(),
        identity_required: site.identity_required,
        respect_do_not_track: settings.respect_do_not_track,
        typing_preview: settings.typing_preview,
        language: settings.language,
        staff,
        open: tenant.opening.spans(now_ms),
        first_answer_ms: None,
    })
}

/// Who answers, as visitors see it: those online, at most three.
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
    let people: Vec<_> = online
        .map(|agent| StaffMember {
            name: agent.name.clone(),
            picture: agent.picture,
        })
        .take(PEOPLE_MAX)
        .collect();
    Staff {
        online: !people.is_empty(),
        people,
    }
}

#[cfg(test)]
mod tests {
    use protocol::agent::{Screen, Sight};
    use protocol::id::{ApiKeyId, ConversationId, Id, PictureId, UserId};
    use protocol::key::KeyName;
    use protocol::permission::{Permission, Role};
    use protocol::workspace::Settings;

    use super::*;

    /// So large that two wait for a slow reader, with what else does.
    const FRAME_BYTES_MAX: usize = limit::QUEUE_BYTES_MAX - 64 * 1024;

    const SINCE_MS: u64 = 1_795_000_000_000;

    fn agent(number: u64, letters: usize, deactivated: bool) -> Agent {
        Agent {
            id: AgentId::from_bits(number.into()),
            version: u64::from(u32::MAX),
            user_id: UserId::from_bits(number.into()),
            name: "\"".repeat(letters),
            picture: Some(PictureId::from_bits(number.into())),
            email: "e".repeat(limit::EMAIL_BYTES_MAX.min(letters)),
            role: Role::Agent,
            grants: if letters == limit::NAME_BYTES_MAX {
                Permission::ALL.to_vec()
            } else {
                Vec::new()
            },
            time_zone: "America/Argentina/ComodRivadavia".to_owned(),
            deactivated,
            created_at_ms: SINCE_MS + number,
        }
    }

    fn presence(agent: &Agent) -> AgentPresence {
        let here = ConversationId::from_bits(agent.id.bits());
        let sight = Sight::of(Some(Screen::Conversation), Some(here), None);
        AgentPresence::new(agent.id, Availability::Offline, sight)
    }

    fn keys(letters: usize) -> Vec<KeyName> {
        let key = |bits| KeyName {
            id: ApiKeyId::from_bits(bits),
            name: "\"".repeat(letters),
        };
        (0..1_000).map(key).collect()
    }

    /// What a console hears: the frame's bytes, the numbers of the members, and how many keys.
    fn told(agents: Vec<Agent>, keys: Vec<KeyName>) -> (usize, Vec<u64>, usize) {
        let active = agents.iter().filter(|agent| !agent.deactivated);
        let presence = active.map(presence).collect();
        let tenant = Tenant::of(agents, keys, Vec::new(), Settings::default());
        let frame = team_frame(&tenant, presence);
        let news = serde_json::from_slice(&frame.text).unwrap();
        let AgentNews::Team { agents, keys, .. } = news else {
            panic!("no team: {news:?}");
        };
        assert!(serde_json::to_vec(&agents).unwrap().len() <= limit::TEAM_MEMBERS_BYTES_MAX + 2);
        assert!(serde_json::to_vec(&keys).unwrap().len() <= limit::TEAM_KEYS_BYTES_MAX + 2);
        let numbers = agents.iter().map(|agent| agent.created_at_ms - SINCE_MS);
        (frame.text.len(), numbers.collect(), keys.len())
    }

    #[test]
    fn a_team_as_large_as_may_be_is_told_whole() {
        let agents: Vec<_> = (0..1_000).map(|bits| agent(bits, 20, false)).collect();
        let (bytes, told, key_count) = told(agents, keys(20));
        assert_eq!((told.len(), key_count), (limit::AGENTS_MAX, 1_000));
        assert!(bytes < FRAME_BYTES_MAX, "{bytes}");
    }

    #[test]
    fn a_team_with_the_longest_names_fits_into_a_frame_without_those_who_left() {
        let long = limit::NAME_BYTES_MAX;
        // Those who left stand between the others.
        let agents = (0..2_000).map(|bits| agent(bits, long, bits % 2 == 0));
        let (bytes, told, key_count) = told(agents.collect(), keys(long));
        assert!(bytes < FRAME_BYTES_MAX, "{bytes}");
        assert!(told.len() > 300 && key_count > 200, "{told:?} {key_count}");
        let active = (0..).filter(|bits| bits % 2 == 1).take(told.len());
        assert_eq!(told, active.collect::<Vec<_>>());
    }

    #[test]
    fn of_those_who_left_the_last_to_come_are_told_and_all_in_their_order() {
        let agents = (0..2_000).map(|bits| agent(bits, 100, bits % 4 != 0));
        let (_, told, _) = told(agents.collect(), Vec::new());
        let (active, left): (Vec<&u64>, Vec<&u64>) = told.iter().partition(|bits| **bits % 4 == 0);
        assert_eq!(active.len(), 500);
        assert!(!left.is_empty() && left.len() < 1_500);
        assert!(told.is_sorted());
        let last = (0..2_000)
            .rev()
            .filter(|bits| bits % 4 != 0)
            .take(left.len());
        assert!(left.into_iter().rev().eq(last.collect::<Vec<u64>>().iter()));
    }
}
