//! What the connection listens to: its own topics, followed conversations behind their gates, watched
//! lists behind their snapshots. And what the shard says about them.

use std::rc::Rc;

use bytes::Bytes;
use protocol::frame::{Follow, Watch};
use protocol::id::ConversationId;
use protocol::rejection::{CloseCode, Rejection, Retry};
use protocol::view::ViewName;
use router::{Class, Encoded, Replay, Topic};

use crate::connection::frame;
use crate::connection::gate::{Gate, Pass};
use crate::connection::identified::{Identified, OUT_BYTES_MAX};
use crate::connection::job::Job;
use crate::connection::out::Piece;
use crate::metric::Metric;
use crate::shard::mailbox::Notice;
use crate::shard::run::Run;

/// Bytes that one connection may hold while pasts and lists are read. What comes on top is read again.
const HELD_BYTES_MAX: usize = 32 * 1024;

/// A conversation that the connection follows.
pub(super) struct Followed {
    conversation_id: ConversationId,
    topic: Topic,
    gate: Gate,
    /// The latest reading of its past. What an earlier one still brings does not count.
    reading: u32,
    /// The last number that the client said it has.
    has_number: Option<u64>,
}

/// A list that the connection watches.
pub(super) struct Watched {
    /// What it is watched as: the open list may be the one that calls, too. Never empty.
    views: Vec<ViewName>,
    pub(super) topic: Topic,
    /// Frames that wait for the snapshot; nothing once it was sent.
    held: Option<HeldFrames>,
}

/// Frames of a list that wait for its snapshot.
#[derive(Default)]
struct HeldFrames {
    texts: Vec<Bytes>,
    byte_count: usize,
    /// Whether some were lost, so that the snapshot must be read again.
    is_stale: bool,
}

impl HeldFrames {
    fn hold(&mut self, text: Bytes, room_bytes: usize) {
        if self.is_stale || text.len() > room_bytes {
            self.lose();
            return;
        }
        self.byte_count += text.len();
        self.texts.push(text);
    }

    fn lose(&mut self) {
        *self = Self {
            is_stale: true,
            ..Self::default()
        };
    }
}

impl Identified {
    /// Takes notices while there is room to say what they bring.
    pub(crate) fn on_notices(&mut self) {
        while self.out.byte_count() < OUT_BYTES_MAX
            && let Some(notice) = self.mailbox.take()
        {
            match notice {
                Notice::Run(run) => self.on_run(run),
                Notice::Behind(topic) => self.on_behind(topic),
                Notice::Follow(conversation_id) => {
                    if self.followed(conversation_id).is_none() {
                        self.follow_afresh(conversation_id);
                    }
                }
                Notice::Afresh(conversation_id) => {
                    if self.followed(conversation_id).is_some() {
                        self.follow_afresh(conversation_id);
                    }
                }
                Notice::Beat => self.say(frame::beat()),
                Notice::GoAway { return_after_ms } => {
                    self.say(frame::going_away(return_after_ms));
                }
            }
        }
        self.count_held();
    }

    /// Bytes that wait for pasts and lists to be read.
    fn held_bytes(&self) -> usize {
        let gates: usize = self.follows.iter().map(|one| one.gate.held_bytes()).sum();
        let lists = self.watches.iter().filter_map(|one| one.held.as_ref());
        gates + lists.map(|held| held.byte_count).sum::<usize>()
    }

    /// What is held counts against the bound of the connection.
    pub(super) fn count_held(&self) {
        self.mailbox.holds(self.held_bytes());
    }

    /// Takes frames that came together: as they are where nothing stands against it, else one by one.
    fn on_run(&mut self, run: Rc<Run>) {
        let topic = run.topic();
        let passes = if let Some(watched) = self.watches.iter().find(|one| one.topic == topic) {
            watched.held.is_none()
        } else if let Some(followed) = self.follows.iter_mut().find(|one| one.topic == topic) {
            match run.numbers() {
                Some((first, last)) => followed.gate.passes(first, last),
                None => !followed.gate.holds(),
            }
        } else {
            self.topics.contains(&topic)
        };
        if passes {
            self.out.push(Piece::Run(run));
            return;
        }
        for encoded in run.frames() {
            self.on_frame_of(topic, encoded.clone());
        }
    }

