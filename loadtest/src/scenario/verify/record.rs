//! A reader's own record of a conversation: every entry that he was shown, in the order he was shown
//! it, with the holes that a newest page left.

use std::time::Duration;

use protocol::entry::{Entry, VisitorEntry};
use protocol::id::{ConversationId, EntryId};
use protocol::news::Batch;
use protocol::text::ClientId;

use crate::Error;
use crate::client::http::{Call, Http};
use crate::client::{Access, Line};
use crate::scenario::plan::planned;

/// A message that somebody sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its index in the plan.
    pub index: u64,
    /// Where.
    pub conversation_id: ConversationId,
    /// When it was due.
    pub due: Duration,
    /// Under which number and id it was acknowledged, in the present life of the store.
    pub acked: Option<Place>,
    /// The same, in the last life before in which it was.
    pub acked_before: Option<Place>,
    /// Whether a life of the store lost what it had acknowledged: it stands elsewhere in a later one.
    pub is_anew: bool,
    /// Whether it was sent over HTTP, too.
    pub by_http: bool,
}

impl Sent {
    /// Takes in where it is stored in the present life of the store. Gives the place that was told before in this life,
    /// which stays; nothing where this is the first.
    pub fn acknowledge(&mut self, place: Place) -> Option<Place> {
        if self.acked.is_none() {
            self.is_anew |= self.acked_before.is_some_and(|before| before != place);
            self.acked = Some(place);
            return None;
        }
        self.acked
    }

    /// The store lives another life, in which it is to be acknowledged anew.
    pub fn begin_anew(&mut self) {
        self.acked_before = self.acked.take().or(self.acked_before);
    }
}

/// A number and an id.
pub type Place = (u64, Option<EntryId>);

/// Something that was shown just now.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The author's name for it, on his own side.
    pub client_id: Option<ClientId>,
    /// When it was due by the plan.
    pub due: Option<Duration>,
}

/// What a reader was shown of a conversation.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Numbers and ids, in the order of showing.
    shown: Vec<(u64, EntryId)>,
    planned_count: u64,
    /// The life of the store that all of it is of.
    epoch: u64,
    /// What was left out and is still to be read: from which number to which.
    holes: Vec<(u64, u64)>,
}

impl Record {
    /// The last number that was shown.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.shown.last().map_or(0, |(number, _)| *number)
    }

    /// All that was shown.
    #[must_use]
    pub fn shown(&self) -> &[(u64, EntryId)] {
        &self.shown
    }

    /// The life of the store that the record is of.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Begins anew where the store lives another life: what was shown before may be gone, and numbers name something
    /// else. Says whether it did.
    pub fn live_in(&mut self, epoch: u64) -> bool {
        let is_another = self.epoch != epoch;
        if is_another {
            *self = Self {
                epoch,
                ..Self::default()
            };
        }
        is_another
    }

    /// How many messages of the plan were shown.
    #[must_use]
    pub fn planned_count(&self) -> u64 {
        self.planned_count
    }

    /// Takes in the lines of a client's log that are new.
    pub fn take(&mut self, lines: &[Line]) -> Vec<Shown> {
        let last = self.last();
        let new = lines.iter().rev().take_while(|line| line.number > last);
        let new = &lines[lines.len() - new.count()..];
        if let Some(first) = new.first()
            && first.number > last + 1
        {
            self.holes.push((last + 1, first.number - 1));
        }
        new.iter().map(|line| self.push(line)).collect()
    }

    fn push(&mut self, line: &Line) -> Shown {
        self.shown.push((line.number, line.entry_id));
        let due = due_of(line);
        self.planned_count += u64::from(due.is_some());
        Shown {
            client_id: line.client_id.clone(),
            due,
        }
    }

    /// The number before which entries are still to be read.
    #[must_use]
    pub fn hole(&self) -> Option<u64> {
        self.holes.first().map(|(_, last)| last + 1)
    }

    /// Takes in entries that were left out, in number order: the end of the first hole.
    pub fn fill(&mut self, lines: &[Line]) {
        let Some((first, last)) = self.holes.first().copied() else {
            return;
        };
        let inside = lines
            .iter()
            .filter(|line| (first..=last).contains(&line.number));
        let inside: Vec<&Line> = inside.collect();
        let Some(lowest) = inside.first().map(|line| line.number) else {
            self.holes.remove(0);
            return;
        };
        let place = self.shown.partition_point(|(number, _)| *number < first);
        let behind = self.shown.split_off(place);
        for line in inside {
            self.push(line);
        }
        self.shown.extend(behind);
        if lowest == first {
            self.holes.remove(0);
        } else {
            self.holes[0].1 = lowest - 1;
        }
    }
}

