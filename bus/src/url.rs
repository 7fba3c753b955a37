//! Where the Redis of an installation is: `redis://[user[:password]@]host[:port][/database]`, or `rediss://`
//! for TLS, which may end with `?sslrootcert=<file>`, as URLs of Postgres do.

use rustls_pki_types::CertificateDer;
use url::{Host, Url};

use crate::tls;

const PORT: u16 = 6379;

/// Where Redis is, and how topics are named there.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisConfig {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    /// Whose certificates are trusted; where there are none, those that the system trusts.
    pub(crate) roots: Vec<CertificateDer<'static>>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// What the names of channels begin with.
    pub(crate) prefix: String,
}

/// What is wrong with a URL. Never repeats it, for it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no URL.
    #[error("must be like redis://host:6379 or rediss://user:password@host:6379")]
    Form,
    /// It has parts that mean nothing.
    #[error("must end after the port: channels are not part of a database")]
    TooMuch,
    /// The certificates that are to be trusted cannot be.
    #[error("sslrootcert {0}")]
    Roots(String),
}

impl std::fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "rediss" } else { "redis" };
        write!(f, "{scheme}://{}:{} {}", self.host, self.port, self.prefix)
    }
}

impl RedisConfig {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn of_url(text: &str, prefix: &str) -> Result<Self, UrlError> {
        let url = Url::parse(text).map_err(|_| UrlError::Form)?;
        let tls = match url.scheme() {
            "redis" => false,
            "rediss" => true,
            _ => return Err(UrlError::Form),
        };
        let host = match url.host() {
            Some(Host::Domain("")) | None => return Err(UrlError::Form),
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
        };
        // Database 0 is what everybody writes, and means nothing for channels.
        let is_bare = matches!(url.path(), "" | "/" | "/0");
        if !is_bare || url.fragment().is_some() {
            return Err(UrlError::TooMuch);
        }
        let file = root_file(&url)?;
        if file.is_some() && !tls {
            return Err(UrlError::TooMuch);
        }
        let decoded = |text: &str| {
            let bytes = percent_decoded(text.as_bytes());
            String::from_utf8(bytes).map_err(|_| UrlError::Form)
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(PORT),
            tls,
            roots: match file {
                Some(file) => tls::roots(&file).map_err(UrlError::Roots)?,
                None => Vec::new(),
            },
            user: match url.username() {
                "" => None,
                user => Some(decoded(user)?),
            },
            password: url.password().map(decoded).transpose()?,
            prefix: prefix.to_owned(),
        })
    }

    /// What the names of channels begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where it is, without secrets.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The file behind `?sslrootcert=`; nothing else may stand there.
fn root_file(url: &Url) -> Result<Option<String>, UrlError> {
    if url.query().is_none() {
        return Ok(None);
    }
    let mut pairs = url.query_pairs();
    match (pairs.next(), pairs.next()) {
        (Some((name, file)), None) if name == "sslrootcert" => Ok(Some(file.into_owned())),
        (Some(_) | None, _) => Err(UrlError::TooMuch),
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let hex = std::str::from_utf8(after.get(..2).unwrap_or_default()).unwrap_or_default();
        match u8::from_str_radix(hex, 16) {
            Ok(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            Ok(_) | Err(_) => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<RedisConfig, UrlError> {
        RedisConfig::of_url(text, "switchboard")
    }

    #[test]
    fn a_url_names_place_user_and_password() {
        let config = of("rediss://ana:p%40ss%3a@cache.example:7000/0").unwrap();
        assert_eq!((config.tls, config.port), (true, 7000));
        assert_eq!(config.user.as_deref(), Some("ana"));
        assert_eq!(config.password.as_deref(), Some("p@ss:"));
        assert!(!format!("{config:?}").contains("p@ss"));
        let plain = of("redis://127.0.0.1").unwrap();
        assert_eq!(plain.place(), "127.0.0.1:6379");
        assert_eq!((plain.user, plain.password), (None, None));
        let only_password = of("redis://:secret@[::1]:1").unwrap();
        assert_eq!(only_password.place(), "::1:1");
        assert_eq!(only_password.password.as_deref(), Some("secret"));
    }

    #[test]
    fn whom_nobody_can_trust_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let empty = directory.path().join("empty.pem");
        std::fs::write(&empty, "").unwrap();
        let missing = directory.path().join("missing.pem");
        for (file, problem) in [(&empty, "no certificate in it"), (&missing, "No such file")] {
            let file = file.display();
            let error = of(&format!("rediss://:secret@cache?sslrootcert={file}")).unwrap_err();
            let error = error.to_string();
            assert!(
                error.starts_with(&format!("sslrootcert {file}: ")),
                "{error}"
            );
            assert!(
                error.contains(problem) && !error.contains("secret"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "cache:6379", "http://cache", "redis://", "redis:///0"] {
            assert_eq!(of(text), Err(UrlError::Form), "{text}");
        }
        for text in [
            "redis://cache/1",
            "redis://cache?x=1",
            "redis://cache/0/x",
            "redis://cache?sslrootcert=/ca.pem",
            "rediss://cache?",
            "rediss://cache?x=1",
            "rediss://cache?sslrootcert=/ca.pem&x=1",
        ] {
            assert_eq!(of(text), Err(UrlError::TooMuch), "{text}");
        }
    }
}
