//! The command line. Each setting is also an environment variable, for containers.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};
use collateral::settings::ServiceUrl;

const EXIT_CODES: &str = "\
Exit codes:
  0  the peer was trusted every time, and no quote failed
  1  it was not, or a quote failed; see the message
  2  the command line is wrong";

/// Two enclaves, a listener and a client, attest each other over TCP, then exchange encrypted
/// messages.
///
/// They are software enclaves, for quotes of the software platform. SGX_AESM_ADDR selects the
/// source of quotes, as for any SGX application: 1 for the quote service at
/// /var/run/aesmd/aesm.socket, an absolute path for the one at that socket; without it quotes are
/// made in this process.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// The name of this enclave's code; its MRENCLAVE is the SHA-256 of it.
    #[arg(long, env = "REMOTE_ATTESTATION_NAME")]
    pub(crate) name: String,

    /// The required name of the peer's code [default: bob for alice, else alice].
    #[arg(long, value_name = "NAME", env = "REMOTE_ATTESTATION_PEER")]
    peer: Option<String>,

    /// Listens for the peer at this address.
    #[arg(long, value_name = "ADDRESS:PORT", env = "REMOTE_ATTESTATION_LISTEN")]
    #[arg(default_value = "127.0.0.1:7000", conflicts_with = "connect")]
    listen: SocketAddr,

    /// Connects to the peer at this address instead of listening.
    #[arg(long, value_name = "ADDRESS:PORT", env = "REMOTE_ATTESTATION_CONNECT")]
    connect: Option<SocketAddr>,

    /// Number of attestations, each with new keys and new quotes [default: 1]. The listener follows
    /// the client.
    #[arg(long, value_name = "NUMBER", env = "REMOTE_ATTESTATION_REPEAT")]
    #[arg(requires = "connect", conflicts_with = "duration")]
    repeat: Option<NonZero<u64>>,

    /// Repeats the attestation for this time, for instance 30s.
    #[arg(id = "duration", long = "for", value_name = "DURATION", env = "REMOTE_ATTESTATION_FOR")]
    #[arg(requires = "connect", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,

    /// For how long others are waited for that are not there yet, or are away: the other enclave
    /// and each of its messages, the collateral server, and, after the first quote, whoever makes
    /// quotes.
    #[arg(long, value_name = "DURATION", env = "REMOTE_ATTESTATION_PATIENCE")]
    #[arg(default_value = "1m", value_parser = humantime::parse_duration)]
    pub(crate) patience: Duration,

    #[command(flatten)]
    pub(crate) evidence: EvidenceArguments,
}

/// The inputs of the verification of the peer's quote.
#[derive(Debug, Args)]
pub(crate) struct EvidenceArguments {
    /// Trusts this root certificate, PEM or DER, instead of Intel's, for quotes of the software
    /// platform. INSECURE: they prove nothing about genuine SGX. Of several files, separated by
    /// commas, the first one that exists [default: Intel's root].
    #[arg(long, value_name = "FILE", env = "REMOTE_ATTESTATION_TRUSTED_ROOT")]
    #[arg(value_delimiter = ',')]
    pub(crate) trusted_root: Vec<PathBuf>,

    /// Verifies with collateral from this PCCS or PCS.
    #[arg(long, value_name = "URL", env = "REMOTE_ATTESTATION_PCCS")]
    #[arg(default_value = "https://api.trustedservices.intel.com", value_parser = ServiceUrl::parse)]
    pub(crate) pccs: ServiceUrl,

    /// Verifies with the collateral in this JSON file of `quote-helper platform collateral`.
    #[arg(long, value_name = "FILE", env = "REMOTE_ATTESTATION_COLLATERAL")]
    #[arg(conflicts_with = "pccs")]
    pub(crate) collateral: Option<PathBuf>,
}

/// The side of the TCP connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    Listen(SocketAddr),
    Connect(SocketAddr),
}

impl Arguments {
    pub(crate) fn role(&self) -> Role {
        self.connect.map_or(Role::Listen(self.listen), Role::Connect)
    }

    pub(crate) fn peer(&self) -> &str {
        let usual = if self.name == "alice" { "bob" } else { "alice" };
        self.peer.as_deref().unwrap_or(usual)
    }

    /// True after the requested number or time of attestations.
    pub(crate) fn is_enough(&self, times: u64, elapsed: Duration) -> bool {
        match self.duration {
            Some(duration) => elapsed >= duration,
            None => times >= self.repeat.map_or(1, NonZero::get),
        }
    }
}
