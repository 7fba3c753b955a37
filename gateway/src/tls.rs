//! TLS of our own, by rustls with ring. HTTP/1.1 only: sockets need nothing else.
//!
//! Certificates are renewed while connections go on: the files are read again when the operator says so,
//! and who connects from then on sees the new one. Files that cannot be used leave the old one in place.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsConfig;
use crate::error::Error;

/// The certificate that clients are shown now.
#[derive(Debug)]
pub(crate) struct Certificate {
    config: TlsConfig,
    shown: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// What is wrong with them, with the file's name.
    pub(crate) fn read(config: &TlsConfig) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self {
            config: config.clone(),
            shown: RwLock::new(Arc::new(read(config)?)),
        }))
    }

    /// Reads both files again.
    ///
    /// # Errors
    /// What is wrong with them; then the certificate of before stays.
    pub(crate) fn read_again(&self) -> Result<(), Error> {
        let new = Arc::new(read(&self.config)?);
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&shown))
    }
}

/// What takes connections and shows them the certificate.
///
/// # Errors
/// The provider's, where it lacks a version of the protocol.
pub(crate) fn acceptor(certificate: Arc<Certificate>) -> Result<TlsAcceptor, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Tls(error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}

/// A certificate chain and the key that belongs to it.
pub(crate) fn read(config: &TlsConfig) -> Result<CertifiedKey, Error> {
    let chain = CertificateDer::pem_file_iter(&config.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&config.certificate, error))?;
    if chain.is_empty() {
        return Err(wrong(&config.certificate, "no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&config.key)
        .map_err(|error| wrong(&config.key, error))
        .and_then(|key| {
            let keys = rustls::crypto::ring::default_provider().key_provider;
            keys.load_private_key(key)
                .map_err(|error| wrong(&config.key, error))
        })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => {
            let certificate = config.certificate.display();
            let problem = format!("not the key of the certificate in {certificate}");
            Err(wrong(&config.key, problem))
        }
        Err(error) => Err(wrong(&config.certificate, error)),
    }
}

fn wrong(file: &Path, error: impl std::fmt::Display) -> Error {
    Error::Tls(format!("{}: {error}", file.display()))
}