fn due_of(line: &Line) -> Option<Duration> {
    let (_, due) = line.message().and_then(planned)?;
    Some(due)
}

/// Entries before a number, as either side reads them over HTTP.
///
/// # Errors
/// The server's refusal, or the network's failure.
pub async fn read_older(
    http: &mut Http,
    access: &Access,
    id: ConversationId,
    before: u64,
) -> Result<Vec<Line>, Error> {
    let side = match access {
        Access::Visitor(_) => "/visitor",
        Access::Agent(_) => "",
    };
    let path = format!("/api/v1{side}/conversations/{id}/entries?before={before}&limit=200");
    let call = access.call(Call::get(path));
    Ok(match access {
        Access::Visitor(_) => {
            let page: Batch<VisitorEntry> = http.ask(&call).await?;
            page.entries.into_iter().map(Line::from).collect()
        }
        Access::Agent(_) => {
            let page: Batch<Entry> = http.ask(&call).await?;
            page.entries.into_iter().map(Line::from).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;
    use crate::client::{Said, Speaker};

    #[test]
    fn what_a_life_lost_stays_known_as_lost_in_all_later_ones() {
        let place = |number| (number, Some(EntryId::from_bits(u128::from(number))));
        let check = |places: &[u64], is_anew: bool| {
            let mut sent = Sent {
                index: 0,
                conversation_id: ConversationId::from_bits(1),
                due: Duration::ZERO,
                acked: None,
                acked_before: None,
                is_anew: false,
                by_http: false,
            };
            for number in places {
                sent.begin_anew();
                assert_eq!(sent.acknowledge(place(*number)), None);
                assert_eq!(sent.acknowledge(place(99)), Some(place(*number)));
            }
            assert_eq!(sent.is_anew, is_anew, "{places:?}");
        };
        check(&[1], false);
        check(&[1, 1, 1], false);
        check(&[1, 2], true);
        check(&[1, 2, 2], true);
    }

    fn lines(numbers: std::ops::RangeInclusive<u64>) -> Vec<Line> {
        let line = |number| Line {
            number,
            entry_id: EntryId::from_bits(u128::from(number)),
            sent_at_ms: number,
            speaker: Speaker::Customer,
            client_id: None,
            said: Said::Message(format!("load {number} due 5 x"), 0),
        };
        numbers.map(line).collect()
    }

    fn numbers(record: &Record) -> Vec<u64> {
        record.shown().iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn a_record_grows_by_what_is_new() {
        let mut record = Record::default();
        assert_eq!(record.take(&lines(1..=3)).len(), 3);
        assert_eq!(record.take(&lines(2..=5)).len(), 2);
        assert_eq!(record.take(&lines(2..=5)).len(), 0);
        assert_eq!(numbers(&record), [1, 2, 3, 4, 5]);
        assert_eq!(record.planned_count(), 5);
        assert_eq!(record.hole(), None);
    }

    #[test]
    fn another_life_of_the_store_begins_a_record_anew() {
        let mut record = Record::default();
        assert!(record.live_in(7));
        record.take(&lines(4..=6));
        assert!(!record.live_in(7));
        assert_eq!((record.last(), record.hole()), (6, Some(4)));
        assert!(record.live_in(8));
        assert_eq!((record.last(), record.hole()), (0, None));
        assert_eq!(record.take(&lines(1..=2)).len(), 2);
        assert_eq!((record.epoch(), record.planned_count()), (8, 2));
    }

    #[test]
    fn what_a_newest_page_left_out_is_read_page_by_page() {
        let mut record = Record::default();
        record.take(&lines(1..=2));
        record.take(&lines(9..=10));
        assert_eq!(record.hole(), Some(9));
        record.fill(&lines(6..=8));
        assert_eq!(record.hole(), Some(6));
        record.fill(&lines(1..=5));
        assert_eq!(record.hole(), None);
        assert_eq!(numbers(&record), (1..=10).collect::<Vec<_>>());
        assert_eq!(record.planned_count(), 10);
    }
}
