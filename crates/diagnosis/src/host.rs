//! SGX support of the host: processor, driver, device nodes, libraries.

pub(crate) mod devices;
pub(crate) mod driver;
pub(crate) mod libraries;
pub(crate) mod platform;
pub(crate) mod processor;

pub(crate) use self::devices::Devices;
pub(crate) use self::driver::Driver;
pub(crate) use self::processor::Processor;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Status;
    use crate::fixtures;

    #[test]
    fn each_finding_but_the_good_ones_has_a_fix_on_every_processor() {
        for processor in fixtures::processors() {
            let findings = [
                processor.findings(),
                Driver::gather().findings(&processor),
                Devices::gather().findings(&processor),
                Devices::gather().in_pod(&processor),
                libraries::findings(&libraries::gather(), &processor),
            ];
            for finding in findings.concat() {
                let fix = finding.fix.as_deref().unwrap_or_default();
                assert_eq!(finding.status == Status::Ok, fix.is_empty(), "{finding:?}");
            }
        }
    }
}
