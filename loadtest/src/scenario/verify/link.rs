//! The links that all nodes share, to the store and to the bus: broken by a plan, and what stands behind them too,
//! where it is our own.

use std::time::Duration;

use rustix::process::Signal;
use world::World;

use super::cluster::Done;
use super::fault::{Fault, Planned};
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
        | Fault::Slow { .. } => Ok(()),
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
        | Fault::Slow { .. } => Ok(()),
    }
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
        | Fault::Pause { .. } => return,
    }
    world.clock.sleep(fault.length()).await;
    proxy.set(Weather::default());
}

/// Gives also what stands behind the link, where it is our own.
pub(super) async fn suffer(
    world: &World,
    (name, proxy): (&str, &Proxy),
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
        let subject = name.to_owned();
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
