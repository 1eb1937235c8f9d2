//! An application that gets quotes: target info, a REPORT of its enclave, the quote.

use std::path::Path;
use std::time::Duration;

use aesm_client::AesmClient;
use aesm_client::unix::AesmClientExt;
use quoting::{AesmQuoter, QuoteRequest, Quoter};
use sgx::{AttestationKeyId, FromBytes, IntoBytes, Quote, QuoteBody, ReportData, TargetInfo};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::trouble::Trouble;

/// The timeout of the C libraries, which includes a restart.
const PATIENCE: Duration = aesm::Client::DEFAULT_TIMEOUT;

/// The client that an application has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Library {
    /// Fortanix's, as it is published. It asks once, on a connection for each of four requests.
    Fortanix,
    /// Ours, as behind the C libraries.
    Ours,
}

/// An application, which asks a service at a socket.
pub(crate) struct Application {
    client: Client,
    enclave: SoftwareEnclave,
}

enum Client {
    Fortanix(AesmClient),
    Ours(AesmQuoter),
}

impl Application {
    pub(crate) fn new(library: Library, socket: &Path) -> Self {
        let client = match library {
            Library::Fortanix => Client::Fortanix(AesmClient::with_path(socket)),
            Library::Ours => {
                Client::Ours(AesmQuoter::new(socket, PATIENCE).reconnect_timeout(PATIENCE))
            }
        };
        Self { client, enclave: SoftwareEnclave::new(EnclaveIdentity::default()) }
    }

    /// Our library, when told not to wait for longer than this.
    pub(crate) fn impatient(socket: &Path, timeout: Duration) -> Self {
        let client = Client::Ours(AesmQuoter::new(socket, timeout));
        Self { client, enclave: SoftwareEnclave::new(EnclaveIdentity::default()) }
    }

    /// Gets a quote with this number in its report data.
    pub(crate) fn quote(&self, number: u64) -> Result<Vec<u8>, Trouble> {
        let mut report_data = [0; 64];
        report_data[..8].copy_from_slice(&number.to_le_bytes());
        let quote = match &self.client {
            Client::Fortanix(client) => self.by_fortanix(client, ReportData(report_data))?,
            Client::Ours(quoter) => self.by_ours(quoter, ReportData(report_data))?,
        };
        match Quote::parse_padded(&quote) {
            Ok(Quote { body: QuoteBody::Enclave(body), .. })
                if body.report_data.0 == report_data =>
            {
                Ok(quote)
            }
            _ => Err(Trouble::Wrong),
        }
    }

    fn by_fortanix(&self, client: &AesmClient, data: ReportData) -> Result<Vec<u8>, Trouble> {
        let key_id = AttestationKeyId::ecdsa_p256().as_bytes().to_vec();
        let key = client.init_quote_ex(key_id.clone())?;
        let target_info =
            TargetInfo::read_from_bytes(key.target_info()).map_err(|_| Trouble::Wrong)?;
        let report = self.enclave.report(&target_info, data).as_bytes().to_vec();
        let own = self.enclave.target_info().as_bytes().to_vec();
        Ok(client.get_quote_ex(key_id, report, Some(own), vec![6; 16])?.quote().to_vec())
    }

    fn by_ours(&self, quoter: &AesmQuoter, data: ReportData) -> Result<Vec<u8>, Trouble> {
        let key_id = AttestationKeyId::ecdsa_p256();
        let target_info = quoter.initialize(&key_id)?.target_info;
        let report = self.enclave.report(&target_info, data);
        Ok(quoter.quote(&QuoteRequest { report, key_id, qe_report_info: None })?.quote)
    }
}
