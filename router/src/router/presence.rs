//! Who comes and goes, at the router's door: visitors, agents, and what each is told of the other.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use presence::input::{Input, Measures};
use protocol::agent::{Availability, Sight};
use protocol::contact::AttributeValue;
use protocol::frame::Page;
use protocol::id::{ConnectionId, SiteId, WorkspaceId};
use protocol::network;
use protocol::permission::{Actor, Permission, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::site::Site;
use protocol::widget::{Staff, WidgetConfig};
use protocol::workspace::Settings;

use super::Router;
use crate::cache::Tenant;
use crate::claim;
use crate::delivery::Encoded;
use crate::error::refused_by;
use crate::first_answer::{self, FirstAnswers};
use crate::live::{self, Answering, Look, Message, staff_of, team_frame};
use crate::steady;
use crate::visitor::{self, Arrival, Newcomer, Standing, VisitorConnection};
use crate::widget::Widgets;

impl Router {
    /// An agent can be reached, or not. Lasts until the agent says otherwise or this node ends.
    ///
    /// # Errors
    /// `forbidden` for others than agents.
    pub async fn availability(
        &self,
        actor: &Actor,
        availability: Availability,
    ) -> Result<(), Rejection> {
        let Principal::Agent(agent) = actor.principal else {
            return Err(ErrorCode::Forbidden.into());
        };
        let message = Message::Choose {
            workspace_id: actor.workspace_id,
            agent_id: agent.agent_id,
            availability,
        };
        self.0.live.send(message).await;
        Ok(())
    }

    /// A connection of an agent has this in sight, or nothing. Lasts until it says otherwise or ends.
    ///
    /// # Errors
    /// `forbidden` for others than agents.
    pub async fn screen(
        &self,
        actor: &Actor,
        connection_id: ConnectionId,
        sight: Option<Sight>,
    ) -> Result<(), Rejection> {
        let Principal::Agent(agent) = actor.principal else {
            return Err(ErrorCode::Forbidden.into());
        };
        let message = Message::See(Look {
            workspace_id: actor.workspace_id,
            agent_id: agent.agent_id,
            connection_id,
            sight,
        });
        self.0.live.send(message).await;
        Ok(())
    }

    /// A visitor's connection came up, with what [`Self::visitor_welcome`] gave. Call before anything else of
    /// that connection. A store that fails leaves the visitor off the list and is logged.
    pub async fn visitor_enter(&self, connection: VisitorConnection, arrival: Arrival) {
        match visitor::enter(self, connection, arrival).await {
            Ok(message) => self.0.live.send(message).await,
            Err(error) => tracing::warn!(%error, "a visitor came unseen"),
        }
    }

    /// A page came in sight. Addresses that are no web pages are ignored.
    ///
    /// # Errors
    /// `too_many` where the visit has had as many page views as one may.
    pub async fn visitor_page(
        &self,
        connection_id: ConnectionId,
        page: Page,
    ) -> Result<(), Rejection> {
        let now_ms = self.0.world.clock.now_ms();
        let Some(sight) = visitor::sight(&page, now_ms) else {
            return Ok(());
        };
        let taken = self.0.live.ask(|reply| Message::Page {
            connection_id,
            sight,
            reply,
        });
        taken.await.unwrap_or(Ok(()))
    }

    /// The page came in or went out of sight.
    pub async fn visitor_activity(&self, connection_id: ConnectionId, visible: bool) {
        self.presence(Input::Activity {
            connection_id,
            visible,
        })
        .await;
    }

    /// A site reported something of its own.
    ///
    /// # Errors
    /// `empty`, `too_long`, `too_many` or `invalid`, with the field; `too_many` of `visit` where the visit has
    /// had as many events as one may.
    pub async fn visitor_track(
        &self,
        connection_id: ConnectionId,
        name: String,
        properties: BTreeMap<String, AttributeValue>,
    ) -> Result<(), Rejection> {
        protocol::contact::check_name(&name, "name")?;
        claim::check_properties(properties.iter(), "properties")?;
        let properties_json =
            serde_json::to_string(&properties).expect("properties are texts and numbers");
        let taken = self.0.live.ask(|reply| Message::Track {
            connection_id,
            name,
            properties_json,
            reply,
        });
        taken.await.unwrap_or(Ok(()))
    }

    /// A visitor's connection ended.
    pub async fn visitor_leave(&self, connection_id: ConnectionId) {
        self.presence(Input::Leave { connection_id }).await;
    }

    /// A connection of an agent came up. Others than agents are ignored.
    pub async fn agent_enter(&self, actor: &Actor, connection_id: ConnectionId) {
        if let Principal::Agent(agent) = actor.principal {
            self.0.nodes.arrived(self, actor.workspace_id);
            let message = Message::AgentEnter {
                workspace_id: actor.workspace_id,
                agent_id: agent.agent_id,
                connection_id,
            };
            self.0.live.send(message).await;
        }
    }

    /// A connection of an agent ended: also looks at nothing any more.
    pub async fn agent_leave(&self, connection_id: ConnectionId) {
        let looked_at = self.0.signals.leave(connection_id);
        let message = Message::AgentLeave {
            connection_id,
            looked_at,
        };
        self.0.live.send(message).await;
    }

    /// Who a browser is from now on: as before, proved by a signed identity, or somebody new.
    ///
    /// # Errors
    /// `identity_invalid` where the proof names nobody, `unavailable`.
    pub async fn begin_visitor(&self, newcomer: &Newcomer) -> Result<Standing, Rejection> {
        visitor::begin(self, newcomer).await
    }

    /// A site, also an archived one; nothing for one that does not exist. A change that this node did not
    /// make shows as soon as the event log was looked at.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn site(
        &self,
        workspace_id: WorkspaceId,
        site_id: SiteId,
    ) -> Result<Option<Arc<Site>>, Rejection> {
        Ok(self.tenant(workspace_id).await?.site(site_id).cloned())
    }

    /// What holds on a site: what it sets itself, and what its workspace set otherwise.
    ///
    /// # Errors
    /// `unknown_site`, `unavailable`.
    pub async fn site_settings(
        &self,
        workspace_id: WorkspaceId,
        site_id: SiteId,
    ) -> Result<Settings, Rejection> {
        let tenant = self.tenant(workspace_id).await?;
        let site = tenant.site(site_id).ok_or(ErrorCode::UnknownSite)?;
        Ok(site.settings(&tenant.settings))
    }

    /// Whether somebody may come into a workspace from this address.
    ///
    /// # Errors
    /// `blocked`, or the store's.
    pub async fn may_come_from(
        &self,
        workspace_id: WorkspaceId,
        address: IpAddr,
    ) -> Result<(), Rejection> {
        let tenant = self.tenant(workspace_id).await?;
        match network::is_in(address, &tenant.blocked) {
            true => Err(ErrorCode::Blocked.into()),
            false => Ok(()),
        }
    }

    /// Who a visitor is, and what he is told first. Let him listen to his own topics before: from here on he
    /// hears what changes, and what begins on his other devices. One read where he was not here before, none
    /// for who began his session here a moment ago.
    ///
    /// # Errors
    /// `forbidden` for others than visitors, `unauthenticated` for one whom the store does not know,
    /// `unavailable`.
    pub async fn visitor_welcome(&self, actor: &Actor) -> Result<Arrival, Rejection> {
        let Principal::Visitor(visitor) = actor.principal else {
            return Err(ErrorCode::Forbidden.into());
        };
        let (db, workspace_id) = (&self.0.db, actor.workspace_id);
        let outdated_count = self.0.renewals.outdated_count();
        self.0.persons.arrived(&self.0.hub, workspace_id, &visitor);
        self.0.nodes.arrived(self, workspace_id);
        let found = storage::arrival::find(db, workspace_id, &visitor).await;
        let found = found.map_err(|error| refused_by(&error))?;
        let stored = found.ok_or(ErrorCode::Unauthenticated)?;
        Ok(Arrival {
            stored,
            outdated_count,
        })
    }

    /// Who answers now, as visitors see it. Whoever listens to his site's topic before and says it to him before
    /// what he hears there shows the newest.
    #[must_use]
    pub fn staff(&self, workspace_id: WorkspaceId) -> Staff {
        self.0.answering.of(workspace_id)
    }

    /// How a site's widget looks now; nothing for a site that does not exist.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn widget_config(
        &self,
        workspace_id: WorkspaceId,
        site_id: SiteId,
    ) -> Result<Option<WidgetConfig>, Rejection> {
        let config = self.config_of(workspace_id, site_id).await;
        config.map_err(|error| refused_by(&error))
    }

    /// How a site's widget looks now, where that may have changed since a session was begun. For who listens to
    /// his site's topic before. One look where it has not.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn widget_config_since(
        &self,
        workspace_id: WorkspaceId,
        site_id: SiteId,
        begun_at_ms: u64,
    ) -> Result<Option<WidgetConfig>, Rejection> {
        match self.0.widgets.is_outdated(site_id, begun_at_ms) {
            true => self.widget_config(workspace_id, site_id).await,
            false => Ok(None),
        }
    }

    /// The team with what everybody does: what an agent is told first.
    ///
    /// # Errors
    /// `forbidden`, `unavailable`.
    pub async fn team(&self, actor: &Actor) -> Result<Encoded, Rejection> {
        actor.may(Permission::ConversationsRead)?;
        let frame = self.team_frame(actor.workspace_id).await;
        frame.map_err(|error| refused_by(&error))
    }
}

