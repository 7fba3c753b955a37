//! How a crowd gets in: by calls that wait, on a few threads that do nothing else, so that what is measured is
//! the server and little of the client. A connection costs the client seven system calls, the fewest that
//! the wire allows: `socket`, `bind`, `connect`, and what is said and heard of the upgrade and of `hello`.
//!
//! Each thread has a line of connections that are under way. It takes the one that has waited longest, reads
//! what has come, goes on with it, and puts it behind the others: while it does, the server answers them.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::wire::{is_a, take, upgraded};
use crate::Error;
use crate::client::Server;

/// Threads at most: one for each core of a small machine.
const THREADS_MAX: u64 = 2;

/// Bytes that are read at a time, through a buffer that all connections of a thread share.
const READ_BYTES: usize = 16 * 1_024;

/// What everybody of a crowd says, and where.
pub(super) struct Entrance {
    /// The server, reached from one address after another.
    pub(super) servers: Vec<Server>,
    /// The request for an upgrade.
    pub(super) head: Vec<u8>,
    /// The first frame of each.
    pub(super) hellos: Vec<Vec<u8>>,
    /// Conversations whose past each of them waits for.
    pub(super) follow_count: usize,
    /// Who comes next.
    pub(super) next: AtomicUsize,
}

/// Somebody who is in.
pub(super) struct Entered {
    pub(super) stream: TcpStream,
    /// The beginning of a frame whose end has not come yet.
    pub(super) rest: Vec<u8>,
}

/// How many connections each thread opens at a time.
pub(super) fn lanes_of_threads(lanes: u64) -> Vec<usize> {
    let count = lanes.clamp(1, THREADS_MAX);
    let of = |index| usize::try_from(lanes * (index + 1) / count - lanes * index / count);
    (0..count)
        .map(|index| of(index).unwrap_or(usize::MAX).max(1))
        .collect()
}

impl Entrance {
    /// Lets in who is left, so many at a time, and gives each to `each`, or why he is not in.
    pub(super) fn enter_all(&self, lanes: usize, mut each: impl FnMut(Result<Entered, Error>)) {
        let mut buffer = vec![0; READ_BYTES];
        let mut line = VecDeque::with_capacity(lanes);
        loop {
            while line.len() < lanes
                && let Some(index) = self.take_next()
            {
                match self.begin(index) {
                    Ok(coming) => line.push_back(coming),
                    Err(error) => each(Err(error)),
                }
            }
            let Some(mut coming) = line.pop_front() else {
                return;
            };
            match coming.go_on(self, &mut buffer) {
                Ok(false) => line.push_back(coming),
                Ok(true) => each(Ok(coming.entered)),
                Err(error) => each(Err(error)),
            }
        }
    }

    fn take_next(&self) -> Option<usize> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        (index < self.hellos.len()).then_some(index)
    }

    fn begin(&self, index: usize) -> Result<Coming, Error> {
        let mut stream = self.servers[index % self.servers.len()].connect_and_wait()?;
        stream.write_all(&self.head)?;
        let rest = Vec::new();
        Ok(Coming {
            entered: Entered { stream, rest },
            index,
            missing: None,
        })
    }
}

/// Somebody who is not in yet.
struct Coming {
    entered: Entered,
    index: usize,
    /// What he still waits to hear; nothing before the upgrade.
    missing: Option<usize>,
}

impl Coming {
    /// Reads once and says what is to be said then; whether he is in.
    fn go_on(&mut self, entrance: &Entrance, buffer: &mut [u8]) -> Result<bool, Error> {
        let Entered { stream, rest } = &mut self.entered;
        let count = stream.read(buffer)?;
        if count == 0 {
            return Err(Error::Network(ErrorKind::UnexpectedEof.into()));
        }
        let mut heard = &buffer[..count];
        let answer: Vec<u8>;
        let missing = match &mut self.missing {
            Some(missing) => missing,
            None => {
                if !rest.is_empty() {
                    rest.extend_from_slice(heard);
                    answer = std::mem::take(rest);
                    heard = &answer;
                }
                let Some(end) = upgraded(heard)? else {
                    *rest = heard.to_vec();
                    return Ok(false);
                };
                stream.write_all(&entrance.hellos[self.index])?;
                heard = &heard[end..];
                self.missing.insert(1 + entrance.follow_count)
            }
        };
        take(rest, heard, &mut |text| {
            if is_a(text, "welcome") || is_a(text, "entries") {
                *missing = missing.saturating_sub(1);
            }
        })?;
        Ok(*missing == 0)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::wire::masked;
    use super::*;

    #[test]
    fn lanes_are_divided_between_threads_and_none_has_none() {
        for (lanes, of_threads) in [
            (0, vec![1]),
            (1, vec![1]),
            (2, vec![1, 1]),
            (65, vec![32, 33]),
        ] {
            assert_eq!(lanes_of_threads(lanes), of_threads);
        }
    }

    /// Answers an upgrade and a `hello` of each of so many, byte by byte, and hangs up on the last.
    fn serve(listener: &TcpListener, count: usize, head_length: usize, hello_length: usize) {
        for number in 1..=count {
            let (mut stream, _) = listener.accept().expect("they come");
            stream.set_nodelay(true).expect("it is open");
            let mut said = vec![0; head_length];
            stream.read_exact(&mut said).expect("he asks");
            if number == count {
                return;
            }
            let answer = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";
            for byte in answer {
                stream.write_all(&[*byte]).expect("he reads");
            }
            let mut said = vec![0; hello_length];
            stream.read_exact(&mut said).expect("he says hello");
            let welcome = br#"{"type":"welcome"}"#;
            let length = u8::try_from(welcome.len()).expect("it is short");
            for byte in [&[0x81, length], &welcome[..], &[0x81]].concat() {
                stream.write_all(&[byte]).expect("he reads");
            }
        }
    }

    #[tokio::test]
    async fn everybody_comes_in_by_himself_however_the_answers_are_cut() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port exists");
        let address = listener.local_addr().expect("it listens");
        let server = Server::find(&format!("http://{address}")).await;
        let entrance = Entrance {
            servers: vec![server.expect("it has an address")],
            head: b"GET".to_vec(),
            hellos: vec![masked(b"hello"); 4],
            follow_count: 0,
            next: AtomicUsize::new(0),
        };
        let hello_length = entrance.hellos[0].len();
        let serving = std::thread::spawn(move || serve(&listener, 4, 3, hello_length));
        let (mut entered, mut failed) = (Vec::new(), 0);
        entrance.enter_all(1, |one| match one {
            Ok(one) => entered.push(one),
            Err(_) => failed += 1,
        });
        serving.join().expect("it serves to the end");
        assert_eq!((entered.len(), failed), (3, 1));
    }
}
