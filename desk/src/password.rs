//! Passwords: the rules for new ones, and argon2id on threads of its own.
//!
//! Hashing takes tens of milliseconds and 19 MiB, so it never runs on a shard, and only a bounded
//! number runs at a time: a flood of sign-ins waits here or is refused, and chats go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version, password_hash};
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use tokio::sync::Semaphore;
use world::Ids;

use crate::error::{Error, Result};

/// Sign-ins that may wait for a hashing thread; more are told to come back.
const WAITING_MAX: usize = 64;

/// The largest piece of memory that glibc's allocator may keep when it is given back
/// (`DEFAULT_MMAP_THRESHOLD_MAX`).
const KEPT_BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// Characters that must remain of a password when everything easy is taken out of it.
const REMAINDER_MIN: usize = 4;

/// Different characters a password needs.
const DISTINCT_MIN: usize = 5;

/// What people put into passwords when they do not care. Taken out before the rest is counted.
const EASY_WORDS: &[&str] = &[
    "passwort",
    "password",
    "passw0rd",
    "p@ssw0rd",
    "secret",
    "letmein",
    "welcome",
    "changeme",
    "iloveyou",
    "trustno1",
    "dragon",
    "monkey",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "master",
    "login",
    "admin",
    "switchboard",
];

/// Rows along which fingers walk.
const EASY_WALKS: &[&str] = &[
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "!@#$%^&*()",
];

/// The shortest part of a walk that counts as easy.
const WALK_LENGTH_MIN: usize = 3;

/// The hash of a password nobody has, with today's cost: checked when the user is unknown, so that
/// the answer takes as long as for one who is known.
const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3dpdGNoYm9hcmQtbm9uZQ$Y4KzzIgUErd7/K7tAmABwA2eMCXmbCD25+kvB5hRRio";

/// A new password that keeps the rules.
#[derive(Clone)]
pub struct NewPassword(String);

impl NewPassword {
    /// Checks a password against the rules; `hints` are words that everybody may guess for this
    /// person, such as the address and the name.
    ///
    /// # Errors
    /// `password_weak`, or `too_long`.
    pub fn parse(text: &str, hints: &[&str]) -> Result<Self, Rejection> {
        if text.len() > limit::PASSWORD_BYTES_MAX {
            return Err(Rejection::of(ErrorCode::TooLong, "password"));
        }
        if text.chars().count() < limit::PASSWORD_LENGTH_MIN || is_easy(text, hints) {
            return Err(Rejection::of(ErrorCode::PasswordWeak, "password"));
        }
        Ok(Self(text.to_owned()))
    }
}

fn is_easy(text: &str, hints: &[&str]) -> bool {
    let folded = text.to_lowercase();
    let mut distinct: Vec<char> = folded.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() < DISTINCT_MIN
        || is_repetition(&folded)
        || remainder(&folded, hints).chars().count() < REMAINDER_MIN
}

/// Whether a text is one short part over and over.
fn is_repetition(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=chars.len() / 2).any(|length| {
        let (part, rest) = chars.split_at(length);
        rest.chunks(length).all(|chunk| part.starts_with(chunk))
    })
}

/// What is left when hints, easy words and walks are taken out.
fn remainder(folded: &str, hints: &[&str]) -> String {
    let mut left = folded.to_owned();
    for hint in hints.iter().flat_map(|hint| parts_of(hint)) {
        left = left.replace(&hint, "");
    }
    for word in EASY_WORDS {
        left = left.replace(word, "");
    }
    without_walks(&left)
}

/// A hint whole and in its parts, as far as long enough to be no accident.
fn parts_of(hint: &str) -> Vec<String> {
    let folded = hint.to_lowercase();
    let mut parts: Vec<String> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| part.chars().count() >= 4)
        .map(str::to_owned)
        .collect();
    if !folded.is_empty() {
        parts.insert(0, folded);
    }
    parts
}

