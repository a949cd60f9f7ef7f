//! Chance that can be repeated: SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).

/// A sequence of numbers that follows from its seed alone.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of one purpose: those of another one are independent, so that whatever is switched off leaves the
    /// others' throws as they were.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Dice {
        let mixed = purpose.bytes().fold(seed ^ 0x517C_C1B7_2722_0A95, |hash, byte| mix(hash ^ u64::from(byte)));
        Dice(mix(mixed))
    }

    /// The next number.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `sides`; 0 for none.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.throw() % sides.max(1)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let spread = u64::try_from(high.saturating_sub(low)).unwrap_or(0);
        low.saturating_add(i64::try_from(self.below(spread.saturating_add(1))).unwrap_or(0))
    }

    /// A number of any size from `low` to `high`: 1 to 10 as often as 100 to 1,000.
    pub fn magnitude(&mut self, low: i64, high: i64) -> i64 {
        let (low, high) = ((low.max(1) as f64).ln(), (high.max(1) as f64).ln());
        (low + (high - low) * self.fraction()).exp() as i64
    }

    /// Whether something of this probability happens.
    pub fn falls(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(usize::try_from(self.below(of.len() as u64)).unwrap_or(0))
    }

    fn fraction(&mut self) -> f64 {
        (self.throw() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_purpose_throw_the_same_numbers() {
        let throws = |seed, purpose| {
            (0..4)
                .map({
                    let mut dice = Dice::new(seed, purpose);
                    move |_| dice.throw()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(throws(7, "crash"), throws(7, "crash"));
        assert_ne!(throws(7, "crash"), throws(8, "crash"));
        assert_ne!(throws(7, "crash"), throws(7, "delay"));
    }

    #[test]
    fn throws_stay_within_their_bounds() {
        let mut dice = Dice::new(1, "bounds");
        assert!((0..1000).all(|_| (3..=5).contains(&dice.between(3, 5))));
        assert!((0..1000).all(|_| (1..=1000).contains(&dice.magnitude(1, 1000))));
        assert!(!dice.falls(0.0) && dice.falls(1.0));
    }
}
