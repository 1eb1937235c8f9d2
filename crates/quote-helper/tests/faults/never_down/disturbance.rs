//! Disturbances of a service under constant load.

use std::time::Duration;

use rustix::process::Signal;

use super::service::Service;
use crate::application::Library;

/// As `RestartSec=` of systemd, if nobody sets it.
const RESTART: Duration = Duration::from_millis(100);

/// Something that happens again and again.
pub(super) struct Disturbance {
    pub(super) what: &'static str,
    /// In what form the service quotes.
    pub(super) start: fn() -> Service,
    /// The library of its clients.
    pub(super) library: Library,
    /// Does it once.
    pub(super) happen: fn(&mut Service),
    /// True if no quote may fail; if not, failures are only reported.
    pub(super) promised: bool,
}

pub(super) const DISTURBANCES: &[Disturbance] = &[
    Disturbance {
        what: "hand-over",
        start: Service::software,
        library: Library::Fortanix,
        happen: Service::hand_over,
        promised: true,
    },
    Disturbance {
        what: "hand-over, with workers",
        start: Service::isolated,
        library: Library::Fortanix,
        happen: Service::hand_over,
        promised: true,
    },
    Disturbance {
        what: "SIGHUP",
        start: Service::isolated,
        library: Library::Fortanix,
        happen: |service| service.signal(Signal::HUP),
        promised: true,
    },
    Disturbance {
        what: "kill -9 of a worker",
        start: Service::isolated,
        library: Library::Fortanix,
        happen: Service::kill_worker,
        promised: true,
    },
    Disturbance {
        what: "kill -9 of a worker with Intel's interface",
        start: Service::dcap,
        library: Library::Fortanix,
        happen: Service::kill_worker,
        promised: true,
    },
    Disturbance {
        what: "kill -9 of the service, our library",
        start: Service::software,
        library: Library::Ours,
        happen: |service| service.kill(RESTART),
        promised: true,
    },
    Disturbance {
        what: "kill -9 of the service",
        start: Service::software,
        library: Library::Fortanix,
        happen: |service| service.kill(RESTART),
        promised: false,
    },
];
