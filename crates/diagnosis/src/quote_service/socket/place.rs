//! The place from which the socket is looked at, which decides the fixes.

use super::units::Units;

/// The place of the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A machine, with the units of the service if systemd runs there.
    Machine(Option<Units>),
    /// An application's container.
    Container,
    /// The container of the add-on's quote service.
    ServiceContainer,
}

/// The command that tells why a node has no quote service.
pub(crate) const CHECK_CLUSTER: &str = "in Kubernetes, `quote-helper check --cluster` tells why; \
                                        elsewhere, `quote-helper check --machine` on the host";

impl Place {
    /// The fix when the service has left its socket behind.
    pub(super) fn without_listener(&self) -> String {
        match self {
            Self::Machine(Some(units)) => units.without_listener().1,
            Self::Machine(None) => "the service that made the socket is gone: start one, \
                                    `quote-helper serve`, which replaces the socket"
                .to_owned(),
            Self::Container => format!(
                "this container needs no change: the service of its host has ended and left its \
                 socket; {CHECK_CLUSTER}"
            ),
            Self::ServiceContainer => restarts(),
        }
    }

    /// The fix when the holder of the socket does not answer.
    pub(super) fn without_answer(&self) -> String {
        let unknown = "see which process holds the socket (ss -xlp) and its log; stop it, and start \
                       a service, `quote-helper serve`";
        match self {
            Self::Machine(units) => {
                units.as_ref().and_then(Units::without_answer).unwrap_or_else(|| unknown.to_owned())
            }
            Self::Container => format!(
                "this container needs no change: the service of its host is overloaded or hangs; \
                 {CHECK_CLUSTER}"
            ),
            Self::ServiceContainer => restarts(),
        }
    }

    /// The log of the service.
    pub(super) fn log(&self) -> &'static str {
        match self {
            Self::Machine(Some(_)) => "`journalctl -u sgx-quote-helper.service`",
            Self::Machine(None) => "the log of the service",
            Self::Container | Self::ServiceContainer => {
                "the log of the service (in Kubernetes `kubectl -n sgx-quote-helper logs \
                 ds/sgx-quote-helper`)"
            }
        }
    }
}

/// The fix in the container of the service itself.
pub(crate) fn restarts() -> String {
    "wait: the service exits without its socket, and the kubelet restarts it, which makes the \
     socket again; if that repeats, see `kubectl -n sgx-quote-helper logs POD --previous`"
        .to_owned()
}
