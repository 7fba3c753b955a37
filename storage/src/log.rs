//! Pages of a conversation's log: entries in number order, bounded by count and by bytes. What is
//! bounded only by count is not bounded: two hundred long messages are megabytes.

use std::io;

use protocol::entry::Entry;
use protocol::id::{ConversationId, WorkspaceId};
use protocol::limit::{PAGE_BYTES_MAX, PAGE_ENTRIES_MAX};

use crate::db::Reader;
use crate::entry::{self, Numbering};
use crate::error::{Error, Result};

/// Entries of the first read. Most conversations are shorter, and a longer one is read on only while
/// its page has room.
pub(crate) const STEP: usize = 50;

/// How much a page may hold. It holds one entry at least, whatever that one's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Entries.
    pub entries: usize,
    /// Bytes of the entries as JSON.
    pub bytes: usize,
}

impl Bound {
    /// A page of so many entries, if they fit into a page.
    #[must_use]
    pub fn of(entries: usize) -> Self {
        Self {
            entries,
            bytes: PAGE_BYTES_MAX,
        }
    }
}

/// The last entries before a number (`None`: the newest) that fit into a page, in number order. Costs a
/// read for each 50 to 100.
///
/// # Errors
/// The store's.
pub async fn before(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    number: Option<u64>,
    bound: Bound,
) -> Result<Vec<Entry>> {
    let page = Page::new(bound);
    fill_before(
        reader,
        workspace_id,
        conversation_id,
        numbering,
        number,
        page,
    )
    .await
}

/// [`before`] of the newest, of which the first were read already: those of a [`crate::replay::Span`]. The bound is of
/// more entries than it has.
///
/// # Errors
/// The store's.
pub async fn newest_with(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    first: Vec<Entry>,
    bound: Bound,
) -> Result<Vec<Entry>> {
    let mut page = Page::new(bound);
    let from = first.first().and_then(|entry| number_of(entry, numbering));
    page.take(first.into_iter().rev(), STEP)?;
    fill_before(reader, workspace_id, conversation_id, numbering, from, page).await
}

async fn fill_before(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    number: Option<u64>,
    mut page: Page,
) -> Result<Vec<Entry>> {
    let mut from = number;
    while let Some(step) = page.step() {
        let read = entry::before(reader, workspace_id, conversation_id, numbering, from, step);
        let read = read.await?;
        from = read.first().and_then(|entry| number_of(entry, numbering));
        page.take(read.into_iter().rev(), step)?;
    }
    let mut entries = page.entries;
    entries.reverse();
    Ok(entries)
}

/// The entries after a number that fit into a page, in number order. Costs a read for each 50 to 100.
///
/// # Errors
/// The store's.
pub async fn after(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    number: u64,
    bound: Bound,
) -> Result<Vec<Entry>> {
    let page = Page::new(bound);
    fill_after(
        reader,
        workspace_id,
        conversation_id,
        numbering,
        number,
        page,
    )
    .await
}

/// [`after`], of which the first were read already: those of a [`crate::replay::Span`]. The bound is of more entries
/// than it has.
///
/// # Errors
/// The store's.
pub async fn after_with(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    first: Vec<Entry>,
    bound: Bound,
) -> Result<Vec<Entry>> {
    let mut page = Page::new(bound);
    let last = first.last().and_then(|entry| number_of(entry, numbering));
    page.take(first.into_iter(), STEP)?;
    // With nothing read there is nothing more to read, and no number is needed.
    let from = last.unwrap_or_default();
    fill_after(reader, workspace_id, conversation_id, numbering, from, page).await
}

async fn fill_after(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    number: u64,
    mut page: Page,
) -> Result<Vec<Entry>> {
    let mut from = number;
    while let Some(step) = page.step() {
        let read = entry::after(reader, workspace_id, conversation_id, numbering, from, step);
        let read = read.await?;
        let last = read.last().and_then(|entry| number_of(entry, numbering));
        from = last.unwrap_or(from);
        page.take(read.into_iter(), step)?;
    }
    Ok(page.entries)
}

