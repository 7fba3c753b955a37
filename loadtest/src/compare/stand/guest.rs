//! One socket's side of the wire: `hello`, follow, say, type, beat. The same for both servers.

use std::sync::Arc;

use protocol::command::{Ack, Command};
use protocol::entry::{VisitorAuthor, VisitorContent, VisitorEntry};
use protocol::frame::ClientFrame;
use protocol::id::{AgentId, ConnectionId, ConversationId, EntryId, Id};
use protocol::limit;
use protocol::message::{Format, Message};
use protocol::news::{AgentNews, Batch, ConnectionLimits, Continuity, VisitorNews, Welcome};
use protocol::text::ClientId;
use serde::Serialize;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::hall::{Ear, Hall};

/// Whoever says something else than the wire knows is hung up on.
pub(super) struct Refused;

/// One socket.
pub(super) struct Guest<E: Ear> {
    hall: Arc<Hall<E>>,
    number: u64,
    ear: E,
    /// What it listens to; nothing before `hello`.
    topics: Vec<u128>,
}

/// The question whether the client is still there.
pub(super) fn beat() -> Utf8Bytes {
    Utf8Bytes::from_static(r#"{"type":"beat"}"#)
}

fn text(news: &impl Serialize) -> Utf8Bytes {
    let text = serde_json::to_string(news).expect("our types can be written as JSON");
    text.into()
}

impl<E: Ear> Guest<E> {
    pub(super) fn new(hall: &Arc<Hall<E>>, ear: E) -> Self {
        Self {
            number: hall.next(),
            hall: Arc::clone(hall),
            ear,
            topics: Vec::new(),
        }
    }

    /// Takes a frame; answers and news go to ears.
    pub(super) fn on_text(&mut self, said: &str) -> Result<(), Refused> {
        let frame: ClientFrame = serde_json::from_str(said).map_err(|_| Refused)?;
        let is_known = !self.topics.is_empty();
        if is_known == matches!(frame, ClientFrame::Hello(_)) {
            return Err(Refused);
        }
        match frame {
            ClientFrame::Hello(hello) => {
                let visitor_id = self.hall.key.read(&hello.token).ok_or(Refused)?;
                self.listen(visitor_id.bits());
                self.ear.tell(text(&self.welcome()));
                for follow in hello.resume {
                    self.follow(follow.conversation_id);
                }
            }
            ClientFrame::Follow(follow) => self.follow(follow.conversation_id),
            ClientFrame::Typing {
                conversation_id: Some(conversation_id),
                text: so_far,
                active,
            } => {
                let news = AgentNews::Typing {
                    conversation_id,
                    agent_id: None,
                    text: so_far,
                    active,
                };
                self.hall.publish(conversation_id.bits(), &text(&news));
            }
            ClientFrame::Command {
                client_id,
                command:
                    Command::SendMessage {
                        conversation_id: Some(conversation_id),
                        draft,
                    },
            } => {
                let body = draft.body.map(|body| body.as_str().to_owned());
                self.pass_on(conversation_id, client_id, body.unwrap_or_default());
            }
            ClientFrame::Beat { .. } => {}
            ClientFrame::Command { .. }
            | ClientFrame::Typing { .. }
            | ClientFrame::Unfollow { .. }
            | ClientFrame::Watch(_)
            | ClientFrame::Unwatch { .. }
            | ClientFrame::Viewing { .. }
            | ClientFrame::Read { .. }
            | ClientFrame::Page(_)
            | ClientFrame::Activity { .. }
            | ClientFrame::Track { .. }
            | ClientFrame::Availability { .. }
            | ClientFrame::Screen { .. } => return Err(Refused),
        }
        Ok(())
    }

    /// Passes a message on to all who follow, in the form that Switchboard gives it, and tells its author.
    fn pass_on(&self, conversation_id: ConversationId, client_id: ClientId, body: String) {
        let number = self.hall.next();
        let entry = VisitorEntry {
            id: EntryId::from_bits(conversation_id.bits() ^ u128::from(number)),
            conversation_id,
            number,
            sent_at_ms: self.hall.clock.now_ms(),
            author: VisitorAuthor::You,
            client_id: Some(client_id.clone()),
            content: VisitorContent::Message {
                message: Message {
                    format: Format::Plain,
                    body,
                    language: None,
                    reply_to_id: None,
                    attachments: Vec::new(),
                    edited_at_ms: None,
                    deleted_at_ms: None,
                },
            },
        };
        let ack = Ack {
            client_id,
            conversation_id: Some(conversation_id),
            entry_id: Some(entry.id),
            number: Some(number),
            sent_at_ms: entry.sent_at_ms,
        };
        let news = VisitorNews::Entry { entry };
        self.hall.publish(conversation_id.bits(), &text(&news));
        self.ear.tell(text(&VisitorNews::Ack(ack)));
    }

    fn listen(&mut self, topic: u128) {
        self.topics.push(topic);
        self.hall.enter(topic, self.number, self.ear.clone());
    }

    fn follow(&mut self, conversation_id: ConversationId) {
        self.listen(conversation_id.bits());
        self.ear.tell(text(&AgentNews::Entries(Batch {
            conversation_id,
            continuity: Continuity::Afresh,
            entries: Vec::new(),
            position: None,
            older: false,
        })));
    }

    fn welcome(&self) -> AgentNews {
        let small = |number: usize| u32::try_from(number).expect("the limits are small numbers");
        let bits = self.topics.first().copied().unwrap_or_default();
        AgentNews::Welcome {
            welcome: Welcome {
                connection_id: ConnectionId::from_bits(u128::from(self.number)),
                epoch: 1,
                now_ms: self.hall.clock.now_ms(),
                token_expires_at_ms: u64::MAX,
                limits: ConnectionLimits {
                    frame_bytes_max: small(limit::FRAME_BYTES_MAX),
                    body_bytes_max: small(limit::BODY_BYTES_MAX),
                    beat_ms: limit::BEAT_MS,
                    silence_ms_max: limit::SILENCE_MS_MAX,
                    resend_ms: limit::RESEND_MS,
                    attachment_bytes_max: limit::ATTACHMENT_BYTES_MAX,
                    attachment_types: None,
                },
            },
            agent_id: AgentId::from_bits(bits),
        }
    }
}

impl<E: Ear> Drop for Guest<E> {
    fn drop(&mut self) {
        for topic in std::mem::take(&mut self.topics) {
            self.hall.leave(topic, self.number);
        }
    }
}
