//! Input that somebody else may have chosen: the environment of a privileged program, and files
//! that may be something else than a file.
//!
//! All libraries of this workspace read their environment through [`environment`], and files at
//! configurable paths through [`read`], [`read_if_there`], [`read_unlinked_if_there`] or [`open`].
//! A test of the workspace holds them to it.

pub mod environment;
mod regular_file;

pub use regular_file::{open, open_unlinked, read, read_if_there, read_unlinked_if_there};
