//! Logs go to standard error; standard output is for what an operator asked to see.

use server::config::Log;
use tracing_subscriber::EnvFilter;

/// Starts logging for the whole process.
pub(crate) fn start(log: &Log) {
    // The filter was checked with the configuration. With each start Postgres notices what is there already:
    // that is heard only where it is asked for.
    let filter = format!("tokio_postgres=warn,{}", log.filter);
    let filter = EnvFilter::builder().parse_lossy(filter);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A log that cannot be written, on a full disk say, must not end the task that wrote to it.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    if log.format == "json" {
        subscriber.json().init();
    } else {
        subscriber
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .init();
    }
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(%panic, "a task panicked: please report this");
    }));
}
