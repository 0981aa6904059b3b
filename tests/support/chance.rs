use std::time::{SystemTime, UNIX_EPOCH};

/// Random faults that can be repeated: the seed is printed, which shows where a test fails, and
/// `TESTIGO_TEST_SEED` sets it.
pub struct Chance(u64);

impl Chance {
    /// From the environment's seed, or from the clock.
    #[allow(clippy::print_stdout, reason = "shown where the test fails")]
    pub fn new() -> Self {
        let given = std::env::var("TESTIGO_TEST_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            now.as_nanos() as u64
        });
        println!("TESTIGO_TEST_SEED={seed}");
        Self(seed)
    }

    /// The next 64 bits: SplitMix64 (Steele, Lea, Flood 2014).
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
