//! Why the gateway does not start.

/// Something is wrong with what the gateway was given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The secret that signs tokens was not given.
    #[error("the key for tokens is missing")]
    TokenKey,
    /// The certificate or its key cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Tls(String),
    /// The file with places cannot be read.
    #[error("the geo database cannot be read: {0}")]
    Geo(String),
    /// A listener does not say its address.
    #[error("a listener has no address: {0}")]
    Listener(std::io::Error),
    /// A thread for a shard could not be started.
    #[error("a shard's thread could not be started: {0}")]
    Thread(std::io::Error),
}
