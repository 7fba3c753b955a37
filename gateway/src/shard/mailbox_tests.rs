//! What a mailbox keeps, gives up and ends for, case by case.

use bytes::Bytes;
use protocol::id::{Id, VisitorId};
use router::{Class, Encoded, SignalKey};

use super::*;

/// Seconds, in which a shard ticks.
const BEAT: u32 = seconds(limit::BEAT_MS);
const SILENCE: u32 = seconds(limit::SILENCE_MS_MAX);
const STALL: u32 = seconds(limit::STALL_MS_MAX);
const HELLO: u32 = seconds(limit::HELLO_MS_MAX);

const fn seconds(ms: u64) -> u32 {
    assert!(ms.is_multiple_of(1_000) && ms < 1_000_000);
    #[expect(clippy::cast_possible_truncation, reason = "less than a thousand")]
    let seconds = (ms / 1_000) as u32;
    seconds
}

const TOPIC: fn() -> Topic = || Topic::Visitor(VisitorId::from_bits(1));

fn frame(text: &'static str, class: Class) -> Notice {
    notice(TOPIC(), Bytes::from_static(text.as_bytes()), class)
}

fn notice(topic: Topic, text: Bytes, class: Class) -> Notice {
    Notice::Run(Rc::new(Run::new(topic, Encoded { text, class })))
}

fn signal(text: &'static str) -> Notice {
    frame(
        text,
        Class::Signal {
            key: SignalKey::Unread,
        },
    )
}

fn taken(mailbox: &Mailbox) -> Vec<String> {
    std::iter::from_fn(|| mailbox.take())
        .map(|notice| match notice {
            Notice::Run(run) => {
                let texts = run.frames().map(|frame| frame.text.to_vec());
                String::from_utf8(texts.collect::<Vec<_>>().concat()).unwrap()
            }
            Notice::Behind(_) => "behind".to_owned(),
            Notice::Follow(_) => "follow".to_owned(),
            Notice::Afresh(_) => "afresh".to_owned(),
            Notice::Beat => "beat".to_owned(),
            Notice::GoAway { .. } => "go away".to_owned(),
        })
        .collect()
}

fn visitors(now: u32) -> Mailbox {
    let mailbox = Mailbox::new(now);
    mailbox.identify(Phase::Visitor, u64::MAX);
    mailbox
}

#[test]
fn of_unsent_signals_about_one_thing_the_latest_wins() {
    let mailbox = visitors(0);
    mailbox.tell(signal("1 unread"));
    mailbox.tell(frame("row", Class::Row));
    mailbox.tell(signal("2 unread"));
    mailbox.tell(frame(
        "staff",
        Class::Signal {
            key: SignalKey::Staff,
        },
    ));
    assert_eq!(taken(&mailbox), ["row", "2 unread", "staff"]);
    mailbox.tell(signal("3 unread"));
    assert_eq!(taken(&mailbox), ["3 unread"]);
}

#[test]
fn a_signal_that_takes_the_place_of_another_stands_behind_what_was_told_since() {
    let mailbox = visitors(0);
    let tell = |name, key| mailbox.tell(frame(name, Class::Signal { key }));
    tell("nobody answers", SignalKey::Staff);
    // It says who answers, too.
    tell("config: nobody answers", SignalKey::Config);
    tell("Mira answers", SignalKey::Staff);
    assert_eq!(taken(&mailbox), ["config: nobody answers", "Mira answers"]);
}

#[test]
fn more_than_the_bound_ends_in_a_resume_and_frees_the_queue() {
    let mailbox = visitors(0);
    let text = Bytes::from(vec![b'x'; limit::QUEUE_BYTES_MAX / 5]);
    let tell = || mailbox.tell(notice(TOPIC(), text.clone(), Class::Row));
    (0..4).for_each(|_| tell());
    assert_eq!(mailbox.ending(), None);
    (0..2).for_each(|_| tell());
    assert_eq!(mailbox.ending(), Some(CloseCode::TooSlow));
    assert!(mailbox.take().is_none());
}

#[test]
fn bytes_that_wait_in_the_connection_count_too() {
    let mailbox = visitors(0);
    mailbox.stalled(0, limit::QUEUE_BYTES_MAX);
    mailbox.tell(frame("x", Class::Row));
    assert_eq!(mailbox.ending(), Some(CloseCode::TooSlow));
}

fn entry(conversation: u128, length: usize) -> Notice {
    let topic = Topic::ConversationAgents(ConversationId::from_bits(conversation));
    notice(topic, Bytes::from(vec![b'e'; length]), Class::Row)
}

