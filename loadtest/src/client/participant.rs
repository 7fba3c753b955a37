//! The client itself: a visitor or an agent who keeps the rules of the wire.

mod arrival;
mod passed;
mod reaction;
mod retry;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use protocol::command::{Ack, Command};
use protocol::frame::{ClientFrame, Follow, Hello, Page, Purpose, StreamRequest, Watch};
use protocol::id::{ConnectionId, ConversationId};
use protocol::news::{AgentNews, VisitorNews, Welcome};
use protocol::text::ClientId;
use world::World;

use crate::Error;
use crate::client::access::Access;
use crate::client::connection::{Connection, Transport};
use crate::client::http::{Http, Server};
use crate::client::log::{Break, Log};
use crate::client::news::News;
use crate::client::outbox::{Outbox, Outcome};
use crate::client::participant::passed::Passed;
use crate::client::participant::retry::UNDER_WAY_MAX;

/// How long a client waits for an answer before it gives up a step of a story. It ends what hangs, and
/// measures nothing: machines are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long one try to connect may take.
const CONNECT_MAX: Duration = Duration::from_secs(15);

/// How long a frame may wait for the other side to take it.
const SEND_MAX: Duration = Duration::from_secs(20);

/// A promise that the server broke on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// How.
    pub what: Break,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.conversation_id, self.what)
    }
}

/// A visitor or an agent on the wire.
pub struct Client {
    world: World,
    http: Http,
    access: Access,
    transport: Transport,
    purpose: Purpose,
    page: Option<Page>,
    /// The token of the next connection, where it is known already.
    token: Option<String>,
    connection: Option<Connection>,
    connection_id: Option<ConnectionId>,
    epoch: u64,
    logs: BTreeMap<ConversationId, Log>,
    follows: BTreeSet<ConversationId>,
    watches: Vec<Watch>,
    outbox: Outbox,
    /// When commands that the server could not take are sent again, while there are such.
    retry_at: Option<Duration>,
    /// These, and what was asked since: nothing may overtake them.
    held: BTreeSet<ClientId>,
    /// How long the pages of a store in another life are waited for.
    doubt_until: Duration,
    /// What it has to say to what it heard.
    due: VecDeque<ClientFrame>,
    passed: Passed,
    broken: Vec<Broken>,
}

impl Client {
    /// A client, not yet connected.
    #[must_use]
    pub fn new(world: World, server: Server, access: Access) -> Self {
        Self {
            world,
            http: Http::new(server),
            access,
            transport: Transport::default(),
            purpose: Purpose::Full,
            page: None,
            token: None,
            connection: None,
            connection_id: None,
            epoch: 0,
            logs: BTreeMap::new(),
            follows: BTreeSet::new(),
            watches: Vec::new(),
            outbox: Outbox::default(),
            retry_at: None,
            held: BTreeSet::new(),
            doubt_until: Duration::ZERO,
            due: VecDeque::new(),
            passed: Passed::default(),
            broken: Vec::new(),
        }
    }

