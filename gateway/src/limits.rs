//! How often, and how many at a time: rates by `governor` per connection, visitor, address, site and
//! key, and the bounds on open connections.
//!
//! The maps behind the rates are bounded: whoever has been quiet long enough to have a full allowance
//! again is forgotten each minute, and a map that is full all the same counts newcomers together.

mod keyed;
mod site;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock as RateClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, Quota, RateLimiter};
use protocol::id::{ApiKeyId, SiteId, VisitorId};
use protocol::limit;
use protocol::permission::{Actor, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::workspace::Settings;
use world::HashMap;

use crate::address;
use crate::config::{LimitConfig, Rate, kib};
use crate::http::line::Line;
use crate::limits::keyed::Keyed;
use crate::limits::site::SiteRates;

/// Uploads at a time, all together and of one address: who sends slowly must not take all places.
const UPLOADS_MAX: usize = 32;
const UPLOADS_PER_ADDRESS_MAX: usize = 8;

/// The world's clock, as governor wants one.
#[derive(Debug, Clone)]
pub(crate) struct Elapsed(world::Clock);

impl RateClock for Elapsed {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Elapsed {
    /// How long until something is allowed again.
    fn until(&self, not_until: &NotUntil<Duration>) -> Duration {
        not_until.wait_time_from(self.now())
    }
}

/// The allowance of one connection: 48 bytes, no allocation.
pub(crate) type FrameLimiter =
    RateLimiter<NotKeyed, InMemoryState, Elapsed, NoOpMiddleware<Duration>>;

/// All limits that connections share.
#[derive(Debug)]
pub(crate) struct Limits {
    clock: Elapsed,
    config: LimitConfig,
    visitor: Keyed<VisitorId>,
    address: Keyed<u128>,
    connect: Keyed<u128>,
    site: Keyed<SiteId>,
    own: SiteRates,
    /// Page views and custom events.
    visitor_trace: Keyed<VisitorId>,
    site_trace: Keyed<SiteId>,
    key: Keyed<ApiKeyId>,
    metrics: Keyed<u128>,
    /// Uploads, in KiB.
    visitor_upload: Keyed<VisitorId>,
    address_upload: Keyed<u128>,
    open: Arc<Open>,
    http_open: Arc<Open>,
    /// Requests through trusted proxies.
    proxied: Arc<Open>,
    uploads: Arc<Open>,
}

fn quota(rate: Rate) -> Quota {
    let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    Quota::per_minute(at_least_one(rate.per_minute)).allow_burst(at_least_one(rate.burst))
}

fn limited(wait: Duration) -> Rejection {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Rejection::after(ErrorCode::RateLimited, wait_ms.max(1))
}

impl Limits {
    pub(crate) fn new(config: &LimitConfig, clock: &world::Clock) -> Self {
        let clock = Elapsed(clock.clone());
        Self {
            visitor: Keyed::new(config.visitor_requests, &clock),
            address: Keyed::new(config.address_requests, &clock),
            connect: Keyed::new(config.address_connections, &clock),
            site: Keyed::new(config.site_sessions, &clock),
            own: SiteRates::new(&clock),
            visitor_trace: Keyed::new(config.visitor_traces, &clock),
            site_trace: Keyed::new(config.site_traces, &clock),
            key: Keyed::new(config.key_requests, &clock),
            metrics: Keyed::new(config.metrics_requests, &clock),
            visitor_upload: Keyed::new(config.visitor_upload_bytes.kib(), &clock),
            address_upload: Keyed::new(config.address_upload_bytes.kib(), &clock),
            open: Arc::default(),
            http_open: Arc::default(),
            proxied: Arc::default(),
            uploads: Arc::default(),
            config: config.clone(),
            clock,
        }
    }

    /// A fresh allowance for one connection's frames.
    pub(crate) fn frames(&self) -> FrameLimiter {
        RateLimiter::direct_with_clock(quota(self.config.connection_frames), self.clock.clone())
    }

    /// How long until a frame is allowed again, or nothing when it is allowed now.
    pub(crate) fn frame(&self, limiter: &FrameLimiter) -> Result<(), Rejection> {
        limiter
            .check()
            .map_err(|not_until| limited(self.clock.until(&not_until)))
    }

    pub(crate) fn visitor_request(&self, visitor_id: VisitorId) -> Result<(), Rejection> {
        self.visitor.check(&visitor_id)
    }

    pub(crate) fn address_request(&self, line: &Line) -> Result<(), Rejection> {
        if line.exempt {
            return Ok(());
        }
        self.address.check(&address::subscriber(line.address))
    }

    /// A session of a site begins: within what the server allows any site, and within what the site
    /// sets for itself.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn site_session(
        &self,
        site_id: SiteId,
        settings: &Settings,
        line: &Line,
    ) -> Result<(), Rejection> {
        if line.exempt {
            return Ok(());
        }
        self.site.check(&site_id)?;
        self.own.session(site_id, settings)
    }

    /// A visitor sends a command, within what his site sets for itself.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn site_message(
        &self,
        site_id: SiteId,
        visitor_id: VisitorId,
        settings: &Settings,
    ) -> Result<(), Rejection> {
        self.own.message(site_id, visitor_id, settings)
    }

    /// A visitor's page view or custom event.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn trace(&self, site_id: SiteId, visitor_id: VisitorId) -> Result<(), Rejection> {
        self.visitor_trace.check(&visitor_id)?;
        self.site_trace.check(&site_id)
    }

    /// A request for the metrics by token: right or wrong, so that nobody guesses on.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn metrics_request(&self, line: &Line) -> Result<(), Rejection> {
        if line.exempt {
            return Ok(());
        }
        self.metrics.check(&address::subscriber(line.address))
    }

    pub(crate) fn key_request(&self, key_id: ApiKeyId) -> Result<(), Rejection> {
        self.key.check(&key_id)
    }

    /// Counts a file against the budgets of its uploader and of the address. The team has its own budget in
    /// that of its address alone.
    ///
    /// # Errors
    /// `rate_limited`, `too_large`.
    pub(crate) fn upload(&self, actor: &Actor, line: &Line, bytes: u64) -> Result<(), Rejection> {
        if line.exempt {
            return Ok(());
        }
        let count = kib(bytes.max(limit::UPLOAD_BYTES_MIN));
        let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        if let Principal::Visitor(visitor) = actor.principal {
            self.visitor_upload.check_many(&visitor.visitor_id, count)?;
        }
        self.address_upload
            .check_many(&address::subscriber(line.address), count)
    }

    /// Room for one more connection. Dropping the permit gives it back.
    ///
    /// # Errors
    /// `rate_limited` for an address with too many, `unavailable` when we are full.
    pub(crate) fn connect(&self, line: &Line) -> Result<ConnectionPermit, Rejection> {
        let subscriber = address::subscriber(line.address);
        if !line.exempt {
            self.connect.check(&subscriber)?;
        }
        let counted = (!line.exempt).then_some(subscriber);
        let config = &self.config;
        self.open.enter(
            counted,
            config.connections_per_address_max,
            config.connections_max,
        )
    }

    /// Room for one more connection for plain HTTP. `counted` is the address that it is counted against;
    /// nothing for those that are trusted, or shared by many.
    ///
    /// # Errors
    /// As [`Limits::connect`].
    pub(crate) fn http_connection(
        &self,
        counted: Option<IpAddr>,
    ) -> Result<ConnectionPermit, Rejection> {
        let config = &self.config;
        self.http_open.enter(
            counted.map(address::subscriber),
            config.http_connections_per_address_max,
            config.http_connections_max,
        )
    }

    /// Room for a request that came over a connection which trusted proxies share among many; nothing is
    /// needed for others, whose connections are counted.
    ///
    /// # Errors
    /// `rate_limited` for an address with too many.
    pub(crate) fn proxied_request(
        &self,
        line: &Line,
    ) -> Result<Option<ConnectionPermit>, Rejection> {
        if !line.proxied || line.exempt {
            return Ok(None);
        }
        let counted = Some(address::subscriber(line.address));
        let per_address_max = self.config.http_connections_per_address_max;
        let permit = self.proxied.enter(counted, per_address_max, usize::MAX);
        permit.map(Some)
    }

    /// A place to upload a file.
    ///
    /// # Errors
    /// `rate_limited` for an address with too many uploads under way, `unavailable` where all places are
    /// taken.
    pub(crate) fn upload_place(&self, line: &Line) -> Result<ConnectionPermit, Rejection> {
        let counted = (!line.exempt).then(|| address::subscriber(line.address));
        self.uploads
            .enter(counted, UPLOADS_PER_ADDRESS_MAX, UPLOADS_MAX)
    }

    /// Forgets everybody whose allowance is full again. Called each minute.
    pub(crate) fn forget_quiet(&self) {
        self.visitor.forget_quiet();
        self.address.forget_quiet();
        self.connect.forget_quiet();
        self.site.forget_quiet();
        self.own.forget_quiet();
        self.visitor_trace.forget_quiet();
        self.site_trace.forget_quiet();
        self.key.forget_quiet();
        self.metrics.forget_quiet();
        self.visitor_upload.forget_quiet();
        self.address_upload.forget_quiet();
    }
}