/// What the parts of the core ask of each other.
impl Router {
    pub(crate) fn answering(&self) -> &Answering {
        &self.0.answering
    }

    pub(crate) fn widgets(&self) -> &Widgets {
        &self.0.widgets
    }

    pub(crate) fn first_answers(&self) -> &FirstAnswers {
        &self.0.first_answers
    }

    /// How long visitors of a site usually wait for a first answer, where that is known. Where it was measured long
    /// ago it is measured anew, for those who come later. Cheap, never waits.
    pub(crate) fn first_answer_ms(
        &self,
        workspace_id: WorkspaceId,
        site_id: SiteId,
    ) -> Option<u64> {
        let now = self.0.world.clock.elapsed();
        let interval = self.0.config.first_answer_interval;
        if self.0.first_answers.is_due(workspace_id, now, interval) {
            self.spawn_until_soft(move |router| async move {
                let doing = first_answer::measure(&router, workspace_id);
                steady::caught(&router, "first answers", doing).await;
            });
        }
        self.0.first_answers.usual_ms(workspace_id, site_id)
    }

    /// What a site measures its visitors by.
    pub(crate) async fn measures(&self, site: &Site, tenant: &Tenant) {
        self.presence(Input::Measures {
            site_id: site.id,
            measures: Measures::of(&site.settings(&tenant.settings)),
        })
        .await;
    }

