//! Those who speak: connections of visitors, who say messages when they are due.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::frame::ClientFrame;
use protocol::id::ConversationId;
use protocol::text::{Body, ClientId};
use world::World;

use super::arm::{Arm, Room};
use super::wire::{self, Wire, is_a};
use crate::Error;
use crate::fleet::moment;
use crate::scenario::cast::say;
use crate::scenario::plan;

/// How long the speaker waits for the acknowledgement of what he said.
const PATIENCE: Duration = Duration::from_secs(60);

/// Messages that are due one after another, whatever the server does.
pub(super) struct Talk {
    /// When the first is due.
    pub(super) started: Duration,
    /// From one to the next.
    pub(super) gap: Duration,
    /// How many.
    pub(super) count: u64,
    /// Bytes of each.
    pub(super) message_bytes: u64,
}

impl Talk {
    /// When a message is due; behind the last, when the talk is over.
    pub(super) fn at(&self, index: u64) -> Duration {
        self.started + self.gap * u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// What it says.
    pub(super) fn body(&self, index: u64) -> Body {
        plan::body(index, self.at(index), self.message_bytes)
    }
}

/// A visitor who speaks.
pub(super) struct Speaker {
    wire: Wire,
    conversation_id: ConversationId,
    world: World,
}

impl Speaker {
    pub(super) async fn enter(world: &World, arm: &Arm, room: &Room) -> Result<Self, Error> {
        Ok(Self {
            wire: arm.speaker(room).await?,
            conversation_id: room.conversation_id,
            world: world.clone(),
        })
    }

    /// Says all messages of a talk, each when it is due, and waits until all are acknowledged.
    pub(super) async fn say_all(&mut self, talk: &Talk) -> Result<(), Error> {
        let mut due: VecDeque<u64> = (0..talk.count).collect();
        let mut missing = talk.count;
        while missing > 0 {
            let now = moment::now();
            if let Some(index) = due.front().copied()
                && talk.at(index) <= now
            {
                due.pop_front();
                self.say(&talk.body(index)).await?;
                continue;
            }
            let until = due
                .front()
                .map_or(talk.at(talk.count) + PATIENCE, |index| talk.at(*index));
            if until <= now {
                return Err(Error::TimedOut("an acknowledgement".to_owned()));
            }
            let clock = self.world.clock.clone();
            let heard = clock.timeout(until - now, self.hear()).await;
            missing -= heard.transpose()?.unwrap_or(0).min(missing);
        }
        Ok(())
    }

    /// Says one message.
    pub(super) async fn say(&mut self, body: &Body) -> Result<(), Error> {
        let bytes = self.world.ids.bytes::<12>();
        let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let frame = ClientFrame::Command {
            client_id: ClientId::parse(&name).expect("digits are a name"),
            command: say(Some(self.conversation_id), body),
        };
        self.wire.say(&wire::frame(&frame)).await
    }

    /// Types: nobody stores it.
    pub(super) async fn types(&mut self, text: &Body) -> Result<(), Error> {
        let frame = ClientFrame::Typing {
            conversation_id: Some(self.conversation_id),
            text: Some(text.as_str().to_owned()),
            active: true,
        };
        self.wire.say(&wire::frame(&frame)).await
    }

    /// Reads once; says how many messages were acknowledged. Cancel-safe.
    pub(super) async fn hear(&mut self) -> Result<u64, Error> {
        let (mut acknowledged, mut beats, mut refused) = (0, false, None);
        self.wire
            .hear(|text| {
                acknowledged += u64::from(is_a(text, "ack"));
                beats |= is_a(text, "beat");
                if is_a(text, "rejected") || is_a(text, "error") {
                    refused = Some(String::from_utf8_lossy(text).into_owned());
                }
            })
            .await?;
        if beats {
            self.wire.say(&wire::beat()).await?;
        }
        match refused {
            Some(refused) => Err(Error::Broken(refused)),
            None => Ok(acknowledged),
        }
    }
}
