//! A sorted set that knows which rank each of its members has: a window into a long list begins at a rank.
//!
//! Two levels are enough: sorted pieces of a few hundred members, one behind the other. A step costs a search and a
//! move within one piece; a rank costs a look at the lengths of the pieces before it, some hundred for tens of
//! thousands of members.

/// Members of a piece, at most.
const PIECE_MAX: usize = 256;

/// The set.
// Invariant: members ascend within a piece and from one to the next, each once; no piece is empty, or longer than
// `PIECE_MAX`; two neighbours have more than half of that together.
#[derive(Debug)]
pub struct Ranked<T> {
    pieces: Vec<Vec<T>>,
}

impl<T: Ord> Ranked<T> {
    /// Takes a member in. Says whether it is new.
    pub fn insert(&mut self, member: T) -> bool {
        let index = self.piece_of(&member);
        let Some(piece) = self.pieces.get_mut(index) else {
            self.pieces.push(vec![member]);
            return true;
        };
        let Err(place) = piece.binary_search(&member) else {
            return false;
        };
        piece.insert(place, member);
        if piece.len() > PIECE_MAX {
            let behind = piece.split_off(PIECE_MAX / 2);
            self.pieces.insert(index + 1, behind);
        }
        true
    }

    /// Takes a member out. Says whether it was there.
    pub fn remove(&mut self, member: &T) -> bool {
        let index = self.piece_of(member);
        let Some(piece) = self.pieces.get_mut(index) else {
            return false;
        };
        let Ok(place) = piece.binary_search(member) else {
            return false;
        };
        piece.remove(place);
        self.join(index);
        true
    }

    /// The members from a rank on; the first has rank 0.
    pub fn from_rank(&self, rank: usize) -> impl Iterator<Item = &T> {
        let mut left = rank;
        let is_here = |piece: &Vec<T>| {
            let is_here = left < piece.len();
            if !is_here {
                left -= piece.len();
            }
            is_here
        };
        let first = self.pieces.iter().position(is_here);
        let pieces = first.map_or(&[][..], |index| &self.pieces[index..]);
        pieces.iter().flatten().skip(left)
    }

    /// The piece that a member is in or belongs into, if there is any.
    fn piece_of(&self, member: &T) -> usize {
        let is_before = |piece: &Vec<T>| piece.last().is_some_and(|last| last < member);
        let index = self.pieces.partition_point(is_before);
        index.min(self.pieces.len().saturating_sub(1))
    }

    /// Takes an empty piece out, and makes one of two neighbours that are small.
    fn join(&mut self, index: usize) {
        if self.pieces[index].is_empty() {
            self.pieces.remove(index);
            return;
        }
        for first in [index.saturating_sub(1), index] {
            let Some([one, other]) = self.pieces.get_mut(first..first + 2) else {
                continue;
            };
            if one.len() + other.len() <= PIECE_MAX / 2 {
                one.append(other);
                self.pieces.remove(first + 1);
                return;
            }
        }
    }
}

impl<T: Ord> FromIterator<T> for Ranked<T> {
    fn from_iter<Members: IntoIterator<Item = T>>(members: Members) -> Self {
        let mut members: Vec<T> = members.into_iter().collect();
        members.sort_unstable();
        members.dedup();
        let mut members = members.into_iter();
        let piece = || {
            let piece: Vec<T> = members.by_ref().take(PIECE_MAX / 2).collect();
            (!piece.is_empty()).then_some(piece)
        };
        Self {
            pieces: std::iter::from_fn(piece).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn check(ranked: &Ranked<u16>, expected: &BTreeSet<u16>) {
        let lengths: Vec<_> = ranked.pieces.iter().map(Vec::len).collect();
        assert!(
            lengths
                .iter()
                .all(|length| (1..=PIECE_MAX).contains(length)),
            "{lengths:?}"
        );
        let pairs_are_large = |pair: &[usize]| pair[0] + pair[1] > PIECE_MAX / 2;
        assert!(lengths.windows(2).all(pairs_are_large), "{lengths:?}");
        for rank in [0, 1, 127, 128, 129, 300, expected.len(), usize::MAX] {
            let from: Vec<_> = ranked.from_rank(rank).copied().collect();
            let wanted: Vec<_> = expected.iter().skip(rank).copied().collect();
            assert_eq!(from, wanted, "from {rank}");
        }
    }

    #[test]
    fn members_that_come_in_one_order_or_the_other_have_their_ranks() {
        let all: BTreeSet<u16> = (0..3_000).collect();
        check(&all.iter().copied().collect(), &all);
        check(&all.iter().rev().chain(&all).copied().collect(), &all);
        let mut ranked: Ranked<u16> = [].into_iter().collect();
        check(&ranked, &BTreeSet::new());
        for member in &all {
            assert!(ranked.insert(*member));
            assert!(!ranked.insert(*member), "once");
        }
        check(&ranked, &all);
        // All go, but for every hundredth: few pieces stay.
        let mut left = all.clone();
        for member in all.iter().filter(|member| *member % 100 != 0) {
            assert!(ranked.remove(member));
            assert!(!ranked.remove(member), "once");
            left.remove(member);
        }
        check(&ranked, &left);
        assert!(ranked.pieces.len() <= 2, "{}", ranked.pieces.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_what_a_sorted_set_is(
            first in proptest::collection::vec(0_u16..2_000, 0..1_500),
            steps in proptest::collection::vec((0_u8..3, 0_u16..2_000), 1..1_500),
        ) {
            let mut expected: BTreeSet<u16> = first.iter().copied().collect();
            let mut ranked: Ranked<u16> = first.into_iter().collect();
            for (kind, member) in steps {
                match kind {
                    0 => prop_assert_eq!(ranked.insert(member), expected.insert(member)),
                    _ => prop_assert_eq!(ranked.remove(&member), expected.remove(&member)),
                }
            }
            check(&ranked, &expected);
        }
    }
}
