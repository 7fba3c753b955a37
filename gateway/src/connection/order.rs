//! The order of a connection's commands, also where one of them could not be taken: those behind it in the
//! same line are refused until it was sent again, or what was said first would be stored last.
//!
//! Nothing passes because time went by: where the one that is waited for does not come, the connection
//! ends, and the client sends on the next one what it still wants, in order. Pure: time comes in.

use std::time::Duration;

use protocol::command::Command;
use protocol::id::{ConversationId, VisitorId};
use protocol::permission::Principal;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::ClientId;

/// How long a command is waited for after it might have been sent again.
const PATIENCE: Duration = Duration::from_secs(10);
/// What stands behind it is not to be tried sooner.
const PAUSE: Duration = Duration::from_millis(250);
/// Lines in which something may be waited for. With more, the connection ends.
const LINES_MAX: usize = 64;

/// Commands that must be done one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// All of a visitor.
    Own,
    /// An agent's for a conversation.
    Of(ConversationId),
    /// An agent's that begin a conversation with a visitor.
    With(VisitorId),
}

impl Line {
    /// The line in which a command stands.
    pub(crate) fn of(principal: &Principal, command: &Command) -> Self {
        match principal {
            Principal::Visitor(_) => return Self::Own,
            Principal::Agent(_) | Principal::Key(_) | Principal::System => {}
        }
        match command {
            Command::SendMessage {
                conversation_id: Some(id),
                ..
            } => Self::Of(*id),
            // Nobody but a visitor can do these; they are refused.
            Command::SendMessage {
                conversation_id: None,
                ..
            }
            | Command::Identify { .. } => Self::Own,
            Command::StartConversation { visitor_id, .. } => Self::With(*visitor_id),
            Command::AddNote {
                conversation_id, ..
            }
            | Command::EditMessage {
                conversation_id, ..
            }
            | Command::DeleteMessage {
                conversation_id, ..
            }
            | Command::Assign {
                conversation_id, ..
            }
            | Command::Move {
                conversation_id, ..
            }
            | Command::Join { conversation_id }
            | Command::Leave { conversation_id }
            | Command::Snooze {
                conversation_id, ..
            }
            | Command::Close { conversation_id }
            | Command::Reopen { conversation_id }
            | Command::Prioritize {
                conversation_id, ..
            }
            | Command::MarkSpam {
                conversation_id, ..
            }
            | Command::BlockVisitor {
                conversation_id, ..
            } => Self::Of(*conversation_id),
        }
    }
}

/// When a command may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Now.
    Now,
    /// After the one that is waited for: the refusal that it shares with that one.
    Later(Rejection),
    /// Not on this connection: what is waited for does not come.
    Never,
}

/// What must be sent again before others.
#[derive(Debug)]
struct Awaited {
    line: Line,
    client_id: ClientId,
    code: ErrorCode,
    /// When it may succeed.
    due: Duration,
}

/// The order of one connection's commands, which come here one after the other.
#[derive(Debug, Default)]
pub(crate) struct Order {
    awaited: Vec<Awaited>,
}

impl Order {
    /// Whether it is a command's turn.
    pub(crate) fn turn(&mut self, line: Line, client_id: &ClientId, now: Duration) -> Turn {
        if self.awaited.len() > LINES_MAX {
            return Turn::Never;
        }
        let Some(index) = self.awaited.iter().position(|one| one.line == line) else {
            return Turn::Now;
        };
        let awaited = &self.awaited[index];
        if awaited.client_id == *client_id {
            self.awaited.swap_remove(index);
            if self.awaited.is_empty() {
                self.awaited = Vec::new();
            }
            return Turn::Now;
        }
        if awaited.due + PATIENCE <= now {
            return Turn::Never;
        }
        let wait = awaited.due.saturating_sub(now).max(PAUSE).as_millis();
        let wait_ms = u64::try_from(wait).unwrap_or(u64::MAX);
        Turn::Later(Rejection::after(awaited.code, wait_ms))
    }

    /// A command whose turn it was could not be taken; `rejection` says when it may be.
    pub(crate) fn refused(
        &mut self,
        line: Line,
        client_id: ClientId,
        rejection: &Rejection,
        now: Duration,
    ) {
        let wait = Duration::from_millis(rejection.retry_after_ms.unwrap_or_default());
        self.awaited.push(Awaited {
            line,
            client_id,
            code: rejection.code,
            due: now + wait,
        });
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    const ONE: fn() -> Line = || Line::Of(ConversationId::from_bits(1));
    const OTHER: fn() -> Line = || Line::Of(ConversationId::from_bits(2));

    fn id(text: &str) -> ClientId {
        ClientId::parse(text).unwrap()
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn later(wait_ms: u64) -> Turn {
        Turn::Later(Rejection::after(ErrorCode::RateLimited, wait_ms))
    }

    /// An order in which `a` was refused at 0, to come again after 4 s.
    fn refused() -> Order {
        let mut order = Order::default();
        let rejection = Rejection::after(ErrorCode::RateLimited, 4_000);
        order.refused(ONE(), id("a"), &rejection, at(0));
        order
    }

    #[test]
    fn what_stands_behind_a_refused_command_is_refused_until_that_one_comes() {
        let mut order = refused();
        assert_eq!(order.turn(ONE(), &id("b"), at(1)), later(3_000));
        assert_eq!(order.turn(OTHER(), &id("c"), at(1)), Turn::Now);
        // Its time has come, and it has not.
        assert_eq!(order.turn(ONE(), &id("b"), at(5)), later(250));
        assert_eq!(order.turn(ONE(), &id("a"), at(5)), Turn::Now);
        assert_eq!(order.turn(ONE(), &id("b"), at(5)), Turn::Now);
    }

    #[test]
    fn nothing_passes_a_refused_command_that_does_not_come() {
        let mut order = refused();
        assert_eq!(order.turn(ONE(), &id("b"), at(13)), later(250));
        assert_eq!(order.turn(ONE(), &id("b"), at(14)), Turn::Never);
        assert_eq!(order.turn(ONE(), &id("c"), at(1_000)), Turn::Never);
        assert_eq!(order.turn(OTHER(), &id("d"), at(1_000)), Turn::Now);
        // It comes after all.
        assert_eq!(order.turn(ONE(), &id("a"), at(1_000)), Turn::Now);
        assert_eq!(order.turn(ONE(), &id("b"), at(1_000)), Turn::Now);
    }

    #[test]
    fn one_that_is_refused_again_is_waited_for_again() {
        let mut order = refused();
        assert_eq!(order.turn(ONE(), &id("a"), at(4)), Turn::Now);
        let rejection = Rejection::after(ErrorCode::RateLimited, 1_000);
        order.refused(ONE(), id("a"), &rejection, at(4));
        assert_eq!(order.turn(ONE(), &id("b"), at(4)), later(1_000));
    }

    #[test]
    fn lines_that_are_waited_for_have_a_bound() {
        let mut order = Order::default();
        let mut bits = 0;
        loop {
            bits += 1;
            let line = Line::Of(ConversationId::from_bits(bits));
            match order.turn(line, &id("a"), at(0)) {
                Turn::Now => order.refused(line, id("a"), &ErrorCode::Unavailable.into(), at(0)),
                Turn::Later(_) => unreachable!("each line is asked once"),
                Turn::Never => break,
            }
        }
        assert_eq!(order.awaited.len(), LINES_MAX + 1);
    }
}