#[test]
fn a_stalled_reader_gives_up_what_it_can_read_again() {
    let mailbox = visitors(0);
    mailbox.stalled(0, 100);
    mailbox.tell(frame("mine", Class::Row));
    for conversation in [1, 2, 1, 2] {
        mailbox.tell(entry(conversation, STALLED_BYTES_MAX / 4));
    }
    mailbox.tick(0, 0);
    assert!(mailbox.waiting_bytes() > STALLED_BYTES_MAX);
    mailbox.tick(1, 0);
    assert!(
        mailbox.waiting_bytes() < 1_000,
        "{}",
        mailbox.waiting_bytes()
    );
    // From here on nothing of these is kept at all.
    mailbox.tell(entry(1, STALLED_BYTES_MAX));
    mailbox.tell(frame("mine too", Class::Row));
    assert!(
        mailbox.waiting_bytes() < 1_000,
        "{}",
        mailbox.waiting_bytes()
    );
    assert_eq!(taken(&mailbox), ["mine", "behind", "behind", "mine too"]);
    mailbox.tell(entry(1, 3));
    assert_eq!(taken(&mailbox), ["eee"]);
}

#[test]
fn a_reader_that_goes_on_gives_nothing_up() {
    let mailbox = visitors(0);
    mailbox.tell(entry(1, 2 * STALLED_BYTES_MAX));
    mailbox.tick(5, 0);
    mailbox.wrote(6, 100);
    mailbox.tick(6, 0);
    assert!(mailbox.waiting_bytes() > STALLED_BYTES_MAX);
}

#[test]
fn at_the_bound_what_can_be_read_again_is_given_up_first() {
    let mailbox = visitors(0);
    mailbox.tell(frame("mine", Class::Row));
    (0..20).for_each(|_| mailbox.tell(entry(1, limit::QUEUE_BYTES_MAX / 10)));
    assert_eq!(mailbox.ending(), None);
    assert!(mailbox.is_behind());
    assert_eq!(taken(&mailbox), ["mine", "behind"]);
    assert!(!mailbox.is_behind());
}

#[test]
fn what_the_connection_holds_counts_too() {
    let mailbox = visitors(0);
    mailbox.holds(limit::QUEUE_BYTES_MAX);
    mailbox.tell(frame("x", Class::Row));
    assert_eq!(mailbox.ending(), Some(CloseCode::TooSlow));
}

#[test]
fn who_says_no_hello_is_not_waited_for() {
    let mailbox = Mailbox::new(5);
    mailbox.tick(5 + HELLO - 1, 0);
    assert_eq!(mailbox.ending(), None);
    mailbox.tick(5 + HELLO, 0);
    assert_eq!(mailbox.ending(), Some(CloseCode::Silent));
}

#[test]
fn a_quiet_connection_is_asked_and_a_silent_one_given_up() {
    let mailbox = visitors(0);
    mailbox.tick(BEAT - 1, 0);
    assert!(taken(&mailbox).is_empty());
    mailbox.tick(BEAT, 0);
    mailbox.tick(BEAT + 1, 0);
    assert_eq!(taken(&mailbox), ["beat"]);
    mailbox.tick(2 * BEAT, 0);
    assert_eq!(taken(&mailbox), ["beat"]);
    mailbox.tick(SILENCE - 1, 0);
    assert_eq!(mailbox.ending(), None);
    mailbox.tick(SILENCE, 0);
    assert_eq!(mailbox.ending(), Some(CloseCode::Silent));
}

#[test]
fn who_only_listens_is_asked_although_we_talk() {
    let mailbox = visitors(0);
    for now in 1..=BEAT {
        mailbox.wrote(now, 0);
        mailbox.tick(now, 0);
    }
    assert_eq!(taken(&mailbox), ["beat"]);
    mailbox.heard(BEAT + 1);
    for now in BEAT + 2..=2 * BEAT {
        mailbox.wrote(now, 0);
        mailbox.tick(now, 0);
    }
    assert!(taken(&mailbox).is_empty());
}

#[test]
fn a_reader_without_progress_for_ten_seconds_must_resume() {
    let mailbox = visitors(0);
    mailbox.stalled(3, 100);
    mailbox.tick(3 + STALL, 0);
    assert_eq!(mailbox.ending(), None);
    mailbox.wrote(3 + STALL, 50);
    mailbox.tick(3 + 2 * STALL, 0);
    assert_eq!(mailbox.ending(), None);
    mailbox.tick(4 + 2 * STALL, 0);
    assert_eq!(mailbox.ending(), Some(CloseCode::TooSlow));
}

#[test]
fn rights_end_when_they_end() {
    let mailbox = Mailbox::new(0);
    mailbox.identify(Phase::Agent, 1_000);
    mailbox.tick(0, 999);
    assert_eq!(mailbox.ending(), None);
    mailbox.tick(0, 1_000);
    assert_eq!(mailbox.ending(), Some(CloseCode::TokenExpired));
}

#[test]
fn a_farewell_is_said_before_the_end() {
    let mailbox = visitors(0);
    mailbox.tell(Notice::GoAway { return_after_ms: 1 });
    mailbox.end_after_notices(CloseCode::GoingAway);
    assert_eq!(mailbox.ending(), None);
    assert_eq!(taken(&mailbox), ["go away"]);
    assert_eq!(mailbox.last(), Some(CloseCode::GoingAway));
}
