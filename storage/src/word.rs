//! The words of a text: as the search index holds them, and where they stand in it, for excerpts.

use std::ops::Range;

use protocol::search::TextPart;

use crate::fold::fold;

/// Bytes of one word in the index; longer ones are cut.
const WORD_BYTES_MAX: usize = 64;

/// Characters of an excerpt, and how many of them stand before what was found.
const EXCERPT_LENGTH: usize = 160;
const LEAD_LENGTH: usize = 40;

/// What is left out.
const GAP: &str = "…";

/// A word and where it stands among the characters of its folded text.
struct Token {
    range: Range<usize>,
    word: String,
}

/// The words of a text, in order: folded; of scripts that write without spaces, every two neighbours.
pub(crate) fn split(text: &str) -> Vec<String> {
    let folded = fold(text);
    if folded.is_ascii() {
        let words = folded.split(|c: char| !c.is_ascii_alphanumeric());
        let words = words.filter(|word| !word.is_empty());
        return words.map(|word| cut(word.to_owned())).collect();
    }
    let folded: Vec<char> = folded.chars().collect();
    let tokens = tokens(&folded);
    tokens.into_iter().map(|token| token.word).collect()
}

fn tokens(folded: &[char]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while start < folded.len() {
        let kind = Kind::of(folded[start]);
        let rest = &folded[start..];
        let length = rest.iter().take_while(|c| Kind::of(**c) == kind).count();
        let run = start..start + length;
        match kind {
            Kind::Other => {}
            Kind::Spaced => tokens.push(token(folded, run)),
            Kind::Spaceless if length == 1 => tokens.push(token(folded, run)),
            Kind::Spaceless => {
                tokens.extend((run.start..run.end - 1).map(|at| token(folded, at..at + 2)))
            }
        }
        start += length;
    }
    tokens
}

fn token(folded: &[char], range: Range<usize>) -> Token {
    let word = cut(folded[range.clone()].iter().collect());
    Token { range, word }
}

/// A word as the index holds it.
fn cut(mut word: String) -> String {
    let mut end = word.len().min(WORD_BYTES_MAX);
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    word.truncate(end);
    word
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A letter or digit of a script that writes words apart.
    Spaced,
    /// A letter of a script that does not.
    Spaceless,
    /// Between words.
    Other,
}

impl Kind {
    fn of(c: char) -> Self {
        if is_spaceless(c) {
            Self::Spaceless
        } else if c.is_alphanumeric() {
            Self::Spaced
        } else {
            Self::Other
        }
    }
}

/// Letters of scripts that write without spaces: Thai, Lao, Myanmar, Khmer, kana and Han.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// A text that is searched in: its folded characters, and where in the text each comes from.
struct Searched<'a> {
    text: &'a str,
    folded: Vec<char>,
    origins: Vec<Range<usize>>,
}

impl<'a> Searched<'a> {
    fn new(text: &'a str) -> Self {
        let (mut folded, mut origins) = (Vec::new(), Vec::new());
        for (at, c) in text.char_indices() {
            let mut buffer = [0; 4];
            for one in fold(c.encode_utf8(&mut buffer)).chars() {
                folded.push(one);
                origins.push(at..at + c.len_utf8());
            }
        }
        Self {
            text,
            folded,
            origins,
        }
    }

    /// Where in the text some folded characters come from.
    fn origin(&self, range: &Range<usize>) -> Range<usize> {
        self.origins[range.start].start..self.origins[range.end - 1].end
    }
}

/// The part of a text where words of a search stand, the last one as a beginning; its beginning where
/// none does.
pub(crate) fn excerpt(text: &str, words: &[String]) -> Vec<TextPart> {
    let searched = Searched::new(text);
    let (last, whole) = match words.split_last() {
        Some((last, whole)) => (last.as_str(), whole),
        None => ("\0", words),
    };
    let is_hit = |word: &str| word.starts_with(last) || whole.iter().any(|one| one == word);
    let hits = tokens(&searched.folded)
        .iter()
        .filter(|token| is_hit(&token.word))
        .map(|token| searched.origin(&token.range))
        .collect();
    parts(text, &merged(hits))
}

/// A name or an address with what of it was searched for.
pub(crate) fn marked(text: &str, needle: &str) -> Vec<TextPart> {
    let searched = Searched::new(text);
    let needle: Vec<char> = needle.chars().collect();
    let found = searched
        .folded
        .windows(needle.len().max(1))
        .position(|window| window == needle);
    let hits = found.map(|at| searched.origin(&(at..at + needle.len())));
    parts(searched.text, &hits.into_iter().collect::<Vec<_>>())
}

/// Hits that touch or overlap, as one.
fn merged(hits: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(hits.len());
    for hit in hits {
        match merged.last_mut() {
            Some(last) if hit.start <= last.end => last.end = last.end.max(hit.end),
            Some(_) | None => merged.push(hit),
        }
    }
    merged
}

