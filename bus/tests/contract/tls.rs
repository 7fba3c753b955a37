//! The line to a Redis that speaks TLS: who is trusted, and what is said where the certificate is wrong.

use std::path::PathBuf;

use bus::{Bus, Reach, RedisConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use world::World;

use crate::redis::Redis;
use crate::{KEY, end, follow, news, next, until, until_reach};

/// A Redis with a certificate for `localhost`, and whom one may trust.
struct Server {
    redis: Redis,
    /// The authority that signed its certificate.
    authority: PathBuf,
    /// Another authority.
    other: PathBuf,
    _directory: TempDir,
}

/// A new authority of this name.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key can be made");
    CertifiedIssuer::self_signed(params, key).expect("an authority signs itself")
}

impl Server {
    async fn start(world: &World) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let file = |name: &str, text: String| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).expect("a file can be written");
            path
        };
        let (ours, theirs) = (authority("ours"), authority("theirs"));
        let key = KeyPair::generate().expect("a key can be made");
        let params = CertificateParams::new(vec!["localhost".to_owned()]);
        let certificate = params.expect("it is a name").signed_by(&key, &ours);
        let certificate = certificate.expect("an authority signs others");
        let certificate = file("server.pem", certificate.pem());
        let key = file("server.key", key.serialize_pem());
        Self {
            redis: Redis::start_tls(world, &certificate, &key).await,
            authority: file("authority.pem", ours.as_ref().pem()),
            other: file("other.pem", theirs.as_ref().pem()),
            _directory: directory,
        }
    }

    /// A node's bus there.
    fn bus(&self, world: &World, scheme: &str, host: &str, query: &str) -> Bus {
        let url = format!("{scheme}://{host}:{}{query}", self.redis.port());
        let config = RedisConfig::of_url(&url, "test").expect("a well-formed address");
        Bus::redis(world, config, KEY)
    }

    fn trusting(file: &std::path::Path) -> String {
        format!("?sslrootcert={}", file.display())
    }
}

#[tokio::test]
async fn nodes_meet_over_tls_and_meet_again() {
    let world = World::system();
    let mut server = Server::start(&world).await;
    let trusted = Server::trusting(&server.authority);
    let node = || server.bus(&world, "rediss", "localhost", &trusted);
    let (one, other) = (node(), node());
    until_reach(&world, &one, Reach::Up).await;
    until_reach(&world, &other, Reach::Up).await;
    let there = follow(&world, &other, "a").await;
    one.publish("a", &news("sealed"));
    assert_eq!(next(&world, &there).await, news("sealed"));
    server.redis.kill().await;
    until_reach(&world, &one, Reach::Down).await;
    until_reach(&world, &other, Reach::Down).await;
    server.redis.restart().await;
    until_reach(&world, &one, Reach::Up).await;
    until_reach(&world, &other, Reach::Up).await;
    one.publish("a", &news("sealed again"));
    assert_eq!(next(&world, &there).await, news("sealed again"));
    end(&world).await;
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_an_error_that_says_so() {
    let world = World::system();
    let server = Server::start(&world).await;
    let ours = Server::trusting(&server.authority);
    let theirs = Server::trusting(&server.other);
    let unknown = "TLS with it fails: invalid peer certificate: UnknownIssuer";
    let other_name = "TLS with it fails: invalid peer certificate: certificate not valid for name";
    for (scheme, host, query, expected) in [
        ("rediss", "localhost", theirs.as_str(), unknown),
        // The system trusts no authority of a test's.
        ("rediss", "localhost", "", unknown),
        ("rediss", "127.0.0.1", ours.as_str(), other_name),
        // Whatever a plain line shows there.
        ("redis", "localhost", "", ""),
    ] {
        let bus = server.bus(&world, scheme, host, query);
        until(&world, "a problem", async || bus.problem().is_some()).await;
        let problem = bus.problem().expect("it was there").text;
        assert!(
            problem.starts_with(expected),
            "{scheme}://{host}: {problem}"
        );
        assert_eq!(*bus.reach().borrow(), Reach::Down);
    }
    end(&world).await;
}
