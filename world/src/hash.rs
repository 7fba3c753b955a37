//! Maps and sets by hash, whose order nobody can foresee, and a simulation can repeat.
//!
//! The order of the library's own ones differs from map to map, and shows wherever one is walked through.

use std::hash::{BuildHasher, DefaultHasher, RandomState};

use crate::simulation;

/// A map by hash. Made by `default()`.
pub type HashMap<K, V> = std::collections::HashMap<K, V, State>;

/// A set by hash. Made by `default()`.
pub type HashSet<T> = std::collections::HashSet<T, State>;

/// How keys are hashed.
#[derive(Debug, Clone)]
pub enum State {
    /// By a secret of this process, so that nobody outside can make keys collide.
    Random(RandomState),
    /// The same in every run: in a simulation.
    Fixed,
}

impl Default for State {
    fn default() -> Self {
        if simulation::is_on() {
            Self::Fixed
        } else {
            Self::Random(RandomState::new())
        }
    }
}

impl BuildHasher for State {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        match self {
            Self::Random(state) => state.build_hasher(),
            Self::Fixed => DefaultHasher::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_maps_of_a_simulation_have_one_order_and_others_have_not() {
        let orders = || {
            [(); 2].map(|()| {
                let map: HashMap<u32, ()> = (0..1_000).map(|key| (key, ())).collect();
                map.into_keys().collect::<Vec<_>>()
            })
        };
        let [one, other] = orders();
        assert_ne!(one, other);
        let _machine = simulation::machine();
        let [one, other] = orders();
        assert_eq!(one, other);
    }
}
