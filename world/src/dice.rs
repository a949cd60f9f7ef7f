//! Dice for the faults: one seed, one sequence of throws.

use std::sync::atomic::{AtomicU64, Ordering};

/// A SplitMix64 generator that many callers throw without a lock. Which caller gets which throw depends on the order
/// in which they come.
#[derive(Debug)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(AtomicU64::new(seed))
    }

    /// True in this share of all throws; a share of 0 or 1 needs no throw.
    pub(crate) fn falls(&self, share: f64) -> bool {
        share > 0.0 && (share >= 1.0 || self.fraction() < share)
    }

    /// A number below `bound`, or 0 when there is none.
    pub(crate) fn below(&self, bound: usize) -> usize {
        let throw = usize::try_from(self.throw() >> 32).unwrap_or(0);
        throw.checked_rem(bound).unwrap_or(0)
    }

    /// Evenly spread over `0.0..1.0`: 32 bits are as fine as a share needs to be.
    fn fraction(&self) -> f64 {
        let high = u32::try_from(self.throw() >> 32).unwrap_or(0);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }

    fn throw(&self) -> u64 {
        const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.0.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let throws = |seed| {
            let dice = Dice::new(seed);
            (0..100).map(|_| dice.falls(0.3)).collect::<Vec<_>>()
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
    }

    #[test]
    fn a_share_falls_about_that_often() {
        let dice = Dice::new(1);
        let fallen = (0..10_000).filter(|_| dice.falls(0.3)).count();
        assert!((2_800..3_200).contains(&fallen), "{fallen} of 10,000");
        assert!(!dice.falls(0.0));
        assert!(dice.falls(1.0));
    }

    #[test]
    fn a_number_stays_below_its_bound() {
        let dice = Dice::new(1);
        assert!((0..1_000).all(|_| dice.below(3) < 3));
        assert_eq!(dice.below(0), 0);
    }
}
