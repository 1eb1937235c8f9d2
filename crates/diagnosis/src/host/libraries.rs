//! Intel's libraries, which the `dcap` platform and applications load.

use std::fs;
use std::path::{Path, PathBuf};

use quoting::{DCAP_LIBRARY, find_library};

use super::driver::parse_release;
use super::processor::{Processor, SEE_PROCESSOR};
use crate::finding::Finding;

/// The first release of DCAP for the device nodes of the Linux driver.
const FIRST_DCAP: (u32, u32) = (1, 10);

/// A library of Intel's, or a replacement.
#[derive(Debug)]
struct Library {
    /// The name of the finding.
    name: &'static str,
    /// The names for the dynamic loader, the newest first.
    sonames: &'static [&'static str],
    /// The package that installs it.
    package: &'static str,
    purpose: &'static str,
    need: Need,
}

/// The use of a library on a machine with SGX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// The `dcap` platform requires it. It has the versions of DCAP.
    Dcap,
    /// The `dcap` platform requires it. It has the versions of the SDK.
    Sdk,
    /// Nothing requires it.
    Optional,
}

const LIBRARIES: [Library; 7] = [
    Library {
        name: "libsgx-qe3-logic",
        sonames: &[DCAP_LIBRARY],
        package: "libsgx-qe3-logic",
        purpose: "makes quotes in the service",
        need: Need::Dcap,
    },
    Library {
        name: "libsgx-pce-logic",
        sonames: &["libsgx_pce_logic.so.1"],
        package: "libsgx-pce-logic",
        purpose: "loads the Provisioning Certification Enclave",
        need: Need::Dcap,
    },
    Library {
        name: "libsgx-urts",
        sonames: &["libsgx_urts.so.2", "libsgx_urts.so.1"],
        package: "libsgx-urts",
        purpose: "starts enclaves",
        need: Need::Sdk,
    },
    Library {
        name: "libdcap-quoteprov",
        sonames: &["libdcap_quoteprov.so.1"],
        package: "libdcap_quoteprov of this project, libsgx-dcap-default-qpl or az-dcap-client",
        purpose: "gets PCK certificates; without it quotes carry none",
        need: Need::Optional,
    },
    Library {
        name: "libsgx-dcap-ql",
        sonames: &["libsgx_dcap_ql.so.1"],
        package: "libsgx-dcap-ql, or this project's",
        purpose: "lets applications quote in their own process, or ask the service",
        need: Need::Optional,
    },
    Library {
        name: "libsgx-dcap-quoteverify",
        sonames: &["libsgx_dcap_quoteverify.so.1"],
        package: "libsgx-dcap-quote-verify, or this project's",
        purpose: "lets applications verify quotes",
        need: Need::Optional,
    },
    Library {
        name: "libsgx-quote-ex",
        sonames: &["libsgx_quote_ex.so.1"],
        package: "libsgx-quote-ex",
        purpose: "lets applications ask the service",
        need: Need::Optional,
    },
];

#[derive(Debug)]
pub(crate) struct InstalledLibrary {
    library: &'static Library,
    /// The file behind the loader's name; `None` if it is missing.
    file: Option<PathBuf>,
}

/// Finds the libraries without loading them.
pub(crate) fn gather() -> Vec<InstalledLibrary> {
    let look = |library: &'static Library| {
        let link = library.sonames.iter().find_map(|soname| find_library(Path::new(soname)));
        InstalledLibrary { library, file: link.map(|link| fs::canonicalize(&link).unwrap_or(link)) }
    };
    LIBRARIES.iter().map(look).collect()
}

pub(crate) fn findings(installed: &[InstalledLibrary], processor: &Processor) -> Vec<Finding> {
    installed.iter().map(|installed| installed.finding(processor)).collect()
}

