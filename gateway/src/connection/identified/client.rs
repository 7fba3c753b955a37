//! What the client says.

use std::collections::BTreeMap;

use protocol::agent::Sight;
use protocol::frame::{ClientFrame, Follow, Purpose};
use protocol::limit;
use protocol::rejection::{CloseCode, ErrorCode, Rejection};
use protocol::text::{ClientId, cut};

use crate::connection::frame;
use crate::connection::identified::Identified;
use crate::connection::job::{Job, Said};
use crate::metric::Metric;

/// Refused frames, less accepted ones, after which the connection is closed.
const STRIKES_MAX: u16 = 100;
/// Frames that were no frames at all weigh more.
const STRIKES_OF_MALFORMED: u16 = 10;
/// The answer of a client that has nothing to tell.
const BEAT: &[u8] = br#"{"type":"beat"}"#;

impl Identified {
    /// Takes a frame's text.
    pub(crate) fn on_text(&mut self, text: &[u8]) {
        self.shard.doors.metrics.add(Metric::FramesIn, 1);
        if self.jobs.is_empty() {
            self.job_bytes = 0;
        }
        self.job_bytes += text.len();
        let parsed = read(text);
        // A command is counted when its turn comes, and waits for its rate.
        if !matches!(parsed, Ok(ClientFrame::Command { .. }))
            && let Some(limiter) = &self.queue.frames
            && let Err(rejection) = self.shard.doors.limits.frame(limiter)
        {
            self.shard.doors.metrics.add(Metric::RateLimited, 1);
            self.refuse(&rejection, 1, CloseCode::Flooding);
            return;
        }
        match parsed {
            Ok(client_frame) => {
                self.strikes = self.strikes.saturating_sub(1);
                if let Err(rejection) = self.on_frame(client_frame) {
                    self.refuse(&rejection, 1, CloseCode::ProtocolError);
                }
            }
            Err(error) => match command_of(text) {
                // The command is known by name, so its sender can be told which one was refused.
                Some(client_id) => {
                    let rejection = protocol::text::rejection_in(&error);
                    self.say(frame::rejected(client_id, &rejection));
                    self.strike(1, CloseCode::ProtocolError);
                }
                None => self.refuse(
                    &protocol::text::rejection_in(&error),
                    STRIKES_OF_MALFORMED,
                    CloseCode::ProtocolError,
                ),
            },
        }
    }

    fn refuse(&mut self, rejection: &Rejection, weight: u16, code: CloseCode) {
        self.shard.doors.metrics.add(Metric::FramesRefused, 1);
        self.say(frame::error(rejection));
        self.strike(weight, code);
    }

    fn strike(&mut self, weight: u16, code: CloseCode) {
        self.strikes = self.strikes.saturating_add(weight);
        if self.strikes >= STRIKES_MAX {
            self.mailbox.end(code);
        }
    }

    /// A job that only an agent may ask for.
    fn of_team(&mut self, job: Job) -> Result<(), Rejection> {
        self.team()?;
        self.jobs.push_back(job);
        Ok(())
    }

    fn on_frame(&mut self, client_frame: ClientFrame) -> Result<(), Rejection> {
        match client_frame {
            ClientFrame::Hello(_) => return Err(ErrorCode::OutOfOrder.into()),
            ClientFrame::Command { client_id, command } => {
                self.jobs.push_back(Job::Command(Box::new(Said {
                    client_id,
                    command,
                    came: self.shard.doors.world.clock.elapsed(),
                })));
            }
            ClientFrame::Follow(follow) => self.on_follow(follow)?,
            ClientFrame::Unfollow { conversation_id } => self.unfollow(conversation_id),
            ClientFrame::Watch(watch) => self.watch(&watch)?,
            ClientFrame::Unwatch { view } => {
                self.team()?;
                self.unwatch(view);
            }
            ClientFrame::Viewing { conversation_id } => {
                self.of_team(Job::Viewing(conversation_id))?;
            }
            ClientFrame::Availability { availability } => {
                self.of_team(Job::Availability(availability))?;
            }
            ClientFrame::Screen {
                screen,
                conversation_id,
                settings_page,
            } => {
                let sight = Sight::of(screen, conversation_id, settings_page);
                self.of_team(Job::Screen(sight))?;
            }
            ClientFrame::Typing {
                conversation_id,
                text,
                active,
            } => self.jobs.push_back(Job::Typing {
                conversation_id,
                text: text.map(|text| cut(&text, limit::TYPING_BYTES_MAX)),
                active,
            }),
            ClientFrame::Read {
                conversation_id,
                number,
            } => self.jobs.push_back(Job::Read {
                conversation_id,
                number,
            }),
            ClientFrame::Page(page) => {
                self.visitor()?;
                self.jobs.push_back(Job::Page(page));
            }
            ClientFrame::Activity { visible } => {
                self.visitor()?;
                self.jobs.push_back(Job::Activity(visible));
            }
            ClientFrame::Track { name, properties } => {
                self.visitor()?;
                self.jobs.push_back(Job::Track { name, properties });
            }
            ClientFrame::Beat { delivered } => {
                if delivered.len() > limit::FOLLOWS_MAX {
                    return Err(Rejection::of(ErrorCode::TooMany, "delivered"));
                }
                if !delivered.is_empty() {
                    self.jobs.push_back(Job::Delivered(delivered));
                }
            }
        }
        Ok(())
    }

    fn on_follow(&mut self, follow: Follow) -> Result<(), Rejection> {
        self.full()?;
        let is_new = self.followed(follow.conversation_id).is_none();
        if is_new && self.follows.len() >= limit::FOLLOWS_MAX {
            return Err(Rejection::of(ErrorCode::TooMany, "conversation_id"));
        }
        self.follow(follow);
        Ok(())
    }

    pub(super) fn team(&self) -> Result<(), Rejection> {
        if self.is_visitor() {
            Err(ErrorCode::Forbidden.into())
        } else {
            Ok(())
        }
    }

    fn visitor(&self) -> Result<(), Rejection> {
        if self.is_visitor() {
            Ok(())
        } else {
            Err(ErrorCode::Forbidden.into())
        }
    }

    fn full(&self) -> Result<(), Rejection> {
        match self.purpose {
            Purpose::Full => Ok(()),
            Purpose::Launcher => Err(ErrorCode::Forbidden.into()),
        }
    }
}

/// Reads a frame. What clients at rest say, and nothing else, is known by its bytes.
fn read(text: &[u8]) -> serde_json::Result<ClientFrame> {
    if text == BEAT {
        return Ok(ClientFrame::Beat {
            delivered: BTreeMap::new(),
        });
    }
    serde_json::from_slice(text)
}

/// The name of the command in a frame that could not be read whole.
fn command_of(text: &[u8]) -> Option<ClientId> {
    #[derive(serde::Deserialize)]
    struct Named {
        r#type: String,
        client_id: ClientId,
    }
    let named: Named = serde_json::from_slice(text).ok()?;
    (named.r#type == "command").then_some(named.client_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_without_news_is_read_as_the_wire_has_it() {
        let read_whole = serde_json::from_slice::<ClientFrame>(BEAT).unwrap();
        assert_eq!(read(BEAT).unwrap(), read_whole);
        assert_eq!(serde_json::to_vec(&read_whole).unwrap(), BEAT);
    }
}
