//! The command line. Each setting is also an environment variable, for containers.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};
use collateral::settings::ServiceUrl;

const EXIT_CODES: &str = "\
Exit codes:
  0  the other enclave was trusted every time, and no quote failed
  1  it was not, or a quote failed; the message says why
  2  the command line is wrong";

/// Two enclaves attest each other over TCP, and then talk encrypted: one listens, one connects.
///
/// They are software enclaves, for quotes of the software platform. SGX_AESM_ADDR says where quotes
/// come from, as for any SGX application: set to 1, from the quote service at
/// /var/run/aesmd/aesm.socket; set to an absolute path, from the one at this socket; not set, from
/// this process.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// The name of this enclave's code, of which its MRENCLAVE is the SHA-256.
    #[arg(long, env = "REMOTE_ATTESTATION_NAME")]
    pub(crate) name: String,

    /// The name that the other enclave's code has to have [default: bob for alice, else alice].
    #[arg(long, value_name = "NAME", env = "REMOTE_ATTESTATION_PEER")]
    peer: Option<String>,

    /// Waits here for the other enclave to connect.
    #[arg(long, value_name = "ADDRESS:PORT", env = "REMOTE_ATTESTATION_LISTEN")]
    #[arg(default_value = "127.0.0.1:7000", conflicts_with = "connect")]
    listen: SocketAddr,

    /// Connects to the other enclave here, rather than to wait for it.
    #[arg(long, value_name = "ADDRESS:PORT", env = "REMOTE_ATTESTATION_CONNECT")]
    connect: Option<SocketAddr>,

    /// How often to attest each other, with new keys and new quotes each time [default: 1]. For the
    /// one that connects; the other one goes along.
    #[arg(long, value_name = "NUMBER", env = "REMOTE_ATTESTATION_REPEAT")]
    #[arg(requires = "connect", conflicts_with = "duration")]
    repeat: Option<NonZero<u64>>,

    /// For how long to attest each other again and again, for instance 30s. For the one that
    /// connects.
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

/// What the other's quote is verified with.
#[derive(Debug, Args)]
pub(crate) struct EvidenceArguments {
    /// Trusts this root certificate, PEM or DER, instead of Intel's, as quotes of the software
    /// platform need it. INSECURE: they say nothing about genuine SGX [default: Intel's root].
    #[arg(long, value_name = "FILE", env = "REMOTE_ATTESTATION_TRUSTED_ROOT")]
    pub(crate) trusted_root: Option<PathBuf>,

    /// Verifies with collateral from this PCCS; the default is Intel's PCS.
    #[arg(long, value_name = "URL", env = "REMOTE_ATTESTATION_PCCS")]
    #[arg(default_value = "https://api.trustedservices.intel.com", value_parser = ServiceUrl::parse)]
    pub(crate) pccs: ServiceUrl,

    /// Verifies with the collateral of this JSON file, as `quote-helper platform collateral` writes
    /// it.
    #[arg(long, value_name = "FILE", env = "REMOTE_ATTESTATION_COLLATERAL")]
    #[arg(conflicts_with = "pccs")]
    pub(crate) collateral: Option<PathBuf>,
}

/// Who connects to whom.
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

    /// Whether the enclaves have attested each other as often, or for as long, as was asked for.
    pub(crate) fn is_enough(&self, times: u64, elapsed: Duration) -> bool {
        match self.duration {
            Some(duration) => elapsed >= duration,
            None => times >= self.repeat.map_or(1, NonZero::get),
        }
    }
}
