//! The device plugin as a program on a node, with device nodes that are stand-ins, see [`host`].

mod accounting;
mod containers;
mod health;
mod host;
mod label;
mod metrics;
mod node_status;
mod node_watch;
mod plugin;
mod program;
mod quotes;
mod resources;
mod restarts;
mod scheduling;
