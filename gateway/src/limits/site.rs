//! Rates that sites set for themselves, below what the server allows everybody (SEC-02).

use std::sync::{Arc, Mutex, PoisonError};

use governor::RateLimiter;
use protocol::id::{SiteId, VisitorId};
use protocol::rejection::Rejection;
use protocol::workspace::Settings;
use world::HashMap;

use crate::config::Rate;
use crate::limits::keyed::Keyed;
use crate::limits::{Elapsed, FrameLimiter, limited, quota};

/// One kind of rate, by site. Holds the sites that set one, which are bounded by the sites there are.
#[derive(Debug)]
struct PerSite<L>(Mutex<HashMap<SiteId, (u32, Arc<L>)>>);

impl<L> Default for PerSite<L> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<L> PerSite<L> {
    /// What the site allows now: anew where it set another number, nothing where it sets none.
    // What is set no longer stays, for it may be set again, and there are only so many sites.
    fn of(
        &self,
        site_id: SiteId,
        per_minute: Option<u32>,
        make: impl Fn(Rate) -> L,
    ) -> Option<Arc<L>> {
        let per_minute = per_minute?;
        let mut by_site = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            (
                per_minute,
                Arc::new(make(Rate::new(per_minute, per_minute))),
            )
        };
        let held = by_site.entry(site_id).or_insert_with(made);
        if held.0 != per_minute {
            *held = made();
        }
        Some(Arc::clone(&held.1))
    }

    fn all(&self) -> Vec<Arc<L>> {
        let by_site = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        by_site.values().map(|(_, one)| Arc::clone(one)).collect()
    }
}

/// The rates of all sites.
#[derive(Debug)]
pub(super) struct SiteRates {
    sessions: PerSite<FrameLimiter>,
    messages: PerSite<Keyed<VisitorId>>,
    clock: Elapsed,
}

impl SiteRates {
    pub(super) fn new(clock: &Elapsed) -> Self {
        Self {
            sessions: PerSite::default(),
            messages: PerSite::default(),
            clock: clock.clone(),
        }
    }

    /// A session of the site begins.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) fn session(&self, site_id: SiteId, settings: &Settings) -> Result<(), Rejection> {
        let make = |rate| RateLimiter::direct_with_clock(quota(rate), self.clock.clone());
        match self
            .sessions
            .of(site_id, settings.sessions_per_minute, make)
        {
            Some(limiter) => limiter
                .check()
                .map_err(|not_until| limited(self.clock.until(&not_until))),
            None => Ok(()),
        }
    }

    /// A visitor of the site sends a command.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) fn message(
        &self,
        site_id: SiteId,
        visitor_id: VisitorId,
        settings: &Settings,
    ) -> Result<(), Rejection> {
        let make = |rate| Keyed::new(rate, &self.clock);
        match self
            .messages
            .of(site_id, settings.messages_per_minute, make)
        {
            Some(limiter) => limiter.check(&visitor_id),
            None => Ok(()),
        }
    }

    pub(super) fn forget_quiet(&self) {
        for limiter in self.messages.all() {
            limiter.forget_quiet();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::id::Id;

    use super::*;

    fn settings(sessions: Option<u32>, messages: Option<u32>) -> Settings {
        Settings {
            sessions_per_minute: sessions,
            messages_per_minute: messages,
            ..Settings::default()
        }
    }

    #[test]
    fn a_site_that_sets_a_rate_has_it_for_itself() {
        let clock = world::Clock::manual(0);
        let rates = SiteRates::new(&Elapsed(clock.clone()));
        let [site, other] = [1, 2].map(SiteId::from_bits);
        let two = settings(Some(2), None);
        rates.session(site, &two).unwrap();
        rates.session(site, &two).unwrap();
        let refused = rates.session(site, &two).unwrap_err();
        assert!(refused.retry_after_ms.is_some_and(|wait| wait <= 30_000));
        rates.session(other, &two).unwrap();
        clock.advance(Duration::from_secs(30));
        rates.session(site, &two).unwrap();
        // Another number counts at once, and none does not count at all.
        assert!(rates.session(site, &two).is_err());
        rates.session(site, &settings(Some(3), None)).unwrap();
        for _ in 0..10 {
            rates.session(site, &settings(None, None)).unwrap();
        }
    }

    #[test]
    fn each_visitor_has_the_sites_rate_of_messages() {
        let rates = SiteRates::new(&Elapsed(world::Clock::manual(0)));
        let site = SiteId::from_bits(1);
        let [ana, bob] = [1, 2].map(VisitorId::from_bits);
        let one = settings(None, Some(1));
        rates.message(site, ana, &one).unwrap();
        assert!(rates.message(site, ana, &one).is_err());
        rates.message(site, bob, &one).unwrap();
        rates.forget_quiet();
        assert!(rates.message(site, ana, &one).is_err());
    }
}
