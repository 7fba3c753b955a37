//! The links that all nodes share, to the store and to the bus: broken by a plan, and what stands behind them too,
//! where it is our own.

use std::time::Duration;

use rustix::process::Signal;
use world::World;

use super::cluster::Done;
use super::fault::{Fault, Line, Planned, Way};
use crate::Error;
use crate::fleet::moment;
use crate::node::postgres::Postgres;
use crate::node::proxy::{Proxy, Weather};
use crate::node::redis::Redis;

/// What stands behind a shared link, where it is our own.
pub(super) enum Own {
    Redis(Redis),
    Postgres(Postgres),
}

impl Own {
    async fn suffer(&mut self, world: &World, fault: Fault) -> Result<(), Error> {
        match self {
            Self::Redis(redis) => suffer_redis(redis, world, fault).await,
            Self::Postgres(postgres) => suffer_postgres(postgres, world, fault).await,
        }
    }
}

async fn suffer_redis(redis: &mut Redis, world: &World, fault: Fault) -> Result<(), Error> {
    match fault {
        Fault::Kill { .. } => {
            redis.kill().await?;
            world.clock.sleep(fault.length()).await;
            redis.restart(world).await
        }
        Fault::Restart { .. } => {
            redis.stop(world).await?;
            world.clock.sleep(fault.length()).await;
            redis.restart(world).await
        }
        Fault::Pause { .. } => {
            redis.signal(Signal::STOP)?;
            world.clock.sleep(fault.length()).await;
            redis.signal(Signal::CONT)
        }
        Fault::FailOver { .. }
        | Fault::Skew { .. }
        | Fault::Fail { .. }
        | Fault::Cut { .. }
        | Fault::Hold { .. }
        | Fault::Slow { .. }
        | Fault::Partition { .. } => Ok(()),
    }
}

async fn suffer_postgres(
    postgres: &mut Postgres,
    world: &World,
    fault: Fault,
) -> Result<(), Error> {
    match fault {
        Fault::Kill { .. } => {
            postgres.kill().await?;
            world.clock.sleep(fault.length()).await;
            postgres.restart(world).await
        }
        Fault::Restart { .. } => {
            postgres.stop(world).await?;
            world.clock.sleep(fault.length()).await;
            postgres.restart(world).await
        }
        Fault::Pause { .. } => {
            postgres.pause()?;
            world.clock.sleep(fault.length()).await;
            postgres.resume()
        }
        Fault::FailOver { behind_ms } => {
            postgres.copy().await?;
            world.clock.sleep(Duration::from_millis(behind_ms)).await;
            postgres.fail_over(world).await
        }
        Fault::Skew { .. }
        | Fault::Fail { .. }
        | Fault::Cut { .. }
        | Fault::Hold { .. }
        | Fault::Slow { .. }
        | Fault::Partition { .. } => Ok(()),
    }
}

/// Parts a link for a while.
pub(super) async fn part(world: &World, proxy: &Proxy, way: Way, length: Duration) {
    match way {
        Way::Held => proxy.set(Weather {
            is_held: true,
            ..Weather::default()
        }),
        Way::Cut => {
            proxy.admit(0);
            proxy.cut(100);
        }
    }
    world.clock.sleep(length).await;
    proxy.set(Weather::default());
    proxy.admit(u64::MAX);
}

/// Breaks a link for as long as the fault lasts.
pub(super) async fn trouble(world: &World, proxy: &Proxy, fault: Fault) {
    match fault {
        Fault::Cut { percent } => proxy.cut(percent),
        Fault::Hold { .. } => proxy.set(Weather {
            is_held: true,
            ..Weather::default()
        }),
        Fault::Slow {
            bytes_per_second,
            delay_ms,
            ..
        } => proxy.set(Weather {
            is_held: false,
            bytes_per_second: Some(bytes_per_second),
            delay_ms,
        }),
        Fault::Kill { .. }
        | Fault::Restart { .. }
        | Fault::FailOver { .. }
        | Fault::Skew { .. }
        | Fault::Fail { .. }
        | Fault::Pause { .. }
        | Fault::Partition { .. } => return,
    }
    world.clock.sleep(fault.length()).await;
    proxy.set(Weather::default());
}

/// Gives also what stands behind the link, where it is our own.
pub(super) async fn suffer(
    world: &World,
    (line, proxy): (Line, &Proxy),
    mut server: Option<Own>,
    started: Duration,
    plan: Vec<Planned>,
) -> (Result<Vec<Done>, Error>, Option<Own>) {
    let mut done = Vec::new();
    for planned in plan {
        moment::wait(world, started + planned.at()).await;
        if planned.is_over(moment::now() - started) {
            continue;
        }
        let broken = match (&mut server, planned.fault) {
            (
                Some(server),
                fault @ (Fault::Kill { .. }
                | Fault::Pause { .. }
                | Fault::Restart { .. }
                | Fault::FailOver { .. }),
            ) => server.suffer(world, fault).await,
            (_, fault) => {
                trouble(world, proxy, fault).await;
                Ok(())
            }
        };
        if let Err(error) = broken {
            return (Err(error), server);
        }
        let subject = line.name().to_owned();
        done.push(Done { subject, planned });
    }
    (Ok(done), server)
}

/// A proxy before the server of an address, and the address with the proxy in its place.
pub(super) async fn proxied(world: &World, text: &str) -> Result<(Proxy, String), Error> {
    let wrong = || Error::Address(text.to_owned());
    let mut url = url::Url::parse(text).map_err(|_| wrong())?;
    let default_port = match url.scheme() {
        "postgres" | "postgresql" => 5_432,
        "redis" => 6_379,
        _ => return Err(wrong()),
    };
    let host = url.host_str().ok_or_else(wrong)?;
    let place = (host, url.port().unwrap_or(default_port));
    let server = tokio::net::lookup_host(place)
        .await?
        .next()
        .ok_or_else(wrong)?;
    let proxy = Proxy::start(world, server)?;
    url.set_host(Some("127.0.0.1")).map_err(|_| wrong())?;
    url.set_port(Some(proxy.address.port()))
        .map_err(|()| wrong())?;
    Ok((proxy, url.to_string()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use world::net::TcpStream;

    use super::*;
    use crate::node::proxy::tests::echo;

    /// Whether anything comes back through a proxy.
    async fn reaches(world: &World, proxy: &Proxy) -> bool {
        let asked = async {
            let mut client = TcpStream::connect(proxy.address).await?;
            client.write_all(b"a").await?;
            client.read_exact(&mut [0]).await
        };
        let answered = world.clock.timeout(Duration::from_millis(200), asked).await;
        answered.is_some_and(|answered| answered.is_ok())
    }

    #[tokio::test]
    async fn one_line_is_parted_and_the_next_one_goes_on() {
        let world = World::system();
        let server = echo(&world).await;
        let start = || Proxy::start(&world, server).expect("a free port exists");
        let (parted, other) = (start(), start());
        for way in [Way::Held, Way::Cut] {
            let parting = part(&world, &parted, way, Duration::from_secs(600));
            let looking = async {
                (
                    reaches(&world, &parted).await,
                    reaches(&world, &other).await,
                )
            };
            let seen = tokio::select! {
                biased;
                () = parting => panic!("it lasts longer than this test"),
                seen = looking => seen,
            };
            assert_eq!(seen, (false, true), "{way:?}");
            part(&world, &parted, way, Duration::ZERO).await;
            assert!(reaches(&world, &parted).await, "{way:?}");
        }
    }
}
