//! Untrusted input: the environment of a privileged program, and paths that may not lead to regular
//! files.
//!
//! All libraries of this workspace read their environment through [`environment`], and files at
//! configurable paths through [`read`], [`read_if_there`], [`read_unlinked_if_there`] or [`open`].
//! A test of the workspace holds them to it.

pub mod environment;
mod regular_file;

pub use regular_file::{open, open_unlinked, read, read_if_there, read_unlinked_if_there};