    fn on_frame_of(&mut self, topic: Topic, encoded: Encoded) {
        let room_bytes = || HELD_BYTES_MAX.saturating_sub(self.held_bytes());
        if let Some(index) = self.watches.iter().position(|one| one.topic == topic) {
            let room_bytes = self.watches[index]
                .held
                .as_ref()
                .map_or(0, |_| room_bytes());
            match &mut self.watches[index].held {
                Some(held) => held.hold(encoded.text, room_bytes),
                None => self.say(encoded.text),
            }
            return;
        }
        let Some(index) = self.follows.iter().position(|one| one.topic == topic) else {
            // Frames of a topic that was left a moment ago may still be on their way.
            if self.topics.contains(&topic) {
                self.say(encoded.text);
            }
            return;
        };
        match encoded.class {
            Class::Durable { number, .. } => {
                let room_bytes = room_bytes();
                let followed = &mut self.follows[index];
                match followed.gate.offer(number, &encoded.text, room_bytes) {
                    Pass::Send => self.say(encoded.text),
                    Pass::Drop | Pass::Held => {}
                    Pass::Gap(last) => self.heal(index, last),
                }
            }
            Class::Row | Class::Signal { .. } => {
                let room_bytes = room_bytes();
                let gate = &mut self.follows[index].gate;
                if gate.offer_other(&encoded.text, room_bytes) == Pass::Send {
                    self.say(encoded.text);
                }
            }
        }
    }

    /// The mailbox gave frames of this topic up, because the client did not take what came before: they
    /// are read again once it does.
    fn on_behind(&mut self, topic: Topic) {
        if let Some(watched) = self.watches.iter_mut().find(|one| one.topic == topic) {
            match &mut watched.held {
                Some(held) => held.lose(),
                None => {
                    watched.held = Some(HeldFrames::default());
                    self.jobs.push_back(Job::Snapshot(topic));
                }
            }
            return;
        }
        let followed = self.follows.iter_mut().position(|one| one.topic == topic);
        if let Some(index) = followed
            && let Some(last) = self.follows[index].gate.lose()
        {
            self.heal(index, last);
        }
    }

    /// Reads what did not come by itself.
    fn heal(&mut self, index: usize, number: u64) {
        self.shard.doors.metrics.add(Metric::GapsHealed, 1);
        self.read_on(index, number);
    }

    /// Reads the past on after a number.
    fn read_on(&mut self, index: usize, number: u64) {
        let reading = self.next_reading(index);
        self.jobs.push_back(Job::ReadOn {
            conversation_id: self.follows[index].conversation_id,
            number,
            reading,
        });
    }

    /// Another reading of a conversation's past, which takes the place of one that waits.
    fn next_reading(&mut self, index: usize) -> u32 {
        self.reading_count = self.reading_count.wrapping_add(1);
        let followed = &mut self.follows[index];
        followed.reading = self.reading_count;
        let id = followed.conversation_id;
        self.jobs.retain(|job| job.reads() != Some(id));
        self.reading_count
    }

    /// Listens to a topic that needs no proof: its own.
    pub(crate) fn listen(&mut self, topic: Topic) {
        if !self.topics.contains(&topic) {
            self.topics.push(topic);
            self.shard.subscribe(topic, &self.mailbox);
        }
    }

    /// The mailbox listens to these topics already.
    pub(crate) fn listens(&mut self, topics: &[Topic]) {
        self.topics.extend_from_slice(topics);
    }

    fn forget(&mut self, topic: Topic) {
        if let Some(index) = self.topics.iter().position(|one| *one == topic) {
            self.topics.swap_remove(index);
            self.shard.unsubscribe(topic, &self.mailbox);
        }
    }

    pub(super) fn followed(&self, conversation_id: ConversationId) -> Option<usize> {
        self.follows
            .iter()
            .position(|one| one.conversation_id == conversation_id)
    }

    /// Follows a conversation: listens first, then reads the past. Asked again, it is read again from
    /// where the client says that it stands now.
    pub(crate) fn follow(&mut self, follow: Follow) {
        let conversation_id = follow.conversation_id;
        let has_number = follow.position.map(|position| position.number);
        let index = match self.followed(conversation_id) {
            Some(index) => {
                self.follows[index].gate.reattach();
                self.follows[index].has_number = has_number;
                index
            }
            None => {
                let topic = if self.is_visitor() {
                    Topic::ConversationVisitor(conversation_id)
                } else {
                    Topic::ConversationAgents(conversation_id)
                };
                self.listen(topic);
                self.follows.push(Followed {
                    conversation_id,
                    topic,
                    gate: Gate::new(),
                    reading: 0,
                    has_number,
                });
                self.follows.len() - 1
            }
        };
        let reading = self.next_reading(index);
        self.jobs.push_back(Job::Attach { follow, reading });
    }

    fn follow_afresh(&mut self, conversation_id: ConversationId) {
        self.follow(Follow {
            conversation_id,
            position: None,
        });
    }

