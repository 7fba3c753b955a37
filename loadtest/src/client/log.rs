//! What was said in a conversation, as one reader got it; it refuses whatever breaks the order.

use protocol::entry::{Author, Content, Entry, VisitorAuthor, VisitorContent, VisitorEntry};
use protocol::id::{AgentId, EntryId};
use protocol::news::Continuity;
use protocol::position::Position;
use protocol::text::ClientId;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The customer's side.
    Customer,
    /// A member of the team.
    Agent(AgentId),
    /// A program of the team.
    Program,
    /// The assistant.
    Ai,
    /// Switchboard itself.
    System,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A message: its words and how many files came with it.
    Message(String, usize),
    /// A note.
    Note(String),
    /// An earlier line says something else now.
    Edited(EntryId, String),
    /// An earlier line was taken back.
    Deleted(EntryId),
    /// Anything else, by its kind.
    Other(&'static str),
}

/// A line of the log, the same for both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the reader's own counting.
    pub number: u64,
    /// Its id.
    pub entry_id: EntryId,
    /// When it was stored.
    pub sent_at_ms: u64,
    /// Who made it.
    pub speaker: Speaker,
    /// The author's name for the command, where the reader may know it.
    pub client_id: Option<ClientId>,
    /// What it says.
    pub said: Said,
}

impl Line {
    /// What it says, where it is a message.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &self.said {
            Said::Message(body, _) => Some(body),
            Said::Note(_) | Said::Edited(..) | Said::Deleted(_) | Said::Other(_) => None,
        }
    }
}

/// How a server broke the order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// A number was left out.
    #[error("number {found} came where {expected} was due")]
    Gap {
        /// What was due.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// A number came twice.
    #[error("number {0} came again")]
    Doubled(u64),
    /// A number names another entry than before.
    #[error("number {0} is another entry now")]
    Changed(u64),
    /// Time went back.
    #[error("the time of number {0} lies before that of the one before")]
    BackInTime(u64),
    /// The position that came with entries is not that of the last of them.
    #[error("the position says {position}, the last entry is {last}")]
    Position {
        /// What the position says.
        position: u64,
        /// What came last.
        last: u64,
    },
}

impl Break {
    /// The number in question.
    #[must_use]
    pub fn number(&self) -> u64 {
        match self {
            Self::Gap { expected, .. } => *expected,
            Self::Doubled(number) | Self::Changed(number) | Self::BackInTime(number) => *number,
            Self::Position { position, .. } => *position,
        }
    }
}

/// The log of one conversation.
#[derive(Debug, Clone, Default)]
pub struct Log {
    epoch: u64,
    lines: Vec<Line>,
}

impl Log {
    /// An empty log.
    #[must_use]
    pub fn new(epoch: u64) -> Self {
        Self {
            epoch,
            lines: Vec::new(),
        }
    }

    /// The life of the store that its numbers are of.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The lines, in order.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The last number; 0 before the first line.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.lines.last().map_or(0, |line| line.number)
    }

    /// Where the reader stands.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.lines.last().map(|line| Position {
            epoch: self.epoch,
            number: line.number,
            entry_id: line.entry_id,
        })
    }

    /// The line that came of a command.
    #[must_use]
    pub fn find(&self, client_id: &ClientId) -> Option<&Line> {
        let named = |line: &&Line| line.client_id.as_ref() == Some(client_id);
        self.lines.iter().find(named)
    }

    /// The messages as they read today: edits and deletions are applied.
    #[must_use]
    pub fn messages(&self) -> Vec<(Speaker, String)> {
        let mut shown: Vec<(EntryId, Speaker, String)> = Vec::new();
        for line in &self.lines {
            match &line.said {
                Said::Message(body, _) => shown.push((line.entry_id, line.speaker, body.clone())),
                Said::Edited(target, body) => {
                    if let Some(message) = shown.iter_mut().find(|message| message.0 == *target) {
                        message.2.clone_from(body);
                    }
                }
                Said::Deleted(target) => shown.retain(|message| message.0 != *target),
                Said::Note(_) | Said::Other(_) => {}
            }
        }
        shown
            .into_iter()
            .map(|(_, speaker, body)| (speaker, body))
            .collect()
    }

    /// Takes the next live line.
    ///
    /// # Errors
    /// How the order is broken; the log stays as it was.
    pub fn take(&mut self, line: Line) -> Result<(), Break> {
        let expected = self.number() + 1;
        if line.number > expected {
            let found = line.number;
            return Err(Break::Gap { expected, found });
        }
        if line.number < expected {
            let known = self.lines.iter().find(|known| known.number == line.number);
            return Err(match known {
                Some(known) if known.entry_id != line.entry_id => Break::Changed(line.number),
                Some(_) | None => Break::Doubled(line.number),
            });
        }
        if self
            .lines
            .last()
            .is_some_and(|last| last.sent_at_ms > line.sent_at_ms)
        {
            return Err(Break::BackInTime(line.number));
        }
        self.lines.push(line);
        Ok(())
    }

    /// Forgets all but the last lines; those who keep a record of their own need no more.
    pub fn keep_last(&mut self, count: usize) {
        let from = self.lines.len().saturating_sub(count);
        self.lines.drain(..from);
    }

    /// Takes entries in a row: those that were missing, or a newest page that replaces all.
    ///
    /// # Errors
    /// How the order is broken.
    pub fn take_all(
        &mut self,
        epoch: u64,
        continuity: Continuity,
        lines: Vec<Line>,
        position: Option<Position>,
    ) -> Result<(), Break> {
        match continuity {
            Continuity::Resumed => {
                for line in lines {
                    self.take(line)?;
                }
            }
            Continuity::Afresh => self.replace(epoch, lines)?,
        }
        self.epoch = epoch;
        if let Some(position) = position
            && (position.number != self.number() || position.epoch != epoch)
        {
            let last = self.number();
            let position = position.number;
            return Err(Break::Position { position, last });
        }
        Ok(())
    }

    /// Takes a newest page. In the same life of the store the numbers keep their entries.
    fn replace(&mut self, epoch: u64, lines: Vec<Line>) -> Result<(), Break> {
        if epoch == self.epoch {
            for line in &lines {
                let known = self.lines.iter().find(|known| known.number == line.number);
                if known.is_some_and(|known| known.entry_id != line.entry_id) {
                    return Err(Break::Changed(line.number));
                }
            }
        }
        for pair in lines.windows(2) {
            if pair[1].number != pair[0].number + 1 {
                let expected = pair[0].number + 1;
                let found = pair[1].number;
                return Err(Break::Gap { expected, found });
            }
        }
        self.lines = lines;
        Ok(())
    }
}

