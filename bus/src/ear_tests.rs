//! Tests of `ear.rs` on one thread.

use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::Heard;
use crate::ear::Ears;

#[test]
fn the_watcher_hears_of_the_first_follower_and_of_the_last() {
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let ears = {
        let heard = Arc::clone(&heard);
        Ears::new(move |topic| heard.lock().expect("no panic").push(topic.to_owned()))
    };
    let followers = [ears.follow("a"), ears.follow("a"), ears.follow("b")];
    assert_eq!(*heard.lock().expect("no panic"), ["a", "b"]);
    drop(followers);
    assert_eq!(*heard.lock().expect("no panic"), ["a", "b", "a", "b"]);
    assert!(ears.followed().is_empty());
}

#[tokio::test]
async fn a_loss_wakes_a_follower_that_waits() {
    let ears = Ears::new(|_| {});
    let follower = ears.follow("a");
    let (heard, ()) = tokio::join!(follower.hear(), async { ears.lose("a") });
    assert_eq!(heard, Heard::Lost);
    ears.lose("b");
    ears.tell("a", &Bytes::from_static(b"news"));
    assert_eq!(
        follower.hear().await,
        Heard::News(Bytes::from_static(b"news"))
    );
}
