//! TLS to Redis, by the authorities that the system trusts, or by those that the URL names.

use std::io;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use world::net::TcpStream;

use crate::url::RedisConfig;

/// Speaks TLS over a connection.
///
/// # Errors
///
/// No authority is trusted, or the server does not prove its name.
pub(crate) async fn secure(
    stream: TcpStream,
    config: &RedisConfig,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(config.host.clone()).map_err(io::Error::other)?;
    let client = client(&config.roots)?;
    TlsConnector::from(Arc::new(client))
        .connect(name, stream)
        .await
}

/// The certificates of a PEM file, which are to be trusted.
///
/// # Errors
///
/// Why it cannot be used; with its name.
pub(crate) fn roots(file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("{file}: {error}"))?;
    if found.is_empty() {
        return Err(format!("{file}: no certificate in it"));
    }
    let mut store = RootCertStore::empty();
    for certificate in &found {
        let added = store.add(certificate.clone());
        added.map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(found)
}

/// Trusts these, or whom the system trusts where there are none.
fn client(roots: &[CertificateDer<'static>]) -> io::Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    if roots.is_empty() {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        store.add_parsable_certificates(roots.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}