/// The text around the first hit, cut where words end, with all hits in it told apart.
fn parts(text: &str, hits: &[Range<usize>]) -> Vec<TextPart> {
    let first = hits.first().map_or(0, |hit| hit.start);
    let shown = window(text, first);
    let mut parts = Vec::new();
    let mut at = shown.start;
    for hit in hits.iter().filter(|hit| hit.end <= shown.end) {
        push(&mut parts, &text[at..hit.start], false);
        push(&mut parts, &text[hit.clone()], true);
        at = hit.end;
    }
    push(&mut parts, &text[at..shown.end], false);
    if shown.start > 0 {
        parts.insert(0, plain(GAP));
    }
    if shown.end < text.len() {
        parts.push(plain(GAP));
    }
    parts
}

fn plain(text: &str) -> TextPart {
    TextPart {
        text: text.to_owned(),
        hit: false,
    }
}

fn push(parts: &mut Vec<TextPart>, text: &str, hit: bool) {
    if !text.is_empty() {
        let text = text.replace(char::is_whitespace, " ");
        parts.push(TextPart { text, hit });
    }
}

/// The bytes of a text that are shown, around one of them.
fn window(text: &str, around: usize) -> Range<usize> {
    let before = text[..around].char_indices().rev();
    let lead = before.take(LEAD_LENGTH).last().map_or(around, |(at, _)| at);
    let is_space = |c: char| c.is_whitespace();
    let start = if lead == 0 {
        0
    } else {
        let next = text[lead..around].find(is_space);
        next.map_or(lead, |at| lead + at)
    };
    let start = start + text[start..].len() - text[start..].trim_start().len();
    let end = text[start..].char_indices().nth(EXCERPT_LENGTH);
    let Some((length, _)) = end else {
        return start..text.len();
    };
    let cut = text[around..start + length].rfind(is_space);
    start..cut.map_or(start + length, |at| around + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_scripts_without_spaces_go_by_neighbours() {
        let check = |text: &str, expected: &[&str]| assert_eq!(split(text), expected, "{text}");
        check(
            "Where is my Écran-42?",
            &["where", "is", "my", "ecran", "42"],
        );
        check("東京タワー", &["東京", "京タ", "タワ", "ワー"]);
        check("猫 cat", &["猫", "cat"]);
        check("'; DROP TABLE \"x\" --", &["drop", "table", "x"]);
        check(" \n ", &[]);
    }

    #[test]
    fn words_without_accents_are_those_that_they_are_among_others() {
        let long = "x".repeat(WORD_BYTES_MAX + 1);
        let text = format!("Where_is my e-mail?! 42 {long}\t\0end");
        let mut among = split(&format!("{text} \u{6771}"));
        assert_eq!(among.pop().as_deref(), Some("\u{6771}"));
        assert_eq!(split(&text), among);
        assert_eq!(among[6], &long[1..]);
    }

    /// The parts as one text, hits in brackets.
    fn shown(parts: Vec<TextPart>) -> String {
        let text = |part: TextPart| {
            if part.hit {
                format!("[{}]", part.text)
            } else {
                part.text
            }
        };
        parts.into_iter().map(text).collect()
    }

    #[test]
    fn an_excerpt_marks_the_words_as_they_were_written() {
        let check = |text: &str, search: &str, expected: &str| {
            assert_eq!(shown(excerpt(text, &split(search))), expected, "{text}");
        };
        check(
            "Mein Päckchen ist weg",
            "packchen",
            "Mein [Päckchen] ist weg",
        );
        check(
            "the parcels, the PARCEL",
            "the parc",
            "[the] [parcels], [the] [PARCEL]",
        );
        check("我的包裹在哪里", "包裹在", "我的[包裹在]哪里");
        check("a\nsecond line", "line", "a second [line]");
        check("nothing of it", "absent", "nothing of it");
        check("ﬁne print", "fine", "[ﬁne] print");
        check("", "x", "");
    }

    #[test]
    fn an_excerpt_of_a_long_text_is_cut_at_words_around_the_first_hit() {
        let text = format!("{} needle {}", "before ".repeat(40), "after ".repeat(60));
        let cut = shown(excerpt(&text, &split("needle")));
        assert!(cut.starts_with("…before before"), "{cut}");
        assert!(cut.contains(" [needle] after"), "{cut}");
        assert!(cut.ends_with("after…"), "{cut}");
        assert!(cut.chars().count() <= EXCERPT_LENGTH + 4, "{cut}");
        let endless = shown(excerpt(&"x".repeat(1_000), &split("x")));
        assert!(endless.chars().count() <= EXCERPT_LENGTH + 4, "{endless}");
    }

    #[test]
    fn a_name_is_marked_where_the_letters_stand() {
        assert_eq!(shown(marked("Ana Kovač", "kovac")), "Ana [Kovač]");
        assert_eq!(shown(marked("Ana", "bo")), "Ana");
        assert_eq!(shown(marked("Ana", "")), "Ana");
    }
}
