//! Who plays: visitors on the site, members of the team, conversations between them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use protocol::command::{Command, Draft};
use protocol::frame::Purpose;
use protocol::id::ConversationId;
use protocol::message::Format;
use protocol::setup::LoggedIn;
use protocol::text::Body;
use serde_json::json;
use world::{Clock, World};

use crate::Error;
use crate::client::http::{Call, Http};
use crate::client::{Access, AgentAccess, Client, Server, VisitorAccess};
use crate::target::{Setting, secret};

/// Things that are set up at a time by one process.
pub const LANES: usize = 16;

/// How long what a server cannot take now is asked for again while a run is set up, and how often.
const AGAIN_MAX: Duration = Duration::from_secs(60);

/// See [`AGAIN_MAX`].
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Does something, and again where a full server or a lost connection was in the way: whoever sets up a crowd
/// on a busy machine waits for his turn.
///
/// # Errors
/// The first failure that does not pass, or the last that should have.
pub async fn patiently<T>(
    clock: &Clock,
    work: impl AsyncFn() -> Result<T, Error>,
) -> Result<T, Error> {
    let until = clock.elapsed() + AGAIN_MAX;
    loop {
        match work().await {
            Err(error) if error.is_passing() && clock.elapsed() < until => {
                clock.sleep(AGAIN_AFTER).await;
            }
            done => return done,
        }
    }
}

/// Does something for each of some numbers, several at a time, and keeps the order.
///
/// # Errors
/// The first failure.
pub async fn each<T, F>(
    numbers: impl Iterator<Item = u64>,
    work: impl FnMut(u64) -> F,
) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    each_of(LANES, numbers, work).await
}

/// As [`each`], so many at a time.
///
/// # Errors
/// The first failure.
pub async fn each_of<T, F>(
    lanes: usize,
    numbers: impl Iterator<Item = u64>,
    work: impl FnMut(u64) -> F,
) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut done = stream::iter(numbers).map(work).buffered(lanes);
    let mut all = Vec::new();
    while let Some(one) = done.next().await {
        all.push(one?);
    }
    Ok(all)
}

/// Servers with connections for requests that are used over and over: a request of its own for each
/// client would leave a port closing for a minute.
pub struct Doors {
    servers: Vec<(Server, Mutex<Vec<Http>>)>,
}

impl Doors {
    /// Finds the servers of a setting.
    ///
    /// # Errors
    /// A name is unknown.
    pub async fn find(setting: &Setting) -> Result<Self, Error> {
        let servers = setting.servers().await?;
        let servers = servers.into_iter().map(|one| (one, Mutex::default()));
        Ok(Self {
            servers: servers.collect(),
        })
    }

    /// The server for a client: they are divided over all.
    #[must_use]
    pub fn server_of(&self, index: u64) -> &Server {
        &self.door_of(index).0
    }

    fn door_of(&self, index: u64) -> &(Server, Mutex<Vec<Http>>) {
        let index = usize::try_from(index).unwrap_or(0);
        &self.servers[index % self.servers.len()]
    }

    /// Asks the server of a client something.
    ///
    /// # Errors
    /// The server's refusal, or the network's failure.
    pub async fn with<T>(
        &self,
        index: u64,
        ask: impl AsyncFnOnce(&mut Http) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (server, idle) = self.door_of(index);
        let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut http = kept.unwrap_or_else(|| Http::new(server.clone()));
        let answer = ask(&mut http).await;
        idle.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(http);
        answer
    }
}

/// A new visitor with a session, not yet connected.
///
/// # Errors
/// The server's refusal, or the network's failure.
pub async fn visitor(
    world: &World,
    setting: &Setting,
    doors: &Doors,
    index: u64,
    purpose: Purpose,
) -> Result<Client, Error> {
    let server = doors.server_of(index).clone();
    let origin = server.origin();
    let begin =
        async |http: &mut Http| VisitorAccess::begin(http, setting.site_key, &origin, None).await;
    let access = Access::Visitor(doors.with(index, begin).await?);
    let page = format!("{origin}/demo/");
    let client = Client::new(world.clone(), server, access);
    Ok(client.with_purpose(purpose).on_page(&page, "Load test"))
}

