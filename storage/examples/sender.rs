//! Sends messages to one conversation until it is killed, and prints the number of each that was
//! acknowledged. `tests/storage/home.rs` kills it in the middle and looks at what is left.
//!
//! Arguments: database URL, workspace, conversation, agent.

#![expect(
    clippy::print_stdout,
    reason = "the output is what this program is for"
)]

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use protocol::conversation::State;
use protocol::entry::Author;
use protocol::id::{AgentId, ConversationId, EntryId, WorkspaceId};
use protocol::message::Format;
use protocol::text::ClientId;
use storage::command::CommandKey;
use storage::db::{DatabaseConfig, Db};
use storage::entry::{self, Append, Guard, NewContent, NewEntry, NewMessage, Outcome};
use world::World;

/// Sends that are under way at a time, so that groups form.
const AT_ONCE: usize = 32;

struct Sender {
    world: World,
    db: Db,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    agent_id: AgentId,
}

impl Sender {
    async fn send(&self) -> Option<u64> {
        let id: EntryId = self.world.ids.next();
        let append = Append {
            workspace_id: self.workspace_id,
            conversation_id: self.conversation_id,
            key: CommandKey {
                principal: self.agent_id.to_string(),
                client_id: ClientId::parse(&id.to_string()).ok()?,
                digest: [0; 32],
            },
            guard: Guard::team(&[State::Open]),
            entries: vec![NewEntry {
                id,
                author: Author::Agent {
                    agent_id: self.agent_id,
                },
                content: NewContent::Message(NewMessage {
                    format: Format::Plain,
                    body: "still alive".to_owned(),
                    language: None,
                    reply_to_id: None,
                    attachment_ids: Vec::new(),
                    mentions: Vec::new(),
                }),
            }],
            at_ms: self.world.clock.now_ms(),
            reached_at_ms: None,
            contact: None,
        };
        let Ok(Outcome::Accepted(stored)) = entry::append(&self.db, &append).await else {
            return None;
        };
        stored.receipt.seq
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, workspace_id, conversation_id, agent_id] = arguments.as_slice() else {
        println!("arguments: database URL, workspace, conversation, agent");
        return;
    };
    let world = World::system();
    let config = DatabaseConfig::of_url(url).expect("a good URL");
    let sender = Sender {
        db: storage::open(&config, &world)
            .await
            .expect("the store opens"),
        world,
        workspace_id: workspace_id.parse().expect("a workspace"),
        conversation_id: conversation_id.parse().expect("a conversation"),
        agent_id: agent_id.parse().expect("an agent"),
    };
    let mut sending: FuturesUnordered<_> = (0..AT_ONCE).map(|_| sender.send()).collect();
    while let Some(number) = sending.next().await {
        if let Some(number) = number {
            println!("{number}");
        }
        sending.push(sender.send());
    }
}
