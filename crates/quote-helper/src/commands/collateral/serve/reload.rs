//! Reload at SIGHUP of the TLS certificate and the token hashes. Changed settings of the sources
//! are only reported: they apply at the next start.

use std::path::PathBuf;
use std::sync::Arc;

use collateral::settings::Settings;
use collateral_server::{Server, ServingCertificate, TokenHash, Tokens};

use crate::reload::Changes;
use crate::sources::Sources;

/// The files with the hashes of the tokens.
#[derive(Clone)]
pub(super) struct TokenFiles {
    pub(super) user: Option<PathBuf>,
    pub(super) admin: Option<PathBuf>,
}

/// A server, and the arguments of its start.
pub(super) struct Reload {
    pub(super) server: Arc<Server>,
    pub(super) certificate: Option<Arc<ServingCertificate>>,
    pub(super) tokens: TokenFiles,
    pub(super) sources: Sources,
    pub(super) cache: PathBuf,
    pub(super) settings: Settings,
}

impl TokenFiles {
    /// Reads both.
    pub(super) fn read(&self) -> anyhow::Result<Tokens> {
        let hash = |file: &Option<PathBuf>| file.as_deref().map(TokenHash::read).transpose();
        Ok(Tokens { user: hash(&self.user)?, admin: hash(&self.admin)? })
    }
}

impl Reload {
    /// Reads all files, and applies them if all are valid.
    pub(super) fn run(&self) -> anyhow::Result<Changes> {
        let tokens = self.tokens.read()?;
        let settings = self.sources.settings(Some(self.cache.clone()))?;
        let mut changes = Changes { applied: Vec::new(), pending: self.pending(&settings) };
        if let Some(certificate) = &self.certificate
            && certificate.reload()?
        {
            changes.applied.push("TLS certificate".to_owned());
        }
        if self.server.set_tokens(tokens) {
            changes.applied.push("tokens".to_owned());
        }
        Ok(changes)
    }

    /// The settings that differ from those that the server was started with.
    fn pending(&self, new: &Settings) -> Vec<String> {
        let old = &self.settings;
        let differs = [
            ("sources", old.sources != new.sources),
            ("cache", old.cache != new.cache),
            ("timeout", old.timeout != new.timeout),
            ("retries", old.retry != new.retry),
            ("evaluation", old.evaluation != new.evaluation),
            ("trusted_root", old.trusted_root != new.trusted_root),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.into()).collect()
    }
}
