//! The sample application, its library and its program, with a real quote service and real files.
#![cfg(test)]

mod enclaves;
mod hostile_peers;
mod machine;
mod program;
mod samples;
mod waits;