fn without_walks(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut left = String::with_capacity(text.len());
    let mut start = 0;
    while start < chars.len() {
        let length = walk_length(&chars[start..]);
        if length >= WALK_LENGTH_MIN {
            start += length;
        } else {
            left.push(chars[start]);
            start += 1;
        }
    }
    left
}

/// How many characters from the beginning are one walk, forwards, backwards or on the spot.
fn walk_length(chars: &[char]) -> usize {
    let same = chars.iter().take_while(|c| **c == chars[0]).count();
    EASY_WALKS
        .iter()
        .flat_map(|walk| {
            [
                walk.chars().collect::<Vec<_>>(),
                walk.chars().rev().collect(),
            ]
        })
        .flat_map(|walk| {
            let starts: Vec<usize> = (0..walk.len()).filter(|at| walk[*at] == chars[0]).collect();
            starts
                .into_iter()
                .map(|at| {
                    walk[at..]
                        .iter()
                        .zip(chars)
                        .take_while(|(a, b)| a == b)
                        .count()
                })
                .collect::<Vec<_>>()
        })
        .max()
        .unwrap_or_default()
        .max(same)
}

/// Hashes and checks passwords on the blocking pool, a bounded number at a time.
#[derive(Clone, Debug)]
pub struct PasswordHashing {
    ids: Ids,
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl PasswordHashing {
    /// At most `threads` hashes run at a time; 64 more wait, the rest is refused as `unavailable`.
    #[must_use]
    pub fn new(ids: Ids, threads: usize) -> Self {
        Self {
            ids,
            permits: Arc::new(Semaphore::new(threads.max(1))),
            waiting: Arc::default(),
        }
    }

    /// The hash of a new password, as a PHC string.
    ///
    /// # Errors
    /// `unavailable` under a flood.
    pub async fn hash(&self, password: &NewPassword) -> Result<String> {
        let password = password.0.clone();
        let salt: [u8; 16] = self.ids.bytes();
        self.run(move || new_hash(password.as_bytes(), &salt).map_err(Error::Hash))
            .await?
    }

    /// Whether a password is the one behind a stored hash. Without a hash, takes as long and says no.
    ///
    /// # Errors
    /// `unavailable` under a flood; a fault when the stored hash is unreadable.
    pub async fn matches(&self, password: &str, stored: Option<&str>) -> Result<bool> {
        if password.len() > limit::PASSWORD_BYTES_MAX {
            return Ok(false);
        }
        let known = stored.is_some();
        let stored = stored.unwrap_or(NOBODYS_HASH).to_owned();
        let password = password.to_owned();
        self.run(move || {
            let same = is_same(password.as_bytes(), &stored).map_err(Error::Hash)?;
            Ok(same && known)
        })
        .await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = Place::take(&self.waiting)?;
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        drop(place);
        // The permit goes with the work: a caller who hangs up frees no thread that still hashes.
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(|_| Error::HashingStopped)
    }
}

fn new_hash(password: &[u8], salt: &[u8]) -> password_hash::Result<String> {
    let argon2 = Argon2::default();
    let hash = PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(Salt::new(salt)?),
        hash: Some(derive(&argon2, password, salt, Params::DEFAULT_OUTPUT_LEN)?),
    };
    Ok(hash.to_string())
}

fn is_same(password: &[u8], stored: &str) -> password_hash::Result<bool> {
    let hash = PasswordHash::new(stored)?;
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else {
        return Ok(false);
    };
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    let version = hash.version.map(Version::try_from).transpose()?;
    let params = Params::try_from(&hash)?;
    let argon2 = Argon2::new(algorithm, version.unwrap_or_default(), params);
    // Compared in constant time.
    Ok(derive(&argon2, password, &salt, expected.len())? == expected)
}

fn derive(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    length: usize,
) -> password_hash::Result<Output> {
    #[cfg(test)]
    tests::HASHED_HERE.set(tests::HASHED_HERE.get() + 1);
    let mut buffer = [0; Output::MAX_LENGTH];
    let out = &mut buffer[..length.min(Output::MAX_LENGTH)];
    let memory = memory(argon2.params().block_count());
    argon2.hash_password_into_with_memory(password, salt, out, memory)?;
    Ok(Output::new(out)?)
}