impl From<VisitorEntry> for Line {
    fn from(entry: VisitorEntry) -> Self {
        Self {
            number: entry.number,
            entry_id: entry.id,
            sent_at_ms: entry.sent_at_ms,
            speaker: match entry.author {
                VisitorAuthor::You => Speaker::Customer,
                VisitorAuthor::Agent { agent_id, .. } => Speaker::Agent(agent_id),
                VisitorAuthor::Team => Speaker::Program,
                VisitorAuthor::Ai => Speaker::Ai,
                VisitorAuthor::System => Speaker::System,
            },
            client_id: entry.client_id,
            said: match entry.content {
                VisitorContent::Message { message } => {
                    Said::Message(message.body, message.attachments.len())
                }
                VisitorContent::Edited { target_id, message } => {
                    Said::Edited(target_id, message.body)
                }
                VisitorContent::Deleted { target_id } => Said::Deleted(target_id),
                VisitorContent::Joined => Said::Other("joined"),
                VisitorContent::Left => Said::Other("left"),
                VisitorContent::Reopened => Said::Other("reopened"),
                VisitorContent::Closed => Said::Other("closed"),
            },
        }
    }
}

impl From<Entry> for Line {
    fn from(entry: Entry) -> Self {
        let kind = entry.content.kind();
        Self {
            number: entry.seq,
            entry_id: entry.id,
            sent_at_ms: entry.sent_at_ms,
            speaker: match entry.author {
                Author::Visitor { .. } => Speaker::Customer,
                Author::Agent { agent_id } => Speaker::Agent(agent_id),
                Author::Key { .. } => Speaker::Program,
                Author::Ai => Speaker::Ai,
                Author::System => Speaker::System,
            },
            client_id: entry.client_id,
            said: match entry.content {
                Content::Message { message } => {
                    Said::Message(message.body, message.attachments.len())
                }
                Content::Note { message } => Said::Note(message.body),
                Content::Edited { target_id, message } => Said::Edited(target_id, message.body),
                Content::Deleted { target_id } => Said::Deleted(target_id),
                Content::Joined { .. }
                | Content::Left { .. }
                | Content::Assigned { .. }
                | Content::Moved { .. }
                | Content::Snoozed { .. }
                | Content::Reopened { .. }
                | Content::Closed
                | Content::Prioritized { .. }
                | Content::SpamMarked { .. }
                | Content::VisitorBlocked { .. } => Said::Other(kind),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    fn line(number: u64) -> Line {
        Line {
            number,
            entry_id: EntryId::from_bits(u128::from(number)),
            sent_at_ms: number,
            speaker: Speaker::Customer,
            client_id: None,
            said: Said::Message(format!("message {number}"), 0),
        }
    }

    #[test]
    fn a_gap_a_double_and_a_change_are_each_told() {
        let mut log = Log::new(1);
        log.take(line(1)).expect("the first");
        assert_eq!(log.take(line(1)), Err(Break::Doubled(1)));
        let gap = Break::Gap {
            expected: 2,
            found: 3,
        };
        assert_eq!(log.take(line(3)), Err(gap));
        let mut other = line(1);
        other.entry_id = EntryId::from_bits(99);
        assert_eq!(log.take(other), Err(Break::Changed(1)));
        let mut early = line(2);
        early.sent_at_ms = 0;
        assert_eq!(log.take(early), Err(Break::BackInTime(2)));
        assert_eq!(log.number(), 1);
    }

    #[test]
    fn a_newest_page_replaces_all_and_must_be_dense() {
        let mut log = Log::new(1);
        log.take(line(1)).expect("the first");
        let page = vec![line(7), line(8)];
        log.take_all(1, Continuity::Afresh, page, None)
            .expect("a page");
        assert_eq!(log.number(), 8);
        let holed = vec![line(7), line(9)];
        assert!(log.take_all(1, Continuity::Afresh, holed, None).is_err());
    }

    #[test]
    fn another_life_of_the_store_may_number_anew() {
        let mut log = Log::new(1);
        log.take(line(1)).expect("the first");
        let mut other = line(1);
        other.entry_id = EntryId::from_bits(99);
        let same_life = log
            .clone()
            .take_all(1, Continuity::Afresh, vec![other.clone()], None);
        assert_eq!(same_life, Err(Break::Changed(1)));
        assert_eq!(
            log.take_all(2, Continuity::Afresh, vec![other], None),
            Ok(())
        );
    }
}
