//! Random numbers of the shapes that a schedule needs.
//!
//! Owns draws and nothing else. Uses only operations that every machine rounds alike (no `powf`,
//! `ln` or `exp` of the platform), so that a seed means the same run everywhere.

use rand_core::Rng;

/// Tries of one rejection loop. Each is accepted with a chance above one half, so that the bound is
/// never met; if it were, the mean is returned.
const TRIES_MAX: usize = 64;

/// A number below `bound`, which must not be 0, by multiply and shift.
pub(crate) fn below(rng: &mut impl Rng, bound: usize) -> usize {
    let wide = u128::from(rng.next_u64()) * (bound as u128);
    usize::try_from(wide >> 64).expect("the product shifted by 64 is below the bound")
}

/// A number above 0 and below 1.
pub(super) fn uniform(rng: &mut impl Rng) -> f64 {
    const STEP: f64 = 1.0 / (1u64 << 53) as f64;
    ((rng.next_u64() >> 11) as f64 + 0.5) * STEP
}

/// A draw from the Beta distribution; both shapes are at least 1.
pub(super) fn beta(rng: &mut impl Rng, first: f64, second: f64) -> f64 {
    if first <= 1.0 && second <= 1.0 {
        return uniform(rng);
    }
    let (first, second) = (gamma(rng, first), gamma(rng, second));
    first / (first + second)
}

/// A draw from the Gamma distribution with a shape of at least 1 (Marsaglia and Tsang, "A simple
/// method for generating gamma variables", 2000).
pub(super) fn gamma(rng: &mut impl Rng, shape: f64) -> f64 {
    if shape <= 1.0 {
        return -ln(uniform(rng));
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    for _ in 0..TRIES_MAX {
        let x = normal(rng);
        let t = 1.0 + c * x;
        if t <= 0.0 {
            continue;
        }
        let v = t * t * t;
        let u = uniform(rng);
        let square = x * x;
        if u < 1.0 - 0.0331 * square * square || ln(u) < 0.5 * square + d * (1.0 - v + ln(v)) {
            return d * v;
        }
    }
    shape
}

/// A draw from the normal distribution with mean 0 and variance 1 (the polar method of Marsaglia).
fn normal(rng: &mut impl Rng) -> f64 {
    for _ in 0..TRIES_MAX {
        let (x, y) = (2.0 * uniform(rng) - 1.0, 2.0 * uniform(rng) - 1.0);
        let s = x * x + y * y;
        if s < 1.0 && s > 0.0 {
            return x * (-2.0 * ln(s) / s).sqrt();
        }
    }
    0.0
}

/// The logarithm to the base 2 of a positive, normal number.
pub(super) fn log2(x: f64) -> f64 {
    ln(x) / std::f64::consts::LN_2
}

/// The natural logarithm of a positive, normal number: the exponent, and a series for the rest,
/// exact to about nine digits.
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).expect("eleven bits") - 1023;
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | (1023 << 52));
    let t = (mantissa - std::f64::consts::SQRT_2) / (mantissa + std::f64::consts::SQRT_2);
    let s = t * t;
    let series = 1.0 + s * (1.0 / 3.0 + s * (1.0 / 5.0 + s * (1.0 / 7.0 + s * (1.0 / 9.0))));
    std::f64::consts::LN_2 * (f64::from(exponent) + 0.5) + 2.0 * t * series
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    #[test]
    fn the_logarithm_is_right() {
        for x in [1e-300, 1e-16, 0.1, 0.5, 0.999_999, 1.0, 1.5, 2.0, 1e9, 1e300_f64] {
            assert!((ln(x) - x.ln()).abs() < 1e-7, "{x}: {} and {}", ln(x), x.ln());
        }
    }

    #[test]
    fn beta_draws_have_the_right_mean_and_spread() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        for (a, b) in [(1.0, 1.0), (1.0, 9.0), (4.0, 2.0), (30.5, 12.25)] {
            let draws: Vec<f64> = (0..20_000).map(|_| beta(rng, a, b)).collect();
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
            let wanted = a * b / ((a + b) * (a + b) * (a + b + 1.0));
            assert!((mean - a / (a + b)).abs() < 0.01, "{a} {b}: mean {mean}");
            assert!((variance / wanted - 1.0).abs() < 0.06, "{a} {b}: {variance} for {wanted}");
            assert!(draws.iter().all(|x| *x > 0.0 && *x < 1.0));
        }
    }
}
