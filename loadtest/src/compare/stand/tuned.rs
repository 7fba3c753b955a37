//! Arm T: a small read buffer, one task that reads and writes, and a channel with a bound.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use protocol::limit;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use world::World;

use super::Socket;
use super::guest::{Guest, beat};
use super::hall::{Ear, Hall};
use crate::compare::token::Key;

/// Bytes of the read buffer.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Texts that may wait for a socket. More are lost: the arm keeps nothing.
const TEXTS_MAX: usize = 1_024;

impl Ear for mpsc::Sender<Utf8Bytes> {
    fn tell(&self, text: Utf8Bytes) {
        // A socket that is gone or full loses it.
        let _ = self.try_send(text);
    }
}

pub(super) fn router(world: &World, key: Key) -> axum::Router {
    let hall = Arc::new(Hall::new(&world.clock, key));
    super::router(world, READ_BUFFER_BYTES, move |socket| {
        serve(Arc::clone(&hall), socket)
    })
}

async fn serve(hall: Arc<Hall<mpsc::Sender<Utf8Bytes>>>, mut socket: Socket) {
    let quiet = Duration::from_millis(limit::BEAT_MS);
    let (sender, mut texts) = mpsc::channel(TEXTS_MAX);
    let mut guest = Guest::new(&hall, sender);
    let mut said_at = hall.clock.elapsed();
    // One timer, set anew when it rings: not with every text.
    let mut silence = pin!(tokio::time::sleep(quiet));
    loop {
        let text = tokio::select! {
            biased;
            Some(text) = texts.recv() => text,
            heard = socket.next() => match heard {
                Some(Ok(Message::Text(text))) => match guest.on_text(&text) {
                    Ok(()) => continue,
                    Err(_) => return,
                },
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
            () = &mut silence => {
                let left = (said_at + quiet).saturating_sub(hall.clock.elapsed());
                if !left.is_zero() {
                    silence.set(tokio::time::sleep(left));
                    continue;
                }
                silence.set(tokio::time::sleep(quiet));
                beat()
            }
        };
        said_at = hall.clock.elapsed();
        if socket.send(Message::Text(text)).await.is_err() {
            return;
        }
    }
}
