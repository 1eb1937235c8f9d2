//! From many measurements to one figure.

use std::time::Duration;

/// The number of measurements of a group of figures.
const ROUNDS: usize = 3;

/// Measures the same figures in several rounds; the median of each counts.
pub(crate) fn medians<const N: usize>(
    round: impl FnMut() -> anyhow::Result<[Duration; N]>,
) -> anyhow::Result<[Duration; N]> {
    medians_of(ROUNDS, round)
}

/// The same, in so many rounds.
pub(crate) fn medians_of<const N: usize>(
    rounds: usize,
    mut round: impl FnMut() -> anyhow::Result<[Duration; N]>,
) -> anyhow::Result<[Duration; N]> {
    let rounds = (0..rounds).map(|_| round()).collect::<Result<Vec<_>, _>>()?;
    Ok(std::array::from_fn(|figure| {
        median(rounds.iter().filter_map(|round| round.get(figure)).copied().collect())
    }))
}

/// The value in the middle.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    percentile(&times, 50)
}

/// The smallest of these times, in ascending order, that so many percent of them do not exceed.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}
