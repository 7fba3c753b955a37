//! Every story runs on both homes. A file of its own, for benches share the stores and not the stories.

/// Runs each story on SQLite and on Postgres.
macro_rules! on_both {
    ($($(#[doc = $doc:literal])* async fn $name:ident($store:ident: &Store) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[doc = $doc])*
            async fn story($store: &Store) $body

            #[tokio::test]
            async fn on_sqlite() {
                story(&Store::sqlite().await).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                story(&Store::postgres().await).await;
            }
        }
    )*};
}
pub(crate) use on_both;
