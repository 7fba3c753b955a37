//! When a workspace's team is there by its hours, as the visitors of its sites hear it.

use crate::both::on_both;
use crate::common::Stage;
use protocol::support_hours::{OpenSpan, SupportHours};
use protocol::workspace::WorkspaceChange;
use router::{Part, Topic};
use serde_json::{Value, json};

/// Midnight in UTC of 24 October 2026, a Saturday. The next night the clocks of Europe go back.
const SATURDAY_MS: u64 = 1_792_800_000_000;

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// Stores other hours; nodes hear of it.
async fn states(stage: &Stage, hours: Value, time_zone: &str) {
    let found = storage::workspace::find(&stage.db, stage.workspace_id).await;
    let version = found.expect("the store works").expect("it exists").version;
    let hours: SupportHours = serde_json::from_value(hours).expect("hours");
    let new = WorkspaceChange {
        support_hours: Some(hours),
        time_zone: Some(time_zone.to_owned()),
        ..WorkspaceChange::default()
    };
    let change = stage.change("workspace.changed");
    storage::workspace::change(&stage.db, version, &new, &change)
        .await
        .expect("it works");
    stage.router.changed(stage.workspace_id, Part::Workspace);
}

async fn open(stage: &Stage) -> Vec<OpenSpan> {
    let config = stage
        .router
        .widget_config(stage.workspace_id, stage.site_id);
    config
        .await
        .expect("readable")
        .expect("the site is there")
        .open
}

fn span(from_hours: u64, to_hours: u64) -> OpenSpan {
    OpenSpan {
        from_at_ms: SATURDAY_MS + from_hours * HOUR_MS,
        to_at_ms: SATURDAY_MS + to_hours * HOUR_MS,
    }
}

on_both! {
    async fn visitors_hear_when_the_team_is_there_and_who_comes_later_what_is_left(stage: Stage) {
        let stage = stage.restart_at(SATURDAY_MS).await;
        let site = stage.ear();
        site.listen(Topic::SiteVisitors(stage.site_id));
        assert_eq!(open(&stage).await, []);
        let day = json!([{"from": "09:00", "to": "17:00"}]);
        states(&stage, json!({"saturday": day, "sunday": day}), "Europe/Zagreb").await;
        let told = site.frame("config").await;
        let told: Vec<OpenSpan> = serde_json::from_value(told["open"].clone()).expect("spans");
        // Two hours ahead on Saturday, one on Sunday and after it.
        let (saturday, sunday) = (span(7, 15), span(24 + 8, 24 + 16));
        assert_eq!(told[..2], [saturday, sunday]);
        let next_saturday = span(7 * 24 + 8, 7 * 24 + 16);
        assert_eq!(told[2], next_saturday);
        stage.world.clock.set_now_ms(saturday.to_at_ms);
        assert_eq!(open(&stage).await[..2], [sunday, next_saturday]);
        // Hours are those of the workspace's own clock, and gone when they are taken back. What was told before may
        // be told again before that.
        states(&stage, json!({"saturday": day}), "UTC").await;
        let in_utc = json!(SATURDAY_MS + 9 * HOUR_MS);
        while site.frame("config").await["open"][0]["from_at_ms"] != in_utc {}
        states(&stage, json!({}), "UTC").await;
        while site.frame("config").await["open"] != Value::Null {}
        assert_eq!(open(&stage).await, []);
    }
}
