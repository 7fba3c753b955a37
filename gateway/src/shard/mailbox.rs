//! What a shard tells one of its connections: a queue with a bound, and the hands of its watch.
//!
//! A mailbox is all that a connection shows to its shard. It holds nothing at rest: an empty queue has
//! no memory, and time is kept in whole seconds of the shard's clock. The shard looks at all of them
//! once a second, so that no connection needs a timer.
//!
//! A reader that stalls keeps little: what can be read again from the store is given up after a second,
//! and read again once the reader goes on.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use protocol::id::ConversationId;
use protocol::limit;
use protocol::rejection::CloseCode;
use router::Topic;

use crate::shard::run::Run;

/// Unsent signals are looked for among so many of the newest notices.
const SIGNALS_SEARCHED: usize = 64;
/// Bytes that may wait for a reader who takes none; of more, what can be read again is given up.
const STALLED_BYTES_MAX: usize = 64 * 1024;

/// What a connection hears from its shard.
#[derive(Debug, Clone)]
pub(crate) enum Notice {
    /// Frames of a topic it listens to.
    Run(Rc<Run>),
    /// Frames of this topic were given up: read it again.
    Behind(Topic),
    /// Follow this conversation from now on.
    Follow(ConversationId),
    /// Read the newest page of this conversation again, if it is followed.
    Afresh(ConversationId),
    /// Say that we are still there.
    Beat,
    /// Say that we go away, and when to come back.
    GoAway {
        /// Milliseconds from now.
        return_after_ms: u64,
    },
}

/// What a connection is right now, as far as the watch must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It has not said who it is.
    Unidentified,
    /// A visitor's.
    Visitor,
    /// An agent's.
    Agent,
    /// It was told to close.
    Closing,
}

/// How a connection shows that it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beats {
    /// We ask, and the client answers: sockets.
    Answered,
    /// We say that we are there; a client that is gone does not take it: streams.
    Spoken,
    /// It does not last long enough: long polls.
    None,
}

/// One connection's mailbox. Belongs to one shard and never leaves its thread.
pub(crate) struct Mailbox {
    notices: RefCell<VecDeque<Notice>>,
    /// Bytes of frames in `notices`, and of the notices themselves.
    queued_bytes: Cell<usize>,
    /// Bytes of frames that the connection took out and has not written yet.
    unwritten_bytes: Cell<usize>,
    /// Bytes of frames that the connection took out and may not write yet.
    held_bytes: Cell<usize>,
    /// Whether what can be read again is given up at once, until all notices are taken.
    is_behind: Cell<bool>,
    /// How it shall end, once it shall.
    close: Cell<Option<CloseCode>>,
    /// How it shall end once all notices are said.
    last: Cell<Option<CloseCode>>,
    waker: Cell<Option<Waker>>,
    phase: Cell<Phase>,
    /// Whether a signed identity proved who the visitor is.
    is_proved: Cell<bool>,
    /// The client's address, behind trusted proxies. Bytes of one that is written in the long form take the
    /// least room.
    address: Cell<[u8; 16]>,
    beats: Cell<Beats>,
    heard_at: Cell<u32>,
    said_at: Cell<u32>,
    /// Since when a write waits, if one does.
    stalled_at: Cell<Option<u32>>,
    /// When the rights behind the connection end, in milliseconds since 1970.
    expires_at_ms: Cell<u64>,
}

impl Mailbox {
    pub(crate) fn new(now: u32) -> Self {
        Self {
            notices: RefCell::default(),
            queued_bytes: Cell::new(0),
            unwritten_bytes: Cell::new(0),
            held_bytes: Cell::new(0),
            is_behind: Cell::new(false),
            close: Cell::new(None),
            last: Cell::new(None),
            waker: Cell::new(None),
            phase: Cell::new(Phase::Unidentified),
            is_proved: Cell::new(false),
            address: Cell::default(),
            beats: Cell::new(Beats::Answered),
            heard_at: Cell::new(now),
            said_at: Cell::new(now),
            stalled_at: Cell::new(None),
            expires_at_ms: Cell::new(u64::MAX),
        }
    }

    /// Leaves a notice. Of more than the bound of unsent bytes, what can be read again is given up; still
    /// more ends the connection with a resume code.
    pub(crate) fn tell(&self, notice: Notice) {
        if self.close.get().is_some() {
            return;
        }
        let mut notices = self.notices.borrow_mut();
        let mut notice = notice;
        if let Notice::Run(run) = &notice {
            let topic = run.topic();
            if let Some(old) = take_unsent(&mut notices, run) {
                self.queued_bytes.set(self.queued_bytes.get() - cost(&old));
            }
            if self.is_behind.get() && can_be_read_again(topic) {
                notice = Notice::Behind(topic);
            }
        }
        if is_known(&notices, &notice) {
            return;
        }
        self.queued_bytes
            .set(self.queued_bytes.get() + cost(&notice));
        notices.push_back(notice);
        drop(notices);
        if self.waiting_bytes() > limit::QUEUE_BYTES_MAX {
            self.fall_behind();
        }
        if self.waiting_bytes() > limit::QUEUE_BYTES_MAX {
            self.end(CloseCode::TooSlow);
        }
        self.wake();
    }

