//! Somebody in a simulation: the load test's client, told what to do, on whichever node takes it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use loadtest::Error;
use loadtest::client::outbox::Outcome;
use loadtest::client::{Access, AgentAccess, Client, News, Server, Transport, VisitorAccess};
use loadtest::scenario::cast;
use protocol::command::Command;
use protocol::frame::{ClientFrame, Watch};
use protocol::id::{ConversationId, EntryId, SiteId, VisitorId};
use protocol::news::{AgentNews, VisitorNews};
use protocol::rejection::ErrorCode;
use protocol::text::{Body, ClientId};
use protocol::view::{InboxFilter, VisitorList};
use protocol::visitor::LiveVisitor;
use world::net::simulated::Network;
use world::{Ids, World};

use crate::erasure::{self, Erasures};
use crate::node;
use crate::rights::{self, End, Rights};
use crate::screen::Screen;
use crate::trace::Trace;

/// The page that visitors are on.
const ORIGIN: &str = "http://localhost:5173";

/// Commands that a repetition sends once more.
const REPEATED: usize = 3;

/// What looks at somebody's client and screen, and at the clients of those he was before he was erased.
pub(crate) type Look = Box<dyn FnOnce(&Client, &Screen, &[Client])>;

/// Where a visitor's tabs find who he is.
pub(crate) type Place = Rc<RefCell<Option<VisitorAccess>>>;

/// What a person is told.
pub(crate) enum Told {
    /// Say something.
    Say,
    /// Write a note.
    Note,
    /// Say something else instead of what was said last.
    Edit,
    /// Take back what was said last.
    Delete,
    /// End a conversation.
    Close,
    /// Write something, without sending it.
    Type,
    /// Read what is shown.
    Read,
    /// Erase the customer of a conversation.
    Erase,
    /// Sign out, or end the rights of this agent.
    End(End, Box<AgentAccess>),
    /// Send the last commands once more.
    Repeat,
    /// Lose the line.
    Cut,
    /// Hang up, and come back after so long.
    Leave(Duration),
    /// Read nothing for so long.
    Rest(Duration),
    /// Show what is known.
    Look(Look),
}

/// Who somebody is.
pub(crate) enum Role {
    /// Who he is lies there for his other tabs.
    Visitor(SiteId, Option<Place>),
    /// Another tab of a visitor.
    Tab(Place),
    Agent(Box<AgentAccess>),
}

/// Somebody.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) world: World,
    pub(crate) network: Network,
    pub(crate) node_count: usize,
    /// His choices.
    pub(crate) dice: Ids,
    pub(crate) trace: Rc<RefCell<Trace>>,
    pub(crate) told: flume::Receiver<Told>,
    pub(crate) transport: Transport,
    /// Whether an agent has the list of visitors open.
    pub(crate) is_list_open: bool,
    pub(crate) screen: Screen,
    pub(crate) erasures: Erasures,
    pub(crate) rights: Rights,
    /// Where other tabs look for who this is, or one looks oneself.
    pub(crate) place: Option<Place>,
    /// The clients of those he was.
    pub(crate) former: Vec<Client>,
}

#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
enum Turn {
    Told(Told),
    Stepped(Result<Option<News>, Error>),
}

impl Person {
    /// Lives until the end of the simulation.
    pub(crate) async fn live(mut self, role: Role) {
        let access = match role {
            Role::Agent(access) => Access::Agent(*access),
            Role::Visitor(site_id, place) => {
                self.place = place;
                let access = self.arrive(site_id).await;
                self.put(&access);
                Access::Visitor(access)
            }
            Role::Tab(place) => {
                let access = self.join(&place).await;
                self.place = Some(place);
                Access::Visitor(access)
            }
        };
        let client = Client::new(self.world.clone(), self.somewhere(), access);
        let mut client = client.over(self.transport);
        if matches!(client.access(), Access::Agent(_)) {
            // They are sent with the first connection.
            let all = InboxFilter::All.into();
            let _ = client.watch(Watch::Inbox(all)).await;
            if self.is_list_open {
                let list = VisitorList::default();
                let _ = client.watch(Watch::Visitors(list)).await;
            }
        }
        loop {
            if !client.is_connected() {
                self.screen.connects(self.world.clock.elapsed());
                client.move_to(self.somewhere());
            }
            let turn = tokio::select! {
                biased;
                told = self.told.recv_async() => match told {
                    Ok(told) => Turn::Told(told),
                    Err(_) => return,
                },
                stepped = client.step() => Turn::Stepped(stepped),
            };
            match turn {
                Turn::Told(told) => self.obey(&mut client, told).await,
                Turn::Stepped(Ok(None)) => {}
                Turn::Stepped(Ok(Some(news))) => self.hear(&mut client, &news).await,
                Turn::Stepped(Err(error))
                    if self.rights.are_over(client.access()) && rights::are_denied(&error) =>
                {
                    self.note("is sent away");
                    client.cut();
                    return self.look_on(&client).await;
                }
                Turn::Stepped(Err(error)) if error.code() == Some(ErrorCode::Unauthenticated) => {
                    let Access::Visitor(access) = client.access().clone() else {
                        self.trace.borrow_mut().fail(&self.name, &error.to_string());
                        return;
                    };
                    // He was erased, or so it must prove in the end: he is somebody else from here on.
                    let access = self.begin_anew(access).await;
                    self.screen.clear();
                    let next = Client::new(self.world.clone(), self.somewhere(), access);
                    let former = std::mem::replace(&mut client, next.over(self.transport));
                    self.former.push(former);
                }
                Turn::Stepped(Err(error)) => {
                    self.trace.borrow_mut().fail(&self.name, &error.to_string());
                    return;
                }
            }
        }
    }

