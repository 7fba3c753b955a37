//! How long visitors usually wait for a first answer, as those who come later hear it.

use std::time::Duration;

use crate::both::on_both;
use crate::common::Stage;
use router::{Router, RouterConfig};

const MINUTE_MS: u64 = 60 * 1_000;

/// So many visitors write, and are answered so much later.
async fn talks(stage: &Stage, count: usize, wait_ms: u64) {
    for _ in 0..count {
        let visitor = stage.visitor().await;
        let said = stage.says(visitor, "hello").await;
        let clock = &stage.world.clock;
        clock.set_now_ms(clock.now_ms() + wait_ms);
        let id = said.conversation_id.expect("it began one");
        stage.answers(stage.owner(), id, "hello").await;
    }
}

/// A node that measures once, and keeps that for as long as it runs.
async fn node(stage: &Stage) -> Router {
    let config = RouterConfig {
        first_answer_interval: Duration::MAX,
        ..RouterConfig::default()
    };
    stage.node(&stage.world, config).await
}

async fn told(stage: &Stage, router: &Router) -> Option<u64> {
    let config = router.widget_config(stage.workspace_id, stage.site_id);
    let config = config.await.expect("readable");
    config.expect("the site is there").first_answer_ms
}

/// What is told once it is known. Nobody waits for it: who asks first is told nothing.
async fn known(stage: &Stage, router: &Router) -> u64 {
    loop {
        if let Some(usual_ms) = told(stage, router).await {
            return usual_ms;
        }
        stage.world.clock.sleep(Duration::from_millis(5)).await;
    }
}

on_both! {
    async fn visitors_hear_what_is_usual_and_it_is_kept_until_it_is_measured_anew(stage: Stage) {
        talks(&stage, 10, MINUTE_MS / 2).await;
        let first = node(&stage).await;
        assert_eq!(known(&stage, &first).await, MINUTE_MS);
        talks(&stage, 11, 20 * MINUTE_MS - MINUTE_MS / 2).await;
        assert_eq!(known(&stage, &node(&stage).await).await, 20 * MINUTE_MS);
        // Nobody who came in between made the first one read again.
        assert_eq!(told(&stage, &first).await, Some(MINUTE_MS));
    }
}
