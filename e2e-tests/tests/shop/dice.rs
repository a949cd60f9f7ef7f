//! Dice that fall as a seed says, so that a failure can be played again: `TUTTI_SEED=7 cargo test -p e2e-tests`.

/// A sequence of numbers (SplitMix64).
pub struct Dice(u64);

impl Dice {
    /// From the seed in the environment, or the usual one; it is printed, which the test harness shows on failure.
    pub fn of_environment() -> Dice {
        let seed = std::env::var("TUTTI_SEED").map_or(20_260_131, |text| text.parse().unwrap());
        println!("TUTTI_SEED={seed}");
        Dice(seed)
    }

    /// A number from 0 to below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
