//! The number of connections that the limit of open files allows.
//!
//! Probes, workers, the hand-over, the state and the log keep descriptors when clients have used
//! all of theirs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::Limits;
use tracing::{info, warn};

use crate::settings::Settings;

/// Standard streams, runtime, listening sockets, hand-over, service manager, state files,
/// collateral over the network.
const OWN: usize = 96;

/// A worker's socket and process, twice while it is replaced.
const PER_WORKER: usize = 8;

/// Clients get at least this fraction, even if the limit is too low for everything else.
const LEAST_PART: usize = 4;

/// Raises the limit of open files to its maximum, since the default is for programs that use
/// select(), and derives the limits of the service from it.
pub(super) fn limits(settings: &Settings) -> Limits {
    raise();
    let open_files = getrlimit(Resource::Nofile).current;
    let open_files = open_files.and_then(|files| files.try_into().ok()).unwrap_or(usize::MAX);
    let reserved = reserved(settings);
    let room = connections(open_files, reserved);
    let limits = settings.limits(room);
    info!(
        open_files,
        reserved,
        connections = limits.connections,
        connections_per_caller = limits.connections_per_caller,
        queued_quotes = limits.queued_quotes,
        queued_quotes_per_caller = limits.queued_quotes_per_caller,
        "limits"
    );
    if open_files < reserved.saturating_add(room) {
        warn!(
            open_files,
            needed = reserved.saturating_add(room),
            "the limit of open files is low; raise it (LimitNOFILE=, ulimit -Hn)"
        );
    }
    if settings.max_connections.is_some_and(|wanted| wanted.get() > room) {
        warn!(
            open_files,
            room, "max_connections exceeds the limit of open files; raise that limit"
        );
    }
    limits
}

fn raise() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        warn!(%error, "cannot raise the limit of open files; fewer clients can connect at once");
    }
}

fn reserved(settings: &Settings) -> usize {
    let servers = [settings.metrics_listen.is_some(), settings.collateral_listen.is_some()];
    let servers = servers.into_iter().filter(|served| *served).count();
    let workers = settings.workers().get();
    OWN.saturating_add(Limits::DESCRIPTORS_BEYOND_CONNECTIONS)
        .saturating_add(workers.saturating_mul(PER_WORKER))
        .saturating_add(servers.saturating_mul(http_server::MAX_CONNECTIONS))
}

fn connections(open_files: usize, reserved: usize) -> usize {
    open_files.saturating_sub(reserved).max(open_files / LEAST_PART).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_what_is_not_reserved_and_at_least_a_part() {
        assert_eq!(connections(4_096, 700), 3_396);
        assert_eq!(connections(1_024, 700), 324);
        assert_eq!(connections(512, 700), 128);
        assert_eq!(connections(usize::MAX, 700), usize::MAX - 700);
        assert_eq!(connections(0, 700), 1);
    }

    #[test]
    fn more_is_reserved_for_probes_and_workers() {
        let settings = |workers, metrics: Option<&str>| {
            let mut settings = Settings::default();
            settings.workers = std::num::NonZero::new(workers);
            settings.metrics_listen = metrics.map(|address| address.parse().unwrap());
            settings
        };
        let least = reserved(&settings(1, None));
        assert_eq!(reserved(&settings(3, None)), least + 2 * PER_WORKER);
        assert_eq!(
            reserved(&settings(1, Some("127.0.0.1:17490"))),
            least + http_server::MAX_CONNECTIONS
        );
    }
}
