//! A small TCP proxy: it passes bytes on, until it is told to cut, to hold or to slow what passes, or to let nobody
//! in.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use world::World;
use world::net::{TcpListener, TcpStream};

use crate::Error;

/// Bytes that are read at a time; also the most that wait within.
const CHUNK_BYTES: usize = 8 * 1_024;

/// How a link is at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weather {
    /// Nothing passes, and nothing is lost.
    pub is_held: bool,
    /// How fast bytes pass, in each direction of each connection.
    pub bytes_per_second: Option<u64>,
    /// How much later everything arrives.
    pub delay_ms: u64,
}

/// A cut: which one, and how many of 100 connections it hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cut {
    serial: u64,
    percent: u64,
}

/// A running proxy. It listens until the process ends.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
    cut: watch::Sender<Cut>,
    places: Arc<AtomicU64>,
}

/// What a connection listens to.
#[derive(Clone)]
struct Link {
    weather: watch::Receiver<Weather>,
    cut: watch::Receiver<Cut>,
    number: u64,
}

impl Proxy {
    /// Listens on a free loopback port and passes on to a server.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(world: &World, server: SocketAddr) -> Result<Self, Error> {
        let listener = world::net::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let proxy = Self {
            address: listener.local_addr()?,
            weather: watch::Sender::new(Weather::default()),
            cut: watch::Sender::new(Cut::default()),
            places: Arc::new(AtomicU64::new(u64::MAX)),
        };
        let link = Link {
            weather: proxy.weather.subscribe(),
            cut: proxy.cut.subscribe(),
            number: 0,
        };
        let places = Arc::clone(&proxy.places);
        world
            .tracker
            .spawn(accept(world.clone(), listener, server, link, places));
        Ok(proxy)
    }

    /// As an address for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets how the links are from now on.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Cuts so many of 100 connections, without a word to either side.
    pub fn cut(&self, percent: u64) {
        self.cut.send_modify(|cut| {
            cut.serial += 1;
            cut.percent = percent;
        });
    }

    /// Lets in so many connections from now on; on whoever comes after them it hangs up at once.
    pub fn admit(&self, count: u64) {
        self.places.store(count, Ordering::SeqCst);
    }

    /// How many more it lets in.
    #[must_use]
    pub fn places(&self) -> u64 {
        self.places.load(Ordering::SeqCst)
    }
}

impl Link {
    /// Waits for a cut that hits this connection.
    async fn cut_off(mut self) {
        self.cut.mark_unchanged();
        // A proxy that is gone cuts nothing.
        while self.cut.changed().await.is_ok() {
            let cut = *self.cut.borrow_and_update();
            // Another hundredth of the connections is hit first each time.
            let place = self.number.wrapping_mul(37).wrapping_add(cut.serial * 61) % 100;
            if place < cut.percent {
                return;
            }
        }
        std::future::pending().await
    }
}

async fn accept(
    world: World,
    listener: TcpListener,
    server: SocketAddr,
    mut link: Link,
    places: Arc<AtomicU64>,
) {
    let take = |free: u64| free.checked_sub(1);
    while let Ok((client, _)) = listener.accept().await {
        let place = places.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        if place.is_err() {
            continue;
        }
        link.number += 1;
        let passed = pass(world.clone(), client, server, link.clone());
        world.tracker.spawn(passed);
    }
}

async fn pass(world: World, client: TcpStream, server: SocketAddr, link: Link) {
    // A server that is down refuses, and so does the proxy, by hanging up.
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    // Small frames must not wait for more.
    let _ = client
        .set_nodelay(true)
        .and_then(|()| server.set_nodelay(true));
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let weather = &link.weather;
    let up = carry(&world, &mut from_client, &mut to_server, weather.clone());
    let down = carry(&world, &mut from_server, &mut to_client, weather.clone());
    tokio::select! {
        () = link.clone().cut_off() => {}
        // Whichever side ends first, both do: nobody here speaks with one hand only.
        () = up => {}
        () = down => {}
    }
}