    pub(super) fn unfollow(&mut self, conversation_id: ConversationId) {
        if let Some(index) = self.followed(conversation_id) {
            let followed = self.follows.swap_remove(index);
            self.forget(followed.topic);
        }
    }

    /// Watches a list: listens first, then reads it whole.
    pub(crate) fn watch(&mut self, watch: &Watch) -> Result<(), Rejection> {
        self.team()?;
        let view = match watch {
            Watch::Inbox(_) => ViewName::Inbox,
            Watch::Notices(_) => ViewName::Notices,
            Watch::Visitors(_) => ViewName::Visitors,
            Watch::Presence { .. } => ViewName::Presence,
        };
        let router = &self.shard.doors.router;
        let topic = router.watch(&self.actor, watch, self.connection_id)?;
        // A list that was left a moment ago and is wanted again must not be left after that.
        self.jobs
            .retain(|job| !matches!(job, Job::Unwatch(left) if *left == topic));
        // The same list again keeps its topic: it is read anew, but not left.
        let known = self.watches.iter().position(|one| one.topic == topic);
        let mut views = match known {
            Some(index) => self.watches.swap_remove(index).views,
            None => Vec::new(),
        };
        let left = self.turn_from(view);
        views.retain(|other| *other != view);
        views.push(view);
        self.listen(topic);
        self.watches.push(Watched {
            views,
            topic,
            held: Some(HeldFrames::default()),
        });
        self.jobs
            .retain(|job| !matches!(job, Job::Snapshot(waiting) if *waiting == topic));
        self.jobs.push_back(Job::Snapshot(topic));
        // After that: what both lists need of other nodes stays known.
        self.jobs.extend(left.map(Job::Unwatch));
        Ok(())
    }

    pub(super) fn unwatch(&mut self, view: ViewName) {
        let left = self.turn_from(view);
        self.jobs.extend(left.map(Job::Unwatch));
    }

    /// Listens to a list no longer, and reads it no more, unless it is another view's too. Gives what is to be left.
    fn turn_from(&mut self, view: ViewName) -> Option<Topic> {
        let is_it = |one: &Watched| one.views.contains(&view);
        let index = self.watches.iter().position(is_it)?;
        let views = &mut self.watches[index].views;
        views.retain(|other| *other != view);
        if !views.is_empty() {
            return None;
        }
        let topic = self.watches.swap_remove(index).topic;
        self.forget(topic);
        self.jobs
            .retain(|job| !matches!(job, Job::Snapshot(waiting) if *waiting == topic));
        Some(topic)
    }

    /// Takes the past of a conversation, or a page of it: the next one is read when this one is out.
    pub(super) fn on_attached(
        &mut self,
        conversation_id: ConversationId,
        reading: u32,
        outcome: Result<Replay, Rejection>,
    ) {
        let Some(index) = self.followed(conversation_id) else {
            return;
        };
        if self.follows[index].reading != reading {
            return;
        }
        let replay = match outcome {
            Ok(replay) => replay,
            // There is no going on without a hole, and nobody asks again: it resumes.
            Err(rejection) if rejection.code.retry() == Retry::Later => {
                self.mailbox.end(CloseCode::Unavailable);
                return;
            }
            Err(rejection) => {
                let followed = self.follows.swap_remove(index);
                self.forget(followed.topic);
                self.say(frame::error(&rejection));
                return;
            }
        };
        let followed = &mut self.follows[index];
        self.has_missed |= followed.has_number != Some(replay.last_number);
        let attached = followed.gate.attached(replay.last_number, replay.more);
        for encoded in replay.frames {
            self.say(encoded.text);
        }
        for text in attached.passed {
            self.say(text);
        }
        if let Some(number) = attached.read_after {
            self.read_on(index, number);
        }
    }

    /// Takes a list, whole.
    pub(super) fn on_snapshot(&mut self, topic: Topic, outcome: Result<Encoded, Rejection>) {
        let Some(watched) = self.watches.iter_mut().find(|one| one.topic == topic) else {
            return;
        };
        match outcome {
            Ok(snapshot) => {
                let held = watched.held.take().unwrap_or_default();
                if held.is_stale {
                    watched.held = Some(HeldFrames::default());
                    self.jobs.push_back(Job::Snapshot(topic));
                }
                self.say(snapshot.text);
                for text in held.texts {
                    self.say(text);
                }
            }
            // Nobody asks again for a list, either.
            Err(rejection) if rejection.code.retry() == Retry::Later => {
                self.mailbox.end(CloseCode::Unavailable);
            }
            Err(rejection) => {
                for view in watched.views.clone() {
                    self.unwatch(view);
                }
                self.say(frame::error(&rejection));
            }
        }
    }
}
