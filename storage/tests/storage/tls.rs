//! The line to Postgres: what each `sslmode` asks of a server that speaks TLS, and of one that does not.

#![expect(
    clippy::unwrap_used,
    reason = "a test that stops there says where and why"
)]

use storage::Db;
use storage::db::{Batch, DatabaseConfig, Stmt};
use storage::error::Error;
use world::World;

fn variable(wanted: &str) -> String {
    std::env::vars()
        .find_map(|(name, value)| (name == wanted).then_some(value))
        .unwrap_or_else(|| panic!("{wanted} is missing: run by ops/test-services"))
}

/// A server that speaks TLS, and the files that one may trust.
struct Server {
    url: String,
    /// The authority that signed the server's certificate.
    authority: String,
    /// Another authority.
    other: String,
    directory: tempfile::TempDir,
}

impl Server {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("other.pem");
        let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&file, other.cert.pem()).unwrap();
        Self {
            url: variable("SWITCHBOARD_TEST_POSTGRES_TLS_URL"),
            authority: variable("SWITCHBOARD_TEST_POSTGRES_CA"),
            other: file.display().to_string(),
            directory,
        }
    }

    /// The server's own certificate, which lies beside that of its authority.
    fn own(&self) -> String {
        self.authority.replace("ca.crt", "server.crt")
    }

    /// The same server by its address, for which it has no certificate.
    fn by_address(&self) -> String {
        self.url.replace("@localhost:", "@127.0.0.1:")
    }
}

async fn open(url: &str) -> Result<Db, Error> {
    let mut config = DatabaseConfig::of_url(url)?;
    // It ends what hangs, and measures nothing: machines are busy.
    config.timeout = std::time::Duration::from_secs(60);
    storage::open(&config, &World::system()).await
}

/// Whether the line is encrypted, or why there is none.
async fn check(url: &str) -> Result<bool, String> {
    let db = open(url).await.map_err(|error| error.to_string())?;
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let rows = db.rows(Stmt::new(sql, Vec::new())).await.unwrap();
    Ok(rows[0].flag("ssl").unwrap())
}