    /// Sets how it connects.
    #[must_use]
    pub fn over(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Sets what its connections are for.
    #[must_use]
    pub fn with_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Sets the page in sight.
    #[must_use]
    pub fn on_page(mut self, url: &str, title: &str) -> Self {
        self.page = Some(Page {
            url: url.to_owned(),
            title: title.to_owned(),
            referrer: None,
        });
        self
    }

    /// Sets the token of its next connection, where one was asked for already: many connections may be
    /// opened with it while it is good.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Who it is.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Who it is, to be changed; takes effect with the next connection.
    pub fn access_mut(&mut self) -> &mut Access {
        &mut self.access
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &world::Clock {
        &self.world.clock
    }

    /// Its connection for requests.
    pub fn http(&mut self) -> &mut Http {
        &mut self.http
    }

    /// Both, for requests with its credentials.
    pub fn http_and_access(&mut self) -> (&mut Http, &Access) {
        (&mut self.http, &self.access)
    }

    /// Where it is sent to from now on: a server that came back at another address.
    pub fn move_to(&mut self, server: Server) {
        self.http = Http::new(server);
    }

    /// Whether a connection is open.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// The present connection's id.
    #[must_use]
    pub fn connection_id(&self) -> Option<ConnectionId> {
        self.connection_id
    }

    /// The epoch of the store, as last heard.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What it knows of a conversation.
    #[must_use]
    pub fn log(&self, conversation_id: ConversationId) -> Option<&Log> {
        self.logs.get(&conversation_id)
    }

    /// All that it knows.
    #[must_use]
    pub fn logs(&self) -> &BTreeMap<ConversationId, Log> {
        &self.logs
    }

    /// Forgets all but the last lines of a conversation.
    pub fn keep_last(&mut self, conversation_id: ConversationId, count: usize) {
        if let Some(log) = self.logs.get_mut(&conversation_id) {
            log.keep_last(count);
        }
    }

    /// What it sent.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The promises that the server broke towards it; empty if all is well.
    #[must_use]
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// Connects and goes on where it was: resumes what it followed, watches what it watched, sends
    /// again what has no outcome yet.
    ///
    /// # Errors
    /// The network's failure, or the server's refusal.
    pub async fn connect(&mut self) -> Result<Welcome, Error> {
        self.connection = None;
        self.connection_id = None;
        let token = match self.token.take() {
            Some(token) => token,
            None => self.access.token(&mut self.http).await?,
        };
        let hello = Hello {
            token,
            purpose: self.purpose,
            page: self.page.clone(),
            resume: self.resumes(),
        };
        let server = self.http.server().clone();
        let origin = self.access.origin();
        let mut connection = match self.transport {
            Transport::Socket => {
                let mut connection = Connection::socket(&server, origin).await?;
                connection.send(&ClientFrame::Hello(hello)).await?;
                connection
            }
            Transport::Stream => {
                let request = StreamRequest {
                    hello,
                    watch: self.watches.clone(),
                    wait_ms: None,
                };
                Connection::stream(&server, origin, self.access.side(), &request).await?
            }
        };
        let welcome = self.welcome(&mut connection).await?;
        if self.transport == Transport::Socket {
            for watch in &self.watches {
                connection.send(&ClientFrame::Watch(watch.clone())).await?;
            }
        }
        self.retry_at = None;
        self.held.clear();
        // What gaps there are the connection resumes.
        self.due.clear();
        let waits = self.outbox.is_in_doubt();
        if waits {
            self.retry_at = Some(self.doubt_until);
        }
        for (count, item) in self.outbox.pending().into_iter().enumerate() {
            if count >= UNDER_WAY_MAX && !waits {
                self.retry_at = Some(self.world.clock.elapsed());
            }
            if count >= UNDER_WAY_MAX || waits || connection.is_put_off() {
                self.hold(&item.client_id);
                continue;
            }
            let frame = ClientFrame::Command {
                client_id: item.client_id,
                command: item.command,
            };
            connection.send(&frame).await?;
        }
        self.connection = Some(connection);
        Ok(welcome)
    }

    /// The next frame, after the client did its part: logs are kept, beats answered, gaps asked for.
    /// Cancel-safe.
    ///
    /// # Errors
    /// How the connection ended; [`Client::connect`] goes on from there.
    pub async fn next(&mut self) -> Result<News, Error> {
        let news = loop {
            let clock = self.world.clock.clone();
            self.say_what_is_due().await?;
            let side = self.access.side();
            let limit = self.patience();
            let connection = self.connection.as_mut().ok_or_else(not_connected)?;
            match clock.timeout(limit, connection.receive(side)).await {
                Some(Ok(news)) => break news,
                Some(Err(error)) => {
                    self.connection = None;
                    return Err(error);
                }
                None if self.next_retry().is_none() => {
                    self.connection = None;
                    return Err(Error::Silent);
                }
                None => {}
            }
        };
        // Without waiting for anything: whoever gives this up has lost no frame.
        self.take(&news);
        Ok(news)
    }

    /// Says what is due. Cancel-safe: what was not said whole stays due.
    async fn say_what_is_due(&mut self) -> Result<(), Error> {
        let mut said = Ok(());
        while let (Ok(()), Some(frame)) = (&said, self.due.front().cloned()) {
            said = self.signal(&frame).await;
            if said.is_ok() {
                self.due.pop_front();
            }
        }
        if said.is_ok() && self.is_retry_due() {
            said = self.retry().await;
        }
        if said.is_err() {
            // Tried on the same broken line, it would fail for ever.
            self.connection = None;
        }
        said
    }

    /// Sends a command under a new id. It stays in the outbox until its outcome is known, whatever
    /// becomes of the connection.
    pub async fn send(&mut self, command: Command) -> ClientId {
        let client_id = self.new_client_id();
        self.passed.clear();
        self.send_as(client_id.clone(), command).await;
        client_id
    }

    /// Sends a command under an id of the caller's.
    pub async fn send_as(&mut self, client_id: ClientId, command: Command) {
        let now_ms = self.world.clock.now_ms();
        self.outbox.forget(now_ms);
        self.outbox.add(client_id.clone(), command.clone(), now_ms);
        if self.is_holding() {
            self.hold(&client_id);
            return;
        }
        let frame = ClientFrame::Command { client_id, command };
        // A broken connection shows at the next read; the command waits in the outbox.
        let _ = self.signal(&frame).await;
    }

    /// Sends any frame.
    ///
    /// # Errors
    /// The connection broke, or there is none.
    pub async fn signal(&mut self, frame: &ClientFrame) -> Result<(), Error> {
        let connection = self.connection.as_mut().ok_or_else(not_connected)?;
        let sent = self.world.clock.timeout(SEND_MAX, connection.send(frame));
        let sent = sent.await.unwrap_or(Err(Error::Silent));
        // A broken socket shows at the next read too. A stream may live on without what was posted
        // beside it, and would wait for an answer for ever.
        let is_over = matches!(sent, Err(Error::Silent)) || self.transport == Transport::Stream;
        if is_over && sent.as_ref().is_err_and(Error::is_passing) {
            self.connection = None;
        }
        sent
    }

    /// Sends any text as a frame.
    ///
    /// # Errors
    /// The connection broke, or there is none.
    pub async fn signal_text(&mut self, text: &str) -> Result<(), Error> {
        let connection = self.connection.as_mut().ok_or_else(not_connected)?;
        connection.send_text(text.to_owned()).await
    }

    /// Sends a command and waits for its outcome over as many connections as it takes.
    ///
    /// # Errors
    /// `Refused` where the command was rejected.
    pub async fn settle(&mut self, command: Command) -> Result<Ack, Error> {
        let client_id = self.send(command).await;
        self.outcome(&client_id).await
    }

    /// Waits for the outcome of a command that was sent.
    ///
    /// # Errors
    /// `Refused` where the command was rejected.
    pub async fn outcome(&mut self, client_id: &ClientId) -> Result<Ack, Error> {
        let known = |client: &Self| client.outbox.outcome(client_id).cloned();
        match self.until("the outcome of a command", known).await? {
            Outcome::Accepted(ack) => Ok(ack),
            Outcome::Rejected(problem) => Err(Error::Refused(Box::new(problem))),
        }
    }

    /// Reads on until `found` finds something, and reconnects as often as it takes.
    ///
    /// # Errors
    /// `TimedOut` when it takes too long; what must not be tried again.
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T, Error> {
        let clock = self.world.clock.clone();
        let search = async {
            loop {
                if let Some(found) = found(self) {
                    return Ok(found);
                }
                let heard = self.step().await?;
                self.passed.keep(heard);
            }
        };
        let found = clock.timeout(PATIENCE, search).await;
        found.unwrap_or_else(|| Err(Error::TimedOut(what.to_owned())))
    }

    /// Reads on until `found` finds something in a frame, beginning with what lists told while something else was
    /// waited for since it last asked for anything.
    ///
    /// # Errors
    /// `TimedOut` when it takes too long; what must not be tried again.
    pub async fn hears<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&News) -> Option<T>,
    ) -> Result<T, Error> {
        if let Some(found) = self.passed.find(&mut found) {
            return Ok(found);
        }
        let clock = self.world.clock.clone();
        let search = async {
            loop {
                if let Some(news) = self.step().await?
                    && let Some(found) = found(&news)
                {
                    return Ok(found);
                }
            }
        };
        let found = clock.timeout(PATIENCE, search).await;
        found.unwrap_or_else(|| Err(Error::TimedOut(what.to_owned())))
    }