    /// Does nothing more, and shows what is known.
    async fn look_on(&self, client: &Client) {
        while let Ok(told) = self.told.recv_async().await {
            if let Told::Look(look) = told {
                look(client, &self.screen, &self.former);
            }
        }
    }

    async fn arrive(&self, site_id: SiteId) -> VisitorAccess {
        loop {
            let mut http = loadtest::client::http::Http::new(self.somewhere());
            let begun = VisitorAccess::begin(&mut http, site_id, ORIGIN, None);
            let patience = Duration::from_secs(10);
            if let Some(Ok(access)) = self.world.clock.timeout(patience, begun).await {
                return access;
            }
            self.world.clock.sleep(Duration::from_millis(100)).await;
        }
    }

    /// The browser has a session already, or will have.
    async fn join(&self, place: &Place) -> VisitorAccess {
        loop {
            if let Some(access) = place.borrow().clone() {
                return access;
            }
            self.world.clock.sleep(Duration::from_millis(100)).await;
        }
    }

    /// Begins as somebody else: as whom another tab began already, or by what the old session is answered.
    async fn begin_anew(&self, mut access: VisitorAccess) -> Access {
        let erased_id = access.visitor_id();
        self.note(&format!("is {erased_id} no longer"));
        loop {
            let place = self.place.as_ref().and_then(|place| place.borrow().clone());
            if let Some(other) = place.filter(|other| other.visitor_id() != erased_id) {
                return Access::Visitor(other);
            }
            let mut http = loadtest::client::http::Http::new(self.somewhere());
            let patience = Duration::from_secs(10);
            let renewed = self.world.clock.timeout(patience, access.renew(&mut http));
            if let Some(Ok(())) = renewed.await
                && access.visitor_id() != erased_id
            {
                self.put(&access);
                return Access::Visitor(access);
            }
            self.world.clock.sleep(Duration::from_millis(100)).await;
        }
    }

    /// Lets other tabs know who this is.
    fn put(&self, access: &VisitorAccess) {
        if let Some(place) = &self.place {
            *place.borrow_mut() = Some(access.clone());
        }
    }

    fn somewhere(&self) -> Server {
        somewhere(&self.network, &self.dice, self.node_count)
    }

    async fn obey(&self, client: &mut Client, told: Told) {
        let command = match told {
            Told::Say => self.message(client),
            Told::Note => self.conversation(client).map(|conversation_id| {
                let draft = cast::draft(&self.words());
                Command::AddNote {
                    conversation_id,
                    draft,
                    mentions: vec![],
                }
            }),
            Told::Edit => self.own_last(client).map(|(conversation_id, entry_id)| {
                let body = self.words();
                Command::EditMessage {
                    conversation_id,
                    entry_id,
                    body,
                }
            }),
            Told::Delete => {
                self.own_last(client)
                    .map(|(conversation_id, entry_id)| Command::DeleteMessage {
                        conversation_id,
                        entry_id,
                    })
            }
            Told::Close => {
                let conversation_id = self.conversation(client);
                conversation_id.map(|conversation_id| Command::Close { conversation_id })
            }
            Told::Repeat => return self.repeat(client).await,
            Told::Cut => return client.cut(),
            Told::Leave(duration) => {
                client.cut();
                return self.world.clock.sleep(duration).await;
            }
            Told::Rest(duration) => return self.world.clock.sleep(duration).await,
            Told::Erase => return self.erase(client),
            Told::End(end, agent) => return self.end(client, end, agent),
            Told::Type => return self.types(client).await,
            Told::Read => return self.read(client).await,
            Told::Look(look) => return look(client, &self.screen, &self.former),
        };
        if let Some(command) = command {
            let kind = command.kind();
            let client_id = client.send(command).await;
            self.note(&format!("asks for {kind} as {}", client_id.as_str()));
        }
    }

