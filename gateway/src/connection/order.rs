//! The order of a connection's commands, also where one of them could not be taken: those behind it in the
//! same line are refused until it was sent again, or what was said first would be stored last. Those that were
//! refused so are remembered too: each has its turn again before what was said after it, which may be on
//! its way already.
//!
//! Nothing passes because time went by: where the one that is waited for does not come, the connection
//! ends, and the client sends on the next one what it still wants, in order. From then on nothing is done here, in
//! no line: what was said with it was given up too, and nothing that came later may be done in its place. Pure: time
//! comes in.

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
/// Commands that may be waited for. With more, the connection ends.
const AWAITED_MAX: usize = 512;

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

/// What must be sent again before what was said after it.
#[derive(Debug)]
struct Awaited {
    line: Line,
    client_id: ClientId,
    code: ErrorCode,
    /// When it may succeed.
    due: Duration,
    /// Whether it came again and is being done.
    is_tried: bool,
}

/// The order of one connection's commands, which come here one after the other.
// Invariant: those of a line stand in the order in which they were said.
#[derive(Debug, Default)]
pub(crate) struct Order {
    awaited: Vec<Awaited>,
    /// Whether the connection is at its end.
    is_over: bool,
}

impl Order {
    /// Whether it is a command's turn. If it is, [`Order::done`] or [`Order::refused`] follows.
    pub(crate) fn turn(&mut self, line: Line, client_id: &ClientId, now: Duration) -> Turn {
        self.is_over |= self.awaited.len() > AWAITED_MAX;
        if self.is_over {
            return Turn::Never;
        }
        let waits = |one: &&mut Awaited| one.line == line && !one.is_tried;
        let Some(awaited) = self.awaited.iter_mut().find(waits) else {
            return Turn::Now;
        };
        if awaited.client_id == *client_id {
            awaited.is_tried = true;
            return Turn::Now;
        }
        if awaited.due + PATIENCE <= now {
            self.is_over = true;
            return Turn::Never;
        }
        let wait = awaited.due.saturating_sub(now).max(PAUSE).as_millis();
        let wait_ms = u64::try_from(wait).unwrap_or(u64::MAX);
        let rejection = Rejection::after(awaited.code, wait_ms);
        self.refused(line, client_id.clone(), &rejection, now);
        Turn::Later(rejection)
    }

    /// A command could not be taken; `rejection` says when it may be. It stands where it stood, or behind all
    /// that waits.
    pub(crate) fn refused(
        &mut self,
        line: Line,
        client_id: ClientId,
        rejection: &Rejection,
        now: Duration,
    ) {
        let wait = Duration::from_millis(rejection.retry_after_ms.unwrap_or_default());
        let awaited = Awaited {
            line,
            client_id,
            code: rejection.code,
            due: now + wait,
            is_tried: false,
        };
        match self.find(line, &awaited.client_id) {
            Some(index) => self.awaited[index] = awaited,
            None => self.awaited.push(awaited),
        }
    }

    /// A command has its outcome.
    pub(crate) fn done(&mut self, line: Line, client_id: &ClientId) {
        if let Some(index) = self.find(line, client_id) {
            self.awaited.remove(index);
            if self.awaited.is_empty() {
                self.awaited = Vec::new();
            }
        }
    }

    fn find(&self, line: Line, client_id: &ClientId) -> Option<usize> {
        let mut awaited = self.awaited.iter();
        awaited.position(|one| one.line == line && one.client_id == *client_id)
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

    /// Its turn has come, and it is done.
    fn does(order: &mut Order, name: &str, now: Duration) {
        assert_eq!(order.turn(ONE(), &id(name), now), Turn::Now, "{name}");
        order.done(ONE(), &id(name));
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
        for name in ["a", "b", "c"] {
            does(&mut order, name, at(5));
        }
    }

    /// As it was seen to happen: the client sent `a` again and then `c`, before it heard that `b` was refused.
    #[test]
    fn what_was_refused_behind_another_has_its_turn_before_what_is_on_its_way() {
        let mut order = refused();
        assert_eq!(order.turn(ONE(), &id("b"), at(1)), later(3_000));
        does(&mut order, "a", at(4));
        assert_eq!(order.turn(ONE(), &id("c"), at(4)), later(250));
        assert_eq!(order.turn(ONE(), &id("b"), at(4)), Turn::Now);
        let rejection = Rejection::after(ErrorCode::RateLimited, 1_000);
        order.refused(ONE(), id("b"), &rejection, at(4));
        assert_eq!(order.turn(ONE(), &id("c"), at(4)), later(1_000));
        assert_eq!(order.turn(ONE(), &id("d"), at(4)), later(1_000));
        for name in ["b", "c", "d", "e"] {
            does(&mut order, name, at(5));
        }
        assert!(order.awaited.is_empty());
    }

    #[test]
    fn one_that_was_refused_behind_another_and_does_not_come_is_passed_by_none() {
        let mut order = refused();
        assert_eq!(order.turn(ONE(), &id("b"), at(1)), later(3_000));
        does(&mut order, "a", at(4));
        assert_eq!(order.turn(ONE(), &id("c"), at(13)), later(250));
        assert_eq!(order.turn(ONE(), &id("c"), at(14)), Turn::Never);
    }

    #[test]
    fn nothing_passes_a_refused_command_that_does_not_come() {
        let mut order = refused();
        assert_eq!(order.turn(ONE(), &id("b"), at(13)), later(250));
        assert_eq!(order.turn(ONE(), &id("b"), at(14)), Turn::Never);
        assert_eq!(order.turn(ONE(), &id("c"), at(1_000)), Turn::Never);
    }

    /// As it was seen to happen: a line of which nothing was refused was given up with the others, all but what had
    /// come just too late to go together with them.
    #[test]
    fn nothing_is_done_on_a_connection_that_was_given_up() {
        let mut order = refused();
        assert_eq!(order.turn(OTHER(), &id("c"), at(14)), Turn::Now);
        assert_eq!(order.turn(ONE(), &id("b"), at(14)), Turn::Never);
        for (line, name) in [(OTHER(), "d"), (ONE(), "a"), (ONE(), "b")] {
            assert_eq!(order.turn(line, &id(name), at(14)), Turn::Never, "{name}");
        }
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
    fn those_that_go_together_keep_their_order_when_none_of_them_is_taken() {
        let mut order = Order::default();
        for name in ["a", "b", "c"] {
            assert_eq!(order.turn(ONE(), &id(name), at(0)), Turn::Now);
        }
        for name in ["a", "b", "c"] {
            order.refused(ONE(), id(name), &ErrorCode::Unavailable.into(), at(0));
        }
        // They come again together; of them the first is done.
        for name in ["a", "b"] {
            assert_eq!(order.turn(ONE(), &id(name), at(1)), Turn::Now);
        }
        order.done(ONE(), &id("a"));
        order.refused(ONE(), id("b"), &ErrorCode::Unavailable.into(), at(1));
        for name in ["d", "c"] {
            let turn = order.turn(ONE(), &id(name), at(1));
            assert!(matches!(turn, Turn::Later(_)), "{name}: {turn:?}");
        }
        for name in ["b", "c", "d"] {
            does(&mut order, name, at(2));
        }
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
        assert_eq!(order.awaited.len(), AWAITED_MAX + 1);
    }
}