/// Each of the URLs reaches the server as wanted: encrypted or not, or not at all for this reason.
async fn check_all(cases: &[(&str, String, Result<bool, &str>)]) {
    for (url, query, wanted) in cases {
        match (check(&format!("{url}{query}")).await, wanted) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, *wanted, "{url}{query}"),
            (Err(found), Err(wanted)) => assert!(found.contains(wanted), "{query}: {found}"),
            (found, _) => panic!("{url}{query}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn without_a_certificate_to_trust_a_line_is_encrypted_to_anybody() {
    let server = Server::new();
    let (by_name, by_address) = (server.url.as_str(), server.by_address());
    check_all(&[
        (by_name, String::new(), Ok(true)),
        (by_name, "?sslmode=disable".to_owned(), Ok(false)),
        (by_name, "?sslmode=prefer".to_owned(), Ok(true)),
        (&by_address, "?sslmode=require".to_owned(), Ok(true)),
    ])
    .await;
}

#[tokio::test]
async fn a_certificate_to_trust_must_have_signed_the_servers() {
    let server = Server::new();
    let (by_name, by_address) = (server.url.as_str(), server.by_address());
    let good = &server.authority;
    let wrong = &server.other;
    let stranger = Err("UnknownIssuer");
    check_all(&[
        (
            &by_address,
            format!("?sslmode=require&sslrootcert={good}"),
            Ok(true),
        ),
        (
            by_name,
            format!("?sslmode=require&sslrootcert={wrong}"),
            stranger,
        ),
        (by_name, format!("?sslrootcert={wrong}"), stranger),
        (
            &by_address,
            format!("?sslmode=verify-ca&sslrootcert={good}"),
            Ok(true),
        ),
        (
            by_name,
            format!("?sslmode=verify-ca&sslrootcert={wrong}"),
            stranger,
        ),
    ])
    .await;
}

#[tokio::test]
async fn verify_full_wants_the_host_in_a_certificate_that_is_trusted() {
    let server = Server::new();
    let (by_name, by_address) = (server.url.as_str(), server.by_address());
    let full = |file: &str| format!("?application_name=x&sslmode=verify-full&sslrootcert={file}");
    let (good, own) = (full(&server.authority), full(&server.own()));
    let another = Err("not valid for name");
    check_all(&[
        (by_name, good.clone(), Ok(true)),
        (&by_address, good, another),
        (by_name, full(&server.other), Err("UnknownIssuer")),
        (by_name, own.clone(), Ok(true)),
        (&by_address, own, another),
    ])
    .await;
    // No public authority signed this certificate, whether the system knows any or not.
    for query in ["?sslmode=verify-full".to_owned(), full("system")] {
        assert!(
            check(&format!("{by_name}{query}")).await.is_err(),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_server_without_tls_is_spoken_to_only_where_that_is_allowed() {
    let url = variable("SWITCHBOARD_TEST_POSTGRES_URL");
    let server = Server::new();
    for (query, wanted) in [
        (String::new(), Ok(false)),
        ("?sslmode=prefer".to_owned(), Ok(false)),
        ("?sslmode=disable".to_owned(), Ok(false)),
        ("?sslmode=require".to_owned(), Err(())),
        (
            format!("?sslmode=verify-full&sslrootcert={}", server.authority),
            Err(()),
        ),
    ] {
        let found = check(&format!("{url}{query}")).await;
        if let Err(told) = &found {
            assert!(told.contains("server does not support TLS"), "{told}");
        }
        assert_eq!(found.map_err(|_| ()), wanted, "{query}");
    }
}

#[tokio::test]
async fn a_backup_takes_the_same_line() {
    let server = Server::new();
    let query = format!("?sslmode=verify-full&sslrootcert={}", server.authority);
    let db = open(&format!("{}{query}", server.url)).await.unwrap();
    let file = server.directory.path().join("backup.db");
    storage::backup::backup(&db, &file).await.unwrap();
    assert!(file.is_file());
}

#[tokio::test]
async fn the_password_is_bound_to_the_line_where_that_is_asked_for() {
    let server = Server::new();
    let db = open(&server.url).await.unwrap();
    let mut batch = Batch::default();
    batch.push(Stmt::new("DROP ROLE IF EXISTS locked", Vec::new()));
    let role = "CREATE ROLE locked SUPERUSER LOGIN PASSWORD 'under the mat'";
    batch.push(Stmt::new(role, Vec::new()));
    db.batch(batch).await.unwrap();
    let locked = server
        .url
        .replace("switchboard@", "locked:under%20the%20mat@");
    let bound = format!("{locked}?channel_binding=require&sslmode=require");
    assert_eq!(check(&bound).await, Ok(true));
    let wrong = bound.replace("mat", "rug");
    let told = check(&wrong).await.unwrap_err();
    assert!(told.contains("password") && !told.contains("rug"), "{told}");
}

#[test]
fn what_a_url_asks_for_in_vain_is_told_without_the_password() {
    let server = Server::new();
    let (key, missing) = (
        server.authority.replace("ca.crt", "ca.key"),
        "/no/such/file.pem",
    );
    for (query, told) in [
        ("sslmode=allow".to_owned(), "sslmode is disable, prefer"),
        ("sslmode=".to_owned(), "sslmode is disable, prefer"),
        ("sslmode=verify-ca".to_owned(), "sslrootcert names a file"),
        (
            "sslmode=verify-ca&sslrootcert=system".to_owned(),
            "sslrootcert names a file",
        ),
        ("sslrootcert=system".to_owned(), "sslrootcert names a file"),
        (
            "sslmode=require&sslmode=disable".to_owned(),
            "sslmode stands twice",
        ),
        (
            format!("sslmode=disable&sslrootcert={}", server.authority),
            "needs an sslmode with TLS",
        ),
        (
            format!("sslmode=verify-full&sslrootcert={missing}"),
            missing,
        ),
        (
            format!("sslmode=verify-full&sslrootcert={key}"),
            "no certificate in it",
        ),
        ("sslcert=/client.pem".to_owned(), "unknown option"),
        ("Sslmode=require".to_owned(), "not name=value"),
    ] {
        let url = format!("postgres://ana:hunter2@db.example.com/switchboard?{query}");
        let error = DatabaseConfig::of_url(&url).unwrap_err().to_string();
        assert!(
            error.contains(told) && !error.contains("hunter2"),
            "{error}"
        );
    }
}