    /// The visitor is the person whom a signed identity proved.
    pub(crate) fn prove(&self) {
        self.is_proved.set(true);
    }

    /// Whether a signed identity proved who the visitor is.
    pub(crate) fn is_proved(&self) -> bool {
        self.is_proved.get()
    }

    /// Says where the client is.
    pub(crate) fn comes_from(&self, address: IpAddr) {
        let long = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        self.address.set(long.octets());
    }

    /// Where the client is.
    pub(crate) fn address(&self) -> IpAddr {
        IpAddr::from(self.address.get())
    }

    /// Whether something was given up that the reader has not asked for again.
    pub(crate) fn is_behind(&self) -> bool {
        self.is_behind.get()
    }

    /// All bytes that wait for the reader of this connection.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.queued_bytes.get() + self.unwritten_bytes.get() + self.held_bytes.get()
    }

    /// Gives up what can be read again.
    fn fall_behind(&self) {
        self.is_behind.set(true);
        let all = self.notices.take();
        let mut kept = VecDeque::new();
        for notice in all {
            let notice = match notice {
                Notice::Run(run) if can_be_read_again(run.topic()) => Notice::Behind(run.topic()),
                Notice::Run(_)
                | Notice::Behind(_)
                | Notice::Follow(_)
                | Notice::Afresh(_)
                | Notice::Beat
                | Notice::GoAway { .. } => notice,
            };
            if !is_known(&kept, &notice) {
                kept.push_back(notice);
            }
        }
        self.queued_bytes.set(kept.iter().map(cost).sum());
        self.notices.replace(kept);
    }

    /// Ends the connection. The first reason counts.
    pub(crate) fn end(&self, code: CloseCode) {
        if self.close.get().is_none() {
            self.close.set(Some(code));
        }
        self.notices.replace(VecDeque::new());
        self.queued_bytes.set(0);
        self.wake();
    }

    /// Ends the connection after what it was told so far.
    pub(crate) fn end_after_notices(&self, code: CloseCode) {
        if self.close.get().is_none() {
            self.last.set(Some(code));
        }
        self.wake();
    }

    /// How the connection shall end now that all notices are taken and said, if it shall.
    pub(crate) fn last(&self) -> Option<CloseCode> {
        self.last.get()
    }

    /// How the connection shall end, once it shall.
    pub(crate) fn ending(&self) -> Option<CloseCode> {
        self.close.get()
    }

    /// The next notice. An emptied queue gives its memory back.
    pub(crate) fn take(&self) -> Option<Notice> {
        let mut notices = self.notices.borrow_mut();
        let notice = notices.pop_front();
        match &notice {
            Some(notice) => self
                .queued_bytes
                .set(self.queued_bytes.get() - cost(notice)),
            None => {
                *notices = VecDeque::new();
                self.is_behind.set(false);
            }
        }
        notice
    }

    /// Waits until there is a notice or an end. Cancel-safe.
    pub(crate) async fn news(&self) {
        std::future::poll_fn(|context| self.poll_news(context)).await;
    }

    /// See [`Mailbox::news`].
    pub(crate) fn poll_news(&self, context: &Context<'_>) -> Poll<()> {
        let is_over = self.close.get().is_some() || self.last.get().is_some();
        if is_over || !self.notices.borrow().is_empty() {
            return Poll::Ready(());
        }
        self.remember(context);
        Poll::Pending
    }

    /// Waits until the connection shall end. Cancel-safe.
    pub(crate) fn poll_ending(&self, context: &Context<'_>) -> Poll<CloseCode> {
        if let Some(code) = self.close.get() {
            return Poll::Ready(code);
        }
        self.remember(context);
        Poll::Pending
    }

    fn remember(&self, context: &Context<'_>) {
        self.waker.set(Some(context.waker().clone()));
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The connection is of this kind from now on, until its rights end.
    pub(crate) fn identify(&self, phase: Phase, expires_at_ms: u64) {
        self.phase.set(phase);
        self.expires_at_ms.set(expires_at_ms);
    }

    /// Says how the connection shows life.
    pub(crate) fn set_beats(&self, beats: Beats) {
        self.beats.set(beats);
    }

    /// The connection is being closed; the watch leaves it alone.
    pub(crate) fn closing(&self) {
        self.phase.set(Phase::Closing);
        self.notices.replace(VecDeque::new());
        self.queued_bytes.set(0);
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// The client said something.
    pub(crate) fn heard(&self, now: u32) {
        self.heard_at.set(now);
    }

    /// So many bytes wait in the connection, and some were written just now.
    pub(crate) fn wrote(&self, now: u32, unwritten_bytes: usize) {
        self.said_at.set(now);
        self.unwritten_bytes.set(unwritten_bytes);
        self.stalled_at.set((unwritten_bytes > 0).then_some(now));
    }

    /// So many bytes wait in the connection, and the client takes none.
    pub(crate) fn stalled(&self, now: u32, unwritten_bytes: usize) {
        self.unwritten_bytes.set(unwritten_bytes);
        if self.stalled_at.get().is_none() {
            self.stalled_at.set(Some(now));
        }
    }

    /// So many bytes wait in the connection, not to be written yet.
    pub(crate) fn holds(&self, held_bytes: usize) {
        self.held_bytes.set(held_bytes);
    }

    /// What the shard's watch does with this connection, once a second.
    pub(crate) fn tick(&self, now: u32, now_ms: u64) {
        let since = |at: u32| u64::from(now.saturating_sub(at)) * 1_000;
        let stalled = self.stalled_at.get();
        match self.phase.get() {
            Phase::Closing => {}
            Phase::Unidentified => {
                if since(self.heard_at.get()) >= limit::HELLO_MS_MAX {
                    self.end(CloseCode::Silent);
                }
            }
            Phase::Visitor | Phase::Agent => {
                if now_ms >= self.expires_at_ms.get() {
                    self.end(CloseCode::TokenExpired);
                } else if stalled.is_some_and(|at| since(at) > limit::STALL_MS_MAX) {
                    self.end(CloseCode::TooSlow);
                } else {
                    if stalled.is_some_and(|at| since(at) > 0)
                        && self.waiting_bytes() > STALLED_BYTES_MAX
                    {
                        self.fall_behind();
                    }
                    self.tick_beat(now);
                }
            }
        }
    }

    fn tick_beat(&self, now: u32) {
        let since = |at: u32| u64::from(now.saturating_sub(at)) * 1_000;
        let silence_ms = match self.beats.get() {
            Beats::None => return,
            Beats::Spoken => 0,
            Beats::Answered => since(self.heard_at.get()),
        };
        if silence_ms >= limit::SILENCE_MS_MAX {
            self.end(CloseCode::Silent);
            return;
        }
        let is_quiet = since(self.said_at.get()) >= limit::BEAT_MS;
        // A client that only listens must be asked too, or its silence ended the connection.
        let is_asked = silence_ms >= limit::BEAT_MS && silence_ms % limit::BEAT_MS < 1_000;
        if is_quiet || is_asked {
            self.said_at.set(now);
            self.tell(Notice::Beat);
        }
    }
}

/// What a notice costs while it waits: its frames, as if it had them alone, and itself.
fn cost(notice: &Notice) -> usize {
    let frame_bytes = match notice {
        Notice::Run(run) => run.framed().len(),
        Notice::Behind(_)
        | Notice::Follow(_)
        | Notice::Afresh(_)
        | Notice::Beat
        | Notice::GoAway { .. } => 0,
    };
    size_of::<Notice>() + frame_bytes
}

/// Whether a connection that listens to a topic can read again what it missed there.
fn can_be_read_again(topic: Topic) -> bool {
    match topic {
        Topic::ConversationAgents(_)
        | Topic::ConversationVisitor(_)
        | Topic::Inbox { .. }
        | Topic::Visitors(_) => true,
        Topic::Visitor(_)
        | Topic::VisitorLauncher(_)
        | Topic::Agent(_)
        | Topic::Team(_)
        | Topic::SiteVisitors(_)
        | Topic::Session(_) => false,
    }
}

/// Whether a notice says what another one says already.
fn is_known(notices: &VecDeque<Notice>, new: &Notice) -> bool {
    let Notice::Behind(topic) = new else {
        return false;
    };
    notices
        .iter()
        .any(|old| matches!(old, Notice::Behind(old) if old == topic))
}

/// Takes out an unsent signal about the same as a new one. That one goes to the end of the line: what stands
/// between them may say more of the same, and is older.
fn take_unsent(notices: &mut VecDeque<Notice>, signal: &Run) -> Option<Notice> {
    let key = signal.signal()?;
    let is_same = |old: &Notice| {
        matches!(old, Notice::Run(old)
            if old.topic() == signal.topic() && old.signal() == Some(key))
    };
    let newest = notices.iter().enumerate().rev().take(SIGNALS_SEARCHED);
    let index = newest
        .filter(|(_, old)| is_same(old))
        .map(|(index, _)| index)
        .next()?;
    notices.remove(index)
}

#[cfg(test)]
#[path = "mailbox_tests.rs"]
mod tests;
