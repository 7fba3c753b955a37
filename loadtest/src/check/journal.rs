//! What one client did and heard, in order: the history of a broken promise.

use std::collections::VecDeque;
use std::fmt::{self, Display};
use std::time::Duration;

use protocol::id::ConversationId;

/// Events that a client keeps.
const EVENTS_MAX: usize = 20_000;

/// Events that a history tells: as many of its beginning as of its end.
const TOLD_MAX: usize = 60;

/// How many numbers before and after the one in question belong to its history.
const AROUND: u64 = 2;

/// Something that a client did or heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It connected.
    Connected,
    /// It lost its connection, and how.
    Lost(String),
    /// It cut its connection itself.
    CutOff,
    /// It found the store in another life, and begins anew.
    Reborn,
    /// It sent a message of the plan, for the first time or again.
    Sent(u64),
    /// A message of the plan was acknowledged with a number.
    Acknowledged(u64),
    /// A message of the plan was refused, or put off.
    Refused(u64, &'static str),
    /// It was shown an entry.
    Shown,
    /// It was given entries in a row, as a resume or afresh.
    Given(&'static str),
}

/// An event with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    at: Duration,
    event: Event,
    /// In which conversation, and from which number to which; nothing for events of the connection.
    place: Option<(ConversationId, u64, u64)>,
}

/// The journal of a client: its newest events.
#[derive(Debug, Default)]
pub struct Journal {
    lines: VecDeque<Line>,
}

impl Journal {
    /// Notes an event of the connection.
    pub fn note(&mut self, at: Duration, event: Event) {
        self.push(Line {
            at,
            event,
            place: None,
        });
    }

    /// Notes an event of a conversation that concerns the numbers from `first` to `last`.
    pub fn note_at(
        &mut self,
        at: Duration,
        event: Event,
        id: ConversationId,
        (first, last): (u64, u64),
    ) {
        self.push(Line {
            at,
            event,
            place: Some((id, first, last)),
        });
    }

    fn push(&mut self, line: Line) {
        if self.lines.len() == EVENTS_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

/// What several clients did and heard about a message of the plan and around a number of a
/// conversation, in the order of time.
#[must_use]
pub fn history(
    journals: &[(&str, &Journal)],
    id: ConversationId,
    number: u64,
    index: Option<u64>,
) -> Vec<String> {
    let (first, last) = (number.saturating_sub(AROUND), number + AROUND);
    let is_near = |line: &Line| match (&line.event, line.place) {
        (Event::Sent(sent) | Event::Acknowledged(sent) | Event::Refused(sent, _), _)
            if Some(*sent) == index =>
        {
            true
        }
        (_, None) => false,
        (_, Some((place, from, to))) => number > 0 && place == id && from <= last && to >= first,
    };
    let near = || {
        journals
            .iter()
            .flat_map(|(_, one)| one.lines.iter())
            .filter(|line| is_near(line))
    };
    let Some(begin) = near().map(|line| line.at).min() else {
        return Vec::new();
    };
    // What never came to a number is told of to the end: it is in what came after that the reason lies.
    let end = match number {
        0 => Duration::MAX,
        _ => near().map(|line| line.at).max().unwrap_or(begin),
    };
    let mut told: Vec<(Duration, String)> = Vec::new();
    for (who, journal) in journals {
        for line in &journal.lines {
            let is_meanwhile = is_of_connection(&line.event) && (begin..=end).contains(&line.at);
            if is_near(line) || is_meanwhile {
                told.push((line.at, format!("{who} {line}")));
            }
        }
    }
    told.sort();
    let untold = told.len().saturating_sub(TOLD_MAX);
    if untold > 0 {
        let words = format!("… {untold} more …");
        let range = TOLD_MAX / 2..TOLD_MAX / 2 + untold;
        let _left_out = told.splice(range, [(end, words)]);
    }
    told.into_iter().map(|(_, text)| text).collect()
}

fn is_of_connection(event: &Event) -> bool {
    match event {
        Event::Connected | Event::Lost(_) | Event::CutOff | Event::Reborn => true,
        Event::Sent(_)
        | Event::Acknowledged(_)
        | Event::Refused(..)
        | Event::Shown
        | Event::Given(_) => false,
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {:.3} s ", self.at.as_secs_f64())?;
        match &self.event {
            Event::Connected => write!(f, "connected")?,
            Event::Lost(how) => write!(f, "lost the connection: {how}")?,
            Event::CutOff => write!(f, "cut the connection")?,
            Event::Reborn => write!(f, "found the store in another life")?,
            Event::Sent(index) => write!(f, "sent load {index}")?,
            Event::Acknowledged(index) => write!(f, "got load {index} acknowledged")?,
            Event::Refused(index, code) => write!(f, "got load {index} answered with {code}")?,
            Event::Shown => write!(f, "was shown")?,
            Event::Given(how) => write!(f, "was given, {how},")?,
        }
        match self.place {
            None => Ok(()),
            Some((_, first, last)) if first == last => write!(f, " number {first}"),
            Some((_, first, last)) => write!(f, " numbers {first} to {last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    #[test]
    fn a_history_tells_what_happened_around_a_number_and_meanwhile() {
        let id = ConversationId::from_bits(1);
        let other = ConversationId::from_bits(2);
        let at = Duration::from_secs;
        let (mut visitor, mut agent) = (Journal::default(), Journal::default());
        visitor.note(at(1), Event::Connected);
        visitor.note_at(at(2), Event::Shown, id, (5, 5));
        visitor.note_at(at(2), Event::Shown, other, (6, 6));
        agent.note(at(3), Event::Lost("closed".to_owned()));
        agent.note_at(at(4), Event::Given("resumed"), id, (3, 40));
        agent.note(at(9), Event::CutOff);
        let told = history(&[("visitor", &visitor), ("agent", &agent)], id, 6, None);
        let expected = [
            "visitor at 2.000 s was shown number 5",
            "agent at 3.000 s lost the connection: closed",
            "agent at 4.000 s was given, resumed, numbers 3 to 40",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_long_history_tells_how_it_began_and_how_it_ended() {
        let id = ConversationId::from_bits(1);
        let mut visitor = Journal::default();
        for number in 0..TOLD_MAX as u64 + 5 {
            visitor.note_at(Duration::from_secs(number), Event::Shown, id, (6, 6));
        }
        let told = history(&[("visitor", &visitor)], id, 6, None);
        assert_eq!(told.len(), TOLD_MAX + 1);
        assert_eq!(told[0], "visitor at 0.000 s was shown number 6");
        assert_eq!(told[TOLD_MAX / 2], "… 5 more …");
        assert_eq!(told[TOLD_MAX], "visitor at 64.000 s was shown number 6");
    }

    #[test]
    fn a_message_without_a_number_has_a_history_too() {
        let mut visitor = Journal::default();
        visitor.note(Duration::from_secs(1), Event::Sent(4));
        visitor.note(Duration::from_secs(2), Event::Sent(5));
        visitor.note(Duration::from_secs(9), Event::Connected);
        let told = history(
            &[("visitor", &visitor)],
            ConversationId::from_bits(1),
            0,
            Some(5),
        );
        let expected = [
            "visitor at 2.000 s sent load 5",
            "visitor at 9.000 s connected",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_journal_keeps_its_newest_events() {
        let mut journal = Journal::default();
        for index in 0..EVENTS_MAX as u64 + 5 {
            journal.note(Duration::ZERO, Event::Sent(index));
        }
        assert_eq!(journal.lines.len(), EVENTS_MAX);
        assert_eq!(journal.lines[0].event, Event::Sent(5));
    }
}
