//! Figures in the documents: `peers.json` keeps them, `peers.svg` draws them, and a part of `performance.md` says them. The part
//! stands between two marks and is written anew by each run that is told to.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::chart::{self, Found};
use crate::Error;

/// Where the part begins and ends.
const BEGIN: &str = "<!-- peers: written by loadtest/peers/measure -->\n";
const END: &str = "<!-- /peers -->\n";

/// What a run was and found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Paper {
    /// When and where, in its user's words.
    pub(super) note: String,
    /// Idle connections of each program.
    pub(super) visitors: u64,
    /// Pairs that talked.
    pub(super) pairs: u64,
    /// Messages a second, over all pairs.
    pub(super) rate: u64,
    /// Bytes of a message.
    pub(super) message_bytes: u64,
    /// Turns of each program.
    pub(super) turns: u64,
    /// Seconds of a turn.
    pub(super) turn_s: u64,
    /// What was found out of each program, in the order it is shown.
    pub(super) found: Vec<Found>,
}

impl Paper {
    /// Writes the documents of a folder. Where `performance.md` is missing or has no such part, it stays as it is.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn keep(&self, folder: &Path) -> Result<(), Error> {
        let json = serde_json::to_string_pretty(self).expect("our types can be written as JSON");
        write(&folder.join("peers.json"), &(json + "\n"))?;
        write(&folder.join("peers.svg"), &chart::svg(&self.found))?;
        let path = folder.join("performance.md");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        match placed(&text, &self.part()) {
            Some(text) => write(&path, &text),
            None => Ok(()),
        }
    }

    /// What `performance.md` says.
    fn part(&self) -> String {
        let Self {
            visitors,
            pairs,
            rate,
            message_bytes,
            turns,
            turn_s,
            note,
            ..
        } = self;
        format!(
            "{}\nMemory of {visitors} idle connections of each; {pairs} pairs, {rate} messages a second of {message_bytes} bytes, \
             medians of {turns} turns of {turn_s} s. {note}\n",
            chart::table(&self.found)
        )
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let written = std::fs::write(path, text);
    written.map_err(|error| Error::Usage(format!("{}: {error}", path.display())))
}

/// A document with its part in place; nothing where it has none.
fn placed(text: &str, part: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{part}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documents of this repository.
    fn docs() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
    }

    #[test]
    fn a_part_is_written_anew_and_the_rest_stays() {
        let text = format!("# Figures\n{BEGIN}old\n{END}\nMore.\n");
        let written = placed(&text, "new\n").unwrap();
        assert_eq!(written, format!("# Figures\n{BEGIN}new\n{END}\nMore.\n"));
        assert_eq!(placed("# Figures\n", "new\n"), None);
    }

    #[test]
    fn the_documents_say_and_draw_what_was_measured() {
        let read = |name| std::fs::read_to_string(docs().join(name)).unwrap();
        let paper: Paper = serde_json::from_str(&read("peers.json")).unwrap();
        assert_eq!(read("peers.svg"), chart::svg(&paper.found));
        let performance = read("performance.md");
        assert_eq!(placed(&performance, &paper.part()), Some(performance));
    }
}
