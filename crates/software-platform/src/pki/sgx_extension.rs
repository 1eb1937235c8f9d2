//! The SGX extension of a PCK certificate: its platform and TCB.

use rcgen::CustomExtension;
use sgx::CpuSvn;
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, DERWriterSeq};

/// OID of the SGX extension; those of its entries begin with it.
const SGX_EXTENSION: [u64; 7] = [1, 2, 840, 113_741, 1, 13, 1];

/// SGX type of a platform with one or more scalable processors, as PCK platform CAs certify.
const SCALABLE: i64 = 1;

/// The platform and TCB that a PCK certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PckSubject {
    /// Platform provisioning id, 16 bytes: names the processor.
    pub ppid: [u8; 16],
    /// CPUSVN; its 16 bytes are the TCB component SVNs.
    pub cpu_svn: CpuSvn,
    /// ISVSVN of the PCE.
    pub pce_svn: u16,
    /// PCE id, little-endian.
    pub pce_id: [u8; 2],
    /// Family, model, stepping, platform and custom SKU: names the kind of platform.
    pub fmspc: [u8; 6],
    /// Platform instance id, 16 bytes: changes when the platform is set up anew.
    pub platform_instance_id: [u8; 16],
}

/// The extension with all entries that Intel's PCK platform CA puts in: a sequence of pairs of OID
/// and value. The configuration flags (dynamic platform, cached keys, SMT) are false.
pub(crate) fn sgx_extension(subject: &PckSubject) -> CustomExtension {
    let content = yasna::construct_der(|extension| {
        extension.write_sequence(|entries| {
            entry(entries, &[1], |value| value.write_bytes(&subject.ppid));
            entry(entries, &[2], |value| value.write_sequence(|tcb| write_tcb(tcb, subject)));
            entry(entries, &[3], |value| value.write_bytes(&subject.pce_id));
            entry(entries, &[4], |value| value.write_bytes(&subject.fmspc));
            entry(entries, &[5], |value| value.write_enum(SCALABLE));
            entry(entries, &[6], |value| value.write_bytes(&subject.platform_instance_id));
            entry(entries, &[7], |value| value.write_sequence(write_configuration));
        });
    });
    CustomExtension::from_oid_content(&SGX_EXTENSION, content)
}

fn write_tcb(entries: &mut DERWriterSeq<'_>, subject: &PckSubject) {
    for (number, svn) in (1..).zip(subject.cpu_svn.0) {
        entry(entries, &[2, number], |value| value.write_u8(svn));
    }
    entry(entries, &[2, 17], |value| value.write_u16(subject.pce_svn));
    entry(entries, &[2, 18], |value| value.write_bytes(&subject.cpu_svn.0));
}

fn write_configuration(entries: &mut DERWriterSeq<'_>) {
    for flag in 1..=3 {
        entry(entries, &[7, flag], |value| value.write_bool(false));
    }
}

/// The entry whose OID ends with `path`.
fn entry(entries: &mut DERWriterSeq<'_>, path: &[u64], write_value: impl FnOnce(DERWriter<'_>)) {
    entries.next().write_sequence(|pair| {
        let oid = [&SGX_EXTENSION, path].concat();
        pair.next().write_oid(&ObjectIdentifier::new(oid));
        write_value(pair.next());
    });
}
