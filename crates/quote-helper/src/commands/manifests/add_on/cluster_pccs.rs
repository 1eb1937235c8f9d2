//! The options for the cluster's PCCS.

use anyhow::ensure;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use collateral::settings::SourceSpec;
use kubernetes::injection::quantity;
use kubernetes::manifests::{ClusterPccs, PccsMode, PccsSecret, PccsSecretKey};

use super::name;

/// Options that override settings of the PCCS.
#[derive(Debug, Args)]
pub(super) struct PccsArguments {
    /// Runs a PCCS in the cluster, `quote-helper collateral serve`: it caches PCK certificates and
    /// collateral for all nodes and verifiers, which use it unless --pccs-url names another one.
    #[arg(long)]
    pub(super) enable_pccs: bool,

    /// Caching mode, as of `collateral serve --mode` [default: lazy].
    #[arg(long, value_name = "MODE", value_parser = mode())]
    pccs_mode: Option<PccsMode>,

    /// Source, as of `collateral serve --source`: a URL, `pcs`, `thim` or `azure`. May be given
    /// several times, in order [default: on Azure `thim` and `azure`, elsewhere `pcs`; with the
    /// software platform its collateral].
    #[arg(long, value_name = "SOURCE", value_parser = source)]
    pccs_source: Vec<String>,

    /// Size of a PersistentVolume for its data, for instance 1Gi [default: none, and its data is
    /// lost with its pod].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pccs_storage: Option<String>,

    /// Secret of the namespace with the API key for Intel's PCS and the SHA-512 of the tokens, in
    /// hexadecimal: the keys api-key, user-token-hash and admin-token-hash, or those that are
    /// named.
    #[arg(long, value_name = "NAME[=KEY,...]", value_parser = secret)]
    pccs_secret: Option<PccsSecret>,
}

impl PccsArguments {
    /// The PCCS with the given options, if there is one.
    pub(super) fn applied_to(
        self,
        pccs: Option<ClusterPccs>,
    ) -> anyhow::Result<Option<ClusterPccs>> {
        let Some(pccs) = pccs.or_else(|| self.enable_pccs.then(ClusterPccs::default)) else {
            ensure!(
                self.is_empty(),
                "--pccs-mode, --pccs-source, --pccs-storage and --pccs-secret need a PCCS in the \
                 cluster: add --enable-pccs"
            );
            return Ok(None);
        };
        Ok(Some(ClusterPccs {
            mode: self.pccs_mode.unwrap_or(pccs.mode),
            sources: match self.pccs_source.is_empty() {
                true => pccs.sources,
                false => self.pccs_source,
            },
            storage: self.pccs_storage.or(pccs.storage),
            secret: self.pccs_secret.or(pccs.secret),
        }))
    }

    fn is_empty(&self) -> bool {
        let Self { enable_pccs: _, pccs_mode, pccs_source, pccs_storage, pccs_secret } = self;
        pccs_mode.is_none()
            && pccs_source.is_empty()
            && pccs_storage.is_none()
            && pccs_secret.is_none()
    }
}

fn mode() -> impl TypedValueParser<Value = PccsMode> {
    PossibleValuesParser::new(PccsMode::ALL.map(PccsMode::name))
        .try_map(|name| name.parse::<PccsMode>())
}

fn source(text: &str) -> anyhow::Result<String> {
    text.parse::<SourceSpec>().map_err(anyhow::Error::msg)?;
    ensure!(
        !text.starts_with('/'),
        "its pod has no such directory: name a URL, pcs, thim or azure"
    );
    Ok(text.to_owned())
}

fn size(text: &str) -> anyhow::Result<String> {
    ensure!(quantity::parse(text).is_some_and(|size| size > 0), "write for instance 1Gi");
    Ok(text.to_owned())
}

fn secret(text: &str) -> anyhow::Result<PccsSecret> {
    let (secret, keys) = match text.split_once('=') {
        Some((secret, keys)) => {
            (secret, keys.split(',').map(str::parse).collect::<Result<_, _>>()?)
        }
        None => (text, PccsSecretKey::ALL.into()),
    };
    Ok(PccsSecret { name: name(secret)?, keys })
}