fn number_of(entry: &Entry, numbering: Numbering) -> Option<u64> {
    match numbering {
        Numbering::Team => Some(entry.seq),
        Numbering::Visitor => entry.public_seq,
    }
}

/// A page that is being filled, in the order of reading.
#[derive(Debug)]
struct Page {
    bound: Bound,
    entries: Vec<Entry>,
    byte_count: usize,
    /// Whether nothing more fits, or nothing more is there.
    is_full: bool,
}

impl Page {
    fn new(bound: Bound) -> Self {
        let entries = bound.entries.clamp(1, PAGE_ENTRIES_MAX);
        Self {
            bound: Bound { entries, ..bound },
            entries: Vec::new(),
            byte_count: 0,
            is_full: false,
        }
    }

    /// How many entries are read next; nothing when the page is done.
    fn step(&self) -> Option<usize> {
        let wanted = self.bound.entries - self.entries.len();
        let step = if self.entries.is_empty() {
            STEP
        } else {
            2 * STEP
        };
        (!self.is_full && wanted > 0).then_some(step.min(wanted))
    }

    /// Takes what was read as far as it fits.
    fn take(&mut self, read: impl ExactSizeIterator<Item = Entry>, step: usize) -> Result<()> {
        self.is_full = read.len() < step;
        for entry in read {
            self.byte_count += json_bytes(&entry)?;
            if self.byte_count > self.bound.bytes && !self.entries.is_empty() {
                self.is_full = true;
                break;
            }
            self.entries.push(entry);
        }
        Ok(())
    }
}

/// How long an entry is as JSON.
fn json_bytes(entry: &Entry) -> Result<usize> {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, entry).map_err(|error| Error::Fault(error.to_string()))?;
    // The comma behind it.
    Ok(count.0 + 1)
}

#[cfg(test)]
mod tests {
    use protocol::entry::{Author, Content};
    use protocol::id::Id;
    use protocol::message::{Format, Message};

    use super::*;

    fn entry(seq: u64, body: &str) -> Entry {
        Entry {
            id: Id::from_bits(u128::from(seq)),
            conversation_id: ConversationId::from_bits(1),
            seq,
            public_seq: Some(seq),
            sent_at_ms: 0,
            author: Author::System,
            client_id: None,
            content: Content::Message {
                message: Message {
                    format: Format::Plain,
                    body: body.to_owned(),
                    language: None,
                    reply_to_id: None,
                    attachments: Vec::new(),
                    edited_at_ms: None,
                    deleted_at_ms: None,
                },
            },
        }
    }

    /// What a page takes of equal entries, and how often it reads.
    fn check(body: &str, stored: u64, limit: usize) -> (usize, usize) {
        let mut page = Page::new(Bound::of(limit));
        let (mut seq, mut read_count) = (0, 0);
        while let Some(step) = page.step() {
            read_count += 1;
            let end = stored.min(seq + u64::try_from(step).unwrap());
            let read: Vec<_> = (seq + 1..=end).map(|seq| entry(seq, body)).collect();
            seq = end;
            page.take(read.into_iter(), step).unwrap();
        }
        (page.entries.len(), read_count)
    }

    #[test]
    fn a_page_of_short_entries_is_bounded_by_their_count() {
        assert_eq!(check("", 1_000, 200), (200, 3));
        assert_eq!(check("", 1_000, 7), (7, 1));
        assert_eq!(check("", 30, 200), (30, 1));
        assert_eq!(check("", 0, 200), (0, 1));
    }

    #[test]
    fn a_page_of_long_entries_is_bounded_by_their_bytes() {
        let long = "x".repeat(PAGE_BYTES_MAX / 4);
        assert_eq!(check(&long, 1_000, 200), (3, 1));
        // What JSON adds counts too.
        let quoted = "\"".repeat(PAGE_BYTES_MAX / 4);
        assert_eq!(check(&quoted, 1_000, 200), (1, 1));
    }

    #[test]
    fn a_page_has_at_least_one_entry() {
        let huge = "x".repeat(2 * PAGE_BYTES_MAX);
        assert_eq!(check(&huge, 1_000, 200), (1, 1));
    }
}
