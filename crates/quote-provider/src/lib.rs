//! PCK certificates and collateral as C programs get them: from the settings, sources and cache of
//! this machine, in memory that C frees, and with the error numbers of a quote provider library.
//!
//! `libdcap_quoteprov` is the C library of a quote provider. `libsgx_dcap_quoteverify` fetches the
//! collateral with it that its caller does not pass.
#![expect(
    clippy::disallowed_types,
    reason = "an application that forks copies parking_lot's table of waiting threads, perhaps locked"
)]

mod block;
mod failure;
mod provider;
mod qve_collateral;

pub use block::{Block, Text, free};
pub use failure::{Failure, guarded, required};
pub use provider::{Log, LogLevel, Pck, Provider};
pub use qve_collateral::{QveCollateral, qve_identity, root_ca_crl, verification_collateral};
