//! A real installer with a fake API server.

mod api_server;
mod claims;
mod failures;
mod installer;
mod installs;
mod previews;
mod removals;
mod request;
mod store;
mod verifiers;
mod waits;
