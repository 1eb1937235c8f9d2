//! Percentiles of latencies, as buckets of a histogram.

use std::fmt;

use serde::Serialize;

/// Cumulative buckets, as (bound in seconds, number of requests up to it), in the order of the
/// bounds. The last bound is infinite.
#[derive(Debug)]
pub(super) struct Histogram(Vec<(f64, u64)>);

/// Percentiles of latencies.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Latency {
    /// The median.
    pub(super) p50: Bucket,
    /// The 99th percentile.
    pub(super) p99: Bucket,
    /// The maximum.
    pub(super) longest: Bucket,
}

/// The bucket that a latency is in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Bucket {
    above_seconds: f64,
    /// Null beyond the last bound of the histogram.
    up_to_seconds: Option<f64>,
}

impl Histogram {
    /// From cumulative buckets in any order.
    pub(super) fn new(mut buckets: Vec<(f64, u64)>) -> Self {
        buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        Self(buckets)
    }

    /// The percentiles; `None` without requests.
    pub(super) fn latency(&self) -> Option<Latency> {
        let (p50, p99) = (self.percentile(50)?, self.percentile(99)?);
        Some(Latency { p50, p99, longest: self.percentile(100)? })
    }

    fn percentile(&self, percent: u64) -> Option<Bucket> {
        let (_, all) = self.0.last().filter(|(_, all)| *all > 0)?;
        // In 128 bits the product cannot overflow.
        let rank = u128::from(*all).saturating_mul(u128::from(percent)).div_ceil(100);
        let index = self.0.iter().position(|(_, count)| u128::from(*count) >= rank)?;
        let (up_to, _) = self.0.get(index)?;
        let below = index.checked_sub(1).and_then(|below| self.0.get(below));
        let above_seconds = below.map_or(0.0, |(bound, _)| *bound);
        Some(Bucket { above_seconds, up_to_seconds: up_to.is_finite().then_some(*up_to) })
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, seconds) = match self.up_to_seconds {
            Some(bound) => ('≤', bound),
            None => ('>', self.above_seconds),
        };
        match seconds {
            ..1e-3 => write!(f, "{sign} {} µs", three_digits(seconds * 1e6)),
            ..1.0 => write!(f, "{sign} {} ms", three_digits(seconds * 1e3)),
            _ => write!(f, "{sign} {} s", three_digits(seconds)),
        }
    }
}

/// The number with three significant digits, without trailing zeros.
fn three_digits(number: f64) -> String {
    let decimals = match number {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    let text = format!("{number:.decimals$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(counts: [u64; 4]) -> Histogram {
        Histogram::new([f64::INFINITY, 0.001, 0.002, 0.004].into_iter().zip(counts).collect())
    }

    #[test]
    fn percentiles_are_the_buckets_that_they_are_in() {
        let latency = histogram([100, 50, 98, 99]).latency().unwrap();
        let shown = [latency.p50, latency.p99, latency.longest].map(|range| range.to_string());
        assert_eq!(shown, ["≤ 1 ms", "≤ 4 ms", "> 4 ms"]);
        assert_eq!(latency.p99, Bucket { above_seconds: 0.002, up_to_seconds: Some(0.004) });
        let latency = histogram([1, 0, 1, 1]).latency().unwrap();
        let bucket = Bucket { above_seconds: 0.001, up_to_seconds: Some(0.002) };
        assert_eq!(latency, Latency { p50: bucket, p99: bucket, longest: bucket });
        assert!(histogram([u64::MAX; 4]).latency().is_some());
        assert_eq!(histogram([0; 4]).latency(), None);
        assert_eq!(Histogram::new(Vec::new()).latency(), None);
    }

    #[test]
    fn bounds_have_three_digits() {
        for (seconds, shown) in [
            (16e-6, "≤ 16 µs"),
            (512e-6, "≤ 512 µs"),
            (1.024e-3, "≤ 1.02 ms"),
            (16.384e-3, "≤ 16.4 ms"),
            (0.1, "≤ 100 ms"),
            (8.388_608, "≤ 8.39 s"),
        ] {
            let range = Bucket { above_seconds: 0.0, up_to_seconds: Some(seconds) };
            assert_eq!(range.to_string(), shown);
        }
    }
}