    /// One frame, or one try to reconnect.
    ///
    /// # Errors
    /// What must not be tried again.
    pub async fn step(&mut self) -> Result<Option<News>, Error> {
        let step = if self.is_connected() {
            self.next().await.map(Some)
        } else {
            let clock = self.world.clock.clone();
            let connected = clock.timeout(CONNECT_MAX, Box::pin(self.connect())).await;
            connected.unwrap_or(Err(Error::Silent)).map(|_| None)
        };
        match step {
            Err(error) if error.is_passing() => {
                let jitter_ms = 20 + self.world.ids.below(80);
                let pause = Duration::from_millis(jitter_ms);
                self.world.clock.sleep(pause).await;
                Ok(None)
            }
            step => step,
        }
    }

    /// Follows a conversation, now and after every reconnect.
    ///
    /// # Errors
    /// `Refused`, or that it took too long.
    pub async fn follow(&mut self, conversation_id: ConversationId) -> Result<(), Error> {
        self.follows.insert(conversation_id);
        let position = self.log(conversation_id).and_then(Log::position);
        let follow = Follow {
            conversation_id,
            position,
        };
        self.signal(&ClientFrame::Follow(follow)).await?;
        let is_there = |news: &News| match news {
            News::Visitor(VisitorNews::Entries(batch)) => {
                (batch.conversation_id == conversation_id).then_some(Ok(()))
            }
            News::Agent(AgentNews::Entries(batch)) => {
                (batch.conversation_id == conversation_id).then_some(Ok(()))
            }
            News::Visitor(VisitorNews::Error { problem })
            | News::Agent(AgentNews::Error { problem }) => {
                Some(Err(Error::Refused(Box::new(problem.clone()))))
            }
            News::Visitor(_) | News::Agent(_) => None,
        };
        self.hears("the entries of a conversation", is_there)
            .await?
    }

    /// Adds a conversation to those that the next connection follows.
    pub fn follows(&mut self, conversation_id: ConversationId) {
        self.follows.insert(conversation_id);
    }

    /// Watches a list, now and after every reconnect.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn watch(&mut self, watch: Watch) -> Result<(), Error> {
        let view = std::mem::discriminant(&watch);
        self.watches
            .retain(|known| std::mem::discriminant(known) != view);
        self.watches.push(watch.clone());
        self.passed.clear();
        self.signal(&ClientFrame::Watch(watch)).await
    }

    /// Hangs up in an orderly way.
    pub async fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    /// Loses the connection without a word, as a cut cable does.
    pub fn cut(&mut self) {
        self.connection = None;
    }

    /// A random number below `end`: for pauses before tries.
    #[must_use]
    pub fn below(&self, end: u64) -> u64 {
        self.world.ids.below(end)
    }

    /// A new name for a command.
    #[must_use]
    pub fn new_client_id(&self) -> ClientId {
        let bytes = self.world.ids.bytes::<16>();
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        ClientId::parse(&text).expect("hexadecimal digits are allowed")
    }
}

fn not_connected() -> Error {
    Error::Closed {
        code: 1006,
        reason: "not connected".to_owned(),
    }
}
