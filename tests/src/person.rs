//! The people of a story: a visitor and an agent, with the verbs of their roles.

use loadtest::Error;
use loadtest::client::{Access, AgentAccess, Client, Said, Speaker, VisitorAccess};
use loadtest::scenario::cast;
use protocol::command::{Ack, Command, Draft};
use protocol::frame::ClientFrame;
use protocol::id::{ConversationId, VisitorId};

/// A visitor's browser.
pub struct Visitor {
    /// The client that the story drives.
    pub client: Client,
    /// The conversation, once something was said.
    pub conversation: Option<ConversationId>,
}

/// A member of the team.
pub struct Agent {
    /// The client that the story drives.
    pub client: Client,
}

/// A plain text as a draft.
///
/// # Panics
/// For a text that no client may send.
#[must_use]
pub fn draft(text: &str) -> Draft {
    cast::draft(&cast::body(text))
}

/// The command that says something.
#[must_use]
pub fn message(conversation_id: Option<ConversationId>, text: &str) -> Command {
    cast::say(conversation_id, &cast::body(text))
}

/// Whether a client holds a message with these words, as they read today.
#[must_use]
pub fn holds(client: &Client, id: ConversationId, text: &str) -> bool {
    let log = client.log(id);
    log.is_some_and(|log| log.messages().iter().any(|(_, body)| body == text))
}

/// The messages that a client holds, as they read today.
#[must_use]
pub fn messages(client: &Client, id: ConversationId) -> Vec<String> {
    let log = client.log(id);
    let messages = log.map(loadtest::client::Log::messages).unwrap_or_default();
    messages.into_iter().map(|(_, body)| body).collect()
}

impl Visitor {
    /// Connects, or comes back.
    ///
    /// # Panics
    /// Where the server does not let him in.
    pub async fn connects(&mut self) {
        self.client.connect().await.expect("the visitor gets in");
    }

    /// Says something and waits until it is stored.
    ///
    /// # Panics
    /// Where it is refused.
    pub async fn says(&mut self, text: &str) -> Ack {
        let ack = self
            .tries(message(None, text))
            .await
            .expect("it is accepted");
        self.conversation = ack.conversation_id;
        ack
    }

    /// Asks for something and waits for the outcome.
    ///
    /// # Errors
    /// The refusal.
    pub async fn tries(&mut self, command: Command) -> Result<Ack, Error> {
        self.client.settle(command).await
    }

    /// Waits until a message is on the screen.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn sees(&mut self, text: &str) {
        let found = |client: &Client| {
            let mut logs = client.logs().keys();
            logs.find(|id| holds(client, **id, text)).copied()
        };
        let seen = self.client.until(&format!("{text:?}"), found).await;
        self.conversation = Some(seen.expect("the visitor sees it"));
    }

    /// Waits until he holds everything up to a number.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn has(&mut self, number: u64) {
        let id = self.conversation.expect("a conversation goes on");
        let there = |client: &Client| {
            let log = client.log(id)?;
            (log.number() >= number).then_some(())
        };
        let seen = self.client.until(&format!("number {number}"), there).await;
        seen.expect("the visitor catches up");
    }

    /// His conversation.
    ///
    /// # Panics
    /// Before anything was said.
    #[must_use]
    pub fn conversation(&self) -> ConversationId {
        self.conversation.expect("a conversation goes on")
    }

    /// Who he is.
    ///
    /// # Panics
    /// Never: a visitor has a visitor's access.
    #[must_use]
    pub fn id(&self) -> VisitorId {
        self.access().visitor_id()
    }

    /// His access.
    ///
    /// # Panics
    /// Never: a visitor has a visitor's access.
    #[must_use]
    pub fn access(&self) -> &VisitorAccess {
        match self.client.access() {
            Access::Visitor(access) => access,
            Access::Agent(_) => panic!("a visitor has a visitor's access"),
        }
    }

    /// The words he has read so far on the screen.
    #[must_use]
    pub fn screen(&self) -> Vec<String> {
        messages(&self.client, self.conversation())
    }
}

impl Agent {
    /// Connects, or comes back.
    ///
    /// # Panics
    /// Where the server does not let the agent in.
    pub async fn connects(&mut self) {
        self.client.connect().await.expect("the agent gets in");
    }

    /// Opens a conversation.
    ///
    /// # Panics
    /// Where the server refuses.
    pub async fn opens(&mut self, id: ConversationId) {
        self.client
            .follow(id)
            .await
            .expect("the conversation opens");
    }

    /// Says something and waits until it is stored.
    ///
    /// # Panics
    /// Where it is refused.
    pub async fn says(&mut self, id: ConversationId, text: &str) -> Ack {
        self.does(message(Some(id), text)).await
    }

    /// Writes a note and waits until it is stored.
    ///
    /// # Panics
    /// Where it is refused.
    pub async fn notes(&mut self, id: ConversationId, text: &str) -> Ack {
        let draft = draft(text);
        self.does(Command::AddNote {
            conversation_id: id,
            draft,
            mentions: vec![],
        })
        .await
    }

    /// Does something and waits until it is stored.
    ///
    /// # Panics
    /// Where it is refused.
    pub async fn does(&mut self, command: Command) -> Ack {
        self.tries(command).await.expect("it is accepted")
    }

    /// Asks for something and waits for the outcome.
    ///
    /// # Errors
    /// The refusal.
    pub async fn tries(&mut self, command: Command) -> Result<Ack, Error> {
        self.client.settle(command).await
    }

    /// Waits until a message is on the screen.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn sees(&mut self, id: ConversationId, text: &str) {
        let there = |client: &Client| holds(client, id, text).then_some(());
        let seen = self.client.until(&format!("{text:?}"), there).await;
        seen.expect("the agent sees it");
    }

    /// Waits until an entry of a kind is in the log.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn sees_kind(&mut self, id: ConversationId, kind: &str) {
        let there = |client: &Client| {
            let mut lines = client.log(id)?.lines().iter();
            let is_it = |said: &Said| matches!(said, Said::Other(other) if *other == kind);
            lines.any(|line| is_it(&line.said)).then_some(())
        };
        let seen = self.client.until(kind, there).await;
        seen.expect("the agent sees it");
    }

    /// Waits until the agent holds everything up to a number.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn has(&mut self, id: ConversationId, number: u64) {
        let there = |client: &Client| {
            let log = client.log(id)?;
            (log.number() >= number).then_some(())
        };
        let seen = self.client.until(&format!("number {number}"), there).await;
        seen.expect("the agent catches up");
    }

    /// Sends a frame that needs no answer.
    ///
    /// # Panics
    /// Where the connection broke.
    pub async fn signals(&mut self, frame: ClientFrame) {
        self.client.signal(&frame).await.expect("the line is up");
    }

    /// The agent's access.
    ///
    /// # Panics
    /// Never: an agent has an agent's access.
    #[must_use]
    pub fn access(&self) -> &AgentAccess {
        match self.client.access() {
            Access::Agent(access) => access,
            Access::Visitor(_) => panic!("an agent has an agent's access"),
        }
    }

    /// The words that customers and team said, as they read today.
    #[must_use]
    pub fn screen(&self, id: ConversationId) -> Vec<String> {
        messages(&self.client, id)
    }

    /// Who said what.
    #[must_use]
    pub fn speakers(&self, id: ConversationId) -> Vec<Speaker> {
        let log = self.client.log(id);
        let messages = log.map(loadtest::client::Log::messages).unwrap_or_default();
        messages.into_iter().map(|(speaker, _)| speaker).collect()
    }
}