    /// How long changes of the visitor list are collected in a workspace.
    pub(crate) async fn pace(&self, workspace_id: WorkspaceId, tenant: &Tenant) {
        let interval = Duration::from_millis(tenant.settings.visitor_refresh_ms);
        let message = Message::Pace(workspace_id, interval);
        self.0.live.send(message).await;
    }

    async fn team_frame(&self, workspace_id: WorkspaceId) -> storage::Result<Encoded> {
        let tenant = self.0.cache.tenant(workspace_id).await?;
        let presence = self.0.live.ask(|reply| Message::Team {
            workspace_id,
            reply,
        });
        Ok(team_frame(&tenant, presence.await.unwrap_or_default()))
    }

    async fn config_of(
        &self,
        workspace_id: WorkspaceId,
        site_id: SiteId,
    ) -> storage::Result<Option<WidgetConfig>> {
        let tenant = self.0.cache.tenant(workspace_id).await?;
        let staff = self.staff_in(workspace_id, &tenant).await;
        let now_ms = self.0.world.clock.now_ms();
        let config = live::config_of(&tenant, site_id, staff, now_ms);
        let first_answer_ms = self.first_answer_ms(workspace_id, site_id);
        Ok(config.map(|config| WidgetConfig {
            first_answer_ms,
            ..config
        }))
    }

    async fn staff_in(&self, workspace_id: WorkspaceId, tenant: &Arc<Tenant>) -> Staff {
        let presence = self.0.live.ask(|reply| Message::Team {
            workspace_id,
            reply,
        });
        staff_of(tenant, &presence.await.unwrap_or_default())
    }

    async fn presence(&self, input: Input) {
        self.0.live.send(Message::Visitor(input)).await;
    }
}
