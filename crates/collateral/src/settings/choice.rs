//! Choice between the sources of the settings, of other quote providers, and of the machine.

use super::layers::LayeredSettings;
use super::source_settings::{AZURE_CACHE, AZURE_THIM, INTEL_PCS};
use super::{
    Base, Machine, Origin, Serves, ServiceSettings, ServiceUrl, SettingsError, SourceSettings,
    TrustSettings, azdcap, qcnl,
};

impl Base {
    /// The sources of the settings, else those of other quote providers, else those for this
    /// machine; with the settings for all sources.
    pub(super) fn choose(own: &LayeredSettings, machine: &Machine) -> Result<Self, SettingsError> {
        let mut base = match &own.origin {
            Some(origin) => Self::new(own.sources(), origin.clone()).beside_qcnl(machine),
            None => Self::of_others(machine)?.with_trust(own.trust.as_ref()),
        };
        if let Some(file) = &own.settings.api_key_file {
            base.services().for_each(|service| service.offer_api_key(file));
        }
        base.note_ended_versions();
        Ok(base)
    }

    fn of_others(machine: &Machine) -> Result<Self, SettingsError> {
        if let Some(base) = qcnl::read(machine)? {
            return Ok(base.beside_azdcap(machine));
        }
        match azdcap::read(machine)? {
            Some(base) => Ok(base),
            None => Ok(Self::of_machine(machine)),
        }
    }

    fn of_machine(machine: &Machine) -> Self {
        let azure = machine.is_in_azure();
        let services: &[_] = if azure {
            &[(AZURE_THIM, Serves::PckCertificates), (AZURE_CACHE, Serves::Everything)]
        } else {
            &[(INTEL_PCS, Serves::Everything)]
        };
        // They are valid URLs, as a test checks.
        let services = services.iter().filter_map(|&(url, serves)| {
            Some(SourceSettings::Service(ServiceSettings::at(ServiceUrl::parse(url).ok()?, serves)))
        });
        Self::new(services.collect(), Origin::Machine { azure })
    }

    /// Notes that Intel's and Azure's settings exist and are not used.
    fn beside_qcnl(mut self, machine: &Machine) -> Self {
        let (path, is_named) = qcnl::path(machine);
        if is_named || path.exists() {
            self.notes.push(format!("{} is not used, since {}", path.display(), self.origin));
        }
        self.beside_azdcap(machine)
    }

    /// Notes that Azure's settings exist and are not used.
    fn beside_azdcap(mut self, machine: &Machine) -> Self {
        let names = azdcap::variables_of_sources(machine).join(", ");
        if !names.is_empty() {
            let (verb, origin) = (if names.contains(',') { "are" } else { "is" }, &self.origin);
            self.notes.push(format!("{names} {verb} not used, since {origin}"));
        }
        self
    }

    fn with_trust(mut self, trust: Option<&TrustSettings>) -> Self {
        if let Some(trust) = trust {
            self.services().for_each(|service| service.trust = trust.clone());
        }
        self
    }

    fn note_ended_versions(&mut self) {
        for source in &self.sources {
            if let SourceSettings::Service(ServiceSettings { url, .. }) = source
                && let Some(version) = url.ended_version()
            {
                self.notes.push(format!(
                    "version {version} of the API has ended; {source} is asked with version 4. Write v4 in its URL"
                ));
            }
        }
    }

    fn services(&mut self) -> impl Iterator<Item = &mut ServiceSettings> {
        self.sources.iter_mut().filter_map(SourceSettings::service_mut)
    }
}
