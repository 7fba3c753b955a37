//! What the connection listens to: its own topics, followed conversations behind their gates, watched
//! lists behind their snapshots. And what the shard says about them.

use bytes::Bytes;
use protocol::frame::{Follow, Watch};
use protocol::id::ConversationId;
use protocol::rejection::{CloseCode, Rejection};
use protocol::view::ViewName;
use router::{Class, Encoded, Replay, Topic};

use crate::connection::frame;
use crate::connection::gate::{Gate, Pass};
use crate::connection::identified::Identified;
use crate::connection::job::Job;
use crate::metric::Metric;
use crate::shard::mailbox::Notice;

/// Frames of a list that may wait for its snapshot.
const HELD_MAX: usize = 256;

/// A conversation that the connection follows.
pub(super) struct Followed {
    conversation_id: ConversationId,
    topic: Topic,
    gate: Gate,
    /// The last number that the client said it has.
    has_number: Option<u64>,
    /// Whether a replay has proved the right to it: until then nothing of the topic passes.
    proved: bool,
}

/// A list that the connection watches.
pub(super) struct Watched {
    view: ViewName,
    pub(super) topic: Topic,
    /// Frames that wait for the snapshot; nothing once it was sent.
    held: Option<Vec<Bytes>>,
}

impl Identified {
    /// Takes all notices.
    pub(crate) fn on_notices(&mut self) {
        while let Some(notice) = self.mailbox.take() {
            match notice {
                Notice::Frame { topic, frame } => self.on_frame_of(topic, frame),
                Notice::Follow(conversation_id) => {
                    if self.followed(conversation_id).is_none() {
                        self.follow(Follow {
                            conversation_id,
                            position: None,
                        });
                    }
                }
                Notice::Beat => self.say(frame::beat()),
                Notice::GoAway { return_after_ms } => {
                    self.say(frame::going_away(return_after_ms));
                }
            }
        }
    }

    fn on_frame_of(&mut self, topic: Topic, encoded: Encoded) {
        if let Some(watched) = self.watches.iter_mut().find(|one| one.topic == topic) {
            match &mut watched.held {
                Some(held) if held.len() >= HELD_MAX => self.mailbox.end(CloseCode::TooSlow),
                Some(held) => held.push(encoded.text),
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
        let followed = &mut self.follows[index];
        match encoded.class {
            Class::Durable { number, .. } => match followed.gate.offer(number, &encoded.text) {
                Pass::Send => self.say(encoded.text),
                Pass::Drop | Pass::Held => {}
                Pass::Gap => {
                    let conversation_id = followed.conversation_id;
                    self.heal(conversation_id);
                }
                Pass::Overflow => self.mailbox.end(CloseCode::TooSlow),
            },
            Class::Row | Class::Signal { .. } => {
                if followed.proved {
                    self.say(encoded.text);
                }
            }
        }
    }

    /// Reads again what is missing.
    fn heal(&mut self, conversation_id: ConversationId) {
        self.shard.doors.metrics.add(Metric::GapsHealed, 1);
        self.jobs.push_back(Job::Attach(Follow {
            conversation_id,
            position: None,
        }));
    }

    /// Listens to a topic that needs no proof: its own.
    pub(crate) fn listen(&mut self, topic: Topic) {
        if !self.topics.contains(&topic) {
            self.topics.push(topic);
            self.shard.subscribe(topic, &self.mailbox);
        }
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

    /// Follows a conversation: listens first, then reads the past.
    pub(crate) fn follow(&mut self, follow: Follow) {
        let conversation_id = follow.conversation_id;
        match self.followed(conversation_id) {
            Some(index) => self.follows[index].gate.reattach(),
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
                    has_number: follow.position.map(|position| position.number),
                    proved: false,
                });
            }
        }
        self.jobs.push_back(Job::Attach(follow));
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
            Watch::Inbox { .. } => ViewName::Inbox,
            Watch::Visitors { .. } => ViewName::Visitors,
        };
        let router = &self.shard.doors.router;
        let topic = router.watch(&self.actor, watch, self.connection_id)?;
        // A list that was left a moment ago and is wanted again must not be left after that.
        self.jobs
            .retain(|job| !matches!(job, Job::Unwatch(left) if *left == topic));
        // The same list again keeps its topic: it is read anew, but not left.
        let is_same = self.watches.iter().any(|one| one.topic == topic);
        if is_same {
            self.watches.retain(|one| one.topic != topic);
        } else {
            self.unwatch(view);
        }
        self.listen(topic);
        self.watches.push(Watched {
            view,
            topic,
            held: Some(Vec::new()),
        });
        self.jobs.push_back(Job::Snapshot(topic));
        Ok(())
    }

    pub(super) fn unwatch(&mut self, view: ViewName) {
        let found = self.watches.iter().position(|one| one.view == view);
        if let Some(index) = found {
            let watched = self.watches.swap_remove(index);
            self.forget(watched.topic);
            self.jobs.push_back(Job::Unwatch(watched.topic));
        }
    }

    /// Takes the past of a conversation.
    pub(super) fn on_attached(
        &mut self,
        conversation_id: ConversationId,
        outcome: Result<Replay, Rejection>,
    ) {
        let Some(index) = self.followed(conversation_id) else {
            return;
        };
        let replay = match outcome {
            Ok(replay) => replay,
            Err(rejection) => {
                let followed = self.follows.swap_remove(index);
                self.forget(followed.topic);
                self.say(frame::error(&rejection));
                return;
            }
        };
        let followed = &mut self.follows[index];
        followed.proved = true;
        self.has_missed |= followed.has_number != Some(replay.last_number);
        let (passed, missing) = followed.gate.attached(replay.last_number);
        for encoded in replay.frames {
            self.say(encoded.text);
        }
        for text in passed {
            self.say(text);
        }
        if missing {
            self.heal(conversation_id);
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
                self.say(snapshot.text);
                for text in held {
                    self.say(text);
                }
            }
            Err(rejection) => {
                let view = watched.view;
                self.unwatch(view);
                self.say(frame::error(&rejection));
            }
        }
    }
}