/// Open connections by subscriber. Touched when one opens or closes, never by a frame.
#[derive(Debug, Default)]
struct Open {
    total: AtomicUsize,
    by_subscriber: Mutex<HashMap<u128, usize>>,
}

impl Open {
    fn enter(
        self: &Arc<Self>,
        counted: Option<u128>,
        per_address_max: usize,
        total_max: usize,
    ) -> Result<ConnectionPermit, Rejection> {
        // Looked at and counted in one step: shards come at the same moment.
        let one_more = |total| (total < total_max).then_some(total + 1);
        let total = &self.total;
        if total
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .is_err()
        {
            return Err(Rejection::after(ErrorCode::Unavailable, 5_000));
        }
        if let Some(subscriber) = counted {
            let mut map = self.lock();
            let count = map.entry(subscriber).or_default();
            if *count >= per_address_max {
                total.fetch_sub(1, Ordering::Relaxed);
                return Err(Rejection::after(ErrorCode::RateLimited, 10_000));
            }
            *count += 1;
        }
        Ok(ConnectionPermit {
            open: Arc::clone(self),
            counted,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u128, usize>> {
        self.by_subscriber
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to be connected; gives its place back when dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    open: Arc<Open>,
    counted: Option<u128>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.open.total.fetch_sub(1, Ordering::Relaxed);
        let Some(subscriber) = self.counted else {
            return;
        };
        let mut map = self.open.lock();
        if let Some(count) = map.get_mut(&subscriber) {
            *count -= 1;
            if *count == 0 {
                map.remove(&subscriber);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    fn line(address: &str, exempt: bool) -> Line {
        Line {
            address: address.parse().unwrap(),
            exempt,
            secure: false,
            own_origin: String::new(),
            proxied: false,
        }
    }

    #[test]
    fn a_key_has_sixty_requests_a_minute_and_learns_when_to_come_back() {
        let clock = world::Clock::manual(0);
        let limits = Limits::new(&LimitConfig::default(), &clock);
        let key = ApiKeyId::from_bits(1);
        for _ in 0..60 {
            limits.key_request(key).unwrap();
        }
        let refused = limits.key_request(key).unwrap_err();
        assert_eq!(refused.code, ErrorCode::RateLimited);
        let wait_ms = refused.retry_after_ms.unwrap();
        assert!((1..=1_000).contains(&wait_ms), "{wait_ms}");
        limits.key_request(ApiKeyId::from_bits(2)).unwrap();
        clock.advance(Duration::from_millis(wait_ms));
        limits.key_request(key).unwrap();
    }

    #[test]
    fn an_address_has_so_many_connections_and_gets_its_places_back() {
        let config = LimitConfig {
            connections_per_address_max: 2,
            ..LimitConfig::default()
        };
        let limits = Limits::new(&config, &world::Clock::manual(0));
        let here = line("1.2.3.4", false);
        let first = limits.connect(&here).unwrap();
        let _second = limits.connect(&here).unwrap();
        assert_eq!(
            limits.connect(&here).unwrap_err().code,
            ErrorCode::RateLimited
        );
        limits.connect(&line("1.2.3.5", false)).unwrap();
        limits.connect(&line("1.2.3.4", true)).unwrap();
        drop(first);
        limits.connect(&here).unwrap();
    }

    #[test]
    fn an_address_has_so_many_connections_for_plain_http_and_all_together_have_some() {
        let config = LimitConfig {
            http_connections_per_address_max: 1,
            http_connections_max: 3,
            ..LimitConfig::default()
        };
        let limits = Limits::new(&config, &world::Clock::manual(0));
        let enter = |address: Option<&str>| {
            let address = address.map(|address| address.parse().unwrap());
            limits.http_connection(address).map_err(|no| no.code)
        };
        let _first = enter(Some("1.2.3.4")).unwrap();
        assert_eq!(enter(Some("1.2.3.4")).unwrap_err(), ErrorCode::RateLimited);
        // A proxy's connections are not counted against it.
        let (_second, third) = (enter(None).unwrap(), enter(None).unwrap());
        assert_eq!(enter(None).unwrap_err(), ErrorCode::Unavailable);
        drop(third);
        enter(Some("1.2.3.5")).unwrap();
    }

    #[test]
    fn behind_a_proxy_an_address_has_so_many_requests() {
        let config = LimitConfig {
            http_connections_per_address_max: 1,
            ..LimitConfig::default()
        };
        let limits = Limits::new(&config, &world::Clock::manual(0));
        let proxied = |address| Line {
            proxied: true,
            ..line(address, false)
        };
        let first = limits.proxied_request(&proxied("1.2.3.4")).unwrap();
        let refused = limits.proxied_request(&proxied("1.2.3.4")).unwrap_err();
        assert_eq!(refused.code, ErrorCode::RateLimited);
        limits.proxied_request(&proxied("1.2.3.5")).unwrap();
        assert!(
            limits
                .proxied_request(&line("1.2.3.4", false))
                .unwrap()
                .is_none()
        );
        drop(first);
        limits.proxied_request(&proxied("1.2.3.4")).unwrap();
    }

    #[test]
    fn one_address_does_not_take_all_places_for_uploads() {
        let limits = Limits::new(&LimitConfig::default(), &world::Clock::manual(0));
        let places = |address: &str, count: usize| -> Vec<_> {
            let line = line(address, false);
            (0..count).map(|_| limits.upload_place(&line)).collect()
        };
        let first = places("1.2.3.4", UPLOADS_PER_ADDRESS_MAX + 1);
        let refused = first.last().unwrap().as_ref().unwrap_err();
        assert_eq!(refused.code, ErrorCode::RateLimited);
        let others: Vec<_> = (5..8)
            .flat_map(|last| places(&format!("1.2.3.{last}"), UPLOADS_PER_ADDRESS_MAX))
            .collect();
        assert!(others.iter().all(Result::is_ok));
        let refused = limits.upload_place(&line("1.2.3.9", false)).unwrap_err();
        assert_eq!(refused.code, ErrorCode::Unavailable);
    }

    #[test]
    fn we_are_full_for_everybody_at_some_point() {
        let config = LimitConfig {
            connections_max: 1,
            ..LimitConfig::default()
        };
        let limits = Limits::new(&config, &world::Clock::manual(0));
        let _only = limits.connect(&line("1.2.3.4", true)).unwrap();
        let refused = limits.connect(&line("1.2.3.5", true)).unwrap_err();
        assert_eq!(refused.code, ErrorCode::Unavailable);
    }

    #[test]
    fn trusted_addresses_are_not_counted() {
        let config = LimitConfig {
            address_requests: Rate::new(1, 1),
            ..LimitConfig::default()
        };
        let limits = Limits::new(&config, &world::Clock::manual(0));
        limits.address_request(&line("1.2.3.4", false)).unwrap();
        assert!(limits.address_request(&line("1.2.3.4", false)).is_err());
        for _ in 0..10 {
            limits.address_request(&line("1.2.3.4", true)).unwrap();
        }
    }
}
