//! How long visitors of a site usually wait for a first answer, as they are told: measured now and then, off the way
//! of messages, and kept. Nobody waits for it; who comes before it is known is told nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::id::{SiteId, WorkspaceId};
use world::HashMap;

use crate::router::Router;

/// The days that count.
const SPAN_MS: u64 = 14 * 24 * 60 * 60 * 1_000;

/// Of fewer waits nothing is told.
const WAITS_MIN: usize = 10;

/// It is told in whole minutes.
const MINUTE_MS: u64 = 60 * 1_000;

/// What is known of each workspace whose visitors came here.
#[derive(Debug, Default)]
pub(crate) struct FirstAnswers(Mutex<HashMap<WorkspaceId, Known>>);

#[derive(Debug)]
struct Known {
    /// When it was last asked for.
    asked: Duration,
    usual_ms: HashMap<SiteId, u64>,
}

impl FirstAnswers {
    /// Whether it is to be measured anew; who is told so does it, and nobody else for so long.
    pub(crate) fn is_due(
        &self,
        workspace_id: WorkspaceId,
        now: Duration,
        interval: Duration,
    ) -> bool {
        let mut held = self.held();
        let Some(known) = held.get_mut(&workspace_id) else {
            let usual_ms = HashMap::default();
            let known = Known {
                asked: now,
                usual_ms,
            };
            held.insert(workspace_id, known);
            return true;
        };
        let is_due = now.saturating_sub(known.asked) >= interval;
        if is_due {
            known.asked = now;
        }
        is_due
    }

    /// How long visitors of a site usually wait, in milliseconds, where that is known.
    pub(crate) fn usual_ms(&self, workspace_id: WorkspaceId, site_id: SiteId) -> Option<u64> {
        let held = self.held();
        held.get(&workspace_id)?.usual_ms.get(&site_id).copied()
    }

    fn set(&self, workspace_id: WorkspaceId, usual_ms: HashMap<SiteId, u64>) {
        if let Some(known) = self.held().get_mut(&workspace_id) {
            known.usual_ms = usual_ms;
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Measures it for all sites of a workspace. What was known stays where that fails.
pub(crate) async fn measure(router: &Router, workspace_id: WorkspaceId) {
    let since_ms = router.world().clock.now_ms().saturating_sub(SPAN_MS);
    match storage::first_answer::waits(router.db(), workspace_id, since_ms).await {
        Ok(waits) => router.first_answers().set(workspace_id, by_site(waits)),
        Err(error) => tracing::warn!(%error, "how long visitors wait could not be measured"),
    }
}

/// The usual wait of each site that has enough of them.
fn by_site(waits: Vec<(SiteId, u64)>) -> HashMap<SiteId, u64> {
    let mut sites: HashMap<SiteId, Vec<u64>> = HashMap::default();
    for (site_id, wait_ms) in waits {
        sites.entry(site_id).or_default().push(wait_ms);
    }
    let usual = |(site_id, waits)| Some((site_id, usual(waits)?));
    sites.into_iter().filter_map(usual).collect()
}

/// The median, the longer one of two, in minutes that are not over before it.
fn usual(mut waits: Vec<u64>) -> Option<u64> {
    if waits.len() < WAITS_MIN {
        return None;
    }
    waits.sort_unstable();
    let median = waits[waits.len() / 2];
    Some(median.div_ceil(MINUTE_MS).max(1) * MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    #[test]
    fn the_usual_wait_is_the_median_in_whole_minutes() {
        let check = |waits: &[u64], wanted: Option<u64>| {
            assert_eq!(usual(waits.to_vec()), wanted, "{waits:?}");
        };
        check(&[], None);
        check(&[1_000; WAITS_MIN - 1], None);
        check(&[0; WAITS_MIN], Some(MINUTE_MS));
        check(&[MINUTE_MS; WAITS_MIN], Some(MINUTE_MS));
        check(&[MINUTE_MS + 1; WAITS_MIN], Some(2 * MINUTE_MS));
        // One who waited for a week is not what is usual, whatever the order.
        let week = 7 * 24 * 60 * MINUTE_MS;
        let mut waits = [3 * MINUTE_MS; 11];
        waits[0] = week;
        check(&waits, Some(3 * MINUTE_MS));
        let half: Vec<u64> = [[week; 5], [MINUTE_MS; 5]].concat();
        check(&half, Some(week));
    }

    #[test]
    fn each_site_has_its_own_and_one_with_few_none() {
        let [busy, slow, quiet] = [1, 2, 3].map(SiteId::from_bits);
        let mut waits = vec![(busy, MINUTE_MS); 12];
        waits.extend([(slow, 60 * MINUTE_MS); 10]);
        waits.extend([(quiet, MINUTE_MS); 9]);
        let usual = by_site(waits);
        let wanted = [(busy, MINUTE_MS), (slow, 60 * MINUTE_MS)];
        assert_eq!(usual, wanted.into_iter().collect());
    }

    #[test]
    fn it_is_measured_by_one_and_then_not_for_a_while() {
        let answers = FirstAnswers::default();
        let (here, there) = (WorkspaceId::from_bits(1), WorkspaceId::from_bits(2));
        let site_id = SiteId::from_bits(1);
        let due = |workspace_id, seconds| {
            let now = Duration::from_secs(seconds);
            answers.is_due(workspace_id, now, Duration::from_secs(10))
        };
        assert!(due(here, 5));
        assert!(due(there, 6));
        assert!(!due(here, 14));
        answers.set(here, [(site_id, MINUTE_MS)].into_iter().collect());
        // What is known stays while it is measured anew.
        assert!(due(here, 15));
        assert_eq!(answers.usual_ms(here, site_id), Some(MINUTE_MS));
        assert_eq!(answers.usual_ms(there, site_id), None);
        assert!(!due(here, 24));
    }
}
