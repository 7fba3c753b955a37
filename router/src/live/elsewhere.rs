//! What the actor does about other nodes. On a node that is alone all of it does nothing.

use std::time::Duration;

use presence::state::{Counts, Visitors};
use presence::team::Choice;
use protocol::agent::AgentPresence;
use protocol::id::{AgentId, NodeId, WorkspaceId};

use super::Actor;
use crate::around::{Around, Outcome, TICK};
use crate::nodes::{News, Presence, Sign};

/// How many visitors of a workspace are on all nodes.
pub(super) fn counts(
    visitors: &Visitors,
    around: &Option<(Around, Duration)>,
    workspace_id: WorkspaceId,
) -> Counts {
    match around {
        None => visitors.counts(workspace_id),
        Some((around, _)) => around.everywhere.counts(workspace_id),
    }
}

impl Actor {
    pub(super) async fn sleep_to_tick(&self) {
        let clock = &self.router.world().clock;
        match &self.around {
            Some((_, at)) => clock.sleep(at.saturating_sub(clock.elapsed())).await,
            None => std::future::pending().await,
        }
    }

    pub(super) async fn tick(&mut self) {
        let now = self.router.world().clock.elapsed();
        if let Some((around, at)) = &mut self.around {
            *at = now + TICK;
            let outcome = around.tick(&self.visitors, &self.agents);
            self.follow_up(outcome).await;
        }
    }

    /// This node goes: its people have a while to come back to others.
    pub(super) fn part(&self) {
        if self.around.is_some() {
            self.router.nodes().sign(&self.router, Sign::Goodbye);
        }
    }

    pub(super) async fn elsewhere(
        &mut self,
        workspace_id: WorkspaceId,
        node_id: NodeId,
        presence: Presence,
    ) {
        if let Presence::Chose { agent_id, choice } = &presence {
            self.agents.choose(*agent_id, *choice);
        }
        if let Some((around, _)) = &mut self.around {
            let outcome = around.told(workspace_id, node_id, presence);
            self.follow_up(outcome).await;
        }
    }

    pub(super) async fn node(&mut self, node_id: NodeId, sign: Sign) {
        if let Some((around, _)) = &mut self.around {
            let outcome = around.sign(node_id, sign);
            self.follow_up(outcome).await;
        }
    }

    pub(super) fn miss(&mut self, workspace_id: WorkspaceId) {
        if let Some((around, _)) = &mut self.around {
            around.miss(workspace_id);
        }
    }

    pub(super) fn watch(&mut self, workspace_id: WorkspaceId) {
        if let Some((around, _)) = &mut self.around {
            around.watch(workspace_id);
        }
    }

    /// An agent connected here: what he chose elsewhere counts.
    pub(super) fn agent_came(&mut self, workspace_id: WorkspaceId, agent_id: AgentId) {
        if let Some((around, _)) = &self.around {
            let choice = around.team.choice(workspace_id, agent_id);
            self.agents.choose(agent_id, choice);
        }
    }

    /// An agent chose here: it counts elsewhere. Gives the choice as all nodes take it.
    pub(super) fn agent_chose(
        &mut self,
        workspace_id: WorkspaceId,
        agent_id: AgentId,
        away: bool,
    ) -> Choice {
        let now_ms = self.now_ms();
        let before = self.agents.choice(agent_id);
        let Some((around, _)) = &mut self.around else {
            return before.then(away, now_ms);
        };
        let before = before.max(around.team.choice(workspace_id, agent_id));
        let choice = before.then(away, now_ms);
        around.team.choose(workspace_id, agent_id, choice);
        let news = || News::Presence(Presence::Chose { agent_id, choice });
        self.router.nodes().tell(&self.router, workspace_id, news);
        choice
    }

    /// What the agents of a workspace do, on all nodes.
    pub(super) fn team(&self, workspace_id: WorkspaceId) -> Vec<AgentPresence> {
        match &self.around {
            None => self.agents.list(workspace_id),
            Some((around, _)) => {
                let here = self.agents.members(workspace_id);
                around.team.list(workspace_id, &here)
            }
        }
    }

    pub(super) fn counts(&self, workspace_id: WorkspaceId) -> Counts {
        counts(&self.visitors, &self.around, workspace_id)
    }

    /// What changed for those who see all nodes, after something changed on this one; the others are told.
    pub(super) fn of_all_nodes(
        &mut self,
        workspace_id: WorkspaceId,
        changes: Vec<AgentPresence>,
    ) -> Vec<AgentPresence> {
        let Some((around, _)) = &mut self.around else {
            return changes;
        };
        let here = self.agents.members(workspace_id);
        let changes = around.team.changes(workspace_id, &here);
        around.tell_agents(workspace_id, here);
        changes
    }

    async fn follow_up(&mut self, outcome: Outcome) {
        for change in &outcome.changes {
            self.show(change);
        }
        for workspace_id in outcome.teams {
            let here = self.agents.members(workspace_id);
            let Some((around, _)) = &mut self.around else {
                return;
            };
            let changes = around.team.changes(workspace_id, &here);
            self.tell_team(workspace_id, changes).await;
        }
        for workspace_id in outcome.asked {
            for (connection_id, (of, _)) in &self.agent_of {
                if let (true, Some(conversation_id)) = (
                    *of == workspace_id,
                    self.router.signals().looked_at(*connection_id),
                ) {
                    self.router.tell_viewers(workspace_id, conversation_id);
                }
            }
        }
    }
}