    /// What a visitor says goes where he is; an agent speaks where he knows somebody.
    fn message(&self, client: &Client) -> Option<Command> {
        let conversation_id = match client.access() {
            Access::Visitor(_) => None,
            Access::Agent(_) => Some(self.conversation(client)?),
        };
        Some(cast::say(conversation_id, &self.words()))
    }

    fn conversation(&self, client: &Client) -> Option<ConversationId> {
        let known: Vec<_> = client.logs().keys().copied().collect();
        let count = u64::try_from(known.len()).expect("few conversations");
        let place = usize::try_from(self.dice.below(count)).expect("few conversations");
        known.get(place).copied()
    }

    /// What was said last, of what was stored.
    fn own_last(&self, client: &Client) -> Option<(ConversationId, EntryId)> {
        let items: Vec<_> = client.outbox().items().collect();
        items.iter().rev().find_map(|item| {
            let is_message = matches!(item.command, Command::SendMessage { .. });
            match &item.outcome {
                Some(Outcome::Accepted(ack)) if is_message => {
                    Some((ack.conversation_id?, ack.entry_id?))
                }
                Some(Outcome::Accepted(_) | Outcome::Rejected(_)) | None => None,
            }
        })
    }

    async fn repeat(&self, client: &mut Client) {
        let items: Vec<(ClientId, Command)> = client
            .outbox()
            .items()
            .map(|item| (item.client_id.clone(), item.command.clone()))
            .collect();
        // Those without an outcome must not overtake each other; a client repeats in its order.
        let first = items.len().saturating_sub(REPEATED);
        for (client_id, command) in items.into_iter().skip(first) {
            let frame = ClientFrame::Command { client_id, command };
            if client.signal(&frame).await.is_err() {
                return;
            }
        }
    }

    /// Others go on meanwhile, and so does whoever erases.
    fn erase(&self, client: &Client) {
        let known = self.conversation(client);
        let contact_id = known.and_then(|id| self.erasures.contact_of(id));
        let (Access::Agent(owner), Some(contact_id)) = (client.access().clone(), contact_id) else {
            return;
        };
        if !self.erasures.begin(contact_id) {
            return;
        }
        self.note(&format!("erases {contact_id}"));
        let (world, network) = (self.world.clone(), self.network.clone());
        let (name, trace) = (self.name.clone(), Rc::clone(&self.trace));
        let (erasures, node_count) = (self.erasures.clone(), self.node_count);
        self.world.tracker.spawn_local(async move {
            let somewhere = || somewhere(&network, &world.ids, node_count);
            let erased = erasure::erase(&world, somewhere, &owner, contact_id, &erasures);
            let at = || world.clock.elapsed();
            match erased.await {
                Ok(()) => trace
                    .borrow_mut()
                    .note(at(), &name, &format!("erased {contact_id}")),
                Err(error) => trace.borrow_mut().fail(&name, &format!("erasing: {error}")),
            }
        });
    }

    /// Rights end; others go on meanwhile, and so does whoever ends them.
    fn end(&self, client: &Client, end: End, agent: Box<AgentAccess>) {
        let Access::Agent(owner) = client.access().clone() else {
            return;
        };
        if !self.rights.begin(agent.agent_id) {
            return;
        }
        self.note(&format!("ends the rights of {}", agent.agent_id));
        let (world, network) = (self.world.clone(), self.network.clone());
        let (name, trace) = (self.name.clone(), Rc::clone(&self.trace));
        let (rights, node_count) = (self.rights.clone(), self.node_count);
        self.world.tracker.spawn_local(async move {
            let somewhere = || somewhere(&network, &world.ids, node_count);
            let ended = rights::end(&world, somewhere, (&owner, &agent), end, &rights).await;
            let at = world.clock.elapsed();
            match ended {
                Ok(()) => trace.borrow_mut().note(
                    at,
                    &name,
                    &format!("ended the rights of {}", agent.agent_id),
                ),
                Err(error) => trace.borrow_mut().fail(&name, &format!("ending: {error}")),
            }
        });
    }

    /// Typing ends by itself, by what is said, or at once.
    async fn types(&self, client: &mut Client) {
        if let Some(conversation_id) = self.conversation(client) {
            let is_visitor = matches!(client.access(), Access::Visitor(_));
            let frame = ClientFrame::Typing {
                conversation_id: Some(conversation_id),
                text: is_visitor.then(|| self.words().as_str().to_owned()),
                active: self.dice.below(4) > 0,
            };
            // Where the line is broken, nobody is told.
            let _ = client.signal(&frame).await;
        }
    }

