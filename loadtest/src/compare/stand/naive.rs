//! Arm N: the buffer of the library's default, a split socket, a task to read, a task to write, and a
//! channel without a bound between them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use protocol::limit;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use world::World;

use super::Socket;
use super::guest::{Guest, beat};
use super::hall::{Ear, Hall};
use crate::compare::token::Key;

/// The library's own choice, written down so that the arm stays what it is.
const READ_BUFFER_BYTES: usize = 128 * 1024;

impl Ear for UnboundedSender<Utf8Bytes> {
    fn tell(&self, text: Utf8Bytes) {
        // A socket that is gone hears nothing.
        let _ = self.send(text);
    }
}

pub(super) fn router(world: &World, key: Key) -> axum::Router {
    let hall = Arc::new(Hall::new(&world.clock, key));
    let serving = world.clone();
    super::router(world, READ_BUFFER_BYTES, move |socket| {
        serve(serving.clone(), Arc::clone(&hall), socket)
    })
}

async fn serve(world: World, hall: Arc<Hall<UnboundedSender<Utf8Bytes>>>, socket: Socket) {
    let (mut sink, mut stream) = socket.split();
    #[expect(
        clippy::disallowed_methods,
        reason = "a channel without a bound is what this arm shows"
    )]
    let (sender, mut texts) = unbounded_channel::<Utf8Bytes>();
    let writer = world.tracker.spawn(async move {
        let quiet = Duration::from_millis(limit::BEAT_MS);
        loop {
            let text = match tokio::time::timeout(quiet, texts.recv()).await {
                Ok(Some(text)) => text,
                Ok(None) => return,
                Err(_) => beat(),
            };
            if sink.send(Message::Text(text)).await.is_err() {
                return;
            }
        }
    });
    let mut guest = Guest::new(&hall, sender);
    while let Some(Ok(message)) = stream.next().await {
        if let Message::Text(text) = message
            && guest.on_text(&text).is_err()
        {
            break;
        }
    }
    drop(guest);
    writer.abort();
}
