//! How Postgres is reached: the URL, and TLS as it asks for it.
//!
//! The driver knows `sslmode=disable`, `prefer` and `require`. What is said besides is read here, with
//! the meaning it has for Postgres' own programs: `verify-ca` and `verify-full`, and `sslrootcert`, the
//! certificates to trust, which are checked whichever mode asks for TLS.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::db::postgres::error_chain;
use crate::error::{Error, Result};

/// The word for the certificates that the system trusts, in the place of a file.
const SYSTEM: &str = "system";

/// What a URL says.
pub(crate) struct Target {
    /// For the driver.
    pub(crate) config: Config,
    /// How its connections are encrypted, where they are.
    pub(crate) tls: MakeRustlsConnect,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").finish_non_exhaustive()
    }
}

/// Whom the other side may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Anybody: the line is encrypted, to whomever.
    Anybody,
    /// Whoever has a certificate that one of the roots signed.
    Chain,
    /// The same, for the host that was asked for.
    Host,
}

/// Reads a URL, and the certificates it names.
///
/// # Errors
/// `Configuration` with what is wrong; never with the password.
pub(crate) fn target(url: &str) -> Result<Target> {
    let said = Said::of(url)?;
    let mut config = Config::from_str(&said.rest).map_err(|error| wrong(error_chain(&error)))?;
    let roots = said.roots.as_deref();
    let (mode, trust) = match said.mode.as_deref() {
        Some("disable") => (SslMode::Disable, Trust::Anybody),
        None | Some("prefer") => (SslMode::Prefer, Trust::Anybody),
        Some("require") => (SslMode::Require, Trust::Anybody),
        Some("verify-ca") => (SslMode::Require, Trust::Chain),
        Some("verify-full") => (SslMode::Require, Trust::Host),
        Some(_) => {
            return Err(wrong(
                "sslmode is disable, prefer, require, verify-ca or verify-full",
            ));
        }
    };
    // A certificate of anybody's would do where the system's roots are trusted and no name is checked.
    if trust != Trust::Host && (roots == Some(SYSTEM) || (trust == Trust::Chain && roots.is_none()))
    {
        return Err(wrong(
            "sslrootcert names a file for this sslmode; system goes with verify-full alone",
        ));
    }
    if mode == SslMode::Disable && roots.is_some() {
        return Err(wrong("sslrootcert needs an sslmode with TLS"));
    }
    let trust = match trust {
        Trust::Anybody if roots.is_some() => Trust::Chain,
        Trust::Anybody | Trust::Chain | Trust::Host => trust,
    };
    config.ssl_mode(mode);
    Ok(Target {
        config,
        tls: MakeRustlsConnect::new(client(Verifier::new(trust, roots)?)?),
    })
}

/// Whether the server may be on another machine and the line to it is not sure to be encrypted.
pub(crate) fn may_be_open(config: &Config) -> bool {
    let is_elsewhere = |host: &Host| match host {
        Host::Tcp(name) => {
            let is_here = |address: IpAddr| address.is_loopback();
            name != "localhost" && !name.parse().is_ok_and(is_here)
        }
        Host::Unix(_) => false,
    };
    config.get_ssl_mode() == SslMode::Prefer && config.get_hosts().iter().any(is_elsewhere)
}

/// What the URL says about TLS, and the rest of it.
struct Said {
    mode: Option<String>,
    roots: Option<String>,
    rest: String,
}

impl Said {
    fn of(url: &str) -> Result<Self> {
        let (mut mode, mut roots) = (None, None);
        let Some((base, query)) = url.rsplit_once('?') else {
            let rest = url.to_owned();
            return Ok(Self { mode, roots, rest });
        };
        let mut others = Vec::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // Such a "name" may be part of a password that was not escaped: it is not repeated.
            if !name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            {
                return Err(wrong("what stands behind ? is not name=value&…"));
            }
            let place = match name {
                "sslmode" => &mut mode,
                "sslrootcert" => &mut roots,
                _ => {
                    others.push(pair);
                    continue;
                }
            };
            let value = percent_decode_str(value).decode_utf8();
            let value = value.map_err(|_| wrong(format!("{name} is not UTF-8")))?;
            if place.replace(value.into_owned()).is_some() {
                return Err(wrong(format!("{name} stands twice")));
            }
        }
        let rest = if others.is_empty() {
            base.to_owned()
        } else {
            format!("{base}?{}", others.join("&"))
        };
        Ok(Self { mode, roots, rest })
    }
}

fn wrong(problem: impl std::fmt::Display) -> Error {
    Error::Configuration(format!("the database URL: {problem}"))
}

fn client(verifier: Verifier) -> Result<ClientConfig> {
    let mut client = ClientConfig::builder_with_provider(Arc::clone(&verifier.provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Fault(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    client.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(client)
}

/// Checks the server's certificate as far as the mode asks. Whatever it asks, the other side proves that
/// it holds the certificate's key: channel binding rests on that.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    roots: RootCertStore,
    /// The certificates that were named, as they are.
    named: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(trust: Trust, roots: Option<&str>) -> Result<Self> {
        let named = match roots {
            Some(file) if file != SYSTEM => certificates(file)?,
            Some(_) | None => Vec::new(),
        };
        let mut store = RootCertStore::empty();
        for certificate in &named {
            let added = store.add(certificate.clone());
            added.map_err(|error| wrong(format!("sslrootcert: {error}")))?;
        }
        if trust == Trust::Host && named.is_empty() {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                return Err(wrong(
                    "this system trusts nobody: name a file in sslrootcert",
                ));
            }
        }
        Ok(Self {
            trust,
            roots: store,
            named,
            provider: Arc::new(rustls::crypto::ring::default_provider()),
        })
    }

    fn check_chain(
        &self,
        certificate: &ParsedCertificate<'_>,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> std::result::Result<(), rustls::Error> {
        // The server's own certificate may be the one that is trusted. Made by `openssl req -x509`, as
        // Postgres' manual shows, it says of itself to be an authority, which no chain may end in.
        if self.named.contains(shown) {
            return Ok(());
        }
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            certificate,
            &self.roots,
            between,
            now,
            algorithms,
        )
    }
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| wrong(format!("sslrootcert {file}: {error}")))?;
    if found.is_empty() {
        return Err(wrong(format!("sslrootcert {file}: no certificate in it")));
    }
    Ok(found)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        if self.trust != Trust::Anybody {
            let certificate = ParsedCertificate::try_from(shown)?;
            self.check_chain(&certificate, shown, between, now)?;
            if self.trust == Trust::Host {
                verify_server_name(&certificate, host)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
