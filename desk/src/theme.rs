//! A site's look and what its widget asks, brought into the stored form.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::site::{AnswerKind, Question, Theme};

use crate::field;

/// A look with every value in its stored form.
///
/// # Errors
/// `invalid`, `too_long`, `too_many` or `empty`, with the field.
pub(crate) fn checked_theme(theme: Theme) -> Result<Theme, Rejection> {
    Ok(Theme {
        color: field::color(&theme.color)?,
        title: field::line(&theme.title, "title")?,
        logo: picture(theme.logo, "logo")?,
        avatar: picture(theme.avatar, "avatar")?,
        greeting: field::lines(&theme.greeting, "greeting")?,
        launcher_side: theme.launcher_side,
        launcher_gap_px: launcher_gap(theme.launcher_gap_px)?,
        launcher_text: short_line(
            &theme.launcher_text,
            limit::LAUNCHER_TEXT_BYTES_MAX,
            "launcher_text",
        )?,
        brightness: theme.brightness,
        asks: theme.asks,
        questions: questions(theme.questions)?,
        consent: consent(&theme.consent)?,
        asks_email_later: theme.asks_email_later,
        show_brand: theme.show_brand,
    })
}

/// Pictures that browsers show and that cannot hold a script, with how their bytes begin.
const PICTURES: [(&str, &[u8]); 3] = [
    ("data:image/png;base64,", b"\x89PNG\r\n\x1a\n"),
    ("data:image/jpeg;base64,", b"\xff\xd8\xff"),
    ("data:image/webp;base64,", b"RIFF"),
];

fn picture(text: String, field: &'static str) -> Result<String, Rejection> {
    if text.len() > limit::LOGO_BYTES_MAX {
        return Err(Rejection::of(ErrorCode::TooLarge, field));
    }
    let is_picture = |(head, magic): &(&str, &[u8])| {
        let bytes = text
            .strip_prefix(head)
            .and_then(|code| STANDARD.decode(code).ok());
        bytes.is_some_and(|bytes| bytes.starts_with(magic))
    };
    if text.is_empty() || PICTURES.iter().any(is_picture) {
        Ok(text)
    } else {
        Err(Rejection::of(ErrorCode::FileType, field))
    }
}

fn launcher_gap(px: u16) -> Result<u16, Rejection> {
    if px > limit::LAUNCHER_GAP_PX_MAX {
        return Err(Rejection::of(ErrorCode::Invalid, "launcher_gap_px"));
    }
    Ok(px)
}

fn short_line(text: &str, bytes_max: usize, field: &'static str) -> Result<String, Rejection> {
    let text = field::line(text, field)?;
    if text.len() > bytes_max {
        return Err(Rejection::of(ErrorCode::TooLong, field));
    }
    Ok(text)
}

fn consent(text: &str) -> Result<String, Rejection> {
    let text = field::lines(text, "consent")?;
    if text.len() > limit::CONSENT_BYTES_MAX {
        return Err(Rejection::of(ErrorCode::TooLong, "consent"));
    }
    Ok(text)
}

fn questions(questions: Vec<Question>) -> Result<Vec<Question>, Rejection> {
    if questions.len() > limit::QUESTIONS_MAX {
        return Err(Rejection::of(ErrorCode::TooMany, "questions"));
    }
    let mut names = BTreeSet::new();
    questions
        .into_iter()
        .map(|asked| {
            let label = field::line(&asked.label, "label")?;
            if !names.insert(asked.name.clone()) || !is_name(&asked.name) {
                return Err(Rejection::of(ErrorCode::Invalid, "questions"));
            }
            let is_text = asked.kind == AnswerKind::Text;
            if Question::TEXTS.contains(&asked.name.as_str()) && !is_text {
                return Err(Rejection::of(ErrorCode::Invalid, "questions"));
            }
            if label.is_empty() && !Question::KNOWN.contains(&asked.name.as_str()) {
                return Err(Rejection::of(ErrorCode::Empty, "label"));
            }
            Ok(Question { label, ..asked })
        })
        .collect()
}

