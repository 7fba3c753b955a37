//! What nodes of one store must agree on, so that a client finds the same whichever of them it is at.
//!
//! The rest is each node's own affair: where it listens, how large its machine is, what it may write where. A key
//! that is in no list here is compared. No secret is: the values stand in the store, and in the log where they
//! differ.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bus::RedisConfig;
use storage::blob::BlobConfig;
use toml::{Table, Value};

use super::Config;

/// The keys that are a node's own affair: whole tables, or single keys.
const OWN: &[&str] = &[
    "assets_dir",
    // Its bucket is compared apart: nodes with others do not share a store at all.
    "attachments.s3_access_key_id",
    "attachments.s3_bucket",
    "attachments.s3_endpoint",
    "attachments.s3_region",
    "attachments.s3_secret_access_key",
    "backup",
    "data_dir",
    // Whoever is in the same store has the same, however it is written.
    "database_timeout_ms",
    "database_url",
    "debug",
    "geo.database",
    "limits.connections_max",
    "limits.http_connections_max",
    "limits.trusted_proxies",
    "listen",
    "log",
    "metrics",
    // Compared apart: without its password; and nodes with another prefix do not share a store at all.
    "redis_prefix",
    "redis_url",
    "setup",
    "shards",
    "shutdown",
    "tls",
];

/// Keys with their values, as an operator would write them.
pub type Settings = BTreeMap<String, String>;

/// What a node shares with the others of its store. By default it is alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared {
    /// What the names of the bus's topics begin with; nothing for a node that is alone.
    pub bus: Option<String>,
    /// Where uploaded files are: nodes that look in two places lose them.
    pub files: String,
    /// The folder of those files, where they are in one. Whether it is that of the others, no path tells.
    pub folder: Option<PathBuf>,
    /// What they should have alike.
    pub settings: Settings,
}

impl Shared {
    pub(super) fn of(config: &Config, bus: Option<&RedisConfig>, blobs: &BlobConfig) -> Self {
        Self {
            bus: bus.map(|bus| bus.prefix().to_owned()),
            files: files_home(blobs),
            folder: match blobs {
                BlobConfig::Directory(path) => Some(path.clone()),
                BlobConfig::S3 { .. } => None,
            },
            settings: settings(config, bus),
        }
    }
}

/// What the others must have, too.
fn settings(config: &Config, bus: Option<&RedisConfig>) -> Settings {
    let table = Table::try_from(config).expect("a configuration is made of tables");
    let mut settings = Settings::new();
    collect("", &table, &mut settings);
    if let Some(bus) = bus {
        settings.insert("redis_url".to_owned(), bus.place());
    }
    settings
}

fn collect(above: &str, table: &Table, settings: &mut Settings) {
    for (name, value) in table {
        let key = format!("{above}{name}");
        if OWN.contains(&key.as_str()) {
            continue;
        }
        match value {
            Value::Table(table) => collect(&format!("{key}."), table, settings),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => {
                settings.insert(key, value.to_string());
            }
        }
    }
}

/// A directory may be one that all share, whatever its path is.
fn files_home(blobs: &BlobConfig) -> String {
    match blobs {
        BlobConfig::Directory(_) => "directory".to_owned(),
        BlobConfig::S3 {
            bucket, endpoint, ..
        } => {
            let endpoint = endpoint.as_deref().unwrap_or_default();
            let endpoint = endpoint.trim_end_matches('/').to_lowercase();
            format!("bucket {bucket} {endpoint}").trim_end().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_and_nothing_of_a_node_alone_is_compared() {
        let bus = RedisConfig::of_url("redis://ann:hush@cache:7000", "switchboard").unwrap();
        let settings = settings(&Config::default(), Some(&bus));
        assert_eq!(settings["redis_url"], "cache:7000");
        assert_eq!(settings["retention.visitor_days"], "90");
        assert_eq!(settings["public_url"], "\"\"");
        for key in settings.keys() {
            let is_secret = ["password", "secret", "token", "key"]
                .iter()
                .any(|word| key.split(['.', '_']).any(|part| part == *word));
            // A rate for requests with keys is no key.
            assert!(
                !is_secret || key.starts_with("limits.key_requests"),
                "{key} may be a secret"
            );
        }
    }

    #[test]
    fn each_key_of_the_list_exists() {
        let config = Value::try_from(Config::default()).unwrap();
        for key in OWN {
            let mut parts = key.split('.');
            let found = parts.try_fold(&config, |value, part| value.get(part));
            assert!(found.is_some(), "{key}");
        }
    }

    #[test]
    fn one_bucket_has_one_name() {
        let bucket = |endpoint: Option<&str>| BlobConfig::S3 {
            bucket: "files".to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: endpoint.map(str::to_owned),
            access_key_id: "id".to_owned(),
            secret_access_key: "hush".to_owned(),
            spool: "spool".into(),
        };
        assert_eq!(
            files_home(&bucket(Some("https://S3.example.com/"))),
            "bucket files https://s3.example.com"
        );
        assert_eq!(files_home(&bucket(None)), "bucket files");
        assert_eq!(files_home(&BlobConfig::Directory("a".into())), "directory");
    }
}
