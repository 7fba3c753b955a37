//! TLS of our own, by rustls with ring. HTTP/1.1 only: sockets need nothing else.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsConfig;
use crate::error::Error;

/// Reads certificate and key.
///
/// # Errors
/// What is wrong with them, with the file's name.
pub(crate) fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor, Error> {
    let chain = CertificateDer::pem_file_iter(&config.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&config.certificate, error))?;
    if chain.is_empty() {
        return Err(wrong(&config.certificate, "no certificate in it"));
    }
    let key =
        PrivateKeyDer::from_pem_file(&config.key).map_err(|error| wrong(&config.key, error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&config.certificate, error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong(&config.key, error))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}

fn wrong(file: &Path, error: impl std::fmt::Display) -> Error {
    Error::Tls(format!("{}: {error}", file.display()))
}
