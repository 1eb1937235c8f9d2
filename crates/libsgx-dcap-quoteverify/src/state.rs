//! The state that verifications of one process share.

use std::convert::Infallible;

use per_process::PerProcess;
use verify::Verifier;

use crate::decoded::DecodedCollateral;
use crate::roots;

static STATE: PerProcess<State> = PerProcess::new();

/// The verifier, whose roots never change in a process, and the collateral that it has seen.
pub(crate) struct State {
    pub(crate) verifier: Verifier,
    pub(crate) collateral: DecodedCollateral,
}

impl State {
    /// The state of this process. A forked child inherits the roots only.
    pub(crate) fn of_process() -> &'static Self {
        let state = STATE.get_or_try_init(|parent| {
            let roots =
                parent.map_or_else(roots::trusted, |parent| parent.verifier.roots().clone());
            Ok::<_, Infallible>(Self {
                verifier: Verifier::new(roots),
                collateral: DecodedCollateral::default(),
            })
        });
        match state {
            Ok(state) => state,
        }
    }
}
