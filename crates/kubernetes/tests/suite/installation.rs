//! A real installer with a fake API server.

mod api_server;
mod claims;
mod dry_runs;
mod failures;
mod helm;
mod installer;
mod installer_role;
mod installs;
mod previews;
mod removals;
mod request;
mod rollbacks;
mod store;
mod verifiers;
mod waits;
