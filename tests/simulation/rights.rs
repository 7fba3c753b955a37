//! Rights that end: whose, since when, and what may be shown to them and taken from them after that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use hyper::Method;
use loadtest::Error;
use loadtest::check::{self, Finding, Kind};
use loadtest::client::http::{Call, Http, Server};
use loadtest::client::outbox::Outcome;
use loadtest::client::{Access, AgentAccess, Client, Said};
use protocol::agent::Agent;
use protocol::command::Command;
use protocol::id::AgentId;
use protocol::rejection::ErrorCode;
use serde_json::json;
use world::{Clock, World};

use crate::check::Log;

/// How long whoever ends them waits for an answer, and before he asks again.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

/// How long after the answer other nodes may take to hear of it, also where the bus is out of reach and reads fail.
const LATE_MAX: Duration = Duration::from_secs(10);

/// Between words and the time at which they were said.
const AT: &str = " at ";

/// By whom they end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// He signs out.
    SignedOut,
    /// An owner deactivates him.
    Deactivated,
}

/// What everybody of a simulation shares about them: since when they are told to have ended. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Rights(Rc<RefCell<BTreeMap<AgentId, Option<Duration>>>>);

impl Rights {
    /// Begins to end somebody's; nothing where that was begun already.
    pub(crate) fn begin(&self, agent_id: AgentId) -> bool {
        let mut known = self.0.borrow_mut();
        let is_new = !known.contains_key(&agent_id);
        known.entry(agent_id).or_default();
        is_new
    }

    fn end(&self, agent_id: AgentId, clock: &Clock) {
        self.0.borrow_mut().insert(agent_id, Some(clock.elapsed()));
    }

    /// Whether somebody's end or have ended.
    pub(crate) fn are_over(&self, access: &Access) -> bool {
        match access {
            Access::Agent(agent) => self.0.borrow().contains_key(&agent.agent_id),
            Access::Visitor(_) => false,
        }
    }

    /// Those of which nobody was told the end.
    pub(crate) fn findings(&self) -> Vec<String> {
        let known = self.0.borrow();
        let open = known.iter().filter(|(_, at)| at.is_none());
        open.map(|(id, _)| format!("the rights of {id} still end"))
            .collect()
    }

    /// What is wrong with somebody whose rights ended: he is there, was shown what was said long after that, or was
    /// taken at his word. What had been promised before holds.
    pub(crate) fn of_client(&self, stored: &Log, client: &Client) -> Vec<String> {
        let Access::Agent(agent) = client.access() else {
            return Vec::new();
        };
        let mut findings = check::of_connections(client);
        for (id, entries) in stored.iter().map(|(id, one)| (id, one.entries())) {
            let seen = check::seen_by_agent(entries);
            findings.extend(check::of_outbox(&seen, client, *id));
        }
        let mut found = |text: String| findings.push(Finding::new(Kind::Doubled, 0, text));
        if client.is_connected() {
            found("is connected, and has no rights".to_owned());
        }
        let ended = self.0.borrow().get(&agent.agent_id).copied().flatten();
        let is_late = |words: &str| {
            let said = said_at(words);
            said.zip(ended)
                .is_some_and(|(said, ended)| said > ended + LATE_MAX)
        };
        for line in client.logs().values().flat_map(|log| log.lines()) {
            let (Said::Message(words, _) | Said::Note(words) | Said::Edited(_, words)) = &line.said
            else {
                continue;
            };
            if is_late(words) {
                found(format!("was shown {words:?} without rights"));
            }
        }
        for item in client.outbox().items() {
            let (Command::SendMessage { draft, .. } | Command::AddNote { draft, .. }) =
                &item.command
            else {
                continue;
            };
            let is_taken = matches!(item.outcome, Some(Outcome::Accepted(_)));
            let words = draft.body.as_ref().map_or("", |body| body.as_str());
            if is_taken && is_late(words) {
                found(format!("said {words:?} without rights"));
            }
        }
        let who = agent.agent_id;
        findings.iter().map(|one| format!("{who} {one}")).collect()
    }
}

/// Words that tell when they were said.
pub(crate) fn words(who: &str, number: u64, at: Duration) -> String {
    format!("{who} says {number:x}{AT}{}", at.as_millis())
}

fn said_at(words: &str) -> Option<Duration> {
    let (_, at) = words.rsplit_once(AT)?;
    at.parse().ok().map(Duration::from_millis)
}

/// Whether somebody was sent away for good.
pub(crate) fn are_denied(error: &Error) -> bool {
    let is_refused = matches!(
        error.code(),
        Some(ErrorCode::Unauthenticated | ErrorCode::Forbidden)
    );
    let is_closed = matches!(error, Error::Closed { .. });
    is_refused || is_closed && !error.is_passing()
}

/// Asks one server after the other until one says that it is done.
///
/// # Errors
/// What no other try changes.
pub(crate) async fn end(
    world: &World,
    somewhere: impl Fn() -> Server,
    (owner, agent): (&AgentAccess, &AgentAccess),
    end: End,
    rights: &Rights,
) -> Result<(), Error> {
    loop {
        let mut http = Http::new(somewhere());
        let asked = ask(&mut http, owner, agent, end);
        let asked = world.clock.timeout(PATIENCE, asked).await;
        match asked.unwrap_or(Err(Error::Silent)) {
            Ok(()) => break,
            // The answer to the last try was lost.
            Err(error) if end == End::SignedOut && are_denied(&error) => break,
            Err(error) if error.code() == Some(ErrorCode::VersionConflict) => {}
            Err(error) if error.is_passing() => {}
            Err(error) => return Err(error),
        }
        world.clock.sleep(PAUSE).await;
    }
    rights.end(agent.agent_id, &world.clock);
    Ok(())
}

async fn ask(
    http: &mut Http,
    owner: &AgentAccess,
    agent: &AgentAccess,
    end: End,
) -> Result<(), Error> {
    let call = match end {
        End::SignedOut => agent.call(Call::new(Method::POST, "/api/v1/logout")),
        End::Deactivated => {
            let path = format!("/api/v1/agents/{}", agent.agent_id);
            let now: Agent = http.ask(&owner.call(Call::get(path.as_str()))).await?;
            let call = Call::new(Method::PATCH, path).json(&json!({ "deactivated": true }));
            owner.call(call.header("if-match", format!("\"{}\"", now.version)))
        }
    };
    http.send(&call).await?.into_body().map(drop)
}