/// A new member of the team, so that no two connections are one person. The run's end deactivates it.
///
/// # Errors
/// The server's refusal, or the network's failure.
pub async fn member(
    world: &World,
    server: &Server,
    owner: &AgentAccess,
) -> Result<AgentAccess, Error> {
    let mut http = Http::new(server.clone());
    let password = secret(world);
    let email = format!("load-{}@example.com", &password[..10]);
    let invitation = json!({ "email": email, "role": "agent" });
    let call = owner.call(Call::post("/api/v1/invitations", &invitation));
    let invitation: protocol::agent::Invitation = http.ask(&call).await?;
    let link = invitation.link.unwrap_or_default();
    let token = link.rsplit_once("token=").map_or("", |(_, token)| token);
    let accept = json!({ "token": token, "name": "Load test", "password": password });
    let call = Call::post("/api/v1/invitations/accept?bearer=true", &accept);
    let signed_in: LoggedIn = http.ask(&call).await?;
    AgentAccess::of(signed_in)
}

/// Takes members off the team again. What they said stays.
///
/// # Errors
/// The server's refusal, or the network's failure.
pub async fn dismiss(
    server: &Server,
    owner: &AgentAccess,
    members: &[AgentAccess],
) -> Result<(), Error> {
    let mut http = Http::new(server.clone());
    for member in members {
        let path = format!("/api/v1/agents/{}", member.agent_id);
        let agent: protocol::agent::Agent = http.ask(&owner.call(Call::get(&path))).await?;
        let change = Call::new(hyper::Method::PATCH, path)
            .json(&json!({ "deactivated": true }))
            .header("if-match", format!("\"{}\"", agent.version));
        http.send(&owner.call(change)).await?.into_body()?;
    }
    Ok(())
}

/// A visitor who is connected and has begun a conversation.
///
/// # Errors
/// The server's refusal, or the network's failure.
pub async fn customer(
    world: &World,
    setting: &Setting,
    doors: &Doors,
    index: u64,
) -> Result<(Client, ConversationId), Error> {
    let mut visitor = visitor(world, setting, doors, index, Purpose::Full).await?;
    visitor.connect().await?;
    let ack = visitor.settle(say(None, &body("Hello."))).await?;
    let missing = || Error::Broken("an acknowledged message is nowhere".to_owned());
    Ok((visitor, ack.conversation_id.ok_or_else(missing)?))
}

/// A short text as a body.
///
/// # Panics
/// Where it is blank or longer than a body may be.
#[must_use]
pub fn body(text: &str) -> Body {
    Body::parse(text).expect("a text within the limit")
}

/// Plain words, and nothing else.
#[must_use]
pub fn draft(body: &Body) -> Draft {
    Draft {
        body: Some(body.clone()),
        format: Format::Plain,
        reply_to_id: None,
        attachment_ids: Vec::new(),
    }
}

/// The command that says something.
#[must_use]
pub fn say(conversation_id: Option<ConversationId>, body: &Body) -> Command {
    Command::SendMessage {
        conversation_id,
        draft: draft(body),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Sets something up that fails so often in this way, on a clock that moves on; says how often it was tried.
    async fn tries(failures: u32, error: fn() -> Error) -> (Result<(), Error>, u32) {
        let clock = Clock::manual(0);
        let tried = Cell::new(0);
        let work = async || {
            tried.set(tried.get() + 1);
            if tried.get() <= failures {
                Err(error())
            } else {
                Ok(())
            }
        };
        let goes_on = async {
            while clock.elapsed() < AGAIN_MAX * 2 {
                tokio::task::yield_now().await;
                clock.advance(AGAIN_AFTER);
            }
        };
        let (done, ()) = tokio::join!(patiently(&clock, work), goes_on);
        (done, tried.get())
    }

    #[tokio::test]
    async fn who_sets_up_waits_for_what_passes_and_not_for_ever() {
        let (done, tried) = tries(2, || Error::Silent).await;
        assert!(done.is_ok() && tried == 3, "{done:?} after {tried}");
        let (done, tried) = tries(u32::MAX, || Error::Silent).await;
        assert!(matches!(done, Err(Error::Silent)), "{done:?}");
        assert!((30..=61).contains(&tried), "{tried}");
        let (done, tried) = tries(1, || Error::Usage("no".to_owned())).await;
        assert!(done.is_err() && tried == 1, "{done:?} after {tried}");
    }
}
