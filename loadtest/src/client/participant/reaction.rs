//! What a client does about what it hears: keeps logs, asks for gaps, answers beats, sends again what
//! a store has lost.

use protocol::command::Ack;
use protocol::entry::Entry;
use protocol::frame::{ClientFrame, Follow};
use protocol::id::ConversationId;
use protocol::news::{AgentNews, Continuity, VisitorNews};

use super::{Broken, Client};
use crate::client::log::{Break, Line, Log};
use crate::client::news::{Lines, News};

impl Client {
    /// Does what a frame asks of a client. What it has to say is due with the next look at the connection.
    pub(super) fn take(&mut self, news: &News) {
        match news {
            News::Visitor(news) => match news {
                VisitorNews::Ack(ack) => self.outbox.accepted(ack),
                VisitorNews::Rejected(it) => {
                    self.outbox.rejected(&it.client_id, &it.problem);
                    self.retry_later(it);
                }
                VisitorNews::Entry { entry } => {
                    let line = Line::from(entry.clone());
                    self.take_line(entry.conversation_id, line);
                }
                VisitorNews::Entries(batch) => self.take_lines(batch.clone().into()),
                VisitorNews::Beat => self.answer_beat(),
                VisitorNews::Welcome { .. }
                | VisitorNews::Conversation { .. }
                | VisitorNews::Typing { .. }
                | VisitorNews::Marks { .. }
                | VisitorNews::Unread { .. }
                | VisitorNews::Staff(_)
                | VisitorNews::Config(_)
                | VisitorNews::GoingAway(_)
                | VisitorNews::Error { .. } => {}
            },
            News::Agent(news) => match news {
                AgentNews::Ack(ack) => self.outbox.accepted(ack),
                AgentNews::Rejected(it) => {
                    self.outbox.rejected(&it.client_id, &it.problem);
                    self.retry_later(it);
                }
                AgentNews::Entry { entry } => {
                    let line = Line::from(Entry::clone(entry));
                    self.take_line(entry.conversation_id, line);
                }
                AgentNews::Entries(batch) => self.take_lines(batch.clone().into()),
                AgentNews::Beat => self.answer_beat(),
                AgentNews::Welcome { .. }
                | AgentNews::Typing { .. }
                | AgentNews::Marks { .. }
                | AgentNews::Viewing { .. }
                | AgentNews::Conversation { .. }
                | AgentNews::Inbox { .. }
                | AgentNews::InboxChanges { .. }
                | AgentNews::Read { .. }
                | AgentNews::Visitors { .. }
                | AgentNews::VisitorChanges { .. }
                | AgentNews::VisitorPresence { .. }
                | AgentNews::Team { .. }
                | AgentNews::TeamPresence { .. }
                | AgentNews::Contact { .. }
                | AgentNews::Changed { .. }
                | AgentNews::GoingAway(_)
                | AgentNews::Error { .. } => {}
            },
        }
    }

    fn take_line(&mut self, id: ConversationId, line: Line) {
        let epoch = self.epoch;
        let log = self.logs.entry(id).or_insert_with(|| Log::new(epoch));
        let Err(broken) = log.take(line) else {
            return;
        };
        let position = log.position();
        let is_gap = matches!(broken, Break::Gap { .. });
        self.note(id, broken);
        if is_gap {
            let follow = Follow {
                conversation_id: id,
                position,
            };
            self.due.push_back(ClientFrame::Follow(follow));
        }
    }

    fn take_lines(&mut self, lines: Lines) {
        let id = lines.conversation_id;
        let epoch = lines.position.map_or(self.epoch, |position| position.epoch);
        let log = self.logs.entry(id).or_insert_with(|| Log::new(epoch));
        let is_afresh = lines.continuity == Continuity::Afresh;
        let taken = log.take_all(epoch, lines.continuity, lines.lines, lines.position);
        match taken {
            // What came is not what it has.
            Err(broken) => self.note(id, broken),
            Ok(()) if is_afresh => self.decide(id),
            Ok(()) => {}
        }
        if is_afresh {
            self.send_missing(id);
        }
    }

    /// Ends the doubt about a conversation, and with the last one sends what the store has lost.
    fn decide(&mut self, id: ConversationId) {
        let page = self.logs.get(&id).map_or(&[][..], Log::lines);
        let was_in_doubt = self.outbox.is_in_doubt();
        self.outbox.decide(id, page);
        if was_in_doubt && !self.outbox.is_in_doubt() {
            self.retry_at = Some(self.world.clock.elapsed());
        }
    }

    /// Sends again what this conversation had and no longer has. Sending what is there after all is
    /// harmless: the same id gets the same answer.
    fn send_missing(&mut self, id: ConversationId) {
        let Some(log) = self.logs.get(&id) else {
            return;
        };
        let first = log.lines().first().map_or(0, |line| line.number);
        let known = |ack: &Ack| {
            let elsewhere = ack.conversation_id != Some(id);
            let older = ack.number.is_some_and(|number| number < first);
            let here = log
                .lines()
                .iter()
                .any(|line| Some(line.entry_id) == ack.entry_id);
            elsewhere || older || here
        };
        let missing = self.outbox.reopen_missing(self.world.clock.now_ms(), known);
        if !missing.is_empty() {
            for client_id in &missing {
                self.hold(client_id);
            }
            self.retry_at = self.retry_at.max(Some(self.world.clock.elapsed()));
        }
    }

    fn answer_beat(&mut self) {
        let numbers = self.logs.iter().map(|(id, log)| (*id, log.number()));
        let delivered = numbers.filter(|(_, number)| *number > 0).collect();
        self.due.push_back(ClientFrame::Beat { delivered });
    }

    fn note(&mut self, id: ConversationId, broken: Break) {
        self.broken.push(Broken {
            conversation_id: id,
            what: broken,
        });
    }
}
