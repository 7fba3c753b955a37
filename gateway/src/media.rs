//! What a file is: its bytes say it, and whoever sends it is believed only where it does not matter.

use protocol::rejection::{ErrorCode, Rejection};

/// Types that uploaded files may have, each as `image/png` or `image/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaTypes(Vec<String>);

impl Default for MediaTypes {
    /// Every type.
    fn default() -> Self {
        Self(vec![EVERY.to_owned()])
    }
}

/// Stands for all types.
const EVERY: &str = "*/*";

impl MediaTypes {
    /// Reads them. No types at all take no file.
    ///
    /// # Errors
    /// What is wrong with the first that is wrong: a type that no file is ever found to have would take none.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        match texts.iter().find(|text| !is_ever_found(text)) {
            None => Ok(Self(texts.to_vec())),
            Some(text) => Err(format!(
                "no file is ever found to be {text:?}; write types like image/png, image/* or */*"
            )),
        }
    }

    /// They as clients are told of them; nothing where every type is taken.
    pub(crate) fn named(&self) -> Option<Vec<String>> {
        let is_every = self.0.iter().any(|taken| taken == EVERY);
        (!is_every).then(|| self.0.clone())
    }

    /// Whether a file that was found to be of a type may be kept.
    pub(crate) fn take(&self, found: &str) -> bool {
        self.0.iter().any(|taken| match taken.strip_suffix("/*") {
            Some("*") => true,
            Some(major) => found.split('/').next() == Some(major),
            None => taken == found,
        })
    }
}

/// Types of files that have no mark at their beginning.
const WITHOUT_MARK: &[&str] = &[
    "text/plain",
    "text/csv",
    "text/markdown",
    "application/json",
    "application/octet-stream",
];

fn is_ever_found(kind: &str) -> bool {
    match kind.strip_suffix("/*") {
        Some(major) => matches!(
            major,
            "*" | "image" | "video" | "audio" | "text" | "application" | "font"
        ),
        None => {
            WITHOUT_MARK.contains(&kind) || (infer::is_mime_supported(kind) && !is_markup(kind))
        }
    }
}

/// Whether bytes are text, found out as they come.
#[derive(Debug)]
pub(crate) struct Text {
    is_text: bool,
    /// The beginning of a character whose rest has not come.
    begun: Vec<u8>,
}

impl Text {
    /// Of nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            is_text: true,
            begun: Vec::new(),
        }
    }

    /// Looks at what comes next.
    pub(crate) fn take(&mut self, part: &[u8]) {
        if !self.is_text {
            return;
        }
        let mut rest = part;
        while !self.begun.is_empty()
            && let Some((byte, after)) = rest.split_first()
        {
            self.begun.push(*byte);
            rest = after;
            match std::str::from_utf8(&self.begun) {
                Ok(character) => {
                    self.is_text = is_plain(character);
                    self.begun.clear();
                }
                // Not the end of it yet.
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    self.is_text = false;
                    return;
                }
            }
        }
        let valid = match std::str::from_utf8(rest) {
            Ok(text) => text,
            Err(error) => {
                let (valid, begun) = rest.split_at(error.valid_up_to());
                if error.error_len().is_some() {
                    self.is_text = false;
                    return;
                }
                self.begun = begun.to_vec();
                std::str::from_utf8(valid).unwrap_or_default()
            }
        };
        self.is_text &= is_plain(valid);
    }

    /// Whether all of it was text.
    pub(crate) fn is_text(&self) -> bool {
        self.is_text && self.begun.is_empty()
    }
}

fn is_plain(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() && !"\t\r\n\u{c}".contains(c))
}

/// The type that a file's beginning shows, and the whole of it where it may be text. Programs are refused, and so are files whose words and bytes differ
/// where it matters: what is said to be a picture, a film, a sound or a PDF must be one.
pub(crate) fn media_type(head: &[u8], text: &Text, said: &str) -> Result<String, Rejection> {
    let refused = || Rejection::of(ErrorCode::FileType, "file");
    let found = infer::get(head);
    if let Some(kind) = found {
        if infer::is_app(head) || kind.mime_type() == "text/x-shellscript" {
            return Err(refused());
        }
        if is_markup(kind.mime_type()) {
            return claims_to_be_seen(said)
                .then(refused)
                .map_or_else(|| Ok("text/plain".to_owned()), Err);
        }
        let major = |kind: &str| kind.split('/').next().unwrap_or_default().to_owned();
        if claims_to_be_seen(said) && major(said) != major(kind.mime_type()) {
            return Err(refused());
        }
        return Ok(kind.mime_type().to_owned());
    }
    if claims_to_be_seen(said) {
        return Err(refused());
    }
    let is_text = text.is_text();
    Ok(match said {
        "text/csv" | "text/markdown" | "application/json" if is_text => said.to_owned(),
        _ if is_text => "text/plain".to_owned(),
        _ => "application/octet-stream".to_owned(),
    })
}

fn is_markup(kind: &str) -> bool {
    matches!(
        kind,
        "text/html" | "text/xml" | "application/xml" | "image/svg+xml"
    )
}