    async fn read(&self, client: &mut Client) {
        let known = self.conversation(client);
        let known = known.and_then(|id| Some((id, client.log(id)?.number())));
        if let Some((conversation_id, number)) = known.filter(|(_, number)| *number > 0) {
            let frame = ClientFrame::Read {
                conversation_id,
                // Now and then an older one, as of another tab that comes late.
                number: number - self.dice.below(2).min(number - 1),
            };
            // Where the line is broken, nobody is told.
            let _ = client.signal(&frame).await;
        }
    }

    async fn hear(&mut self, client: &mut Client, news: &News) {
        self.note(&line(news));
        self.screen.take(client.connection_id(), news);
        let rows = match news {
            News::Agent(AgentNews::Inbox { rows, .. } | AgentNews::InboxChanges { rows, .. }) => {
                rows
            }
            News::Agent(_) | News::Visitor(_) => return,
        };
        for row in rows {
            let id = row.id;
            if client.log(id).is_none() {
                client.follows(id);
                let follow = protocol::frame::Follow {
                    conversation_id: id,
                    position: None,
                };
                match self.transport {
                    // The next connection follows it too.
                    Transport::Socket => {
                        let _ = client.signal(&ClientFrame::Follow(follow)).await;
                    }
                    // What a stream follows stands in its request.
                    Transport::Stream => client.cut(),
                }
            }
        }
    }

    fn words(&self) -> Body {
        let (number, at) = (self.dice.below(u64::MAX), self.world.clock.elapsed());
        cast::body(&rights::words(&self.name, number, at))
    }

    fn note(&self, what: &str) {
        let at = self.world.clock.elapsed();
        self.trace.borrow_mut().note(at, &self.name, what);
    }
}

/// One of the nodes.
fn somewhere(network: &Network, dice: &Ids, node_count: usize) -> Server {
    let count = u64::try_from(node_count).expect("few nodes");
    let number = usize::try_from(dice.below(count)).expect("few nodes");
    Server::simulated(network, node::address(number))
}

/// What was heard, in short.
fn line(news: &News) -> String {
    match news {
        News::Visitor(VisitorNews::Entry { entry }) => {
            format!("is shown {} number {}", entry.conversation_id, entry.number)
        }
        News::Visitor(VisitorNews::Entries(batch)) => format!(
            "is given {} {:?}, {} entries",
            batch.conversation_id,
            batch.continuity,
            batch.entries.len()
        ),
        News::Visitor(VisitorNews::Ack(ack)) => {
            format!(
                "has {} acknowledged as {:?}",
                ack.client_id.as_str(),
                ack.number
            )
        }
        News::Visitor(VisitorNews::Rejected(it)) => {
            format!(
                "has {} refused: {:?}",
                it.client_id.as_str(),
                it.problem.code
            )
        }
        News::Agent(AgentNews::Entry { entry }) => {
            format!("is shown {} number {}", entry.conversation_id, entry.seq)
        }
        News::Agent(AgentNews::Entries(batch)) => format!(
            "is given {} {:?}, {} entries",
            batch.conversation_id,
            batch.continuity,
            batch.entries.len()
        ),
        News::Agent(AgentNews::Ack(ack)) => {
            format!(
                "has {} acknowledged as {:?}",
                ack.client_id.as_str(),
                ack.number
            )
        }
        News::Agent(AgentNews::Rejected(it)) => {
            format!(
                "has {} refused: {:?}",
                it.client_id.as_str(),
                it.problem.code
            )
        }
        News::Agent(AgentNews::Visitors { rows, .. }) => {
            format!("is listed {} visitors: {}", rows.len(), ids(rows))
        }
        News::Agent(AgentNews::VisitorChanges { rows, gone, .. }) => {
            let (gone, here) = (join(gone.iter()), ids(rows));
            format!("is told that [{here}] are here, [{gone}] are gone")
        }
        News::Visitor(other) => short(&format!("{other:?}")),
        News::Agent(other) => short(&format!("{other:?}")),
    }
}

fn ids(rows: &[LiveVisitor]) -> String {
    join(rows.iter().map(|row| &row.id))
}

fn join<'a>(ids: impl Iterator<Item = &'a VisitorId>) -> String {
    let ids: Vec<_> = ids.map(ToString::to_string).collect();
    ids.join(", ")
}

fn short(text: &str) -> String {
    let word = text.split([' ', '(', '{']).next().unwrap_or_default();
    format!("hears {word}")
}