/// Whether an answer may be called so: as a property of a contact that nothing else is called by.
fn is_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.len() <= limit::PROPERTY_NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(fine)
        && !Question::TAKEN.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &str, label: &str, kind: AnswerKind) -> Question {
        Question {
            name: name.to_owned(),
            label: label.to_owned(),
            kind,
            needed: false,
        }
    }

    fn refused(theme: Theme) -> Option<(ErrorCode, Option<String>)> {
        let refusal = checked_theme(theme).err()?;
        Some((refusal.code, refusal.field.map(Into::into)))
    }

    fn asking(questions: Vec<Question>) -> Theme {
        Theme {
            questions,
            ..Theme::default()
        }
    }

    #[test]
    fn questions_have_names_of_their_own_and_words_to_read() {
        let fine = vec![
            question("order_id", "", AnswerKind::Number),
            question("size_2", " How large? ", AnswerKind::Text),
        ];
        let stored = checked_theme(asking(fine)).unwrap();
        assert_eq!(stored.questions[1].label, "How large?");
        let twice = question("size", "Size", AnswerKind::Text);
        let cases = [
            (vec![twice.clone(), twice], ErrorCode::Invalid, "questions"),
            (
                vec![question("Size", "Size", AnswerKind::Text)],
                ErrorCode::Invalid,
                "questions",
            ),
            (
                vec![question("2", "Two", AnswerKind::Text)],
                ErrorCode::Invalid,
                "questions",
            ),
            (
                vec![question("", "None", AnswerKind::Text)],
                ErrorCode::Invalid,
                "questions",
            ),
            (
                vec![question("email", "E", AnswerKind::Text)],
                ErrorCode::Invalid,
                "questions",
            ),
            (
                vec![question("company", "", AnswerKind::Flag)],
                ErrorCode::Invalid,
                "questions",
            ),
            (
                vec![question("size", " ", AnswerKind::Text)],
                ErrorCode::Empty,
                "label",
            ),
            (
                vec![question("size", "a\u{202e}b", AnswerKind::Text)],
                ErrorCode::Invalid,
                "label",
            ),
        ];
        for (questions, code, field) in cases {
            let wanted = Some((code, Some(field.to_owned())));
            assert_eq!(refused(asking(questions.clone())), wanted, "{questions:?}");
        }
        let long = "n".repeat(limit::PROPERTY_NAME_BYTES_MAX + 1);
        assert!(refused(asking(vec![question(&long, "Long", AnswerKind::Text)])).is_some());
    }

    #[test]
    fn a_logo_is_a_small_picture_and_nothing_else() {
        let with = |logo: &str| Theme {
            logo: logo.to_owned(),
            ..Theme::default()
        };
        let png = STANDARD.encode(b"\x89PNG\r\n\x1a\n\0");
        for fine in ["", &format!("data:image/png;base64,{png}")] {
            assert_eq!(refused(with(fine)), None, "{fine}");
        }
        let wrong = Some((ErrorCode::FileType, Some("logo".to_owned())));
        for bad in [
            "https://example.com/logo.png",
            "data:image/svg+xml;base64,PHN2Zz4=",
            "data:image/png;base64,PHN2Zz4=",
            "data:image/png;base64,\u{202e}",
            &format!("data:image/webp;base64,{png}"),
            &format!("data:image/png;base64,{png}\" onerror=\"alert(1)"),
        ] {
            assert_eq!(refused(with(bad)), wrong, "{bad}");
        }
        let large = "x".repeat(limit::LOGO_BYTES_MAX + 1);
        let refusal = Some((ErrorCode::TooLarge, Some("logo".to_owned())));
        assert_eq!(refused(with(&large)), refusal);
        let avatar = Theme {
            avatar: "data:image/svg+xml;base64,PHN2Zz4=".to_owned(),
            ..Theme::default()
        };
        let wrong = Some((ErrorCode::FileType, Some("avatar".to_owned())));
        assert_eq!(refused(avatar), wrong);
    }

    #[test]
    fn questions_and_what_is_agreed_to_have_a_size() {
        let most = |count: usize| {
            let ask = |index| question(&format!("q{index}"), "Q", AnswerKind::Text);
            asking((0..count).map(ask).collect())
        };
        assert_eq!(refused(most(limit::QUESTIONS_MAX)), None);
        let many = Some((ErrorCode::TooMany, Some("questions".to_owned())));
        assert_eq!(refused(most(limit::QUESTIONS_MAX + 1)), many);
        let agreeing = |bytes: usize| Theme {
            consent: "x".repeat(bytes),
            ..Theme::default()
        };
        assert_eq!(refused(agreeing(limit::CONSENT_BYTES_MAX)), None);
        let long = Some((ErrorCode::TooLong, Some("consent".to_owned())));
        assert_eq!(refused(agreeing(limit::CONSENT_BYTES_MAX + 1)), long);
    }
}
