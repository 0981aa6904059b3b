//! Chance that a seed repeats exactly.

/// SplitMix64 (Steele, Lea and Flood 2014): the same seed gives the same picture on every machine
/// and in every release. Never for secrets.
pub struct Chance(u64);

impl Chance {
    /// The start of the sequence that belongs to a seed.
    pub fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly between `low` and `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        low + (high - low) * unit
    }

    /// One of 0 up to, not including, `count`; 0 if there is nothing to choose from.
    pub fn below(&mut self, count: usize) -> usize {
        // The high half of the product: even to within one part in 2^64 / count.
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }

    /// Normally distributed with mean 0 and deviation 1, nearly: the sum of four even numbers of
    /// 16 bits each, which is much quicker than the exact way and has no far tails.
    pub fn normal(&mut self) -> f64 {
        let bits = self.next();
        let parts = [bits, bits >> 16, bits >> 32, bits >> 48];
        let sum: u64 = parts.iter().map(|part| part & 0xffff).sum();
        // Four even numbers from 0 to 1: mean 2, variance 4/12.
        (sum as f64 / 65_535.0 - 2.0) * 3.0_f64.sqrt()
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn gives_the_published_sequence() {
        // The first numbers for seed 1234567, from the reference program splitmix64.c.
        let mut chance = Chance::from_seed(1_234_567);
        assert_eq!(chance.next(), 6_457_827_717_110_365_317);
        assert_eq!(chance.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn every_choice_comes_up() {
        let mut chance = Chance::from_seed(1);
        let mut counts = [0; 3];
        for _ in 0..3_000 {
            counts[chance.below(3)] += 1;
        }
        assert!(counts.iter().all(|&count| count > 900), "{counts:?}");
        assert_eq!((chance.below(0), chance.below(1)), (0, 0));
    }

    #[test]
    fn normal_numbers_have_mean_0_and_deviation_1() {
        let mut chance = Chance::from_seed(1);
        let numbers: Vec<f64> = (0..100_000).map(|_| chance.normal()).collect();
        let mean = numbers.iter().sum::<f64>() / 100_000.0;
        let variance = numbers.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / 100_000.0;
        assert!(mean.abs() < 0.02, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
    }
}
