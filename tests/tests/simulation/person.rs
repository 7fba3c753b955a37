//! Somebody in a simulation: the load test's client, told what to do, on whichever node takes it.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use loadtest::Error;
use loadtest::client::outbox::Outcome;
use loadtest::client::{Access, AgentAccess, Client, News, Server, Transport, VisitorAccess};
use protocol::command::Command;
use protocol::frame::{ClientFrame, Watch};
use protocol::id::{ConversationId, EntryId, SiteId};
use protocol::news::{AgentNews, VisitorNews};
use protocol::text::{Body, ClientId};
use protocol::view::{InboxFilter, VisitorFilter};
use world::net::simulated::Network;
use world::{Ids, World};

use crate::node;
use crate::screen::Screen;
use crate::trace::Trace;

/// The page that visitors are on.
const ORIGIN: &str = "http://localhost:5173";

/// Commands that a repetition sends once more.
const REPEATED: usize = 3;

/// What looks at somebody's client and screen.
pub(crate) type Look = Box<dyn FnOnce(&Client, &Screen)>;

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
    Visitor(SiteId, Option<Rc<OnceCell<VisitorAccess>>>),
    /// Another tab of a visitor.
    Tab(Rc<OnceCell<VisitorAccess>>),
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
    pub(crate) screen: Screen,
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
                let access = self.arrive(site_id).await;
                if let Some(place) = place {
                    // There is one visitor who has other tabs.
                    let _ = place.set(access.clone());
                }
                Access::Visitor(access)
            }
            Role::Tab(place) => Access::Visitor(self.join(&place).await),
        };
        let client = Client::new(self.world.clone(), self.somewhere(), access);
        let mut client = client.over(self.transport);
        if matches!(client.access(), Access::Agent(_)) {
            // They are sent with the first connection.
            let all = InboxFilter::All.into();
            let _ = client.watch(Watch::Inbox(all)).await;
            let filter = VisitorFilter::default();
            let _ = client.watch(Watch::Visitors { filter }).await;
        }
        loop {
            if !client.is_connected() {
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
                Turn::Stepped(Err(error)) => {
                    self.trace.borrow_mut().fail(&self.name, &error.to_string());
                    return;
                }
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
    async fn join(&self, place: &OnceCell<VisitorAccess>) -> VisitorAccess {
        loop {
            if let Some(access) = place.get() {
                return access.clone();
            }
            self.world.clock.sleep(Duration::from_millis(100)).await;
        }
    }

    fn somewhere(&self) -> Server {
        let count = u64::try_from(self.node_count).expect("few nodes");
        let number = usize::try_from(self.dice.below(count)).expect("few nodes");
        Server::simulated(&self.network, node::address(number))
    }

    async fn obey(&self, client: &mut Client, told: Told) {
        let command = match told {
            Told::Say => self.message(client),
            Told::Note => self.conversation(client).map(|conversation_id| {
                let draft = tests::person::draft(&self.words());
                Command::AddNote {
                    conversation_id,
                    draft,
                    mentions: vec![],
                }
            }),
            Told::Edit => self.own_last(client).map(|(conversation_id, entry_id)| {
                let body = Body::parse(&self.words()).expect("a text that may be sent");
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
            Told::Type => return self.types(client).await,
            Told::Read => return self.read(client).await,
            Told::Look(look) => return look(client, &self.screen),
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
        Some(tests::person::message(conversation_id, &self.words()))
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

    /// Typing ends by itself, by what is said, or at once.
    async fn types(&self, client: &mut Client) {
        if let Some(conversation_id) = self.conversation(client) {
            let is_visitor = matches!(client.access(), Access::Visitor(_));
            let frame = ClientFrame::Typing {
                conversation_id: Some(conversation_id),
                text: is_visitor.then(|| self.words()),
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

    fn words(&self) -> String {
        format!("{} says {:x}", self.name, self.dice.below(u64::MAX))
    }

    fn note(&self, what: &str) {
        let at = self.world.clock.elapsed();
        self.trace.borrow_mut().note(at, &self.name, what);
    }
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
        News::Visitor(other) => short(&format!("{other:?}")),
        News::Agent(other) => short(&format!("{other:?}")),
    }
}

fn short(text: &str) -> String {
    let word = text.split([' ', '(', '{']).next().unwrap_or_default();
    format!("hears {word}")
}
