//! Faults that a test plants at named points: the n-th call there fails.
//!
//! In production no plan exists and a check is one comparison with nothing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Ids;

/// A planted fault. Who meets it reports it as the error that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub point: &'static str,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "planted fault at {}", self.point)
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for std::io::Error {
    fn from(fault: Fault) -> Self {
        Self::other(fault)
    }
}

/// The planted faults. Clones are one plan.
#[derive(Clone, Debug, Default)]
pub struct Faults(Plan);

#[derive(Clone, Debug, Default)]
enum Plan {
    /// Nothing fails.
    #[default]
    None,
    /// The calls that a test named.
    Named(Arc<Mutex<BTreeMap<&'static str, Point>>>),
    /// One of so many calls, whichever it is, once it has begun.
    Often {
        one_in: u64,
        ids: Ids,
        has_begun: Arc<AtomicBool>,
    },
}

#[derive(Debug, Default)]
struct Point {
    call_count: u64,
    failing: Vec<Range<u64>>,
}

impl Faults {
    /// No faults, ever.
    #[must_use]
    pub fn none() -> Self {
        Self(Plan::None)
    }

    /// No faults yet; tests may plant some.
    #[must_use]
    pub fn armed() -> Self {
        Self(Plan::Named(Arc::default()))
    }

    /// One of so many calls fails at each point, by chance, from [`Faults::begin`] on: what a load test asks of
    /// a server.
    #[must_use]
    pub fn often(one_in: u64, ids: Ids) -> Self {
        Self(Plan::Often {
            one_in: one_in.max(1),
            ids,
            has_begun: Arc::default(),
        })
    }

    /// From here on calls fail by chance, where they shall. A server spares its start, which would end at the
    /// first fault.
    pub fn begin(&self) {
        match &self.0 {
            Plan::Often { has_begun, .. } => has_begun.store(true, Ordering::Relaxed),
            Plan::None | Plan::Named(_) => {}
        }
    }

    /// Counts a call at `point` and says whether it shall fail.
    ///
    /// # Errors
    ///
    /// The planted fault.
    pub fn check(&self, point: &'static str) -> Result<(), Fault> {
        match &self.0 {
            Plan::None => Ok(()),
            Plan::Often {
                one_in,
                ids,
                has_begun,
            } => {
                let fails = has_begun.load(Ordering::Relaxed) && ids.below(*one_in) == 0;
                if fails { Err(Fault { point }) } else { Ok(()) }
            }
            Plan::Named(plan) => {
                let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
                let at = plan.entry(point).or_default();
                let call = at.call_count;
                at.call_count += 1;
                if at.failing.iter().any(|calls| calls.contains(&call)) {
                    return Err(Fault { point });
                }
                Ok(())
            }
        }
    }

    /// Counts a call at `point`, and panics there if a test planted it: a fault of our own code.
    ///
    /// # Panics
    ///
    /// Where a test planted it.
    pub fn strike(&self, point: &'static str) {
        if let Err(fault) = self.check(point) {
            // As a panic is, but without a word of the hook: it was meant.
            std::panic::resume_unwind(Box::new(fault.to_string()));
        }
    }

    /// Plants a fault: counted from here, the first `skip` calls at `point` pass, the next `count`
    /// fail.
    ///
    /// # Panics
    ///
    /// Where they are not [`Faults::armed`].
    pub fn fail(&self, point: &'static str, skip: u64, count: u64) {
        let plan = self.named();
        let plan = plan.expect("faults are planted only where a test armed them");
        let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
        let at = plan.entry(point).or_default();
        let start = at.call_count.saturating_add(skip);
        at.failing.push(start..start.saturating_add(count));
    }

    /// Takes all faults away; calls are counted on.
    pub fn heal(&self) {
        if let Some(plan) = self.named() {
            let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
            plan.values_mut().for_each(|at| at.failing.clear());
        }
    }

    /// How often [`Faults::check`] was called at `point`; always zero without a plan.
    #[must_use]
    pub fn call_count(&self, point: &'static str) -> u64 {
        self.named().map_or(0, |plan| {
            let plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
            plan.get(point).map_or(0, |at| at.call_count)
        })
    }

    fn named(&self) -> Option<&Mutex<BTreeMap<&'static str, Point>>> {
        match &self.0 {
            Plan::Named(plan) => Some(plan),
            Plan::None | Plan::Often { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_planned_calls_fail() {
        let faults = Faults::armed();
        faults.check("here").expect("nothing is planted yet");
        faults.fail("here", 1, 2);
        let failed = [(); 5].map(|()| faults.check("here").is_err());
        assert_eq!(failed, [false, true, true, false, false]);
        assert_eq!(faults.check("there"), Ok(()));
        assert_eq!(faults.call_count("here"), 6);
    }

    #[test]
    fn healing_takes_the_plan_away() {
        let faults = Faults::armed();
        faults.fail("here", 0, u64::MAX);
        assert_eq!(faults.check("here"), Err(Fault { point: "here" }));
        faults.heal();
        assert_eq!(faults.check("here"), Ok(()));
    }

    #[test]
    #[should_panic(expected = "planted fault at here")]
    fn a_planted_panic_strikes_on_its_turn() {
        let faults = Faults::armed();
        faults.fail("here", 1, 1);
        faults.strike("here");
        faults.strike("here");
    }

    #[test]
    fn some_calls_fail_by_chance_and_most_do_not() {
        let faults = Faults::often(10, Ids::seeded(3, crate::Clock::manual(0)));
        let count = || (0..1_000).filter(|_| faults.check("here").is_err()).count();
        assert_eq!(count(), 0, "it has not begun");
        faults.begin();
        let failed = count();
        assert!((50..200).contains(&failed), "{failed}");
        assert_eq!(faults.call_count("here"), 0);
    }

    #[test]
    fn without_a_plan_nothing_fails_and_nothing_is_counted() {
        let faults = Faults::none();
        assert_eq!(faults.check("here"), Ok(()));
        assert_eq!(faults.call_count("here"), 0);
    }
}
