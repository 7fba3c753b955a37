//! Whether we live, whether we can serve, and what was counted.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use protocol::rejection::ErrorCode;
use storage::db::Figures;
use subtle::ConstantTimeEq;

use crate::Doors;
use crate::distribution::Distribution;
use crate::http::auth;
use crate::http::line::Line;
use crate::http::problem::Answer;
use crate::metric::Metric;

/// How long the store may take to answer before we are not ready.
const STORE_TIME_MAX: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics_by_token))
}

/// The doors of the listener for metrics alone.
pub(crate) fn metrics_only(doors: Doors) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(doors)
}

async fn ready(State(doors): State<Doors>) -> Response {
    if !doors.is_ready() {
        return (StatusCode::SERVICE_UNAVAILABLE, "going away\n").into_response();
    }
    if store_answers(&doors).await {
        return (StatusCode::OK, readiness(&doors)).into_response();
    }
    let text = "the store does not answer\n";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn store_answers(doors: &Doors) -> bool {
    let asked = storage::setup::is_done(&doors.reader);
    let answer = doors.world.clock.timeout(STORE_TIME_MAX, asked).await;
    matches!(answer, Some(Ok(_)))
}

/// That it serves, and what is not as it should be meanwhile.
fn readiness(doors: &Doors) -> String {
    let mut shortcomings = Vec::new();
    if !doors.router.stats().is_in_reach {
        shortcomings.push("the bus is out of reach: news of other nodes come late".to_owned());
    }
    let differing = doors.router.differing_settings();
    if !differing.is_empty() {
        let keys = differing.join(", ");
        shortcomings.push(format!("other nodes have other settings: {keys}"));
    }
    if shortcomings.is_empty() {
        return "ready\n".to_owned();
    }
    format!("ready, but {}\n", shortcomings.join("; "))
}

async fn metrics_by_token(
    State(doors): State<Doors>,
    line: Line,
    headers: HeaderMap,
) -> Answer<Response> {
    let Some(token) = &doors.config.metrics.token else {
        return Err(ErrorCode::NotFound.into());
    };
    doors.limits.metrics_request(&line)?;
    let given = auth::bearer(&headers).unwrap_or_default();
    if !bool::from(given.as_bytes().ct_eq(token.as_bytes())) {
        return Err(ErrorCode::Unauthenticated.into());
    }
    Ok(metrics(State(doors)).await)
}

async fn metrics(State(doors): State<Doors>) -> Response {
    let stats = doors.router.stats();
    doors.metrics.set(Metric::Lanes, stats.lane_count as u64);
    doors
        .metrics
        .set(Metric::LanePanics, stats.lane_panic_count);
    doors
        .metrics
        .set(Metric::TaskPanics, stats.task_panic_count);
    doors.metrics.set(Metric::Topics, stats.topic_count as u64);
    doors
        .metrics
        .set(Metric::DeliveriesLost, stats.lost_delivery_count);
    doors
        .metrics
        .set(Metric::TracesLost, stats.lost_trace_count);
    let refused = doors.reader.refused_full_count() + doors.blobs.refused_full_count();
    doors.metrics.set(Metric::RefusedFull, refused);
    let bus = stats.bus;
    for (metric, value) in [
        (Metric::Nodes, stats.node_count as u64),
        (
            Metric::SettingsDiffering,
            doors.router.differing_settings().len() as u64,
        ),
        (Metric::BusUp, u64::from(stats.is_in_reach)),
        (Metric::BusPublished, bus.published_count),
        (Metric::BusBatches, bus.batch_count),
        (Metric::BusHeard, bus.heard_count),
        (Metric::BusLost, bus.lost_count),
        (Metric::BusGaps, bus.gap_count),
        (
            Metric::BusUnreadable,
            bus.unreadable_count + stats.unknown_news_count,
        ),
    ] {
        doors.metrics.set(metric, value);
    }
    let store = ask_store(&doors).await;
    let mut text = doors.metrics.text();
    for (distribution, counts) in [
        (Distribution::StoreCommit, &store.commit_us),
        (Distribution::StoreCommitWrites, &store.commit_writes),
        (Distribution::StoreRead, &store.read_us),
    ] {
        distribution.write(counts, &mut text);
    }
    let form = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, form)], text).into_response()
}

/// Takes over how the store does, and whether it answers now.
async fn ask_store(doors: &Doors) -> Figures {
    let is_up = store_answers(doors).await;
    let store = doors.reader.figures();
    for (metric, value) in [
        (Metric::StoreUp, u64::from(is_up)),
        (Metric::Ready, u64::from(is_up && doors.is_ready())),
        (Metric::StoreFailures, store.failed_count),
        (Metric::StoreWritesWaiting, store.writes_waiting as u64),
        (Metric::StoreReadsWaiting, store.reads_waiting as u64),
    ] {
        doors.metrics.set(metric, value);
    }
    store
}