/// The memory of one hash. More is asked for than the C library ever keeps back for later, and no more touched than
/// is needed: so it comes from the system and returns there. What the library kept of the 19 MiB was up to three
/// times as much for each thread that ever hashed.
fn memory(block_count: usize) -> Vec<Block> {
    let mut blocks = Vec::with_capacity(block_count.max(KEPT_BYTES_MAX / Block::SIZE + 1));
    blocks.resize(block_count, Block::new());
    blocks
}

/// A place in the queue; given back when dropped, so that callers who hang up do not count.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(waiting: &Arc<AtomicUsize>) -> Result<Self, Rejection> {
        let place = Self(Arc::clone(waiting));
        if waiting.fetch_add(1, Ordering::Relaxed) < WAITING_MAX {
            Ok(place)
        } else {
            Err(Rejection::after(ErrorCode::Unavailable, 2_000))
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::{Mutex, mpsc};
    use std::thread;

    use super::*;
    use world::Clock;

    thread_local! {
        /// How often this thread ran argon2.
        pub(super) static HASHED_HERE: Cell<usize> = const { Cell::new(0) };
    }

    fn check(text: &str, fine: bool) {
        let hints = ["ana.kovac@example.com", "Ana Kovač"];
        assert_eq!(NewPassword::parse(text, &hints).is_ok(), fine, "{text}");
    }

    #[test]
    fn a_password_is_long_and_not_easy_to_guess() {
        for good in [
            "correct horse battery",
            "q7!Zr0-pLm2x",
            "дванадцять символів",
            "demo-password-123",
            "1 wet cat at noon",
        ] {
            check(good, true);
        }
        for weak in [
            "",
            "short",
            "elevenchars",
            "aaaaaaaaaaaaaaaa",
            "abababababababab",
            "passwordpassword",
            "Password1234",
            "password123!",
            "123456789012",
            "qwertyuiop123",
            "abcdefghijklmnop",
            "987654321098",
            "ana.kovac@example.com",
            "anakovac1234kovac",
            "Switchboard123",
            "admin1234567",
        ] {
            check(weak, false);
        }
        let shortest = "q7!Zr0-pLm2x";
        assert_eq!(shortest.chars().count(), limit::PASSWORD_LENGTH_MIN);
        let refused = NewPassword::parse(&shortest[1..], &[]).err();
        assert_eq!(refused.map(|r| r.code), Some(ErrorCode::PasswordWeak));
    }

    #[test]
    fn a_password_over_the_limit_is_too_long() {
        let longest = "ab9-x".repeat(limit::PASSWORD_BYTES_MAX / 5) + "zK7q";
        assert!(NewPassword::parse(&longest, &[]).is_ok());
        let refused = NewPassword::parse(&(longest + "x"), &[]).err();
        assert_eq!(refused.map(|r| r.code), Some(ErrorCode::TooLong));
    }

    #[test]
    fn the_memory_of_a_hash_is_more_than_the_allocator_keeps() {
        let block_count = Params::default().block_count();
        let blocks = memory(block_count);
        assert_eq!(blocks.len(), block_count);
        assert!(blocks.capacity() * Block::SIZE > KEPT_BYTES_MAX);
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_no_other() {
        let hashing = PasswordHashing::new(Ids::seeded(1, Clock::manual(0)), 2);
        let password = NewPassword::parse("correct horse battery", &[]).unwrap();
        let [first, second] = [
            hashing.hash(&password).await.unwrap(),
            hashing.hash(&password).await.unwrap(),
        ];
        assert_ne!(first, second, "each hash has its own salt");
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            hashing
                .matches("correct horse battery", Some(&first))
                .await
                .unwrap()
        );
        assert!(
            !hashing
                .matches("correct horse batterz", Some(&first))
                .await
                .unwrap()
        );
        assert!(
            !hashing
                .matches("correct horse battery", None)
                .await
                .unwrap()
        );
        assert!(hashing.matches("x", Some("no hash")).await.is_err());
    }

    /// A shard is one thread, as this test is.
    #[tokio::test]
    async fn argon2_never_runs_on_a_shard() {
        let hashing = PasswordHashing::new(Ids::seeded(1, Clock::manual(0)), 2);
        let password = NewPassword::parse("correct horse battery", &[]).unwrap();
        let hash = hashing.hash(&password).await.unwrap();
        let known = hashing.matches("correct horse battery", Some(&hash)).await;
        let unknown = hashing.matches("correct horse battery", None).await;
        assert!(known.unwrap() && !unknown.unwrap());
        assert_eq!(HASHED_HERE.get(), 0);
        new_hash(b"here", &[7; 16]).unwrap();
        assert_eq!(HASHED_HERE.get(), 1, "the count counts");
    }

    #[tokio::test]
    async fn a_flood_of_sign_ins_leaves_a_shard_answering() {
        let threads = 2;
        let hashing = PasswordHashing::new(Ids::seeded(1, Clock::manual(0)), threads);
        let (release, held) = mpsc::channel();
        let (held, shard) = (Arc::new(Mutex::new(held)), thread::current().id());
        // As many hashes as may run at a time go on until the shard says so: each on a thread of its own.
        let work = || {
            let held = Arc::clone(&held);
            move || {
                let is_elsewhere = thread::current().id() != shard;
                is_elsewhere && held.lock().unwrap().recv().is_ok()
            }
        };
        let mut flood: Vec<_> = (0..threads)
            .map(|_| Box::pin(hashing.run(work())))
            .collect();
        let mut waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| Box::pin(hashing.matches("x", None)))
            .collect();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for one in &mut flood {
            assert!(one.as_mut().poll(&mut context).is_pending());
        }
        for one in &mut waiting {
            assert!(one.as_mut().poll(&mut context).is_pending());
        }
        // What else comes to the shard meanwhile is done: a message is taken and answered.
        let (say, mut heard) = tokio::sync::mpsc::channel(1);
        let (answer, answered) = tokio::sync::oneshot::channel();
        let door = async { answer.send(heard.recv().await).unwrap() };
        let visitor = async {
            say.send("hi").await.unwrap();
            answered.await.unwrap()
        };
        assert_eq!(tokio::join!(door, visitor).1, Some("hi"));
        for one in &mut flood {
            assert!(
                one.as_mut().poll(&mut context).is_pending(),
                "still hashing"
            );
        }
        drop(waiting);
        for _ in 0..threads {
            release.send(()).unwrap();
        }
        for one in flood {
            assert!(one.await.unwrap());
        }
    }

    #[tokio::test]
    async fn the_hash_of_nobody_costs_as_much_as_a_new_one() {
        let hashing = PasswordHashing::new(Ids::seeded(1, Clock::manual(0)), 1);
        let password = NewPassword::parse("correct horse battery", &[]).unwrap();
        let hash = hashing.hash(&password).await.unwrap();
        let cost = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(cost(&hash), cost(NOBODYS_HASH));
        assert!(PasswordHash::new(NOBODYS_HASH).is_ok());
        assert_eq!(NOBODYS_HASH.len(), hash.len());
    }

    #[tokio::test]
    async fn a_flood_of_sign_ins_is_refused_and_leaves_no_trace() {
        let hashing = PasswordHashing::new(Ids::seeded(1, Clock::manual(0)), 1);
        let busy = Arc::clone(&hashing.permits).acquire_owned().await.unwrap();
        let waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| {
                let mut one = Box::pin({
                    let hashing = hashing.clone();
                    async move { hashing.matches("x", None).await }
                });
                let waker = std::task::Waker::noop();
                let mut context = std::task::Context::from_waker(waker);
                assert!(one.as_mut().poll(&mut context).is_pending());
                one
            })
            .collect();
        let refused = hashing.matches("x", None).await.unwrap_err();
        assert_eq!(refused.rejection().code, ErrorCode::Unavailable);
        drop(waiting);
        drop(busy);
        assert!(!hashing.matches("x", None).await.unwrap());
    }
}
