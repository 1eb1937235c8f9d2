//! SGX_AESM_ADDR, with which applications in this container use the quote service.

use quoting::{InvalidAddress, QuotingMode, SGX_AESM_ADDR};

use crate::finding::Finding;
use crate::quote_service::ServiceSocket;

const NAME: &str = "sgx-aesm-addr";

/// The finding about the quoting mode, given the container's devices and service.
pub(crate) fn finding(
    mode: Result<QuotingMode, InvalidAddress>,
    service: &ServiceSocket,
    has_provision: bool,
) -> Finding {
    match (mode, has_provision) {
        // Only its own container sees the service's process.
        _ if service.has_visible_holder() => {
            Finding::ok(NAME, "not needed: this is the container of the service")
        }
        (Ok(QuotingMode::OutOfProcess(_)), false) => {
            Finding::ok(NAME, format!("{SGX_AESM_ADDR} is set: the quote service makes the quotes"))
        }
        (Ok(QuotingMode::OutOfProcess(_)), true) => Finding::warning(
            NAME,
            format!(
                "{SGX_AESM_ADDR} is set, for quotes of the quote service, and /dev/sgx_provision \
                 is here, for quotes of the application's own process"
            ),
            "leave out one of them: for the quote service, the resource sgx.intel.com/provision",
        ),
        (Ok(QuotingMode::InProcess), true) => Finding::ok(
            NAME,
            format!("{SGX_AESM_ADDR} is not set: quotes are made in the application's own process"),
        ),
        (Ok(QuotingMode::InProcess), false) => Finding::warning(
            NAME,
            format!("{SGX_AESM_ADDR} is not set: applications here do not ask the quote service"),
            format!("set the variable {SGX_AESM_ADDR} to \"1\" in the container"),
        ),
        (Err(error), _) => Finding::failed(
            NAME,
            error.to_string(),
            format!("set the variable {SGX_AESM_ADDR} to \"1\", or to the socket's absolute path"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::finding::Status;
    use crate::quote_service::Place;

    #[test]
    fn each_way_to_quote_has_its_finding() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("aesm.socket");
        let service = ServiceSocket::gather(socket.clone(), Place::Container);
        let by_service = QuotingMode::OutOfProcess(socket);
        for (mode, has_provision, status) in [
            (Ok(by_service.clone()), false, Status::Ok),
            (Ok(by_service), true, Status::Warning),
            (Ok(QuotingMode::InProcess), true, Status::Ok),
            (Ok(QuotingMode::InProcess), false, Status::Warning),
            (QuotingMode::choose(Some("./x".into())), false, Status::Failed),
        ] {
            let finding = finding(mode, &service, has_provision);
            assert_eq!(finding.status, status, "{finding:?}");
        }
        let unset = finding(Ok(QuotingMode::InProcess), &service, false);
        assert!(unset.fix.unwrap().contains("SGX_AESM_ADDR to \"1\""));
    }

    #[test]
    fn the_service_itself_needs_no_variable() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("aesm.socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        let service = ServiceSocket::gather(socket, Place::Container);
        let finding = finding(Ok(QuotingMode::InProcess), &service, false);
        assert_eq!(finding.status, Status::Ok, "{finding:?}");
    }
}
