//! The SGX extension of a PCK certificate.

use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, DERWriterSeq};

/// The SGX extension of a PCK certificate.
pub(crate) struct PlatformSpec {
    pub(crate) fmspc: [u8; 6],
    pub(crate) pce_id: [u8; 2],
    /// The SVNs of the 16 TCB components.
    pub(crate) components: [u8; 16],
    pub(crate) cpu_svn: [u8; 16],
    pub(crate) pce_svn: u16,
    /// Dynamic platform, cached keys, SMT; `None` leaves the configuration out.
    pub(crate) features: Option<[bool; 3]>,
}

impl Default for PlatformSpec {
    fn default() -> Self {
        Self {
            fmspc: [0, 0x90, 0x6E, 0xD5, 0, 0],
            pce_id: [0; 2],
            components: [5; 16],
            cpu_svn: [5; 16],
            pce_svn: 10,
            features: Some([false; 3]),
        }
    }
}

pub(crate) fn sgx_extension(platform: &PlatformSpec) -> Vec<u8> {
    yasna::construct_der(|extension| {
        extension.write_sequence(|entries| {
            entry(entries, &[1], |value| value.write_bytes(&[7; 16]));
            entry(entries, &[2], |value| value.write_sequence(|tcb| write_tcb(tcb, platform)));
            entry(entries, &[3], |value| value.write_bytes(&platform.pce_id));
            entry(entries, &[4], |value| value.write_bytes(&platform.fmspc));
            entry(entries, &[5], |value| value.write_enum(1));
            if let Some(features) = platform.features {
                entry(entries, &[7], |value| {
                    value.write_sequence(|flags| {
                        for (number, flag) in (1..).zip(features) {
                            entry(flags, &[7, number], |value| value.write_bool(flag));
                        }
                    });
                });
            }
        });
    })
}

fn write_tcb(entries: &mut DERWriterSeq<'_>, platform: &PlatformSpec) {
    for (number, svn) in (1..).zip(platform.components) {
        entry(entries, &[2, number], |value| value.write_u8(svn));
    }
    entry(entries, &[2, 17], |value| value.write_u16(platform.pce_svn));
    entry(entries, &[2, 18], |value| value.write_bytes(&platform.cpu_svn));
}

/// The entry whose OID ends with `path`.
fn entry(entries: &mut DERWriterSeq<'_>, path: &[u64], write_value: impl FnOnce(DERWriter<'_>)) {
    entries.next().write_sequence(|pair| {
        let oid = [&[1, 2, 840, 113_741, 1, 13, 1], path].concat();
        pair.next().write_oid(&ObjectIdentifier::new(oid));
        write_value(pair.next());
    });
}
