//! The options for a REPORT of a software enclave.

use anyhow::{Context, anyhow};
use clap::Args;
use sgx::{Attributes, MrEnclave, MrSigner, Report, ReportData, TargetInfo};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::values::bytes;

/// Options for a REPORT of a software enclave. INSECURE: real SGX refuses such REPORTs.
#[derive(Debug, Args)]
pub(crate) struct SoftwareReport {
    /// REPORTDATA, at most 64 bytes in hexadecimal, padded with zeros.
    #[arg(long, value_name = "HEX", value_parser = report_data)]
    report_data: Option<ReportData>,

    /// MRENCLAVE, 32 bytes in hexadecimal [default: zeros].
    #[arg(long, value_name = "HEX")]
    mr_enclave: Option<MrEnclave>,

    /// MRSIGNER, 32 bytes in hexadecimal [default: zeros].
    #[arg(long, value_name = "HEX")]
    mr_signer: Option<MrSigner>,

    /// ISVPRODID [default: 0].
    #[arg(long, value_name = "NUMBER")]
    isv_prod_id: Option<u16>,

    /// ISVSVN [default: 0].
    #[arg(long, value_name = "NUMBER")]
    isv_svn: Option<u16>,

    /// Makes it a debug enclave: sets DEBUG in ATTRIBUTES.
    #[arg(long)]
    debug: bool,

    /// ATTRIBUTES, each half in hexadecimal; other options add DEBUG and KSS [default: 5:3, which
    /// is INIT and MODE64BIT, x87 and SSE].
    #[arg(long, value_name = "FLAGS[:XFRM]", value_parser = attributes)]
    attributes: Option<Attributes>,

    /// MISCSELECT, 4 bytes in hexadecimal [default: 0].
    #[arg(long, value_name = "HEX", value_parser = misc_select)]
    misc_select: Option<u32>,

    /// CONFIGID, 64 bytes in hexadecimal. This and the following options set KSS in ATTRIBUTES.
    #[arg(long, value_name = "HEX", value_parser = bytes::<64>)]
    config_id: Option<[u8; 64]>,

    /// CONFIGSVN.
    #[arg(long, value_name = "NUMBER")]
    config_svn: Option<u16>,

    /// ISVFAMILYID, 16 bytes in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = bytes::<16>)]
    isv_family_id: Option<[u8; 16]>,

    /// ISVEXTPRODID, 16 bytes in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = bytes::<16>)]
    isv_ext_prod_id: Option<[u8; 16]>,
}

impl SoftwareReport {
    pub(crate) fn make(&self, target: &TargetInfo) -> Report {
        let enclave = SoftwareEnclave::new(self.identity());
        enclave.report(target, self.report_data.unwrap_or_default())
    }

    fn identity(&self) -> EnclaveIdentity {
        EnclaveIdentity {
            mr_enclave: self.mr_enclave.unwrap_or_default(),
            mr_signer: self.mr_signer.unwrap_or_default(),
            isv_prod_id: self.isv_prod_id.unwrap_or_default(),
            isv_svn: self.isv_svn.unwrap_or_default(),
            attributes: self.all_attributes(),
            misc_select: self.misc_select.unwrap_or_default(),
            config_id: self.config_id.unwrap_or([0; 64]),
            config_svn: self.config_svn.unwrap_or_default(),
            isv_family_id: self.isv_family_id.unwrap_or_default(),
            isv_ext_prod_id: self.isv_ext_prod_id.unwrap_or_default(),
        }
    }

    fn all_attributes(&self) -> Attributes {
        let mut attributes =
            self.attributes.unwrap_or_else(|| EnclaveIdentity::default().attributes);
        let has_kss = self.config_id.is_some()
            || self.config_svn.is_some()
            || self.isv_family_id.is_some()
            || self.isv_ext_prod_id.is_some();
        for (is_wanted, flag) in [(self.debug, Attributes::DEBUG), (has_kss, Attributes::KSS)] {
            if is_wanted {
                attributes.flags |= flag;
            }
        }
        attributes
    }
}

/// Reads up to 64 bytes in hexadecimal, padded with zeros.
pub(crate) fn report_data(text: &str) -> anyhow::Result<ReportData> {
    let bytes = hex::decode(text).map_err(|_| {
        anyhow!("expected hexadecimal: the digits 0 to 9 and a to f, two for each byte")
    })?;
    let mut report_data = ReportData::default();
    let space = report_data.0.get_mut(..bytes.len());
    space
        .ok_or_else(|| anyhow!("report data has at most 64 bytes, not {}", bytes.len()))?
        .copy_from_slice(&bytes);
    Ok(report_data)
}

fn attributes(text: &str) -> anyhow::Result<Attributes> {
    let (flags, xfrm) = text.split_once(':').unwrap_or((text, "3"));
    Ok(Attributes::new(number(flags)?, number(xfrm)?))
}

fn misc_select(text: &str) -> anyhow::Result<u32> {
    u32::try_from(number(text)?).context("MISCSELECT has 4 bytes")
}

/// A number in hexadecimal, with or without `0x`.
fn number(text: &str) -> anyhow::Result<u64> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u64::from_str_radix(digits, 16)
        .map_err(|_| anyhow!("{text:?} is not a number of at most 16 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        report: SoftwareReport,
    }

    fn identity(arguments: &[&str]) -> EnclaveIdentity {
        let arguments = ["report"].iter().chain(arguments);
        Line::try_parse_from(arguments).unwrap().report.identity()
    }

    #[test]
    fn options_change_the_default_identity() {
        assert_eq!(identity(&[]), EnclaveIdentity::default());
        let debug = identity(&["--debug"]).attributes;
        assert_eq!(debug, Attributes::new(7, 3));
        assert_eq!(identity(&["--attributes", "0x15:e7"]).attributes, Attributes::new(0x15, 0xe7));
        assert_eq!(identity(&["--attributes", "5", "--debug"]).attributes, debug);
    }

    #[test]
    fn fields_of_kss_set_its_attribute() {
        let id = "0102030405060708090a0b0c0d0e0f10";
        for (option, value) in [
            ("--config-svn", "7"),
            ("--isv-family-id", id),
            ("--isv-ext-prod-id", id),
            ("--config-id", &id.repeat(4)),
        ] {
            let attributes = identity(&[option, value]).attributes;
            assert_eq!(attributes, Attributes::new(5 | Attributes::KSS, 3), "{option}");
        }
    }

    #[test]
    fn invalid_values_are_refused_with_a_reason() {
        let id = "ab".repeat(16);
        for (option, value, words) in [
            ("--report-data", "abc", "two for each byte"),
            ("--report-data", &id.repeat(5), "at most 64 bytes, not 80"),
            ("--config-id", &*id, "expected 64 bytes in hexadecimal, 128 digits"),
            ("--attributes", "debug", "hexadecimal digits"),
            ("--misc-select", "100000000", "4 bytes"),
        ] {
            let error = Line::try_parse_from(["report", option, value]).err().unwrap();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
