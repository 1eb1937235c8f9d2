//! Quote verification as a pure function of quote, collateral, roots, time and policy.
