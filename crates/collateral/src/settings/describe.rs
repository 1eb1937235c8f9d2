//! Explanation of settings.

use std::fmt;

use super::{Serves, ServiceSettings, Settings, SourceSettings, TrustSettings};

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pck_certificates = self.sources_of(Serves::pck_certificates);
        let collateral = self.sources_of(Serves::collateral);
        let origin = &self.origin;
        if pck_certificates == collateral {
            writeln!(
                f,
                "PCK certificates and collateral come from {collateral}, because {origin}"
            )?;
        } else {
            writeln!(f, "PCK certificates come from {pck_certificates}, because {origin}")?;
            writeln!(f, "collateral comes from {collateral}, because {origin}")?;
        }
        match &self.cache.directory {
            Some(directory) => writeln!(f, "they are kept in {}", directory.display())?,
            None => writeln!(
                f,
                "they are kept in memory only, since no directory for caches is known: HOME is not set, or ignored"
            )?,
        }
        for source in self.sources.iter().filter(|source| is_unsafe(source)) {
            writeln!(
                f,
                "note: the TLS certificate of {source} is not checked; what it answers is"
            )?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

impl Settings {
    fn sources_of(&self, serve: fn(Serves) -> bool) -> String {
        let sources = self.sources.iter().filter(|source| serve(source.serves()));
        let sources: Vec<_> = sources.map(ToString::to_string).collect();
        if sources.is_empty() {
            return "the cache alone".to_owned();
        }
        sources.join(", then from ")
    }
}

fn is_unsafe(source: &SourceSettings) -> bool {
    matches!(source, SourceSettings::Service(ServiceSettings { trust: TrustSettings::Unchecked, url, .. })
        if url.as_str().starts_with("https:"))
}
