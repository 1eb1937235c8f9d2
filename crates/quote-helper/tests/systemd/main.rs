//! The installed units under a real systemd: a machine of its own for each test, made of namespaces
//! and of what `just systemd-test` has installed. Needs root. One test at a time, since some are
//! about time.

#![cfg(test)]

mod aesmd;
mod configuration;
mod machine;
mod never_down;
mod pccs;
mod units;