/// Carries bytes one way until either side ends.
async fn carry(
    world: &World,
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut weather: watch::Receiver<Weather>,
) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let Ok(count @ 1..) = from.read(&mut chunk).await else {
            return;
        };
        if weather.wait_for(|weather| !weather.is_held).await.is_err() {
            return;
        }
        let now = *weather.borrow();
        let mut wait = Duration::from_millis(now.delay_ms);
        if let Some(rate) = now.bytes_per_second {
            wait += Duration::from_micros(count as u64 * 1_000_000 / rate.max(1));
        }
        if !wait.is_zero() {
            world.clock.sleep(wait).await;
        }
        if to.write_all(&chunk[..count]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A server that says everything back.
    pub(crate) async fn echo(world: &World) -> SocketAddr {
        let listener = world::net::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a free port exists");
        let address = listener.local_addr().expect("it listens");
        let tracker = world.tracker.clone();
        world.tracker.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tracker.spawn(async move {
                    let mut byte = [0];
                    while let Ok(1) = stream.read(&mut byte).await
                        && stream.write_all(&byte).await.is_ok()
                    {}
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn what_is_held_comes_later_and_what_is_cut_ends() {
        let world = World::system();
        let proxy = Proxy::start(&world, echo(&world).await).expect("a free port exists");
        let mut client = TcpStream::connect(proxy.address).await.expect("it listens");
        let mut byte = [0];
        client.write_all(b"a").await.expect("it takes bytes");
        client.read_exact(&mut byte).await.expect("the echo");
        proxy.set(Weather {
            is_held: true,
            ..Weather::default()
        });
        client.write_all(b"b").await.expect("it takes bytes");
        let limit = Duration::from_millis(50);
        let held = world
            .clock
            .timeout(limit, client.read_exact(&mut byte))
            .await;
        assert!(held.is_none(), "nothing passes");
        proxy.set(Weather::default());
        client.read_exact(&mut byte).await.expect("nothing is lost");
        assert_eq!(&byte, b"b");
        proxy.cut(100);
        let ended = client.read(&mut byte).await;
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    }

    #[tokio::test]
    async fn whoever_comes_when_all_places_are_taken_is_sent_away() {
        let world = World::system();
        let proxy = Proxy::start(&world, echo(&world).await).expect("a free port exists");
        proxy.admit(1);
        let mut byte = [0];
        let mut clients = Vec::new();
        for is_let_in in [true, false] {
            let mut client = TcpStream::connect(proxy.address).await.expect("it listens");
            // Who is sent away may find that out at either step.
            let asked = client.write_all(b"a").await.is_ok();
            let answered = asked && client.read_exact(&mut byte).await.is_ok();
            assert_eq!(answered, is_let_in);
            clients.push(client);
        }
        assert_eq!(proxy.places(), 0);
        proxy.admit(u64::MAX);
        let mut client = TcpStream::connect(proxy.address).await.expect("it listens");
        client.write_all(b"a").await.expect("it takes bytes");
        client.read_exact(&mut byte).await.expect("the echo");
    }

    #[tokio::test]
    async fn half_a_cut_hits_some_and_not_others() {
        let world = World::system();
        let proxy = Proxy::start(&world, echo(&world).await).expect("a free port exists");
        let mut clients = Vec::new();
        for _ in 0..40 {
            let mut client = TcpStream::connect(proxy.address).await.expect("it listens");
            client.write_all(b"a").await.expect("it takes bytes");
            client.read_exact(&mut [0]).await.expect("the echo");
            clients.push(client);
        }
        proxy.cut(50);
        let mut cut_count = 0;
        for client in &mut clients {
            let asked = client.write_all(b"b").await.is_ok();
            cut_count += u64::from(!asked || client.read_exact(&mut [0]).await.is_err());
        }
        assert!((5..=35).contains(&cut_count), "{cut_count} of 40");
    }
}
