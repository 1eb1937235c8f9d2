//! A real installer, with an API server that is of the tests.

mod api_server;
mod claims;
mod failures;
mod installer;
mod installs;
mod previews;
mod removals;
mod request;
mod store;
mod waits;
