//! Several messages that somebody says at once. Those of a visitor are stored by one commit, passed on together,
//! each acknowledged by itself; those of an agent go to the lanes of their conversations at the same time.
//!
//! The one commit is a short cut for plain messages whose way is known. Where it does not hold, nothing was
//! stored, and the lane takes them one by one.

use protocol::command::{Ack, Command};
use protocol::permission::{Actor, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::ClientId;
use storage::entry::Stored;
use storage::message::VisitorMessage;

use crate::command::{ack_of, course_of, key_of, site_lets_write};
use crate::decide;
use crate::error::refused_by;
use crate::lane::Memory;
use crate::lanes::{self, LaneKey};
use crate::router::Router;

/// Commands that are stored together, at most.
pub const COMMANDS_TOGETHER_MAX: usize = 128;
/// Bytes of their bodies: what they become must fit into one message between nodes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What came of the first of several commands.
#[derive(Debug)]
pub(crate) struct Step {
    /// Of each, in order; of one at least.
    pub(crate) outcomes: Vec<Result<Ack, Rejection>>,
    /// What is to be passed on.
    pub(crate) stored: Option<Box<Stored>>,
}

/// How several commands are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Those that belong together by one commit.
    Together,
    /// Each by its own: together they did not go through.
    OneByOne,
}

/// Whether commands of one speaker may be handed over together: messages in words alone. Those of a conversation
/// keep their order.
#[must_use]
pub fn may_go_together(one: &Command, other: &Command) -> bool {
    is_words(one) && is_words(other)
}

fn is_words(command: &Command) -> bool {
    if let Command::SendMessage { draft, .. } = command {
        draft.reply_to_id.is_none() && draft.attachment_ids.is_empty()
    } else {
        false
    }
}

/// Does commands of one speaker: each lane's in order, all lanes at once.
pub(crate) async fn handle(
    router: &Router,
    actor: &Actor,
    commands: Vec<(ClientId, Command)>,
) -> Vec<Result<Ack, Rejection>> {
    let mut outcomes = vec![Err(ErrorCode::Unavailable.into()); commands.len()];
    let mut shares: Vec<Share> = Vec::with_capacity(1);
    for (place, (client_id, command)) in commands.into_iter().enumerate() {
        match lanes::lane_of(actor, &command) {
            Ok(key) => {
                let share = share_of(&mut shares, key);
                share.places.push(place);
                share.commands.push((client_id, command));
            }
            Err(rejection) => outcomes[place] = Err(rejection),
        }
    }
    // All are handed over before one is waited for.
    let ask = |share: Share| {
        let asked = router.lanes().ask(router, share.key, actor, share.commands);
        (share.places, asked)
    };
    let asked: Vec<_> = shares.into_iter().map(ask).collect();
    for (places, asked) in asked {
        let answer = match asked {
            Ok(asked) => asked.outcomes().await,
            Err(rejection) => Err(rejection),
        };
        let answer = answer.unwrap_or_else(|rejection| vec![Err(rejection); places.len()]);
        for (place, outcome) in places.into_iter().zip(answer) {
            outcomes[place] = outcome;
        }
    }
    outcomes
}

/// The commands of one lane, and where each stood among all.
struct Share {
    key: LaneKey,
    places: Vec<usize>,
    commands: Vec<(ClientId, Command)>,
}

fn share_of(shares: &mut Vec<Share>, key: LaneKey) -> &mut Share {
    let index = shares.iter().position(|share| share.key == key);
    let index = index.unwrap_or_else(|| {
        shares.push(Share {
            key,
            places: Vec::new(),
            commands: Vec::new(),
        });
        shares.len() - 1
    });
    &mut shares[index]
}

/// Stores as many of the first messages as belong together; nothing where there are none, or where they have to
/// be taken one by one.
pub(crate) async fn say(
    router: &Router,
    memory: &mut Memory,
    actor: &Actor,
    commands: &[(ClientId, Command)],
    way: &mut Way,
) -> Option<Step> {
    let Principal::Visitor(visitor) = actor.principal else {
        return None;
    };
    if *way == Way::OneByOne || commands.len() < 2 || memory.course.is_none() {
        return None;
    }
    site_lets_write(router, actor.workspace_id, visitor)
        .await
        .ok()?;
    let (mut course, read) = course_of(router, memory);
    let mut messages = Vec::with_capacity(commands.len().min(COMMANDS_TOGETHER_MAX));
    let mut body_bytes = 0;
    for (client_id, command) in commands.iter().take(COMMANDS_TOGETHER_MAX) {
        let Command::SendMessage {
            conversation_id,
            draft,
        } = command
        else {
            break;
        };
        let leads = |id| course.as_ref().is_some_and(|course| course.leads_to(id));
        if !is_words(command) || !conversation_id.is_none_or(leads) {
            break;
        }
        let Ok(message) = decide::message_of(decide::VISITOR_FORMATS, draft) else {
            break;
        };
        body_bytes += message.body.len();
        if body_bytes > BODY_BYTES_MAX {
            break;
        }
        messages.push(VisitorMessage {
            workspace_id: actor.workspace_id,
            visitor,
            key: key_of(actor, client_id, command),
            conversation_id: *conversation_id,
            message,
            at_ms: router.world().clock.now_ms(),
        });
    }
    let stored = match messages.len() {
        0 | 1 => Ok(None),
        _ => storage::message::send_several(router.db(), &messages, &mut course).await,
    };
    memory.course = course.map(|course| (course, read));
    match stored {
        Ok(None) => {
            if messages.len() > 1 {
                *way = Way::OneByOne;
            }
            None
        }
        Ok(Some((receipts, stored))) => {
            let names = commands.iter().map(|(client_id, _)| client_id);
            let ack = |(client_id, receipt)| Ok(ack_of(actor, client_id, receipt));
            Some(Step {
                outcomes: names.zip(&receipts).map(ack).collect(),
                stored: Some(stored),
            })
        }
        // Nobody knows whether they were stored.
        Err(error) => Some(Step {
            outcomes: vec![Err(refused_by(&error)); messages.len()],
            stored: None,
        }),
    }
}
