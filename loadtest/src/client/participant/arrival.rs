//! How a connection begins: what it names in its hello, and what the welcome means.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::frame::{Follow, Purpose};
use protocol::id::ConversationId;
use protocol::limit;
use protocol::news::{AgentNews, VisitorNews, Welcome};

use super::Client;
use crate::Error;
use crate::client::connection::Connection;
use crate::client::news::News;

/// How long a client waits for the pages that tell what a store in another life has, before it sends all of the
/// last ten minutes again.
const DOUBT_MAX: Duration = Duration::from_secs(10);

impl Client {
    pub(super) fn resumes(&self) -> Vec<Follow> {
        let known = self.logs.iter().map(|(id, log)| Follow {
            conversation_id: *id,
            position: log.position(),
        });
        let unknown = self.follows.iter().filter(|id| !self.logs.contains_key(id));
        let unknown = unknown.map(|id| Follow {
            conversation_id: *id,
            position: None,
        });
        known.chain(unknown).take(limit::RESUMES_MAX).collect()
    }

    pub(super) async fn welcome(&mut self, connection: &mut Connection) -> Result<Welcome, Error> {
        let patience = Duration::from_millis(limit::HELLO_MS_MAX);
        let first = connection.receive(self.access.side());
        let first = self.world.clock.timeout(patience, first).await;
        let (welcome, follows) = match first.ok_or(Error::Silent)?? {
            News::Visitor(VisitorNews::Welcome {
                welcome,
                conversation,
                ..
            }) => {
                let open = conversation.map(|open| open.id);
                (welcome, open.into_iter().collect())
            }
            News::Agent(AgentNews::Welcome { welcome, .. }) => {
                let resumes = self.resumes().into_iter();
                let ids = resumes.map(|follow| follow.conversation_id);
                (welcome, ids.collect())
            }
            News::Visitor(VisitorNews::Error { problem })
            | News::Agent(AgentNews::Error { problem }) => {
                return Err(Error::Refused(Box::new(problem)));
            }
            other @ (News::Visitor(_) | News::Agent(_)) => {
                return Err(Error::Broken(format!("{other:?} came before welcome")));
            }
        };
        connection.named(welcome.connection_id);
        self.connection_id = Some(welcome.connection_id);
        if self.epoch != 0 && self.epoch != welcome.epoch {
            self.doubt(follows);
        }
        self.epoch = welcome.epoch;
        Ok(welcome)
    }

    /// Another life of the store: what it has lost goes first, in the first order. The newest pages of what the
    /// connection follows tell what that is.
    fn doubt(&mut self, follows: BTreeSet<ConversationId>) {
        let awaited = match self.purpose {
            Purpose::Full => follows,
            Purpose::Launcher => BTreeSet::new(),
        };
        self.outbox.doubt(self.world.clock.now_ms(), &awaited);
        self.doubt_until = self.world.clock.elapsed() + DOUBT_MAX;
    }
}
