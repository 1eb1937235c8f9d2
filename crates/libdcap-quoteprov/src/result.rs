//! PCK certificates, in memory that C programs free.

use collateral::PckCertificateRequest;
use quote_provider::{Block, Failure, Provider};

use crate::c_types::QuoteConfig;

/// A PCK certificate, with its chain and its TCB.
pub(crate) fn quote_config(
    provider: &Provider,
    request: PckCertificateRequest,
) -> Result<*mut QuoteConfig, Failure> {
    let pck = provider.pck(request)?;
    let (block, [chain]) = Block::holding([&pck.chain])?;
    Ok(block.finish(QuoteConfig {
        version: QuoteConfig::VERSION,
        cpu_svn: pck.contents.cpu_svn.0,
        pce_svn: pck.contents.pce_svn,
        data_size: chain.size,
        data: chain.start,
    }))
}
