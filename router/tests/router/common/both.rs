//! Stories that run on both homes of a store. Benches share the stage, not this.

/// Runs each story on SQLite and on Postgres.
macro_rules! on_both {
    ($($(#[doc = $doc:literal])* async fn $name:ident($stage:ident: Stage) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[doc = $doc])*
            async fn story($stage: Stage) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                story(Stage::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                story(Stage::postgres().await).await;
            }
        }
    )*};
}
pub(crate) use on_both;
