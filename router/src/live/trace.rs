//! What the actor does with page views and custom events.

use presence::input::{Input, Sight};
use protocol::id::ConnectionId;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::visitor::LastEvent;
use storage::visit::Trace;

use super::Actor;

impl Actor {
    /// Takes in a trace; refused where the visit has had too many. From connections that are gone it is lost.
    fn trace(&mut self, connection_id: ConnectionId, input: Input) -> Result<(), Rejection> {
        let changes = self.visitors.apply(input, self.now_ms());
        for change in &changes {
            self.changed(change);
        }
        let whose = self.visitor_of.get(&connection_id);
        let is_here = whose.is_some_and(|(_, id)| self.visitors.get(*id).is_some());
        if changes.is_empty() && is_here {
            return Err(Rejection::of(ErrorCode::TooMany, "visit"));
        }
        Ok(())
    }

    pub(super) fn page(
        &mut self,
        connection_id: ConnectionId,
        sight: Sight,
    ) -> Result<(), Rejection> {
        let input = Input::Page {
            connection_id,
            sight,
        };
        self.trace(connection_id, input)
    }

    pub(super) fn track(
        &mut self,
        connection_id: ConnectionId,
        name: String,
        properties_json: String,
    ) -> Result<(), Rejection> {
        let at_ms = self.now_ms();
        let event = LastEvent {
            name: name.clone(),
            at_ms,
        };
        let input = Input::Event {
            connection_id,
            event,
        };
        self.trace(connection_id, input)?;
        if let Some((workspace_id, visitor_id)) = self.visitor_of.get(&connection_id)
            && let Some(visit_id) = self.visits.of(*visitor_id)
        {
            let trace = Trace::Custom {
                visit_id,
                visitor_id: *visitor_id,
                name,
                properties_json,
                at_ms,
            };
            self.router.traces().put(*workspace_id, trace);
        }
        Ok(())
    }
}
