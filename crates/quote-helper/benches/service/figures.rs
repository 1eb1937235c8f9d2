//! Figures as medians of many measurements.

use std::time::Duration;

/// The number of measurements of a group of figures.
const ROUNDS: usize = 3;

/// The medians of the same figures, measured in several rounds.
pub(crate) fn medians<const N: usize>(
    round: impl FnMut() -> anyhow::Result<[Duration; N]>,
) -> anyhow::Result<[Duration; N]> {
    medians_of(ROUNDS, round)
}

/// The same with this number of rounds.
pub(crate) fn medians_of<const N: usize>(
    rounds: usize,
    mut round: impl FnMut() -> anyhow::Result<[Duration; N]>,
) -> anyhow::Result<[Duration; N]> {
    let rounds = (0..rounds).map(|_| round()).collect::<Result<Vec<_>, _>>()?;
    Ok(std::array::from_fn(|figure| {
        median(rounds.iter().filter_map(|round| round.get(figure)).copied().collect())
    }))
}

/// The median.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    percentile(&times, 50)
}

/// This percentile of times in ascending order.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}