/// Whether a file is said to be something that people look at or listen to.
fn claims_to_be_seen(said: &str) -> bool {
    let is_medium = ["image/", "video/", "audio/"]
        .iter()
        .any(|major| said.starts_with(major));
    (is_medium && said != "image/svg+xml") || said == "application/pdf"
}

#[cfg(test)]
mod tests {
    use protocol::attachment::FILE_MARKS;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x06\0\0\0";

    fn text(bytes: &[u8]) -> Text {
        let mut text = Text::new();
        text.take(bytes);
        text
    }

    #[test]
    fn text_is_text_however_it_is_cut() {
        let whole = "čeprav \u{1f600} je\tlepo\n".as_bytes();
        for length in 1..whole.len() {
            let mut text = Text::new();
            whole.chunks(length).for_each(|part| text.take(part));
            assert!(text.is_text(), "{length}");
        }
        for bad in [
            &b"a\0b"[..],
            b"\xff",
            b"\xc4",
            b"a\xc4b",
            "\u{85}".as_bytes(),
        ] {
            for length in 1..=bad.len() {
                let mut text = Text::new();
                bad.chunks(length).for_each(|part| text.take(part));
                assert!(!text.is_text(), "{bad:?} {length}");
            }
        }
        assert!(Text::new().is_text());
    }

    fn check(bytes: &[u8], said: &str, expected: Option<&str>) {
        assert_eq!(
            media_type(bytes, &text(bytes), said).ok().as_deref(),
            expected,
            "{said}"
        );
    }

    #[test]
    fn a_file_is_what_its_bytes_say() {
        check(PNG, "image/png", Some("image/png"));
        check(PNG, "image/jpeg", Some("image/png"));
        check(PNG, "", Some("image/png"));
        check(PNG, "text/html", Some("image/png"));
        check(b"%PDF-1.7\n", "application/pdf", Some("application/pdf"));
        check(b"a,b\n1,2\n", "text/csv", Some("text/csv"));
        check(b"hello", "text/html", Some("text/plain"));
        check(
            b"\0\x01\x02",
            "application/zip",
            Some("application/octet-stream"),
        );
    }

    #[test]
    fn what_clients_know_by_its_mark_is_found_to_be_that() {
        for (mark, found) in FILE_MARKS {
            let hex = mark.replace('.', "0");
            let digits = (0..hex.len()).step_by(2);
            let mut head: Vec<_> = digits
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                .collect();
            head.resize(64, 0);
            check(&head, "", Some(*found).filter(|found| !found.is_empty()));
        }
    }

    fn types(texts: &[&str]) -> Result<MediaTypes, String> {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        MediaTypes::parse(&texts)
    }

    #[test]
    fn types_take_what_they_name_and_nothing_else() {
        let taken = types(&["image/*", "application/pdf", "text/plain"]).unwrap();
        for found in ["image/png", "image/webp", "application/pdf", "text/plain"] {
            assert!(taken.take(found), "{found}");
        }
        for found in ["video/mp4", "application/zip", "text/csv", "imagery/png"] {
            assert!(!taken.take(found), "{found}");
        }
        assert!(!types(&[]).unwrap().take("text/plain"));
        assert!(MediaTypes::default().take("application/octet-stream"));
        assert_eq!(types(&["*/*"]).unwrap(), MediaTypes::default());
        assert_eq!(taken.named().unwrap().len(), 3);
        assert_eq!(types(&["image/png", "*/*"]).unwrap().named(), None);
    }

    #[test]
    fn types_that_no_file_is_found_to_have_are_refused() {
        for wrong in [
            "image/jpg",
            "image/svg+xml",
            "text/html",
            "IMAGE/PNG",
            "png",
            ".png",
            "*",
            "",
            "/*",
            "*/png",
            "imag/*",
        ] {
            let told = types(&["image/png", wrong]).unwrap_err();
            assert!(told.contains(&format!("{wrong:?}")), "{told}");
        }
        // Each that is found without a mark can be named.
        for kind in WITHOUT_MARK {
            types(&[kind]).unwrap();
        }
    }

    #[test]
    fn a_file_that_lies_where_it_matters_is_refused() {
        check(b"<html><script>alert(1)</script>", "image/png", None);
        check(b"hello", "image/png", None);
        check(b"hello", "application/pdf", None);
        check(PNG, "video/mp4", None);
        check(PNG, "application/pdf", None);
        check(b"MZ\x90\0\x03\0\0\0", "text/plain", None);
        let mut program = vec![0; 64];
        program[..4].copy_from_slice(b"\x7fELF");
        check(&program, "application/octet-stream", None);
        check(b"#!/bin/sh\nrm\n", "text/plain", None);
    }

    #[test]
    fn markup_goes_out_as_plain_text() {
        check(b"<!DOCTYPE html><p>", "text/html", Some("text/plain"));
        check(
            b"<?xml version=\"1.0\"?><svg/>",
            "image/svg+xml",
            Some("text/plain"),
        );
        check(
            b"<svg onload=alert(1)>",
            "image/svg+xml",
            Some("text/plain"),
        );
    }
}