impl InstalledLibrary {
    fn finding(&self, processor: &Processor) -> Finding {
        let Library { name, package, purpose, need, .. } = *self.library;
        let Some(file) = &self.file else { return self.missing(processor) };
        let version = version(file);
        let detail = format!("{} ({})", version.unwrap_or("of unknown version"), file.display());
        if need == Need::Dcap
            && version.and_then(parse_release).is_some_and(|found| found < FIRST_DCAP)
        {
            return Finding::warning(
                name,
                format!("{detail} is too old for the SGX driver of Linux"),
                format!("update Intel's package {package}, to 1.10 at least"),
            );
        }
        Finding::ok(name, format!("{detail}: {purpose}"))
    }

    fn missing(&self, processor: &Processor) -> Finding {
        let Library { name, package, purpose, need, sonames } = self.library;
        let detail = format!("there is no {}, which {purpose}", sonames.join(" or "));
        let fix = format!("install Intel's package {package}");
        match need {
            _ if !processor.runs_enclaves() => Finding::skipped(name, detail, SEE_PROCESSOR),
            Need::Dcap | Need::Sdk => Finding::failed(name, detail, fix),
            Need::Optional => Finding::warning(name, detail, fix),
        }
    }
}

/// The version in the name of a library's file, after `.so.`.
fn version(file: &Path) -> Option<&str> {
    file.file_name()?.to_str()?.split_once(".so.").map(|(_, version)| version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Status;
    use crate::fixtures::{self, statuses};

    /// All libraries at this version.
    fn installed(version: &str) -> Vec<InstalledLibrary> {
        let file = |library: &Library| {
            let stem = library.sonames[0].split_once(".so.").unwrap().0;
            PathBuf::from(format!("/usr/lib/x86_64-linux-gnu/{stem}.so.{version}"))
        };
        LIBRARIES
            .iter()
            .map(|library| InstalledLibrary { library, file: Some(file(library)) })
            .collect()
    }

    fn nothing() -> Vec<InstalledLibrary> {
        LIBRARIES.iter().map(|library| InstalledLibrary { library, file: None }).collect()
    }

    #[test]
    fn the_version_is_that_of_the_file() {
        let findings = findings(&installed("1.21.100.3"), &fixtures::server());
        assert!(statuses(&findings).all(|status| status == Status::Ok), "{findings:?}");
        let file = "/usr/lib/x86_64-linux-gnu/libsgx_qe3_logic.so.1.21.100.3";
        assert_eq!(findings[0].detail, format!("1.21.100.3 ({file}): makes quotes in the service"));
    }

    #[test]
    fn releases_of_dcap_before_the_driver_of_linux_are_old() {
        use Status::{Ok, Warning};
        let old = findings(&installed("1.9.100.3"), &fixtures::server());
        assert_eq!(statuses(&old).collect::<Vec<_>>(), [Warning, Warning, Ok, Ok, Ok, Ok, Ok]);
        assert!(old[0].fix.as_ref().unwrap().contains("libsgx-qe3-logic, to 1.10"));
        let first = findings(&installed("1.10.100.4"), &fixtures::server());
        assert!(statuses(&first).all(|status| status == Ok));
    }

    #[test]
    fn missing_libraries_have_their_package_as_fix() {
        let missing = findings(&nothing(), &fixtures::server());
        use Status::{Failed, Warning};
        let expected = [Failed, Failed, Failed, Warning, Warning, Warning, Warning];
        assert_eq!(statuses(&missing).collect::<Vec<_>>(), expected);
        for (finding, library) in missing.iter().zip(&LIBRARIES) {
            assert!(finding.detail.contains(library.sonames[0]), "{finding:?}");
            assert!(finding.fix.as_ref().unwrap().ends_with(library.package), "{finding:?}");
        }
    }

    #[test]
    fn without_sgx_no_library_is_missed() {
        let findings = findings(&nothing(), &fixtures::amd());
        assert!(statuses(&findings).all(|status| status == Status::Skipped));
    }
}
