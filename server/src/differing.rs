//! Settings that nodes of one store have otherwise, though a client should find them the same at each.
//!
//! A node that differs serves all the same: while settings are changed node by node, some differ for a while.
//! It is said in the log, with the values; `/readyz`, metrics and the console name the keys.

use std::collections::BTreeMap;

use storage::node::Node;

use crate::config::Settings;

/// By what name a folder of uploaded files is told that is not that of another node.
const FILES: &str = "data_dir/files";

/// What differs, as it was last seen.
#[derive(Debug, Default)]
pub(crate) struct Differing(BTreeMap<String, Other>);

/// How another node has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Other {
    value: String,
    /// Which node, in words.
    node: String,
}

impl Differing {
    /// Compares with the nodes that live, and says in the log what is new. `apart` is a node whose uploaded files are
    /// not here. Gives whether anything is new.
    pub(crate) fn look<'a>(
        &mut self,
        own: &Settings,
        others: impl Iterator<Item = &'a Node>,
        apart: Option<String>,
    ) -> bool {
        let mut found = compare(own, others);
        if let Some(node) = apart {
            let value = "a folder that is not the one of this node".to_owned();
            found.insert(FILES.to_owned(), Other { value, node });
        }
        if found == self.0 {
            return false;
        }
        for (key, other) in &found {
            if self.0.get(key) != Some(other) {
                tracing::warn!(
                    key,
                    here = own
                        .get(key)
                        .map_or("this node's own folder", String::as_str),
                    there = other.value,
                    node = other.node,
                    "a setting differs between nodes"
                );
            }
        }
        if found.is_empty() {
            tracing::info!("the other nodes have the same settings");
        }
        self.0 = found;
        true
    }

    /// The keys that differ, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

/// For each key that another node has otherwise, the first such node. One that does not know a key runs another
/// program: that is no difference.
fn compare<'a>(own: &Settings, others: impl Iterator<Item = &'a Node>) -> BTreeMap<String, Other> {
    let mut found = BTreeMap::new();
    for node in others {
        for (key, value) in &node.settings {
            let differs = own.get(key).is_some_and(|own| own != value);
            if differs && !found.contains_key(key) {
                let other = Other {
                    value: value.clone(),
                    node: node.name.clone(),
                };
                found.insert(key.clone(), other);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::id::{Id, NodeId};
    use storage::node::{Company, Load};

    fn settings(of: &[(&str, &str)]) -> Settings {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        of.iter().map(owned).collect()
    }

    fn node(name: &str, of: &[(&str, &str)]) -> Node {
        Node {
            id: NodeId::from_bits(1),
            name: name.to_owned(),
            seat: String::new(),
            company: Company::Shared,
            bus: String::new(),
            files: String::new(),
            settings: settings(of),
            version: String::new(),
            renewal: 1,
            started_at_ms: 0,
            renewed_at_ms: 0,
            load: Load::default(),
        }
    }

    #[test]
    fn what_differs_is_news_once_and_so_is_its_end() {
        let own = settings(&[("a", "1"), ("b", "2"), ("ours", "3")]);
        let same = node("same", &[("a", "1"), ("b", "2"), ("theirs", "4")]);
        let other = node("other", &[("a", "1"), ("b", "5")]);
        let mut differing = Differing::default();
        assert!(!differing.look(&own, [&same].into_iter(), None));
        assert!(differing.look(&own, [&same, &other].into_iter(), None));
        assert_eq!(differing.keys(), ["b"]);
        assert!(!differing.look(&own, [&other, &same].into_iter(), None));
        assert!(differing.look(&own, [&same].into_iter(), None));
        assert_eq!(differing.keys(), [""; 0]);
        let apart = || Some("apart".to_owned());
        assert!(differing.look(&own, [&same].into_iter(), apart()));
        assert!(!differing.look(&own, [&same].into_iter(), apart()));
        assert_eq!(differing.keys(), ["data_dir/files"]);
        assert!(differing.look(&own, [&same].into_iter(), None));
    }
}
